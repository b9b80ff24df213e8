"""What people reach, and the ceiling that their disagreement sets.

In: values or marks by rater and item, NaN where a rater has none. Out: figures, by item or as
`Estimate`s. How far people agree is computed in `eyechart.metrics`.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eyechart.metrics.agreement import (
    Places,
    checked_raters,
    equal_shares,
    means,
    over_pairs,
    packed,
    pair_sums,
)
from eyechart.metrics.arrays import Clusters, Floats
from eyechart.metrics.intervals import UNDEFINED, mean
from eyechart.records import Estimate


def share(values: Floats, clusters: Sequence[str]) -> Estimate:
    """The mean of values in 0 to 1 by item, with its interval over clusters; NaN is left out."""
    known = ~np.isnan(values)
    if not known.any():
        return UNDEFINED
    inside = [cluster for cluster, is_known in zip(clusters, known, strict=True) if is_known]
    return mean(values[known], inside, within=(0.0, 1.0))


def majority_vote(values: Floats, marks: Floats) -> Floats:
    """The mark of each item's most frequent answer [items]; the mean of theirs where several are.

    NaN where the item has no marks.

    >>> values = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, np.nan]])
    >>> majority_vote(values, np.where(values == 1, 1.0, 0.0)).tolist()
    [1.0, 0.5]
    """
    found = np.full(values.shape[1], np.nan)
    for at, (answers, counted) in enumerate(zip(values.T, marks.T, strict=True)):
        given = ~np.isnan(answers) & ~np.isnan(counted)
        mark_of = dict(zip(answers[given].tolist(), counted[given].tolist(), strict=True))
        if mark_of:
            most = _most_frequent(Counter(answers[given].tolist()))
            found[at] = sum(mark_of[answer] for answer in most) / len(most)
    return found


def best_person(marks: Floats) -> int | None:
    """The rater with the highest mean mark; None where nobody has any.

    Of those only who answered at least half as many items as who answered most.

    >>> best_person(np.array([[1.0, 0.0, 1.0], [1.0, np.nan, np.nan]]))
    0
    """
    n = (~np.isnan(marks)).sum(axis=1)
    if not n.any():
        return None
    means = np.nansum(marks, axis=1) / np.maximum(n, 1)
    return int(np.where(n * 2 >= n.max(), means, -1.0).argmax())


def leave_one_out(values: ArrayLike) -> Floats:
    """For each item how often a rater's answer is the most frequent one of the others [items].

    Where several answers are equally frequent, an answer that is one of them counts its share. A
    model that always gives people's commonest answer shares at least as many answers with one
    person on average: the most frequent answer of few others is not always the commonest one. NaN
    for an item with fewer than two values.

    >>> leave_one_out([[1, 1], [1, 2], [2, 2]]).round(3).tolist()
    [0.333, 0.333]
    """
    found = [
        _share_of_others(column[~np.isnan(column)].tolist()) for column in checked_raters(values).T
    ]
    return np.array(found, dtype=np.float64)


def equal_answers(values: ArrayLike) -> Floats:
    """For each item the share of pairs of raters with equal values [items]; NaN without a pair."""
    return equal_shares(packed(checked_raters(values)).T)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a model that always gives people's commonest answer shares with one person, 0 to 1.

    It lies between the two, of which neither knows the commonest answers of all people.
    """

    at_least: Estimate
    at_most: Estimate


def ceiling(values: ArrayLike, clusters: Sequence[str]) -> Ceiling:
    """Two figures between which the mean over items of the commonest answer's share lies.

    `values`: [raters, items], NaN where a rater has none. At least: `leave_one_out`. At most: where
    people give their answers to an item with the shares p, max p <= sqrt(sum p^2), and so its mean
    over items is at most the root of that of sum p^2, which the share of pairs of raters with equal
    answers estimates without bias, from two raters on. Of few items chance may turn the two around;
    the second is then as high as the first.

    The interval of the second is that of the share of equal pairs; n is items with two values or
    more. None without such items.

    >>> found = ceiling([[1, 1, 2, 2], [1, 1, 2, 3]], "abcd")
    >>> found.at_least.value, round(found.at_most.value, 3)
    (0.75, 0.866)
    """
    at_least = share(leave_one_out(values), clusters)
    return Ceiling(at_least, _no_lower(_root(share(equal_answers(values), clusters)), at_least))


def _no_lower(found: Estimate, other: Estimate) -> Estimate:
    """An estimate, with all that is lower than in another as high as there."""
    pairs = ((found.value, other.value), (found.low, other.low), (found.high, other.high))
    value, low, high = (None if a is None or b is None else max(a, b) for a, b in pairs)
    return dataclasses.replace(found, value=value, low=low, high=high)


def highest_correlation(values: ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The highest correlation that anything can have with the mean ratings of these raters.

    `values`: ratings [raters, items] on one scale. It is the square root of the reliability of an
    item's mean rating: the share of the variance of the means that another rater would confirm,
    which is the pooled covariance of two raters over the variance of the means. With all items
    rated by all it is Cronbach's alpha (1951, Psychometrika 16: 297-334), and Spearman and Brown's
    for raters of one spread. A reliability below 0 counts as 0.

    The interval is that of the reliability by the jackknife over clusters; n is items with two
    ratings or more. None where no two raters share two items, or all means are the same. Raises
    BadInput for another shape, and where a value is infinite.

    >>> round(highest_correlation([[1, 2, 3, 4], [2, 1, 4, 3]]).value, 3)
    0.866
    """
    return _root(_reliability(values, clusters))


def _root(found: Estimate) -> Estimate:
    """The square root of an estimate, and of the ends of its interval; 0 where these are below."""
    ends = (found.value, found.low, found.high)
    value, low, high = (None if end is None else math.sqrt(max(0.0, end)) for end in ends)
    return dataclasses.replace(found, value=value, low=low, high=high)


def _reliability(values: ArrayLike, clusters: Clusters | None) -> Estimate:
    table = checked_raters(values)
    known = table[~np.isnan(table)]
    if known.size:
        table = (table - known.mean()) / (known.std() or 1.0)
    n_raters = len(table)

    def sums(at: Places) -> Floats:
        found = means(table[:, at], axis=0)
        return np.concatenate(
            [pair_sums(table[:, at]).ravel(), [found.size, found.sum(), (found**2).sum()]]
        )

    return over_pairs(sums, lambda found: _confirmed(found, n_raters), table, clusters)


def _confirmed(sums: Floats, n_raters: int) -> float | None:
    """The pooled covariance of two raters over the variance of the means."""
    n, a, _, ab = sums[:-3].reshape(4, n_raters, n_raters)
    n_items, total, squares = sums[-3:]
    one, other = np.triu_indices(n_raters, 1)
    both = n[one, other]
    together = ab[one, other] - a[one, other] * a[other, one] / np.maximum(both, 1)
    n_free = np.maximum(both - 1, 0).sum()
    if n_free == 0 or n_items < 2:
        return None
    variance = (squares - total**2 / n_items) / (n_items - 1)
    if variance < 1e-9:
        return None
    return float(np.clip(together.sum() / n_free / variance, -1, 1))


def _share_of_others(answers: Sequence[float]) -> float:
    if len(answers) < 2:
        return math.nan
    counts, total = Counter(answers), 0.0
    for answer, n in counts.items():
        most = _most_frequent({**counts, answer: n - 1})
        total += n * (answer in most) / len(most)
    return total / len(answers)


def _most_frequent(counts: Mapping[float, int]) -> list[float]:
    """Every answer that is given most often."""
    most = max(counts.values())
    return [answer for answer, n in counts.items() if n == most]
