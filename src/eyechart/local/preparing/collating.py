"""Many calls' arrays end to end, and how pixels that are still whole numbers become values.

In: the arrays of several calls. Out: one array of each name, as a model takes them at once. Numpy
only: `scaling` does the same sums on a device. Reads no picture and knows no model by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyechart.local.pieces import Arrays

Floats = NDArray[np.float32]
Empty = Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]]
"""Makes an array of a shape and a dtype, with anything in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How pixels of 0 to 255 become what a model takes: `pixels * gain + offset`, in float32.

    `key`: the name of the array that holds pixels; while it is uint8 it is still to be scaled, as
    floats it is done. `gain`, `offset`: as long as the array's last axes, or 1 along them.

    >>> half = Scale("pixel_values", np.full((3, 1, 1), 2 / 255, np.float32),
    ...              np.full((3, 1, 1), -1, np.float32))
    >>> half.applied(np.array([0, 255], np.uint8).reshape(1, 1, 1, 2)).round(3).tolist()[0][0]
    [[-1.0, 1.0]]
    """

    key: str
    gain: Floats
    offset: Floats

    def applied(self, pixels: NDArray[Any]) -> Floats:
        """The model's values of pixels, float32; floats come back as they are."""
        if pixels.dtype != np.uint8:
            return pixels.astype(np.float32, copy=False)
        return pixels.astype(np.float32) * self.gain + self.offset


def joined(
    arrays: Sequence[Arrays], scale: Scale | None = None, *, empty: Empty | None = None
) -> dict[str, NDArray[Any]]:
    """The arrays of several calls, joined along their first axis; {} of none.

    `empty` makes what they are written into; without it an array alone is handed on uncopied. Where
    other axes differ, each is filled with zeros at its end to the longest. A model takes zeros for
    no picture only among its own values, so pixels that are still uint8 are scaled before they are
    filled; where `scale` is None they are filled as they are.

    >>> one, two = {"mask": np.ones((1, 2), np.int64)}, {"mask": np.ones((1, 1), np.int64)}
    >>> joined([one, two])["mask"].tolist()
    [[1, 1], [1, 0]]
    """
    names = dict.fromkeys(name for one in arrays for name in one)
    return {
        name: _end_to_end(
            [one[name] for one in arrays if name in one],
            scale if scale is not None and scale.key == name else None,
            empty,
        )
        for name in names
    }


def _end_to_end(
    parts: list[NDArray[Any]], scale: Scale | None, empty: Empty | None
) -> NDArray[Any]:
    if len(parts) == 1 and empty is None:
        return parts[0]
    longest = tuple(max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True))
    alike = all(part.shape[1:] == longest and part.dtype == parts[0].dtype for part in parts)
    if scale is not None and not alike:
        parts = [scale.applied(part) for part in parts]
    n_rows = sum(len(part) for part in parts)
    whole = (empty or np.empty)((n_rows, *longest), np.result_type(*parts))
    if alike:
        return np.concatenate(parts, out=whole)
    whole.fill(0)
    at = 0
    for part in parts:
        whole[(slice(at, at + len(part)), *(slice(size) for size in part.shape[1:]))] = part
        at += len(part)
    return whole
