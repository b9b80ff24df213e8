"""`report.html`: what was found, told on the first screen, then everything behind it, in one file.

In: a `Report` and the `Listing` of its items. Out: HTML text. The numbers are the report's.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eyechart.records import Cell, Curve, Report
from eyechart.report.charts import figures_of_charts
from eyechart.report.drawing import SERIES
from eyechart.report.entries import STATUS_LABELS, Listing
from eyechart.report.formatting import (
    BLANK,
    SMALL_NOTE,
    distortion_name,
    facet_name,
    facet_value,
    heading,
    is_small,
    not_seen,
    number,
    quantity,
    quantity_span,
    reasons_in_words,
    short_unit,
    shown,
    shown_bounds,
    shown_interval,
    shown_n,
    shown_threshold,
    shown_unscored,
    span,
    whole,
)
from eyechart.report.greying import is_grey_cell, is_only_small, key_of, marked_n
from eyechart.report.metric_names import metric_named
from eyechart.report.own_groups import groups_of
from eyechart.report.rendering import rendered, svg_markup
from eyechart.report.scatter import Cloud, ratings_caption, ratings_panels
from eyechart.report.sight import by_setting, sees
from eyechart.report.sight_figures import AllSeries, severity_panels


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline as it is set: large, with an aside in lighter type, the rest below."""

    lead: str
    aside: str
    findings: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a value, its interval and chance lie on a metric's scale, as CSS lengths or ""."""

    value: str = ""
    low: str = ""
    high: str = ""
    chance: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A key figure: its name, the number with its unit, an interval drawn, and lines below."""

    name: str
    figure: str
    unit: str = ""
    bar: Bar | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table by facet, ready to print."""

    label: str
    bar: Bar
    value: str
    interval: str
    n: str
    unscored: str
    bounds: str
    chance: str
    is_grey: bool


@dataclass(frozen=True, slots=True)
class FacetTable:
    """One metric by one facet; columns without any content are left out.

    `key`: what the marks of figures of few items mean.
    """

    heading: str
    rows: tuple[Row, ...]
    bars: bool
    bounds: bool
    unscored: bool
    chance: bool
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """A metric's tables under one heading."""

    metric: str
    heading: str
    explanation: str
    unit: str
    tables: tuple[FacetTable, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One severity in the eye chart: its accuracy, the darker the further above chance."""

    severity: str
    text: str
    title: str
    colour: str
    ink: str


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One distortion in the eye chart; `mark`: where its threshold lies, "" where never seen."""

    name: str
    steps: tuple[Step, ...]
    mark: str
    seen: str
    interval: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The eye chart of one setting; `heading` and `question` are "" where there is but one."""

    heading: str
    question: str
    chance: str
    rows: tuple[ChartRow, ...]


def report_page(report: Report, listing: Listing, clouds: Sequence[Cloud] = ()) -> str:
    """The whole report as HTML, self-contained: no network, no other file."""
    settings = by_setting(report.curves)
    values = {
        "title": report.title,
        "headline": split_headline(report.headline),
        "report": report,
        "cards": cards_of(report),
        "charts": [chart_of(curves) for curves in settings.values()],
        "perhaps": any(c.threshold.value is not None and not sees(c) for c in report.curves),
        "own": groups_of(report.tables),
        "figures": figures_of_charts(report.charts),
        "ratings": ratings_markup(clouds, report.model),
        "ratings_caption": ratings_caption(clouds),
        "groups": metric_groups(report.cells),
        "legend": legend_of(list(settings)) if len(settings) > 1 else [],
        "panels": panels_markup(settings, thresholds=True),
        "listing": listing,
        "status_labels": STATUS_LABELS,
        "provenance": [*report.provenance.items()],
    }
    return rendered("page.html", values, script="page.js")


def split_headline(text: str) -> Headline:
    """The first sentence, its interval or what it ends with in brackets, and the other sentences.

    >>> split_headline("It sees 1.5 of 2 (75 %). All is well.")
    Headline(lead='It sees 1.5 of 2', aside='(75 %).', findings='All is well.')
    """
    first, *rest = re.split(r"(?<=\.) (?=[A-Z0-9])", text, maxsplit=1)
    lead, bracket, aside = first.partition(" (95 % interval")
    if not bracket and first.endswith(")."):
        lead, bracket, aside = first.rpartition(" (")
    return Headline(lead, f"{bracket}{aside}".strip(), "".join(rest))


def panels_markup(series: AllSeries, *, thresholds: bool, prefix: str = "s") -> list[Markup]:
    """The severity figures for the inside of a page, one per distortion; `prefix` of their ids."""
    return [
        svg_markup(svg, prefix=f"{prefix}{i}-", label=f"Accuracy against severity: {name}")
        for i, (name, svg) in enumerate(severity_panels(series, thresholds=thresholds))
    ]


def ratings_markup(clouds: Sequence[Cloud], model: str) -> list[Markup]:
    """The figures of ratings for the inside of a page, one per database."""
    about = f"{model}'s rating against people's mean opinion score"
    return [
        svg_markup(svg, prefix=f"r{i}-", label=f"{about}: {words}")
        for i, (words, svg) in enumerate(ratings_panels(clouds, model))
    ]


def legend_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each series with its colour in the figures."""
    return list(zip(names, itertools.cycle(SERIES), strict=False))


def bar_of(cell: Cell) -> Bar:
    """Where the cell lies on its metric's scale, each end kept on it."""
    metric, estimate = metric_named(cell.metric), cell.estimate

    def place(value: float | None) -> str:
        if value is None or not metric.high > metric.low:
            return ""
        share = (value - metric.low) / (metric.high - metric.low)
        return f"{100 * min(1.0, max(0.0, share)):.2f}%"

    known = estimate.low is not None and estimate.high is not None
    low, high = (place(estimate.low), place(estimate.high)) if known else ("", "")
    return Bar(place(estimate.value), low, high, place(cell.chance))


def cards_of(report: Report) -> list[Card]:
    """The key figures: each metric over all items, what is seen, and what was scored."""
    cards = [_metric_card(cell) for cell in report.cells if not cell.facet]
    cards += [_sight_card(setting, mine) for setting, mine in by_setting(report.curves).items()]
    if not report.counts:
        return cards
    n_items, n_scored = report.counts["n_items"], report.counts["n_scored"]
    why = {name: n for name, n in report.counts.items() if name not in ("n_items", "n_scored")}
    reasons = reasons_in_words(why)
    line = f"unscored: {reasons}" if reasons else "every reply was scored"
    cards.append(Card("Replies scored", whole(n_scored), f"of {whole(n_items)}", lines=(line,)))
    return cards


def metric_groups(cells: Sequence[Cell]) -> list[MetricGroup]:
    """Every metric with a table per facet."""
    groups = []
    for name in dict.fromkeys(cell.metric for cell in cells if cell.facet):
        metric = metric_named(name)
        mine = [cell for cell in cells if cell.metric == name and cell.facet]
        facets = dict.fromkeys(cell.facet for cell in mine)
        tables = [facet_table([cell for cell in mine if cell.facet == facet]) for facet in facets]
        groups.append(
            MetricGroup(
                metric=name,
                heading=metric.label,
                explanation=metric.explanation,
                unit="%" if metric.percent else "value",
                tables=tuple(tables),
            )
        )
    return groups


def facet_table(cells: Sequence[Cell]) -> FacetTable:
    """One metric by one facet."""
    rows = tuple(map(_row, cells))
    return FacetTable(
        heading=f"By {facet_name(cells[0].facet)}",
        rows=rows,
        bars=any(row.bar.value for row in rows),
        bounds=any(row.bounds for row in rows),
        unscored=any(cell.n_unscored for cell in cells),
        chance=any(cell.chance is not None for cell in cells),
        key=key_of(small=any(map(is_only_small, cells)), grey=any(map(is_grey_cell, cells))),
    )


def chart_of(curves: Sequence[Curve]) -> Chart:
    """The eye chart of one setting."""
    one = curves[0]
    chance = f"{100 * one.chance:.0f}"
    return Chart(heading(one.setting), one.question, chance, tuple(map(chart_row, curves)))


def chart_row(curve: Curve) -> ChartRow:
    """One distortion of the eye chart."""
    t = curve.threshold
    return ChartRow(
        name=heading(distortion_name(curve.name)),
        steps=tuple(_step(curve, severity, i) for i, severity in enumerate(curve.severities)),
        mark=_mark(curve),
        seen=shown_threshold(curve, short_unit(curve.unit)) if t.value is not None else "",
        interval="" if quantity_span(t) == BLANK else quantity_span(t),
    )


def _sight_card(setting: str, curves: Sequence[Curve]) -> Card:
    n_seen, n = sum(map(sees, curves)), len(curves)
    blind = not_seen(curves) or "every one tested"
    lines = tuple(filter(None, (setting, blind if n_seen else "")))
    return Card("Distortions seen", whole(n_seen), f"of {n}", lines=lines)


def _metric_card(cell: Cell) -> Card:
    metric = metric_named(cell.metric)
    if cell.estimate.value is None:
        reasons = reasons_in_words(cell.why)
        return Card(metric.label, BLANK, lines=(f"undefined{f': {reasons}' if reasons else ''}",))
    interval = shown_interval(cell)
    lines = [f"{'no interval' if interval == BLANK else interval}, n = {shown_n(cell)}"]
    if cell.chance is not None:
        lines.append(f"guessing gives {number(cell.chance)} %")
    if cell.n_unscored:
        bounds = shown_bounds(cell)
        within = f"; bounds {bounds}" if bounds != BLANK else ""
        lines.append(f"{whole(cell.n_unscored)} unscored{within}")
    if is_small(cell):
        lines.append(SMALL_NOTE)
    bar = bar_of(cell)
    return Card(
        metric.label,
        shown(cell),
        "%" if metric.percent else "",
        bar if bar.value else None,
        tuple(lines),
    )


def _row(cell: Cell) -> Row:
    bounds = shown_bounds(cell)
    return Row(
        label=facet_value(cell.facet, cell.value),
        bar=bar_of(cell),
        value=shown(cell),
        interval=shown_interval(cell),
        n=marked_n(cell),
        unscored=shown_unscored(cell),
        bounds="" if bounds == BLANK else bounds,
        chance=number(cell.chance),
        is_grey=is_grey_cell(cell),
    )


def _step(curve: Curve, severity: float, index: int) -> Step:
    point = curve.points[index]
    where = quantity(severity, curve.unit)
    if point.value is None:
        return Step(where, BLANK, f"{where}: no question", "#eef1f3", "#56606a")
    above = max(0.0, (point.value - curve.chance) / max(1e-9, 1 - curve.chance))
    title = f"{where}: {number(point.value)} % right ({span(point.low, point.high)}), n = {point.n}"
    return Step(where, f"{100 * point.value:.0f}", title, _shade(above), _ink(above))


def _shade(above: float) -> str:
    """From near white at chance to a deep blue at all right."""
    ends = ((238, 241, 243), (0, 84, 140))
    return "#" + "".join(f"{round(a + (b - a) * above):02x}" for a, b in zip(*ends, strict=True))


def _ink(above: float) -> str:
    """White or black, whichever is at least 4.5 times lighter or darker than the shade."""
    return "#ffffff" if above > 0.75 else "#000000"


def _mark(curve: Curve) -> str:
    """Where the threshold lies along the row of steps, each step's severity at its middle."""
    value, severities = curve.threshold.value, curve.severities
    if value is None:
        return ""
    weaker = sum(severity <= value for severity in severities)
    if weaker in (0, len(severities)):
        place = 0.5 if weaker == 0 else len(severities) - 0.5
    else:
        low, high = severities[weaker - 1], severities[weaker]
        place = weaker - 0.5 + (value - low) / (high - low)
    return f"{100 * place / len(severities):.2f}%"
