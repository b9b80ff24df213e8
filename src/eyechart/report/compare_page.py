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
    N_UNTESTED,
    SideBySide,
    comparison_tables,
    pair_shown,
    pairs_table,
    side_by_side,
)
from eyechart.report.comparison import (
    TESTS_NOTE,
    Comparison,
    Pair,
    comparison_headline,
    ranked,
)
from eyechart.report.drawing import Drawing, finished, style
from eyechart.report.figures import Dot, DotGroup, dots_figure
from eyechart.report.formatting import (
    SMALL_NOTE,
    facet_name,
    facet_value,
    heading,
    is_small,
    metric_named,
    one_line,
    shown,
    shown_interval,
    shown_n,
    shown_unscored,
)
from eyechart.report.markdown import notes_markdown, provenance_markdown, tables_markdown
from eyechart.report.page import Bar, bar_of, legend_of, panels_markup, split_headline
from eyechart.report.printed import csv_text, markdown_escaped, slug
from eyechart.report.rendering import rendered
from eyechart.report.sight import by_setting
from eyechart.report.sight_figures import AllSeries, severity_figure
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
        "compare.csv": csv_text(pairs_table(comparison.tested)).encode(),
        "compare.md": comparison_markdown(comparison).encode(),
        "compare.html": comparison_page(comparison).encode(),
    }
    write_files(folder, files)
    return folder / "compare.html"


def comparison_page(comparison: Comparison) -> str:
    """The whole comparison as HTML, self-contained."""
    sides = side_by_side(comparison)
    values = {
        "title": comparison.title,
        "headline": split_headline(comparison_headline(comparison)),
        "comparison": comparison,
        "metric": metric_named(comparison.metric),
        "contenders": contenders(comparison),
        "any_chance": any(cell.chance is not None for _, cell in ranked(comparison)),
        "pairs": _pair_rows(comparison.tested),
        "any_tested": _any_tested(comparison),
        "n_shown": None if _any_tested(comparison) else N_UNTESTED,
        "tests_note": TESTS_NOTE,
        "several_metrics": len({pair.metric for pair in comparison.tested}) > 1,
        "beside": [_beside_table(side) for side in sides],
        "legend": legend_of([run.name for run in comparison.runs]),
        "settings": [
            (heading(setting), panels_markup(runs, thresholds=False, prefix=f"s{i}-"))
            for i, (setting, runs) in enumerate(_by_setting(comparison).items())
        ],
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
        *(
            f"![{heading(f'accuracy against severity {setting}'.strip())}]"
            f"(figures/{_severity_file(setting)}.svg)\n"
            for setting in _by_setting(comparison)
        ),
        *tables_markdown(comparison_tables(comparison)),
        *([f"{TESTS_NOTE}\n"] if _any_tested(comparison) else []),
        *notes_markdown(comparison.notes),
        *provenance_markdown(comparison.provenance),
    ]
    return "\n".join(parts)


def comparison_figures(comparison: Comparison) -> tuple[Drawing, ...]:
    """The runs as dots with intervals, and their severity curves over each other."""
    with style():
        drawings = [finished("compare", dots_figure(_dot_groups(comparison)))]
        for setting, runs in _by_setting(comparison).items():
            figure = severity_figure(runs, thresholds=False)
            drawings.append(finished(_severity_file(setting), figure))
    return tuple(drawings)


def contenders(comparison: Comparison) -> list[Contender]:
    """The runs, the best first, each in the colour it has in the figures."""
    colour = dict(legend_of([run.name for run in comparison.runs]))
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


def _any_tested(comparison: Comparison) -> bool:
    return any(pair.p_mcnemar is not None for pair in comparison.tested)


def _by_setting(comparison: Comparison) -> dict[str, AllSeries]:
    """For each setting the curves of every run there, by the run's name."""
    by_run = {run.name: by_setting(run.curves) for run in comparison.runs}
    settings = dict.fromkeys(setting for found in by_run.values() for setting in found)
    return {s: {run: found.get(s, []) for run, found in by_run.items()} for s in settings}


def _severity_file(setting: str) -> str:
    return slug(f"severity {setting}")


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
            title = f"{facet_name(side.facet)}: {facet_value(side.facet, value)}"
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
    return BesideTable(f"By {facet_name(side.facet)}", rows)


def _besides(cells: Sequence[Cell | None]) -> tuple[Beside, ...]:
    known = [c.estimate.value for c in cells if c is not None and c.estimate.value is not None]
    best = max(known, default=None)
    return tuple(_beside(cell, best) for cell in cells)


def _beside(cell: Cell | None, best: float | None) -> Beside:
    if cell is None or cell.estimate.value is None:
        return Beside("–", "", "", best=False)
    mark = "†" if is_small(cell) else ""
    return Beside(shown(cell), shown_interval(cell), mark, best=cell.estimate.value == best)
