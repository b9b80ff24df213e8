"""The figures of what is seen: accuracy against severity, and thresholds.

In: series of `Curve`s by name (settings of one run, or runs in one setting). Out: matplotlib
figures and small SVGs. Nothing is computed here but positions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eyechart.records import Curve, Estimate
from eyechart.report.drawing import (
    BLUE,
    FAINT,
    INK,
    MARKERS,
    RUST,
    SERIES,
    SOFT,
    quiet,
    style,
    svg_of,
)
from eyechart.report.formatting import (
    BLANK,
    distortion_name,
    heading,
    one_line,
    quantity,
    quantity_span,
    short_unit,
    shown_threshold,
)
from eyechart.report.sight import by_distortion, first

PANELS_PER_ROW = (3, 4)
DASHES = (0, (4, 3))
INKS = (BLUE, RUST, "#00704f", "#7a5200")
"""For words about a series: its colour, dark enough to read."""

AllSeries = Mapping[str, Sequence[Curve]]


def severity_panels(series: AllSeries, *, thresholds: bool) -> tuple[tuple[str, str], ...]:
    """Per distortion its name and a small SVG: what an HTML page lays out by itself."""
    panels = []
    lines = len(series) if thresholds else 0
    with style():
        for curves in by_distortion(series.values()):
            figure = Figure(figsize=(3.1, 2.08 + 0.17 * lines))
            height = figure.get_figheight()
            axes = figure.add_axes((0.125, 0.38 / height, 0.845, 1.42 / height))
            draw_severity(axes, curves, thresholds=thresholds)
            panels.append((distortion_name(first(curves).name), svg_of(figure)))
    return tuple(panels)


def severity_figure(series: AllSeries, *, thresholds: bool) -> Figure:
    """Accuracy against severity, a panel per distortion; each series has a colour and a marker."""
    distortions = by_distortion(series.values())
    n_columns = min(PANELS_PER_ROW, key=lambda n: (-len(distortions) % n, -n))
    n_columns = min(n_columns, len(distortions))
    n_rows = math.ceil(len(distortions) / n_columns)
    row = 2.1 + 0.17 * (len(series) if thresholds else 0)
    figure = Figure(figsize=(2.6 * n_columns, row * n_rows + 0.3), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, curves in zip(grid.flat, distortions, strict=False):
        draw_severity(axes, curves, thresholds=thresholds)
    for axes in grid.flat[len(distortions) :]:
        axes.set_visible(False)
    guessing = Line2D([], [], color=SOFT, linestyle=DASHES)
    _draw_legend(figure, list(series), ("guessing", guessing))
    return figure


def draw_severity(axes: Axes, curves: Sequence[Curve | None], *, thresholds: bool) -> None:
    """One distortion's accuracy against severity in each series, over each other."""
    one = first(curves)
    quiet(axes)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "", "50", "", "100 %"])
    if min(one.severities) > 0:
        axes.set_xscale("log")
    axes.minorticks_off()
    ticks = _ticks(one.severities)
    axes.set_xticks(ticks, [quantity(tick) for tick in ticks])
    axes.set_xlabel(one_line(one.unit, 40), color=SOFT, fontsize=8, labelpad=2)
    title = one_line(heading(distortion_name(one.name)), 40)
    pad = 6 + 11.5 * (len(curves) if thresholds else 0)
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, weight="bold", pad=pad)
    _draw_chance(axes, curves)
    for index, curve in enumerate(curves):
        if curve is not None:
            _draw_points(axes, curve, index, shift=1.06 ** (index - (len(curves) - 1) / 2))
            if thresholds:
                _draw_threshold(axes, curve, index, n_below=len(curves) - 1 - index)


def thresholds_figure(series: AllSeries) -> Figure:
    """Where in its tested range each distortion is first seen; an open ring where never."""
    distortions = by_distortion(series.values())
    step = 1 / (len(series) + 0.6) if len(series) > 1 else 1.0
    height = 0.3 * len(distortions) if len(series) == 1 else 0.27 * len(distortions) / step
    figure = Figure(figsize=(6.4, height + 0.5), layout="constrained")
    axes = figure.subplots()
    quiet(axes)
    axes.grid(visible=False)
    for line, curves in enumerate(distortions):
        for index, curve in enumerate(curves):
            if curve is not None:
                _draw_seen(axes, curve, line + (index - (len(curves) - 1) / 2) * step, index)
    names = [one_line(distortion_name(first(curves).name), 30) for curves in distortions]
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(-0.03, 1.75)
    axes.set_xticks([0, 1], ["weakest tested", "strongest tested"])
    axes.spines[["left", "bottom"]].set_visible(False)
    _draw_legend(figure, list(series))
    return figure


def _draw_legend(figure: Figure, names: Sequence[str], *more: tuple[str, Line2D]) -> None:
    """Which colour and marker is which series; nothing for a single one."""
    if len(names) > 1:
        styles = [(_colour(i), MARKERS[i % len(MARKERS)]) for i in range(len(names))]
        marks = [Line2D([], [], color=colour, marker=marker) for colour, marker in styles]
        labels = [*(one_line(name, 60) for name in names), *(label for label, _ in more)]
        handles = [*marks, *(handle for _, handle in more)]
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)


def _draw_chance(axes: Axes, curves: Sequence[Curve | None]) -> None:
    """A dashed line where guessing is: in the colour of its series where they differ."""
    chances = {i: curve.chance for i, curve in enumerate(curves) if curve is not None}
    for chance in sorted(set(chances.values())):
        mine = [i for i, each in chances.items() if each == chance]
        colour = SOFT if len(mine) == len(chances) else _colour(mine[0])
        axes.axhline(chance, color=colour, linewidth=0.9, linestyle=DASHES, alpha=0.8)


def _draw_points(axes: Axes, curve: Curve, index: int, *, shift: float) -> None:
    """Points and intervals, moved a little sideways so that several series can be told apart."""
    colour, marker = _colour(index), MARKERS[index % len(MARKERS)]
    there = [
        (severity * shift, point)
        for severity, point in zip(curve.severities, curve.points, strict=True)
        if point.value is not None
    ]
    xs, ys = [x for x, _ in there], [point.value or 0.0 for _, point in there]
    ranges = [(x, p.low, p.high) for x, p in there if p.low is not None and p.high is not None]
    if ranges:
        axes.vlines(*zip(*ranges, strict=True), color=colour, linewidth=1.3, alpha=0.55)
    (line,) = axes.plot(xs, ys, color=colour, linewidth=1.2, marker=marker, markersize=4.2)
    line.set(markeredgecolor="white", markeredgewidth=0.6)


def _draw_threshold(axes: Axes, curve: Curve, index: int, *, n_below: int) -> None:
    """An upright line with a band for its interval, told in a line above the panel."""
    t = curve.threshold
    text = "not seen at any tested severity"
    if t.value is not None:
        low = curve.severities[0] if t.low is None else t.low
        high = curve.severities[-1] if t.high is None else t.high
        axes.axvspan(low, high, color=_colour(index), alpha=0.1, linewidth=0)
        axes.axvline(t.value, color=_colour(index), linewidth=1.2, alpha=0.8)
        text = f"seen from {shown_threshold(curve)}{_bracketed(t)}"
    axes.annotate(
        one_line(text),
        (0, 1),
        xytext=(0, 4 + 11.5 * n_below),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=INKS[index % len(INKS)],
        verticalalignment="bottom",
    )


def _draw_seen(axes: Axes, curve: Curve, line: float, index: int) -> None:
    t, colour, marker = curve.threshold, _colour(index), MARKERS[index % len(MARKERS)]
    axes.plot([0, 1], [line, line], color=FAINT, linewidth=5, solid_capstyle="round", zorder=1)
    if t.value is None:
        axes.plot([1], [line], marker, color="white", markeredgecolor=colour, markersize=6)
        axes.text(1.06, line, "not seen", va="center", color=SOFT, fontsize=8)
        return
    low = 0.0 if t.low is None else _place(curve, t.low)
    high = 1.0 if t.high is None else _place(curve, t.high)
    axes.plot([low, high], [line, line], color=colour, linewidth=2, alpha=0.6)
    axes.plot([_place(curve, t.value)], [line], marker, color=colour, markersize=5.5)
    text = shown_threshold(curve, one_line(short_unit(curve.unit), 30)) + _bracketed(t)
    axes.text(1.06, line, text, va="center", color=INK, fontsize=8)


def _colour(index: int) -> str:
    return SERIES[index % len(SERIES)]


def _bracketed(threshold: Estimate) -> str:
    interval = quantity_span(threshold)
    return "" if interval == BLANK else f" ({interval})"


def _place(curve: Curve, severity: float) -> float:
    """Where a severity lies between the weakest (0) and strongest (1) tested, on a log scale."""
    low, high = curve.severities[0], curve.severities[-1]
    if min(low, high, severity) > 0:
        low, high, severity = math.log(low), math.log(high), math.log(severity)
    return min(1.0, max(0.0, (severity - low) / (high - low))) if high != low else 0.5


def _ticks(severities: Sequence[float]) -> list[float]:
    """At most four of the severities, the first and the last among them."""
    n = len(severities)
    steps = range(min(4, n))
    picked = {round(i * (n - 1) / max(1, len(steps) - 1)) for i in steps}
    return [severities[i] for i in sorted(picked)]
