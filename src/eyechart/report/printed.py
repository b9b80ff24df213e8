"""What a table is once it is worded, and its Markdown, CSV and LaTeX forms.

In: header and rows as texts. Out: `Printed` tables, and the texts of files. Every foreign text is
escaped here; no number is rounded here but for machines (fractions with six decimals).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyechart.report.formatting import SMALL_MARK, SMALL_NOTE, one_line

Shown = tuple[str, ...]
MOST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Printed:
    """One table: `header` and `rows` as shown to people, `data_header` and `data` for machines.

    `name` is safe as a file name. The first `n_text` columns are text, the others are numbers.
    `notes`: sentences below the table.
    """

    name: str
    caption: str
    header: Shown
    rows: tuple[Shown, ...]
    data_header: Shown
    data: tuple[Shown, ...]
    n_text: int = 1
    notes: tuple[str, ...] = ()


def csv_text(table: Printed) -> str:
    """The table's numbers as CSV (RFC 4180, but with plain line feeds)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rows = (table.data_header, *table.data)
    writer.writerows([_inert(text) for text in row] for row in rows)
    return out.getvalue()


def latex_text(table: Printed) -> str:
    """The table as a LaTeX `table` with booktabs rules."""
    columns = "l" * table.n_text + "r" * (len(table.header) - table.n_text)
    notes = (*table.notes, *([SMALL_NOTE] if has_small(table) else []))
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
        *(f"  \\par\\footnotesize {latex_escaped(note)}" for note in notes),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1) -> str:
    """A Markdown table; the first `n_text` columns to the left, the others to the right."""
    rule = "|" + " --- |" * n_text + " ---: |" * (len(header) - n_text)
    return "\n".join([_markdown_row(header), rule, *map(_markdown_row, rows)]) + "\n"


def has_small(table: Printed) -> bool:
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
    "′": "$'$",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
}


def latex_escaped(text: str) -> str:
    r"""Text that LaTeX prints as it stands.

    >>> print(latex_escaped("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(_LATEX.get(char, char) for char in one_line(text, MOST_TEXT))


def markdown_escaped(text: str) -> str:
    r"""Text on one line that Markdown prints as it stands, HTML included.

    >>> print(markdown_escaped("a|b <i>"))
    a\|b &lt;i&gt;
    """
    text = one_line(text, MOST_TEXT).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$!#])", r"\\\1", text)


def distinctly_named(tables: Sequence[Printed]) -> tuple[Printed, ...]:
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
    text = one_line(text, MOST_TEXT)
    risky = text[:1] in "=+-@" and not re.fullmatch(r"[-+]?[\d.]+", text)
    return f"'{text}" if text and risky else text


def _latex_row(row: Sequence[str]) -> str:
    return " & ".join(map(latex_escaped, row)) + " \\\\"


def _markdown_row(row: Sequence[str]) -> str:
    return f"| {' | '.join(map(markdown_escaped, row))} |"
