"""The tables of a comparison: runs ranked, pairs tested, and runs side by side by facet.

In: a `Comparison`. Out: `Printed` tables, which `eyechart.report.printed` turns into files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eyechart.records import Cell
from eyechart.report.comparison import (
    TESTS_NOTE,
    Comparison,
    Pair,
    PairList,
    pair_lists,
    ranked,
)
from eyechart.report.formatting import (
    BLANK,
    SMALL_MARK,
    facet_name,
    facet_value,
    heading,
    p_value,
    shown,
    shown_interval,
    shown_n,
    shown_unscored,
    signed,
    signed_span,
    whole,
)
from eyechart.report.greying import GREY_MARK, is_grey_cell, is_only_small
from eyechart.report.metric_names import metric_named
from eyechart.report.own_tables import printed
from eyechart.report.printed import Printed, distinctly_named, exact, slug
from eyechart.report.tables import CELL_DATA, cell_data

PAIR_DATA = (
    *("a", "b", "metric", "difference", "low", "high", "n"),
    *("only_a_right", "only_b_right", "p_mcnemar", "p_holm"),
)

MANY = 7
"""Of more runs than this each has a row of its own in tables by facet, not a column."""
N_UNTESTED = 6
"""The columns of the file of pairs before those of their tests."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One facet's cells: `rows` are (value, a cell or None for each of the `runs`).

    `runs`: the names of those that have a figure here.
    """

    facet: str
    runs: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """One cell beside those of other runs; `is_best`: no run has more."""

    cell: Cell | None
    is_best: bool

    @property
    def mark(self) -> str:
        """That of a figure that rests on few items, else ""."""
        if self.cell is None or self.cell.estimate.value is None:
            return ""
        if is_grey_cell(self.cell):
            return GREY_MARK
        return SMALL_MARK if is_only_small(self.cell) else ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A facet's values down and runs across, or where there are many runs these down.

    `runs_down`: the latter. `rows`: a label and a cell for each text of `header`.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Beside, ...]], ...]
    runs_down: bool


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair as it is shown: the runs that are named, and its figures as texts."""

    names: tuple[str, ...]
    figures: tuple[str, ...]
    pair: Pair


@dataclass(frozen=True, slots=True)
class PairSheet:
    """Pairs as they are shown; `names`, `figures`: the heads. `note`: what to know of them."""

    heading: str
    names: tuple[str, ...]
    figures: tuple[str, ...]
    rows: tuple[PairRow, ...]
    note: str


def grid_of(side: SideBySide) -> Grid:
    """The cells of a facet laid out."""
    values = tuple(facet_value(side.facet, value) for value, _ in side.rows)
    cells = [_besides(cells) for _, cells in side.rows]
    if len(side.runs) <= MANY:
        return Grid(side.runs, tuple(zip(values, cells, strict=True)), runs_down=False)
    turned = zip(*cells, strict=True)
    return Grid(values, tuple(zip(side.runs, turned, strict=True)), runs_down=True)


def _besides(cells: Sequence[Cell | None]) -> tuple[Beside, ...]:
    known = [c.estimate.value for c in cells if c is not None and c.estimate.value is not None]
    best = max(known, default=None)
    return tuple(
        Beside(cell, best is not None and cell is not None and cell.estimate.value == best)
        for cell in cells
    )


def comparison_tables(comparison: Comparison) -> tuple[Printed, ...]:
    """The runs, the pairs, the comparison's own tables, then a table per facet."""
    return _all_tables(comparison, pairs_table(comparison.tested))


def shown_tables(comparison: Comparison) -> tuple[Printed, ...]:
    """The same for a page of text: of many pairs only those of the best run."""
    lists = pair_lists(comparison)
    if not any(one.best for one in lists):
        return _all_tables(comparison, *map(_pairs_shown, lists))
    first = _pairs_shown(lists[0])
    notes = (*first.notes, "The other pairs are in compare.csv.")
    return _all_tables(comparison, dataclasses.replace(first, notes=notes))


def _all_tables(comparison: Comparison, *pairs: Printed) -> tuple[Printed, ...]:
    paired, own = [table for table in pairs if table.rows], map(printed, comparison.tables)
    return distinctly_named(
        [
            runs_table(comparison),
            *((*own, *paired) if comparison.has_ranked else (*paired, *own)),
            *(_facet_table(comparison.metric, side) for side in side_by_side(comparison)),
        ]
    )


def runs_table(comparison: Comparison) -> Printed:
    """The runs, the best first, each with its model where some have another name."""
    metric = metric_named(comparison.metric)
    value = f"{metric.label}, %" if metric.percent else metric.label
    rows = [(run.name, run.model, cell) for run, cell in ranked(comparison)]
    names = ("Run", "Model") if any(name != model for name, model, _ in rows) else ("Run",)
    return Printed(
        "runs",
        f"{metric.label} of each run",
        (*names, value, "95 % interval", "n", "Unscored"),
        tuple(
            (*texts[: len(names)], *_shown_cell(cell), shown_unscored(cell))
            for *texts, cell in rows
        ),
        ("run", "model", *CELL_DATA),
        tuple((name, model, *cell_data(cell)) for name, model, cell in rows),
        n_text=len(names),
    )


def pairs_table(pairs: Sequence[Pair]) -> Printed:
    """Every pair with its paired difference and, where there is one, its test."""
    header: tuple[str, ...] = (
        *("A", "B", "Metric", "A − B", "95 % interval", "n"),
        *("only A right", "only B right", "McNemar p", "Holm p"),
    )
    data = tuple(map(_pair_data, pairs))
    caption = "Pairs of runs on the same items"
    shown_pairs = tuple(
        (pair.a, pair.b, metric_named(pair.metric).label, *_pair_figures(pair)) for pair in pairs
    )
    if not any(pair.p_mcnemar is not None for pair in pairs):
        header, shown_pairs = header[:N_UNTESTED], tuple(row[:N_UNTESTED] for row in shown_pairs)
    return Printed("pairs", caption, header, shown_pairs, PAIR_DATA, data, n_text=3)


def pair_sheet(found: PairList) -> PairSheet:
    """A list of pairs as it is shown: without the run that is on one side of all of them."""
    names = ("Other side",) if found.best else ("A", "B")
    figures: tuple[str, ...] = ("Lead" if found.best else "A − B", "95 % interval", "n")
    if found.is_tested:
        one, other = ("it", "the other") if found.best else ("A", "B")
        figures += (f"only {one} right", f"only {other} right", "McNemar p", "Holm p")
    rows = tuple(
        PairRow(
            (pair.b,) if found.best else (pair.a, pair.b),
            _pair_figures(pair)[: len(figures)],
            pair,
        )
        for pair in found.pairs
    )
    return PairSheet(found.heading, names, figures, rows, found.note)


def _pairs_shown(found: PairList) -> Printed:
    sheet = pair_sheet(found)
    notes = (sheet.note, TESTS_NOTE if found.is_tested else "")
    return Printed(
        "pairs",
        f"Pairs: {found.heading}" if found.heading else "Pairs of runs on the same items",
        (*sheet.names, *sheet.figures),
        tuple((*row.names, *row.figures) for row in sheet.rows),
        (),
        (),
        n_text=len(sheet.names),
        notes=tuple(filter(None, notes)),
    )


def _pair_figures(pair: Pair) -> tuple[str, ...]:
    percent = metric_named(pair.metric).percent
    return (
        signed(pair.difference.value, percent=percent),
        *(signed_span(pair.difference, percent=percent), whole(pair.n)),
        *(_count(pair.only_a_right), _count(pair.only_b_right)),
        *(p_value(pair.p_mcnemar), p_value(pair.p_holm)),
    )


def side_by_side(comparison: Comparison) -> list[SideBySide]:
    """For each facet of the comparison's metric, every value that any run has."""
    found: dict[str, dict[str, dict[str, Cell]]] = {}
    for run in comparison.runs:
        for cell in run.cells:
            if cell.facet and cell.metric == comparison.metric:
                found.setdefault(cell.facet, {}).setdefault(cell.value, {})[run.name] = cell
    names = [run.name for run in comparison.runs]
    sides = [_side(names, facet, values) for facet, values in found.items()]
    return [side for side in sides if side.runs]


def _side(names: Sequence[str], facet: str, values: Mapping[str, Mapping[str, Cell]]) -> SideBySide:
    """A facet with the runs that have a figure for any of its values."""
    known = {
        name
        for cells in values.values()
        for name, cell in cells.items()
        if cell.estimate.value is not None
    }
    runs = tuple(name for name in names if name in known)
    rows = tuple((value, tuple(map(cells.get, runs))) for value, cells in values.items())
    return SideBySide(facet, runs, rows)


def _facet_table(metric: str, side: SideBySide) -> Printed:
    grid = grid_of(side)
    return Printed(
        slug(f"{metric}-by-{side.facet}"),
        f"{metric_named(metric).label} by {facet_name(side.facet)}",
        ("Run" if grid.runs_down else heading(side.facet), *grid.header),
        tuple((label, *map(_shown_beside, cells)) for label, cells in grid.rows),
        ("run", *CELL_DATA),
        tuple(
            (name, *cell_data(cell))
            for _, cells in side.rows
            for name, cell in zip(side.runs, cells, strict=True)
            if cell
        ),
    )


def _shown_cell(cell: Cell) -> tuple[str, ...]:
    return shown(cell), shown_interval(cell), shown_n(cell)


def _shown_beside(beside: Beside) -> str:
    cell = beside.cell
    if cell is None or cell.estimate.value is None:
        return BLANK
    return f"{shown(cell)}{beside.mark} ({shown_interval(cell)})"


def _pair_data(pair: Pair) -> tuple[str, ...]:
    d = pair.difference
    return (
        *(pair.a, pair.b, pair.metric, exact(d.value), exact(d.low), exact(d.high), str(pair.n)),
        *(_plain(pair.only_a_right), _plain(pair.only_b_right)),
        *("" if p is None else f"{p:.6g}" for p in (pair.p_mcnemar, pair.p_holm)),
    )


def _count(n: int | None) -> str:
    return BLANK if n is None else whole(n)


def _plain(n: int | None) -> str:
    return "" if n is None else str(n)
