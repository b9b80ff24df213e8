"""PLCC: Pearson's linear correlation of predictions with targets. Gives no interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eyechart.metrics import Metric
from eyechart.metrics.arrays import Floats, paired


def plcc(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """Pearson's correlation in [-1, 1] of two arrays [items]; no curve is fitted beforehand.

    None where it is undefined: fewer than two items, or either side constant.
    Raises BadInput where a value is not finite or the lengths differ.

    >>> plcc([1, 2, 3], [2, 4, 6])
    1.0
    """
    a, b = paired(predictions, targets, ("predictions", "targets"))
    return correlation(a, b)


def correlation(a: Floats, b: Floats) -> float | None:
    """Pearson's correlation of checked arrays; None where either is constant or shorter than 2."""
    if a.size < 2 or (a == a[0]).all() or (b == b[0]).all():
        return None
    x, y = _centred(a), _centred(b)
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _centred(values: Floats) -> Floats:
    """Values less their mean, scaled so that the squares of tiny or huge ones lose no digits."""
    scaled = values / np.abs(values).max()
    centred = scaled - scaled.mean()
    return np.asarray(centred / np.abs(centred).max())


METRIC = Metric(
    name="plcc",
    title="PLCC",
    summary="linear correlation with people's scores",
    needs="pairs",
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    source="Pearson 1895, Proc. R. Soc. Lond. 58: 240-242",
    compute=plcc,
)
