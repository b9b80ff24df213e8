"""Parquet with embedded pictures, row by row: nothing is decoded, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyechart.errors import BadInput
from eyechart.parquet import parquet_columns, parquet_items, parquet_rows
from eyechart.records import Item
from eyechart.rows import Row, RowProblem


def file_of(path: Path, *rows: dict[str, object]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def test_pictures_leave_a_row_with_their_very_bytes_and_the_rest_stays(tmp_path: Path) -> None:
    image = {"bytes": b"\xff\xd8 not decoded", "path": "a.jpg"}
    file = file_of(tmp_path / "t.parquet", {"id": 1, "b": image, "a": image, "extra": [1, 2]})
    (row,) = parquet_rows([file])
    assert isinstance(row, Row)
    assert [(p.data, p.name) for p in row.images] == [(image["bytes"], "a.jpg")] * 2
    assert (row.values, row.where) == ({"id": 1, "extra": [1, 2]}, f"{file}: row 1")


def test_a_picture_without_a_path_has_no_name_in_a_row_and_the_rows_place_in_an_item(
    tmp_path: Path,
) -> None:
    file = file_of(tmp_path / "t.parquet", {"mos": 1.0, "image": {"bytes": b"x", "path": None}})
    (row,) = parquet_rows([file])
    assert isinstance(row, Row)
    assert row.images[0].name == ""
    ((_, item),) = parquet_items([file])
    assert isinstance(item, Item)
    assert item.id == item.images[0].name == f"{file}: row 1, picture 1"


def test_a_row_whose_picture_is_not_embedded_is_a_problem_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    full, empty = {"bytes": b"x", "path": "a"}, {"bytes": b"", "path": "b"}
    file = file_of(tmp_path / "t.parquet", {"image": empty}, {"image": full}, {"image": None})
    first, second, third = parquet_rows([file])
    assert isinstance(first, RowProblem)
    assert str(first).endswith(
        "row 1: image: expected embedded image bytes; a path alone cannot be read"
    )
    assert isinstance(second, Row)
    assert isinstance(third, Row)
    assert third.images == ()


def test_rows_are_numbered_through_batches_and_from_one_in_each_file(tmp_path: Path) -> None:
    one = file_of(tmp_path / "1.parquet", *({"id": n, "image": b"x"} for n in range(150)))
    two = file_of(tmp_path / "2.parquet", {"id": 0, "image": b"x"})
    places = [row.where for row in parquet_rows([one, two])]
    assert places == [*(f"{one}: row {n}" for n in range(1, 151)), f"{two}: row 1"]


def test_columns_are_named_in_their_order_and_a_broken_file_is_told(tmp_path: Path) -> None:
    assert parquet_columns(file_of(tmp_path / "t.parquet", {"b": 1, "a": 2})) == ("b", "a")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really")
    for broken in (parquet_columns, lambda file: list(parquet_rows([file]))):
        with pytest.raises(BadInput, match=r"t\.parquet: not a readable Parquet file"):
            broken(tmp_path / "t.parquet")
