"""Assessment's tables: the leaderboard's two, with the published rows, and every figure in full.

In: `Replayed` rows. Out: `records.Table`s. Computes no correlation; a mean over databases is the
plain mean of the row's cells, as published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eyechart.assessment.databases import DATABASES, order_of
from eyechart.assessment.published import (
    AVERAGE,
    SOURCE,
    Published,
    beside,
    published,
    published_rows,
)
from eyechart.assessment.replay import Replayed, averages
from eyechart.metrics.correlations import METRICS_OF_PAIRS
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import listed
from eyechart.strategies import RELEASED_TEMPERATURE, Strategy

METRIC_LABELS: Mapping[str, str] = {
    "srcc": "SRCC",
    "krcc": "KRCC",
    "plcc": "PLCC",
    "plcc_fitted": "PLCC fitted",
    "rmse": "RMSE",
}
PROTOCOL = "Correlations of a model's ratings with people's mean opinion scores."
AVERAGE_NOTE = "The average is the plain mean over the databases shown, large and small alike."
TITLES: Mapping[str, str] = {
    "srcc": "Rank correlation (SRCC)",
    "plcc": "Linear correlation (PLCC)",
}
ASKED_NOTE = (
    "No published rows: those rest on an answer that is begun for the model, and here a question "
    "for one word was asked."
)
OWN_NOTE = "No published rows: nothing was published of these databases."
PLCC_NOTE = (
    "PLCC is of the ratings as they are, without a fitted curve, and changes with the temperature "
    "of the softmax; SRCC does not."
)
DETAIL_NOTE = (
    "PLCC fitted and RMSE (in the unit of the database's scores) are after a logistic curve with 4 "
    "parameters; it may fall, so PLCC fitted does not tell the direction, is never negative, and "
    "is above 0 by chance. `distinct`: how many different values the ratings have; equal ones "
    "share a rank. Intervals: 95 %, by resampling images, or the photographs they were made from."
)


def leaderboards(
    rows: Sequence[Replayed],
    *,
    everyone: bool = False,
    begun: bool = True,
    notes: Sequence[str] = (),
) -> tuple[Table, ...]:
    """SRCC and PLCC by database in the leaderboard's order, with the published rows below.

    The published rows are those of the models replayed, or of `everyone`, but only by strategies
    that ours were read by too, of PLCC also with the same temperature, and only where answers were
    `begun` as Q-Bench does; where there are none, the note says why. `notes`: more to say there.
    """
    databases = _databases(rows)
    tables = []
    for metric, title in TITLES.items():
        lines, why = _published_lines(rows, databases, metric, everyone=everyone, begun=begun)
        said = (
            PROTOCOL,
            AVERAGE_NOTE if len(databases) > 1 else "",
            PLCC_NOTE if metric == "plcc" else "",
            why,
            *notes,
        )
        tables.append(
            Table(
                name=f"assessment-{metric}",
                title=f"{title} with people's scores, by database",
                columns=tuple(map(Column, _headings(databases))),
                lines=(*_ours(rows, databases, metric), *lines),
                note=" ".join(note for note in said if note),
            )
        )
    return tuple(tables)


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
    rows: Sequence[Replayed], databases: Sequence[str], metric: str, *, everyone: bool, begun: bool
) -> tuple[list[Line], str]:
    """The published rows to stand below ours, and why there are none."""
    if not everyone:
        return _own_lines(rows, databases, metric), ""
    return _everyones_lines(rows, databases, metric) if begun else ([], ASKED_NOTE)


def _own_lines(rows: Sequence[Replayed], databases: Sequence[str], metric: str) -> list[Line]:
    """The published rows of the models replayed, read by the very strategies."""
    ours = {(found.model, found.strategy) for row in rows if (found := row.published)}
    wanted = [row for row in published_rows() if (row.model, row.strategy) in ours]
    return _lines(wanted, databases, metric)


def _everyones_lines(
    rows: Sequence[Replayed], databases: Sequence[str], metric: str
) -> tuple[list[Line], str]:
    """The published rows of all models, and a note on what none of them stands beside."""
    ours = dict.fromkeys(row.strategy for row in rows)
    found = {how: beside(how, any_temperature=metric != "plcc") for how in ours}
    lines = _lines([row for cells in found.values() for row in cells], databases, metric)
    alone = [how.spec for how, cells in found.items() if not cells]
    if alone:
        heat = f"at temperature {RELEASED_TEMPERATURE:g} " if metric == "plcc" else ""
        return lines, (
            f"No published rows stand beside {listed(alone)}: those are of softmax {heat}and of "
            "argmax, by good and poor or by high and low."
        )
    return lines, "" if lines else OWN_NOTE


def _lines(wanted: Iterable[Published], databases: Sequence[str], metric: str) -> list[Line]:
    """A line for each model and strategy that has a cell among these databases."""
    lines = []
    for model, spec in dict.fromkeys((row.model, row.strategy) for row in wanted):
        cells = _published_entries(model, spec, databases, metric)
        if any(cells):
            lines.append(Line(f"{model}, {spec}", cells, published=True, source=SOURCE))
    return lines


def _published_entries(
    model: str, spec: str, databases: Sequence[str], metric: str
) -> tuple[Estimate | None, ...]:
    """The published cells; the published mean only where all that it is of stand beside it."""
    is_whole = set(databases) == {database.name for database in DATABASES}
    return tuple(
        _cell(published(model, name, spec), metric) if name != AVERAGE or is_whole else None
        for name in _headings(databases)
    )


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
