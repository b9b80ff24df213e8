"""The cells and heads of a benchmark's own tables: numbers by their column's unit.

In: entries and columns of `records.Table`s. Out: rounded texts. No figure is computed here. A
column whose name begins with `difference` is printed with signs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eyechart.records import Column, Estimate
from eyechart.report.formatting import whole

DIGITS = {"percent": 1, "fraction": 4, "number": 3, "count": 0}

Entry = Estimate | str | None


@dataclass(frozen=True, slots=True)
class Filled:
    """One cell: the value with its mark, its interval and n ("" where there is none to show).

    `n` is told here only where neither the column's head nor the cell before tells the same;
    `title` tells it all, on hovering. `place`: 1 for the best of its column, 2 for the runner-up,
    else 0.
    """

    value: str
    interval: str = ""
    n: str = ""
    title: str = ""
    is_text: bool = False
    place: int = 0
    is_grey: bool = False

    @property
    def text(self) -> str:
        """The whole cell on one line."""
        aside = "; ".join(filter(None, (self.interval, self.n)))
        return f"{self.value} ({aside})" if aside else self.value


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `n`: that of its figures (see `Filled`), "" where it differs.

    `over`: the heading that it shares with its neighbours, "" for none. `mark`: that of all its
    figures, "" for none.
    """

    name: str
    n: str
    is_text: bool
    over: str = ""
    mark: str = ""

    @property
    def text(self) -> str:
        """The whole head on one line."""
        return f"{self.name} ({self.n})" if self.n else self.name


def known(entry: Entry) -> float | None:
    """The number of an entry, None where it is a text, undefined or not finite."""
    if not isinstance(entry, Estimate) or entry.value is None or not math.isfinite(entry.value):
        return None
    return entry.value


def rounded(value: float, column: Column) -> str:
    """A number in its column's unit.

    >>> rounded(0.612, Column("x", "percent")), rounded(0.612, Column("x", "fraction"))
    ('61.2', '0.6120')
    """
    digits = DIGITS[column.unit] if column.digits is None else column.digits
    shown = 100 * value if column.unit == "percent" else value
    text = f"{shown:,.{digits}f}" if column.unit == "count" else f"{shown:.{digits}f}"
    if not text.strip("-0.,"):
        return text.lstrip("-")
    sign = "+" if column.name.startswith("difference") and value > 0 else ""
    return sign + text.replace("-", "−")


def interval_of(entry: Estimate, column: Column) -> str:
    """The 95 % interval in its column's unit, "" where there is none."""
    if entry.low is None or entry.high is None:
        return ""
    ends = [rounded(entry.low, column), rounded(entry.high, column)]
    return (" to " if any(end[0] in "+−" for end in ends) else "–").join(ends)


def n_of(entry: Entry, column: Column) -> str:
    """How many items a figure rests on; "" for counts, which are that themselves."""
    if not isinstance(entry, Estimate) or entry.value is None or not entry.n:
        return ""
    return "" if column.unit == "count" else f"n = {whole(entry.n)}"
