"""How predictions follow people's scores: five metrics of pairs, with intervals, at once.

In: predictions and targets of items, and the cluster of each. Out: every metric's `Estimate` and
its value in each resample, so that differences and means over databases have intervals too. Fits
the curve and counts the pairs elsewhere.

Intervals are those of the percentile bootstrap over clusters (Efron 1979, Ann. Stat. 7: 1-26), with
the same resamples for all five metrics. Each resample's SRCC, KRCC and PLCC is exactly what its
items give; for the metrics after the logistic fit the curve is fitted anew to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, paired
from eyechart.metrics.bootstrap import resample_weights
from eyechart.metrics.concordance import Weights
from eyechart.metrics.jackknife import TAIL
from eyechart.metrics.krcc import krcc
from eyechart.metrics.logistic import Logistic, fit_logistic
from eyechart.metrics.plcc import plcc
from eyechart.metrics.srcc import srcc
from eyechart.metrics.weighted import WeightedRanks, WeightedValues
from eyechart.records import Estimate

METRICS_OF_PAIRS = ("srcc", "krcc", "plcc", "plcc_fitted", "rmse")
FEWEST_ITEMS = 3
MOST_UNDEFINED = 0.05
_PIECE_CELLS = 2_000_000
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class Correlations:
    """The metrics of one set of pairs, by their names in METRICS_OF_PAIRS.

    `n`: items. `n_distinct`: how many values the ranks are made from. `estimates`: no value and no
    interval where undefined. `draws`: each metric in every resample [n_resamples], NaN in those
    where it is undefined; empty where the metric itself is.
    """

    n: int
    n_distinct: int
    estimates: Mapping[str, Estimate]
    draws: Mapping[str, Floats]


def correlations(
    predictions: ArrayLike,
    targets: ArrayLike,
    *,
    ranks: ArrayLike | None = None,
    clusters: Clusters | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Correlations:
    """All five metrics of predictions and targets [items], each with its 95 % interval.

    `ranks`: what SRCC and KRCC are computed from instead of the predictions, where these were
    rounded on the way (log-odds, for predictions that are a softmax of them). `clusters`: of each
    item, where items are not independent; each item its own by default.

    A metric is undefined (None) for fewer than three items, for fewer than five where a curve is
    fitted, and where either side is constant. The same arguments give the same result, whatever
    the number of cores; the same items, clusters and seed give the same resamples, so that draws
    can be subtracted. Raises BadInput where a value is not finite, the lengths differ, or
    n_resamples is below 1.

    >>> found = correlations([0.1, 0.4, 0.3, 0.8, 0.9], [1, 2, 3, 4, 5], n_resamples=20)
    >>> round(found.estimates["srcc"].value, 4), found.n_distinct, found.draws["srcc"].shape
    (0.9, 5, (20,))
    """
    x, y = paired(predictions, targets, ("predictions", "targets"))
    ranked = x if ranks is None else paired(ranks, y, ("ranks", "targets"))[0]
    codes = cluster_codes(clusters, x.size)
    curve = fit_logistic(x, y)
    values = _values((x, y), ranked, curve)
    weighted: list[Callable[[Weights], Sequence[Floats]]] = []
    if values["srcc"] is not None:
        weighted.append(WeightedRanks(ranked, y).of)
    if values["plcc"] is not None:
        weighted.append(WeightedValues(x, y, curve).of)
    rows = _draws(weighted, codes, n_resamples, seed)
    ...
