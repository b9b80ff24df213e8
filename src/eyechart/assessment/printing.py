"""What `eyechart assess` prints for people: tables for the terminal.

In: replayed rows or a study. Out: lines on standard output. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from eyechart.assessment.published import Published
from eyechart.assessment.replay import Averaged, Replayed, averages, notes_of
from eyechart.assessment.study import Study
from eyechart.assessment.study_tables import answer, study_tables
from eyechart.assessment.tables import METRIC_LABELS
from eyechart.metrics.correlations import METRICS_OF_PAIRS, Correlations
from eyechart.printing import print_notes, print_text, wide_console
from eyechart.records import Column, Estimate
from eyechart.report.formatting import BLANK, number, signed, signed_span, span, whole

NARROW = 112
GROUPS = (("srcc", "plcc"), ("krcc", "plcc_fitted", "rmse"))


def print_replay(rows: Sequence[Replayed]) -> None:
    """Print a table for each strategy, its means over databases below, then what to know."""
    console = wide_console()
    groups = GROUPS if console.width < NARROW else (METRICS_OF_PAIRS,)
    for how in dict.fromkeys(row.strategy for row in rows):
        mine = [row for row in rows if row.strategy == how]
        for metrics in groups:
            console.print(_replayed(f"{how.spec} ({how.source})", mine, metrics))
    print_notes(console, (*notes_of(rows), "Below each figure is its 95 % interval."))


def print_study(study: Study) -> None:
    """Print the answer, then the tables that it rests on."""
    console = wide_console()
    print_text(console, answer(study))
    for each in study_tables(study):
        table = _table(each.title, (each.label, *(column.name for column in each.columns)))
        for line in each.lines:
            filled = zip(line.entries, each.columns, strict=True)
            table.add_row(line.label, *(_entry(entry, column) for entry, column in filled))
        console.print(table)
        print_notes(console, (each.note,))
    print_notes(console, study.notes)


def shown(estimate: Estimate, *, sign: bool = False) -> str:
    """A figure with its interval in the line below; a dash where it is undefined.

    >>> shown(Estimate(0.5621, 0.53, 0.59, 99)).splitlines()
    ['0.562', '0.530–0.590']
    """
    value = (signed if sign else number)(estimate.value, percent=False)
    if estimate.low is None or estimate.high is None:
        return value
    below = signed_span(estimate, percent=False)
    return f"{value}\n{below if sign else span(estimate.low, estimate.high, percent=False)}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the replay's table, as it is shown but for its figures."""

    label: str
    counts: str
    repeats: str
    figures: Correlations
    published: Published | None


def _replayed(title: str, rows: Sequence[Replayed], metrics: Sequence[str]) -> Table:
    """A line for each row, then for each mean; the published figures beside SRCC and PLCC."""
    repeats = any(row.n_repeats for row in rows)
    beside = "srcc" in metrics
    heads = ["model\ndatabase", "n\ndistinct", *(["repeats"] if repeats else [])]
    heads += [METRIC_LABELS[metric] for metric in metrics]
    table = _table(title, (*heads, *(["published\nSRCC/PLCC"] if beside else [])))
    for line in (*map(_line, rows), *map(_mean_line, averages(rows))):
        cells = [line.label, line.counts, *([line.repeats] if repeats else [])]
        cells += [shown(line.figures.estimates[metric]) for metric in metrics]
        table.add_row(*cells, *([_beside(line.published)] if beside else []))
    return table


def _line(row: Replayed) -> _Line:
    return _Line(
        label=f"{row.model}\n{row.database.name}",
        counts=f"{whole(row.figures.n)}\n{whole(row.figures.n_distinct)}",
        repeats=whole(row.n_repeats),
        figures=row.figures,
        published=row.published,
    )


def _mean_line(mean: Averaged) -> _Line:
    label = f"{mean.model}\naverage of {len(mean.databases)}"
    return _Line(label, whole(mean.figures.n), "", mean.figures, mean.published)


def _beside(row: Published | None) -> str:
    if row is None:
        return BLANK
    return f"{number(row.srcc, percent=False)}/{number(row.plcc, percent=False)}"


def _entry(entry: Estimate | str | None, column: Column) -> str:
    if not isinstance(entry, Estimate):
        return entry or BLANK
    if column.unit == "count":
        return whole(int(entry.value or 0))
    return shown(entry, sign=column.name.startswith("difference"))


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(box=None, title=title, title_justify="left", title_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    return table
