"""Responses as Parquet: a folder of parts that grows while requests are answered.

In: responses, or a folder or file at any address. Out: parts that appear whole or not at all, or
one row for each request. Asks nobody.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from eyechart.errors import BadInput
from eyechart.fleet.one_response import FORM, Placed, response_of_row, row_of_response
from eyechart.fleet.one_response import response_schema as response_schema
from eyechart.fleet.parquet_tables import ParquetTable
from eyechart.fleet.places import (
    CANNOT_BE_WRITTEN,
    WRITING,
    Place,
    guarded,
    is_folder,
    names_in,
    place_of,
    written_whole,
)
from eyechart.rows import Row

ROWS_AT_ONCE = 1000
NUMBERS = ("n", "failure")
OTHERS = tuple(name for name in response_schema().names if name not in NUMBERS)
Flags = NDArray[np.bool_]


def write_responses(path: str | Path, responses: Sequence[Placed]) -> None:
    """Write one table, whole or not at all. Raises BadInput where it cannot be written."""
    _write(place_of(path), responses)


def write_part(folder: str | Path, responses: Sequence[Placed]) -> str:
    """Write a part of a folder, and return its name, which no other part has; later ones sort last.

    Readers see it whole or not at all. Raises BadInput where it cannot be written.
    """
    name = f"part-{time.time_ns()}-{uuid.uuid4().hex[:8]}.parquet"
    _write(place_of(folder).at(name), responses)
    return name


def parts_of(path: str | Path) -> list[Place]:
    """The tables at a path: a file alone, or the parts in a folder, the earliest first.

    Raises BadInput where there is nothing, and for a folder without parts.
    """
    place = place_of(path)
    if not is_folder(place):
        return [place]
    parts = [place.at(name) for name in names_in(place) if is_part(name)]
    if not parts:
        raise BadInput(f"{place.shown}: no responses here; expected part-….parquet in this folder")
    return parts


def is_part(name: str) -> bool:
    """Whether a file is a part of a response table, by its name."""
    return name.startswith("part-") and name.endswith(".parquet")


def read_responses(path: str | Path) -> Iterator[Placed]:
    """The responses of a table or a folder of parts: one for each request that has any.

    Where a request has several, an answer counts before a failure, and the latest failure alone.
    Raises BadInput with file, row and column for whatever is no table of responses.
    """
    return (response_of_row(row.values, row.where) for row in response_rows(path))


def response_rows(path: str | Path) -> Iterator[Row]:
    """The same as rows that are not yet checked, one by one."""
    parts = parts_of(path)
    rows = (row for part in parts for row in _rows(part))
    return compress(rows, _counting(parts))


def answered_in(parts: Sequence[Place]) -> frozenset[int]:
    """The numbers of the requests that these tables hold an answer to."""
    return frozenset(n for part in parts for n, failed in numbers_in(part) if not failed)


def numbers_in(part: Place) -> Iterator[tuple[int, bool]]:
    """The number of each row of a table, and whether it is a failure."""
    for row in _rows(part, without=OTHERS):
        yield row.values["n"], row.values["failure"] is not None


def _write(place: Place, responses: Sequence[Placed]) -> None:
    rows = [row_of_response(response) for response in responses]
    data = io.BytesIO()
    with guarded(place, CANNOT_BE_WRITTEN, WRITING):
        table = pa.Table.from_pylist(rows, schema=response_schema())
        pq.write_table(
            table,
            data,
            compression="zstd",
            row_group_size=ROWS_AT_ONCE,
            write_page_checksum=True,
        )
    with written_whole(place) as file, guarded(place, CANNOT_BE_WRITTEN, WRITING):
        file.write(data.getbuffer())


def _rows(part: Place, *, without: Sequence[str] = ()) -> Iterator[Row]:
    with ParquetTable(part, FORM) as table:
        for group in table.groups():
            yield from table.rows(group, at_once=ROWS_AT_ONCE, without=without)


def _counting(parts: Sequence[Place]) -> Flags:
    """For each row of all parts, in their order, whether it is the one that counts for its `n`."""
    rows = (row for part in parts for row in numbers_in(part))
    found = np.fromiter(rows, np.dtype((np.int64, 2))).reshape(-1, 2)
    numbers, failed = found.T
    places = np.arange(len(found))
    order = np.lexsort((np.where(failed, -places, places), failed, numbers))
    first = np.ones(len(found), bool)
    first[1:] = np.diff(numbers[order]) > 0
    counts = np.zeros(len(found), bool)
    counts[order[first]] = True
    return counts
