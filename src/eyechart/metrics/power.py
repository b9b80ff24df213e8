"""The smallest difference between two models that a number of items can show.

In: how many items, how good the models are, how alike their marks are. Out: a difference of
accuracies, by the exact power of the test: its chance of rejecting, counted over every outcome,
without a normal approximation. Knows no scores. Not a plug-in.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats

ACCURACY, CORRELATION, POWER, ALPHA = 0.6, 0.5, 0.8, 0.05
"""What is assumed of two models, and asked of a test, where nothing else is said."""
COARSE = 0.2
"""A facet that does not show so large a difference is greyed."""
LEAST = 1e-6
REACH = 8
"""Counts further from their mean than so many standard deviations are left out (under 1e-12)."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of n items; `correlation` None: each model has items of its own."""

    n: int
    accuracy: float
    correlation: float | None
    alpha: float


def too_few(n: int) -> bool:
    """Whether n items do not show a difference of 20 points between two models asked them all.

    By `smallest_difference` at its defaults, with a correlation of 0.5: fewer than 55 items.

    >>> too_few(18), too_few(2765)
    (True, False)
    """
    return n < _fewest()


@lru_cache(maxsize=1)
def _fewest() -> int:
    """Counted once: reports ask about every figure that they show."""
    asked = (_Question(n, ACCURACY, CORRELATION, ALPHA) for n in itertools.count(1))
    return next(one.n for one in asked if _power_at(COARSE, one) >= POWER)


def smallest_difference(
    n: int,
    *,
    accuracy: float = ACCURACY,
    correlation: float | None = None,
    power: float = POWER,
    alpha: float = ALPHA,
) -> float | None:
    """The smallest difference between two models' accuracies, in (0, 1], that n items show.

    It is shown where a two-sided test at `alpha` finds it, in the right direction, with a chance of
    `power`. `accuracy`, in (0, 1), is the mean of both models': with a difference d one has
    accuracy + d / 2, the other accuracy - d / 2. None where not even the largest possible d,
    2 * min(accuracy, 1 - accuracy), is shown.

    `correlation` None: each model is asked n items of its own, and the test is that of two
    proportions with a pooled variance (Fleiss, Levin and Paik 2003, Statistical Methods for Rates
    and Proportions, 3rd ed., eq. 4.14, is its approximation). Of few items that test is itself only
    approximate: at 5 %, with 4 to 30 items, it tells up to 7.7 % of equal models apart.

    A number from -1 to 1: both are asked the same n items, their marks (0 or 1) have this
    correlation phi, and the test is McNemar's exact one. The share of items that one model alone
    has right is p1 + p2 - 2 (p1 p2 + phi sqrt(p1 q1 p2 q2)) (Miettinen 1968, Biometrics 24:
    339-352; Connor 1987, Biometrics 43: 207-211). A phi that two unequal accuracies do not allow is
    taken as the nearest that they do. The exact test is conservative, so that a difference is
    somewhat larger here than by Connor's formula: by 4.5 % of itself at 100 items, 1.3 % at 2,765.

    Counts being whole, one item more may make an unpaired difference larger, by at most 1.5 points
    at an accuracy of 0.6.

    Raises BadInput for n below 0, and settings outside their ranges or with alpha >= power.

    >>> round(smallest_difference(2765), 4), round(smallest_difference(2765, correlation=0.5), 4)
    (0.0369, 0.0264)
    >>> smallest_difference(3) is None
    True
    """
    if n < 0:
        raise BadInput(f"n is {n}; expected a count of items, 0 or more")
    wrong = out_of_range(accuracy=accuracy, correlation=correlation, power=power, alpha=alpha)
    if wrong:
        raise BadInput(wrong)
    asked = _Question(n, accuracy, correlation, alpha)
    return _smallest(asked, power) if n else None


@lru_cache(maxsize=4096)
def _smallest(asked: _Question, power: float) -> float | None:
    largest = 2 * min(asked.accuracy, 1 - asked.accuracy)
    if _power_at(largest, asked) < power:
        return None
    low = min(LEAST, largest / 2)
    return float(optimize.brentq(lambda d: _power_at(d, asked) - power, low, largest, xtol=1e-7))


def out_of_range(*, accuracy: float, correlation: float | None, power: float, alpha: float) -> str:
    """What is wrong with the first setting that makes no sense, its name first; "" for none.

    >>> out_of_range(accuracy=1.0, correlation=None, power=0.8, alpha=0.05)
    'accuracy is 1; expected a number above 0 and below 1, such as 0.6'
    """
    inside = {
        "accuracy": (accuracy, ACCURACY),
        "power": (power, POWER),
        "alpha": (alpha, ALPHA),
    }
    for name, (value, usual) in inside.items():
        if not 0 < value < 1:
            return f"{name} is {value:g}; expected a number above 0 and below 1, such as {usual:g}"
    if correlation is not None and not -1 <= correlation <= 1:
        return (
            f"correlation is {correlation:g}; expected a number from -1 to 1, such as "
            f"{CORRELATION:g}"
        )
    if alpha >= power:
        return f"alpha is {alpha:g} and power {power:g}; expected alpha to be the smaller"
    return ""


def _power_at(difference: float, asked: _Question) -> float:
    """The chance that the test finds this difference, in the right direction."""
    better, worse = asked.accuracy + difference / 2, asked.accuracy - difference / 2
    better, worse = min(better, 1.0), max(worse, 0.0)
    if asked.correlation is None:
        return _unpaired(better, worse, asked)
    discordant = discordant_share(better, worse, asked.correlation)
    return _paired(discordant, max(0.0, discordant - difference) / (2 * discordant), asked)


def discordant_share(p1: float, p2: float, phi: float) -> float:
    """The share of items that one of two models alone has right, in [|p1 - p2|, 1].

    `p1`, `p2`: their accuracies; `phi`: the correlation of their marks, or the nearest possible.

    >>> round(discordant_share(0.7, 0.5, 0.0), 3), round(discordant_share(0.7, 0.5, 1.0), 3)
    (0.5, 0.2)
    """
    both = p1 * p2 + phi * math.sqrt(p1 * (1 - p1) * p2 * (1 - p2))
    both = min(max(both, 0.0, p1 + p2 - 1), p1, p2)
    return p1 + p2 - 2 * both


def _paired(discordant: float, lost: float, asked: _Question) -> float:
    """Over how many items are discordant: the chance that the worse model wins few of them."""
    n_discordant, chances = _binomial(asked.n, discordant)
    most = _most_lost(n_discordant, asked.alpha)
    found = special.bdtr(np.maximum(most, 0), n_discordant, lost)
    return float(chances @ np.where(most >= 0, found, 0.0))


def _most_lost(n: Counts, alpha: float) -> Counts:
    """The most of n discordant items that may go the other way for p <= alpha; -1: not even 0."""
    none = special.bdtr(0, n, 0.5) > alpha / 2
    most = np.floor(special.bdtrik(alpha / 2, np.maximum(n, 1), 0.5))
    most = np.where(none, 0, most)
    most += special.bdtr(most + 1, np.maximum(n, 1), 0.5) <= alpha / 2
    return np.where(none, -1, most).astype(np.int64)


def _unpaired(better: float, worse: float, asked: _Question) -> float:
    """Over how many items the better model has right: the chance that the worse has few enough.

    (x - y)^2 >= c (x + y) (2n - x - y), with c = z^2 / 2n, is where the test rejects.
    """
    n = asked.n
    right, chances = _binomial(n, better)
    c = float(special.ndtri(asked.alpha / 2)) ** 2 / (2 * n)
    half = (right + c * (n - right)) / (1 + c)
    rest = (right**2 - c * right * (2 * n - right)) / (1 + c)
    most = np.floor(half - np.sqrt(np.maximum(half**2 - rest, 0.0)) + 1e-9)
    found = special.bdtr(np.maximum(most, 0), n, worse)
    return float(chances @ np.where((most >= 0) & (most < right), found, 0.0))


def _binomial(n: int, share: float) -> tuple[Counts, Floats]:
    """The counts that n items may give, but for the unlikely ones, and the chance of each."""
    reach = REACH * math.sqrt(n * share * (1 - share)) + REACH
    low, high = max(0, math.floor(n * share - reach)), min(n, math.ceil(n * share + reach))
    counts = np.arange(low, high + 1)
    below = special.bdtr(np.maximum(counts - 1, 0), n, share) * (counts > 0)
    return counts, special.bdtr(counts, n, share) - below
