"""Messages come through a pipe as they were, their arrays whole and each once."""

from __future__ import annotations

import threading
from multiprocessing import Pipe
from typing import Any

import numpy as np
import pytest

from eyechart.local import parcels
from eyechart.local.pieces import Arrays, Ready, Seen, Tree
from eyechart.records import Request


def through_a_pipe(message: object) -> Any:
    here, there = Pipe()
    with here, there:
        thread = threading.Thread(target=parcels.send, args=(here, message))
        thread.start()
        try:
            return parcels.receive(there)
        finally:
            thread.join(60)


def test_arrays_of_any_form_arrive_whole_and_each_once() -> None:
    arrays: Arrays = {
        "large": np.arange(3 * 10**6, dtype=np.uint8).reshape(3, 1000, 1000),
        "turned": np.arange(12.0).reshape(3, 4).T,
        "every other": np.arange(12.0).reshape(3, 4)[:, ::2],
        "empty": np.zeros((0, 5), np.float32),
        "single": np.array(7, np.int64),
    }
    request, seen = Request("1", "answer", ()), Seen("photo", arrays, ("<image>",))
    calls = tuple(
        Ready(request, (1, 2, n), seen, {"kinds": (0, 1, 0)}, 2, ((5,),), 9) for n in (3, 4)
    )
    first, second = through_a_pipe([Tree(calls, 2), Tree((Ready(request, (1, 2)),), 2)])
    arrived = first.calls[0].seen
    assert first.calls[1].seen is arrived
    for name, array in arrays.items():
        np.testing.assert_array_equal(arrived.arrays[name], array)
        assert arrived.arrays[name].dtype == array.dtype
        assert arrived.arrays[name].flags.writeable  # or torch warns of it
    assert (arrived.key, arrived.written) == ("photo", ("<image>",))
    assert [call.ids for call in first.calls] == [(1, 2, 3), (1, 2, 4)]
    assert first.calls[0].rows == {"kinds": (0, 1, 0)}
    assert second == Tree((Ready(request, (1, 2)),), 2)


def test_large_arrays_are_no_part_of_the_message() -> None:
    here, there = Pipe()
    with here, there:
        array = np.zeros(10**5, np.uint8)  # as much as a pipe holds
        parcels.send(here, {"x": array})
        packed, sizes = there.recv()
    assert len(packed) < 1000
    assert sizes == [array.nbytes]


def test_the_end_of_the_other_side_is_heard() -> None:
    here, there = Pipe()
    parcels.send(here, np.arange(9))
    here.send((b"", [9]))
    here.close()
    np.testing.assert_array_equal(parcels.receive(there), np.arange(9))
    with pytest.raises(EOFError):
        parcels.receive(there)
    with pytest.raises(OSError, match="Broken pipe"):
        parcels.send(there, np.arange(9))
    there.close()
