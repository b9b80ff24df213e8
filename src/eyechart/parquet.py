"""Rows of Parquet files whose photographs are embedded, as Hugging Face writes them.

In: Parquet files. Out: rows, or items, whose pictures hold the very bytes of the file, undecoded.
An image column is a struct of `bytes` and `path`, or plain bytes; its order in the table is the
order in which the pictures are shown. Rows are read a batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from eyechart.errors import BadInput
from eyechart.records import Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row

ROWS_A_BATCH = 64
READ_AT_ONCE = 1 << 20


def parquet_items(shards: Sequence[Path]) -> Iterator[tuple[str, Item | RowProblem]]:
    """Where each row stands, with its item or its problem. Raises BadInput for a broken file."""
    for row in parquet_rows(shards):
        yield row.where, row if isinstance(row, RowProblem) else item_of_row(_named(row))


def parquet_rows(shards: Sequence[Path]) -> Iterator[Row | RowProblem]:
    """Each row as it stands, its image columns apart from its values, or what is wrong with it.

    A picture's name is the path that was embedded with it, "" where there was none. Raises BadInput
    for a broken file.
    """
    for shard in shards:
        try:
            # Else Arrow holds the whole file, on top of the pictures that are kept.
            file = pq.ParquetFile(shard, pre_buffer=False, buffer_size=READ_AT_ONCE)
            images = _image_columns(file.schema_arrow)
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_A_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield _row(values, f"{shard}: row {number}", images)
        except (pa.ArrowInvalid, OSError) as error:
            raise _broken(shard, error) from None


def parquet_columns(file: Path) -> tuple[str, ...]:
    """The names of a file's columns. Raises BadInput for a broken file."""
    try:
        return tuple(pq.read_schema(file).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise _broken(file, error) from None


def _broken(file: Path, error: Exception) -> BadInput:
    return BadInput(f"{file}: not a readable Parquet file ({error})")


def _image_columns(schema: pa.Schema) -> list[str]:
    def holds_bytes(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    return [column.name for column in schema if holds_bytes(column.type)]


def _row(values: dict[str, Any], where: str, images: list[str]) -> Row | RowProblem:
    pictures: list[Picture] = []
    for column in images:
        cell = values.pop(column)
        if cell is None:
            continue
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            return RowProblem(where, column, "embedded image bytes; a path alone cannot be read")
        name = (cell.get("path") if isinstance(cell, dict) else None) or ""
        pictures.append(Picture(data=data, name=str(name)))
    return Row(values, where, tuple(pictures))


def _named(row: Row) -> Row:
    """The row with a name for each picture, and the first one's as its id where it has none."""
    pictures = tuple(
        replace(picture, name=picture.name or f"{row.where}, picture {number}")
        for number, picture in enumerate(row.images, start=1)
    )
    first = pictures[0].name if pictures else None
    return Row({"id": first, **row.values}, row.where, pictures)
