"""The figures of a report: accuracy by group, accuracy against severity, thresholds.

In: a `Report` or `Curve`s. Out: `Drawing`s (SVG and PNG). Nothing is computed here but positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eyechart.records import Cell, Curve, Estimate, Report
from eyechart.report.drawing import (
    BLUE,
    FAINT,
    INK,
    MARKERS,
    RUST,
    SERIES,
    SOFT,
    VERMILION,
    Drawing,
    finished,
    quiet,
    style,
    svg_of,
)
from eyechart.report.formatting import (
    BLANK,
    facet_value,
    heading,
    one_line,
    quantity,
    quantity_span,
    short_unit,
    shown_threshold,
    words,
)

MOST_DOTS = 32
MOST_VALUES = 16
PANELS_PER_ROW = 4


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
    """Every figure that the report has data for: `accuracy`, `severity`, `thresholds`."""
    drawings = []
    with style():
        rows = dot_rows(report.cells)
        if rows:
            drawings.append(finished("accuracy", dots_figure(rows)))
        if report.curves:
            drawings.append(finished("severity", severity_figure([report.curves])))
            drawings.append(finished("thresholds", thresholds_figure(report.curves)))
    return tuple(drawings)


def severity_panels(
    runs: Sequence[Sequence[Curve]],
) -> tuple[tuple[str, str], ...]:
    """Per distortion its name and a small SVG: what an HTML page lays out by itself."""
    panels = []
    with style():
        for curves in _by_distortion(runs):
            figure = Figure(figsize=(3.1, 2.35))
            axes = figure.add_axes((0.125, 0.19, 0.845, 0.64))
            draw_severity(axes, curves)
            panels.append((words(_first(curves).name), svg_of(figure)))
    return tuple(panels)


def severity_figure(runs: Sequence[Sequence[Curve]], names: Sequence[str] = ()) -> Figure:
    """Accuracy against severity, a panel per distortion; each run has a colour and a marker."""
    distortions = _by_distortion(runs)
    n_columns = min(PANELS_PER_ROW, len(distortions))
    n_rows = math.ceil(len(distortions) / n_columns)
    figure = Figure(figsize=(2.6 * n_columns, 2.2 * n_rows + 0.3), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, curves in zip(grid.flat, distortions, strict=False):
        draw_severity(axes, curves)
    for axes in grid.flat[len(distortions) :]:
        axes.set_visible(False)
    if len(names) > 1:
        handles = [_legend_mark(i) for i in range(len(names))]
        labels = [one_line(name, 60) for name in names]
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_severity(axes: Axes, curves: Sequence[Curve | None]) -> None:
    """One distortion's accuracy against severity, of one run or of several over each other."""
    first = _first(curves)
    quiet(axes)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "", "50", "", "100 %"])
    if min(first.severities) > 0:
        axes.set_xscale("log")
    axes.minorticks_off()
    ticks = _ticks(first.severities)
    axes.set_xticks(ticks, [quantity(tick) for tick in ticks])
    axes.set_xlabel(one_line(first.unit, 40), color=SOFT, fontsize=8, labelpad=2)
    axes.axhline(first.chance, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
    pad = 17 if len(curves) == 1 else 6
    axes.set_title(_title(curves), loc="left", fontsize=9.5, color=INK, weight="bold", pad=pad)
    if len(curves) == 1:
        _draw_threshold(axes, first)
    for index, curve in enumerate(curves):
        if curve is not None:
            _draw_points(axes, curve, index, shift=1.06 ** (index - (len(curves) - 1) / 2))


def dot_rows(cells: Sequence[Cell]) -> list[DotGroup]:
    """Accuracy of all items, then by facet, as far as it can be read at report size."""
    by_facet: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.metric == "accuracy":
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
    """Accuracy as a dot with its interval, a small upright stroke where guessing would be."""
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
    for place_of_dot, dot in lines:
        if dot.cell is not None:
            _draw_dot(axes, dot.cell, place_of_dot)
    axes.set_ylim(place - 0.6, -0.8)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
    axes.set_xlabel("answered right, with 95 % interval;  | = guessing", color=SOFT, fontsize=8)
    return figure


def thresholds_figure(curves: Sequence[Curve]) -> Figure:
    """Where in its tested range each distortion is first seen; an open ring where never."""
    figure = Figure(figsize=(6.4, 0.3 * len(curves) + 0.5), layout="constrained")
    axes = figure.subplots()
    quiet(axes)
    axes.grid(visible=False)
    for line, curve in enumerate(curves):
        axes.plot([0, 1], [line, line], color=FAINT, linewidth=5, solid_capstyle="round", zorder=1)
        _draw_seen(axes, curve, line)
    axes.set_yticks(range(len(curves)), [one_line(words(c.name), 30) for c in curves], color=INK)
    axes.set_ylim(len(curves) - 0.4, -0.6)
    axes.set_xlim(-0.03, 1.75)
    axes.set_xticks([0, 1], ["weakest tested", "strongest tested"])
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _draw_points(axes: Axes, curve: Curve, index: int, *, shift: float) -> None:
    """Points and intervals, moved a little sideways so that several runs can be told apart."""
    colour = SERIES[index % len(SERIES)]
    xs, ys = [], []
    for severity, point in zip(curve.severities, curve.points, strict=True):
        if point.value is None:
            continue
        xs.append(severity * shift)
        ys.append(point.value)
        if point.low is not None and point.high is not None:
            ends = [point.low, point.high]
            axes.plot([xs[-1]] * 2, ends, color=colour, linewidth=1.3, alpha=0.55)
    axes.plot(
        xs,
        ys,
        color=colour,
        linewidth=1.2,
        marker=MARKERS[index % len(MARKERS)],
        markersize=4.2,
        markeredgecolor="white",
        markeredgewidth=0.6,
    )


def _draw_threshold(axes: Axes, curve: Curve) -> None:
    t = curve.threshold
    text = "not seen at any tested severity"
    if t.value is not None:
        low = curve.severities[0] if t.low is None else t.low
        high = curve.severities[-1] if t.high is None else t.high
        axes.axvspan(low, high, color=VERMILION, alpha=0.13, linewidth=0)
        axes.axvline(t.value, color=VERMILION, linewidth=1.3)
        text = f"seen from {shown_threshold(curve)}{_bracketed(t)}"
    axes.text(
        *(0, 1.045, one_line(text)),
        transform=axes.transAxes,
        fontsize=8,
        color=RUST if t.value is not None else SOFT,
        verticalalignment="bottom",
    )


def _draw_dot(axes: Axes, cell: Cell, line: float) -> None:
    estimate: Estimate = cell.estimate
    if cell.chance is not None:
        axes.plot([cell.chance] * 2, [line - 0.3, line + 0.3], color=SOFT, linewidth=1.4)
    if estimate.value is None:
        return
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [line, line], color=BLUE, linewidth=1.8, alpha=0.6)
    axes.plot([estimate.value], [line], "o", color=BLUE, markersize=5, markeredgecolor="white")


def _draw_seen(axes: Axes, curve: Curve, line: int) -> None:
    t = curve.threshold
    if t.value is None:
        axes.plot([1], [line], "o", color="white", markeredgecolor=SOFT, markersize=6)
        axes.text(1.06, line, "not seen", va="center", color=SOFT, fontsize=8)
        return
    low = 0.0 if t.low is None else _place(curve, t.low)
    high = 1.0 if t.high is None else _place(curve, t.high)
    axes.plot([low, high], [line, line], color=BLUE, linewidth=2, alpha=0.6)
    axes.plot([_place(curve, t.value)], [line], "o", color=BLUE, markersize=6)
    text = shown_threshold(curve, one_line(short_unit(curve.unit), 30)) + _bracketed(t)
    axes.text(1.06, line, text, va="center", color=INK, fontsize=8)


def _bracketed(threshold: Estimate) -> str:
    interval = quantity_span(threshold)
    return "" if interval == BLANK else f" ({interval})"


def _place(curve: Curve, severity: float) -> float:
    """Where a severity lies between the weakest (0) and strongest (1) tested, on a log scale."""
    low, high = curve.severities[0], curve.severities[-1]
    if min(low, high, severity) > 0:
        low, high, severity = math.log(low), math.log(high), math.log(severity)
    return min(1.0, max(0.0, (severity - low) / (high - low))) if high != low else 0.5


def _label_lines(axes: Axes, lines: Sequence[tuple[float, Dot]]) -> None:
    axes.set_yticks([place for place, _ in lines], [one_line(dot.label, 40) for _, dot in lines])
    for text, (_, dot) in zip(axes.get_yticklabels(), lines, strict=True):
        text.set_color(INK)
        text.set_fontweight("normal" if dot.cell else "bold")
    axes.spines["left"].set_visible(False)


def _legend_mark(index: int) -> Line2D:
    colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
    return Line2D([], [], color=colour, marker=marker)


def _by_distortion(runs: Sequence[Sequence[Curve]]) -> list[list[Curve | None]]:
    """For each distortion that any run has: the runs' curves, None where a run lacks it."""
    names = dict.fromkeys(curve.name for curves in runs for curve in curves)
    found = [{curve.name: curve for curve in curves} for curves in runs]
    return [[curves.get(name) for curves in found] for name in names]


def _first(curves: Sequence[Curve | None]) -> Curve:
    return next(curve for curve in curves if curve is not None)


def _title(curves: Sequence[Curve | None]) -> str:
    return one_line(heading(_first(curves).name), 40)


def _ticks(severities: Sequence[float]) -> list[float]:
    """At most four of the severities, the first and the last among them."""
    n = len(severities)
    steps = range(min(4, n))
    picked = {round(i * (n - 1) / max(1, len(steps) - 1)) for i in steps}
    return [severities[i] for i in sorted(picked)]
