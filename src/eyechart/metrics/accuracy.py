"""Accuracy: the mean of values that are 0 or 1, or graded in between. Gives no interval."""

from __future__ import annotations

from numpy.typing import ArrayLike

from eyechart.errors import BadInput
from eyechart.metrics import Metric
from eyechart.metrics.arrays import finite


def accuracy(values: ArrayLike) -> float | None:
    """The mean of values in [0, 1], one for each item; None where there are none.

    Raises BadInput where a value is outside [0, 1] or not finite.

    >>> accuracy([1, 0, 1, 0.5])
    0.625
    """
    array = finite(values, "values")
    outside = (array < 0) | (array > 1)
    if outside.any():
        index = int(outside.argmax())
        raise BadInput(f"values[{index}] is {array[index]:g}, expected a number from 0 to 1")
    return float(array.mean()) if array.size else None


METRIC = Metric(
    name="accuracy",
    title="Accuracy",
    summary="share of items answered rightly",
    needs="values",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    source="share of right answers; graded answers count in part",
    compute=accuracy,
)
