"""How far raters agree, and one rater with itself. In: values by item. Out: numbers.

Weighted kappa for two raters, with an interval; equal pairs and spread for any number of draws.
Not a plug-in: raters on one scale are not ratings and people's scores.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats, finite, paired
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, interval_of, jackknife
from eyechart.records import Estimate

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
