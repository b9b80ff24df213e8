"""Krippendorff's alpha: how far any number of raters agree, whatever values are missing.

In: values by rater and item. Out: alpha, with an interval over items where it is wanted. Not a
plug-in: raters on one scale are not ratings and people's scores.

Krippendorff 2011, Computing Krippendorff's Alpha-Reliability (repository.upenn.edu/asc_papers/43):
one less the observed disagreement over that to be expected by chance. Only items with two values or
more enter.
"""

from __future__ import annotations

from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.agreement import (
    NEGLIGIBLE,
    Places,
    checked_options,
    checked_raters,
    over_shared_items,
    packed,
    shared_items,
)
from eyechart.metrics.arrays import Clusters, Floats
from eyechart.records import Estimate

Level = Literal["nominal", "ordinal", "interval"]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")


def krippendorff_alpha(
    values: ArrayLike, level: Level = "nominal", *, n_options: ArrayLike | None = None
) -> float | None:
    """Alpha of values [raters, items], NaN where a rater has none.

    At most 1, which is full agreement; 0 is that of chance. `level`: values are names (`nominal`),
    ranks (`ordinal`) or distances (`interval`).

    `n_options` [items], with `nominal` only: how many options each item has of its own; the values
    are what was chosen of them, as sums of 2 ** (number - 1). Option B of one question has nothing
    in common with option B of the next, and alpha over the letters would change with how options
    happen to be shuffled. Chance is then two raters who choose as many options as raters do, but
    any of them: of one of k options they agree with 1 / k. So it is alpha with the chance of
    Bennett's S (Bennett, Alpert and Goldstein 1954, Public Opin. Q. 18: 303-308), and not
    Krippendorff's own. To it alpha over the letters comes where many items have their options
    shuffled. Counting the right option as one category of all items would not do: where
    most people know it, chance would then agree nearly as often as they do.

    None where it is undefined: no item with two values, or chance cannot disagree. Raises BadInput
    for another level or shape, and where a value is infinite or no choice among the options.

    >>> values = [[1, 2, 3, 3], [1, 2, 3, 2], [1, float("nan"), 3, 2]]
    >>> round(krippendorff_alpha(values), 3), round(krippendorff_alpha(values, "interval"), 3)
    (0.75, 0.868)
    """
    if level not in LEVELS or (n_options is not None and level != "nominal"):
        raise BadInput(
            f"level is {level!r}; expected one of {', '.join(LEVELS)}, and nominal for options"
        )
    table = checked_raters(values)
    options = None if n_options is None else checked_options(table, n_options)
    shared = shared_items(table)
    table = table[:, shared]
    if not table.size:
        return None
    if options is not None:
        observed, expected = _unlike(table), _unlike_by_chance(table, options[shared])
    elif level == "nominal":
        observed, expected = _unlike(table), 1 - _twice(_known(table))
    else:
        observed, expected = _apart(_ranked(table) if level == "ordinal" else table)
    return 1 - observed / expected if expected > NEGLIGIBLE else None


def alpha_estimate(
    values: ArrayLike,
    level: Level = "nominal",
    *,
    n_options: ArrayLike | None = None,
    clusters: Clusters | None = None,
) -> Estimate:
    """Alpha of values [raters, items] with its 95 % interval; n is items with two values or more.

    The interval is that of the jackknife over clusters of items, on Fisher's z scale: it speaks of
    other items for the same raters. None where `krippendorff_alpha` or `jackknife.interval_of` has
    none. Raises BadInput as `krippendorff_alpha` does.

    >>> alpha_estimate([[1, 2], [1, float("nan")]])
    Estimate(value=None, low=None, high=None, n=1)
    """
    table = checked_raters(values)
    options = None if n_options is None else checked_options(table, n_options)
    table = packed(table)

    def alpha(at: Places) -> float | None:
        mine = None if options is None else options[at]
        return krippendorff_alpha(table[:, at], level, n_options=mine)

    return over_shared_items(alpha, table, clusters)


def _known(table: Floats) -> Floats:
    return table[~np.isnan(table)]


def _unlike(table: Floats) -> float:
    """Observed disagreement of names: how often two values of an item differ."""
    known = ~np.isnan(table)
    distinct, codes = np.unique(table[known], return_inverse=True)
    n_items = table.shape[1]
    of_item = np.broadcast_to(np.arange(n_items), table.shape)[known]
    counts = np.bincount(of_item * distinct.size + codes, minlength=n_items * distinct.size)
    counts = counts.reshape(n_items, distinct.size)
    n_values = known.sum(axis=0)
    alike = (counts * (counts - 1)).sum(axis=1) / (n_values - 1)
    return float((n_values - alike).sum() / n_values.sum())


def _twice(values: NDArray[np.generic]) -> float:
    """How often two of the values, drawn without replacement, are the same."""
    counts = np.unique(values, return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / (values.size * (values.size - 1)))


def _unlike_by_chance(table: Floats, options: Places) -> float:
    """How often two differ who choose as many options as raters do of as many, but any of them."""
    unlike = 0.0
    for n in np.unique(options):
        chosen = _known(table[:, options == n])
        sizes, counts = np.unique(np.bitwise_count(chosen.astype(np.int64)), return_counts=True)
        ways = np.array([comb(int(n), int(size)) for size in sizes])
        alike = float((counts * (counts - 1) / ways).sum() / (chosen.size - 1))
        unlike += chosen.size - alike
    return unlike / _known(table).size


def _ranked(table: Floats) -> Floats:
    """Values as ranks, ties sharing theirs: between them lie Krippendorff's ordinal distances."""
    ranks = np.full(table.shape, np.nan)
    ranks[~np.isnan(table)] = stats.rankdata(_known(table))
    return ranks


def _apart(table: Floats) -> tuple[float, float]:
    """Observed and expected squared distance of two values, in units of the values' variance."""
    known = ~np.isnan(table)
    values = _known(table)
    middle, scale = values.mean(), values.std()
    if scale <= NEGLIGIBLE * max(1.0, abs(middle)):
        return 0.0, 0.0
    n_values = known.sum(axis=0)
    table = (table - middle) / scale
    around = np.where(known, table - np.nansum(table, axis=0) / n_values, 0.0)
    apart = 2 * n_values / (n_values - 1) * (around**2).sum(axis=0)
    return float(apart.sum() / values.size), 2 * values.size / (values.size - 1)
