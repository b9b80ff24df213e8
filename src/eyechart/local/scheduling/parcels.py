"""Trees on their way to another process: the pictures' arrays follow by themselves, uncopied.

In: trees at one end of a pipe. Out: the same trees at the other, without what was asked in words. A
batch of pictures has some hundred megabytes; as part of a message they would take ten times longer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyechart.local.pieces import Ready, Seen, Tree


def send(pipe: Connection, trees: Sequence[Tree]) -> None:
    """Send trees; `receive` must follow at the other end. Raises OSError where nobody is there."""
    pictures = _pictures(trees)
    emptied = {id(seen): replace(seen, arrays={}) for seen in pictures}
    forms = [{name: (a.dtype.str, a.shape) for name, a in s.arrays.items()} for s in pictures]
    pipe.send(([_showing(tree, emptied) for tree in trees], forms))
    for seen in pictures:
        for array in seen.arrays.values():
            _write(pipe, array)


def receive(pipe: Connection) -> list[Tree]:
    """The trees that were sent. Raises EOFError and OSError where the other end is gone."""
    trees, forms = pipe.recv()
    filled = {
        id(seen): replace(seen, arrays={name: _read(pipe, *of) for name, of in form.items()})
        for seen, form in zip(_pictures(trees), forms, strict=True)
    }
    return [_showing(tree, filled) for tree in trees]


def _pictures(trees: Sequence[Tree]) -> list[Seen]:
    """Each `Seen` once, in the order in which calls show them."""
    seen = [call.seen for tree in trees for call in tree.calls if call.seen is not None]
    return list({id(one): one for one in seen}.values())


def _showing(tree: Tree, other: Mapping[int, Seen]) -> Tree:
    return replace(tree, calls=tuple(_call_showing(call, other) for call in tree.calls))


def _call_showing(call: Ready, other: Mapping[int, Seen]) -> Ready:
    """The turns are left behind: they hold the files of the pictures, and the tokens say it all."""
    request = replace(call.request, turns=())
    return replace(call, request=request, seen=other[id(call.seen)] if call.seen else None)


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _write(pipe: Connection, array: NDArray[Any]) -> None:
    left = _bytes(np.ascontiguousarray(array))
    while left:
        left = left[os.write(pipe.fileno(), left) :]


def _read(pipe: Connection, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.empty(shape, dtype)
    left = _bytes(array)
    while left:
        n_read = os.readv(pipe.fileno(), [left])
        if not n_read:
            raise EOFError
        left = left[n_read:]
    return array
