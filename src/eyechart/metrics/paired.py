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
from eyechart.metrics.arrays import Clusters, finite, paired
from eyechart.metrics.intervals import mean
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


def paired_difference(a: ArrayLike, b: ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The mean of a - b over items with values in [0, 1], with its interval (`intervals.mean`).

    Above 0: a is the higher. Where a and b are equal throughout, the interval is not 0 wide: it
    reaches as far to both sides as the interval of `proportion` for 0 of n, with Student's t.
    Raises BadInput where the lengths differ or a value is outside [0, 1].

    >>> paired_difference([1, 1, 0, 1], [0, 1, 0, 1]).value
    0.25
    >>> same = paired_difference([1, 0, 1, 1, 0], [1, 0, 1, 1, 0])
    >>> round(same.low, 2), round(same.high, 2)
    (-0.61, 0.61)
    """
    first, second = paired(a, b, ("a", "b"))
    for values, name in ((first, "a"), (second, "b")):
        outside = (values < 0) | (values > 1)
        if outside.any():
            index = int(outside.argmax())
            raise BadInput(f"{name}[{index}] is {values[index]:g}, expected a number from 0 to 1")
    return mean(first - second, clusters, within=(-1.0, 1.0))
