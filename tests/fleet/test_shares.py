"""Shares of a table: every request in one, whatever is done already, and parts named by content."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fleet.asked_for import question

from eyechart.fleet import request_rows
from eyechart.fleet.one_response import Placed
from eyechart.fleet.request_rows import write_requests
from eyechart.fleet.response_table import read_responses
from eyechart.fleet.shares import Parts, Share, read_share, shares_of
from eyechart.records import Failure, Request, Response, Turn, likelihood


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ten questions in row groups of four."""
    monkeypatch.setattr(request_rows, "GROUP_ROWS", 4)
    write_requests(tmp_path / "requests.parquet", [question(n) for n in range(10)])
    return str(tmp_path / "requests.parquet")


def placed(n: int, failure: Failure | None = None) -> Placed:
    return Placed(n, Response(f"item-{n}", "answer", 0, "ab", "mine", failure=failure))


def test_shares_hold_what_is_not_done_in_the_order_of_the_table(table: str) -> None:
    assert shares_of(table, done={0, 5}, most=3) == [
        Share(0, (0,), (1, 2, 3)),
        Share(1, (1,), (4, 6, 7)),
        Share(2, (2,), (8, 9)),
    ]


def test_a_share_may_lie_in_several_row_groups(table: str) -> None:
    (share,) = shares_of(table)
    assert share == Share(0, (0, 1, 2), tuple(range(10)))
    assert [one.n for one in read_share(table, share)] == list(range(10))


def test_a_shares_requests_are_those_of_the_table(table: str) -> None:
    read = list(read_share(table, Share(7, (1, 2), (5, 8)), without={8}))
    assert [(one.n, one.request) for one in read] == [(5, question(5))]


def test_each_worker_has_some_shares_of_a_long_table(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eyechart.fleet import shares

    monkeypatch.setattr(shares, "FEWEST_ROWS", 1)
    assert [len(share.wanted) for share in shares_of(table, n_workers=1)] == [3, 3, 3, 1]


def test_shares_can_hold_some_wants_alone(tmp_path: Path) -> None:
    texts = Request("7", "answer", (Turn("user", ("Is it",)),), want=likelihood("good", "poor"))
    write_requests(tmp_path / "requests.parquet", [question(0), texts, question(2)])
    table = str(tmp_path / "requests.parquet")
    assert [share.wanted for share in shares_of(table, wants=["likelihood"])] == [(1,)]
    assert [share.wanted for share in shares_of(table, wants=["text"])] == [(0, 2)]


def test_a_part_written_twice_is_there_once(tmp_path: Path) -> None:
    parts = Parts(str(tmp_path), 1)
    first = parts.write(3, [placed(5), placed(4)])
    assert parts.write(3, [placed(4), placed(5)]) == first
    assert parts.write(3, [placed(6)]) != first
    assert sorted(parts.all_written()) == [4, 5, 6]
    assert sorted(one.n for one in read_responses(tmp_path)) == [4, 5, 6]


def test_what_is_written_of_a_share_is_told_with_its_failures(tmp_path: Path) -> None:
    parts = Parts(str(tmp_path), 1)
    assert parts.written(0) == {}
    parts.write(0, [placed(0), placed(1, Failure("refused", "no"))])
    parts.write(1, [placed(2)])
    Parts(str(tmp_path), 2).write(0, [placed(3)])
    assert parts.written(0) == {0: False, 1: True}
