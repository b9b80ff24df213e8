"""Inputs come in order, one part ahead of what is computed."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from eyechart.local.computing.feeding import ahead


def test_the_next_is_made_while_one_is_used_and_no_more() -> None:
    made = [threading.Event() for _ in range(4)]

    def make(i: int) -> int:
        made[i].set()
        return i

    for i, value in enumerate(ahead(make, range(4))):
        assert value == i
        assert all(event.wait(10) for event in made[: i + 2])
        assert not any(event.is_set() for event in made[i + 2 :])


def test_an_error_comes_when_what_it_fails_at_is_due() -> None:
    def make(i: int) -> int:
        if i == 1:
            raise MemoryError("no room for its pictures")
        return i

    used = []
    with pytest.raises(MemoryError, match="no room for its pictures"):
        for value in ahead(make, range(3)):
            used.append(value)
    assert used == [0]


def test_nothing_is_made_any_more_once_it_is_closed() -> None:
    busy, made = threading.Event(), []

    def make(i: int) -> int:
        if i:
            busy.set()
        made.append(i)
        return i

    with closing(ahead(make, range(9))) as coming:
        next(coming)
        assert busy.wait(10)
    assert made == [0, 1]
