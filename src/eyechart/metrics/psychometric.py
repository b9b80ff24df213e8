"""Psychometric functions: from right and wrong at known severities to a detection threshold.

In: trials, each with its severity, whether it was right, and its cluster. Out: the threshold with
its interval, in the unit of the severities. Draws no curve. Not a plug-in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, paired
from eyechart.metrics.bootstrap import resample_weights
from eyechart.metrics.jackknife import TAIL
from eyechart.records import Estimate

LAPSE = 0.02
_N_THRESHOLDS = 241
_N_SLOPES = 16
_AS_GOOD = 0.01  # log-likelihoods this close are told apart by no data


def threshold(
    severities: ArrayLike,
    right: ArrayLike,
    clusters: Clusters | None = None,
    *,
    chance: float,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The severity at which the chance of being right is halfway between `chance` and 1.

    Fits chance + (1 - chance - 0.02) / (1 + exp(-slope (log severity - m))) with slope > 0 to
    trials [n] by maximum likelihood on a grid; the interval is that of a bootstrap over clusters.
    The form is that of Wichmann and Hill 2001, Percept. Psychophys. 63: 1293-1313, with the lapse
    rate fixed.

    None always means beyond the strongest severity tested: the `value` is None where the fitted
    curve does not come halfway by then, `high` where the interval ends beyond it, `low` where all
    of it lies beyond. A figure that equals the weakest severity means that severity or less. All
    three are also None for fewer than two severities.

    `severities` > 0; `right` is 0 or 1; `chance` in [0, 0.9]. Raises BadInput otherwise.

    >>> severities = [1, 2, 4, 8] * 20
    >>> found = threshold(severities, [s > 2 for s in severities], chance=0.25)
    >>> 2 < found.value < 4
    True
    """
    x, y = _checked(severities, right, chance)
    codes = cluster_codes(clusters, x.size)
    levels, places = np.unique(x, return_inverse=True)
    if levels.size < 2:
        return Estimate(None, None, None, x.size)
    grid = _grid(levels, chance)
    n_clusters = int(codes.max()) + 1
    counts = np.zeros((2, n_clusters, levels.size), np.float32)
    np.add.at(counts, (y.astype(np.intp), codes, places), 1)
    wrong, right_counts = counts
    value = _best(grid, right_counts.sum(0)[None], wrong.sum(0)[None])[0]
    weights = np.concatenate(list(resample_weights(n_clusters, n_resamples, seed)))
    # Few photographs have few different resamples: each is fitted once.
    weights, places = np.unique(weights, axis=0, return_inverse=True)
    draws = _best(grid, weights @ right_counts, weights @ wrong)[places]
    low, high = np.quantile(draws, [TAIL, 1 - TAIL])
    return Estimate(_told(value, levels), _told(low, levels), _told(high, levels), x.size)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Every candidate curve: its log threshold [curves], and log chances [levels, curves]."""

    thresholds: Floats
    log_right: NDArray[np.float32]
    log_wrong: NDArray[np.float32]


def _checked(severities: ArrayLike, right: ArrayLike, chance: float) -> tuple[Floats, Floats]:
    x, y = paired(severities, right, ("severities", "right"))
    if not 0 <= chance <= 0.9:
        raise BadInput(f"chance is {chance}, expected a number from 0 to 0.9")
    if (x <= 0).any():
        index = int((x <= 0).argmax())
        raise BadInput(f"severities[{index}] is {x[index]:g}, expected a number above 0")
    graded = (y != 0) & (y != 1)
    if graded.any():
        index = int(graded.argmax())
        raise BadInput(f"right[{index}] is {y[index]:g}, expected 0 or 1")
    return x, y


def _grid(levels: Floats, chance: float) -> _Grid:
    """Thresholds to half the tested range beyond it; slopes from shallow ones to steps."""
    x = np.log(levels)
    span = x[-1] - x[0]
    steepest = 10 / float(np.median(np.diff(x)))
    candidates = np.linspace(x[0] - span / 2, x[-1] + span / 2, _N_THRESHOLDS)
    slopes = np.geomspace(min(2 / span, steepest / 4), steepest, _N_SLOPES)
    thresholds = np.repeat(candidates, _N_SLOPES)
    reach = 1 - chance - LAPSE
    halfway = (1 - chance) / 2 / reach
    log_odds = np.tile(slopes, _N_THRESHOLDS) * (x[:, None] - thresholds)
    shape = 1 / (1 + np.exp(-np.clip(log_odds + np.log(halfway / (1 - halfway)), -50, 50)))
    p = np.clip(chance + reach * shape, 1e-6, 1 - 1e-6)
    return _Grid(thresholds, np.log(p).astype(np.float32), np.log1p(-p).astype(np.float32))


def _best(grid: _Grid, right: NDArray[np.float32], wrong: NDArray[np.float32]) -> Floats:
    """The log threshold of the likeliest curve for each row of counts [rows, levels]."""
    out = [np.empty(0)]
    for start in range(0, len(right), 500):
        rows = slice(start, start + 500)
        likelihood = right[rows] @ grid.log_right + wrong[rows] @ grid.log_wrong
        best = likelihood >= likelihood.max(axis=1, keepdims=True) - _AS_GOOD
        out.append(best @ grid.thresholds / best.sum(axis=1))
    return np.concatenate(out)


def _told(log_severity: float, levels: Floats) -> float | None:
    severity = float(np.exp(log_severity))
    if severity > levels[-1] * (1 + 1e-9):
        return None
    return max(severity, float(levels[0]))
