"""Intervals of any metric by leaving out one cluster at a time.

In: a statistic, the arrays it is computed from, and the cluster of each item. Out: the value with
those without each cluster (`Jackknife`), and the `Estimate` made of them. Draws no resamples.

The standard error is that of Tukey's jackknife over clusters (Efron and Stein 1981, Ann. Stat. 9:
586-596), the quantile Student's t with one degree less than there are clusters. It holds for smooth
statistics; for medians and other quantiles it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from eyechart.errors import BadInput
from eyechart.metrics import Metric
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, finite
from eyechart.records import Estimate

MOST_GROUPS = 200
TAIL = 0.025
CORRELATION_BOUNDS = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Jackknife:
    """A value, and what it is without each cluster [clusters]; NaN where it is undefined then.

    `n`: items. Two of them over the same items and clusters can be subtracted.
    """

    value: float | None
    left_out: Floats
    n: int

    def __sub__(self, other: Jackknife) -> Jackknife:
        if self.value is None or other.value is None:
            return Jackknife(None, np.empty(0), self.n)
        return Jackknife(self.value - other.value, self.left_out - other.left_out, self.n)


def jackknife(
    statistic: Callable[..., float | None],
    columns: Sequence[ArrayLike],
    clusters: Clusters | None = None,
) -> Jackknife:
    """The statistic of the columns (each [items]), and without each cluster of items.

    More than 200 clusters are dealt into 200 groups, always in the same way, and left out by group.
    Raises BadInput where a value is not finite or the lengths differ.

    >>> jackknife(lambda values: values.mean(), [[1.0, 2.0, 6.0]]).left_out.tolist()
    [4.0, 3.5, 1.5]
    """
    arrays = [finite(column, f"columns[{i}]") for i, column in enumerate(columns)]
    sizes = [array.size for array in arrays]
    if len(set(sizes)) != 1:
        raise BadInput(f"the columns have {sizes} values; expected one or more of equal length")
    value = statistic(*arrays)
    if value is None:
        return Jackknife(None, np.empty(0), sizes[0])
    groups = _groups(cluster_codes(clusters, sizes[0]))
    without = (
        statistic(*(array[groups != group] for array in arrays))
        for group in range(int(groups.max()) + 1)
    )
    left_out = [math.nan if found is None else float(found) for found in without]
    return Jackknife(float(value), np.asarray(left_out), sizes[0])


def interval_of(found: Jackknife, bounds: tuple[float, float] = (-math.inf, math.inf)) -> Estimate:
    """The value with its 95 % interval, kept within the metric's bounds.

    Where these are -1 and 1 the interval is made on Fisher's z scale (Fisher 1921, Metron 1: 3-32),
    unless the value is exactly 1 or -1 without some cluster. The interval is None where nothing can
    be known of the spread: for fewer than two clusters, where the value is undefined without one of
    them, and where it is the same whichever is left out.

    >>> interval_of(Jackknife(0.5, np.array([0.5, 0.5, 0.5]), 3))
    Estimate(value=0.5, low=None, high=None, n=3)
    """
    value, left_out = found.value, found.left_out
    if value is None or left_out.size < 2 or np.isnan(left_out).any() or not _varies(left_out):
        return Estimate(value, None, None, found.n)
    on_z = bounds == CORRELATION_BOUNDS and float(np.abs(left_out).max()) < 1 - 1e-9
    middle, points = (math.atanh(value), np.arctanh(left_out)) if on_z else (value, left_out)
    share = 1 - 1 / points.size
    half = student(points.size) * math.sqrt(share * float(((points - points.mean()) ** 2).sum()))
    low, high = middle - half, middle + half
    if on_z:
        low, high = math.tanh(low), math.tanh(high)
    return Estimate(value, max(bounds[0], low), min(bounds[1], high), found.n)


def metric_estimate(
    metric: Metric, columns: Sequence[ArrayLike], clusters: Clusters | None = None
) -> Estimate:
    """A metric with its interval: of values where it `needs` one column, of pairs where two.

    None for the value where the metric is undefined. Raises BadInput as `jackknife` does.
    """
    return interval_of(jackknife(metric.compute, columns, clusters), metric.bounds)


def student(n_clusters: int) -> float:
    """The 97.5 % quantile of Student's t with n_clusters - 1 degrees.

    >>> round(student(5), 3)
    2.776
    """
    return float(special.stdtrit(n_clusters - 1, 1 - TAIL))


def _groups(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    n_clusters = int(codes.max()) + 1
    if n_clusters <= MOST_GROUPS:
        return codes
    dealt = np.random.default_rng(0).permutation(n_clusters) % MOST_GROUPS
    return np.asarray(dealt[codes], dtype=np.intp)


def _varies(values: Floats) -> bool:
    return float(np.ptp(values)) > 1e-12 * max(1.0, float(np.abs(values).max()))
