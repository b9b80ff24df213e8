"""Messages with large arrays between two of our processes: the arrays follow uncopied.

In: a message at one end of a pipe. Out: the same at the other. A batch of pictures has some hundred
megabytes; inside the message itself they would take ten times longer.
"""

from __future__ import annotations

import os
from io import BytesIO
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

PROTOCOL = 5
"""The first that leaves arrays out of the message."""


def send(pipe: Connection, message: object) -> None:
    """Send it; `receive` must follow at the other end. Raises OSError where nobody is there."""
    packed, arrays = BytesIO(), list[Any]()
    ForkingPickler(packed, PROTOCOL, True, arrays.append).dump(message)
    left_out = [array.raw() for array in arrays]
    pipe.send((packed.getvalue(), [view.nbytes for view in left_out]))
    for view in left_out:
        while view:
            view = view[os.write(pipe.fileno(), view) :]


def receive(pipe: Connection) -> Any:
    """The message that was sent. Raises EOFError and OSError where the other end is gone."""
    packed, sizes = pipe.recv()
    return ForkingPickler.loads(packed, buffers=[_read(pipe, n_bytes) for n_bytes in sizes])


def _read(pipe: Connection, n_bytes: int) -> memoryview:
    """So many bytes, in memory that may be written to."""
    whole = left = np.empty(n_bytes, np.uint8).data
    while left:
        n_read = os.readv(pipe.fileno(), [left])
        if not n_read:
            raise EOFError
        left = left[n_read:]
    return whole
