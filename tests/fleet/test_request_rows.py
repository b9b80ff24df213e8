"""The requests table: whatever is asked can be written, travels whole, and is asked the same."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import photograph
from tests.fleet.asked_for import PICTURES, picture, question, requests

from eyechart.asking.intake import Intake
from eyechart.backends.guess import Guess
from eyechart.errors import BadInput, BadPicture
from eyechart.fleet import request_rows
from eyechart.fleet.request_rows import (
    overview_of,
    read_numbered,
    read_requests,
    request_of_row,
    request_schema,
    row_of_request,
    write_requests,
)
from eyechart.records import Picture, Request, Turn, next_word


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """The row as Arrow gives it back."""
    table = pa.Table.from_pylist([row], schema=request_schema())
    (again,) = table.to_pylist()
    return dict(again)


def keys(asked: Iterator[Request]) -> list[str]:
    intake = Intake(asked, Guess(), None)
    jobs = []
    while (chunk := intake.next_chunk()) is not None:
        jobs += chunk.jobs
    return [job.question.key.hex() for job in jobs]


@given(requests)
def test_a_request_is_the_same_after_its_row(request: Request) -> None:
    row = stored(row_of_request(3, request))
    assert row["n"] == 3
    assert request_of_row(row, "row 1") == request


@given(st.lists(requests, max_size=6))
def test_a_table_gives_back_the_requests_in_their_order(asked: list[Request]) -> None:
    where = "memory://tables/requests.parquet"
    assert write_requests(where, asked).n_requests == len(asked)
    assert list(read_requests(where)) == asked
    assert [one.n for one in read_numbered(where)] == list(range(len(asked)))


def test_a_photograph_travels_with_its_request_under_the_same_content_key(tmp_path: Path) -> None:
    photograph().save(tmp_path / "a.png")
    photograph(1).convert("RGB").save(tmp_path / "b.tiff")
    asked = [question(i, Picture(tmp_path / name)) for i, name in enumerate(("a.png", "b.tiff"))]
    before = keys(iter(asked))
    write_requests(tmp_path / "requests.parquet", asked)
    for name in ("a.png", "b.tiff"):
        (tmp_path / name).unlink()
    assert keys(read_requests(tmp_path / "requests.parquet")) == before
    (shown,) = next(read_requests(tmp_path / "requests.parquet")).pictures
    assert shown.label == str(tmp_path / "a.png")


def test_a_photograph_that_many_requests_show_is_stored_once(tmp_path: Path) -> None:
    noise = picture("noise", photograph(0, 700, 700).tobytes())
    one, many = tmp_path / "one.parquet", tmp_path / "many.parquet"
    write_requests(one, [question(0, noise)])
    write_requests(many, [question(i, noise, noise) for i in range(200)])
    assert many.stat().st_size < one.stat().st_size + 20_000
    assert [r.pictures for r in read_requests(many)] == [(noise, noise)] * 200


def test_row_groups_hold_a_few_megabytes_of_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_rows, "GROUP_BYTES", 2000)
    shown = [picture(str(i), bytes([i]) * 900) for i in range(6)]
    asked = [question(i, shown[i // 10]) for i in range(60)]
    write_requests(tmp_path / "r.parquet", asked)
    assert pq.ParquetFile(tmp_path / "r.parquet").metadata.num_row_groups == 2
    assert list(read_requests(tmp_path / "r.parquet")) == asked


def test_what_is_answered_already_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_rows, "GROUP_ROWS", 4)
    asked = [question(i) for i in range(12)]
    write_requests(tmp_path / "r.parquet", asked)
    left = list(read_numbered(tmp_path / "r.parquet", without={0, 1, 2, 3, 5}))
    assert [one.n for one in left] == [4, 6, 7, 8, 9, 10, 11]
    assert [one.request for one in left] == [asked[one.n] for one in left]


def test_requests_that_no_table_can_hold_are_left_out_and_told(tmp_path: Path) -> None:
    lost = question(1, Picture(tmp_path / "lost.png"))
    half = dataclasses.replace(question(2), want=next_word("good\ud800"))
    written = write_requests(tmp_path / "r.parquet", [question(0), lost, half, question(3)])
    assert (written.n_requests, written.n_left_out) == (2, 2)
    assert written.why == (
        f"item item-1: {tmp_path / 'lost.png'}: no such file; put it back or mend its name in the "
        "items"
    )
    assert [one.item_id for one in read_requests(tmp_path / "r.parquet")] == ["item-0", "item-3"]
    with pytest.raises(BadPicture, match="no such file"):
        row_of_request(0, lost)
    with pytest.raises(BadInput, match="expected a text of whole characters, not 'good"):
        row_of_request(0, half)


def test_a_table_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def breaks() -> Iterator[Request]:
        yield question(0)
        raise BadInput("the items end here")

    write_requests(tmp_path / "r.parquet", [question(7)])
    with pytest.raises(BadInput, match="the items end here"):
        write_requests(tmp_path / "r.parquet", breaks())
    assert [one.item_id for one in read_requests(tmp_path / "r.parquet")] == ["item-7"]
    assert [file.name for file in tmp_path.iterdir()] == ["r.parquet"]


def test_an_overview_tells_tables_apart_by_what_they_ask(tmp_path: Path) -> None:
    file, asked = tmp_path / "r.parquet", [question(i, PICTURES[0]) for i in range(5)]
    write_requests(file, asked)
    first = overview_of(file)
    assert first.n_requests == 5
    pq.write_table(pq.read_table(file), file, compression="none", row_group_size=2)
    assert overview_of(file) == first
    other_picture = [*asked[:4], question(4, PICTURES[1])]
    other_words = [*asked[:4], dataclasses.replace(asked[4], begun="It is")]
    for changed in (other_picture, other_words, asked[:4], list(reversed(asked))):
        write_requests(file, changed)
        assert overview_of(file).digest != first.digest


def test_what_other_programs_write_is_read_as_long_as_its_values_fit(tmp_path: Path) -> None:
    file, asked = tmp_path / "r.parquet", [question(i, PICTURES[i % 2]) for i in range(4)]
    write_requests(file, asked)
    table = pq.read_table(file)
    strings = [pa.large_string() if f.type == pa.string() else f.type for f in table.schema]
    names = table.schema.names
    other = table.cast(pa.schema(zip(names, strings, strict=True)))
    other = other.append_column("remark", pa.array([None] * 4))
    other = other.drop_columns(["top_p", "begun", "variant"]).select([*reversed(names[1:5]), "n",
        "temperature", "max_tokens", "want", "words", "draw", "remark"])  # fmt: skip
    pq.write_table(other, file)
    assert list(read_requests(file)) == asked
    assert overview_of(file).n_requests == 4


def changed(file: Path, **columns: object) -> Path:
    """The table with the values of these columns in its second row."""
    write_requests(file, [question(i, PICTURES[0]) for i in range(3)])
    rows = pq.read_table(file).to_pylist()
    rows[1] |= columns
    pq.write_table(pa.Table.from_pylist(rows, request_schema()), file)
    return file


AGAIN = "; write the table again with `eyechart requests`"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"role": "poet"}, "role: expected answer, judge, caption, draft or label, not 'poet'"),
        ({"item_id": None}, "item_id: expected a value; it is empty"),
        ({"turns": "[["}, "turns: expected JSON (Expecting value"),
        ({"turns": "7"}, "turns: expected a JSON list of turns, not 7"),
        (
            {"turns": '[["poet"]]'},
            "turns: expected lists that begin with system, user or assistant, not ['poet']",
        ),
        (
            {"turns": '[["user", 1]]'},
            "turns: expected texts, or places in the row's 1 pictures (0, 1, …), not 1",
        ),
        ({"turns": '[["user", true]]'}, "places in the row's 1 pictures (0, 1, …), not True"),
        ({"turns": '[["user", 0.5]]'}, "places in the row's 1 pictures (0, 1, …), not 0.5"),
        ({"temperature": -1.0}, "temperature: expected 0 or more, or null, not -1.0"),
        ({"temperature": float("nan")}, "temperature: expected 0 or more, or null, not nan"),
        ({"top_p": 2.0}, "top_p: expected more than 0 and at most 1, or null, not 2.0"),
        ({"max_tokens": 0}, "max_tokens: expected 1 or more, not 0"),
        ({"draw": -1}, "draw: expected 0 or more, not -1"),
        ({"want": "all"}, "want: expected text, next_word or likelihood, not 'all'"),
        ({"want": "next_word"}, "words: expected those of the next_word, not ()"),
        ({"words": ["a"]}, "words: expected none where a text is wanted, not ('a',)"),
        (
            {"pictures": [{"name": "a", "data": b"x"}]},
            "pictures: expected name, sha256 and data of each; one lacks sha256",
        ),
        ({"n": 0}, "n: expected more than 0, that of the row above, not 0"),
    ],
)
def test_a_wrong_value_is_told_by_file_row_and_column(
    columns: dict[str, object], message: str, tmp_path: Path
) -> None:
    file = changed(tmp_path / "r.parquet", **columns)
    with pytest.raises(BadInput) as caught:
        overview_of(file)
    assert str(caught.value).startswith(f"{file}: row 2: ")
    assert message in str(caught.value)
    assert str(caught.value).endswith(AGAIN)
    if "n" not in columns:
        with pytest.raises(BadInput) as also:
            list(read_requests(file))
        assert str(also.value) == str(caught.value)


def test_a_picture_without_its_bytes_is_told(tmp_path: Path) -> None:
    file = changed(tmp_path / "r.parquet", pictures=[{"name": "a", "sha256": "0" * 64}])
    with pytest.raises(BadInput, match="row 2: pictures: expected name, sha256 and data of each; "):
        list(read_requests(file))


def test_a_column_of_another_type_is_told(tmp_path: Path) -> None:
    file = tmp_path / "r.parquet"
    write_requests(file, [question(i) for i in range(3)])
    table = pq.read_table(file)
    at, words = table.schema.names.index("max_tokens"), pa.array(["many"] * 3)
    pq.write_table(table.set_column(at, "max_tokens", words), file)
    with pytest.raises(BadInput) as caught:
        overview_of(file)
    assert f"{file}: rows 1 to 3: max_tokens: expected int64, not string (" in str(caught.value)


def test_what_is_no_table_of_requests_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.parquet"
    with pytest.raises(BadInput, match=r"r\.parquet: no such file; check the address"):
        overview_of(file)
    pq.write_table(pa.table({"n": [1], "question": ["What?"]}), file)
    with pytest.raises(BadInput, match=r"no column '\w+', so it is no table of requests \(its col"):
        overview_of(file)
    file.write_text(json.dumps({"n": 1}))
    with pytest.raises(BadInput, match=r"cannot be read as Parquet \(ArrowInvalid: .*; write the"):
        overview_of(file)


def test_damaged_bytes_are_refused_and_never_anything_worse(tmp_path: Path) -> None:
    file = tmp_path / "r.parquet"
    write_requests(file, [question(i, PICTURES[0]) for i in range(20)])
    whole, refused = file.read_bytes(), 0
    for at in range(0, len(whole), 61):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            overview_of(file)
            list(read_requests(file))
        except BadInput as error:
            refused += 1
            assert str(error).startswith(str(file))
    assert refused > 10
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cannot be read as Parquet"):
        overview_of(file)


def test_a_table_may_lie_wherever_fsspec_goes(tmp_path: Path) -> None:
    asked = [question(i, PICTURES[0]) for i in range(3)]
    write_requests("memory://lab/deep/requests.parquet", asked)
    assert list(read_requests("memory://lab/deep/requests.parquet")) == asked
    assert fsspec.filesystem("memory").ls("/lab/deep", detail=False) == [
        "/lab/deep/requests.parquet"
    ]
    write_requests(f"file://{tmp_path}/deep/requests.parquet", asked)
    assert list(read_requests(tmp_path / "deep" / "requests.parquet")) == asked


def test_a_conversation_keeps_its_turns_and_the_places_of_its_pictures() -> None:
    turns = (
        Turn("system", ("Be brief.",)),
        Turn("user", (PICTURES[0], "or", PICTURES[1], "or", PICTURES[0], "?")),
        Turn("assistant", ("The",)),
    )
    row = row_of_request(0, Request("1", "judge", turns))
    assert row["turns"] == (
        '[["system", "Be brief."], ["user", 0, "or", 1, "or", 0, "?"], ["assistant", "The"]]'
    )
    assert [one["name"] for one in row["pictures"]] == [one.name for one in PICTURES]
