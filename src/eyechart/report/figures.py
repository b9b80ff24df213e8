"""The figures of a report, and the dot chart of its main metric by group.

In: a `Report`. Out: `Drawing`s (SVG and PNG). Nothing is computed here but positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eyechart.records import Cell, Report
from eyechart.report.drawing import BLUE, FAINT, INK, SOFT, Drawing, finished, quiet, style
from eyechart.report.formatting import facet_value, heading, one_line
from eyechart.report.metric_names import metric_named
from eyechart.report.sight import by_setting
from eyechart.report.sight_figures import severity_figure, thresholds_figure

MOST_DOTS = 32
MOST_VALUES = 16


@dataclass(frozen=True, slots=True)
class Dot:
    """One line of a dot chart; a heading where there is no cell."""

    label: str
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class DotGroup:
    """Lines of a dot chart under one heading ("" = none)."""

    heading: str
    dots: tuple[Dot, ...]


def figures_of(report: Report) -> tuple[Drawing, ...]:
    """Every figure that the report has data for: `accuracy` or `overall`, and those of curves."""
    drawings = []
    with style():
        rows = dot_rows(report.cells)
        if rows:
            drawings.append(finished(dots_metric(report.cells), dots_figure(rows)))
        if report.curves:
            settings = by_setting(report.curves)
            drawings.append(finished("severity", severity_figure(settings, thresholds=True)))
            drawings.append(finished("thresholds", thresholds_figure(settings)))
    return tuple(drawings)


def dots_metric(cells: Sequence[Cell]) -> str:
    """What the dot chart shows: the overall figure where there is one, else accuracy; "" for none.

    >>> dots_metric([])
    ''
    """
    there = {cell.metric for cell in cells}
    return next((metric for metric in ("overall", "accuracy") if metric in there), "")


def dot_rows(cells: Sequence[Cell]) -> list[DotGroup]:
    """The metric over all items, then by facet, as far as it can be read at report size."""
    metric = dots_metric(cells)
    by_facet: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.metric == metric:
            by_facet.setdefault(cell.facet, []).append(cell)
    groups: list[DotGroup] = []
    n_drawn = 0
    for facet, members in by_facet.items():
        if not facet or (len(members) <= MOST_VALUES and n_drawn + len(members) <= MOST_DOTS):
            n_drawn += len(members)
            dots = [
                Dot(facet_value(facet, cell.value) if facet else "All questions", cell)
                for cell in members
            ]
            groups.append(DotGroup(heading(facet), tuple(dots)))
    return groups


def dots_figure(groups: Sequence[DotGroup]) -> Figure:
    """One metric as dots with intervals, small upright strokes where guessing would be."""
    lines: list[tuple[float, Dot]] = []
    place = 0.0
    for group in groups:
        for dot in (*([Dot(group.heading)] if group.heading else []), *group.dots):
            lines.append((place, dot))
            place += 1
        place += 0.5
    figure = Figure(figsize=(6.4, 0.225 * place + 0.6), layout="constrained")
    axes = figure.subplots()
    quiet(axes)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.6)
    _label_lines(axes, lines)
    _draw_dots(axes, [(at, dot.cell) for at, dot in lines if dot.cell is not None])
    axes.set_ylim(place - 0.6, -0.8)
    _set_scale(axes, [dot.cell for _, dot in lines if dot.cell is not None])
    return figure


def _set_scale(axes: Axes, cells: Sequence[Cell]) -> None:
    """The whole scale of the cells' metric, and what is drawn on it."""
    metric = metric_named(cells[0].metric if cells else "accuracy")
    if metric.percent:
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
    elif not math.isnan(metric.low):
        axes.set_xlim(metric.low - 0.02, metric.high + 0.02)
    what = "answered right" if metric.name == "accuracy" else metric.label
    guessing = ";  | = guessing" if any(cell.chance is not None for cell in cells) else ""
    axes.set_xlabel(f"{what}, with 95 % interval{guessing}", color=SOFT, fontsize=8)


def _draw_dots(axes: Axes, cells: Sequence[tuple[float, Cell]]) -> None:
    chances = [(cell.chance, at - 0.3, at + 0.3) for at, cell in cells if cell.chance is not None]
    if chances:
        axes.vlines(*zip(*chances, strict=True), color=SOFT, linewidth=1.4)
    known = [(at, cell.estimate) for at, cell in cells if cell.estimate.value is not None]
    ranges = [(at, e.low, e.high) for at, e in known if e.low is not None and e.high is not None]
    if ranges:
        axes.hlines(*zip(*ranges, strict=True), color=BLUE, linewidth=1.8, alpha=0.6)
    xs, ys = [e.value or 0.0 for _, e in known], [at for at, _ in known]
    axes.plot(xs, ys, "o", color=BLUE, markersize=5, markeredgecolor="white")


def _label_lines(axes: Axes, lines: Sequence[tuple[float, Dot]]) -> None:
    axes.set_yticks([place for place, _ in lines], [one_line(dot.label, 40) for _, dot in lines])
    for text, (_, dot) in zip(axes.get_yticklabels(), lines, strict=True):
        text.set_color(INK)
        text.set_fontweight("normal" if dot.cell else "bold")
    axes.spines["left"].set_visible(False)
