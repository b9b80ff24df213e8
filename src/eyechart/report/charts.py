"""A benchmark's own figures (`records.Chart`), for a page and for files.

In: `Chart`s. Out: `Drawing`s of whole charts, and small SVGs of their panels that a page lays out
by itself. How a panel looks is the business of its form: `radar` or `shares`; a radar of too many
models becomes a `strip`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eyechart.errors import BadInput
from eyechart.records import Chart, Panel
from eyechart.report.drawing import Drawing, finished, style, svg_of
from eyechart.report.printed import safe_name
from eyechart.report.radar import draw_radar, is_crowded, radar_height
from eyechart.report.rendering import svg_markup
from eyechart.report.shares import draw_shares, shares_height
from eyechart.report.strip import draw_strip, strip_height

PANEL_WIDTH = 5.4
"""In inches."""
PER_ROW = 2


@dataclass(frozen=True, slots=True)
class Form:
    """How panels of a form are drawn: on axes whose unit is an inch, and how high for a width."""

    draw: Callable[[Axes, Panel], None]
    height: Callable[[Panel, float], float]


FORMS = {
    "radar": Form(draw_radar, radar_height),
    "shares": Form(draw_shares, lambda panel, _width: shares_height(panel)),
}
STRIP = Form(draw_strip, lambda panel, _width: strip_height(panel))


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """A chart as a page shows it; `name` is safe in an id."""

    name: str
    title: str
    note: str
    panels: tuple[Markup, ...]


def file_of(chart: Chart) -> str:
    """The name of the chart's files, without a suffix."""
    return safe_name(chart.name)


def figures_of_charts(charts: Sequence[Chart]) -> tuple[ChartFigure, ...]:
    """The charts for the inside of a page.

    Raises BadInput where a series has more or fewer values than its panel has labels.
    """
    return tuple(_figure(chart, i) for i, chart in enumerate(charts))


def drawings_of(charts: Sequence[Chart]) -> tuple[Drawing, ...]:
    """The charts for files, two panels in a row.

    Raises BadInput where a series has more or fewer values than its panel has labels.
    """
    with style():
        return tuple(finished(file_of(chart), _whole(chart)) for chart in charts)


def _figure(chart: Chart, index: int) -> ChartFigure:
    _check(chart)
    panels = []
    for number, panel in enumerate(chart.panels):
        with style():
            svg = svg_of(_single(chart, panel))
        label = ": ".join(filter(None, (chart.title, panel.title)))
        panels.append(svg_markup(svg, prefix=f"c{index}-{number}-", label=label))
    return ChartFigure(f"chart{index}", chart.title, chart.note, tuple(panels))


def _single(chart: Chart, panel: Panel) -> Figure:
    height = _height(chart, panel)
    figure = Figure(figsize=(PANEL_WIDTH, height))
    _form(chart, panel).draw(_axes(figure, 0, 0, height), panel)
    return figure


def _whole(chart: Chart) -> Figure:
    _check(chart)
    n_columns = min(PER_ROW, len(chart.panels))
    starts = range(0, len(chart.panels), n_columns)
    rows = [chart.panels[start : start + n_columns] for start in starts]
    heights = [max(_height(chart, panel) for panel in row) for row in rows]
    figure = Figure(figsize=(PANEL_WIDTH * n_columns, math.fsum(heights)))
    for i, row in enumerate(rows):
        for column, panel in enumerate(row):
            place = column * PANEL_WIDTH, math.fsum(heights[:i])
            _form(chart, panel).draw(_axes(figure, *place, _height(chart, panel)), panel)
    return figure


def _height(chart: Chart, panel: Panel) -> float:
    return _form(chart, panel).height(panel, PANEL_WIDTH)


def _form(chart: Chart, panel: Panel) -> Form:
    return STRIP if chart.form == "radar" and is_crowded(panel) else FORMS[chart.form]


def _axes(figure: Figure, left: float, down: float, height: float) -> Axes:
    """Axes without frame whose unit is an inch, y downwards from their upper end."""
    width, whole = figure.get_size_inches()
    bottom = 1 - (down + height) / whole
    axes = figure.add_axes((left / width, bottom, PANEL_WIDTH / width, height / whole))
    axes.set(xlim=(0, PANEL_WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def _check(chart: Chart) -> None:
    if not chart.panels:
        raise BadInput(f"chart {chart.name}: has no panel; expected one or more")
    for panel in chart.panels:
        if not panel.labels or not panel.series:
            raise BadInput(
                f"chart {chart.name}: the panel {panel.title!r} has {len(panel.labels)} labels and "
                f"{len(panel.series)} series; expected one or more of each"
            )
        for series in panel.series:
            if len(series.values) != len(panel.labels):
                raise BadInput(
                    f"chart {chart.name}: the series {series.name!r} has {len(series.values)} "
                    f"values for {len(panel.labels)} labels; expected one for each, None where it "
                    "is undefined"
                )
