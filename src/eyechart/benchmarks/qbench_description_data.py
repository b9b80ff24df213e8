"""What is to be described: images and pairs, with golden texts where the user has them.

In: item folders, Parquet, JSON lists, hub addresses, or a folder of photographs. Out: an `ItemSet`
of the kind `describe`, or one error that lists every bad row. No image is decoded, no golden text
made up.

A JSON list (or JSON lines) has rows of `img_path`, or `img_path1` and `img_path2`, or an `img_path`
that joins two names with `_cat_`; the golden text is in `golden`, `gold`, `description` or
`answer`, and an `id`, a `question` and facets may stand beside it. Images lie in the folder given
with `--photos`, or beside the file, or in its folder `images`.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyechart.benchmarks import Source
from eyechart.benchmarks.qbench_rows import BETWEEN_NAMES, IMAGE_FOLDERS, ROWS_FILE
from eyechart.errors import BadInput
from eyechart.hub import Found, find_data
from eyechart.items import Card, ItemSet, Located, checked, read_items, sha256_of
from eyechart.photographs import folder_photographs
from eyechart.records import Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row

NAME = "qbench-description"
TITLE = "Q-Bench, description (A2)"
VERSION = "1"
CITATION = (
    "Wu et al. 2024, Q-Bench, ICLR, arXiv 2309.14181; pairs: Zhang et al. 2024, Q-Bench+, "
    "arXiv 2402.07116"
)
QUESTION = (
    "Describe the quality, aesthetics and other low-level appearance of the image in details."
)
PAIR_QUESTION = (
    "Compare and jointly analyze the quality, aesthetics and other low-level appearance of the "
    "images in details."
)
N_SINGLE = 499
N_PAIRS = 450
LISTS = (".json", ".jsonl")
PATHS = ("img_path", "img_path1", "img_path2")
GOLDEN = ("golden", "gold", "description", "answer")
NOTHING_GIVEN = (
    f"{NAME}: no images to describe; expected --data with an item folder, a Parquet file or a JSON "
    'list of {"img_path": ..., "golden": ...}, or --photos with a folder of photographs, of which '
    "only relevance can be judged"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a file or folder holds: its card, and its items or problems, each with its place."""

    card: Card
    rows: Sequence[Located]


def items(source: Source) -> ItemSet:
    """Everything that `source.data` names, in its order; else the photographs of `source.path`.

    `source.path` beside data: the folder of the images that JSON lists name. `source.max_photos`:
    only so many items, from the first on. Raises BadInput with every bad row (where, field, what
    was expected), where there is nothing to read, and where the hub cannot give what is asked.
    """
    if source.path is not None and not source.path.is_dir():
        raise BadInput(f"{source.path}: no such folder; expected one of images")
    found = [find_data(entry) for entry in source.data]
    parts = [part for one in found for path in one.paths for part in _parts(path, source.path)]
    if not found and source.path is not None:
        parts = [_photographs(source.path, source.max_photos)]
    if not parts:
        raise BadInput(NOTHING_GIVEN)
    rows = itertools.chain.from_iterable(part.rows for part in parts)
    read = checked(Card(NAME), itertools.islice(rows, source.max_photos))
    return ItemSet(_card(found, [part.card for part in parts], read.items), read.items)


def _parts(path: Path, photos: Path | None) -> list[_Part]:
    lists = _lists(path)
    if lists:
        return [_listed(file, photos) for file in lists]
    item_set = read_items(path)
    return [_Part(item_set.card, [_to_describe(item, path) for item in item_set.items])]


def _lists(path: Path) -> list[Path]:
    """The JSON lists that a path stands for; none for item folders and Parquet."""
    if path.is_file():
        return [path] if path.suffix in LISTS else []
    if (path / ROWS_FILE).is_file() or any(path.rglob("*.parquet")):
        return []
    return sorted(file for file in path.glob("*.json*") if file.suffix in LISTS)


def _to_describe(item: Item, path: Path) -> Located:
    """The item of a folder or Parquet file, or why it is none to describe."""
    where = f"{path} (item {item.id})"
    if item.kind != "describe":
        return where, RowProblem(where, "kind", f"describe, not {item.kind}")
    if len(item.images) not in (1, 2):
        return where, RowProblem(where, "images", f"one or two, not {len(item.images)}")
    if isinstance(item.answer, str) and not item.answer.strip():
        return where, RowProblem(where, "answer", "a golden text, or null for none")
    return where, item


# --- JSON lists ---------------------------------------------------------------------------------


def _listed(file: Path, photos: Path | None) -> _Part:
    folders = [top / name for top in (photos, file.parent) if top for name in IMAGE_FOLDERS]
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(data)
    rows = [(where, _row_item(row, where, folders)) for where, row in _rows(file, data)]
    for _, item in rows:
        if isinstance(item, Item):
            digest.update("".join(picture.sha256 or "" for picture in item.images).encode())
    return _Part(Card(file.stem, digest=digest.hexdigest()), rows)


def _rows(file: Path, data: bytes) -> Iterator[tuple[str, Any]]:
    """Where each row stands, with its value. Raises BadInput where the file is no list at all."""
    if file.suffix == ".jsonl":
        for number, line in enumerate(data.splitlines(), start=1):
            if line.strip():
                yield f"{file}:{number}", _line(line)
        return
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: not JSON ({error}); expected a list of rows") from None
    if not isinstance(rows, list):
        raise BadInput(f"{file}: expected a list of rows, not {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        yield f"{file}: row {number}", row


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line.decode("utf-8", "replace")


def _row_item(row: Any, where: str, folders: Sequence[Path]) -> Item | RowProblem:
    if not isinstance(row, dict):
        return RowProblem(where, "row", f"one JSON object, not {row!r:.80}")
    values = {key: value for key, value in row.items() if value is not None}
    names = {column: values.pop(column) for column in PATHS if column in values}
    pictures = _pictures(names, where, folders)
    if isinstance(pictures, RowProblem):
        return pictures
    golden = [column for column in GOLDEN if column in values]
    if len(golden) > 1:
        return RowProblem(where, golden[1], f"one golden text, not another beside {golden[0]}")
    for column in golden:
        text = values.pop(column)
        if not isinstance(text, str) or not text.strip():
            return RowProblem(where, column, f"a text, or null for none, not {text!r:.80}")
        values["answer"] = text
    values["kind"] = "describe"
    values.setdefault("id", BETWEEN_NAMES.join(picture.label for picture in pictures))
    values.setdefault("question", QUESTION if len(pictures) == 1 else PAIR_QUESTION)
    return item_of_row(Row(values, where, pictures))


def _pictures(
    names: dict[str, Any], where: str, folders: Sequence[Path]
) -> tuple[Picture, ...] | RowProblem:
    """The one or two images that a row names."""
    if set(names) not in ({"img_path"}, {"img_path1", "img_path2"}):
        told = f"that alone, or img_path1 and img_path2; it has {' and '.join(names) or 'nothing'}"
        return RowProblem(where, "img_path", told)
    found: list[Picture] = []
    for column, name in names.items():
        if not isinstance(name, str) or not name.strip():
            return RowProblem(where, column, f"a file name, not {name!r:.80}")
        for part in _parted(column, name.replace("\\", "/"), folders):
            picture = _picture(part, folders)
            if picture is None:
                return RowProblem(where, column, _expected(part))
            found.append(picture)
    if len(found) > 2:
        return RowProblem(where, "img_path", f"one or two images, not {len(found)}")
    return tuple(found)


def _expected(name: str) -> str:
    return (
        f"an image that is there, not {name!r:.200}; unpack the images into `images` beside the "
        "file, or give their folder with --photos"
    )


def _parted(column: str, name: str, folders: Sequence[Path]) -> list[str]:
    """The names that a name joins; a file may well be called `black_cat_1.jpg` and is one image."""
    if column != "img_path" or BETWEEN_NAMES not in name or _picture(name, folders):
        return [name]
    folder, slash, last = name.rpartition("/")
    return [f"{folder}{slash}{part}" for part in last.split(BETWEEN_NAMES)]


def _picture(name: str, folders: Sequence[Path]) -> Picture | None:
    """The image of this name in one of the folders; None where none can be read.

    Joined names stand behind a folder that is none of theirs, and end in `.jpg.jpg`.
    """
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        return None
    names = [name, path.name, *([path.stem] if Path(path.stem).suffix == path.suffix else [])]
    for folder, each in itertools.product(folders, dict.fromkeys(names)):
        with contextlib.suppress(OSError, ValueError):  # no such file, or a name that none can have
            return Picture(path=folder / each, name=each, sha256=sha256_of(folder / each))
    return None


# --- photographs, and all together --------------------------------------------------------------


def _photographs(folder: Path, most: int | None) -> _Part:
    """Every photograph of a folder, without a golden text."""
    digest = hashlib.sha256()
    rows: list[Located] = []
    for photo in folder_photographs(folder)[:most]:
        sha256 = photo.sha256()
        digest.update(f"{photo.name}/{sha256}".encode())
        picture = Picture(path=photo.path, name=photo.name, sha256=sha256)
        rows.append((str(photo.path), Item(photo.name, "describe", QUESTION, (picture,))))
    return _Part(Card(folder.resolve().name, digest=digest.hexdigest()), rows)


def _card(found: Sequence[Found], cards: Sequence[Card], read: Sequence[Item]) -> Card:
    """One card for everything that was read."""
    commits = [f"{one.name} at {one.commit[:12]}" for one in found if one.commit]
    parts = "/".join([*(card.digest for card in cards), str(len(read))])
    clusters = {card.cluster for card in cards}
    licences = dict.fromkeys(card.licence for card in cards if card.licence)
    told = [note for one in found for note in one.notes]
    told += [note for card in cards for note in card.notes]
    return Card(
        NAME,
        title=TITLE,
        version=", ".join([VERSION, *commits]),
        benchmark=NAME,
        licence="; ".join(licences) or "the images' own",
        citation=CITATION,
        description=f"Made from {', '.join(card.title or card.name for card in cards)}.",
        cluster=clusters.pop() if len(clusters) == 1 else "",
        n_items=len(read),
        counts={"describe": len(read)},
        notes=(*told, *_notes(read)),
        digest=hashlib.sha256(parts.encode()).hexdigest(),
    )


def _notes(read: Sequence[Item]) -> Iterator[str]:
    """Where the items differ from Q-Bench's, and what cannot be judged of them."""
    n_pairs = sum(len(item.images) > 1 for item in read)
    for n, published, what in (
        (len(read) - n_pairs, N_SINGLE, "single images"),
        (n_pairs, N_PAIRS, "pairs"),
    ):
        if n and n != published:
            yield f"Q-Bench describes {published} {what}; these are {n}."
    withheld = sum(item.answer is None for item in read)
    if withheld:
        which = "No item has" if withheld == len(read) else f"{withheld} of {len(read)} items lack"
        yield (
            f"{which} a golden text, and only relevance is judged there. Q-Bench's golden texts "
            "were never released: bring your own as `golden` in a JSON list, or as `answer` in an "
            "item folder."
        )
