"""RMSE after a logistic fit: how far predictions, mapped onto people's scale, are from it.

Gives no interval.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from eyechart.metrics import Metric
from eyechart.metrics.arrays import paired
from eyechart.metrics.logistic import fit_logistic


def rmse(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """Root of the mean squared distance of targets from the logistic curve of the predictions.

    In the unit of the targets; the mean is over all items, with nothing off for the curve's four
    parameters. None for fewer than five items, where either side is constant, and where the fit
    does not settle. Raises BadInput where a value is not finite or the lengths differ.

    >>> round(rmse([0.1, 0.2, 0.4, 0.5, 0.7, 0.9], [1, 1, 2, 4, 5, 5]), 2)
    0.01
    """
    x, y = paired(predictions, targets, ("predictions", "targets"))
    curve = fit_logistic(x, y)
    return None if curve is None else float(np.sqrt(np.mean((curve(x) - y) ** 2)))


METRIC = Metric(
    name="rmse",
    title="RMSE after a fit",
    summary="distance from people's scores, in their unit, after a 4-parameter logistic fit",
    needs="pairs",
    higher_is_better=False,
    bounds=(0.0, math.inf),
    source="VQEG 2003, FR-TV phase II; Sheikh et al. 2006, IEEE Trans. Image Process. 15: 3440",
    compute=rmse,
)
