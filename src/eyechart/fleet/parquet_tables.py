"""Parquet files of a known form, read a batch of rows at a time, each column checked.

In: a place and the form that is expected there. Out: rows, in memory that does not grow with the
file, or BadInput that names file, row and column. Knows neither requests nor responses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from eyechart.errors import BadInput
from eyechart.fleet.places import READING, Place, guarded
from eyechart.rows import Row

READ_AT_ONCE = 1 << 20
NOT_PARQUET = "cannot be read as Parquet"


@dataclass(frozen=True, slots=True)
class Form:
    """What a table must look like. `needed`: columns that must be there and hold no null.

    `what`: its name; `mend`: what to do about a table that does not look so.
    """

    what: str
    schema: pa.Schema
    needed: frozenset[str]
    mend: str

    def wrong(self, where: str, column: str, expected: str, found: object = None) -> BadInput:
        """The error for a value: where it stands, and what was expected there."""
        not_that = "" if found is None else f", not {found!r:.80}"
        return BadInput(f"{where}: {column}: expected {expected}{not_that}; {self.mend}")


@dataclass(frozen=True, slots=True)
class Group:
    """A row group of a file. `first`: the number of its first row, from 1 on."""

    index: int
    first: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    column: str
    n_bytes: int


class ParquetTable:
    """An open Parquet file; a context manager. Raises BadInput where it is not of the form."""

    def __init__(self, place: Place, form: Form) -> None:
        self.place, self.form = place, form
        self._open = ExitStack()
        with guarded(place, NOT_PARQUET, form.mend):
            source: Any = place.local
            if source is None:
                source = self._open.enter_context(place.fs.open(place.path, "rb"))
            elif not source.is_file():
                raise BadInput(f"{place.shown}: no such file; {READING}")
            # Else Arrow holds whole row groups, on top of the rows that are read.
            self._file = self._open.enter_context(
                pq.ParquetFile(
                    source,
                    pre_buffer=False,
                    buffer_size=READ_AT_ONCE,
                    page_checksum_verification=True,
                )
            )
            metadata = self._file.metadata
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            self._n_rows = [group.num_rows for group in groups]
            self._chunks = [
                [_chunk(group, i) for i in range(group.num_columns)] for group in groups
            ]
            self._paths = [self._file.schema.column(i).path for i in range(metadata.num_columns)]
        self._check_columns()

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def groups(self) -> Iterator[Group]:
        """The row groups, in their order."""
        first = 1
        for index, n_rows in enumerate(self._n_rows):
            yield Group(index, first, n_rows)
            first += n_rows

    def n_bytes(self, group: Group, column: str) -> int:
        """Uncompressed bytes of a column in a group; a value that repeats counts once."""
        chunks = self._chunks[group.index]
        return sum(chunk.n_bytes for chunk in chunks if chunk.column == column)

    def rows(self, group: Group, *, at_once: int, without: Sequence[str] = ()) -> Iterator[Row]:
        """The rows of a group, `at_once` of them in memory.

        `without`: columns left out, `pictures.data` for one part of a nested one.
        """
        number = group.first
        batches = self._file.iter_batches(
            batch_size=at_once, row_groups=[group.index], columns=self._leaves(without)
        )
        while True:
            with guarded(self.place, NOT_PARQUET, self.form.mend):
                batch = next(batches, None)
            if batch is None:
                return
            for values in self._values(batch, number):
                where = f"{self.place.shown}: row {number}"
                self._check_filled(values, where, without)
                yield Row(values, where)
                number += 1

    def _check_columns(self) -> None:
        names = {_outer(path) for path in self._paths}
        for name in self.form.schema.names:
            if name in self.form.needed and name not in names:
                known = ", ".join(sorted(names)) or "none"
                raise BadInput(
                    f"{self.place.shown}: no column {name!r}, so it is no {self.form.what} (its "
                    f"columns: {known}); {self.form.mend}"
                )

    def _leaves(self, without: Sequence[str]) -> list[str]:
        """The paths of the columns to read, as Parquet names them."""
        wanted = set(self.form.schema.names)
        return [p for p in self._paths if _outer(p) in wanted and not _is_any(p, without)]

    def _values(self, batch: pa.RecordBatch, number: int) -> Iterator[Mapping[str, Any]]:
        columns = []
        rows = f"{self.place.shown}: rows {number} to {number + batch.num_rows - 1}"
        for field in self.form.schema:
            found = batch.column(field.name) if field.name in batch.schema.names else None
            columns.append(self._fitted(found, field, rows, batch.num_rows))
        for values in zip(*columns, strict=True):
            yield dict(zip(self.form.schema.names, values, strict=True))

    def _check_filled(self, values: Mapping[str, Any], where: str, without: Sequence[str]) -> None:
        for name in self.form.needed:
            if values[name] is None and name not in without:
                raise self.form.wrong(where, name, "a value; it is empty")

    def _fitted(self, found: Any, field: pa.Field, rows: str, n: int) -> list[Any]:
        """The column as Python values of the form's type."""
        if found is None:
            return [None] * n
        try:
            fitting = found if found.type == field.type else found.cast(field.type)
            return list(fitting.to_pylist())
        except (pa.ArrowException, UnicodeDecodeError) as error:
            expected = f"{field.type}, not {found.type} ({error})"
            raise self.form.wrong(rows, field.name, expected) from None


def _chunk(group: Any, i: int) -> _Chunk:
    chunk = group.column(i)
    return _Chunk(_outer(chunk.path_in_schema), chunk.total_uncompressed_size)


def _outer(path: str) -> str:
    """The column that a path of Parquet lies in: `pictures` of `pictures.list.element.data`."""
    return path.partition(".")[0]


def _is_any(path: str, names: Sequence[str]) -> bool:
    inner = path.rpartition(".")[2]
    return any(name in (path, _outer(path), f"{_outer(path)}.{inner}") for name in names)
