"""How far raters agree, and one rater with itself. In: values by item. Out: numbers.

Weighted kappa for two raters, and its mean over the pairs of several, with intervals; equal pairs
and spread for any number of draws. Not a plug-in: raters on one scale are not ratings and people's
scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, finite, paired
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, interval_of, jackknife
from eyechart.records import Estimate

NEGLIGIBLE = 1e-9
Places = NDArray[np.intp]
_POWERS = {"none": 0, "linear": 1, "quadratic": 2}


def weighted_kappa(
    a: ArrayLike, b: ArrayLike, *, weights: Literal["none", "linear", "quadratic"] = "quadratic"
) -> float | None:
    """Cohen's kappa in [-1, 1] of two raters' values [items]: agreement beyond chance.

    A disagreement weighs as much as the distance of the two values, squared (`quadratic`) or not
    (`linear`), or always 1 (`none`). Cohen 1968, Psychol. Bull. 70: 213-220. None where it is
    undefined: no items, or one same value from both throughout. Raises BadInput where a value is
    not finite or the lengths differ.

    >>> weighted_kappa([0, 1, 2, 2], [0, 1, 2, 1])
    0.8
    """
    if weights not in _POWERS:
        raise BadInput(f"weights is {weights!r}, expected one of {', '.join(_POWERS)}")
    first, second = paired(a, b, ("a", "b"))
    if first.size == 0:
        return None
    values, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    table = np.zeros((values.size, values.size))
    np.add.at(table, (places[: first.size], places[first.size :]), 1 / first.size)
    apart = np.abs(values[:, None] - values[None, :])
    cost = (apart > 0).astype(float) if weights == "none" else apart ** _POWERS[weights]
    expected = float((cost * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    return 1 - float((cost * table).sum()) / expected if expected > 0 else None


def kappa_estimate(a: ArrayLike, b: ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The quadratic weighted kappa of two raters' values [items], with its 95 % interval.

    The interval is that of the jackknife over clusters, on Fisher's z scale: with these weights
    kappa is Lin's concordance correlation of the values, whose intervals he makes on that scale
    (Lin 1989, Biometrics 45: 255-268). None where `weighted_kappa` or
    `jackknife.interval_of` has none. Raises BadInput as `weighted_kappa` does.

    >>> found = kappa_estimate([0, 1, 2, 2, 0, 1, 1, 2], [0, 1, 2, 1, 0, 1, 0, 2])
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.8, -0.02, 0.98)
    """
    first, second = paired(a, b, ("a", "b"))
    found = jackknife(weighted_kappa, [first, second], clusters)
    return interval_of(found, CORRELATION_BOUNDS)


def mean_kappa(
    values: ArrayLike,
    *,
    n_options: ArrayLike | None = None,
    clusters: Clusters | None = None,
) -> Estimate:
    """The mean over pairs of raters of Cohen's kappa, with its 95 % interval over items.

    `values`: [raters, items], NaN where a rater has none. Disagreements weigh by their square, so
    that values of two kinds have plain kappa. Each pair counts by the items that both have; pairs
    whose kappa is undefined are left out. `n_options` [items]: the values are choices among each
    item's own options, as for `krippendorff.krippendorff_alpha`, and so is chance: two raters who
    each choose as many options as they do, but any of them.

    The interval is that of the jackknife over clusters of items; n is items with two values or
    more. None as for `kappa_estimate`. Raises BadInput for another shape, and where a value is
    infinite or no choice among the options.

    >>> round(mean_kappa([[0, 1, 2, 2], [0, 1, 2, 1], [0, 1, 2, 2]]).value, 3)
    0.867
    """
    table = checked_raters(values)
    if n_options is None:
        known = table[~np.isnan(table)]
        scale = float(known.std()) if known.size else 0.0
        table = (table - (known.mean() if known.size else 0.0)) / (scale or 1.0)
        return over_pairs(lambda at: pair_sums(table[:, at]), _squared_kappa, table, clusters)
    options = checked_options(table, n_options)
    several = [int(n) for n in np.unique(options)]

    def sums(at: Places) -> Floats:
        return _choice_sums(table[:, at], options[at], several)

    return over_pairs(sums, lambda found: _choice_kappa(found, several), table, clusters)


def pair_sums(table: Floats) -> Floats:
    """For each two raters sums over the items that both rated, [4, raters, raters].

    Their number, and the sums of the first one's values, of their squares, and of the products.

    >>> pair_sums(np.array([[1.0, 2.0], [3.0, np.nan]]))[:, 0, 1].tolist()
    [1.0, 1.0, 1.0, 3.0]
    """
    known = ~np.isnan(table)
    x, one = np.where(known, table, 0.0), known.astype(np.float64)
    return np.stack([one @ one.T, x @ one.T, x**2 @ one.T, x @ x.T])


def over_pairs(
    sums: Callable[[Places], Floats],
    statistic: Callable[[Floats], float | None],
    table: Floats,
    clusters: Clusters | None,
) -> Estimate:
    """As `over_shared_items`, for a statistic of sums over items: what is left out is subtracted.

    So the cost for many raters, whose pairs are many, is that of two sums over all items.
    """
    everywhere = np.flatnonzero(shared_items(table))
    total = sums(everywhere)

    def without_the_rest(at: Places) -> float | None:
        return statistic(total - sums(np.setdiff1d(everywhere, at, assume_unique=True)))

    return over_shared_items(without_the_rest, table, clusters)


def over_shared_items(
    statistic: Callable[[Places], float | None], table: Floats, clusters: Clusters | None
) -> Estimate:
    """A statistic of the places of items with two values or more, with its 95 % interval.

    `table`: [raters, items], NaN where a rater has no value. The interval is that of the jackknife
    over clusters, for statistics in -1 to 1.
    """
    codes = cluster_codes(clusters, table.shape[1])
    shared = np.flatnonzero(shared_items(table))
    if not shared.size:
        return Estimate(None, None, None, 0)
    found = jackknife(lambda at: statistic(at.astype(np.intp)), [shared], list(codes[shared]))
    return interval_of(found, CORRELATION_BOUNDS)


def shared_items(table: Floats) -> NDArray[np.bool_]:
    """Which items of [raters, items] have two values or more."""
    return np.asarray((~np.isnan(table)).sum(axis=0) > 1)


def packed(table: Floats) -> Floats:
    """The values of each item first, whoever gave them: [most values of an item, items].

    Much smaller where many raters have few items each; for what asks no more than how often values
    are given.

    >>> packed(np.array([[np.nan, 2.0], [3.0, np.nan], [np.nan, 1.0]])).tolist()
    [[3.0, 1.0], [nan, 2.0]]
    """
    most = int((~np.isnan(table)).sum(axis=0).max()) if table.size else 0
    return np.asarray(np.sort(table, axis=0)[:most])


def checked_raters(values: ArrayLike) -> Floats:
    """The values [raters, items]; NaN is a missing one. Raises BadInput for any other shape."""
    table = np.asarray(values, dtype=np.float64)
    finite(np.where(np.isnan(table), 0.0, table), "values", ndim=2)
    return table


def checked_options(table: Floats, n_options: ArrayLike) -> Places:
    """How many options each item has; Raises BadInput where a value is no choice among them."""
    options = np.asarray(n_options, dtype=np.intp)
    if options.shape != table.shape[1:]:
        raise BadInput(f"n_options has {options.size} entries for {table.shape[1]} items")
    wrong = (table < 1) | (table >= 2.0**options) | (table % 1 > 0)
    if wrong.any():
        rater, item = (int(i) for i in np.argwhere(wrong)[0])
        raise BadInput(
            f"values[{rater}, {item}] is {table[rater, item]:g}, expected a choice among "
            f"{options[item]} options: a sum of 2 ** (number - 1)"
        )
    return options


def equal_shares(draws: ArrayLike) -> Floats:
    """For each item the share in [0, 1] of the pairs of its draws that are equal.

    `draws`: [items, draws], such as the verdicts of a judge that was asked several times; NaN where
    one is missing. NaN for an item with fewer than two. Raises BadInput for any other shape, and
    where a value is infinite.

    >>> equal_shares([[2, 2], [0, 1]]).tolist()
    [1.0, 0.0]
    """
    table, n_draws = _draws(draws)
    equal = (table[:, :, None] == table[:, None, :]).sum(axis=(1, 2)) - n_draws
    return _divided(equal, n_draws * (n_draws - 1))


def spreads(draws: ArrayLike) -> Floats:
    """For each item the standard deviation of its draws, with n - 1, in their unit.

    `draws`: [items, draws], NaN where one is missing. NaN for an item with fewer than two. Raises
    BadInput for any other shape, and where a value is infinite.

    >>> spreads([[1, 1, 1], [0, 1, 2]]).tolist()
    [0.0, 1.0]
    """
    table, n_draws = _draws(draws)
    known = ~np.isnan(table)
    middle = _divided(np.where(known, table, 0.0).sum(axis=1), n_draws)
    apart = np.where(known, table - middle[:, None], 0.0)
    return np.asarray(np.sqrt(_divided((apart**2).sum(axis=1), n_draws - 1)))


def _squared_kappa(sums: Floats) -> float | None:
    """Of `pair_sums` of values whose variance is about 1."""
    n, a, a2, ab = sums
    both = np.maximum(n, 1)
    observed = (a2 + a2.T - 2 * ab) / both
    expected = (a2 + a2.T) / both - 2 * a * a.T / both**2
    return _mean_over_pairs(observed, expected, n)


def _choice_sums(table: Floats, options: Places, several: Sequence[int]) -> Floats:
    """Counts of items for each two raters, [layers, raters, raters].

    First where both choose the same; then, for each number of options that items have, where both
    choose, and where the first chooses 1, 2, ... of them and the other chooses too.
    """
    known = ~np.isnan(table)
    sizes = np.bitwise_count(np.where(known, table, 0).astype(np.int64))
    layers = [sum(_both(table == value, table == value) for value in np.unique(table[known]))]
    for n in several:
        here = known & (options == n)
        layers.append(_both(here, here))
        layers += [_both(here & (sizes == size), here) for size in range(1, n + 1)]
    return np.stack(np.broadcast_arrays(*layers))


def _choice_kappa(sums: Floats, several: Sequence[int]) -> float | None:
    alike, *layers = sums
    n_both, expected, rest = np.zeros_like(alike), np.zeros_like(alike), iter(layers)
    for n in several:
        here = next(rest)
        chosen = [next(rest) for _ in range(n)]
        ways = [comb(n, size) for size in range(1, n + 1)]
        both = sum(one * one.T / way for one, way in zip(chosen, ways, strict=True))
        n_both += here
        expected += both / np.maximum(here, 1)
    whole = np.maximum(n_both, 1)
    return _mean_over_pairs(1 - alike / whole, 1 - expected / whole, n_both)


def _both(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """On how many items one holds of the first rater and the other of the second."""
    return np.asarray(first.astype(np.float64) @ second.astype(np.float64).T)


def _mean_over_pairs(observed: Floats, expected: Floats, n: Floats) -> float | None:
    """The mean of 1 - observed / expected, each pair weighed by its items."""
    one, other = np.triu_indices(len(n), 1)
    weights = np.where(expected[one, other] > NEGLIGIBLE, n[one, other], 0.0)
    if weights.sum() == 0:
        return None
    kappas = 1 - observed[one, other] / np.maximum(expected[one, other], NEGLIGIBLE)
    return float((weights * kappas).sum() / weights.sum())


def _draws(draws: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """The checked table, and how many draws each item has."""
    table = np.asarray(draws, dtype=np.float64)
    missing = np.isnan(table)
    finite(np.where(missing, 0.0, table), "draws", ndim=2)
    return table, (~missing).sum(axis=1)


def _divided(above: NDArray[np.generic], below: NDArray[np.intp]) -> Floats:
    """The quotients; NaN where one would divide by nothing."""
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
