"""The eye chart: known faults added to photographs, and questions about what was added.

In: photographs (a folder, or the bundled ones) and a seed. Out: an item folder of stimuli and
questions, and from scores the accuracy against severity. It needs no labels and asks no model.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.benchmarks import Benchmark, Source
from eyechart.benchmarks.snellen_questions import N_OPTIONS, Subject, choose_pairs, questions
from eyechart.benchmarks.snellen_stimuli import draw_stimuli
from eyechart.distortions import DISTORTIONS, Distortion
from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet, read_card, read_items, write_items
from eyechart.metrics.intervals import proportion
from eyechart.metrics.psychometric import threshold
from eyechart.photographs import (
    PhotoFile,
    Unusable,
    bundled_photographs,
    folder_photographs,
    read_pixels,
)
from eyechart.records import Curve, FacetValue, Item, Score

VERSION = "1"
TITLE = "The eye chart (snellen)"
SUMMARY = (
    "Photographs with known faults added in known amounts; questions of every kind whose answers "
    "are true by construction."
)
UNFINISHED = ".unfinished"
SECONDS_TILL_STALE = 24 * 3600
CITATION = "Eyechart, benchmark snellen, version 1"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to look for a distortion: its task, and how often a guess is right there."""

    task: str
    name: str
    question: str
    chance: float


SETTINGS = (
    Setting("compare", "beside the original", "Which of the two pictures has it?", 1 / 2),
    Setting(
        "identify",
        "from one photograph alone",
        "Which of three distortions does it have, if any?",
        1 / N_OPTIONS,
    ),
)


def items(source: Source) -> ItemSet:
    """The chart made from `source`, made in the workspace unless it is there already.

    Raises BadInput where no photograph can be used, or other data are named.
    """
    if source.data:
        raise BadInput(f"snellen reads no --data; name photographs with --photos {source.data[0]}")
    digest = hashlib.sha256(f"{VERSION}/{source.seed}/{source.max_photos}".encode())
    for photo in _photo_files(source):
        digest.update(f"/{photo.name}/{photo.sha256()}".encode())
    folder = source.workspace / "items" / f"snellen-{digest.hexdigest()[:16]}"
    return read_items(folder) if folder.exists() else make(source, folder)


def make(source: Source, folder: Path) -> ItemSet:
    """Write the chart as an item folder: stimuli as PNG under `images/`, questions, a card.

    Equal seeds and photographs give equal bytes. The folder appears whole or not at all.
    Photographs that cannot be used are left out and named in the card's notes. Where another
    process makes the same chart at the same time, the first one to finish has made it.

    Raises BadInput where `folder` holds something or cannot be written, or no photograph can be
    used.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder}: not empty; expected a new or empty folder for the items")
    photos = _photo_files(source)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        prefix = f".{folder.name}-"
        unfinished = Path(tempfile.mkdtemp(UNFINISHED, prefix, folder.parent))
        try:
            _write(source, photos, unfinished)
            unfinished.chmod(0o755)
            _put(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise BadInput(
            f"{folder}: the items cannot be written there ({error.strerror or error}); expected a "
            "place with room and the right to write"
        ) from None
    return read_items(folder)


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed while making this folder left over a day ago."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - SECONDS_TILL_STALE:
                shutil.rmtree(left, ignore_errors=True)


def _put(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.replace(folder)
    except OSError:
        if not folder.is_dir() or read_card(folder).digest != read_card(unfinished).digest:
            raise


def curves(item_set: ItemSet, scores: Sequence[Score]) -> tuple[Curve, ...]:
    """Accuracy against severity, and the threshold, per setting and distortion.

    By the benchmark's rule an unscored question counts as wrong. Distortions without questions of a
    setting in the set are left out there. The threshold is in the distortion's unit; items of one
    photograph vary together in its interval.
    """
    values = {score.item_id: score.value or 0.0 for score in scores if score.name == "correct"}
    asked: defaultdict[tuple[FacetValue, FacetValue], list[Item]] = defaultdict(list)
    for item in item_set.items:
        asked[item.facets.get("task", ""), item.facets.get("distortion", "")].append(item)
    return tuple(
        _curve(setting, distortion, found, values)
        for setting in SETTINGS
        for distortion in DISTORTIONS
        if (found := asked[setting.task, distortion.name])
    )


def _curve(
    setting: Setting, distortion: Distortion, items: list[Item], values: dict[str, float]
) -> Curve:
    severities = [float(item.facets["severity"]) for item in items]
    right = [values.get(item.id, 0.0) for item in items]
    photos = [str(item.facets["photo"]) for item in items]
    shown = sorted(set(severities))
    points = []
    for severity in shown:
        at = [i for i, each in enumerate(severities) if each == severity]
        points.append(proportion([right[i] for i in at], [photos[i] for i in at]))
    return Curve(
        name=distortion.name,
        unit=distortion.unit,
        severities=tuple(shown),
        points=tuple(points),
        chance=setting.chance,
        threshold=threshold(severities, right, photos, chance=setting.chance),
        setting=setting.name,
        question=setting.question,
    )


def _photo_files(source: Source) -> list[PhotoFile]:
    if source.max_photos is not None and source.max_photos < 1:
        raise BadInput(f"max_photos is {source.max_photos}; expected at least 1")
    return bundled_photographs() if source.path is None else folder_photographs(source.path)


def _write(source: Source, photos: list[PhotoFile], folder: Path) -> None:
    subjects, reasons = _subjects(source, photos, folder / "images")
    told = _left_out(reasons)
    if not subjects:
        raise BadInput(f"{source.path or 'bundled photographs'}: none can be used. {told}")
    card = Card(
        name="snellen",
        title=TITLE,
        version=VERSION,
        benchmark="snellen",
        licence="; ".join(sorted({s.licence for s in subjects} - {""})),
        citation=CITATION,
        description=SUMMARY,
        cluster="photo",
        seed=source.seed,
        notes=(told,) if told else (),
    )
    found = (item for subject in subjects for item in questions(subject, source.seed))
    write_items(folder, found, card)


def _left_out(reasons: list[str]) -> str:
    if not reasons:
        return ""
    n, what = len(reasons), "photograph" if len(reasons) == 1 else "photographs"
    return f"Left out {n} {what}: {'; '.join(reasons)}."


def _subjects(
    source: Source, photos: Iterable[PhotoFile], folder: Path
) -> tuple[list[Subject], list[str]]:
    """The usable photographs, drawn under `folder`, and why each other one is left out."""
    subjects: list[Subject] = []
    reasons: list[str] = []
    keys: set[str] = set()
    for photo in photos:
        if len(subjects) == source.max_photos:
            break
        index, key = len(subjects), _key(photo.name, keys)
        seed, pairs = f"{source.seed}/{photo.sha256()}", choose_pairs(source.seed, index)
        try:
            drawn = draw_stimuli(read_pixels(photo), folder / key, seed=seed, pairs=pairs)
        except Unusable as reason:
            shutil.rmtree(folder / key, ignore_errors=True)
            reasons.append(f"{photo.name} ({reason})")
            continue
        keys.add(key)
        told = photo.source or photo.name
        subjects.append(Subject(index, key, photo.name, told, photo.licence, drawn))
    return subjects, reasons


def _key(name: str, taken: set[str]) -> str:
    """A file name and part of ids, from a photograph's name, unlike those taken."""
    stem = name.rpartition(".")[0] or name
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "photo"
    keys = itertools.chain([slug], (f"{slug}-{n}" for n in itertools.count(2)))
    return next(key for key in keys if key not in taken)


BENCHMARK = Benchmark(
    name="snellen",
    title=TITLE,
    version=VERSION,
    summary=SUMMARY,
    licence="Apache-2.0; the photographs keep their own",
    citation=CITATION,
    items=items,
    make=make,
    curves=curves,
)
