"""Item folders: `metadata.jsonl` + photographs + `card.json`, or Parquet with embedded photographs.

In: a path. Out: an `ItemSet`, checked, or one error that lists every bad line. And back again.
The layout is the one that Hugging Face's `imagefolder` reads, so a folder loads there in one line.
No photograph is decoded here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.json_rows import write_whole
from eyechart.records import Item, Picture
from eyechart.rows import MAX_IMAGES, Row, RowProblem, item_of_row, misfit, row_of_item

MAX_PROBLEMS_SHOWN = 50
MAX_PLACES_SHOWN = 3
CARD_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(["name", "title", "version", "benchmark", "licence", "citation"], (str,)),
    **dict.fromkeys(["description", "cluster", "digest"], (str,)),
    **dict.fromkeys(["seed", "n_items"], (int,)),
    **dict.fromkeys(["counts", "digests"], (dict,)),
    "notes": (list, tuple),
}
Located = tuple[str, Item | RowProblem]
ROWS_FILE = "metadata.jsonl"
ORDINALS = ("", "second_", "third_", "fourth_", "fifth_", "sixth_", "seventh_", "eighth_")


@dataclass(frozen=True, slots=True)
class Card:
    """What a set of items is: the content of `card.json`.

    `benchmark`: the plug-in whose rules score it ("" = the general ones). `cluster`: the facet
    whose items are not independent of each other in intervals ("" = items that share their first
    photograph). `digests`: hex sha256 of each photograph by file name. `digest`: of all rows and
    photographs together. `counts`: items by kind.
    """

    name: str
    title: str = ""
    version: str = ""
    benchmark: str = ""
    licence: str = ""
    citation: str = ""
    description: str = ""
    cluster: str = ""
    seed: int | None = None
    n_items: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digest: str = ""
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ItemSet:
    """Items with the card that describes them."""

    card: Card
    items: tuple[Item, ...]


def read_items(path: Path | str) -> ItemSet:
    """Read an item folder, a Parquet file, or a folder of Parquet files (there or in `data/`).

    Raises BadInput with everything that is wrong (file, line, field, what was expected), in up to
    50 lines.
    """
    path = Path(path)
    rows_file = path / ROWS_FILE
    if rows_file.is_file():
        card = folder_card(path)
        return checked(card, _folder_items(rows_file, card))
    shards = [path] if path.suffix == ".parquet" else _shards(path)
    if path.exists() and shards:
        from eyechart.parquet import parquet_items

        card = read_card(path if path.is_dir() else path.parent, name=path.stem)
        card = dataclasses.replace(card, digest=_digest(shards, card))
        return checked(card, parquet_items(shards))
    raise BadInput(
        f"{path}: no items here. Expected a folder with metadata.jsonl, or Parquet files. "
        "For photographs alone: eyechart run snellen --photos FOLDER"
    )


def folder_card(folder: Path) -> Card:
    """The card of an item folder, with the digest of its rows and photographs.

    Raises BadInput where `card.json` is broken or describes other rows.
    """
    rows_file, card = folder / ROWS_FILE, read_card(folder)
    digest = _digest([rows_file], card)
    if card.digest not in ("", digest):
        raise BadInput(
            f"{rows_file}: differs from what card.json describes (digest {digest[:12]}…, "
            f"expected {card.digest[:12]}…). If you changed it, remove `digest` from card.json "
            "and give it a new version"
        )
    return dataclasses.replace(card, digest=digest)


def _shards(folder: Path) -> list[Path]:
    """The Parquet files of a folder laid out as Hugging Face does; a run's scores are no items."""
    found = sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])
    is_run = (folder / "run.json").is_file()
    return [file for file in found if not (is_run and file == folder / "scores.parquet")]


def write_items(folder: Path, items: Iterable[Item], card: Card) -> Card:
    """Write `metadata.jsonl` and `card.json`; the photographs must already lie under `folder`.

    Returns the card completed with counts and digests. Raises BadInput where a photograph is not
    under `folder`, or an item has more than 8.
    """
    folder = folder.resolve()
    items = tuple(items)
    digests: dict[str, str] = {}
    facets = sorted({name for item in items for name in item.facets})
    n_images = max((len(item.images) for item in items), default=1)
    for item in items:
        if len(item.images) > MAX_IMAGES:
            n = len(item.images)
            raise BadInput(f"item {item.id}: expected at most {MAX_IMAGES} images, not {n}")
    lines = (folder / ROWS_FILE).open("w", encoding="utf-8", errors="backslashreplace")
    with lines as out:
        for item in items:
            names = [_name_under(folder, picture, digests) for picture in item.images]
            row = row_of_item(item, facets)
            padded = names + [None] * (n_images - len(names))
            files = {f"{ORDINALS[i]}file_name": name for i, name in enumerate(padded)}
            out.write(json.dumps({"id": item.id, **files, **row}, ensure_ascii=False) + "\n")
    return _write_card(folder, items, dataclasses.replace(card, digests=digests))


def laid(item: Item, folder: Path) -> Item:
    """The item with every picture that is held in memory laid into a file of `folder`.

    The files are named by their sha256, so that each picture lies there once. Raises BadInput where
    they cannot be written.
    """
    images = []
    for picture in item.images:
        if picture.data is not None:
            digest = hashlib.sha256(picture.data).hexdigest()
            path = folder.resolve() / digest
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, picture.data)
            picture = Picture(path, None, picture.name, digest)
        images.append(picture)
    return dataclasses.replace(item, images=tuple(images))


def sha256_of(file: Path) -> str:
    """The hex sha256 of a file's bytes. Raises OSError where it cannot be read."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def cluster_of(item: Item, card: Card) -> str:
    """The name of the group of items that are not independent of this one.

    >>> cluster_of(Item("1", "rate", "", (Picture(name="a.png"),)), Card("x"))
    'a.png'
    """
    if card.cluster and card.cluster in item.facets:
        return str(item.facets[card.cluster])
    return item.images[0].label if item.images else item.id


def read_card(folder: Path, *, name: str = "") -> Card:
    """The folder's `card.json`; a card with only a name where there is none."""
    file = folder / "card.json"
    if not file.is_file():
        return Card(name or folder.resolve().name)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: not a card ({error}); expected one JSON object") from None
    if not isinstance(values, dict):
        raise BadInput(f"{file}: not a card; expected one JSON object, not {values!r:.80}")
    if values.get("name") is None:
        values["name"] = folder.resolve().name
    return card_of(values, str(file))


def card_of(values: Mapping[str, Any], where: str) -> Card:
    """The card of these values; what is null counts as absent, what is unknown is left out.

    Raises BadInput with `where` and the field for a value of the wrong type, or without a name.
    """
    kept = {key: values[key] for key in CARD_TYPES if values.get(key) is not None}
    notes = kept.setdefault("notes", ())
    wrong = misfit(kept, CARD_TYPES)
    if not wrong and not all(isinstance(note, str) for note in notes):
        wrong = f"notes: expected a list of texts, not {notes!r:.80}"
    if not wrong and "name" not in kept:
        wrong = "name: missing; expected a text"
    if wrong:
        raise BadInput(f"{where}: {wrong}")
    return Card(**{**kept, "notes": tuple(notes)})


def _write_card(folder: Path, items: tuple[Item, ...], card: Card) -> Card:
    counts = dict(Counter[str](item.kind for item in items))
    digest = _digest([folder / ROWS_FILE], card)
    card = dataclasses.replace(card, n_items=len(items), counts=counts, digest=digest)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")
    return card


def _digest(files: Iterable[Path], card: Card) -> str:
    """The sha256 of the rows and of the digests of the photographs."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(bytes.fromhex(sha256_of(file)))
    digest.update(json.dumps(dict(card.digests), sort_keys=True).encode())
    return digest.hexdigest()


def _name_under(folder: Path, picture: Picture, digests: dict[str, str]) -> str:
    if picture.path is None or not picture.path.resolve().is_relative_to(folder):
        raise BadInput(f"{picture.label}: expected a file under {folder}; copy it there first")
    name = picture.path.resolve().relative_to(folder).as_posix()
    if name not in digests:
        digests[name] = picture.sha256 or sha256_of(picture.path)
    return name


def _folder_items(file: Path, card: Card) -> Iterator[Located]:
    folder = file.parent.resolve()
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where = f"{file}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield where, RowProblem(where, "line", f"one JSON object ({error})")
                continue
            yield where, _folder_item(row, where, folder, card)


def _folder_item(row: Any, where: str, folder: Path, card: Card) -> Item | RowProblem:
    if not isinstance(row, dict):
        return RowProblem(where, "line", f"one JSON object, not {type(row).__name__}")
    images: list[Picture] = []
    for column in [c for c in row if c == "file_name" or c.endswith("_file_name")]:
        name = row.pop(column)
        if name is None:
            continue
        if not isinstance(name, str) or not _is_inside(folder, name):
            return RowProblem(where, column, f"a file name inside the item folder, not {name!r}")
        path = folder / name
        images.append(Picture(path=path, name=name, sha256=card.digests.get(name)))
    row.setdefault("id", images[0].name if images else None)
    return item_of_row(Row(row, where, tuple(images)))


def _is_inside(folder: Path, name: str) -> bool:
    """Whether a name leads to a file of the folder, or through a link to one of the hub's cache.

    The cache keeps the files of a data set in `datasets--OWNER--NAME/blobs`, and in `snapshots`
    beside it a folder of links to them for each commit.
    """
    try:
        file = (folder / name).resolve()
        if "\0" in name or file.is_relative_to(folder):
            return "\0" not in name
        leads_down = not Path(name).is_absolute() and ".." not in Path(name).parts
        return leads_down and file.parent == _kept_by_hub(folder)
    except (OSError, ValueError, RuntimeError):  # a name that no file can have; a loop of links
        return False


def _kept_by_hub(folder: Path) -> Path | None:
    """Where the files of a snapshot really are; None where the folder is in none."""
    tops = (top.parent for top in folder.parents if top.name == "snapshots")
    return next((top / "blobs" for top in tops if top.name.startswith("datasets--")), None)


def checked(card: Card, items: Iterable[Located]) -> ItemSet:
    """The items with their card, where all rows are good, no id comes twice, and the counts agree.

    Raises BadInput with everything that is wrong (where, field, what was expected): one line for
    all rows of which the same is wrong, and up to 50 lines.
    """
    good: list[Item] = []
    problems: list[RowProblem] = []
    seen: dict[str, str] = {}
    places: set[str] = set()
    for where, item in items:
        places.add(where)
        if isinstance(item, RowProblem):
            problems.append(item)
        elif item.id in seen:
            expected = f"an id of its own, not {item.id!r}, which {seen[item.id]} has"
            problems.append(RowProblem(where, "id", expected))
        else:
            seen[item.id] = where
            good.append(item)
    problems += miscounts(card, len(places), good)
    if problems or not good:
        raise BadInput(_told(card, problems))
    return ItemSet(dataclasses.replace(card, n_items=len(good)), tuple(good))


def miscounts(card: Card, n_rows: int, good: Sequence[Item]) -> tuple[RowProblem, ...]:
    """Where rows are not as many as their card says: in all; and by kind, where all are `good`."""
    told = []
    if card.n_items and card.n_items != n_rows:
        expected = f"{card.n_items} items as in card.json, not {n_rows}; is the file whole?"
        told.append(RowProblem(card.name, "n_items", expected))
    found = Counter[str](item.kind for item in good)
    compared = [*card.counts, *found] if card.counts and len(good) == n_rows else ()
    for kind in dict.fromkeys(compared):
        if card.counts.get(kind, 0) != found[kind]:
            wanted = f"{card.counts.get(kind, 0)} items of the kind {kind} as in card.json"
            told.append(RowProblem(card.name, "counts", f"{wanted}, not {found[kind]}"))
    return tuple(told)


def _told(card: Card, problems: Sequence[RowProblem]) -> str:
    """The problems in words, what is wrong of several rows in one line."""
    if not problems:
        return f"{card.name}: no items at all; expected at least one row"
    alike: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        alike.setdefault((problem.field, problem.expected), []).append(problem.where)
    lines = [_line(*complaint, places) for complaint, places in alike.items()]
    n_rows = len({problem.where for problem in problems})
    what = f"{n_rows:,} bad row{'s' if n_rows > 1 else ''}"
    if n_rows < len(problems):
        what = f"{len(problems):,} problems"
    shown = "\n".join(f"  {line}" for line in lines[:MAX_PROBLEMS_SHOWN])
    more = len(lines) - MAX_PROBLEMS_SHOWN
    rest = f"\n  … and {more:,} more" if more > 0 else ""
    return f"{what}; mend them and try again:\n{shown}{rest}"


def _line(field: str, expected: str, places: Sequence[str]) -> str:
    if len(places) == 1:
        return str(RowProblem(places[0], field, expected))
    first = ", ".join(places[:MAX_PLACES_SHOWN])
    rest = ", …" if len(places) > MAX_PLACES_SHOWN else ""
    return f"{field}: expected {expected}; in {len(places):,} rows: {first}{rest}"
