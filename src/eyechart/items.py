"""Item folders: `metadata.jsonl` + photographs + `card.json`, or Parquet with embedded photographs.

In: a path. Out: an `ItemSet`, checked, or one error that lists every bad line. And back again.
The layout is the one that Hugging Face's `imagefolder` reads, so a folder loads there in one line.
No photograph is decoded here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.records import Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row, row_of_item

MAX_PROBLEMS_SHOWN = 20
CARD_TYPES: Mapping[str, type] = {
    **dict.fromkeys(["name", "title", "version", "benchmark", "licence", "citation"], str),
    **dict.fromkeys(["description", "cluster", "digest"], str),
    **dict.fromkeys(["seed", "n_items"], int),
    **dict.fromkeys(["counts", "digests"], dict),
    "notes": list,
}
Located = tuple[str, Item | RowProblem]
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
    """Read an item folder, a Parquet file, or a folder of Parquet files.

    Raises BadInput with every bad line (file, line, field, what was expected), up to 20 of them.
    """
    path = Path(path)
    rows_file = path / "metadata.jsonl"
    if rows_file.is_file():
        card = read_card(path)
        digest = _digest([rows_file], card)
        if card.digest not in ("", digest):
            raise BadInput(
                f"{rows_file}: differs from what card.json describes (digest {digest[:12]}…, "
                f"expected {card.digest[:12]}…). If you changed it, remove `digest` from card.json "
                "and give it a new version"
            )
        return _checked(dataclasses.replace(card, digest=digest), _folder_items(rows_file, card))
    shards = [path] if path.suffix == ".parquet" else sorted(path.glob("**/*.parquet"))
    if path.exists() and shards:
        from eyechart.parquet import parquet_items

        card = read_card(path if path.is_dir() else path.parent, name=path.stem)
        card = dataclasses.replace(card, digest=_digest(shards, card))
        return _checked(card, parquet_items(shards))
    raise BadInput(
        f"{path}: no items here. Expected a folder with metadata.jsonl, or Parquet files. "
        "For photographs alone: eyechart run snellen --photos FOLDER"
    )


def write_items(folder: Path, items: Iterable[Item], card: Card) -> Card:
    """Write `metadata.jsonl` and `card.json`; the photographs must already lie under `folder`.

    Returns the card completed with counts and digests. Raises BadInput where a photograph is not
    under `folder`.
    """
    folder = folder.resolve()
    items = tuple(items)
    digests: dict[str, str] = {}
    facets = sorted({name for item in items for name in item.facets})
    n_images = max((len(item.images) for item in items), default=1)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as out:
        for item in items:
            names = [_name_under(folder, picture, digests) for picture in item.images]
            row = row_of_item(item, facets)
            padded = names + [None] * (n_images - len(names))
            files = {f"{ORDINALS[i]}file_name": name for i, name in enumerate(padded)}
            out.write(json.dumps({"id": item.id, **files, **row}, ensure_ascii=False) + "\n")
    return _write_card(folder, items, dataclasses.replace(card, digests=digests))


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
        given = {key: value for key, value in values.items() if value is not None}
    except (ValueError, AttributeError, RecursionError) as error:
        raise BadInput(f"{file}: not a card ({error}); expected one JSON object") from None
    kept = {key: value for key, value in given.items() if key in CARD_TYPES}
    for key, value in kept.items():
        if not isinstance(value, CARD_TYPES[key]):
            expected = CARD_TYPES[key].__name__
            raise BadInput(f"{file}: {key}: expected {expected}, not {value!r}")
    return Card(**{"name": folder.resolve().name, **kept, "notes": tuple(kept.get("notes", ()))})


def _write_card(folder: Path, items: tuple[Item, ...], card: Card) -> Card:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    digest = _digest([folder / "metadata.jsonl"], card)
    card = dataclasses.replace(card, n_items=len(items), counts=counts, digest=digest)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")
    return card


def _digest(files: Iterable[Path], card: Card) -> str:
    """The sha256 of the rows and of the digests of the photographs."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as data:
            digest.update(hashlib.file_digest(data, "sha256").digest())
    digest.update(json.dumps(dict(card.digests), sort_keys=True).encode())
    return digest.hexdigest()


def _name_under(folder: Path, picture: Picture, digests: dict[str, str]) -> str:
    if picture.path is None or not picture.path.resolve().is_relative_to(folder):
        raise BadInput(f"{picture.label}: expected a file under {folder}; copy it there first")
    name = picture.path.resolve().relative_to(folder).as_posix()
    if name not in digests:
        digests[name] = picture.sha256 or hashlib.sha256(picture.path.read_bytes()).hexdigest()
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
    return "\0" not in name and (folder / name).resolve().is_relative_to(folder)


def _checked(card: Card, items: Iterable[Located]) -> ItemSet:
    good: list[Item] = []
    problems: list[RowProblem] = []
    seen: dict[str, str] = {}
    for where, item in items:
        if isinstance(item, RowProblem):
            problems.append(item)
        elif item.id in seen:
            expected = f"an id of its own, not {item.id!r}, which {seen[item.id]} has"
            problems.append(RowProblem(where, "id", expected))
        else:
            seen[item.id] = where
            good.append(item)
    if card.n_items and card.n_items != len(good) and not problems:
        expected = f"{card.n_items} items as in card.json, not {len(good)}; is the file whole?"
        problems.append(RowProblem(card.name, "n_items", expected))
    if problems or not good:
        raise BadInput(_told(card, problems))
    return ItemSet(dataclasses.replace(card, n_items=len(good)), tuple(good))


def _told(card: Card, problems: list[RowProblem]) -> str:
    if not problems:
        return f"{card.name}: no items at all; expected at least one row"
    shown = "\n".join(f"  {problem}" for problem in problems[:MAX_PROBLEMS_SHOWN])
    more = len(problems) - MAX_PROBLEMS_SHOWN
    rest = f"\n  … and {more} more" if more > 0 else ""
    return f"{len(problems)} bad rows; mend them and try again:\n{shown}{rest}"
