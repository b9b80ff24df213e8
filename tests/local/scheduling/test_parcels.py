"""Trees come through a pipe as they were, but for the words and files of the request."""

from __future__ import annotations

import threading
from multiprocessing import Pipe

import numpy as np
import pytest

from eyechart.local.pieces import Arrays, Ready, Seen, Tree
from eyechart.local.scheduling import parcels
from eyechart.records import Picture, Request, Turn

REQUEST = Request("1", "answer", (Turn("user", (Picture(data=b"\xff" * 1000), "sharp?")),))


def through_a_pipe(trees: list[Tree]) -> list[Tree]:
    here, there = Pipe()
    thread = threading.Thread(target=parcels.send, args=(here, trees))
    thread.start()
    try:
        return parcels.receive(there)
    finally:
        thread.join(60)
        here.close()
        there.close()


def test_arrays_of_any_form_arrive_whole_and_each_once() -> None:
    arrays: Arrays = {
        "large": np.arange(3 * 10**6, dtype=np.uint8).reshape(3, 1000, 1000),
        "turned": np.arange(12.0).reshape(3, 4).T,
        "empty": np.zeros((0, 5), np.float32),
        "single": np.array(7, np.int64),
    }
    seen = Seen("photo", arrays, ("<image>",), note="shrunk")
    calls = tuple(
        Ready(REQUEST, (1, 2, n), seen, {"kinds": (0, 1, 0)}, 2, ((5,),), 9) for n in (3, 4)
    )
    text = Ready(REQUEST, (1, 2))
    first, second = through_a_pipe([Tree(calls, 2), Tree((text,), 2)])
    arrived = first.calls[0].seen
    assert arrived is not None
    assert first.calls[1].seen is arrived
    for name, array in arrays.items():
        np.testing.assert_array_equal(arrived.arrays[name], array)
        assert arrived.arrays[name].dtype == array.dtype
    assert (arrived.key, arrived.written, arrived.note) == ("photo", ("<image>",), "shrunk")
    assert first.n_shared == 2
    assert [call.ids for call in first.calls] == [(1, 2, 3), (1, 2, 4)]
    assert first.calls[0].rows == {"kinds": (0, 1, 0)}
    assert second.calls[0].seen is None
    assert {call.request.turns for call in (*first.calls, *second.calls)} == {()}


def test_the_end_of_the_other_side_is_heard() -> None:
    here, there = Pipe()
    here.send(([Tree((Ready(REQUEST, (1,), Seen("p", {}, ())),), 1)], [{"x": ("|u1", (9,))}]))
    here.close()
    with pytest.raises(EOFError):
        parcels.receive(there)
    with pytest.raises(OSError, match="Broken pipe"):
        parcels.send(there, [])
    there.close()
