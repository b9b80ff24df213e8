"""What a table is once it is worded, and its Markdown, CSV and LaTeX forms.

In: header and rows as texts. Out: `Printed` tables, and the texts of files. Every foreign text is
escaped here; no number is rounded here but for machines (fractions with six decimals).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eyechart.report.formatting import SMALL_MARK, SMALL_NOTE, one_line
from eyechart.report.greying import GREY_MARK, GREY_MARK_NOTE

Shown = tuple[str, ...]
MOST_TEXT = 2000
LATEX_PLACES = ("{}", "\\textbf{{{}}}", "\\underline{{{}}}")
MARKDOWN_PLACES = ("{}", "**{}**", "<u>{}</u>")
"""How a figure is set by its place: as it is, the best, the runner-up."""
WIDE = 8
"""A LaTeX table of more columns is set small, over both columns of a page."""


@dataclass(frozen=True, slots=True)
class Span:
    """A heading over `width` columns, the first of which is number `start` (from 0)."""

    heading: str
    start: int
    width: int


def spans_of(headings: Sequence[str]) -> tuple[Span, ...]:
    """The headings over columns, neighbours with the same one together; "" always stands alone.

    >>> [span.width for span in spans_of(["", "a", "a", "", ""])]
    [1, 2, 1, 1]
    >>> spans_of(["", ""])
    ()
    """
    spans: list[Span] = []
    for at, heading in enumerate(headings):
        if spans and heading and spans[-1].heading == heading:
            spans[-1] = dataclasses.replace(spans[-1], width=spans[-1].width + 1)
        else:
            spans.append(Span(heading, at, 1))
    return tuple(spans) if any(headings) else ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table laid out as papers do has beside its texts, "" or 0 where there is none.

    `over`: the heading over each column. `sections`: the heading that each row shares with those
    below it. `places`: 1 for the best of a column, 2 for the runner-up, rows x columns.
    """

    over: Shown
    sections: Shown
    places: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """One table: `header` and `rows` as shown to people, `data_header` and `data` for machines.

    `name` is safe as a file name. The first `n_text` columns are text, and those whose places (from
    0) are in `texts`; the others are numbers. `notes`: sentences below the table.
    """

    name: str
    caption: str
    header: Shown
    rows: tuple[Shown, ...]
    data_header: Shown
    data: tuple[Shown, ...]
    n_text: int = 1
    notes: tuple[str, ...] = ()
    layout: Layout | None = None
    texts: frozenset[int] = frozenset()

    @property
    def sides(self) -> str:
        """For each column the side at which it stands: l for text, r for numbers."""
        places = range(len(self.header))
        return "".join("l" if i < self.n_text or i in self.texts else "r" for i in places)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and what the marks of its figures mean."""
        return (*self.notes, *marks_told(self))

    @property
    def over(self) -> Shown:
        """The heading over each column, "" for none."""
        return self.layout.over if self.layout else ("",) * len(self.header)

    @property
    def sections(self) -> Iterator[tuple[str, list[Row]]]:
        """Rows that share a heading ("" for none), with that heading."""
        plain = Layout(self.over, ("",) * len(self.rows), ((),) * len(self.rows))
        layout = self.layout or plain
        rows = map(Row, layout.sections, self.rows, layout.places)
        for heading, part in itertools.groupby(rows, key=lambda row: row.section):
            yield heading, list(part)


@dataclass(frozen=True, slots=True)
class Row:
    """A row's texts, under which heading it stands, and the place of each text in its column."""

    section: str
    texts: Shown
    places: tuple[int, ...]


def csv_text(table: Printed) -> str:
    """The table's numbers as CSV (RFC 4180, but with plain line feeds)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rows = (table.data_header, *table.data)
    writer.writerows([_inert(text) for text in row] for row in rows)
    return out.getvalue()


def latex_text(table: Printed) -> str:
    """The table as a LaTeX `table` with booktabs rules."""
    is_wide = table.layout is not None and len(table.header) > WIDE
    environment = "table*" if is_wide else "table"
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{{environment}}}",
        "  \\centering",
        *(["  \\footnotesize\\setlength{\\tabcolsep}{3pt}"] if is_wide else []),
        f"  \\caption{{{latex_escaped(table.caption)}}}",
        f"  \\label{{tab:{table.name}}}",
        f"  \\begin{{tabular}}{{{table.sides}}}",
        "    \\toprule",
        *(f"    {line}" for line in (*_latex_head(table), *_latex_body(table))),
        "    \\bottomrule",
        "  \\end{tabular}",
        *(f"  \\par\\footnotesize {latex_escaped(note)}" for note in table.all_notes),
        f"\\end{{{environment}}}",
    ]
    return "\n".join(lines) + "\n"


def _latex_head(table: Printed) -> Iterator[str]:
    """One row, or two where columns share headings: those over rules, then the columns' own."""
    spans = spans_of(table.over)
    if spans:
        yield " & ".join(map(_latex_span, spans)) + " \\\\"
        ends = [(s.start + 1, s.start + s.width) for s in spans if s.heading]
        yield " ".join(f"\\cmidrule(lr){{{first}-{last}}}" for first, last in ends)
    yield _latex_row(table.header)


def _latex_span(span: Span) -> str:
    text = latex_escaped(span.heading)
    return f"\\multicolumn{{{span.width}}}{{c}}{{{text}}}" if text else ""


def _latex_body(table: Printed) -> Iterator[str]:
    yield "\\midrule"
    for i, (heading, rows) in enumerate(table.sections):
        if i:
            yield "\\midrule"
        if heading:
            told = f"\\textit{{{latex_escaped(heading)}}}"
            yield f"\\multicolumn{{{len(table.header)}}}{{l}}{{{told}}} \\\\"
        for row in rows:
            yield _latex_row(row.texts, row.places)


def markdown_text(table: Printed) -> str:
    """The table in Markdown; what columns share is told in the head of each."""
    pairs = zip(table.over, table.header, strict=True)
    header = [": ".join(filter(None, pair)) for pair in pairs]
    lines = [_markdown_row(header), _markdown_rule(table.sides)]
    for heading, rows in table.sections:
        if heading:
            lines.append(f"| *{markdown_escaped(heading)}* |" + "  |" * (len(header) - 1))
        lines += [_markdown_row(row.texts, row.places) for row in rows]
    return "\n".join(lines) + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1) -> str:
    """A Markdown table; the first `n_text` columns to the left, the others to the right."""
    sides = "l" * n_text + "r" * (len(header) - n_text)
    lines = [_markdown_row(header), _markdown_rule(sides), *map(_markdown_row, rows)]
    return "\n".join(lines) + "\n"


def marks_told(table: Printed) -> tuple[str, ...]:
    """What the marks of its figures mean; nothing where none is marked."""
    texts = [text for row in (table.header, *table.rows) for text in row]
    notes = {SMALL_MARK: SMALL_NOTE, GREY_MARK: GREY_MARK_NOTE}
    return tuple(note for mark, note in notes.items() if any(mark in text for text in texts))


_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    "−": "$-$",
    "†": "\\textdagger{}",
    "‡": "\\textdaggerdbl{}",
    "•": "\\textbullet{}",
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


def safe_name(name: str) -> str:
    """The name where it is safe as a file name, else one made of it.

    >>> safe_name("table3"), safe_name("../Table 3")
    ('table3', 'table-3')
    """
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) else slug(name)


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


def _latex_row(row: Sequence[str], places: Sequence[int] = ()) -> str:
    return " & ".join(_placed(map(latex_escaped, row), places, LATEX_PLACES)) + " \\\\"


def _markdown_row(row: Sequence[str], places: Sequence[int] = ()) -> str:
    return f"| {' | '.join(_placed(map(markdown_escaped, row), places, MARKDOWN_PLACES))} |"


def _markdown_rule(sides: str) -> str:
    return "|" + "".join(" --- |" if side == "l" else " ---: |" for side in sides)


def _placed(texts: Iterable[str], places: Sequence[int], forms: Sequence[str]) -> Iterator[str]:
    """Escaped texts, the best and the runner-up set off; without places all alike."""
    for text, place in zip(texts, places or itertools.repeat(0), strict=False):
        yield forms[place].format(text)
