"""Run folders: where a run keeps each stage, so that the later stages can be redone.

    run.json items.jsonl responses.jsonl scores.parquet report.json report.html report.md
    tables/ figures/

In: records. Out: files, and the same records again. Knows nothing of models, scoring or pages.
"""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet, card_of, laid, sha256_of
from eyechart.json_rows import OR_NULL, Types, fitting, fitting_all, rows_of
from eyechart.json_rows import write_whole as write_whole
from eyechart.records import (
    Item,
    Picture,
    Report,
    Score,
)
from eyechart.response_rows import ResponseWriter as ResponseWriter
from eyechart.response_rows import read_responses as read_responses
from eyechart.rows import Row, RowProblem, item_of_row, row_of_item
from eyechart.strategies import DEFAULT_STRATEGY

IMAGE_TYPES: Types = {"path": (str,), "name": (str,), "sha256": (str, OR_NULL)}
INFO_TYPES: Types = {
    **dict.fromkeys(["benchmark", "model", "revision", "started"], (str,)),
    **dict.fromkeys(["identity", "card", "settings", "setup", "versions", "prompts"], (dict,)),
    "max_unjudged": (float, int),
    **dict.fromkeys(["judges", "also", "strategies", "notes"], (list,)),
}
TEXT_LISTS = ("also", "strategies", "notes")
JUDGE_TYPES: Types = {
    **dict.fromkeys(["name", "revision"], (str,)),
    "n_draws": (int,),
    "notes": (list,),
}
INFO_NEEDS = ("benchmark", "model", "revision", "started", "identity", "card")
MAX_UNJUDGED = 0.05
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class JudgeInfo:
    """A judge of a run: its model's name and revision, and the verdicts wanted on each question.

    `notes`: what a reader must know of its judging.
    """

    name: str
    revision: str = ""
    n_draws: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run is: the content of `run.json`.

    `identity`: the settings that decide what is asked; a folder holds one identity only.
    `judges`: the one whose verdicts count first; `max_unjudged`: the share of unjudged replies
    above which the headline says so. `also`, `strategies`: see `eyechart.prompts.PromptForm`.
    `settings`: every other setting. `setup`: what a model on this machine was computed with, as in
    `eyechart.asking.backend.Backend`. `versions`: of Eyechart and what it ran on. `prompts`: digest
    by prompt name. `card`: of the items. `notes`: what a reader of the report must know.
    """

    benchmark: str
    model: str
    revision: str
    started: str
    identity: Mapping[str, str]
    card: Card
    judges: tuple[JudgeInfo, ...] = ()
    max_unjudged: float = MAX_UNJUDGED
    also: tuple[str, ...] = ()
    strategies: tuple[str, ...] = (DEFAULT_STRATEGY,)
    settings: Mapping[str, str] = field(default_factory=dict)
    setup: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def judge_names(self) -> tuple[str, ...]:
        """The judges' model names, in their order."""
        return tuple(judge.name for judge in self.judges)

    @property
    def judge_notes(self) -> tuple[str, ...]:
        """What a reader must know of the judging, judge by judge."""
        return tuple(note for judge in self.judges for note in judge.notes)


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """The folder, made where it is missing and held for this process alone.

    Raises BadInput where it cannot be written to, or another process is at work in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot be written to ({error.strerror}); nothing was asked. "
            "Make it writable or choose another"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"{folder}: another eyechart is at work in this folder; wait for it, or choose "
                "another folder"
            ) from None
        yield folder


def write_info(folder: Path, facts: RunInfo) -> None:
    """Write `run.json`. Raises BadInput where the folder holds a run of something else."""
    before = read_info(folder) if (folder / "run.json").is_file() else None
    if before is not None and dict(before.identity) != dict(facts.identity):
        was, now = before.identity, facts.identity
        keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
        differs = ", ".join(
            f"{key} {_told(was.get(key))}, now {_told(now.get(key))}" for key in keys
        )
        raise BadInput(f"{folder}: holds another run ({differs}); choose another folder with --out")
    values = dataclasses.asdict(facts)
    values["card"].pop("digests")
    text = json.dumps(values, indent=2, ensure_ascii=False)
    write_whole(folder / "run.json", (text + "\n").encode("utf-8", "backslashreplace"))


def _told(value: str | None) -> str:
    return "nothing" if value is None else repr(value)


def read_info(folder: Path) -> RunInfo:
    """Read `run.json`; what an older run left out has its default, what a newer one added is left.

    Raises BadInput where there is none, it cannot be read, or a value has the wrong type.
    """
    file = folder / "run.json"
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(f"{folder}: not a run folder: no run.json") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file}: not readable ({error}); expected what eyechart wrote") from None
    values = fitting(read, INFO_TYPES, INFO_NEEDS, str(file))
    card = card_of(values.pop("card"), f"{file}: card")
    for name in ("identity", "settings", "setup", "versions", "prompts"):
        texts = values.get(name, {})
        fitting(texts, dict.fromkeys(texts, (str,)), (), f"{file}: {name}")
    for name in TEXT_LISTS:
        if name in values:
            values[name] = fitting_all(values[name], (str,), f"{file}: {name}")
    values["judges"] = tuple(_judge(one, f"{file}: judges") for one in values.get("judges", ()))
    return RunInfo(card=card, **values)


def _judge(values: Any, where: str) -> JudgeInfo:
    known = fitting(values, JUDGE_TYPES, ("name",), where)
    known["notes"] = fitting_all(known.get("notes", ()), (str,), f"{where}: notes")
    return JudgeInfo(**known)


def write_items(folder: Path, items: Iterable[Item]) -> tuple[Item, ...]:
    """Write `items.jsonl`; photographs held in memory are laid under `images/` first.

    Photographs in the run folder are named by their place in it, so that it can be moved.
    """
    digests: dict[Path, str] = {}
    settled = tuple(_settled(folder, item, digests) for item in items)
    lines = []
    for item in settled:
        images = [
            {"path": _place(folder, p.path), "name": p.name, "sha256": p.sha256}
            for p in item.images
        ]
        lines.append(_encode({"id": item.id, "images": images, **row_of_item(item)}))
    text = "".join(line + "\n" for line in lines)
    write_whole(folder / "items.jsonl", text.encode("utf-8", "backslashreplace"))
    return settled


def read_item_set(folder: Path) -> ItemSet:
    """The items of a run and their card. Raises BadInput with file and line for a bad row."""
    items: list[Item] = []
    whole = folder.resolve()
    for where, row in rows_of(folder / "items.jsonl"):
        images = fitting(row, {"images": (list,)}, ("images",), where)["images"]
        pictures = tuple(_picture(whole, image, where) for image in images)
        item = item_of_row(Row(row, where, pictures))
        if isinstance(item, RowProblem):
            raise BadInput(str(item))
        items.append(item)
    return ItemSet(read_info(folder).card, tuple(items))


def write_scores(folder: Path, scores: Sequence[Score]) -> None:
    """Write `scores.parquet`. Raises BadInput where the disk is full."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [f.name for f in dataclasses.fields(Score)]
    columns = {name: [_storable(getattr(score, name)) for score in scores] for name in fields}
    types = {"value": pa.float64(), "draws": pa.list_(pa.float64())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in fields])
    data = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), data)
    write_whole(folder / "scores.parquet", data.getvalue())


def read_scores(folder: Path) -> tuple[Score, ...]:
    """Read `scores.parquet`. Raises BadInput where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / "scores.parquet"
    try:
        rows = pq.read_table(file).to_pylist()
        return tuple(Score(**{**row, "draws": tuple(row.get("draws", ()))}) for row in rows)
    except FileNotFoundError:
        raise BadInput(f"{file}: missing; `eyechart score {folder}` writes it") from None
    except (OSError, pa.ArrowInvalid, TypeError) as error:
        raise BadInput(
            f"{file}: not readable ({error}); `eyechart score {folder}` writes it again"
        ) from None


def write_report_record(folder: Path, report: Report) -> None:
    """Write `report.json`: everything that the report shows, for other programs."""
    text = json.dumps(dataclasses.asdict(report), indent=1, ensure_ascii=False)
    write_whole(folder / "report.json", text.encode("utf-8", "backslashreplace"))


def _settled(folder: Path, item: Item, digests: dict[Path, str]) -> Item:
    """The item with the absolute path and the digest of each picture; bytes are laid into files."""
    images = []
    for picture in laid(item, folder / "images").images:
        if picture.path is not None:
            path = picture.path.resolve()
            digest = picture.sha256 or digests.get(path) or _digest(path)
            digests[path] = digest
            picture = Picture(path, None, picture.name, digest or None)
        images.append(picture)
    return dataclasses.replace(item, images=tuple(images))


def _digest(path: Path) -> str:
    """The file's sha256, "" where it cannot be read: the asking will say why."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _place(folder: Path, path: Path | None) -> str:
    """Where a photograph lies: from the run folder if it is in it."""
    whole = folder.resolve()
    return str(path.relative_to(whole) if path and path.is_relative_to(whole) else path)


def _picture(folder: Path, image: Any, where: str) -> Picture:
    known = fitting(image, IMAGE_TYPES, tuple(IMAGE_TYPES), f"{where}: images")
    return Picture(folder / known["path"], None, known["name"], known["sha256"])


def _storable(value: object) -> object:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value
