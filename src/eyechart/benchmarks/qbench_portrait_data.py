"""Q-Bench-Portrait's data in the forms that a user may have them in, since they are not public.

In: item folders, JSON lists, JSON lines, Parquet files or hub addresses, and a map of their columns
where need be; or items that were read as they are. Out: an `ItemSet`, or one error with everything
that is wrong with all of it. No image is decoded; one is read where another file is as long, to
learn whether two are the same.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eyechart.benchmarks import Source
from eyechart.benchmarks.qbench_portrait_rows import (
    EXPECTED,
    NAMES,
    NEEDED,
    PortraitRow,
    missing,
    portrait_row,
)
from eyechart.column_map import ColumnMap
from eyechart.errors import BadInput
from eyechart.hub import Found, find_data
from eyechart.items import (
    ROWS_FILE,
    Card,
    ItemSet,
    Located,
    checked,
    folder_card,
    laid,
    miscounts,
    read_card,
    sha256_of,
)
from eyechart.listed_records import image_folders, records_in
from eyechart.records import Item, Picture
from eyechart.rows import Row, RowProblem, row_of_item

NAME = "qbench-portrait"
TITLE = "Q-Bench-Portrait"
VERSION = "1"
LICENCE = "see the data set's page: not public yet"
CITATION = (
    "Wu, Li, Zhang, Jia, Li, Duan, Min, Zhai 2026, Q-Bench-Portrait: Benchmarking Multimodal Large "
    "Language Models on Portrait Image Quality Perception, arXiv 2601.18346"
)
PICTURES = "pictures"
NOT_THERE = "an image that is there"
LISTS = (".json", ".jsonl")
TABLE = ".parquet"
NOTHING_GIVEN = (
    f"{NAME}: the data set is not public, so there is no default. Give yours with --data FILE, "
    "FOLDER or address on the hub: an item folder (what Eyechart's own builder writes), a JSON "
    "list, JSON lines or Parquet; and with --columns map.toml what its columns are called, where "
    "they have names of their own"
)


def items(source: Source) -> ItemSet:
    """The questions of everything in `source.data`, in its order.

    `source.path`: a folder of images that rows name. `source.columns`: a map of the columns.
    `source.max_photos`: only so many questions, from the first on. Raises BadInput with everything
    that is wrong with all rows, for a file in no known form or named twice, without data, and where
    the hub cannot give what is asked.
    """
    if not source.data:
        raise BadInput(NOTHING_GIVEN)
    if source.path is not None and not source.path.is_dir():
        raise BadInput(f"{source.path}: no such folder; expected the images that questions name")
    columns = ColumnMap.read(source.columns, NAMES) if source.columns else None
    found = [find_data(entry) for entry in source.data]
    parts = [_part(path, source.path) for one in found for path in one.paths]
    _refuse_twice(parts)
    reading = _Reading(source.workspace / PICTURES, columns)
    for part in parts:
        reading.read(part, source.max_photos)
    cards = [part.card for part in parts]
    digests = [card.digest for card in cards]
    digests += [sha256_of(columns.path)] if columns else []
    read = checked(Card(NAME, digest=_joined(digests)), reading.located())
    card = _completed(read, found, cards)
    unread = f"Columns that are not read: {', '.join(reading.unread)}." if reading.unread else ""
    is_whole = source.max_photos is None
    unmet = columns.unmet(reading.met) if columns and is_whole else ""
    return ItemSet(replace(card, notes=(*card.notes, *filter(None, (unread, unmet)))), read.items)


def check(item_set: ItemSet) -> None:
    """See that items are as the paper has them, which no reading has made so.

    Raises BadInput with everything that is wrong with all of them: what rows are refused for, and
    facets that are only spelt otherwise.
    """
    card = item_set.card
    good: list[Located] = []
    problems: list[RowProblem] = []
    by_size: dict[int, list[tuple[str, Picture]]] = {}
    for item in item_set.items:
        row = Row({"id": item.id, **row_of_item(item)}, card.name, item.images)
        read = portrait_row(row)
        wrong = [*read.problems, *_misspelt(item, read)]
        if read.picture is not None:
            try:
                kept, size = _without_bytes(read.picture)
                by_size.setdefault(size, []).append((read.where, kept))
            except OSError as error:
                told = f"{NOT_THERE}, not {read.picture.label!r} ({error.strerror})"
                wrong.append(RowProblem(read.where, "image", told))
        problems += wrong
        good += [] if wrong else [(read.where, item)]
    told_of = [*_repeated(by_size), *problems]
    checked(card, [*((problem.where, problem) for problem in told_of), *good])


def _misspelt(item: Item, read: PortraitRow) -> Iterator[RowProblem]:
    """The facets that a reading of the item finds, and the item itself has not."""
    for name, value in read.facets.items():
        if item.facets.get(name) != value:
            told = f"{value!r}, not {item.facets.get(name)!r}"
            what = f"{told}; other spellings are read by: eyechart run {NAME} --data FOLDER"
            yield RowProblem(read.where, name, what)


def _completed(read: ItemSet, found: Sequence[Found], cards: Sequence[Card]) -> Card:
    """The card of everything that was read. `cards`: those of its parts."""
    commits = [f"{one.name} at {one.commit[:12]}" for one in found if one.commit]
    licences = dict.fromkeys([*(c.licence for c in cards), *(i.licence for i in read.items)])
    notes = [note for one in found for note in one.notes]
    notes += [note for card in cards for note in card.notes]
    return replace(
        read.card,
        title=TITLE,
        version=", ".join([VERSION, *commits]),
        benchmark=NAME,
        licence="; ".join(filter(None, licences)) or LICENCE,
        citation=CITATION,
        description=f"Made from {', '.join(card.title or card.name for card in cards)}.",
        counts=dict(Counter[str](item.kind for item in read.items)),
        notes=tuple(notes),
    )


def _joined(digests: Sequence[str]) -> str:
    return hashlib.sha256("/".join(digests).encode()).hexdigest()


# --- files --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """The files of rows that a path stands for. `card`: its folder's, with the digest of them all.

    `places`: where the images lie that rows name, for each file. `is_ours`: it is an item folder,
    whose further columns are facets.
    """

    places: Mapping[Path, tuple[Path, ...]]
    card: Card
    is_ours: bool = False

    def names(self) -> Iterator[str]:
        """The columns of its tables, those of embedded images among them."""
        for file in self.places:
            if file.suffix == TABLE:
                from eyechart.parquet import parquet_columns

                yield from parquet_columns(file)

    def rows(self) -> Iterator[tuple[Row | RowProblem, tuple[Path, ...]]]:
        """The rows as they stand, embedded images apart from their values, with their places."""
        for file, places in self.places.items():
            if file.suffix == TABLE:
                from eyechart.parquet import parquet_rows

                yield from ((row, places) for row in parquet_rows([file]))
                continue
            for where, record in records_in(file):
                yield (record if isinstance(record, RowProblem) else Row(record, where)), places


def _part(path: Path, photos: Path | None) -> _Part:
    """What a path stands for. Raises BadInput where that is no questions."""
    folder = path if path.is_dir() else path.parent
    rows_file = folder / ROWS_FILE
    if path in (folder, rows_file) and rows_file.is_file():
        places = (*filter(None, [photos]), folder)
        return _Part({rows_file: places}, folder_card(folder), is_ours=True)
    files = _files(path)
    if not files or any(file.suffix not in (*LISTS, TABLE) for file in files):
        raise BadInput(
            f"{path}: no questions here; expected an item folder (with {ROWS_FILE}), a JSON list, "
            "JSON lines or Parquet files"
        )
    card = read_card(folder) if path.is_dir() else Card(path.stem)
    card = replace(card, digest=_joined([sha256_of(file) for file in files]))
    return _Part({file: image_folders(file, photos) for file in files}, card)


def _files(path: Path) -> list[Path]:
    """The files of rows: a file itself, a folder's Parquet files, or else its JSON lists."""
    if path.is_file():
        return [path]
    lists = [file for file in path.glob("*.json*") if file.suffix in LISTS]
    return sorted(path.rglob(f"*{TABLE}")) or sorted(f for f in lists if f.name != "card.json")


def _refuse_twice(parts: Sequence[_Part]) -> None:
    """Raise BadInput where a file of rows is in two parts, by itself or in its folder."""
    seen: set[Path] = set()
    for part in parts:
        files = {file.resolve(): file for file in part.places}
        for file in (file for place, file in files.items() if place in seen):
            raise BadInput(f"{file}: named twice; expected every file of questions once in --data")
        seen |= files.keys()


# --- all rows together --------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """What has been read so far. `pictures`: the folder where embedded images are laid.

    `items`, `problems`: of all rows, in their order. `names`: every column that there is. `unread`:
    those left out. `met`: the lines of values of the map that some row has. `by_id`: where the
    first row of each id stands. `by_size`: images by their length in bytes.
    """

    pictures: Path
    columns: ColumnMap | None
    items: list[tuple[str, Item]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    n_rows: int = 0
    names: dict[str, None] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    met: set[tuple[str, str]] = field(default_factory=set)
    by_id: dict[str, str] = field(default_factory=dict)
    by_size: dict[int, list[tuple[str, Picture]]] = field(default_factory=dict)

    def read(self, part: _Part, most: int | None) -> None:
        """Read a part's rows, until there are `most` in all."""
        left = None if most is None else most - self.n_rows
        n_items, n_rows = len(self.items), self.n_rows
        self.names.update(dict.fromkeys(part.names()))
        for row, places in itertools.islice(part.rows(), left):
            self.n_rows += 1
            if isinstance(row, RowProblem):
                self.problems.append(row)
            else:
                self._add(row, places, part)
        if most is None:
            good = [item for _, item in self.items[n_items:]]
            self.problems += miscounts(part.card, self.n_rows - n_rows, good)

    def _add(self, row: Row, places: tuple[Path, ...], part: _Part) -> None:
        self.names.update(dict.fromkeys(row.values))
        if self.columns:
            self.met.update(self.columns.met(row.values))
        values = self.columns.applied(row.values) if self.columns else row.values
        row = Row(values, row.where, row.images)
        read = portrait_row(row, places, with_others=part.is_ours)
        self.unread.update(dict.fromkeys(() if part.is_ours else read.others))
        problems = [*read.problems, *self._taken(read)]
        self.problems += problems
        picture = read.picture
        if read.item is not None and not problems:
            item = _with_digest(laid(read.item, self.pictures), part.card)
            self.items.append((row.where, item))
            picture = item.images[0]
        if picture is not None:
            kept, size = _without_bytes(picture)
            self.by_size.setdefault(size, []).append((read.where, kept))

    def _taken(self, read: PortraitRow) -> Iterator[RowProblem]:
        """That another row has this id."""
        if read.name in self.by_id:
            expected = f"an id of its own, not {read.name!r}, which {self.by_id[read.name]} has"
            yield RowProblem(read.where, "id", expected)
        elif read.name:
            self.by_id[read.name] = read.where

    def located(self) -> list[Located]:
        """Every item with its place, and every problem, those of all rows alike told but once."""
        told = list(self.columns.misses(self.names) if self.columns else ())
        problems = self.problems
        for wanting in (*map(_Lacking, NEEDED), _Lacking("image", NOT_THERE)):
            alike = [problem for problem in problems if wanting.is_this(problem)]
            if len(alike) == self.n_rows > 1:
                expected = self._of_all(alike[0], listed=bool(told))
                told.append(RowProblem(NAME, wanting.column, expected))
                problems = [problem for problem in problems if not wanting.is_this(problem)]
        told += [*_repeated(self.by_size), *problems]
        return [*((problem.where, problem) for problem in told), *self.items]

    def _of_all(self, problem: RowProblem, *, listed: bool) -> str:
        """What is expected where every row has this problem; `listed`: the columns are told."""
        if problem.expected.startswith(NOT_THERE):
            return f"{problem.expected}; no image of the {self.n_rows:,} rows is there"
        told = f"{EXPECTED[problem.field]}; no row has it"
        line = f'{problem.field} = "its name"'
        if listed:
            return f"{told}; if one of the columns is it: {line}"
        there = ", ".join(self.names) or "nothing"
        how = "say so with --columns map.toml, under [columns]"
        return f"{told}. The columns are {there}: if one of them is it, {how}: {line}"


@dataclass(frozen=True, slots=True)
class _Lacking:
    """That a row has nothing in a column, or what else its problem there begins with."""

    column: str
    expected: str = ""

    def is_this(self, problem: RowProblem) -> bool:
        """Whether a problem is this one."""
        begins = self.expected or missing(self.column)
        return problem.field == self.column and problem.expected.startswith(begins)


def _with_digest(item: Item, card: Card) -> Item:
    """The item with its image's digest where the card knows it."""
    (picture,) = item.images
    digest = picture.sha256 or card.digests.get(picture.name)
    return replace(item, images=(replace(picture, sha256=digest),))


def _without_bytes(picture: Picture) -> tuple[Picture, int]:
    """The picture with its digest in place of its bytes, and how many they are."""
    if picture.data is None:
        return picture, picture.path.stat().st_size if picture.path else 0
    digest = hashlib.sha256(picture.data).hexdigest()
    return Picture(name=picture.name, sha256=digest), len(picture.data)


def _repeated(by_size: Mapping[int, Sequence[tuple[str, Picture]]]) -> Iterator[RowProblem]:
    """Every image that an earlier row has, under its name or another."""
    for alike in by_size.values():
        first: dict[str, tuple[str, str]] = {}
        for where, picture in alike if len(alike) > 1 else ():
            try:
                digest = picture.sha256 or (sha256_of(picture.path) if picture.path else "")
            except OSError as error:
                told = f"an image that can be read, not {picture.label!r} ({error.strerror})"
                yield RowProblem(where, "image", told)
                continue
            if digest in first:
                before, name = first[digest]
                what = "" if name == picture.label else f", as {name!r}"
                expected = f"an image of its own, not {picture.label!r}, which {before} has{what}"
                yield RowProblem(where, "image", expected)
            first.setdefault(digest, (where, picture.label))
