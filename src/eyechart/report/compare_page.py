"""`compare.html` and its companions: several runs on the same items, in the look of a report.

In: a `Comparison`, a folder. Out: compare.html, compare.md, compare.csv (the pairs), tables and
figures. No number is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.records import Cell
from eyechart.report.compare_tables import (
    SideBySide,
    comparison_tables,
    pair_shown,
    pairs_table,
    side_by_side,
)
from eyechart.report.comparison import Comparison, Pair, comparison_headline, ranked
from eyechart.report.drawing import SERIES, Drawing, finished, style
from eyechart.report.figures import Dot, DotGroup, dots_figure, severity_figure
from eyechart.report.formatting import (
    SMALL_NOTE,
    facet_value,
    is_small,
    metric_named,
    one_line,
    shown,
    shown_interval,
    shown_n,
    shown_unscored,
    words,
)
from eyechart.report.markdown import notes_markdown, provenance_markdown, tables_markdown
from eyechart.report.page import Bar, bar_of, panels_markup, split_headline
from eyechart.report.rendering import rendered
from eyechart.report.tables import csv_text, markdown_escaped
from eyechart.report.write import figure_files, table_files, write_files

MOST_DOTS = 40


@dataclass(frozen=True, slots=True)
class Contender:
    """A run as the page ranks it."""

    name: str
    model: str
    colour: str
    bar: Bar
    value: str
    interval: str
    n: str
    unscored: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair as the page lists it; `bar`: its difference, zero in the middle."""

    cells: tuple[str, ...]
    bar: Bar


@dataclass(frozen=True, slots=True)
class Beside:
    """One cell of a table with a column for each run."""

    value: str
    interval: str
    mark: str
    best: bool


@dataclass(frozen=True, slots=True)
class BesideTable:
    """A facet's values down, the runs across."""

    heading: str
    rows: tuple[tuple[str, tuple[Beside, ...]], ...]


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write every form of the comparison; returns the path of `compare.html`.

    Raises BadInput where the folder cannot be written.
    """
    files = {
        **table_files(comparison_tables(comparison)),
        **figure_files(comparison_figures(comparison)),
        "compare.csv": csv_text(pairs_table(comparison.pairs)).encode(),
        "compare.md": comparison_markdown(comparison).encode(),
        "compare.html": comparison_page(comparison).encode(),
    }
    write_files(folder, files)
    return folder / "compare.html"


def comparison_page(comparison: Comparison) -> str:
    """The whole comparison as HTML, self-contained."""
    sides = side_by_side(comparison)
    curves = [run.curves for run in comparison.runs] if _has_curves(comparison) else []
    values = {
        "title": comparison.title,
        "headline": split_headline(comparison_headline(comparison)),
        "comparison": comparison,
        "metric": metric_named(comparison.metric),
        "contenders": contenders(comparison),
        "pairs": _pair_rows(comparison.pairs),
        "several_metrics": len({pair.metric for pair in comparison.pairs}) > 1,
        "beside": [_beside_table(side) for side in sides],
        "legend": list(zip([run.name for run in comparison.runs], _colours(), strict=False)),
        "panels": panels_markup(curves) if curves else [],
        "has_small": any(is_small(c) for s in sides for _, cells in s.rows for c in cells if c),
        "small_note": SMALL_NOTE,
        "provenance": [*comparison.provenance.items()],
    }
    return rendered("compare.html", values)


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison as Markdown, every foreign text escaped."""
    parts = [
        f"# {markdown_escaped(comparison.title)}\n",
        f"{markdown_escaped(comparison_headline(comparison))}\n",
        "![Runs compared](figures/compare.svg)\n",
        *(["![Severity](figures/severity.svg)\n"] if _has_curves(comparison) else []),
        *tables_markdown(comparison_tables(comparison)),
        *notes_markdown(comparison.notes),
        *provenance_markdown(comparison.provenance),
    ]
    return "\n".join(parts)


def comparison_figures(comparison: Comparison) -> tuple[Drawing, ...]:
    """The runs as dots with intervals, and their severity curves over each other."""
    with style():
        drawings = [finished("compare", dots_figure(_dot_groups(comparison)))]
        if _has_curves(comparison):
            names = [run.name for run in comparison.runs]
            figure = severity_figure([run.curves for run in comparison.runs], names)
            drawings.append(finished("severity", figure))
    return tuple(drawings)


def contenders(comparison: Comparison) -> list[Contender]:
    """The runs, the best first, each in the colour it has in the figures."""
    colour = dict(zip([run.name for run in comparison.runs], _colours(), strict=False))
    return [
        Contender(
            name=run.name,
            model=run.model,
            colour=colour[run.name],
            bar=bar_of(cell),
            value=shown(cell),
            interval=shown_interval(cell),
            n=shown_n(cell),
            unscored=shown_unscored(cell),
        )
        for run, cell in ranked(comparison)
    ]


def _colours() -> list[str]:
    return list(SERIES) * 8


def _has_curves(comparison: Comparison) -> bool:
    return any(run.curves for run in comparison.runs)


def _dot_groups(comparison: Comparison) -> list[DotGroup]:
    """All runs over all items, then value by value of each facet while the figure stays legible."""
    groups = [DotGroup("", tuple(Dot(run.name, cell) for run, cell in ranked(comparison)))]
    n_drawn = len(comparison.runs)
    for side in side_by_side(comparison):
        n_more = len(side.rows) * len(comparison.runs)
        if n_drawn + n_more > MOST_DOTS:
            continue
        n_drawn += n_more
        for value, cells in side.rows:
            dots = [
                Dot(run.name, cell)
                for run, cell in zip(comparison.runs, cells, strict=True)
                if cell is not None
            ]
            title = f"{words(side.facet)}: {facet_value(side.facet, value)}"
            groups.append(DotGroup(one_line(title, 40), tuple(dots)))
    return groups


def _pair_rows(pairs: Sequence[Pair]) -> list[PairRow]:
    """The pairs; their bars share one scale, wide enough for the widest interval."""
    ends = [e for p in pairs for e in (p.difference.low, p.difference.high) if e is not None]
    reach = max([abs(end) for end in ends], default=0.0) or 1.0
    return [PairRow(pair_shown(pair), _difference_bar(pair, reach)) for pair in pairs]


def _difference_bar(pair: Pair, reach: float) -> Bar:
    def place(value: float | None) -> str:
        if value is None:
            return ""
        return f"{50 + 46 * max(-1.0, min(1.0, value / reach)):.2f}%"

    d = pair.difference
    known = d.low is not None and d.high is not None
    low, high = (place(d.low), place(d.high)) if known else ("", "")
    return Bar(place(d.value), low, high, "50%")


def _beside_table(side: SideBySide) -> BesideTable:
    rows = tuple((facet_value(side.facet, value), _besides(cells)) for value, cells in side.rows)
    return BesideTable(f"By {words(side.facet)}", rows)


def _besides(cells: Sequence[Cell | None]) -> tuple[Beside, ...]:
    known = [c.estimate.value for c in cells if c is not None and c.estimate.value is not None]
    best = max(known, default=None)
    return tuple(_beside(cell, best) for cell in cells)


def _beside(cell: Cell | None, best: float | None) -> Beside:
    if cell is None or cell.estimate.value is None:
        return Beside("–", "", "", best=False)
    mark = "†" if is_small(cell) else ""
    return Beside(shown(cell), shown_interval(cell), mark, best=cell.estimate.value == best)
