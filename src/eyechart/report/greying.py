"""Which figures rest on too few questions to tell two models apart, and how that is marked.

In: estimates and cells. Out: whether they are set in grey, and the words below a table. The rule is
that of `eyechart.metrics.power`; nothing is computed here.
"""

from __future__ import annotations

import itertools

from eyechart.metrics.power import ACCURACY, COARSE, CORRELATION, POWER, too_few
from eyechart.records import Cell, Estimate
from eyechart.report.formatting import SMALL_NOTE, is_small, shown_n, whole

GREY_MARK = "‡"
"""For forms without colours, and for readers who do not tell grey from black."""
FEWEST = next(n for n in itertools.count(1) if not too_few(n))
"""A figure of fewer questions is set in grey."""
_WHY = (
    f"fewer than {FEWEST} questions; a difference of {100 * COARSE:.0f} points between two models "
    f"would often not show ({100 * POWER:.0f} % power, models {100 * ACCURACY:.0f} % right, "
    f"correlation {CORRELATION:g})."
)
GREY_NOTE = f"Grey ({GREY_MARK}): {_WHY}"
GREY_MARK_NOTE = f"{GREY_MARK} {_WHY}"
GREYED = {"overall", "accuracy", "verdict"}
"""Means of marks: for rank correlations the rule says nothing."""


def key_of(*, small: bool, grey: bool) -> tuple[str, ...]:
    """What stands below a table of a page that marks figures of few items."""
    return (*([SMALL_NOTE] if small else []), *([GREY_NOTE] if grey else []))


def is_grey(entry: Estimate | str | None) -> bool:
    """A figure of too few items; not where their number is not known (n = 0).

    >>> is_grey(Estimate(0.5, None, None, 18)), is_grey(Estimate(0.5, None, None, 0))
    (True, False)
    """
    if not isinstance(entry, Estimate) or entry.value is None:
        return False
    return entry.n > 0 and too_few(entry.n)


def is_grey_cell(cell: Cell) -> bool:
    """The mean of the marks of too few items, by facet; what all items come to is never grey."""
    return bool(cell.facet) and cell.metric in GREYED and is_grey(cell.estimate)


def marked_n(cell: Cell) -> str:
    """The cell's number of items, marked where it is grey, else where it is small."""
    return f"{whole(cell.estimate.n)}{GREY_MARK}" if is_grey_cell(cell) else shown_n(cell)


def is_only_small(cell: Cell) -> bool:
    """Fewer than 30 items, and not grey for that: a rank correlation, or over all items."""
    return is_small(cell) and not is_grey_cell(cell)
