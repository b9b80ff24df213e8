"""How far raters agree. In: values by item. Out: one number, None where it is undefined.

Weighted kappa for two raters, percent agreement for any number of draws. Gives no interval.
Not a plug-in: raters on one scale are not ratings and people's scores.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from eyechart.errors import BadInput
from eyechart.metrics.arrays import finite, paired

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


def percent_agreement(draws: ArrayLike) -> float | None:
    """The share in [0, 1] of pairs of draws about the same item that are equal.

    `draws`: [items, draws], such as the verdicts of a judge that was asked several times; NaN where
    one is missing. Every item with at least two draws counts the same. None where there is no such
    item. Raises BadInput for any other shape, and where a value is infinite.

    >>> percent_agreement([[2, 2, 1], [0, 0, 0]])
    0.6666666666666666
    """
    table = np.asarray(draws, dtype=np.float64)
    missing = np.isnan(table)
    finite(np.where(missing, 0.0, table), "draws", ndim=2)
    n_draws = (~missing).sum(axis=1)
    several = n_draws > 1
    equal = (table[:, :, None] == table[:, None, :]).sum(axis=(1, 2)) - n_draws
    shares = equal[several] / (n_draws * (n_draws - 1))[several]
    return float(shares.mean()) if shares.size else None
