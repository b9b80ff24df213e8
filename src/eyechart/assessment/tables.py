"""Assessment's tables: the leaderboard's two, with the published rows, and every figure in full.

In: `Replayed` rows. Out: `records.Table`s. Computes no correlation; a mean over databases is the
plain mean of the row's cells, as published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eyechart.assessment.databases import order_of
from eyechart.assessment.published import (
    AVERAGE,
    SOURCE,
    Published,
    official_rows,
    published,
    published_rows,
)
from eyechart.assessment.replay import Replayed, averages
from eyechart.metrics.correlations import METRICS_OF_PAIRS
from eyechart.records import Column, Estimate, Line, Table
from eyechart.strategies import Strategy

METRIC_LABELS: Mapping[str, str] = {
    "srcc": "SRCC",
    "krcc": "KRCC",
    "plcc": "PLCC",
    "plcc_fitted": "PLCC fitted",
    "rmse": "RMSE",
}
PROTOCOL = "Correlations of a model's ratings with people's mean opinion scores."
AVERAGE_NOTE = "The average is the plain mean over the databases shown, large and small alike."
PLCC_NOTE = (
    "PLCC is of the ratings as they are, without a fitted curve, and changes with the temperature "
    "of the softmax; SRCC does not."
)
DETAIL_NOTE = (
    "PLCC fitted and RMSE (in the unit of the database's scores) are after a logistic curve with 4 "
    "parameters. `distinct`: how many different values the ratings have; equal ones share a rank. "
    "Intervals: 95 %, by resampling images, or the photographs that they were made from."
)


def leaderboards(rows: Sequence[Replayed], *, everyone: bool = False) -> tuple[Table, ...]:
    """SRCC and PLCC by database in the leaderboard's order, with the published rows below.

    The published rows are those of the models replayed, or of `everyone` on the leaderboard; they
    are left out where none of ours rests on a protocol of Q-Bench's.
    """
    databases = _databases(rows)
    said = [PROTOCOL, *([AVERAGE_NOTE] if len(databases) > 1 else [])]
    shown = (
        ("srcc", "Rank correlation (SRCC)", said),
        ("plcc", "Linear correlation (PLCC)", [*said, PLCC_NOTE]),
    )
    return tuple(
        Table(
            name=f"assessment-{metric}",
            title=f"{title} with people's scores, by database",
            columns=tuple(map(Column, _headings(databases))),
            lines=(
                *_ours(rows, databases, metric),
                *_published_lines(rows, databases, metric, everyone=everyone),
            ),
            note=" ".join(notes),
        )
        for metric, title, notes in shown
    )


def detail(rows: Sequence[Replayed], *, notes: Sequence[str] = ()) -> Table:
    """Every figure of every row, with how many images and how many distinct ratings there are."""
    columns = [Column(METRIC_LABELS[name]) for name in METRICS_OF_PAIRS]
    several = len({row.model for row in rows}) > 1
    return Table(
        name="assessment-detail",
        title="Every figure, by database and strategy",
        columns=(*columns, Column("n", "count"), Column("distinct", "count")),
        lines=tuple(Line(_detail_label(row, several), _entries(row)) for row in rows),
        note=" ".join((DETAIL_NOTE, *notes)),
        label="Model, database, strategy" if several else "Database, strategy",
    )


def protocol_of(how: Strategy) -> str:
    """A strategy as a row's label has it; one that is not Q-Bench's is marked.

    >>> from eyechart.strategies import strategy
    >>> protocol_of(strategy("number"))
    'number (another protocol)'
    """
    return f"{how.spec} (another protocol)" if how.other_protocol else how.spec


def _databases(rows: Iterable[Replayed]) -> tuple[str, ...]:
    return tuple(sorted({row.database.name for row in rows}, key=order_of))


def _headings(databases: Sequence[str]) -> tuple[str, ...]:
    return (*databases, AVERAGE) if len(databases) > 1 else tuple(databases)


def _ours(rows: Sequence[Replayed], databases: Sequence[str], metric: str) -> list[Line]:
    """A line for each model and strategy; blank where it has not rated a database."""
    cells = {(r.model, r.strategy, r.database.name): r.figures.estimates[metric] for r in rows}
    for mean in averages(rows):
        if set(mean.databases) == set(databases):
            cells[mean.model, mean.strategy, AVERAGE] = mean.figures.estimates[metric]
    return [
        Line(
            f"{model}, {protocol_of(how)}",
            tuple(cells.get((model, how, name)) for name in _headings(databases)),
        )
        for model, how in dict.fromkeys((row.model, row.strategy) for row in rows)
    ]


def _published_lines(
    rows: Sequence[Replayed], databases: Sequence[str], metric: str, *, everyone: bool
) -> list[Line]:
    if everyone:
        wanted = official_rows() if any(r.strategy.name == "softmax" for r in rows) else ()
    else:
        ours = {(beside.model, beside.strategy) for r in rows if (beside := r.published)}
        wanted = tuple(r for r in published_rows() if (r.model, r.strategy) in ours)
    return [
        Line(
            f"{model}, {spec}",
            _published_entries(model, spec, databases, metric),
            published=True,
            source=SOURCE,
        )
        for model, spec in dict.fromkeys((row.model, row.strategy) for row in wanted)
    ]


def _published_entries(
    model: str, spec: str, databases: Sequence[str], metric: str
) -> tuple[Estimate | None, ...]:
    """The published cells; their mean where there is none for just these databases."""
    cells = [_cell(published(model, name, spec), metric) for name in databases]
    if len(databases) == 1:
        return tuple(cells)
    values = [cell.value for cell in cells if cell is not None and cell.value is not None]
    whole = _cell(published(model, AVERAGE, spec), metric)
    mean = None
    if len(values) == len(databases):
        mean = whole if len(databases) == 7 else Estimate(sum(values) / len(values), None, None, 0)
    return (*cells, mean)


def _cell(row: Published | None, metric: str) -> Estimate | None:
    value = None if row is None else (row.srcc if metric == "srcc" else row.plcc)
    return None if value is None else Estimate(value, None, None, 0)


def _detail_label(row: Replayed, several: bool) -> str:
    model = f"{row.model}, " if several else ""
    return f"{model}{row.database.name}, {protocol_of(row.strategy)}"


def _entries(row: Replayed) -> tuple[Estimate, ...]:
    figures = row.figures
    counts = (figures.n, figures.n_distinct)
    return (
        *(figures.estimates[name] for name in METRICS_OF_PAIRS),
        *(Estimate(float(count), None, None, figures.n) for count in counts),
    )
