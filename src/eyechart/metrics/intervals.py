"""95 % intervals of proportions (Wilson) and of means (Student's t).

In: values by item, and the cluster of each item, because items about one photograph are not
independent. Out: an `Estimate`, with None where something is undefined. Not a plug-in.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, finite
from eyechart.metrics.jackknife import TAIL, student
from eyechart.records import Estimate

UNDEFINED = Estimate(None, None, None, 0)
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
    return _score_interval(share, effective, array.size, student(n_clusters))


def share_of_marks(values: ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The mean of marks [items], 0 to 1: `proportion` where all are 0 or 1, else `mean`.

    So the same figure has the same interval wherever it stands. Raises BadInput as these do.

    >>> share_of_marks([1, 0, 1, 1]) == wilson(3, 4)
    True
    """
    array = np.asarray(values, dtype=np.float64)
    if np.isin(array, (0.0, 1.0)).all():
        return proportion(array, clusters)
    return mean(array, clusters, within=(0.0, 1.0))


def mean(
    values: ArrayLike,
    clusters: Clusters | None = None,
    *,
    within: tuple[float, float] | None = None,
) -> Estimate:
    """The mean of graded values [items], with an interval by Student's t that heeds clusters.

    Where each item is a cluster: the standard error of the mean, with n - 1 degrees. Where clusters
    hold several: that of the jackknife over clusters, or that for independent items if it is the
    larger, with n_clusters - 1 degrees.

    `within`: the lowest and highest value that an item can have; the interval is kept in it. Where
    all values are equal, no spread can be estimated, and the interval is that of means in which a
    share of the items has the lowest value, or the highest: the share up to which Wilson's
    interval, with Student's t, reaches for 0 of n. Without `within` it is None then.

    None for the interval of a single item; for the value too without items. Raises BadInput where
    a value is not finite.

    >>> mean([1.0, 1.0, 1.0])
    Estimate(value=1.0, low=None, high=None, n=3)
    >>> round(mean([1.0] * 10, within=(0, 1)).low, 3)
    0.661
    """
    array = finite(values, "values")
    if not array.size:
        return UNDEFINED
    codes = cluster_codes(clusters, array.size)
    value, n, n_clusters = float(array.mean()), array.size, _n_clusters(codes)
    if n_clusters < 2:
        return Estimate(value, None, None, n)
    if np.ptp(array) == 0:
        return _without_spread(float(array[0]), n, student(n_clusters), within)
    half = student(n_clusters) * math.sqrt(_variance_of_mean(array, codes))
    low, high = within or (-math.inf, math.inf)
    return Estimate(value, max(low, value - half), min(high, value + half), n)


def _without_spread(
    value: float, n: int, quantile: float, within: tuple[float, float] | None
) -> Estimate:
    if within is None:
        return Estimate(value, None, None, n)
    share = _score_interval(0.0, n, n, quantile).high or 0.0
    low, high = (value + share * (end - value) for end in within)
    return Estimate(value, low, high, n)


def _variance_of_mean(values: Floats, codes: NDArray[np.intp]) -> float:
    """Over clusters by the jackknife; at least that of as many independent items."""
    n = values.size
    alone = float(values.var(ddof=1)) / n
    sums, sizes = np.bincount(codes, values - values.mean()), np.bincount(codes)
    if sums.size == n:
        return alone
    left_out = -sums / (n - sizes)
    around = left_out - left_out.mean()
    return max(alone, (1 - 1 / sums.size) * float(around @ around))


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
