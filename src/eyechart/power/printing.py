"""What `eyechart power` prints for people. In: a `PowerReport`. Out: lines on standard output."""

from __future__ import annotations

import itertools

from rich.table import Table
from rich.text import Text

from eyechart.power import Part, PowerReport, Taken
from eyechart.power.parts import SHARED_HEAD, remark_of
from eyechart.printing import print_notes, print_text, wide_console
from eyechart.report.formatting import facet_name, heading, number, whole


def print_power(report: PowerReport) -> None:
    """Print the headline, a line for each part, then the notes."""
    console = wide_console()
    print_text(console, report.headline)
    grid = Table(
        box=None, title=f"{SHARED_HEAD}, in points: {report.sized.title}", title_justify="left"
    )
    for place, head in enumerate(("questions", "n", "unpaired", "paired", "")):
        grid.add_column(head, justify="right" if 0 < place < 4 else "left", overflow="fold")
    for facet, parts in itertools.groupby(report.parts, key=lambda part: part.facet):
        if facet:
            grid.add_row(Text(heading(facet_name(facet)), style="bold"))
        for part in parts:
            grid.add_row(*map(Text, _cells(part, report.taken)))
    console.print(grid)
    print_notes(console, report.notes)


def _cells(part: Part, taken: Taken) -> tuple[str, ...]:
    label = f"  {part.label}" if part.facet else part.label
    shown = (whole(part.n), number(part.unpaired), number(part.paired))
    return (label, *shown, remark_of(part, taken))
