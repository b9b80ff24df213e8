"""The tables of a report, worded for people and laid out for machines.

In: a `Report`. Out: `Printed` tables. Shown values are rounded for people (undefined is a dash);
the data are fractions with six decimals (undefined is empty).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from eyechart.records import Cell, Curve, Report
from eyechart.report.formatting import (
    BLANK,
    distortion_name,
    facet_name,
    facet_value,
    heading,
    is_small,
    number,
    quantity,
    quantity_span,
    shown,
    shown_bounds,
    shown_interval,
    shown_threshold,
    shown_unscored,
    whole,
)
from eyechart.report.greying import is_grey_cell, marked_n
from eyechart.report.metric_names import metric_named
from eyechart.report.own_tables import printed
from eyechart.report.printed import Printed, Shown, distinctly_named, exact, slug

CELL_DATA = (
    *("facet", "value", "metric", "estimate", "low", "high", "n", "n_unscored"),
    *("bound_low", "bound_high", "chance", "small", "grey"),
)


def tables_of(report: Report) -> tuple[Printed, ...]:
    """All items, the report's own tables, a table per metric and facet, thresholds and points."""
    overall = [cell for cell in report.cells if not cell.facet]
    tables = [_overall(overall)] if overall else []
    tables += map(printed, report.tables)
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in report.cells:
        if cell.facet:
            groups.setdefault((cell.metric, cell.facet), []).append(cell)
    tables += [_by_facet(metric, facet, cells) for (metric, facet), cells in groups.items()]
    if report.curves:
        tables += [_thresholds(report.curves), _severity(report.curves)]
    return distinctly_named(tables)


def _overall(cells: Sequence[Cell]) -> Printed:
    header = ("Metric", "Value", "95 % interval", "n", "Unscored", "Bounds", "Chance")
    rows = [(_metric_label(cell), *_shown_cell(cell)) for cell in cells]
    return _cell_table("overall", "All items", header, rows, cells)


def _by_facet(metric: str, facet: str, cells: Sequence[Cell]) -> Printed:
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
        *(shown(cell), shown_interval(cell), marked_n(cell)),
        *(shown_unscored(cell), shown_bounds(cell), number(cell.chance)),
    )


def _cell_table(
    name: str, caption: str, header: Shown, rows: Sequence[Shown], cells: Sequence[Cell]
) -> Printed:
    used = [i for i, _ in enumerate(header) if i < 5 or any(row[i] != BLANK for row in rows)]
    return Printed(
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
        *(exact(low), exact(high), exact(cell.chance)),
        *("yes" if marked else "no" for marked in (is_small(cell), is_grey_cell(cell))),
    )


def _thresholds(curves: Sequence[Curve]) -> Printed:
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
    table = Printed("thresholds", caption, header, tuple(rows), data_header, tuple(data), n_text=2)
    return _with_settings(table, [curve.setting for curve in curves])


def _severity(curves: Sequence[Curve]) -> Printed:
    header = ("Distortion", "Severity", "Accuracy, %", "95 % interval", "n", "Chance")
    rows, data, settings = [], [], []
    for curve in curves:
        for severity, point in zip(curve.severities, curve.points, strict=True):
            cell = Cell("", "", "accuracy", point, chance=curve.chance)
            shown_point = (shown(cell), shown_interval(cell), marked_n(cell), number(curve.chance))
            name = distortion_name(curve.name)
            rows.append((name, quantity(severity, curve.unit), *shown_point))
            numbers = map(exact, (severity, point.value, point.low, point.high))
            data.append((curve.name, curve.unit, *numbers, str(point.n), exact(curve.chance)))
            settings.append(curve.setting)
    data_header = ("distortion", "unit", "severity", "accuracy", "low", "high", "n", "chance")
    caption = "Accuracy against severity"
    table = Printed("severity", caption, header, tuple(rows), data_header, tuple(data))
    return _with_settings(table, settings)


def _with_settings(table: Printed, settings: Sequence[str]) -> Printed:
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
