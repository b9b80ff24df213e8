"""Run folders: where a run keeps each stage, so that the later stages can be redone.

    run.json items.jsonl responses.jsonl scores.parquet report.json report.html report.md
    tables/ figures/

In: records. Out: files, and the same records again. Knows nothing of models, scoring or pages.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet, card_of, sha256_of
from eyechart.records import Failure, Item, Picture, Report, Response, Score, Usage
from eyechart.rows import Row, RowProblem, item_of_row, misfit, row_of_item

AGAIN = (
    "run the same `eyechart run` again: what was answered is in the call log and is not asked again"
)
MEND = "mend it, or run again into a new folder: what was answered is in the call log"
Types = Mapping[str, tuple[type, ...]]
OR_NULL = type(None)
IMAGE_TYPES: Types = {"path": (str,), "name": (str,), "sha256": (str, OR_NULL)}
USAGE_TYPES: Types = dict.fromkeys(["tokens_in", "tokens_out"], (int, OR_NULL))
FAILURE_TYPES: Types = dict.fromkeys(["kind", "message"], (str,))
RESPONSE_TYPES: Types = {
    **dict.fromkeys(["item_id", "role", "key", "model", "revision"], (str,)),
    **dict.fromkeys(["text", "reasoning", "finish"], (str, OR_NULL)),
    "draw": (int,),
    "logprobs": (list,),
    "bound": (float, int, OR_NULL),
    "usage": (dict,),
    "seconds": (float, int),
    "failure": (dict, OR_NULL),
}
RESPONSE_NEEDS = ("item_id", "role", "draw", "key", "model")
INFO_TYPES: Types = {
    **dict.fromkeys(["benchmark", "model", "revision", "started", "judge"], (str,)),
    **dict.fromkeys(["identity", "card", "settings", "versions", "prompts"], (dict,)),
    "n_judge_draws": (int,),
    **dict.fromkeys(["notes", "judge_notes"], (list,)),
}
INFO_NEEDS = ("benchmark", "model", "revision", "started", "identity", "card")
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run is: the content of `run.json`.

    `identity`: the settings that decide what is asked; a folder holds one identity only.
    `n_judge_draws`: verdicts wanted on each open answer. `settings`: every other setting.
    `versions`: of Eyechart and what it ran on. `prompts`: digest by prompt name. `card`: of the
    items. `notes`, and `judge_notes` of the judging: what a reader of the report must know.
    """

    benchmark: str
    model: str
    revision: str
    started: str
    identity: Mapping[str, str]
    card: Card
    judge: str = ""
    n_judge_draws: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    judge_notes: tuple[str, ...] = ()


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
            f"{folder}: cannot be used as the run folder ({error.strerror}); nothing was asked. "
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
        keys = [key for key in now if was.get(key) != now[key]]
        differs = ", ".join(f"{key} {was.get(key)!r}, now {now[key]!r}" for key in keys)
        raise BadInput(f"{folder}: holds another run ({differs}); choose another folder with --out")
    values = dataclasses.asdict(facts)
    values["card"].pop("digests")
    text = json.dumps(values, indent=2, ensure_ascii=False)
    write_whole(folder / "run.json", (text + "\n").encode("utf-8", "backslashreplace"))


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
    values = _fitting(read, INFO_TYPES, INFO_NEEDS, str(file))
    card = card_of(values.pop("card"), f"{file}: card")
    for name in ("identity", "settings", "versions", "prompts"):
        texts = values.get(name, {})
        _fitting(texts, dict.fromkeys(texts, (str,)), (), f"{file}: {name}")
    for name in ("notes", "judge_notes"):
        values[name] = _fitting_all(values.get(name, ()), (str,), f"{file}: {name}")
    return RunInfo(card=card, **values)


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
    for where, row in _rows(folder / "items.jsonl"):
        images = _fitting(row, {"images": (list,)}, ("images",), where)["images"]
        pictures = tuple(_picture(folder, image, where) for image in images)
        item = item_of_row(Row(row, where, pictures))
        if isinstance(item, RowProblem):
            raise BadInput(str(item))
        items.append(item)
    return ItemSet(read_info(folder).card, tuple(items))


class ResponseWriter:
    """`responses.jsonl` of a run, one line a response; it takes its place when all are written.

    Until then, and where the writing fails, the file of an earlier run stays as it was. Raises
    BadInput where the disk is full: what was answered is in the call log, not lost.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "responses.jsonl"
        self._part = folder / ".responses.jsonl.part"
        with self._told():
            self._file: IO[str] = self._part.open("w", encoding="utf-8", errors="backslashreplace")

    def add(self, response: Response) -> None:
        """Append one line."""
        with self._told():
            self._file.write(_encode(_row_of_response(response)) + "\n")

    def __enter__(self) -> ResponseWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._told():
            self._file.close()
            if kind is None or not self._path.exists():
                self._part.replace(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadInput(
                f"{self._path}: cannot be written ({error.strerror}). Everything answered is in "
                "the call log; make room and run the same command again"
            ) from None


def read_responses(folder: Path) -> Iterator[Response]:
    """The responses of a run, in the order in which they came.

    Raises BadInput with file, line and field for a value that is missing or has the wrong type.
    """
    for where, line in _rows(folder / "responses.jsonl"):
        row = _fitting(line, RESPONSE_TYPES, RESPONSE_NEEDS, where)
        usage = _fitting(row.pop("usage", {}), USAGE_TYPES, (), f"{where}: usage")
        failure = row.pop("failure", None)
        if failure is not None:
            needed = tuple(FAILURE_TYPES)
            failure = Failure(**_fitting(failure, FAILURE_TYPES, needed, f"{where}: failure"))
        numbers = (float, int, OR_NULL)
        row["logprobs"] = _fitting_all(row.get("logprobs", ()), numbers, f"{where}: logprobs")
        yield Response(**row, usage=Usage(**usage), failure=failure)


def write_scores(folder: Path, scores: Sequence[Score]) -> None:
    """Write `scores.parquet`. Raises BadInput where the disk is full."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [f.name for f in dataclasses.fields(Score)]
    columns = {name: [_storable(getattr(score, name)) for score in scores] for name in fields}
    schema = pa.schema(
        [(name, pa.float64() if name == "value" else pa.string()) for name in fields]
    )
    data = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), data)
    write_whole(folder / "scores.parquet", data.getvalue())


def read_scores(folder: Path) -> tuple[Score, ...]:
    """Read `scores.parquet`. Raises BadInput where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / "scores.parquet"
    try:
        return tuple(Score(**row) for row in pq.read_table(file).to_pylist())
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


def write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or leave it as it was. Raises BadInput on a full disk."""
    temporary = file.with_name(f".{file.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadInput(
            f"{file}: cannot be written ({error.strerror}); make room or choose another folder"
        ) from None


def _settled(folder: Path, item: Item, digests: dict[Path, str]) -> Item:
    """The item with the absolute path and the digest of each picture; bytes are laid into files."""
    images = []
    for picture in item.images:
        if picture.data is not None:
            digest = hashlib.sha256(picture.data).hexdigest()
            path = folder.resolve() / "images" / digest
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                write_whole(path, picture.data)
            picture = Picture(path, None, picture.name, digest)
        elif picture.path is not None:
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


def _row_of_response(response: Response) -> dict[str, Any]:
    row = {name: getattr(response, name) for name in RESPONSE_FIELDS}
    usage = response.usage
    row["usage"] = {"tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out}
    if response.failure:
        row["failure"] = {"kind": response.failure.kind, "message": response.failure.message}
    return {name: value for name, value in row.items() if value not in (None, ())}


RESPONSE_FIELDS = [
    f.name for f in dataclasses.fields(Response) if f.name not in ("usage", "failure")
]


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not file.is_file():
        raise BadInput(f"{file}: missing; expected a run folder with {file.name}")
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{file}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadInput(f"{where}: not a JSON object ({error}); {AGAIN}") from None
            if not isinstance(row, dict):
                raise BadInput(f"{where}: not a JSON object but {row!r:.80}; {AGAIN}")
            yield where, row


def _fitting(values: Any, types: Types, needed: Sequence[str], where: str) -> dict[str, Any]:
    """The values that `types` knows. Raises BadInput with `where` and the first wrong field."""
    if not isinstance(values, dict):
        raise BadInput(f"{where}: expected a JSON object, not {values!r:.80}")
    missing = [f"{name}: missing" for name in needed if name not in values]
    wrong = missing[0] if missing else misfit(values, types)
    if wrong:
        raise BadInput(f"{where}: {wrong}; {MEND}")
    return {name: value for name, value in values.items() if name in types}


def _fitting_all(values: Sequence[Any], kinds: tuple[type, ...], where: str) -> tuple[Any, ...]:
    named = {str(place): value for place, value in enumerate(values)}
    return tuple(_fitting(named, dict.fromkeys(named, kinds), (), where).values())


def _place(folder: Path, path: Path | None) -> str:
    """Where a photograph lies: from the run folder if it is in it."""
    whole = folder.resolve()
    return str(path.relative_to(whole) if path and path.is_relative_to(whole) else path)


def _picture(folder: Path, image: Any, where: str) -> Picture:
    known = _fitting(image, IMAGE_TYPES, tuple(IMAGE_TYPES), f"{where}: images")
    return Picture(folder.resolve() / known["path"], None, known["name"], known["sha256"])


def _storable(value: object) -> object:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value
