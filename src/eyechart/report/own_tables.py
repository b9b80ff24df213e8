"""A benchmark's own tables (`records.Table`), worded for people and laid out for machines.

In: `records.Table`s. Out: `Worded` tables for the page, and `Printed` ones for Markdown, LaTeX and
CSV. No figure is computed here. A column whose name begins with `difference` is printed with signs.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from eyechart.errors import BadInput
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import BLANK, SMALL_MARK, SMALL_N, whole
from eyechart.report.printed import Printed, Shown, exact, slug

OTHER_WAYS = {"other-ways"}
BIAS = {"position", "yes-and-no"}
PUBLISHED = "Bold figures were measured here, with 95 % intervals; grey ones are as published."
WAYS = "The same questions, asked and scored in other ways."
LEANINGS = "What the model tends to choose, whatever is right."
CELL_PARTS = ("", " low", " high", " n")

DIGITS = {"percent": 1, "fraction": 4, "number": 3, "count": 0}


@dataclass(frozen=True, slots=True)
class Filled:
    """One cell: the value with its dagger, its interval and n ("" where there is none to show).

    `n` is told here only where neither the column's head nor the cell before tells the same;
    `title` tells it all, on hovering.
    """

    value: str
    interval: str = ""
    n: str = ""
    title: str = ""
    is_text: bool = False

    @property
    def text(self) -> str:
        """The whole cell on one line."""
        aside = "; ".join(filter(None, (self.interval, self.n)))
        return f"{self.value} ({aside})" if aside else self.value


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `n`: that of every line measured here, "" where it differs."""

    name: str
    n: str
    is_text: bool

    @property
    def text(self) -> str:
        """The whole head on one line."""
        return f"{self.name} ({self.n})" if self.n else self.name


@dataclass(frozen=True, slots=True)
class WordedLine:
    """A line; `mark`: the number of its source among several, "" where that goes without saying."""

    label: str
    mark: str
    published: bool
    cells: tuple[Filled, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """A table as the page shows it. `sources`: of its published lines, each once."""

    name: str
    title: str
    note: str
    label: str
    heads: tuple[Head, ...]
    lines: tuple[WordedLine, ...]
    sources: tuple[str, ...]

    @property
    def has_small(self) -> bool:
        """A figure of the table rests on few items."""
        return any(SMALL_MARK in cell.value for line in self.lines for cell in line.cells)

    @property
    def is_mixed(self) -> bool:
        """It has published lines beside measured ones."""
        return len({line.published for line in self.lines}) > 1


@dataclass(frozen=True, slots=True)
class Group:
    """Tables under one heading, with a sentence on what they have in common."""

    heading: str
    about: str
    tables: tuple[Worded, ...]


def groups_of(tables: Sequence[Table]) -> tuple[Group, ...]:
    """The benchmark's own tables, then those that every report of closed questions has."""
    own = tuple(worded(t) for t in tables if t.name not in OTHER_WAYS | BIAS)
    beside = any(table.is_mixed for table in own)
    heading = "Beside published figures" if beside else "The benchmark's tables"
    groups = (
        Group(heading, PUBLISHED if beside else "", own),
        Group("Robustness", WAYS, tuple(worded(t) for t in tables if t.name in OTHER_WAYS)),
        Group("Bias", LEANINGS, tuple(worded(t) for t in tables if t.name in BIAS)),
    )
    return tuple(group for group in groups if group.tables)


def worded(table: Table) -> Worded:
    """The table with every number rounded as its column's unit says; undefined is a dash.

    Raises BadInput where a line has more or fewer entries than there are columns.

    >>> lines = (Line("ours", (Estimate(0.612, 0.58, 0.64, 1495),)),)
    >>> found = worded(Table("t", "T", (Column("overall", "fraction"),), lines))
    >>> found.heads[0].text, found.lines[0].cells[0].text
    ('overall (n = 1,495)', '0.6120 (0.5800–0.6400)')
    """
    _check(table)
    sources = tuple(dict.fromkeys(line.source for line in table.lines if _is_sourced(line)))
    heads = tuple(_head(table, i) for i in range(len(table.columns)))
    return Worded(
        name=table.name,
        title=table.title,
        note=table.note,
        label=table.label,
        heads=heads,
        lines=tuple(_line(table, line, heads, sources) for line in table.lines),
        sources=sources,
    )


def printed(table: Table) -> Printed:
    """The table for Markdown and LaTeX, and for machines: value, low, high and n per column.

    A published line is marked with the number of its source, which is told below the table.
    """
    found = worded(table)
    numbers = {source: f"[{i}]" for i, source in enumerate(found.sources, 1)}
    told = [f"{mark} published: {source}" for source, mark in numbers.items()]
    marks = [numbers.get(line.source, "") if line.published else "" for line in table.lines]
    return Printed(
        name=table.name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", table.name) else slug(table.name),
        caption=table.title,
        header=(table.label, *(head.text for head in found.heads)),
        rows=tuple(
            (f"{line.label} {mark}".strip(), *(cell.text for cell in line.cells))
            for line, mark in zip(found.lines, marks, strict=True)
        ),
        data_header=_data_header(table),
        data=tuple(map(_data, table.lines)),
        notes=tuple(filter(None, (table.note, *told))),
    )


def _check(table: Table) -> None:
    for line in table.lines:
        if len(line.entries) != len(table.columns):
            raise BadInput(
                f"table {table.name}: the line {line.label!r} has {len(line.entries)} entries for "
                f"{len(table.columns)} columns; expected one for each, None where it is undefined"
            )


def _is_sourced(line: Line) -> bool:
    return line.published and bool(line.source)


def _head(table: Table, index: int) -> Head:
    column = table.columns[index]
    entries = [line.entries[index] for line in table.lines]
    ns = {_n(column, line, line.entries[index]) for line in table.lines} - {""}
    is_text = any(isinstance(entry, str) and entry for entry in entries) and not any(
        isinstance(entry, Estimate) for entry in entries
    )
    name = f"{column.name}, %" if column.unit == "percent" else column.name
    return Head(name, ns.pop() if len(ns) == 1 else "", is_text)


def _n(column: Column, line: Line, entry: Estimate | str | None) -> str:
    """How many items a figure measured here rests on; "" for counts, which are that themselves."""
    if not isinstance(entry, Estimate) or entry.value is None or not entry.n:
        return ""
    return "" if line.published or column.unit == "count" else f"n = {whole(entry.n)}"


def _line(table: Table, line: Line, heads: Sequence[Head], sources: Sequence[str]) -> WordedLine:
    several = _is_sourced(line) and len(sources) > 1
    cells: list[Filled] = []
    told = ""
    for column, entry, head in zip(table.columns, line.entries, heads, strict=True):
        cell = _filled(column, line, entry, head)
        cells.append(dataclasses.replace(cell, n="") if cell.n == told else cell)
        told = cell.n or told
    return WordedLine(
        label=line.label,
        mark=str(sources.index(line.source) + 1) if several else "",
        published=line.published,
        cells=tuple(cells),
    )


def _filled(column: Column, line: Line, entry: Estimate | str | None, head: Head) -> Filled:
    if isinstance(entry, str):
        return Filled(entry, is_text=True)
    if entry is None or entry.value is None or not math.isfinite(entry.value):
        return Filled(BLANK)
    few = 0 < entry.n < SMALL_N and column.unit != "count"
    value, interval, n = _number(entry.value, column), _span(entry, column), _n(column, line, entry)
    within = f"95 % interval {interval}" if interval else ""
    return Filled(
        value=value + (SMALL_MARK if few else ""),
        interval=interval,
        n=n if n != head.n else "",
        title=", ".join(filter(None, (f"{line.label}: {head.name} {value}", within, n))),
    )


def _number(value: float, column: Column) -> str:
    """A number in its column's unit: 61.2, 0.6120, 0.612, 612."""
    digits = DIGITS[column.unit] if column.digits is None else column.digits
    shown = 100 * value if column.unit == "percent" else value
    text = f"{shown:,.{digits}f}" if column.unit == "count" else f"{shown:.{digits}f}"
    if not text.strip("-0.,"):
        return text.lstrip("-")
    sign = "+" if column.name.startswith("difference") and value > 0 else ""
    return sign + text.replace("-", "−")


def _span(entry: Estimate, column: Column) -> str:
    if entry.low is None or entry.high is None:
        return ""
    ends = [_number(entry.low, column), _number(entry.high, column)]
    return (" to " if any(end[0] in "+−" for end in ends) else "–").join(ends)


def _data_header(table: Table) -> Shown:
    names = [f"{column.name}{part}" for column in table.columns for part in CELL_PARTS]
    return (table.label.lower(), "published", "source", *names)


def _data(line: Line) -> Shown:
    return (
        *(line.label, "yes" if line.published else "no", line.source),
        *(text for entry in line.entries for text in _entry_data(entry)),
    )


def _entry_data(entry: Estimate | str | None) -> Shown:
    if not isinstance(entry, Estimate):
        return (entry or "", "", "", "")
    n = str(entry.n) if entry.n or entry.value is None else ""
    return (exact(entry.value), exact(entry.low), exact(entry.high), n)
