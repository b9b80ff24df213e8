"""The requests table: one row a request, with its photographs, as Parquet.

In: requests, or a table at any address. Out: the table, or the same requests. A picture that
several requests of a row group show is stored once. Asks nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from eyechart.asking.key import canonical
from eyechart.errors import BadInput
from eyechart.fleet.one_request import FORM, PICTURE_TEXTS, Photographs
from eyechart.fleet.one_request import request_of_row as request_of_row
from eyechart.fleet.one_request import request_schema as request_schema
from eyechart.fleet.one_request import row_of_request as row_of_request
from eyechart.fleet.parquet_tables import Group, ParquetTable
from eyechart.fleet.places import CANNOT_BE_WRITTEN, WRITING, guarded, place_of, written_whole
from eyechart.records import Request

GROUP_BYTES = 32 * 2**20
GROUP_ROWS = 1000
HELD_BYTES = 32 * 2**20
ROWS_WITH_PICTURES = 4
MOST_DICTIONARY_BYTES = 2**30
_DATA = pa.dictionary(pa.int32(), pa.binary())
_STORED = request_schema(_DATA)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A request of a table and its number there."""

    n: int
    request: Request


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. `n_left_out`: requests that no table can hold, `why` the first of them."""

    n_requests: int
    n_left_out: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What a table asks: how many requests, and the hex digest of all of them.

    Photographs enter the digest by their sha256, so that it is told without reading them.
    """

    n_requests: int
    digest: str


def write_requests(path: str | Path, requests: Iterable[Request]) -> Written:
    """Write a table of requests, whole or not at all, in memory that does not grow with it.

    Requests whose photographs cannot be read are left out and counted. Raises BadInput where the
    table cannot be written.
    """
    place, kept, left_out = place_of(path), 0, _LeftOut()
    with written_whole(place) as file:
        with guarded(place, CANNOT_BE_WRITTEN, WRITING):
            writer = _writer(file)
        try:
            for rows in _groups(requests, left_out):
                with guarded(place, CANNOT_BE_WRITTEN, WRITING):
                    writer.write_batch(_batch(rows), row_group_size=len(rows))
                kept += len(rows)
        finally:
            with guarded(place, CANNOT_BE_WRITTEN, WRITING):
                writer.close()
    return Written(kept, left_out.n, left_out.why)


def _writer(file: IO[bytes]) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        file,
        _STORED,
        compression="zstd",
        # With less, Arrow stores a picture again for every question about it.
        dictionary_pagesize_limit=MOST_DICTIONARY_BYTES,
        store_schema=False,
        write_page_checksum=True,
    )


def read_requests(path: str | Path) -> Iterator[Request]:
    """The requests of a table, in its order, a few in memory at a time.

    Raises BadInput with file, row and column for whatever is no table of requests.
    """
    return (one.request for one in read_numbered(path))


def read_numbered(path: str | Path, *, without: Container[int] = ()) -> Iterator[Numbered]:
    """The requests of a table with their numbers, but for those of the numbers `without`.

    Photographs of row groups that nothing is wanted of are not read.
    """
    with ParquetTable(place_of(path), FORM) as table:
        for group in table.groups():
            if without and all(n in without for n in _numbers(table, group)):
                continue
            yield from numbered_in(table, group, lambda n: n not in without)


def numbered_in(
    table: ParquetTable, group: Group, is_wanted: Callable[[int], bool]
) -> Iterator[Numbered]:
    """The requests of a row group whose numbers are wanted."""
    for row in table.rows(group, at_once=_rows_at_once(table, group)):
        if is_wanted(row.values["n"]):
            yield Numbered(row.values["n"], request_of_row(row.values, row.where))


def _rows_at_once(table: ParquetTable, group: Group) -> int:
    """How many rows of a group to hold in memory: few where they show photographs.

    A photograph is stored once for all rows that show it, but each row that is read has its own.
    """
    n_bytes = max(1, table.n_bytes(group, "pictures"))
    return min(GROUP_ROWS, max(ROWS_WITH_PICTURES, HELD_BYTES // n_bytes))


def overview_of(path: str | Path) -> Overview:
    """What a table asks, every row checked; its photographs are not read.

    Raises BadInput as `read_requests` does, and where the numbers do not rise.
    """
    n_requests, last, digest = 0, -1, hashlib.sha256()
    with ParquetTable(place_of(path), FORM) as table:
        for group in table.groups():
            for row in table.rows(group, at_once=GROUP_ROWS, without=("pictures.data",)):
                n, request = row.values["n"], request_of_row(row.values, row.where, seen=False)
                if n <= last:
                    raise FORM.wrong(row.where, "n", f"more than {last}, that of the row above", n)
                digest.update(_said(n, request).encode("utf-8", "surrogatepass"))
                n_requests, last = n_requests + 1, n
    return Overview(n_requests, digest.hexdigest())


def _said(n: int, request: Request) -> str:
    digests = [picture.sha256 or "" for picture in request.pictures]
    asked = canonical(request, "", "", digests)
    return json.dumps([n, request.item_id, request.role, request.variant, asked])


def _numbers(table: ParquetTable, group: Group) -> Iterator[int]:
    others = [name for name in FORM.schema.names if name != "n"]
    return (row.values["n"] for row in table.rows(group, at_once=GROUP_ROWS, without=others))


@dataclass(slots=True)
class _LeftOut:
    n: int = 0
    why: str = ""


@dataclass(slots=True)
class _Pending:
    """The rows of the next row group."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    photographs: Photographs = field(default_factory=Photographs)

    def is_full_for(self, request: Request) -> bool:
        """Whether a request begins the next row group; one that shows the same pictures does not.

        There they would be stored again.
        """
        if len(self.rows) >= GROUP_ROWS:
            return True
        many = self.photographs.n_bytes >= GROUP_BYTES
        return many and not self.photographs.hold(request.pictures)


def _groups(requests: Iterable[Request], left_out: _LeftOut) -> Iterator[list[dict[str, Any]]]:
    """Rows enough for a row group: as many as share some megabytes of photographs."""
    pending, n = _Pending(), 0
    for request in requests:
        if pending.rows and pending.is_full_for(request):
            yield pending.rows
            pending = _Pending()
        try:
            pending.rows.append(row_of_request(n, request, pending.photographs))
            n += 1
        except BadInput as error:
            left_out.n += 1
            left_out.why = left_out.why or f"item {request.item_id}: {error}"
    if pending.rows:
        yield pending.rows


def _batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """The rows for Arrow, in which each picture stands but once."""
    pictures = [one for row in rows for one in row["pictures"]]
    columns = [
        _pictures_column(rows, pictures)
        if column.name == "pictures"
        else pa.array([row[column.name] for row in rows], column.type)
        for column in _STORED
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_STORED)


def _pictures_column(
    rows: Sequence[Mapping[str, Any]], pictures: Sequence[Mapping[str, Any]]
) -> pa.Array:
    ends, places = [0], dict[bytes, int]()
    for row in rows:
        ends.append(ends[-1] + len(row["pictures"]))
    indices = [places.setdefault(one["data"], len(places)) for one in pictures]
    data = pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int32()), pa.array(list(places), pa.binary())
    )
    texts = [pa.array([one[name] for one in pictures], pa.string()) for name in PICTURE_TEXTS]
    fields = list(_STORED.field("pictures").type.value_type)
    structs = pa.StructArray.from_arrays([*texts, data], fields=fields)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs)
