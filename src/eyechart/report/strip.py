"""A panel of many models by one figure each: a dot on a line of its own, the best first.

In: a `Panel` whose labels have one fraction each, axes whose unit is an inch with y downwards. Out:
nothing; it is drawn there. It stands for a radar of more labels than a circle has room for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from eyechart.records import Panel
from eyechart.report.drawing import BLUE, FAINT, INK, SOFT
from eyechart.report.formatting import number, one_line
from eyechart.report.radar import figures_in, stands_out, top_of

COLUMNS = 2
HEAD, FOOT, LINE = 0.62, 0.12, 0.155
"""Inches above and below the lines, and from one to the next."""
START, END = 0.63, 0.85
"""Where the scale begins and ends, in shares of a column."""
MOST_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Entry:
    """One label with its fraction; `is_out`: it was measured here, beside published ones."""

    label: str
    value: float | None
    is_out: bool


def strip_height(panel: Panel) -> float:
    """How high the panel is, in inches."""
    return HEAD + LINE * _n_lines(panel) + FOOT


def draw_strip(axes: Axes, panel: Panel) -> None:
    """Every label with its figure in % and a dot, down one column, then the next."""
    top, width = top_of(panel), axes.get_xlim()[1] / COLUMNS
    axes.text(0.1, 0.2, one_line(panel.title, 70), fontsize=9.5, color=INK, weight="bold")
    here = "; blue: measured here" if any(stands_out(panel)) else ""
    axes.text(0.1, 0.37, f"the best first, on 0 to {100 * top:.0f} %{here}", fontsize=8, color=SOFT)
    for i, entry in enumerate(_entries(panel)):
        column, line = divmod(i, _n_lines(panel))
        _draw_entry(axes, entry, (column * width, HEAD + LINE * (line + 0.5)), top)


def _n_lines(panel: Panel) -> int:
    return math.ceil(len(panel.labels) / COLUMNS)


def _entries(panel: Panel) -> list[Entry]:
    """The best first, those without a figure last."""
    found = map(Entry, panel.labels, figures_in(panel), stands_out(panel))
    return sorted(found, key=lambda entry: math.inf if entry.value is None else -entry.value)


def _draw_entry(axes: Axes, entry: Entry, place: tuple[float, float], top: float) -> None:
    (left, down), width = place, axes.get_xlim()[1] / COLUMNS
    start, end = left + START * width, left + END * width
    colour, weight = (BLUE, "bold") if entry.is_out else (INK, "normal")
    told = one_line(entry.label, MOST_LETTERS)
    for across, text in ((start - 0.08, told), (left + width - 0.1, number(entry.value))):
        words = axes.text(across, down, text, fontsize=7, ha="right", va="center")
        words.set(color=colour, weight=weight)
    axes.plot([start, end], [down, down], color=FAINT, linewidth=0.8, zorder=1)
    if entry.value is not None:
        reach = start + (end - start) * entry.value / top
        dot = BLUE if entry.is_out else SOFT
        axes.plot([start, reach], [down, down], color=dot, linewidth=1, alpha=0.5, zorder=2)
        axes.plot([reach], [down], "o", color=dot, markersize=4, zorder=3)
