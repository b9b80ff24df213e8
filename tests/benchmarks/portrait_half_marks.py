"""The whole numbers of half marks that Q-Bench-Portrait's published percentages imply.

In: a published row. Out: how many half marks its model has over a subset.
"""

from __future__ import annotations

from eyechart.benchmarks.qbench_portrait_published import BASELINE, Published
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS

WHOLE_CODES = frozenset(code for kind, code in CODES.items() if kind != "open")
HALF_A_DIGIT = 0.5e-4 + 1e-9
"""Half of the last digit printed, as a fraction; a little more, so that halves go either way."""


def half_marks(row: Published, key: str) -> int | None:
    """The whole number of half marks over a subset that a model's printed percentage implies.

    Closed questions give whole marks, so subsets of these alone have an even number. None for the
    baseline, for a dash, and where no such number comes out at the printed digits.
    """
    figure = row.figures.get(key)
    if figure is None or row.group == BASELINE:
        return None
    step = 2 if key.partition("/")[0] in WHOLE_CODES else 1
    most = 2 * COUNTS[key]
    found = step * round(figure * most / step)
    return found if abs(found / most - figure) <= HALF_A_DIGIT else None
