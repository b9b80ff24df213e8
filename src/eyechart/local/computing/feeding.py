"""What a model takes beside token ids, brought to its device while it computes what came before.

In: trees of ready calls, or a call's pictures. Out: tensors on the device, pads 0, pixels in the
model's own dtype. Pictures are joined in memory that a GPU reads by itself. Computes no model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eyechart.local.computing.loading import Loaded
from eyechart.local.computing.scaling import scaled
from eyechart.local.pieces import Ids, Seen, Tree
from eyechart.local.preparing.collating import joined

T = TypeVar("T")
U = TypeVar("U")
Inputs = dict[str, Tensor]
STREAM: Any = torch.cuda.Stream  # untyped


class Feeder:
    """Brings the inputs of parts of a batch, those of the next part while one is computed."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        on_gpu = loaded.device.type == "cuda"
        self._side = STREAM(loaded.device) if on_gpu else None

    def each(self, parts: Sequence[Sequence[Tree]]) -> Generator[Inputs]:
        """The inputs of each part's beginnings, in order. Close it where it is not read to its end.

        Raises what goes wrong in bringing a part when that part is due.
        """
        with closing(ahead(self._brought, parts)) as coming:
            for inputs in coming:
                if self._side is not None:
                    here = torch.cuda.current_stream(self._loaded.device)
                    for tensor in inputs.values():
                        tensor.record_stream(here)  # else it might be overwritten while it is read
                yield inputs

    def _brought(self, trees: Sequence[Tree]) -> Inputs:
        with torch.inference_mode():  # a thread's own
            if self._side is None:
                return _inputs_of_trees(self._loaded, trees)
            with torch.cuda.stream(self._side):
                inputs = _inputs_of_trees(self._loaded, trees)
            self._side.synchronize()
            return inputs


def ahead(make: Callable[[T], U], items: Sequence[T]) -> Generator[U]:
    """What `make` makes of each item, in order; a thread makes the next while one is used.

    No more than the next is made. An error of `make` comes when what it fails at is due; once the
    iterator is closed, nothing is made any more.

    >>> list(ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    if len(items) < 2:
        yield from map(make, items)
        return
    with ThreadPoolExecutor(1, "eyechart inputs") as helper:
        coming = helper.submit(make, items[0])
        for item in items[1:]:
            made, coming = coming.result(), helper.submit(make, item)
            yield made
            del made
        yield coming.result()


def inputs_of(loaded: Loaded, rows: Sequence[Mapping[str, Ids]], seen: Sequence[Seen]) -> Inputs:
    """What a model takes beside token ids, on its device.

    `rows`: numbers for each token of each sequence. `seen`: the pictures of those that have some.
    """
    names = rows[0].keys() if rows else ()
    inputs = {name: padded(loaded, [row[name] for row in rows], 0) for name in names}
    empty = _pinned if loaded.device.type == "cuda" else None
    arrays = joined([one.arrays for one in seen], loaded.scale, empty=empty)
    return inputs | {name: _moved_in(loaded, name, array) for name, array in arrays.items()}


def padded(loaded: Loaded, sequences: Sequence[Ids], pad: int) -> Tensor:
    """Sequences on the device, (n, longest), filled up at their ends."""
    width = max(map(len, sequences))
    values = [[*ids, *[pad] * (width - len(ids))] for ids in sequences]
    return torch.tensor(values, dtype=torch.long, device=loaded.device)


def _inputs_of_trees(loaded: Loaded, trees: Sequence[Tree]) -> Inputs:
    """Of the beginnings of trees, whose calls all show the same."""
    firsts = [tree.calls[0] for tree in trees]
    rows = [
        {name: ids[: tree.n_shared] for name, ids in first.rows.items()}
        for tree, first in zip(trees, firsts, strict=True)
    ]
    return inputs_of(loaded, rows, [first.seen for first in firsts if first.seen])


def _pinned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Memory from which a GPU copies by itself."""
    kind = torch.from_numpy(np.empty(0, dtype)).dtype
    array: NDArray[Any] = torch.empty(shape, dtype=kind, pin_memory=True).numpy()
    return array


def _moved_in(loaded: Loaded, name: str, array: NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))
    tensor = tensor.to(loaded.device, non_blocking=True)
    if loaded.scale is not None and loaded.scale.key == name:
        return scaled(tensor, loaded.scale, loaded.dtype)
    return tensor.to(loaded.dtype) if tensor.is_floating_point() else tensor
