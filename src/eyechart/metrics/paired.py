"""Two models on the same items: paired differences, exact McNemar, Holm's correction.

In: both models' values item by item. Out: differences with 95 % intervals, and p-values. Does not
match items to each other; the two arrays must be in one order. Not a plug-in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, cluster_codes, finite, paired
from eyechart.metrics.intervals import Statistic, mean, pair_draws, percentile
from eyechart.records import Estimate


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """The two-sided exact p-value that two models are right equally often.

    `only_a`, `only_b`: items that only one of them has right. 1.0 where there are none.
    McNemar 1947, Psychometrika 12: 153-157, with the binomial in place of chi-squared.
    Raises BadInput where a count is negative.

    >>> mcnemar_exact(1, 9)
    0.021484375
    """
    if only_a < 0 or only_b < 0:
        raise BadInput(
            f"only_a is {only_a} and only_b {only_b}; expected counts of items, 0 or more"
        )
    tail = special.bdtr(min(only_a, only_b), only_a + only_b, 0.5)
    return float(min(1.0, 2 * tail))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values adjusted for being many, in the order given (Holm 1979, Scand. J. Stat. 6: 65).

    Raises BadInput where one is not in [0, 1].

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    p = finite(p_values, "p_values")
    outside = (p < 0) | (p > 1)
    if outside.any():
        index = int(outside.argmax())
        raise BadInput(f"p_values[{index}] is {p[index]:g}, expected a number from 0 to 1")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return tuple(float(value) for value in adjusted)


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters | None = None,
    *,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> Estimate:
    """The mean of a - b over items, with the percentile interval of a cluster bootstrap.

    Above 0: a is the higher. None as in `intervals.mean`. Raises BadInput where the lengths differ
    or a value is not finite.

    >>> paired_difference([1, 1, 0, 1], [0, 1, 0, 1]).value
    0.25
    """
    first, second = paired(a, b, ("a", "b"))
    return mean(first - second, clusters, n_resamples=n_resamples, seed=seed)


def paired_pairs_difference(
    statistic: Statistic,
    predictions: tuple[ArrayLike, ArrayLike],
    targets: ArrayLike,
    *,
    clusters: Clusters | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """How much higher `srcc`, `plcc` or the like is for the first predictions than for the second.

    Both are held against the same targets and the same resamples of clusters. None where either
    statistic is undefined. Raises BadInput where the lengths differ or a value is not finite.
    """
    a, t = paired(predictions[0], targets, ("predictions[0]", "targets"))
    b, _ = paired(predictions[1], targets, ("predictions[1]", "targets"))
    value_a, value_b = statistic(a, t), statistic(b, t)
    if value_a is None or value_b is None:
        return Estimate(None, None, None, t.size)
    codes = cluster_codes(clusters, t.size)
    draws_a, draws_b = (
        pair_draws(statistic, x, t, codes=codes, n_resamples=n_resamples, seed=seed) for x in (a, b)
    )
    return percentile(value_a - value_b, draws_a - draws_b, t.size)
