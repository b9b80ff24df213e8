"""`compare.html` and its companions: several runs on the same items, in the look of a report.

In: a `Comparison`, a folder. Out: compare.html, compare.md, compare.csv (the pairs), tables and
figures. No number is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eyechart.report.charts import drawings_of, figures_of_charts
from eyechart.report.compare_tables import (
    Beside,
    PairSheet,
    comparison_tables,
    grid_of,
    pair_sheet,
    pairs_table,
    shown_tables,
    side_by_side,
)
from eyechart.report.comparison import (
    TESTS_NOTE,
    Comparison,
    Pair,
    RunResult,
    comparison_headline,
    pair_lists,
    ranked,
)
from eyechart.report.drawing import SERIES, Drawing, finished, style
from eyechart.report.figures import Dot, DotGroup, dots_figure
from eyechart.report.formatting import (
    BLANK,
    facet_name,
    facet_value,
    heading,
    is_small,
    one_line,
    plural,
    shown,
    shown_interval,
    shown_n,
    shown_unscored,
)
from eyechart.report.greying import is_grey_cell, is_only_small, key_of
from eyechart.report.markdown import (
    charts_markdown,
    notes_markdown,
    provenance_markdown,
    tables_markdown,
)
from eyechart.report.metric_names import metric_named
from eyechart.report.own_groups import groups_of
from eyechart.report.page import (
    Bar,
    bar_of,
    legend_of,
    panels_markup,
    split_headline,
)
from eyechart.report.printed import csv_text, markdown_escaped, slug
from eyechart.report.rendering import rendered
from eyechart.report.sight import by_setting
from eyechart.report.sight_figures import AllSeries, severity_figure
from eyechart.report.write import COMPARISON, figure_files, table_files, write_files

MOST_DOTS = 40


@dataclass(frozen=True, slots=True)
class Contender:
    """A run as the page ranks it; `colour`: that of its curves, "" where it has none."""

    name: str
    model: str
    colour: str
    bar: Bar
    value: str
    interval: str
    n: str
    unscored: str


@dataclass(frozen=True, slots=True)
class PairTable:
    """Pairs under a heading; `bars`: the difference of each, zero in the middle."""

    sheet: PairSheet
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class BesideCell:
    """One run's figure in a table by facet."""

    value: str
    interval: str
    is_best: bool
    is_grey: bool


@dataclass(frozen=True, slots=True)
class BesideTable:
    """A facet's values down and the runs across, or where there are many runs these down.

    `header`: each column with its colour, "" for none. `key`: what the marks of figures of few
    items mean.
    """

    heading: str
    header: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[BesideCell, ...]], ...]
    runs_down: bool
    key: tuple[str, ...]


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write every form of the comparison; returns the path of `compare.html`.

    Raises BadInput where the folder cannot be written.
    """
    files = {
        **table_files(comparison_tables(comparison)),
        **figure_files([*comparison_figures(comparison), *drawings_of(comparison.charts)]),
        **{name: text.encode() for name, text in comparison.files.items()},
        "compare.csv": csv_text(pairs_table(comparison.tested)).encode(),
        "compare.md": comparison_markdown(comparison).encode(),
    }
    return write_files(folder, files, page=COMPARISON, text=comparison_page(comparison))


def comparison_page(comparison: Comparison) -> str:
    """The whole comparison as HTML, self-contained."""
    runs = [cell for _, cell in ranked(comparison)]
    values = {
        "title": comparison.title,
        "headline": split_headline(comparison_headline(comparison)),
        "comparison": comparison,
        "metric": metric_named(comparison.metric),
        "contenders": contenders(comparison),
        "any_chance": any(cell.chance is not None for cell in runs),
        "runs_key": key_of(small=any(map(is_small, runs)), grey=False),
        "pairs": _pair_tables(comparison),
        "tests_note": TESTS_NOTE if _any_tested(comparison) else "",
        "own": groups_of(comparison.tables),
        "figures": figures_of_charts(comparison.charts),
        "pairs_last": comparison.has_ranked,
        "beside": _beside_tables(comparison),
        "legend": [*_colours(comparison).items()],
        "drawn_note": _drawn_note(comparison),
        "settings": [
            (heading(setting), panels_markup(runs, thresholds=False, prefix=f"s{i}-"))
            for i, (setting, runs) in enumerate(_by_setting(comparison).items())
        ],
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
        *charts_markdown(comparison.charts),
        *tables_markdown(shown_tables(comparison)),
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
    colours = _colours(comparison)
    return [
        Contender(
            name=run.name,
            model=run.model,
            colour=colours.get(run.name, ""),
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


def _in_order(comparison: Comparison) -> list[RunResult]:
    """The runs, the best first, then people: as figures of benchmarks give them their colours."""
    found = [run for run, _ in ranked(comparison)]
    names = {run.name for run in found}
    found += [run for run in comparison.runs if run.name not in names]
    return sorted(found, key=lambda run: run.people)


def _drawn(comparison: Comparison) -> list[RunResult]:
    """The runs whose curves are drawn: all, or of many the best, as colours tell no more apart."""
    return [run for run in _in_order(comparison) if run.curves][: len(SERIES)]


def _drawn_note(comparison: Comparison) -> str:
    n, n_drawn = sum(not run.people for run in comparison.runs), len(_drawn(comparison))
    return f"The best {n_drawn} of {plural(n, 'run')} are drawn." if n_drawn < n else ""


def _colours(comparison: Comparison) -> dict[str, str]:
    """Each run's colour in the figures; of many runs only those have one that have curves drawn."""
    runs = _in_order(comparison)
    drawn = runs if len(runs) <= len(SERIES) else _drawn(comparison)
    return dict(legend_of([run.name for run in drawn]))


def _by_setting(comparison: Comparison) -> dict[str, AllSeries]:
    """For each setting the curves of every drawn run there, by the run's name."""
    by_run = {run.name: by_setting(run.curves) for run in _drawn(comparison)}
    settings = dict.fromkeys(setting for found in by_run.values() for setting in found)
    return {s: {run: found.get(s, []) for run, found in by_run.items()} for s in settings}


def _severity_file(setting: str) -> str:
    return slug(f"severity {setting}")


def _dot_groups(comparison: Comparison) -> list[DotGroup]:
    """All runs over all items, then value by value of each facet while the figure stays legible."""
    groups = [DotGroup("", tuple(Dot(run.name, cell) for run, cell in ranked(comparison)))]
    n_drawn = len(comparison.runs)
    for side in side_by_side(comparison):
        n_more = len(side.rows) * len(side.runs)
        if n_drawn + n_more > MOST_DOTS:
            continue
        n_drawn += n_more
        for value, cells in side.rows:
            dots = [
                Dot(name, cell)
                for name, cell in zip(side.runs, cells, strict=True)
                if cell is not None
            ]
            title = f"{facet_name(side.facet)}: {facet_value(side.facet, value)}"
            groups.append(DotGroup(one_line(title, 40), tuple(dots)))
    return groups


def _pair_tables(comparison: Comparison) -> list[PairTable]:
    """The pairs; their bars share one scale, wide enough for the widest interval."""
    differences = [pair.difference for pair in comparison.tested]
    ends = [abs(end) for d in differences for end in (d.low, d.high) if end is not None]
    reach = max(ends, default=0.0) or 1.0
    return [
        PairTable(sheet, tuple(_difference_bar(row.pair, reach) for row in sheet.rows))
        for sheet in map(pair_sheet, pair_lists(comparison))
    ]


def _difference_bar(pair: Pair, reach: float) -> Bar:
    def place(value: float | None) -> str:
        if value is None:
            return ""
        return f"{50 + 46 * max(-1.0, min(1.0, value / reach)):.2f}%"

    d = pair.difference
    known = d.low is not None and d.high is not None
    low, high = (place(d.low), place(d.high)) if known else ("", "")
    return Bar(place(d.value), low, high, "50%")


def _beside_tables(comparison: Comparison) -> list[BesideTable]:
    colours = _colours(comparison)
    tables = []
    for side in side_by_side(comparison):
        grid = grid_of(side)
        header = tuple((name, "" if grid.runs_down else colours[name]) for name in grid.header)
        rows = tuple((label, tuple(map(_beside_cell, cells))) for label, cells in grid.rows)
        title = f"By {facet_name(side.facet)}"
        cells = [cell for _, found in side.rows for cell in found if cell]
        key = key_of(small=any(map(is_only_small, cells)), grey=any(map(is_grey_cell, cells)))
        tables.append(BesideTable(title, header, rows, grid.runs_down, key))
    return tables


def _beside_cell(beside: Beside) -> BesideCell:
    cell = beside.cell
    if cell is None or cell.estimate.value is None:
        return BesideCell(BLANK, "", is_best=False, is_grey=False)
    return BesideCell(
        shown(cell) + beside.mark, shown_interval(cell), beside.is_best, is_grey_cell(cell)
    )
