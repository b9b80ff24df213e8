"""Metrics: numbers computed from scores. One file each, with the constant `METRIC`.

Enters: plain arrays of values, or predictions and targets. Leaves: a number, or None where it is
undefined. Nothing here reads files or knows about items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is and how it is computed.

    `needs`: `values` (`compute` takes one array, a value per item) or `pairs` (it takes predictions
    and targets). A report tells metrics of values beside accuracy, and those of pairs where people
    rated; intervals come from the jackknife, so `compute` should be smooth.
    `bounds`: lowest and highest value it can take. `source`: where it is defined.
    `compute`: returns None where the metric is undefined, raises BadInput on NaN and infinity.
    """

    name: str
    title: str
    summary: str
    needs: Literal["values", "pairs"]
    higher_is_better: bool
    bounds: tuple[float, float]
    source: str
    compute: Callable[..., float | None]
