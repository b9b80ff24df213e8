"""How far raters agree, and one rater with itself. In: values by item. Out: numbers.

Cohen's kappa of each two raters and its mean over pairs, with intervals; equal pairs and spread for
any number of draws. Not a plug-in: raters on one scale are not ratings and people's scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, cluster_codes, finite, paired
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, interval_of, jackknife
from eyechart.records import Estimate

NEGLIGIBLE = 1e-9
WEIGHTS = ("none", "quadratic")
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Kappas:
    """Kappa of each two raters over the `n` items that both have; both [raters, raters].

    `kappa`: at most 1, 0 for the agreement of chance; NaN where it is undefined: no items, or
    chance cannot disagree.
    """

    kappa: Floats
    n: Places

    @property
    def mean(self) -> float | None:
        """Over pairs of raters, each weighed by its items; None where none has a kappa."""
        pairs = np.triu_indices(len(self.n), 1)
        kappas, weights = self.kappa[pairs], self.n[pairs]
        known = ~np.isnan(kappas)
        if not known.any():
            return None
        return float((kappas[known] * (weights[known] / weights[known].sum())).sum())


def kappas(values: ArrayLike, *, n_options: ArrayLike | None = None) -> Kappas:
    """Cohen's kappa (1960, Educ. Psychol. Meas. 20: 37-46) of each two raters.

    `values`: [raters, items], NaN where a rater has none. A disagreement weighs as much as the
    square of the distance of the two values (Cohen 1968, Psychol. Bull. 70: 213-220), so that
    values of two kinds have plain kappa.

    `n_options` [items]: the values are choices among each item's own options, as for
    `krippendorff.krippendorff_alpha`, and so is chance: two raters who each choose as many options
    as they do, but any of them. Of single choices this is Bennett's S, which Brennan and Prediger
    advise (1981, Educ. Psychol. Meas. 41: 687-699), and not Cohen's kappa.

    Raises BadInput for another shape, and where a value is infinite or no choice among the options.

    >>> found = kappas([[0, 1, 1, 1], [0, 1, 1, 0], [0, 1, float("nan"), 1]])
    >>> found.kappa[0].tolist(), found.n[0].tolist()
    ([1.0, 0.5, 1.0], [4, 4, 3])
    """
    form = _form(values, n_options)
    return form.kappas(form.sums(np.arange(form.table.shape[1])))


def mean_kappa(
    values: ArrayLike,
    *,
    n_options: ArrayLike | None = None,
    clusters: Clusters | None = None,
) -> Estimate:
    """The mean over pairs of raters of `kappas`, with its 95 % interval over items.

    Each pair counts by the items that both have; pairs whose kappa is undefined are left out. The
    interval is that of the jackknife over clusters of items, on Fisher's z scale; n is items with
    two values or more. None where no pair has a kappa, or `jackknife.interval_of` has none. Raises
    BadInput as `kappas` does.

    >>> round(mean_kappa([[0, 1, 2, 2], [0, 1, 2, 1], [0, 1, 2, 2]]).value, 3)
    0.867
    """
    form = _form(values, n_options)
    return over_pairs(form.sums, lambda sums: form.kappas(sums).mean, form.table, clusters)


def kappa_estimate(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters | None = None,
    *,
    n_options: ArrayLike | None = None,
) -> Estimate:
    """The kappa (as `kappas`) of two raters' values [items], with its 95 % interval.

    The interval is that of the jackknife over clusters, on Fisher's z scale: with squared distances
    kappa is Lin's concordance correlation of the values, whose intervals he makes on that scale
    (Lin 1989, Biometrics 45: 255-268). None as for `mean_kappa`. Raises BadInput where a value is
    not finite or the lengths differ.

    >>> found = kappa_estimate([0, 1, 2, 2, 0, 1, 1, 2], [0, 1, 2, 1, 0, 1, 0, 2])
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.8, -0.02, 0.98)
    """
    both = np.stack(paired(a, b, ("a", "b")))
    return mean_kappa(both, n_options=n_options, clusters=clusters)


def weighted_kappa(
    a: ArrayLike, b: ArrayLike, *, weights: Literal["none", "quadratic"] = "quadratic"
) -> float | None:
    """Cohen's kappa in [-1, 1] of two raters' values [items]: agreement beyond chance.

    A disagreement weighs as in `kappas`, or always 1 where the values are names (`none`). None
    where it is undefined: no items, or one same value from both throughout. Raises BadInput where a
    value is not finite or the lengths differ.

    >>> weighted_kappa([0, 1, 2, 2], [0, 1, 2, 1])
    0.8
    """
    if weights not in WEIGHTS:
        raise BadInput(f"weights is {weights!r}, expected one of {', '.join(WEIGHTS)}")
    both = np.stack(paired(a, b, ("a", "b")))
    if weights == "quadratic" or not both.size:
        return kappas(both).mean
    # squared distances of "is it this name?" add up over all names to 2 where two values differ
    by_name = [pair_sums((both == name).astype(np.float64)) for name in np.unique(both)]
    return _by_squares(np.stack(by_name)).mean


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


def divided(above: NDArray[np.generic], below: Floats | Places) -> Floats:
    """The quotients; NaN where one would divide by nothing.

    >>> divided(np.array([1, 1]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below > NEGLIGIBLE)
    return out


def means(values: Floats, *, axis: int) -> Floats:
    """The means of a table along an axis over what is there; NaN where all is missing (NaN).

    >>> means(np.array([[1.0, np.nan], [0.5, np.nan]]), axis=0).tolist()
    [0.75, nan]
    """
    known = ~np.isnan(values)
    return divided(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))


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
    return divided(equal, n_draws * (n_draws - 1))


def spreads(draws: ArrayLike) -> Floats:
    """For each item the standard deviation of its draws, with n - 1, in their unit.

    `draws`: [items, draws], NaN where one is missing. NaN for an item with fewer than two. Raises
    BadInput for any other shape, and where a value is infinite.

    >>> spreads([[1, 1, 1], [0, 1, 2]]).tolist()
    [0.0, 1.0]
    """
    table, n_draws = _draws(draws)
    known = ~np.isnan(table)
    middle = means(table, axis=1)
    apart = np.where(known, table - middle[:, None], 0.0)
    return np.asarray(np.sqrt(divided((apart**2).sum(axis=1), n_draws - 1)))


@dataclass(frozen=True, slots=True)
class _Plain:
    """Kappa of values; `table`: as `_scaled`."""

    table: Floats

    def sums(self, at: Places) -> Floats:
        return pair_sums(self.table[:, at])

    def kappas(self, sums: Floats) -> Kappas:
        return _by_squares(sums[None])


@dataclass(frozen=True, slots=True)
class _OfChoices:
    """Kappa of choices among options of which each item has its own number."""

    table: Floats
    options: Places

    def sums(self, at: Places) -> Floats:
        """Counts of items for each two raters, [layers, raters, raters].

        First where both choose the same; then, for each number of options that items have, where
        both choose, and where the first chooses 1, 2, ... of them and the other chooses too.
        """
        table, options = self.table[:, at], self.options[at]
        known = ~np.isnan(table)
        sizes = np.bitwise_count(np.where(known, table, 0).astype(np.int64))
        layers = [sum(_both(table == value, table == value) for value in np.unique(table[known]))]
        for n in np.unique(self.options):
            here = known & (options == n)
            layers.append(_both(here, here))
            layers += [_both(here & (sizes == size), here) for size in range(1, n + 1)]
        return np.stack(np.broadcast_arrays(*layers))

    def kappas(self, sums: Floats) -> Kappas:
        alike, *layers = sums
        n_both, by_chance, rest = np.zeros_like(alike), np.zeros_like(alike), iter(layers)
        for n in np.unique(self.options).tolist():
            here = next(rest)
            chosen = [next(rest) for _ in range(n)]
            ways = [comb(n, size) for size in range(1, n + 1)]
            both = sum(one * one.T / way for one, way in zip(chosen, ways, strict=True))
            n_both += here
            by_chance += both / np.maximum(here, 1)
        return _beyond_chance(n_both - alike, n_both - by_chance, n_both)


def _form(values: ArrayLike, n_options: ArrayLike | None) -> _Plain | _OfChoices:
    table = checked_raters(values)
    if n_options is None:
        return _Plain(_scaled(table))
    return _OfChoices(table, checked_options(table, n_options))


def _scaled(table: Floats) -> Floats:
    """The values less one of them, in units of about their spread: whole numbers stay exact."""
    known = table[~np.isnan(table)]
    if not known.size:
        return table
    apart = table - known[np.abs(known - known.mean()).argmin()]
    spread = math.sqrt(np.nanmean(apart**2))
    return np.asarray(apart / 2.0 ** math.floor(math.log2(spread))) if spread else apart


def _by_squares(sums: Floats) -> Kappas:
    """Of `pair_sums` [layers, 4, raters, raters], whose squared distances add up over layers."""
    n, a, squares, products = np.moveaxis(sums, 1, 0)
    both, turned = np.maximum(n, 1), np.swapaxes(squares, 1, 2)
    observed = squares + turned - 2 * products
    by_chance = squares + turned - 2 * a * np.swapaxes(a, 1, 2) / both
    return _beyond_chance(observed.sum(axis=0), by_chance.sum(axis=0), n[0])


def _beyond_chance(observed: Floats, by_chance: Floats, n: Floats) -> Kappas:
    """Kappa of the disagreement over items, and of what it would be by chance."""
    return Kappas(1 - divided(observed, by_chance), n.astype(np.intp))


def _both(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """On how many items one holds of the first rater and the other of the second."""
    return np.asarray(first.astype(np.float64) @ second.astype(np.float64).T)


def _draws(draws: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """The checked table, and how many draws each item has."""
    table = np.asarray(draws, dtype=np.float64)
    missing = np.isnan(table)
    finite(np.where(missing, 0.0, table), "draws", ndim=2)
    return table, (~missing).sum(axis=1)
