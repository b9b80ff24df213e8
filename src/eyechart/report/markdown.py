"""The report as one Markdown file, for a pull request, a wiki or a terminal.

In: a `Report`. Out: the text of `report.md`. The list of items is only in the HTML report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eyechart.records import Chart, Report
from eyechart.report.charts import file_of
from eyechart.report.figures import dots_metric
from eyechart.report.formatting import heading
from eyechart.report.printed import (
    Printed,
    markdown_escaped,
    markdown_table,
    markdown_text,
)
from eyechart.report.scatter import Cloud, ratings_caption
from eyechart.report.tables import tables_of

IN_FILES_ONLY = "severity"


def report_markdown(report: Report, clouds: Sequence[Cloud] = ()) -> str:
    """Title, findings, figures, tables, notes and provenance, every foreign text escaped."""
    tables = [table for table in tables_of(report) if table.name != IN_FILES_ONLY]
    dots = dots_metric(report.cells)
    parts = [
        f"# {markdown_escaped(report.title)}\n",
        f"{markdown_escaped(report.headline)}\n",
        *([f"![{heading(dots)} by group](figures/{dots}.svg)\n"] if dots else []),
        *(["![Accuracy against severity](figures/severity.svg)\n"] if report.curves else []),
        *_ratings_markdown(clouds),
        *charts_markdown(report.charts),
        *tables_markdown(tables),
        *notes_markdown(report.notes),
        *provenance_markdown(
            {"benchmark": report.benchmark, "model": report.model, **report.provenance}
        ),
    ]
    return "\n".join(parts)


def tables_markdown(tables: Sequence[Printed]) -> list[str]:
    """Each table under its caption, its notes and what its marks mean below it."""
    parts = []
    for table in tables:
        parts.append(f"## {markdown_escaped(table.caption)}\n")
        parts.append(markdown_text(table))
        parts += [f"{markdown_escaped(note)}\n" for note in table.all_notes]
    return parts


def charts_markdown(charts: Sequence[Chart]) -> list[str]:
    """Each chart as a picture of the folder, with its note."""
    parts = []
    for chart in charts:
        parts.append(f"![{markdown_escaped(chart.title)}](figures/{file_of(chart)}.svg)\n")
        parts += [f"{markdown_escaped(chart.note)}\n"] if chart.note else []
    return parts


def notes_markdown(notes: Sequence[str]) -> list[str]:
    """The notes as a list; nothing without notes."""
    if not notes:
        return []
    return ["## Notes\n", "".join(f"- {markdown_escaped(note)}\n" for note in notes)]


def provenance_markdown(provenance: Mapping[str, str]) -> list[str]:
    """Every version, digest and setting as a table; nothing without any."""
    if not provenance:
        return []
    rows = [(name, value) for name, value in provenance.items()]
    return ["## Provenance\n", markdown_table(("What", "Value"), rows, n_text=2)]


def _ratings_markdown(clouds: Sequence[Cloud]) -> list[str]:
    if not clouds:
        return []
    picture = "![Ratings and people's scores](figures/ratings.svg)\n"
    return [picture, f"{ratings_caption(clouds)}\n"]
