"""The five metrics of predictions against targets, for many weightings of the same items at once.

In: the pairs of values, then weights of the items. Out: each metric for each weighting, NaN where
it is undefined. Draws no weights (see `eyechart.metrics.correlations`).

For whole weights these are the metrics of a sample that holds each item that many times; so SRCC,
KRCC and PLCC are, without a sort or a loop over items. The logistic curve is fitted anew for each
weighting, from the curve of all items, to predictions in at most 512 bins: within 0.0002 of a fit
from scratch for thousands of items. Where predictions hardly follow the targets, curves that are
far apart fit about as well, and a fit from scratch may find another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyechart.metrics.arrays import Floats
from eyechart.metrics.concordance import Concordance, Weights
from eyechart.metrics.logistic import Logistic, Points, bin_starts, climb, standardised

_MOST_STEPS, _TOLERANCE = 10, 1e-6

# Sums over items are einsum's: OpenBLAS would start threads of its own for so many, which get into
# the way of those that share out the resamples.


class WeightedRanks:
    """What the rank correlations of `predictions` with `targets` [items] need of any weighting."""

    def __init__(self, predictions: Floats, targets: Floats) -> None:
        self._sides = [_Ranks(predictions), _Ranks(targets)]
        self._concordance = Concordance(predictions, targets)

    def of(self, weights: Weights) -> dict[str, Floats]:
        """`srcc` and `krcc` (tau-b) of each weighting [weightings]; weights [weightings, items]."""
        (x, x_counts), (y, y_counts) = (side.of(weights) for side in self._sides)
        total = weights.sum(axis=1, dtype=np.float64)
        spread_x, spread_y = (
            total**3 - np.einsum("wc,wc,wc->w", c, c, c) for c in (x_counts, y_counts)
        )
        apart_x, apart_y = (total**2 - np.einsum("wc,wc->w", c, c) for c in (x_counts, y_counts))
        both = np.einsum("wi,wi,wi->w", weights, x, y)
        in_order = 2 * self._concordance.count(weights)
        return {
            "srcc": _ratio(3 * both, spread_x * spread_y),
            "krcc": _ratio(in_order, apart_x * apart_y),
        }


class _Ranks:
    """The order of one value, and where among the sorted items those equal to each item lie."""

    def __init__(self, values: Floats) -> None:
        self._order = np.argsort(values, kind="stable")
        _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        self._edges = np.concatenate([[0], np.cumsum(counts)])
        self._first, self._past = self._edges[codes], self._edges[codes + 1]

    def of(self, weights: Weights) -> tuple[Floats, Floats]:
        """Twice each item's midrank less the mean one; and the weight of each distinct value."""
        below = np.zeros((len(weights), weights.shape[1] + 1), np.int32)
        ordered = weights.take(self._order, axis=1).astype(np.int32)
        np.cumsum(ordered, axis=1, out=below[:, 1:])
        ranks = below.take(self._first, axis=1) + below.take(self._past, axis=1) - below[:, -1:]
        return ranks.astype(np.float64), np.diff(below.take(self._edges, axis=1)).astype(np.float64)


class WeightedValues:
    """What PLCC, and the metrics after the logistic fit, need of any weighting.

    `predictions`, `targets`: [items], neither constant. `curve`: that of all items, if any.
    """

    def __init__(self, predictions: Floats, targets: Floats, curve: Logistic | None) -> None:
        (x, x_unit), (y, y_unit) = standardised(predictions), standardised(targets)
        self._columns = x, y, x * x, y * y, x * y
        self._unit, self._start = y_unit.deviation, None
        if curve is not None:
            self._start = x_unit.deviation / curve.b4, (x_unit.mean - curve.b3) / curve.b4
        self._order = np.argsort(x, kind="stable")
        self._starts, self._targets = bin_starts(x[self._order]), y[self._order]
        counts = np.diff(self._starts, append=x.size)
        self._bins = np.add.reduceat(x[self._order], self._starts) / counts

    def of(self, weights: Weights) -> dict[str, Floats]:
        """`plcc`, `plcc_fitted` and `rmse` of each weighting [weightings]."""
        total = weights.sum(axis=1, dtype=np.float64)
        exact = weights.astype(np.float64)
        x, y, xx, yy, xy = (np.einsum("wi,i->w", exact, of) / total for of in self._columns)
        of_x, of_y = xx - x * x, yy - y * y
        varies = _varies(of_x, xx) & _varies(of_y, yy)
        gain = np.where(varies, self._gain(weights) / total, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            fitted = np.sqrt(np.minimum(gain / of_y, 1))
        return {
            "plcc": _ratio(xy - x * y, np.where(varies, of_x * of_y, np.nan)),
            "plcc_fitted": fitted,
            "rmse": self._unit * np.sqrt(np.maximum(of_y - gain, 0)),
        }

    def _gain(self, weights: Weights) -> Floats:
        """By how much each weighting's own curve lowers the squared residuals; NaN without one."""
        if self._start is None:
            return np.full(len(weights), np.nan)
        ordered = weights.take(self._order, axis=1).astype(np.float64)
        in_bins = np.add.reduceat(ordered, self._starts, axis=1)
        targets = np.add.reduceat(ordered * self._targets, self._starts, axis=1)
        points = Points(self._bins, in_bins, targets)
        start = np.full(len(weights), self._start[0]), np.full(len(weights), self._start[1])
        return climb(points, start, n_steps=_MOST_STEPS, tolerance=_TOLERANCE).gain


def _ratio(part: Floats, square: Floats) -> Floats:
    """`part` over the root of `square`, within [-1, 1]; NaN where the square is not positive."""
    root = np.sqrt(np.where(square > 0, square, np.nan))
    return np.clip(part / root, -1, 1)


def _varies(spread: Floats, size: Floats) -> NDArray[np.bool_]:
    """Whether a variance is more than rounding leaves of the mean square."""
    return spread > 1e-13 * size
