"""Databases as people bring them: a list of images with MOS and the images beside it.

In: what a person named, `FILE.json`, `FILE.csv` or an item folder, each also as `NAME=PATH`, and
where the images lie. Out: a `RatedDatabase` of `rate` items, every row checked, or one error that
lists the bad ones. Opens no image.

A `card.json` beside a list may hold `title`, `licence`, `mos_low` and `mos_high`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyechart.assessment.databases import (
    Database,
    half_name,
    named,
    reference_of,
)
from eyechart.assessment.mos_files import SUFFIXES, RatedRow, number_of, read_rated
from eyechart.errors import BadInput
from eyechart.hub import hub_address
from eyechart.items import Card, Located, checked, read_card, read_items, sha256_of
from eyechart.records import FacetValue, Item, Picture
from eyechart.rows import RATE_QUESTION, RowProblem

EXAMPLE = (
    "eyechart run qbench-assessment --model MODEL --data koniq=koniq.json --photos koniq/1024x768"
)


@dataclass(frozen=True, slots=True)
class RatedDatabase:
    """One database's items, with what its card says.

    `digest`: of the list, hex sha256. `notes`: what a reader must know of how it was read.
    """

    database: Database
    items: tuple[Item, ...]
    title: str
    licence: str
    digest: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """The lowest and highest MOS, None where nobody says; `source` says who does."""

    low: float | None
    high: float | None
    source: str

    def misses(self, mos: float) -> bool:
        """Whether a score cannot be of this scale."""
        below = self.low is not None and mos < self.low
        return below or (self.high is not None and mos > self.high)

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "a number"
        least = "" if self.low is None else f" from {self.low:g}"
        most = "" if self.high is None else f" up to {self.high:g}"
        return f"a number{least}{most} ({self.source})"


@dataclass(frozen=True, slots=True)
class _Place:
    """A list's database, the folders where its images may lie, and its scale."""

    database: Database
    folders: tuple[Path, ...]
    scale: _Scale


def read_databases(
    data: Sequence[str], photos: Path | None = None, *, most: int | None = None
) -> list[RatedDatabase]:
    """The databases that texts name, in their order.

    `photos`: where images lie that do not lie beside their list, in `images/` there, or, of several
    databases, in a folder of the database's or the list's name. `most`: only so many rows, of all
    databases together, from the first on; None for all.
    Raises BadInput where nothing is named, a list cannot be read, a database is named twice, or
    rows are bad: file, row and field of up to 20 of them.
    """
    if not data:
        raise BadInput(
            "qbench-assessment has no photographs of its own: name a list of images with people's "
            f"scores (JSON, CSV or an item folder) with --data, e.g. {EXAMPLE}"
        )
    found: dict[str, RatedDatabase] = {}
    for text in data:
        n_left = None if most is None else most - sum(len(one.items) for one in found.values())
        if found and n_left == 0:
            break
        one = _read(text, photos, most=n_left)
        if one.database.name in found:
            raise BadInput(
                f"--data {text}: {one.database.name} is named twice; expected each database once. "
                "Give one of them a name of its own: NAME=PATH"
            )
        found[one.database.name] = one
    return list(found.values())


def _read(text: str, photos: Path | None, *, most: int | None) -> RatedDatabase:
    name, sign, place = text.partition("=")
    if Path(text).exists() or not sign:
        name, place = "", text
    path = Path(place)
    if not path.exists():
        on_hub = hub_address(place) is not None
        aside = "; databases are not read from the hub: fetch it, and name its list" * on_hub
        raise BadInput(
            f"--data {text}: there is no {place}{aside}; expected FILE.json, FILE.csv or an "
            "item folder, or NAME=PATH"
        )
    if path.is_dir() or path.suffix == ".parquet":
        return _from_items(named(name or path.stem), path, most=most)
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"--data {text}: expected FILE.json, FILE.csv or an item folder")
    return _from_list(named(name or path.stem), path, photos, most=most)


def _from_list(
    database: Database, file: Path, photos: Path | None, *, most: int | None
) -> RatedDatabase:
    beside = (file.parent, file.parent / "images")
    own = () if photos is None else (photos / database.name, photos / file.stem, photos)
    card = read_card(file.parent)
    place = _Place(database, (*own, *beside), _scale(database, file.parent))
    rows = itertools.islice(_items_of(place, read_rated(file), card.licence), most)
    return RatedDatabase(
        database=database,
        items=checked(Card(str(file)), rows).items,
        title=card.title or database.name,
        licence=card.licence,
        digest=sha256_of(file),
        notes=(),
    )


def _from_items(database: Database, path: Path, *, most: int | None) -> RatedDatabase:
    item_set = read_items(path)
    card = item_set.card
    scale = _scale(database, path if path.is_dir() else path.parent)
    to_rate = [item for item in item_set.items if item.kind == "rate"]
    wanted = [(at, item) for at, item in enumerate(to_rate) if item.mos is not None]
    if not wanted:
        raise BadInput(f"{path}: no item is to be rated and has people's score (mos)")
    n_left = len(item_set.items) - len(wanted)
    left = f"{database.name}: {n_left:,} items that are not rated photographs are left out."
    rows = (_of_item(database, item, at, scale=scale, path=path) for at, item in wanted)
    return RatedDatabase(
        database=database,
        items=checked(Card(str(path)), itertools.islice(rows, most)).items,
        title=card.title or database.name,
        licence=card.licence,
        digest=card.digest,
        notes=(left,) if n_left else (),
    )


def _items_of(place: _Place, rows: Sequence[RatedRow], licence: str) -> Iterator[Located]:
    for at, row in enumerate(rows):
        yield row.where, _item_of(place, row, at, licence=licence)


def _item_of(place: _Place, row: RatedRow, at: int, *, licence: str) -> Item | RowProblem:
    name, mos = row.name, number_of(row.mos)
    if not isinstance(name, str) or not name.strip():
        return RowProblem(row.where, "image", f"a file name, not {name!r:.80}")
    if mos is None or place.scale.misses(mos):
        return RowProblem(row.where, row.mos_column, f"{place.scale}, not {row.mos!r:.80}")
    path = _image(place, name)
    if isinstance(path, str):
        return RowProblem(row.where, "image", path)
    return Item(
        id=f"{place.database.name}/{name}",
        kind="rate",
        question=RATE_QUESTION,
        images=(Picture(path=path, name=f"{place.database.name}/{name}"),),
        facets=_facets(place.database, at, name),
        source=place.database.name,
        licence=licence,
        mos=mos,
    )


def _image(place: _Place, name: str) -> Path | str:
    """Where an image lies, or what was expected instead."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or "\0" in name:
        return f"a file inside the folder of images, not {name!r}"
    for folder in place.folders:
        if (folder / parts).is_file():
            return folder / parts
    looked = ", ".join(str(folder) for folder in dict.fromkeys(place.folders))
    return f"the file {name} in one of {looked}; say with --photos where the images lie"


def _of_item(database: Database, item: Item, at: int, *, scale: _Scale, path: Path) -> Located:
    where = f"{path} (item {item.id})"
    if len(item.images) != 1:
        return where, RowProblem(where, "image", f"one image to rate, not {len(item.images)}")
    (picture,) = item.images
    if picture.path is not None and not picture.path.is_file():
        return where, RowProblem(where, "image", f"the file {picture.path}")
    if item.mos is None or scale.misses(item.mos):
        return where, RowProblem(where, "mos", f"{scale}, not {item.mos}")
    facets = {**_facets(database, at, picture.name), **item.facets, "database": database.name}
    prefix = f"{database.name}/"
    return where, dataclasses.replace(
        item,
        id=prefix + item.id.removeprefix(prefix),
        question=RATE_QUESTION,
        images=(dataclasses.replace(picture, name=prefix + picture.label.removeprefix(prefix)),),
        facets=facets,
        source=database.name,
    )


def _facets(database: Database, at: int, name: str) -> dict[str, FacetValue]:
    """The facets of the image at this place of its list; those without a value are left out."""
    found = {"half": half_name(database, at), "reference": reference_of(database, name)}
    return {"database": database.name, **{facet: v for facet, v in found.items() if v}}


def _scale(database: Database, folder: Path) -> _Scale:
    """The scale that the card beside a list gives, else the database's own."""
    file = folder / "card.json"
    values: Mapping[str, object] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    ends = [values.get(key) for key in ("mos_low", "mos_high")]
    for key, end in zip(("mos_low", "mos_high"), ends, strict=True):
        if end is not None and (isinstance(end, str) or number_of(end) is None):
            raise BadInput(f"{file}: {key}: expected a number, not {end!r:.80}")
    low, high = map(number_of, ends)
    if low is not None or high is not None:
        return _Scale(low, high, "the scale in card.json")
    told = f"the scale of {database.name}; give another as mos_low and mos_high in card.json"
    return _Scale(database.mos_low, database.mos_high, told)
