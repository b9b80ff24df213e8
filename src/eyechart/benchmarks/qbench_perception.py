"""Q-Bench's perception (A1): questions about low-level vision, on single images and pairs; A-Bench.

In: files, folders or hub addresses of published questions (by default the hub's Q-Bench-HF). Out:
items, the leaderboards with our rows in them, and the file to send in where answers are withheld.
Asks no model.

Wu et al. 2024, arXiv 2309.14181; pairs: Zhang et al. 2024, arXiv 2402.07116; A-Bench: Zhang et al.
2025, arXiv 2406.03070.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from eyechart.benchmarks import Benchmark, Findings, Source, Told
from eyechart.benchmarks.qbench_leaderboard import count_notes, leaderboards
from eyechart.benchmarks.qbench_rows import (
    A_BENCH,
    CONCERNS,
    PAIR_CONCERNS,
    Q_BENCH,
    Q_BENCH2,
    QUESTION_TYPES,
    SETS,
    question_files,
    questions_in,
)
from eyechart.errors import BadInput
from eyechart.hub import Found, find_data
from eyechart.items import Card, ItemSet, Located, checked, laid, sha256_of
from eyechart.records import Item
from eyechart.report.formatting import plural
from eyechart.rubrics import GENERAL, Rubric

NAME = "qbench-perception"
TITLE = "Q-Bench, perception (A1)"
VERSION = "1"
SUMMARY = (
    "Questions about low-level vision on single images, pairs (Q-Bench2) and AI-generated images "
    "(A-Bench), with the leaderboards' columns and published rows."
)
DEFAULT_DATA = "q-future/Q-Bench-HF"
WANTED = ("*.parquet",)
PICTURES = "pictures"


def items(source: Source) -> ItemSet:
    """The questions of `source.data`, or of the hub's Q-Bench-HF; their images are not decoded.

    `source.path`: a folder of images that raw lists name. `source.max_photos`: only so many
    questions, from the first on. Raises BadInput with every bad row, for a file in no known form,
    and where the hub cannot give what is asked.
    """
    if source.path is not None and not source.path.is_dir():
        raise BadInput(f"{source.path}: no such folder; expected the images that questions name")
    found = [find_data(entry, WANTED) for entry in source.data or (DEFAULT_DATA,)]
    files = list(dict.fromkeys(f for one in found for p in one.paths for f in question_files(p)))
    rows = islice(_all_in(files, source), source.max_photos)
    read = checked(_card(found, files), rows)
    return ItemSet(_completed(read, found), read.items)


def _all_in(files: Sequence[Path], source: Source) -> Iterator[Located]:
    """The questions one by one; embedded images go to the workspace, where all runs share them."""
    for file in files:
        for where, item in questions_in(file, source.path):
            good = laid(item, source.workspace / PICTURES) if isinstance(item, Item) else item
            yield where, good


def _card(found: Sequence[Found], files: Sequence[Path]) -> Card:
    commits = [f"{one.name} at {one.commit[:12]}" for one in found if one.commit]
    digest = hashlib.sha256()
    for file in files:
        digest.update(bytes.fromhex(sha256_of(file)))
    return Card(
        NAME,
        title=TITLE,
        version=", ".join([VERSION, *commits]),
        benchmark=NAME,
        description=SUMMARY,
        digest=digest.hexdigest(),
    )


def _completed(read: ItemSet, found: Sequence[Found]) -> Card:
    """The card with what depends on which questions there are."""
    present = {str(item.facets.get("set", "")) for item in read.items}
    sets = [one for one in SETS.values() if one.name in present]
    licences = dict.fromkeys(item.licence for item in read.items if item.licence)
    return replace(
        read.card,
        licence="; ".join(licences) or "see the data set's page",
        citation="; ".join(one.citation for one in sets) or CITATION,
        counts=dict(Counter(item.kind for item in read.items)),
        notes=tuple(note for one in found for note in one.notes),
    )


def tell(findings: Findings) -> Told:
    """The leaderboards with our rows, and the file to send in where answers are withheld."""
    asked = findings.item_set.items
    tables = leaderboards(findings)
    return Told(lead(findings), tables, submission(findings), notes=count_notes(asked))


def lead(findings: Findings) -> str:
    """Where no answer is known, that there is a file to send in; else "" for the general words."""
    asked = findings.item_set.items
    if not asked or any(item.answer is not None for item in asked):
        return ""
    n_mute = sum(reply is None for reply in _replies(findings, asked))
    silent = f" {n_mute:,} of them have no reply and are sent as null." if n_mute else ""
    return (
        f"The answers of all {plural(len(asked), 'question')} are withheld: send the replies of "
        f"{findings.model} in to learn how many are right.{silent}"
    )


def submission(findings: Findings) -> str | None:
    """The replies to the questions whose answers are withheld, as JSON; None where there are none.

    A list in the order of the items: each record as the raw list has it (img_path, question,
    candidates, type and concern; for A-Bench answers and category), with the reply's text as
    `response`, null where there is none. That is what the official scripts do to each record
    (LLaVA's model_vqa_qbench.py, which the Q-Bench repository names as its template; A-Bench's
    README), and what the makers ask for by mail: outputs with image paths, in JSON. Questions from
    the hub have no img_path: they carry their `id` and the name of the image there.
    """
    withheld = [item for item in findings.item_set.items if item.answer is None]
    if not withheld:
        return None
    replies = _replies(findings, withheld)
    records = [_record(item, reply) for item, reply in zip(withheld, replies, strict=True)]
    return json.dumps(records, indent=2) + "\n"


def _replies(findings: Findings, asked: Sequence[Item]) -> list[str | None]:
    """The text of each item's plain reply, None where there is none."""
    texts = {
        response.item_id: response.text
        for response in findings.responses
        if response.role == "answer" and not response.variant and response.draw == 0
    }
    return [texts.get(item.id) for item in asked]


def _record(item: Item, reply: str | None) -> dict[str, Any]:
    which = SETS.get(str(item.facets.get("set", "")), Q_BENCH)
    names = [picture.label for picture in item.images]
    raw = item.facets.get("img_path")
    place: dict[str, Any] = {"img_path": raw}
    if raw is None:
        number = item.id.rpartition("-")[2]
        whole = int(number) if number.isdecimal() else number
        place = {"id": whole, **dict(zip(("image1", "image2"), names, strict=False))}
        if len(names) == 1:
            place = {"id": whole, "image": names[0]}
    if which is A_BENCH:
        asked = {"question": item.question, "answers": list(item.options)}
        return {**place, **asked, "category": item.facets.get("category"), "response": reply}
    asked = {"question": item.question, "candidates": list(item.options)}
    return {**place, **asked, **_codes(item, which is Q_BENCH2), "response": reply}


def _codes(item: Item, is_pair: bool) -> dict[str, int | None]:
    """The type and the concern as the raw lists number them, None where an item does not say."""
    kind, concern = item.facets.get("question_type"), item.facets.get("concern")
    pair = (concern, item.facets.get("comparison"))
    concerns: tuple[object, ...] = PAIR_CONCERNS if is_pair else CONCERNS
    wanted: object = pair if is_pair else concern
    return {
        "type": QUESTION_TYPES.index(str(kind)) if kind in QUESTION_TYPES else None,
        "concern": concerns.index(wanted) if wanted in concerns else None,
    }


CITATION = "; ".join(one.citation for one in SETS.values())
BENCHMARK = Benchmark(
    name=NAME,
    title=TITLE,
    version=VERSION,
    summary=SUMMARY,
    licence="; ".join(f"{one.name}: {one.licence}" for one in SETS.values()),
    citation=CITATION,
    items=items,
    form="letter-suffix",
    rubrics={
        **GENERAL,
        "single": (Rubric("correct.judged", "judge_choice", most=1, rule="votes"),),
    },
    tell=tell,
)
