"""Kendall's count of pairs in order, for many weightings of the same items at once, exactly.

In: two values of each item, then whole weights of the items. Out: for each weighting the weighted
number of pairs in the same order by both values, less those in opposite orders. Corrects for no
ties.

Items are dealt into narrow bins by each value. Pairs that share no bin are counted in the table of
both bins; pairs within a bin one by one, as small matrix products. Made for up to some 100,000
items: the table and the products grow faster than the items do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyechart.metrics.arrays import Floats

Weights = NDArray[np.float32]
Ints = NDArray[np.integer]
# Multiplications in one product. OpenBLAS would start threads of its own for more, which get into
# the way of those that share out the resamples.
_LARGEST_PRODUCT = 2**18


class Concordance:
    """What is known of the pairs of items before they are weighted; values of items [items].

    >>> pairs = Concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    >>> pairs.count(np.ones((1, 3), np.float32)).tolist()
    [1.0]
    """

    def __init__(self, first: Floats, second: Floats) -> None:
        width = _width(first.size)
        x, y = _Side(first, width), _Side(second, width)
        self._shape = x.n_bins, y.n_bins
        cells = x.bins * y.n_bins + y.bins
        self._by_cell = np.argsort(cells, kind="stable")
        self._cells, self._cell_starts = np.unique(cells[self._by_cell], return_index=True)
        # pairs that share both bins are counted within those of x
        self._blocks = [
            _Blocks(x.places(), (x.codes, y.codes)),
            _Blocks(y.places(), (x.bins, y.codes)),
        ]
        longest = max(width, *(blocks.longest for blocks in self._blocks))
        self._rows = max(8, _LARGEST_PRODUCT // longest**2)

    def count(self, weights: Weights) -> Floats:
        """Pairs in order less those out of order [weightings], for weights [weightings, items].

        Exact for whole weights whose sum, and the square of a bin's, stay below 2^24.
        """
        starts = range(0, len(weights), self._rows)
        return np.concatenate([self._count(weights[at : at + self._rows]) for at in starts])

    def _count(self, weights: Weights) -> Floats:
        padded = np.concatenate([weights, np.zeros((len(weights), 1), np.float32)], axis=1)
        within_x, within_y = (blocks.count(padded) for blocks in self._blocks)
        return np.asarray(self._between(weights) + within_x + within_y)

    def _between(self, weights: Weights) -> Floats:
        """The pairs that share no bin of either value."""
        sums = np.add.reduceat(weights.take(self._by_cell, axis=1), self._cell_starts, axis=1)
        flat = np.zeros((len(weights), self._shape[0] * self._shape[1]), np.int32)
        flat[:, self._cells] = sums
        table = flat.reshape(-1, *self._shape)
        below = np.cumsum(table, axis=2, dtype=np.int32)
        for x in range(1, self._shape[0]):
            below[:, x] += below[:, x - 1]
        in_order = _products(table[:, 1:, 1:], below[:, :-1, :-1])
        by_x, by_y = table.sum(axis=2, dtype=np.float64), table.sum(axis=1, dtype=np.float64)
        total = by_x.sum(axis=1)
        apart = total**2 - np.vecdot(by_x, by_x) - np.vecdot(by_y, by_y) + _products(table, table)
        return np.asarray(2 * in_order - apart / 2)


class _Side:
    """The place of each item's value among the distinct ones, and the bin it falls into."""

    def __init__(self, values: Floats, width: int) -> None:
        self.order = np.argsort(values, kind="stable")
        _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        starts = np.cumsum(counts) - counts
        keys = 2 * (starts // width) + (counts > width)  # a value of many items has its own bin
        self.codes = codes.astype(np.int32)
        self.bins = np.unique(keys, return_inverse=True)[1][codes].astype(np.int32)
        self.n_bins = int(self.bins.max()) + 1

    def places(self) -> list[Ints]:
        """The items of each bin, in order; bins of one value only are left out."""
        edges = np.flatnonzero(np.diff(self.bins[self.order])) + 1
        bins = np.split(self.order, edges)
        return [items for items in bins if self.codes[items[0]] != self.codes[items[-1]]]


class _Blocks:
    """The signs of the pairs within each bin; short bins are filled up with an item of weight 0."""

    def __init__(self, places: list[Ints], codes: tuple[Ints, Ints]) -> None:
        self.longest = max(map(len, places), default=0)
        self._places = np.full((len(places), self.longest), codes[0].size)
        for row, items in zip(self._places, places, strict=True):
            row[: len(items)] = items
        x, y = (np.append(code, code[:1])[self._places] for code in codes)
        self._signs = np.sign(x[:, :, None] - x[:, None]).astype(np.int8)
        self._signs *= np.sign(y[:, :, None] - y[:, None]).astype(np.int8)

    def count(self, padded: Weights) -> Floats:
        """Each weighting's pairs; weights [weightings, items + 1], of which the last are 0."""
        inside = padded.take(self._places.ravel(), axis=1)
        inside = inside.reshape(len(padded), *self._places.shape).swapaxes(0, 1)
        pairs = np.vecdot(inside, inside @ self._signs.astype(np.float32))
        return np.asarray(pairs.sum(axis=0, dtype=np.float64) / 2)


def _width(n_items: int) -> int:
    """Items to a bin: few enough for small products, enough for a table that is not too large."""
    few = min(round(5 * float(np.cbrt(n_items))), 100)
    return max(1, few, n_items // 600)


def _products(first: NDArray[np.int32], second: NDArray[np.int32]) -> Floats:
    """The sum of products for each weighting [weightings]."""
    return np.asarray(np.einsum("wxy,wxy->w", first, second, dtype=np.float64))
