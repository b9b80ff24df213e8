"""SRCC: Spearman's rank correlation of predictions with targets. Gives no interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eyechart.metrics import Metric
from eyechart.metrics.arrays import Floats, paired
from eyechart.metrics.plcc import correlation


def srcc(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """Spearman's rank correlation in [-1, 1] of two arrays [items]; ties get their average rank.

    None where it is undefined: fewer than two items, or either side constant.
    Raises BadInput where a value is not finite or the lengths differ.

    >>> round(srcc([0.1, 0.5, 0.9], [1, 3, 2]), 4)
    0.5
    """
    a, b = paired(predictions, targets, ("predictions", "targets"))
    return correlation(average_ranks(a), average_ranks(b))


def average_ranks(values: Floats) -> Floats:
    """Ranks from 1 to n; equal values share the mean of theirs.

    >>> average_ranks(np.array([3.0, 1.0, 3.0]))
    array([2.5, 1. , 2.5])
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


METRIC = Metric(
    name="srcc",
    title="SRCC",
    summary="rank correlation with people's scores",
    needs="pairs",
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    source="Spearman 1904, Am. J. Psychol. 15: 72-101",
    compute=srcc,
)
