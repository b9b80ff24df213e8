"""Kendall's count of pairs in order, for many weightings of the same items at once, exactly.

In: two values of each item, then weights of the items. Out: for each weighting the weighted number
of pairs in the same order by both values, less those in opposite orders. Corrects for no ties.

Items are dealt into narrow bins by each value. Pairs that share no bin are counted from the table
of both bins; pairs within a bin one by one. All of it is matrix products of about n^1.5 terms for n
items, where sorting anew would need no product but a sort for each weighting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.metrics.arrays import Floats

Weights = NDArray[np.float32]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Block:
    """Items of one bin: their `places` among all, and the signs of their pairs [places, places]."""

    places: slice
    signs: NDArray[np.int8]


class _Side:
    """The items in the order of one value, and the bin of each."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        _, self.codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        self.bins = _bins(counts)[self.codes]
        self.n_bins = int(self.bins.max()) + 1

    def places(self) -> list[slice]:
        """Where each bin lies in `order`; bins of one value only are left out."""
        bins, codes = self.bins[self.order], self.codes[self.order]
        edges = np.flatnonzero(np.diff(bins, prepend=-1, append=self.n_bins))
        pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        return [slice(low, high) for low, high in pairs if codes[low] != codes[high - 1]]


class Concordance:
    """What is known of the pairs of items before they are weighted; values of items [items].

    >>> pairs = Concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    >>> pairs.count(np.ones((1, 3), np.float32)).tolist()
    [1.0]
    """

    def __init__(self, first: Floats, second: Floats) -> None:
        self._sides = x, y = _Side(first), _Side(second)
        self._blocks = [
            [_Block(places, _signs(x, y, x.order[places])) for places in x.places()],
            [_Block(places, _signs(x, y, y.order[places], new=True)) for places in y.places()],
        ]
        cells = x.bins * y.n_bins + y.bins
        self._by_cell = np.argsort(cells, kind="stable")
        self._cells, self._cell_starts = np.unique(cells[self._by_cell], return_index=True)

    def count(self, weights: Weights) -> Floats:
        """Pairs in order less those out of order [weightings], for weights [weightings, items].

        Exact for whole weights that sum to less than 2^24, which float32 holds without rounding.
        """
        total = self._between(weights)
        for side, blocks in zip(self._sides, self._blocks, strict=True):
            ordered = weights.take(side.order, axis=1)
            for block in blocks:
                inside = ordered[:, block.places]
                total += np.vecdot(inside, inside @ block.signs.astype(np.float32))
        return total / 2

    def _between(self, weights: Weights) -> Floats:
        """Twice the count of the pairs that share no bin of either value."""
        x, y = self._sides
        table = np.zeros((len(weights), x.n_bins * y.n_bins), np.float32)
        sums = np.add.reduceat(weights.take(self._by_cell, axis=1), self._cell_starts, axis=1)
        table[:, self._cells] = sums
        table = table.reshape(-1, x.n_bins, y.n_bins)
        ahead = _steps(x.n_bins) @ (table @ _steps(y.n_bins).T)
        return np.einsum("wxy,wxy->w", table, ahead, dtype=np.float64)


def _bins(counts: Ints) -> Ints:
    """The bin of each distinct value, given how many items have it; in the order of the values.

    About the square root of the items go into a bin. A value of more items has one to itself.
    """
    width = max(1, round(float(counts.sum()) ** 0.5))
    starts = np.cumsum(counts) - counts
    keys = 2 * (starts // width) + (counts > width)
    return np.asarray(np.unique(keys, return_inverse=True)[1])


def _signs(x: _Side, y: _Side, items: Ints, *, new: bool = False) -> NDArray[np.int8]:
    """1 for pairs in the same order by both, -1 in opposite ones, 0 for ties [items, items].

    `new`: 0 for pairs that share a bin of x too, because they have been counted there.
    """
    by_x, by_y = x.codes[items], y.codes[items]
    signs = np.sign(by_x[:, None] - by_x).astype(np.int8)
    signs *= np.sign(by_y[:, None] - by_y).astype(np.int8)
    if new:
        signs *= x.bins[items][:, None] != x.bins[items]
    return signs


def _steps(n: int) -> NDArray[np.float32]:
    """The sign of row less column [n, n]."""
    return np.sign(np.arange(n)[:, None] - np.arange(n)).astype(np.float32)
