"""95 % intervals: Wilson for proportions, the bootstrap for means and correlations.

In: values by item, and the cluster of each item, because items about one photograph are not
independent. Out: an `Estimate`, with None where something is undefined. Not a plug-in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, finite, paired
from eyechart.metrics.bootstrap import bootstrap_means, resample_weights
from eyechart.metrics.plcc import plcc
from eyechart.metrics.srcc import srcc
from eyechart.records import Estimate

Statistic = Callable[[Floats, Floats], float | None]

UNDEFINED = Estimate(None, None, None, 0)
TAIL = 0.025
Z = float(special.ndtri(1 - TAIL))


def wilson(n_right: float, n: int) -> Estimate:
    """The share n_right / n with its Wilson interval, both in [0, 1]; None where n is 0.

    Wilson 1927, J. Am. Stat. Assoc. 22: 209-212. Raises BadInput unless 0 <= n_right <= n.

    >>> round(wilson(0, 10).high, 4)
    0.2775
    """
    if not 0 <= n_right <= n:
        raise BadInput(f"{n_right} right of {n}: expected a number from 0 to {n}")
    return _score_interval(n_right / n, n, n, Z) if n else UNDEFINED


def proportion(values: ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The share of values [items] of 0 and 1, with a Wilson interval that heeds clusters.

    The effective number of items is n over the design effect, which is the cluster-robust variance
    of the share over the binomial one, and never below 1. Where clusters hold several items, the
    normal quantile gives way to Student's t with n_clusters - 1 degrees. (Korn and Graubard 1998,
    Surv. Methodol. 24: 193-201; Dean and Pagano 2015, J. Surv. Stat. Methodol. 3: 484-503.) Where
    all or no items are right no design effect can be estimated, and it is taken as 1. With one item
    to each cluster, or one cluster for all, this is `wilson`.

    None without items. Raises BadInput where a value is outside [0, 1] or not finite.

    >>> proportion([1, 0, 1, 1]) == wilson(3, 4)
    True
    """
    array = finite(values, "values")
    if array.size and (array.min() < 0 or array.max() > 1):
        index = int(((array < 0) | (array > 1)).argmax())
        raise BadInput(f"values[{index}] is {array[index]:g}, expected a number from 0 to 1")
    codes = cluster_codes(clusters, array.size)
    n_clusters = _n_clusters(codes)
    if n_clusters == array.size:
        return wilson(float(array.sum()), array.size)
    share = float(array.mean())
    effective = array.size / max(1.0, _design_effect(array, codes))
    quantile = float(special.stdtrit(n_clusters - 1, 1 - TAIL))
    return _score_interval(share, effective, array.size, quantile)


def mean(
    values: ArrayLike,
    clusters: Clusters | None = None,
    *,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The mean of graded values [items], with the percentile interval of a cluster bootstrap.

    None for the interval of a single item; for the value too without items. Raises BadInput where
    a value is not finite.

    >>> mean([1.0, 1.0, 1.0])
    Estimate(value=1.0, low=1.0, high=1.0, n=3)
    """
    array = finite(values, "values")
    if not array.size:
        return UNDEFINED
    codes = cluster_codes(clusters, array.size)
    value = float(array.mean())
    if _n_clusters(codes) < 2:
        return Estimate(value, None, None, array.size)
    centred = array[None, :] - value  # so that float32 sums keep the digits that matter
    draws = bootstrap_means(centred, clusters=codes, n_resamples=n_resamples, seed=seed)[0, 0]
    return percentile(value, value + draws.astype(np.float64), array.size)


def bootstrap_pairs(
    statistic: Statistic,
    predictions: ArrayLike,
    targets: ArrayLike,
    *,
    clusters: Clusters | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """A statistic of pairs (`srcc`, `plcc`, ...), with the percentile interval of a bootstrap.

    Clusters are resampled whole. Resamples on which the statistic is undefined are left out; the
    interval is None where fewer than half are left. The value
    is None where the statistic is. Raises BadInput where a value is not finite.

    >>> bootstrap_pairs(srcc, [1, 2, 3], [5, 5, 5])
    Estimate(value=None, low=None, high=None, n=3)
    """
    a, b = paired(predictions, targets, ("predictions", "targets"))
    value = statistic(a, b)
    codes = cluster_codes(clusters, a.size)
    if value is None:
        return Estimate(None, None, None, a.size)
    draws = pair_draws(statistic, a, b, codes=codes, n_resamples=n_resamples, seed=seed)
    return percentile(value, draws, a.size)


def percentile(value: float, draws: Floats, n: int) -> Estimate:
    """A value with the middle 95 % of its resampled draws; NaN marks an undefined draw.

    >>> percentile(1.0, np.array([np.nan, np.nan, 1.0]), 4)
    Estimate(value=1.0, low=None, high=None, n=4)
    """
    defined = draws[~np.isnan(draws)]
    if 2 * defined.size < draws.size:
        return Estimate(value, None, None, n)
    low, high = np.quantile(defined, [TAIL, 1 - TAIL])
    return Estimate(value, float(low), float(high), n)


def pair_draws(
    statistic: Statistic,
    a: Floats,
    b: Floats,
    *,
    codes: NDArray[np.intp],
    n_resamples: int,
    seed: int,
) -> Floats:
    """The statistic in each resample of clusters [resamples]; NaN where it is undefined.

    The same codes and seed give the same resamples, so that draws of two models are paired.
    """
    fast = _FAST.get(statistic)
    chunks = (w[:, codes] for w in resample_weights(_n_clusters(codes), n_resamples, seed))
    if fast is not None:
        return np.concatenate([fast(a, b, weights) for weights in chunks])
    return np.fromiter(_one_by_one(statistic, a, b, chunks), np.float64, n_resamples)


def _one_by_one(
    statistic: Statistic, a: Floats, b: Floats, chunks: Iterator[NDArray[np.float32]]
) -> Iterator[float]:
    for weights in chunks:
        for row in weights.astype(np.intp):
            drawn = np.repeat(np.arange(a.size), row)
            value = statistic(a[drawn], b[drawn])
            yield math.nan if value is None else value


def _weighted_plcc(a: Floats, b: Floats, weights: NDArray[np.float32]) -> Floats:
    rows = (len(weights), a.size)
    x, y = (np.broadcast_to((v - v.mean()) / np.ptp(v), rows) for v in (a, b))
    return _weighted_correlation(x, y, weights.astype(np.float64))


def _weighted_srcc(a: Floats, b: Floats, weights: NDArray[np.float32]) -> Floats:
    w = weights.astype(np.float64)
    return _weighted_correlation(_resampled_ranks(a, w), _resampled_ranks(b, w), w)


def _resampled_ranks(values: Floats, weights: Floats) -> Floats:
    """The average rank of every item within each resample [resamples, items]."""
    _, places = np.unique(values, return_inverse=True)
    order = np.argsort(places, kind="stable")
    last = np.flatnonzero(np.diff(places[order], append=-1))
    up_to = np.cumsum(weights[:, order], axis=1)[:, last]
    before = np.concatenate([np.zeros((len(weights), 1)), up_to[:, :-1]], axis=1)
    return np.asarray(((before + up_to + 1) / 2)[:, places])


def _weighted_correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    xx, yy, xy = ((weights * u * v).sum(axis=1) for u, v in ((x, x), (y, y), (x, y)))
    smallest = 1e-24 * total[:, 0]
    defined = (xx > smallest) & (yy > smallest)
    out = np.full(len(weights), np.nan)
    np.divide(xy, np.sqrt(xx * yy), out=out, where=defined)
    return np.asarray(np.clip(out, -1.0, 1.0))


_FAST: dict[Statistic, Callable[[Floats, Floats, NDArray[np.float32]], Floats]] = {
    plcc: _weighted_plcc,
    srcc: _weighted_srcc,
}


def _n_clusters(codes: NDArray[np.intp]) -> int:
    return int(codes.max()) + 1 if codes.size else 0


def _design_effect(values: Floats, codes: NDArray[np.intp]) -> float:
    """Cluster-robust (linearised ratio) over binomial variance; 1 where that is 0."""
    n, share = values.size, values.mean()
    residuals = np.bincount(codes, values - share)
    n_clusters = residuals.size
    robust = n_clusters / (n_clusters - 1) * float(residuals @ residuals) / n**2
    binomial = share * (1 - share) / (n - 1)
    return float(robust / binomial) if binomial > 0 else 1.0


def _score_interval(share: float, effective: float, n: int, quantile: float) -> Estimate:
    q = quantile**2 / effective
    middle = (share + q / 2) / (1 + q)
    half = math.sqrt(q * (share * (1 - share) + q / 4)) / (1 + q)
    low, high = max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
    return Estimate(share, low, high, n)
