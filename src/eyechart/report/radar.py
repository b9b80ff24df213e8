"""A panel of a radar chart: fractions on axes around a centre, a polygon for each series.

In: a `Panel`, axes whose unit is an inch with y downwards. Out: nothing; it is drawn there.

Where each label has a figure in one series only, the series make one polygon together: many models
on one circle, and those measured here stand out among the published ones. More models than a circle
has room for are drawn by `strip`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from eyechart.metrics.arrays import Floats
from eyechart.records import Panel, Series
from eyechart.report.drawing import BLUE, FAINT, INK, MARKERS, SERIES, SOFT
from eyechart.report.formatting import one_line

MOST_SERIES = 7
MOST_SPOKES = 30
"""A circle of more models has no room for their names."""
MOST_LETTERS = 32
HEAD, FOOT = 0.55, 0.15
"""Inches above and below the circle with its labels."""
LARGEST, SMALLEST = 1.65, 0.8
"""Radii, in inches."""
LETTER, LINE = 0.062, 0.145
"""About what a letter of a label takes across and a label down, in inches."""
GAP = 0.12
"""From the outermost ring to a label, in inches."""
LEGEND_COLUMNS, LEGEND_LINE = 2, 0.19


@dataclass(frozen=True, slots=True)
class Look:
    """How a polygon is drawn; `width` in points."""

    colour: str
    marker: str
    width: float
    filled: bool


@dataclass(frozen=True, slots=True)
class Spoke:
    """One axis: its direction, and where its label stands, from the centre, in inches."""

    label: str
    across: float
    down: float
    label_across: float
    label_down: float
    side: Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Circled:
    """The circle that is drawn on. `reach`: from its centre to above the uppermost label.

    `top`: the fraction at its rim.
    """

    across: float
    down: float
    radius: float
    reach: float
    top: float
    spokes: tuple[Spoke, ...]

    def points(self, values: Sequence[float | None]) -> tuple[Floats, Floats]:
        """Where the values lie on their spokes; NaN where undefined."""
        ends = np.array([(spoke.across, spoke.down) for spoke in self.spokes]).T
        reach = np.array([math.nan if v is None else v for v in values]) / self.top * self.radius
        return self.across + reach * ends[0], self.down + reach * ends[1]


def radar_height(panel: Panel, width: float) -> float:
    """How high the panel is, in inches."""
    return HEAD + 2 * _circled(panel, width).reach + FOOT + LEGEND_LINE * _n_legend_rows(panel)


def draw_radar(axes: Axes, panel: Panel) -> None:
    """The web, its labels, and a polygon for each series with a legend, or one for all of them."""
    circled = _circled(panel, axes.get_xlim()[1])
    axes.text(0.1, 0.2, one_line(panel.title, 70), fontsize=9.5, color=INK, weight="bold")
    scale = "from 0 in the middle, a ring every 10 points"
    here = "; blue: measured here" if is_joined(panel) and any(stands_out(panel)) else ""
    axes.text(0.1, 0.37, f"{scale}{here}", fontsize=8, color=SOFT)
    _draw_web(axes, circled)
    if is_joined(panel):
        _draw_joined(axes, circled, panel)
    else:
        _draw_each(axes, circled, panel)


def is_joined(panel: Panel) -> bool:
    """Each label has a figure in at most one of the series."""
    columns = zip(*(series.values for series in panel.series), strict=True)
    return all(sum(value is not None for value in column) < 2 for column in columns)


def is_crowded(panel: Panel) -> bool:
    """More models, each with one figure, than a circle has room for."""
    return len(panel.labels) > MOST_SPOKES and is_joined(panel)


def figures_in(panel: Panel) -> list[float | None]:
    """The one figure of each label of a joined panel."""
    columns = zip(*(series.values for series in panel.series), strict=True)
    return [next((v for v in column if v is not None), None) for column in columns]


def stands_out(panel: Panel) -> list[bool]:
    """For each label of a joined panel whether it was measured here, beside published ones."""
    mixed = len({series.published for series in panel.series}) > 1
    here = [series for series in panel.series if mixed and not series.published]
    return [any(one.values[i] is not None for one in here) for i in range(len(panel.labels))]


def top_of(panel: Panel) -> float:
    """The fraction at the end of the scale: the next whole tenth above all figures."""
    known = [v for series in panel.series for v in series.values if v is not None]
    return max(1, math.ceil(10 * max(known, default=1.0) - 1e-9)) / 10


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Sorted places, moved outwards from the middle one until all are `gap` apart.

    >>> spread([-2.0, 0.0, 0.5], 1.0)
    [-2.0, 0.0, 1.0]
    """
    moved = list(places)
    middle = len(moved) // 2
    for i in range(middle + 1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(middle - 1, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return moved


def _circled(panel: Panel, width: float) -> Circled:
    radius = _radius(panel.labels, width / 2)
    spokes = spokes_of(panel.labels, radius)
    reach = max([radius, *(abs(spoke.label_down) for spoke in spokes)]) + LINE / 2
    return Circled(width / 2, HEAD + reach, radius, reach, top_of(panel), spokes)


def _angles(n: int) -> list[float]:
    """Clockwise from the top; of many axes none is right at the top, where labels are close."""
    start = 0.5 if n > 16 else 0.0
    return [2 * math.pi * (i + start) / n for i in range(n)]


def _radius(labels: Sequence[str], middle: float) -> float:
    """As large as the longest labels at the sides leave room for."""
    most = LARGEST
    for label, angle in zip(labels, _angles(len(labels)), strict=True):
        across = abs(math.sin(angle))
        if across > 0.1:
            room = middle - LETTER * min(len(label), MOST_LETTERS) - GAP
            most = min(most, room / across - GAP)
    return max(most, SMALLEST)


def spokes_of(labels: Sequence[str], radius: float) -> tuple[Spoke, ...]:
    """The axes of labels, none of which stands on another; `radius` in inches."""
    ends = [(math.sin(angle), -math.cos(angle)) for angle in _angles(len(labels))]
    sides = [_side(x) for x, _ in ends]
    down = [(radius + GAP) * y for _, y in ends]
    for side in ("left", "right"):
        mine = sorted((i for i, its in enumerate(sides) if its == side), key=lambda i: down[i])
        for i, place in zip(mine, spread([down[i] for i in mine], LINE), strict=True):
            down[i] = place
    beside = [place for place, its in zip(down, sides, strict=True) if its != "center"]
    for i, its in enumerate(sides):
        if its == "center" and beside:
            above, below = min(beside) - LINE, max(beside) + LINE
            down[i] = min(down[i], above) if down[i] < 0 else max(down[i], below)
    return tuple(
        Spoke(one_line(label, MOST_LETTERS), x, y, (radius + GAP) * x, down[i], sides[i])
        for i, (label, (x, y)) in enumerate(zip(labels, ends, strict=True))
    )


def _side(across: float) -> Literal["left", "center", "right"]:
    if abs(across) < 0.02:
        return "center"
    return "left" if across > 0 else "right"


def _draw_web(axes: Axes, circled: Circled) -> None:
    """Spokes and rings; every second ring is told, where no label stands."""
    x, y, radius = circled.across, circled.down, circled.radius
    for spoke in circled.spokes:
        ends = (x, x + radius * spoke.across), (y, y + radius * spoke.down)
        axes.plot(*ends, color=FAINT, linewidth=0.6, zorder=1)
    n_rings = round(10 * circled.top)
    beside = math.pi / len(circled.spokes) if circled.spokes[0].side == "center" else 0.0
    for i in range(1, n_rings + 1):
        reach = radius * i / n_rings
        axes.add_patch(Circle((x, y), reach, fill=False, edgecolor=FAINT, linewidth=0.8, zorder=1))
        if i % 2 == 0 or n_rings == 1:
            place = x + reach * math.sin(beside), y - reach * math.cos(beside)
            told = f"{10 * i}{' %' if i + 2 > n_rings else ''}"
            text = axes.text(*place, told, fontsize=7, color=SOFT, ha="center", va="center")
            box = {"facecolor": "w", "edgecolor": "none", "pad": 0.8, "alpha": 0.8}
            text.set(zorder=4, bbox=box)


def _draw_labels(axes: Axes, circled: Circled, out: Sequence[bool]) -> None:
    for spoke, is_out in zip(circled.spokes, out, strict=True):
        axes.text(
            circled.across + spoke.label_across,
            circled.down + spoke.label_down,
            spoke.label,
            fontsize=8,
            color=BLUE if is_out else INK,
            weight="bold" if is_out else "normal",
            ha=spoke.side,
            va="center",
        )


def _draw_joined(axes: Axes, circled: Circled, panel: Panel) -> None:
    out = np.array(stands_out(panel), dtype=bool)
    look = Look(SOFT if out.any() else BLUE, "o", width=1.3, filled=True)
    xs, ys = _draw_polygon(axes, circled, figures_in(panel), look)
    axes.plot(xs[out], ys[out], "o", color=BLUE, markersize=6.5, zorder=6)
    _draw_labels(axes, circled, out.tolist())


def _draw_each(axes: Axes, circled: Circled, panel: Panel) -> None:
    _draw_labels(axes, circled, [False] * len(panel.labels))
    below = circled.down + circled.reach + FOOT
    for i, (series, look) in enumerate(_looks(panel.series)):
        _draw_polygon(axes, circled, series.values, look)
        row, column = divmod(i, LEGEND_COLUMNS)
        place = (0.25 + column * circled.across, below + LEGEND_LINE * row)
        _draw_key(axes, place, series, look)
    n_more = len(panel.series) - MOST_SERIES
    if n_more > 0:
        row = math.ceil(MOST_SERIES / LEGEND_COLUMNS) - 1
        told = f"and {n_more} more, not drawn"
        place = 0.25 + circled.across, below + LEGEND_LINE * row
        axes.text(*place, told, fontsize=8, color=SOFT, va="center")


def _looks(series: Sequence[Series]) -> list[tuple[Series, Look]]:
    """The series that are drawn; those measured here get the first colours."""
    drawn = series[:MOST_SERIES]
    order = sorted(range(len(drawn)), key=lambda i: drawn[i].published)
    rank = {index: place for place, index in enumerate(order)}
    return [(one, _look(one, rank[i])) for i, one in enumerate(drawn)]


def _look(series: Series, place: int) -> Look:
    quiet = series.published
    return Look(SERIES[place], MARKERS[place], width=1.1 if quiet else 2.2, filled=not quiet)


def _draw_polygon(
    axes: Axes, circled: Circled, values: Sequence[float | None], look: Look
) -> tuple[Floats, Floats]:
    """The polygon, open where a value is undefined; returns its corners."""
    xs, ys = circled.points(values)
    closed = np.append(xs, xs[:1]), np.append(ys, ys[:1])
    axes.plot(*closed, color=look.colour, linewidth=look.width, zorder=3)
    axes.plot(xs, ys, look.marker, color=look.colour, markersize=2.5 + look.width, zorder=5)
    if look.filled:
        there = np.isfinite(xs)
        axes.fill(xs[there], ys[there], color=look.colour, alpha=0.08, linewidth=0, zorder=2)
    return xs, ys


def _draw_key(axes: Axes, place: tuple[float, float], series: Series, look: Look) -> None:
    x, y = place
    axes.plot([x, x + 0.3], [y, y], color=look.colour, linewidth=look.width)
    axes.plot([x + 0.15], [y], look.marker, color=look.colour, markersize=2.5 + look.width)
    text = axes.text(x + 0.4, y, one_line(series.name, MOST_LETTERS), fontsize=8, va="center")
    text.set(color=INK, weight="normal" if series.published else "bold")


def _n_legend_rows(panel: Panel) -> int:
    n_keys = min(len(panel.series), MOST_SERIES + 1)
    return 0 if is_joined(panel) else math.ceil(n_keys / LEGEND_COLUMNS)
