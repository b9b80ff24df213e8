"""Lists of images with people's scores: JSON as Q-Bench released it, or CSV.

In: a file. Out: its rows as they stand, each with where it is. Opens no image, judges no value but
by `number_of`; item folders are read by `eyechart.items`.

    [{"img_path": "a.jpg", "gt_score": "3.47 "}, ...]        file_name,mos
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.items import read_items

NAME_COLUMNS = ("file_name", "img_path", "original_name")
MOS_COLUMNS = ("mos", "gt_score")
SUFFIXES = (".json", ".csv")


@dataclass(frozen=True, slots=True)
class RatedRow:
    """One image as a list has it.

    `where`: file and row. `name`: the image's file; `other_names`: what else it is called.
    `mos`: the score as it is written there, under `mos_column`; it may be anything.
    """

    where: str
    name: object
    other_names: tuple[object, ...]
    mos: object
    mos_column: str


def number_of(value: object) -> float | None:
    """The finite number that a value is or spells; None for anything else.

    >>> number_of("1.01 "), number_of(3), number_of("nan"), number_of(True), number_of("1_0")
    (1.01, 3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and "_" not in str(value) else None


def read_rated(file: Path) -> list[RatedRow]:
    """The rows of a CSV or JSON list. Raises BadInput where it is neither or lacks a column."""
    rows = _csv_rows(file) if file.suffix.lower() == ".csv" else _json_rows(file)
    if not rows:
        raise BadInput(f"{file}: no images in it; expected a row for each")
    return rows


def mos_by_name(path: Path) -> dict[str, float]:
    """People's score of each image, under every name that the file or item folder has for it.

    Raises BadInput with file and row for a score that is no number, and where a name has two.
    """
    found: dict[str, float] = {}
    for where, names, mos in _rated(path):
        for name in names:
            if found.setdefault(name, mos) != mos:
                raise BadInput(
                    f"{where}: {name} has the score {mos:g} here and {found[name]:g} before; "
                    "expected one score for each image"
                )
    return found


def text_of(file: Path) -> str:
    """The text of a file in UTF-8. Raises BadInput where it cannot be read as such."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror}); is the path right?") from None


def _rated(path: Path) -> Iterable[tuple[str, list[str], float]]:
    if path.is_dir():
        for item in read_items(path).items:
            if item.mos is not None:
                yield (
                    f"{path}: item {item.id}",
                    [item.id, *(p.label for p in item.images)],
                    item.mos,
                )
        return
    for row in read_rated(path):
        mos = number_of(row.mos)
        if mos is None:
            raise BadInput(f"{row.where}: {row.mos_column}: expected a number, not {row.mos!r:.80}")
        yield row.where, [str(name) for name in (row.name, *row.other_names) if name], mos


def _csv_rows(file: Path) -> list[RatedRow]:
    reader = csv.DictReader(io.StringIO(text_of(file), newline=""))
    columns = reader.fieldnames or []
    names = [column for column in NAME_COLUMNS if column in columns]
    scores = [column for column in MOS_COLUMNS if column in columns]
    if not names or not scores:
        raise BadInput(
            f"{file}: expected the columns {' or '.join(NAME_COLUMNS)}, and "
            f"{' or '.join(MOS_COLUMNS)}; it has {', '.join(columns) or 'none'}"
        )
    try:
        return [
            _row(row, f"{file}:{reader.line_num}", names=names, mos_column=scores[0])
            for row in reader
        ]
    except csv.Error as error:
        raise BadInput(f"{file}:{reader.line_num}: not CSV ({error})") from None


def _json_rows(file: Path) -> list[RatedRow]:
    try:
        values = json.loads(text_of(file))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{file}: not a JSON list ({error}); expected "
            '[{"img_path": "a.jpg", "gt_score": 3.5}, …], or a CSV that is called .csv'
        ) from None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BadInput(f'{file}: expected a list [{{"img_path": "a.jpg", "gt_score": 3.5}}, …]')
    rows = []
    for number, value in enumerate(values, start=1):
        scores = [column for column in ("gt_score", "mos") if column in value]
        names = [column for column in ("img_path", "file_name", "original_name") if column in value]
        where = f"{file}: record {number}"
        rows.append(_row(value, where, names=names, mos_column=(*scores, "gt_score")[0]))
    return rows


def _row(row: Mapping[str, object], where: str, *, names: list[str], mos_column: str) -> RatedRow:
    first, *others = [row.get(column) for column in names] or [None]
    return RatedRow(where, first, tuple(others), row.get(mos_column), mos_column)
