"""The tables of a report, and their Markdown, CSV and LaTeX forms.

In: a `Report`. Out: `Table`s, and texts made from them. Shown values are rounded for people
(undefined is a dash); the CSV holds fractions with six decimals (undefined is empty).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyechart.records import Cell, Curve, Report
from eyechart.report.formatting import (
    BLANK,
    SMALL_MARK,
    SMALL_NOTE,
    distortion_name,
    facet_name,
    facet_value,
    heading,
    is_small,
    metric_named,
    number,
    one_line,
    quantity,
    quantity_span,
    shown,
    shown_bounds,
    shown_interval,
    shown_n,
    shown_threshold,
    shown_unscored,
    whole,
)

Shown = tuple[str, ...]
CELL_DATA = (
    *("facet", "value", "metric", "estimate", "low", "high", "n", "n_unscored"),
    *("bound_low", "bound_high", "chance", "small"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `header` and `rows` as shown to people, `data_header` and `data` for machines.

    `name` is safe as a file name. The first `n_text` columns are text, the others are numbers.
    """

    name: str
    caption: str
    header: Shown
    rows: tuple[Shown, ...]
    data_header: Shown
    data: tuple[Shown, ...]
    n_text: int = 1


def tables_of(report: Report) -> tuple[Table, ...]:
    """All items first, then a table per metric and facet, then thresholds and severity points."""
    overall = [cell for cell in report.cells if not cell.facet]
    tables = [_overall(overall)] if overall else []
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in report.cells:
        if cell.facet:
            groups.setdefault((cell.metric, cell.facet), []).append(cell)
    tables += [_by_facet(metric, facet, cells) for (metric, facet), cells in groups.items()]
    if report.curves:
        tables += [_thresholds(report.curves), _severity(report.curves)]
    return distinctly_named(tables)


def csv_text(table: Table) -> str:
    """The table's numbers as CSV (RFC 4180, but with plain line feeds)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.data_header)
    writer.writerows([_inert(text) for text in row] for row in table.data)
    return out.getvalue()


def latex_text(table: Table) -> str:
    """The table as a LaTeX `table` with booktabs rules."""
    columns = "l" * table.n_text + "r" * (len(table.header) - table.n_text)
    lines = [
        "% \\usepackage{booktabs}",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{latex_escaped(table.caption)}}}",
        f"  \\label{{tab:{table.name}}}",
        f"  \\begin{{tabular}}{{{columns}}}",
        "    \\toprule",
        "    " + _latex_row(table.header),
        "    \\midrule",
        *("    " + _latex_row(row) for row in table.rows),
        "    \\bottomrule",
        "  \\end{tabular}",
        *([f"  \\par\\footnotesize {latex_escaped(SMALL_NOTE)}"] if has_small(table) else []),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1) -> str:
    """A Markdown table; the first `n_text` columns to the left, the others to the right."""
    rule = "|" + " --- |" * n_text + " ---: |" * (len(header) - n_text)
    return "\n".join([_markdown_row(header), rule, *map(_markdown_row, rows)]) + "\n"


def has_small(table: Table) -> bool:
    """A row of the table is marked as resting on few items."""
    return any(SMALL_MARK in text for row in table.rows for text in row)


_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    "−": "$-$",
    "†": "\\textdagger{}",
    "σ": "$\\sigma$",
    "µ": "$\\mu$",
    "°": "$^\\circ$",
    "×": "$\\times$",
    "Δ": "$\\Delta$",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
}


def latex_escaped(text: str) -> str:
    r"""Text that LaTeX prints as it stands.

    >>> print(latex_escaped("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(_LATEX.get(char, char) for char in one_line(text))


def markdown_escaped(text: str) -> str:
    r"""Text on one line that Markdown prints as it stands, HTML included.

    >>> print(markdown_escaped("a|b <i>"))
    a\|b &lt;i&gt;
    """
    text = one_line(text, 2000).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$!#])", r"\\\1", text)


def _overall(cells: Sequence[Cell]) -> Table:
    header = ("Metric", "Value", "95 % interval", "n", "Unscored", "Bounds", "Chance")
    rows = [(_metric_label(cell), *_shown_cell(cell)) for cell in cells]
    return _cell_table("overall", "All items", header, rows, cells)


def _by_facet(metric: str, facet: str, cells: Sequence[Cell]) -> Table:
    unit = ", %" if metric_named(metric).percent else ""
    label = metric_named(metric).label
    header = (
        *(heading(facet), f"{label}{unit}"),
        *("95 % interval", "n", "Unscored", "Bounds", "Chance"),
    )
    rows = [(facet_value(facet, cell.value), *_shown_cell(cell)) for cell in cells]
    caption = f"{label} by {facet_name(facet)}"
    return _cell_table(f"{metric}-by-{facet}", caption, header, rows, cells)


def _metric_label(cell: Cell) -> str:
    metric = metric_named(cell.metric)
    return f"{metric.label}, %" if metric.percent else metric.label


def _shown_cell(cell: Cell) -> Shown:
    return (
        *(shown(cell), shown_interval(cell), shown_n(cell)),
        *(shown_unscored(cell), shown_bounds(cell), number(cell.chance)),
    )


def _cell_table(
    name: str, caption: str, header: Shown, rows: Sequence[Shown], cells: Sequence[Cell]
) -> Table:
    used = [i for i, _ in enumerate(header) if i < 5 or any(row[i] != BLANK for row in rows)]
    return Table(
        slug(name),
        caption,
        tuple(header[i] for i in used),
        tuple(tuple(row[i] for i in used) for row in rows),
        CELL_DATA,
        tuple(map(cell_data, cells)),
    )


def cell_data(cell: Cell) -> Shown:
    """A cell for machines, in the order of `CELL_DATA`."""
    estimate = cell.estimate
    low, high = cell.bounds or (None, None)
    return (
        *(cell.facet, cell.value, cell.metric, exact(estimate.value)),
        *(exact(estimate.low), exact(estimate.high), str(estimate.n), str(cell.n_unscored)),
        *(exact(low), exact(high), exact(cell.chance), "yes" if is_small(cell) else "no"),
    )


def _thresholds(curves: Sequence[Curve]) -> Table:
    header = ("Distortion", "Unit", "Seen from", "95 % interval", "Tested", "n")
    rows, data = [], []
    for curve in curves:
        t, ends = curve.threshold, (curve.severities[0], curve.severities[-1])
        tested = f"{quantity(ends[0])}–{quantity(ends[1])}"
        shown_t = (shown_threshold(curve), quantity_span(t), tested, whole(t.n))
        rows.append((distortion_name(curve.name), curve.unit, *shown_t))
        numbers = map(exact, (t.value, t.low, t.high))
        data.append((curve.name, curve.unit, *numbers, str(t.n), *map(exact, ends)))
    data_header = ("distortion", "unit", "threshold", "low", "high", "n", "weakest", "strongest")
    caption = "The smallest severity seen, by distortion"
    table = Table("thresholds", caption, header, tuple(rows), data_header, tuple(data), n_text=2)
    return _with_settings(table, [curve.setting for curve in curves])


def _severity(curves: Sequence[Curve]) -> Table:
    header = ("Distortion", "Severity", "Accuracy, %", "95 % interval", "n", "Chance")
    rows, data, settings = [], [], []
    for curve in curves:
        for severity, point in zip(curve.severities, curve.points, strict=True):
            cell = Cell("", "", "accuracy", point, chance=curve.chance)
            shown_point = (shown(cell), shown_interval(cell), shown_n(cell), number(curve.chance))
            name = distortion_name(curve.name)
            rows.append((name, quantity(severity, curve.unit), *shown_point))
            numbers = map(exact, (severity, point.value, point.low, point.high))
            data.append((curve.name, curve.unit, *numbers, str(point.n), exact(curve.chance)))
            settings.append(curve.setting)
    data_header = ("distortion", "unit", "severity", "accuracy", "low", "high", "n", "chance")
    caption = "Accuracy against severity"
    table = Table("severity", caption, header, tuple(rows), data_header, tuple(data))
    return _with_settings(table, settings)


def _with_settings(table: Table, settings: Sequence[str]) -> Table:
    """The table with the setting as its first column: for people where there is any to tell."""
    told = any(settings)
    pairs = list(zip(settings, table.rows, strict=True))
    return dataclasses.replace(
        table,
        header=("Setting", *table.header) if told else table.header,
        rows=tuple((heading(setting), *row) for setting, row in pairs) if told else table.rows,
        data_header=("setting", *table.data_header),
        data=tuple((s, *row) for s, row in zip(settings, table.data, strict=True)),
        n_text=table.n_text + told,
    )


def distinctly_named(tables: Sequence[Table]) -> tuple[Table, ...]:
    """The tables, numbered where foreign facet names would give two the same file."""
    seen: dict[str, int] = {}
    named = []
    for t in tables:
        seen[t.name] = count = seen.get(t.name, 0) + 1
        name = t.name if count == 1 else f"{t.name}-{count}"
        named.append(dataclasses.replace(t, name=name))
    return tuple(named)


def slug(text: str) -> str:
    """A safe file name for a table, also where its facet has a foreign name.

    >>> slug("accuracy-by-../Camera")
    'accuracy-by-camera'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "table"


def exact(value: float | None) -> str:
    """A number for machines, to six decimals; empty where undefined."""
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def _inert(text: str) -> str:
    """A leading quote keeps a spreadsheet from running foreign text as a formula."""
    text = one_line(text)
    risky = text[:1] in "=+-@" and not re.fullmatch(r"[-+]?[\d.]+", text)
    return f"'{text}" if text and risky else text


def _latex_row(row: Sequence[str]) -> str:
    return " & ".join(map(latex_escaped, row)) + " \\\\"


def _markdown_row(row: Sequence[str]) -> str:
    return f"| {' | '.join(map(markdown_escaped, row))} |"
