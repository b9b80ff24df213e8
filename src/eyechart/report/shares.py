"""A panel of shares: bars of how many items each part of a whole has.

In: a `Panel` of counts, axes whose unit is an inch with y downwards. Out: nothing; it is drawn
there. Several series stand under each other, each in shares of its own whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eyechart.records import Panel, Series
from eyechart.report.drawing import BLUE, FAINT, INK, SKY
from eyechart.report.formatting import BLANK, number, one_line, whole

HEAD, FOOT = 0.4, 0.12
"""Inches above and below the bars."""
BAR, LINE, BETWEEN = 0.15, 0.18, 0.08
"""Height of a bar, from one bar to the next, and between the parts, in inches."""
START, END = 1.62, 4.2
"""Where a bar begins, and where one of the whole ends, in inches."""
MOST_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One series' part: its count, and the share (0 to 1) that it is of the series' whole."""

    count: float | None
    share: float | None
    published: bool

    @property
    def told(self) -> str:
        """The count and the share in words."""
        if self.count is None:
            return BLANK
        count = whole(int(self.count)) if self.count == int(self.count) else f"{self.count:g}"
        return count if self.share is None else f"{count}  ({number(self.share)} %)"


def shares_height(panel: Panel) -> float:
    """How high the panel is, in inches."""
    key = LINE if len(panel.series) > 1 else 0.0
    return HEAD + key + (LINE * len(panel.series) + BETWEEN) * len(panel.labels) + FOOT


def draw_shares(axes: Axes, panel: Panel) -> None:
    """A bar for each part, with its count and its share in %."""
    axes.text(0.1, 0.2, one_line(panel.title, 60), fontsize=9.5, color=INK, weight="bold")
    down = HEAD
    if len(panel.series) > 1:
        _draw_key(axes, panel.series, down)
        down += LINE
    columns = [_bars(series) for series in panel.series]
    for label, *bars in zip(panel.labels, *columns, strict=True):
        text = axes.text(START - 0.12, down + LINE * len(bars) / 2, one_line(label, MOST_LETTERS))
        text.set(ha="right", va="center", color=INK, fontsize=8.5)
        for bar in bars:
            _draw_bar(axes, bar, down)
            down += LINE
        down += BETWEEN


def _bars(series: Series) -> list[Bar]:
    total = math.fsum(value for value in series.values if value is not None)
    return [
        Bar(value, value / total if value is not None and total else None, series.published)
        for value in series.values
    ]


def _draw_bar(axes: Axes, bar: Bar, down: float) -> None:
    y, width = down + (LINE - BAR) / 2, (END - START) * (bar.share or 0.0)
    colour = _colour(published=bar.published)
    axes.add_patch(Rectangle((START, y), END - START, BAR, facecolor=FAINT, alpha=0.4))
    axes.add_patch(Rectangle((START, y), width, BAR, facecolor=colour))
    text = axes.text(END + 0.08, down + LINE / 2, bar.told, fontsize=8, color=INK)
    text.set(va="center")


def _draw_key(axes: Axes, series: Sequence[Series], down: float) -> None:
    across = START
    for one in series:
        colour = _colour(published=one.published)
        axes.add_patch(Rectangle((across, down), 0.12, 0.12, facecolor=colour))
        axes.text(across + 0.18, down + 0.06, one_line(one.name, 24), fontsize=8, va="center")
        across += 1.9


def _colour(*, published: bool) -> str:
    """Blue for what was counted here, a lighter one for what is published."""
    return SKY if published else BLUE
