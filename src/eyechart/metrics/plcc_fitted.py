"""PLCC after a logistic fit: linear correlation once predictions are mapped onto people's scale.

Gives no interval.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from eyechart.metrics import Metric
from eyechart.metrics.arrays import paired
from eyechart.metrics.logistic import fit_logistic
from eyechart.metrics.plcc import correlation


def plcc_fitted(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """Pearson's correlation in [0, 1] of targets with the logistic curve of the predictions.

    The curve may fall as well as rise, so this tells how close the relation is and not which way it
    goes: SRCC tells that. None for fewer than five items, where either side is constant, and where
    the fit does not settle. Raises BadInput where a value is not finite or the lengths differ.

    >>> x = [0.1, 0.2, 0.4, 0.5, 0.7, 0.9]
    >>> round(plcc_fitted(x, [1, 1, 2, 4, 5, 5]), 3)
    1.0
    >>> round(plcc_fitted(x, [5, 5, 4, 2, 1, 1]), 3)
    1.0
    """
    x, y = paired(predictions, targets, ("predictions", "targets"))
    curve = fit_logistic(x, y)
    return None if curve is None else correlation(curve(x), y)


METRIC = Metric(
    name="plcc_fitted",
    title="PLCC after a fit",
    summary="linear correlation with people's scores after a 4-parameter logistic fit",
    needs="pairs",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    source="VQEG 2003, FR-TV phase II; Sheikh et al. 2006, IEEE Trans. Image Process. 15: 3440",
    compute=plcc_fitted,
)
