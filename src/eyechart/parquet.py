"""Items out of Parquet files whose photographs are embedded, as Hugging Face writes them.

In: Parquet files. Out: items whose pictures hold the very bytes of the file, undecoded.
An image column is a struct of `bytes` and `path`, or plain bytes; its order in the table is the
order in which the pictures are shown. Rows are read a batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from eyechart.errors import BadInput
from eyechart.records import Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row

ROWS_A_BATCH = 64


def parquet_items(shards: Sequence[Path]) -> Iterator[tuple[str, Item | RowProblem]]:
    """Where each row stands, with its item or its problem. Raises BadInput for a broken file."""
    for shard in shards:
        try:
            file = pq.ParquetFile(shard)
            images = _image_columns(file.schema_arrow)
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_A_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    where = f"{shard}: row {number}"
                    yield where, _item(values, where, images)
        except (pa.ArrowInvalid, OSError) as error:
            raise BadInput(f"{shard}: not a readable Parquet file ({error})") from None


def _image_columns(schema: pa.Schema) -> list[str]:
    def holds_bytes(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    return [column.name for column in schema if holds_bytes(column.type)]


def _item(values: dict[str, Any], where: str, images: list[str]) -> Item | RowProblem:
    pictures: list[Picture] = []
    for column in images:
        cell = values.pop(column)
        if cell is None:
            continue
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            return RowProblem(where, column, "embedded image bytes; a path alone cannot be read")
        name = (cell.get("path") if isinstance(cell, dict) else None) or f"{where}, {column}"
        pictures.append(Picture(data=data, name=str(name)))
    values.setdefault("id", pictures[0].name if pictures else None)
    return item_of_row(Row(values, where, tuple(pictures)))
