"""The tables of a comparison: runs ranked, pairs tested, and runs side by side by facet.

In: a `Comparison`. Out: `Printed` tables, which `eyechart.report.printed` turns into files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eyechart.records import Cell
from eyechart.report.comparison import Comparison, Pair, ranked
from eyechart.report.formatting import (
    BLANK,
    SMALL_MARK,
    facet_name,
    facet_value,
    heading,
    is_small,
    metric_named,
    p_value,
    shown,
    shown_interval,
    shown_n,
    shown_unscored,
    signed,
    signed_span,
    whole,
)
from eyechart.report.printed import Printed, distinctly_named, exact, slug
from eyechart.report.tables import CELL_DATA, cell_data

PAIR_DATA = (
    *("a", "b", "metric", "difference", "low", "high", "n"),
    *("only_a_right", "only_b_right", "p_mcnemar", "p_holm"),
)

N_UNTESTED = 6
"""The columns of pairs before those of their tests."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One facet's cells: `rows` are (value, a cell or None for each run)."""

    facet: str
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def comparison_tables(comparison: Comparison) -> tuple[Printed, ...]:
    """The runs, the pairs, then a table per facet with a column for each run."""
    tables = [runs_table(comparison)]
    if comparison.tested:
        tables.append(pairs_table(comparison.tested))
    tables += [_facet_table(comparison, side) for side in side_by_side(comparison)]
    return distinctly_named(tables)


def runs_table(comparison: Comparison) -> Printed:
    """The runs, the best first."""
    metric = metric_named(comparison.metric)
    value = f"{metric.label}, %" if metric.percent else metric.label
    rows = [(run.name, run.model, cell) for run, cell in ranked(comparison)]
    return Printed(
        "runs",
        f"{metric.label} of each run",
        ("Run", "Model", value, "95 % interval", "n", "Unscored"),
        tuple((n, m, *_shown_cell(cell), shown_unscored(cell)) for n, m, cell in rows),
        ("run", "model", *CELL_DATA),
        tuple((n, m, *cell_data(cell)) for n, m, cell in rows),
        n_text=2,
    )


def pairs_table(pairs: Sequence[Pair]) -> Printed:
    """Every pair with its paired difference and, where there is one, its test."""
    header: tuple[str, ...] = (
        *("A", "B", "Metric", "A − B", "95 % interval", "n"),
        *("only A right", "only B right", "McNemar p", "Holm p"),
    )
    data = tuple(map(_pair_data, pairs))
    caption = "Pairs of runs on the same items"
    shown_pairs = tuple(map(pair_shown, pairs))
    if not any(pair.p_mcnemar is not None for pair in pairs):
        header, shown_pairs = header[:N_UNTESTED], tuple(row[:N_UNTESTED] for row in shown_pairs)
    return Printed("pairs", caption, header, shown_pairs, PAIR_DATA, data, n_text=3)


def pair_shown(pair: Pair) -> tuple[str, ...]:
    """A pair as its row is shown."""
    percent = metric_named(pair.metric).percent
    return (
        *(pair.a, pair.b, metric_named(pair.metric).label),
        signed(pair.difference.value, percent=percent),
        *(signed_span(pair.difference, percent=percent), whole(pair.n)),
        *(_count(pair.only_a_right), _count(pair.only_b_right)),
        *(p_value(pair.p_mcnemar), p_value(pair.p_holm)),
    )


def side_by_side(comparison: Comparison) -> list[SideBySide]:
    """For each facet of the comparison's metric, every value that any run has."""
    found: dict[str, dict[str, dict[int, Cell]]] = {}
    for index, run in enumerate(comparison.runs):
        for cell in run.cells:
            if cell.facet and cell.metric == comparison.metric:
                found.setdefault(cell.facet, {}).setdefault(cell.value, {})[index] = cell
    places = range(len(comparison.runs))
    return [
        SideBySide(facet, tuple((v, tuple(map(c.get, places))) for v, c in values.items()))
        for facet, values in found.items()
    ]


def _facet_table(comparison: Comparison, side: SideBySide) -> Printed:
    label = metric_named(comparison.metric).label
    names = [run.name for run in comparison.runs]
    rows = [
        (facet_value(side.facet, value), *map(_shown_beside, cells)) for value, cells in side.rows
    ]
    return Printed(
        slug(f"{comparison.metric}-by-{side.facet}"),
        f"{label} by {facet_name(side.facet)}",
        (heading(side.facet), *names),
        tuple(rows),
        ("run", *CELL_DATA),
        tuple(
            (name, *cell_data(cell))
            for _, cells in side.rows
            for name, cell in zip(names, cells, strict=True)
            if cell
        ),
    )


def _shown_cell(cell: Cell) -> tuple[str, ...]:
    return shown(cell), shown_interval(cell), shown_n(cell)


def _shown_beside(cell: Cell | None) -> str:
    if cell is None or cell.estimate.value is None:
        return BLANK
    return f"{shown(cell)}{SMALL_MARK if is_small(cell) else ''} ({shown_interval(cell)})"


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
