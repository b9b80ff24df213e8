"""Tables laid out as papers do: the best figure and the runner-up of each column, and what is grey.

In: `records.Table`s. Out: places by line and column, compared as printed. No figure is computed
here.
"""

from __future__ import annotations

from eyechart.records import Column, Line, Table
from eyechart.report.greying import is_grey
from eyechart.report.own_cells import known, n_of, rounded

BEST, RUNNER_UP = 1, 2
HERE = "•"
"""Stands before the lines measured here, beside published ones."""
PLACES_NOTE = "The best of each column is bold, the runner-up underlined."
HERE_NOTE = f"{HERE} measured here; the other figures are as published."


def column_places(table: Table) -> tuple[tuple[int, ...], ...]:
    """1 for the best of a column, 2 for the runner-up, else 0: lines x columns.

    Figures that print alike share a place. Only lines that compete count; a column of counts, or
    with a single figure, has no best.

    >>> from eyechart.records import Estimate
    >>> a, b, c = (Estimate(value, None, None, 100) for value in (0.611, 0.612, 0.7))
    >>> lines = (Line("a", (a,)), Line("b", (b,)), Line("guessing", (c,), ranked=False))
    >>> column_places(Table("t", "T", (Column("x", "percent", 0),), lines, ranked=True))
    ((1,), (1,), (0,))
    """
    columns = [_places_in(table, index) for index in range(len(table.columns))]
    return tuple(tuple(column[i] for column in columns) for i in range(len(table.lines)))


def grey_columns(table: Table) -> tuple[bool, ...]:
    """For each column whether all its figures rest on too few items; False where it has none."""
    if not table.ranked:
        return (False,) * len(table.columns)
    return tuple(_is_all_grey(table, index) for index in range(len(table.columns)))


def caption_of(table: Table) -> str:
    """The title; a ranked table tells here, and not in each head, that its figures are in %."""
    in_percent = table.ranked and any(column.unit == "percent" for column in table.columns)
    return f"{table.title}, %" if in_percent and "%" not in table.title else table.title


def is_mixed(table: Table) -> bool:
    """It has published lines beside measured ones."""
    return len({line.published for line in table.lines}) > 1


def _is_all_grey(table: Table, index: int) -> bool:
    entries = [line.entries[index] for line in table.lines]
    counted = [entry for entry in entries if n_of(entry, table.columns[index])]
    return bool(counted) and all(map(is_grey, counted))


def _places_in(table: Table, index: int) -> list[int]:
    figures = [_as_printed(table.columns[index], line, index) for line in table.lines]
    competing = [figure for figure in figures if figure is not None]
    if not table.ranked or len(competing) < 2:
        return [0] * len(figures)
    first, *others = sorted(set(competing), reverse=True)
    place = {first: BEST, **dict.fromkeys(others[:1], RUNNER_UP)}
    return [0 if figure is None else place.get(figure, 0) for figure in figures]


def _as_printed(column: Column, line: Line, index: int) -> float | None:
    """The figure with the digits that are shown; None where it does not compete."""
    value = known(line.entries[index])
    if value is None or not line.ranked or column.unit == "count":
        return None
    return float(rounded(value, column).replace("−", "-"))
