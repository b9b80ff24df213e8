"""A benchmark's own tables (`records.Table`), worded for people and laid out for machines.

In: `records.Table`s. Out: `Worded` tables for the page, and `Printed` ones for Markdown, LaTeX and
CSV. No figure is computed here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from eyechart.errors import BadInput
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import BLANK, SMALL_MARK, SMALL_N
from eyechart.report.greying import GREY_MARK, is_grey, key_of
from eyechart.report.own_cells import Entry, Filled, Head, interval_of, known, n_of, rounded
from eyechart.report.printed import Layout, Printed, Shown, Span, exact, safe_name, spans_of
from eyechart.report.ranked_tables import (
    HERE,
    HERE_NOTE,
    PLACES_NOTE,
    caption_of,
    column_places,
    grey_columns,
    is_mixed,
)

FIGURE_PARTS = ("", " low", " high", " n")
PLACE_WORDS = ("", "best of its column", "runner-up of its column")


@dataclass(frozen=True, slots=True)
class WordedLine:
    """A line; `mark`: the number of its source among several, "" where that goes without saying.

    `is_here`: it is marked as measured here.
    """

    label: str
    mark: str
    published: bool
    cells: tuple[Filled, ...]
    section: str = ""
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one heading, "" for none."""

    heading: str
    lines: tuple[WordedLine, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """A table as the page shows it. `sources`: of its published lines, each once.

    `is_mixed`: it has published lines beside measured ones.
    """

    name: str
    title: str
    note: str
    label: str
    heads: tuple[Head, ...]
    lines: tuple[WordedLine, ...]
    sources: tuple[str, ...]
    ranked: bool = False
    is_mixed: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What the marks of figures of few items mean, where there are any."""
        cells = [cell for line in self.lines for cell in line.cells]
        small = any(SMALL_MARK in cell.value for cell in cells if not cell.is_text)
        return key_of(small=small, grey=any(cell.is_grey for cell in cells))

    @property
    def spans(self) -> tuple[Span, ...]:
        """The upper storey of the head: headings over several columns; nothing without any."""
        return spans_of([head.over for head in self.heads])

    @property
    def sections(self) -> tuple[Section, ...]:
        """The lines, those that share a heading together."""
        parts = groupby(self.lines, key=lambda line: line.section)
        return tuple(Section(heading, tuple(lines)) for heading, lines in parts)


def worded(table: Table) -> Worded:
    """The table with every number rounded as its column's unit says; undefined is a dash.

    Raises BadInput where a line has more or fewer entries than there are columns.

    >>> from eyechart.records import Estimate
    >>> lines = (Line("ours", (Estimate(0.612, 0.58, 0.64, 1495),)),)
    >>> found = worded(Table("t", "T", (Column("overall", "fraction"),), lines))
    >>> found.heads[0].text, found.lines[0].cells[0].text
    ('overall (n = 1,495)', '0.6120 (0.5800–0.6400)')
    """
    _check(table)
    sources = tuple(dict.fromkeys(line.source for line in table.lines if _is_sourced(line)))
    grey = grey_columns(table)
    heads = tuple(_head(table, i, is_all_grey=grey[i]) for i in range(len(table.columns)))
    return Worded(
        name=table.name,
        title=caption_of(table),
        note=table.note,
        label=table.label,
        heads=heads,
        lines=tuple(
            _line(table, line, _cells(table, line, heads, places), sources)
            for line, places in zip(table.lines, column_places(table), strict=True)
        ),
        sources=sources,
        ranked=table.ranked,
        is_mixed=is_mixed(table),
    )


def printed(table: Table) -> Printed:
    """The table for Markdown and LaTeX, and for machines: of figures value, low, high and n.

    A published line is marked with the number of its source, which is told below the table; in a
    ranked table only where there are several.
    """
    found = worded(table)
    goes_without = table.ranked and len(found.sources) == 1
    numbers = {source: f"[{i}]" for i, source in enumerate(found.sources, 1)}
    told = [f"{mark} published: {source}" for source, mark in numbers.items()]
    if goes_without:
        numbers, told = {}, [f"Published: {source}" for source in found.sources]
    marks = [numbers.get(line.source, "") if line.published else "" for line in table.lines]
    return Printed(
        name=safe_name(table.name),
        caption=found.title,
        header=(table.label, *(h.name + h.mark if table.ranked else h.text for h in found.heads)),
        rows=tuple(
            (_label(line, mark), *(c.value if table.ranked else c.text for c in line.cells))
            for line, mark in zip(found.lines, marks, strict=True)
        ),
        data_header=_data_header(table),
        data=_data(table),
        notes=tuple(filter(None, (table.note, *_reading_notes(found), *told))),
        layout=_layout(found),
        texts=frozenset(i for i, head in enumerate(found.heads, 1) if head.is_text),
    )


def _check(table: Table) -> None:
    for line in table.lines:
        if len(line.entries) != len(table.columns):
            raise BadInput(
                f"table {table.name}: the line {line.label!r} has {len(line.entries)} entries for "
                f"{len(table.columns)} columns; expected one for each, None where it is undefined"
            )


def _is_measured(line: Line) -> bool:
    """It rests on items; what guessing gives is expected, not measured."""
    return any(isinstance(entry, Estimate) and entry.n > 0 for entry in line.entries)


def _is_sourced(line: Line) -> bool:
    return line.published and bool(line.source)


def _is_sectioned(table: Table) -> bool:
    return any(line.group for line in table.lines)


def _head(table: Table, index: int, *, is_all_grey: bool) -> Head:
    column = table.columns[index]
    entries = [line.entries[index] for line in table.lines]
    is_text = any(isinstance(entry, str) and entry for entry in entries) and all(
        isinstance(entry, str | None) for entry in entries
    )
    unit = ", %" if column.unit == "percent" and not table.ranked else ""
    mark = GREY_MARK if is_all_grey else ""
    return Head(f"{column.name}{unit}", _shared_n(table, index), is_text, column.group, mark)


def _shared_n(table: Table, index: int) -> str:
    """The n of every figure of a column, published ones too; "" where they differ."""
    told = {_n(table, line, index) for line in table.lines} - {""}
    known = {n_of(line.entries[index], table.columns[index]) for line in table.lines} - {""}
    return told.pop() if len(told) == 1 and told == known else ""


def _n(table: Table, line: Line, index: int) -> str:
    """The n of a figure; of published ones only in ranked tables, which tell it on demand."""
    told = table.ranked or not line.published
    return n_of(line.entries[index], table.columns[index]) if told else ""


def _line(
    table: Table, line: Line, cells: tuple[Filled, ...], sources: Sequence[str]
) -> WordedLine:
    several = _is_sourced(line) and len(sources) > 1
    return WordedLine(
        label=line.label,
        mark=str(sources.index(line.source) + 1) if several else "",
        published=line.published,
        cells=cells,
        section=line.group,
        is_here=table.ranked and is_mixed(table) and not line.published and _is_measured(line),
    )


def _cells(
    table: Table, line: Line, heads: Sequence[Head], places: Sequence[int]
) -> tuple[Filled, ...]:
    """The cells of a line; an n that is that of the cell before is told once."""
    cells: list[Filled] = []
    told = ""
    for index, (head, place) in enumerate(zip(heads, places, strict=True)):
        cell = _filled(table, line, index, head)
        cell = dataclasses.replace(cell, place=place, title=_with_place(cell.title, place))
        is_told = bool(cell.n) and cell.n == told and not table.ranked
        cells.append(dataclasses.replace(cell, n="") if is_told else cell)
        told = cell.n or told
    return tuple(cells)


def _with_place(title: str, place: int) -> str:
    return ", ".join(filter(None, (title, PLACE_WORDS[place])))


def _filled(table: Table, line: Line, index: int, head: Head) -> Filled:
    entry, column = line.entries[index], table.columns[index]
    if isinstance(entry, str):
        return Filled(entry, is_text=True)
    number = known(entry)
    if entry is None or number is None:
        return Filled(BLANK)
    value, interval, n = rounded(number, column), interval_of(entry, column), _n(table, line, index)
    within = f"95 % interval {interval}" if interval else ""
    name = f"{head.over}: {head.name}" if head.over else head.name
    return Filled(
        value=value + _few_mark(table, entry, column, head),
        interval=interval,
        n=n if n != head.n else "",
        title=", ".join(filter(None, (f"{line.label}: {name} {value}", within, n))),
        is_grey=table.ranked and is_grey(entry),
    )


def _few_mark(table: Table, entry: Entry, column: Column, head: Head) -> str:
    """The mark of few items: that of grey figures in a ranked table, unless the head has it."""
    if table.ranked:
        return GREY_MARK if is_grey(entry) and not head.mark else ""
    few = not isinstance(entry, str | None) and 0 < entry.n < SMALL_N and column.unit != "count"
    return SMALL_MARK if few else ""


def _label(line: WordedLine, mark: str) -> str:
    return " ".join(filter(None, (HERE if line.is_here else "", line.label, mark)))


def _reading_notes(table: Worded) -> Shown:
    """How a ranked table is to be read."""
    if not table.ranked:
        return ()
    has_here = any(line.is_here for line in table.lines)
    return (" ".join([PLACES_NOTE, *([HERE_NOTE] if has_here else [])]),)


def _layout(table: Worded) -> Layout | None:
    """None for a table of one storey without headings between its rows."""
    over = ("", *(head.over for head in table.heads))
    sections = tuple(line.section for line in table.lines)
    places = tuple((0, *(cell.place for cell in line.cells)) for line in table.lines)
    return Layout(over, sections, places) if table.ranked or any((*over, *sections)) else None


def _data_header(table: Table) -> Shown:
    names = [
        f"{column.group}: {column.name}{part}" if column.group else f"{column.name}{part}"
        for column, parts in zip(table.columns, _column_parts(table), strict=True)
        for part in parts
    ]
    section = ["group"] if _is_sectioned(table) else []
    return (table.label.lower(), *section, "published", "source", *names)


def _column_parts(table: Table) -> list[Shown]:
    """What is written of each column: texts alone, of figures their ends and n too."""
    held = [
        any(isinstance(line.entries[index], Estimate) for line in table.lines)
        for index in range(len(table.columns))
    ]
    return [FIGURE_PARTS if has_figure else FIGURE_PARTS[:1] for has_figure in held]


def _data(table: Table) -> tuple[Shown, ...]:
    n_parts, is_sectioned = list(map(len, _column_parts(table))), _is_sectioned(table)
    return tuple(
        (
            *(line.label, *([line.group] if is_sectioned else [])),
            *("yes" if line.published else "no", line.source),
            *(
                text
                for entry, n in zip(line.entries, n_parts, strict=True)
                for text in _entry_data(entry)[:n]
            ),
        )
        for line in table.lines
    )


def _entry_data(entry: Entry) -> Shown:
    if isinstance(entry, str | None):
        return (entry or "", "", "", "")
    n = str(entry.n) if entry.n or entry.value is None else ""
    return (exact(entry.value), exact(entry.low), exact(entry.high), n)
