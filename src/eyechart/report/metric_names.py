"""The names of metrics, and of columns and facets, for people.

In: names as records have them. Out: labels and explanations. No number is printed here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is named and printed. `percent`: shown in % with one decimal, on 0 to 100.

    Otherwise shown with three decimals; `low` and `high` are the ends of its scale.
    """

    name: str
    label: str
    explanation: str
    percent: bool = True
    low: float = 0.0
    high: float = 1.0


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "overall",
            "Overall",
            "The mean mark over all questions, in %: 1 or 0 for a closed one, the judge's verdict "
            "as a share of full marks for an open one. An unscored reply counts as 0; one that the "
            "judge has not graded is left out.",
        ),
        Metric(
            "accuracy",
            "Accuracy",
            "Questions answered right, in %. An unscored reply counts as wrong; "
            "the bounds say what it would be if all of those were wrong or all were right.",
        ),
        Metric(
            "verdict",
            "Open answers",
            "The judge's verdict, in % of full marks. A reply that failed, was refused or not "
            "understood counts as 0; one that the judge has not graded is left out.",
        ),
        Metric(
            "srcc_mos",
            "SRCC with people",
            "Rank correlation of the model's ratings with people's mean opinion scores.",
            percent=False,
            low=-1.0,
        ),
        Metric(
            "srcc_level",
            "SRCC with severity",
            "Rank correlation of the model's ratings with how little the photograph was distorted.",
            percent=False,
            low=-1.0,
        ),
    )
}


def metric_named(name: str) -> Metric:
    """How to print the metric `name`; a plain number where the name is not known here.

    >>> metric_named("plcc_fitted_mos").label
    'PLCC fitted with people'
    """
    if name in METRICS:
        return METRICS[name]
    label, explanation = heading(name), f"Mean of {words(name)}."
    if name.endswith("_mos"):
        head, *rest = words(name.removesuffix("_mos")).split()
        short = " ".join([head.upper(), *rest])
        label = f"{short} with people"
        explanation = f"{short} of the model's ratings and people's mean opinion scores."
    return Metric(name, label, explanation, percent=False, low=math.nan)


def words(name: str) -> str:
    """A column's or facet's name for people.

    >>> words("source_data_set"), words("jpeg")
    ('source data set', 'JPEG')
    """
    return re.sub(r"\bjpeg\b", "JPEG", name.replace("_", " ").strip())


def heading(name: str) -> str:
    """A name at the start of a line.

    >>> heading("MOS_source")
    'MOS source'
    """
    text = words(name)
    return text[:1].upper() + text[1:]
