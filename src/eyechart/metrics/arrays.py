"""Turning what callers give into checked arrays. In: sequences. Out: float64 arrays, cluster codes.

Computes no statistic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput

Floats = NDArray[np.float64]
Clusters = Sequence[object] | NDArray[np.generic]


def finite(values: ArrayLike, name: str, *, ndim: int = 1) -> Floats:
    """The values as float64 of this many dimensions. Raises BadInput where one is not finite.

    >>> finite([1, True], "values")
    array([1., 1.])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim:
        raise BadInput(f"{name}: expected an array of {ndim} dimensions, got {array.ndim}")
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        where = ", ".join(map(str, index))
        raise BadInput(
            f"{name}[{where}] is {array[index]}, expected a finite number; "
            "leave out items without a value"
        )
    return array


def paired(first: ArrayLike, second: ArrayLike, names: tuple[str, str]) -> tuple[Floats, Floats]:
    """Two checked arrays of one length. Raises BadInput where the lengths differ."""
    a, b = finite(first, names[0]), finite(second, names[1])
    if a.shape != b.shape:
        raise BadInput(f"{names[0]} has {a.size} values and {names[1]} {b.size}; expected as many")
    return a, b


def cluster_codes(clusters: Clusters | None, n_items: int) -> NDArray[np.intp]:
    """For each item the number of its cluster, 0 to n_clusters - 1; None: each item its own.

    Items that are all of one cluster are each their own too: nothing can be known of how clusters
    differ, and an interval then speaks for that one photograph alone.

    >>> cluster_codes(["x", "y", "x"], 3)
    array([0, 1, 0])
    >>> cluster_codes(["x", "x", "x"], 3)
    array([0, 1, 2])
    """
    if clusters is None:
        return np.arange(n_items)
    if len(clusters) != n_items:
        raise BadInput(
            f"clusters has {len(clusters)} entries for {n_items} items; expected as many"
        )
    numbers: dict[object, int] = {}
    codes = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    return np.asarray(codes, dtype=np.intp) if len(numbers) > 1 else np.arange(n_items)
