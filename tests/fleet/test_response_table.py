"""The response table: what came of each request, in parts that are whole or not there."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fleet.asked_for import texts

from eyechart.errors import BadInput
from eyechart.fleet.logged_calls import Origin, Sent
from eyechart.fleet.one_response import Placed, response_of_row, row_of_response
from eyechart.fleet.response_table import (
    parts_of,
    read_responses,
    response_schema,
    write_part,
    write_responses,
)
from eyechart.records import Failure, Likelihood, Response, Usage

numbers = st.floats(-1e6, 0)
counts = st.integers(0, 10**9)
likelihoods = st.builds(
    Likelihood, st.lists(counts).map(tuple), st.none() | numbers, st.none() | counts
)
failures = st.builds(Failure, st.sampled_from(["image", "transient", "refused", "budget"]), texts)
responses = st.builds(
    Response,
    texts,
    st.sampled_from(["answer", "judge"]),
    st.integers(0, 9),
    texts,
    texts,
    texts,
    st.none() | texts,
    st.none() | texts,
    st.lists(st.none() | numbers, max_size=4).map(tuple),
    st.none() | numbers,
    st.none() | texts,
    st.builds(Usage, st.none() | counts, st.none() | counts),
    st.floats(0, 1e6),
    st.none() | failures,
    texts,
    st.none() | likelihoods,
)
sent = st.builds(Sent, texts, texts, counts, counts, counts, texts)
origins = st.builds(Origin, texts, st.lists(sent, max_size=3).map(tuple), texts)
placed = st.builds(Placed, st.integers(0, 2**60), responses, origins)


def answer(n: int, text: str = "A") -> Placed:
    return Placed(n, Response(f"item-{n}", "answer", 0, "00", "m", text=text))


def failed(n: int, message: str = "lost") -> Placed:
    failure = Failure("transient", message)
    return Placed(n, dataclasses.replace(answer(n).response, text=None, failure=failure))


@given(placed)
def test_a_response_is_the_same_after_its_row(one: Placed) -> None:
    (row,) = pa.Table.from_pylist([row_of_response(one)], response_schema()).to_pylist()
    assert response_of_row(row, "row 1") == one


@given(st.lists(placed, max_size=5, unique_by=lambda one: one.n))
def test_a_table_gives_back_the_responses(some: list[Placed]) -> None:
    write_responses("memory://responses/one.parquet", some)
    assert list(read_responses("memory://responses/one.parquet")) == some


def test_half_characters_are_kept_as_escapes_as_in_the_call_log(tmp_path: Path) -> None:
    write_responses(tmp_path / "r.parquet", [answer(0, "so-so \ud83d")])
    (again,) = read_responses(tmp_path / "r.parquet")
    assert again.response.text == "so-so \\ud83d"


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    for out in (str(tmp_path / "out"), "memory://responses/parts"):
        for n in (3, 1, 2):
            name = write_part(out, [answer(n)])
            assert name.startswith("part-") and name.endswith(".parquet")
        assert [one.n for one in read_responses(out)] == [3, 1, 2]


def test_for_each_request_one_response_counts_an_answer_before_a_failure(tmp_path: Path) -> None:
    write_part(tmp_path, [failed(0, "first"), failed(1), answer(2, "first")])
    write_part(tmp_path, [answer(1), failed(0, "latest")])
    write_part(tmp_path, [failed(1), answer(2, "second"), answer(3)])
    told = {one.n: one.response for one in read_responses(tmp_path)}
    assert len(list(read_responses(tmp_path))) == len(told) == 4
    assert told[0].failure == Failure("transient", "latest")
    assert (told[1].failure, told[2].text, told[3].text) == (None, "first", "A")


def test_a_part_that_is_still_being_written_is_not_seen(tmp_path: Path) -> None:
    write_part(tmp_path, [answer(0)])
    (tmp_path / ".part-2.parquet.part").write_bytes(b"PAR1 half of it")
    (tmp_path / "notes.txt").write_text("not a part")
    assert [one.n for one in read_responses(tmp_path)] == [0]
    assert len(parts_of(tmp_path)) == 1


def test_a_part_that_cannot_be_written_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    class Full(fsspec.get_filesystem_class("memory")):  # type: ignore[misc]
        protocol = "full"
        store: ClassVar[dict[str, object]] = {}
        pseudo_dirs: ClassVar[list[str]] = [""]

        def _open(self, *arguments: object, **more: object) -> object:
            file = super()._open(*arguments, **more)

            def write(data: bytes) -> int:
                raise OSError(28, "No space left on device")

            file.write = write
            return file

    fsspec.register_implementation("full", Full)
    with pytest.raises(BadInput, match=r"cannot be written \(OSError: .*No space.*; make room"):
        write_part("full://out", [answer(0)])
    assert not Full.store


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": None}, "n: expected a value; it is empty"),
        (
            {"role": "poet"},
            "role: expected one of answer, judge, caption, draft, label, not 'poet'",
        ),
        (
            {"failure": "tired"},
            "failure: expected one of image, transient, refused, budget, or null",
        ),
        ({"n_tokens": [1, None]}, "n_tokens: expected a number for each text, not [1, None]"),
        (
            {"pictures": [{"sha256": "0"}]},
            "pictures: expected sha256, format, width, height, n_byt",
        ),
    ],
)
def test_a_wrong_value_is_told_by_file_row_and_column(
    columns: dict[str, object], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "r.parquet"
    rows = [row_of_response(answer(n)) for n in range(3)]
    rows[1] |= columns
    pq.write_table(pa.Table.from_pylist(rows, response_schema()), file)
    with pytest.raises(BadInput) as caught:
        list(read_responses(file))
    assert str(caught.value).startswith(f"{file}: row 2: {message}")
    assert str(caught.value).endswith("; remove this file, and have its requests answered again")


def test_what_is_no_response_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: no such file or folder; check the address"):
        read_responses(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"no responses here; expected part-….parquet in this fold"):
        read_responses(tmp_path)
    pq.write_table(pa.table({"n": [1]}), tmp_path / "part-1.parquet")
    with pytest.raises(BadInput, match=r"part-1.parquet: no column '\w+', so it is no table of re"):
        read_responses(tmp_path)
    (tmp_path / "part-1.parquet").write_bytes(b"")
    with pytest.raises(
        BadInput, match=r"part-1.parquet: cannot be read as Parquet \(.*; remove thi"
    ):
        read_responses(tmp_path)


def test_what_other_programs_write_is_read_as_long_as_its_values_fit(tmp_path: Path) -> None:
    rows = [row_of_response(answer(n)) for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "part-0.parquet")
    assert list(read_responses(tmp_path)) == [answer(n) for n in range(3)]
