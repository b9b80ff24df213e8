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

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eyechart.benchmarks import Source
from eyechart.benchmarks.qbench_rows import ROWS_FILE
from eyechart.errors import BadInput
from eyechart.hub import Found, find_data
from eyechart.items import Card, ItemSet, Located, checked, read_items, sha256_of
from eyechart.listed_records import (
    BETWEEN_NAMES,
    BadField,
    Record,
    image_folders,
    picture_named,
    pictures_named,
    records_in,
)
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
    folders = image_folders(file, photos)
    rows = [(where, _row_item(record, where, folders)) for where, record in records_in(file)]
    digest = hashlib.sha256(file.read_bytes())
    for _, item in rows:
        if isinstance(item, Item):
            digest.update("".join(picture.sha256 or "" for picture in item.images).encode())
    return _Part(Card(file.stem, digest=digest.hexdigest()), rows)


def _row_item(
    record: Record | RowProblem, where: str, folders: Sequence[Path]
) -> Item | RowProblem:
    if isinstance(record, RowProblem):
        return record
    values = {column: value for column, value in record.items() if value is not None}
    try:
        pictures = _pictures(values, folders)
        answer = _golden(values)
    except BadField as bad:
        return RowProblem(where, bad.field, bad.expected)
    values = {column: value for column, value in values.items() if column not in PATHS + GOLDEN}
    own = {
        "id": BETWEEN_NAMES.join(picture.label for picture in pictures),
        "question": QUESTION if len(pictures) == 1 else PAIR_QUESTION,
    }
    return item_of_row(
        Row({**own, **values, "kind": "describe", "answer": answer}, where, pictures)
    )


def _pictures(values: Record, folders: Sequence[Path]) -> tuple[Picture, ...]:
    """The one or two images that a record names, with their digests."""
    names = {column: values[column] for column in PATHS if column in values}
    if set(names) not in ({"img_path"}, {"img_path1", "img_path2"}):
        told = f"that alone, or img_path1 and img_path2; it has {' and '.join(names) or 'nothing'}"
        raise BadField("img_path", told)
    if "img_path" in names:
        found = pictures_named(names["img_path"], folders)
    else:
        found = tuple(picture_named(name, folders, field=field) for field, name in names.items())
    return tuple(_digested(picture) for picture in found)


def _digested(picture: Picture) -> Picture:
    try:
        return replace(picture, sha256=sha256_of(picture.path) if picture.path else None)
    except OSError as error:
        told = f"an image that can be read, not {picture.label!r:.200} ({error.strerror})"
        raise BadField("img_path", told) from None


def _golden(values: Record) -> str | None:
    """The golden text of a record; None where it has none."""
    columns = [column for column in GOLDEN if column in values]
    if len(columns) > 1:
        raise BadField(columns[1], f"one golden text, not another beside {columns[0]}")
    for column in columns:
        text = values[column]
        if not isinstance(text, str) or not text.strip():
            raise BadField(column, f"a text, or null for none, not {text!r:.80}")
        return text
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
        notes=tuple(told),
        digest=hashlib.sha256(parts.encode()).hexdigest(),
    )
