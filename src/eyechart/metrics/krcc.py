"""KRCC: Kendall's rank correlation (tau-b) of predictions with targets. Gives no interval."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy import stats

from eyechart.metrics import Metric
from eyechart.metrics.arrays import paired


def krcc(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """Kendall's tau-b in [-1, 1] of two arrays [items]; corrected for ties.

    None where it is undefined: fewer than two items, or either side constant.
    Raises BadInput where a value is not finite or the lengths differ.

    >>> round(krcc([1, 2, 3, 4], [1, 2, 4, 3]), 4)
    0.6667
    """
    a, b = paired(predictions, targets, ("predictions", "targets"))
    if a.size < 2 or (a == a[0]).all() or (b == b[0]).all():
        return None
    return float(stats.kendalltau(a, b).statistic)


METRIC = Metric(
    name="krcc",
    title="KRCC",
    summary="share of pairs in the right order, less those in the wrong one",
    needs="pairs",
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    source="Kendall 1945, Biometrika 33: 239-251 (tau-b)",
    compute=krcc,
)
