"""A benchmark's own tables in every form: numbers by unit, published rows apart, nothing cut."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path
from typing import Literal

import pytest
from tests.report.conftest import same_as_golden
from tests.report.demo import HOSTILE
from tests.report.test_page import Elements

from eyechart.errors import BadInput
from eyechart.records import Column, Estimate, Line, Report, Table
from eyechart.report.entries import listing_of
from eyechart.report.markdown import report_markdown
from eyechart.report.own_groups import groups_of
from eyechart.report.own_tables import printed, worded
from eyechart.report.page import report_page
from eyechart.report.printed import csv_text, latex_text, markdown_text
from eyechart.report.tables import tables_of

PAPER, SITE = "Q-Bench, arXiv 2309.14181, table 3", "the leaderboard of 15 October 2023"
LEADERBOARD = Table(
    "leaderboard",
    "Accuracy on the dev set",
    (Column("yes-or-no", "fraction"), Column("overall", "fraction"), Column("read", "count")),
    (
        Line(
            "m",
            (
                Estimate(0.5, 0.3, 0.7, 25),
                Estimate(0.612, 0.58, 0.64, 1495),
                Estimate(1490.0, None, None, 1495),
            ),
        ),
        Line(
            "qwen_vl",
            (Estimate(0.6309, None, None, 0), Estimate(0.594, None, None, 0), None),
            published=True,
            source=SITE,
        ),
        Line(
            "junior human",
            (None, Estimate(0.7431, None, None, 0), "by 5 people"),
            published=True,
            source=PAPER,
        ),
    ),
    note="Ours is by the rules.",
)


def report_of(*tables: Table) -> Report:
    counts = {"n_items": 1495, "n_scored": 1490}
    return Report("A test", "demo", "m", "It was found.", (), counts=counts, tables=tables)


def page_of(*tables: Table) -> str:
    return report_page(report_of(*tables), listing_of([]))


def one_cell(entry: Estimate | str | None, column: Column, *, published: bool = False) -> str:
    lines = (Line("m", (entry,), published=published),)
    return worded(Table("t", "T", (column,), lines)).lines[0].cells[0].value


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("percent", 0.612, "61.2"),
        ("fraction", 0.612, "0.6120"),
        ("number", 1.08, "1.080"),
        ("number", -0.008, "−0.008"),
        ("number", -0.0001, "0.000"),
        ("count", 2990.0, "2,990"),
    ],
)
def test_numbers_are_printed_as_their_column_says(
    unit: Literal["percent", "fraction", "number", "count"], value: float, text: str
) -> None:
    assert one_cell(Estimate(value, None, None, 99), Column("x", unit)) == text


def test_differences_have_their_sign() -> None:
    column = Column("difference to plain", "percent")
    assert one_cell(Estimate(0.031, None, None, 99), column) == "+3.1"
    assert one_cell(Estimate(-0.031, None, None, 99), column) == "−3.1"
    assert one_cell(Estimate(0.0, None, None, 99), column) == "0.0"


def test_an_undefined_figure_is_a_dash_and_a_text_stands_as_it_is() -> None:
    column = Column("x")
    nothing = Estimate(None, None, None, 0)
    assert [one_cell(entry, column) for entry in (None, nothing, "", "not read")] == [
        *("–", "–", "", "not read")
    ]


def test_a_figure_of_fewer_than_thirty_items_is_marked_unless_it_is_a_count() -> None:
    few = Estimate(0.5, 0.2, 0.8, 29)
    assert one_cell(few, Column("x", "percent")) == "50.0†"
    assert one_cell(few, Column("x", "percent"), published=True) == "50.0†"
    assert one_cell(Estimate(3.0, None, None, 3), Column("x", "count")) == "3"
    unknown = Estimate(0.5, None, None, 0)
    assert one_cell(unknown, Column("x", "percent"), published=True) == "50.0"
    assert "fewer than 30 items" in page_of(LEADERBOARD)


def test_n_is_told_in_the_head_where_it_is_that_of_all_lines() -> None:
    found = worded(LEADERBOARD)
    assert [head.text for head in found.heads] == [
        *("yes-or-no (n = 25)", "overall (n = 1,495)", "read")
    ]
    assert found.lines[0].cells[1].text == "0.6120 (0.5800–0.6400)"
    assert found.lines[0].cells[1].title == (
        "m: overall 0.6120, 95 % interval 0.5800–0.6400, n = 1,495"
    )


def test_n_is_not_told_over_published_figures_of_another() -> None:
    """Of 200 questions, beside figures of all 2,765; the head may say only what holds for all."""

    def of(n_ours: int, n_theirs: int) -> Table:
        ours = Line("ours", (Estimate(0.6, 0.5, 0.7, n_ours),))
        theirs = Line("theirs", (Estimate(0.5, 0.4, 0.6, n_theirs),), published=True)
        return Table("places", "Places", (Column("overall", "percent"),), (ours, theirs))

    apart, equal = worded(of(200, 2765)), worded(of(2765, 2765))
    assert apart.heads[0].text == "overall, %"
    assert [line.cells[0].n for line in apart.lines] == ["n = 200", ""]
    assert equal.heads[0].text == "overall, % (n = 2,765)"
    assert [line.cells[0].n for line in equal.lines] == ["", ""]


def test_n_is_told_in_the_cells_where_it_differs_and_once_in_a_line() -> None:
    columns = (Column("a", "percent"), Column("b", "percent"))
    lines = tuple(
        Line(str(n), (Estimate(0.5, 0.4, 0.6, n), Estimate(0.5, 0.4, 0.6, n))) for n in (50, 60)
    )
    found = worded(Table("t", "T", columns, lines))
    assert [cell.text for cell in found.lines[1].cells] == [
        *("50.0 (40.0–60.0; n = 60)", "50.0 (40.0–60.0)")
    ]


def test_a_line_that_does_not_fit_its_columns_is_named() -> None:
    table = dataclasses.replace(LEADERBOARD, lines=(Line("m", (None,)),))
    with pytest.raises(BadInput, match=r"table leaderboard: the line 'm' has 1 entries for 3 col"):
        worded(table)


def test_the_csv_holds_value_ends_and_n_of_each_column_and_who_published() -> None:
    ours, theirs, people = csv.DictReader(io.StringIO(csv_text(printed(LEADERBOARD))))
    assert (ours["model"], ours["published"], ours["source"]) == ("m", "no", "")
    assert [ours[f"overall{part}"] for part in ("", " low", " high", " n")] == [
        *("0.612", "0.58", "0.64", "1495")
    ]
    assert ours["read"] == "1490"
    assert (theirs["published"], theirs["source"]) == ("yes", SITE)
    assert [theirs[f"overall{part}"] for part in ("", " low", " n")] == ["0.594", "", ""]
    assert (people["yes-or-no"], people["read"]) == ("", "by 5 people")


def test_a_column_of_texts_is_one_column_of_the_csv() -> None:
    columns = (Column("question"), Column("right", "percent"), Column("remark"))
    lines = (
        Line("i1", ("Is it sharp?", Estimate(0.5, 0.4, 0.6, 90), None)),
        Line("i2", ("Is it dark?", None, None)),
    )
    (first, second) = csv.DictReader(
        io.StringIO(csv_text(printed(Table("t", "T", columns, lines, label="Item"))))
    )
    assert list(first) == [
        *("item", "published", "source", "question"),
        *("right", "right low", "right high", "right n", "remark"),
    ]
    assert (first["right n"], first["remark"]) == ("90", "")
    assert (second["question"], second["right"], second["right n"]) == ("Is it dark?", "", "")


def test_columns_of_texts_stand_to_the_left_in_markdown_and_latex() -> None:
    columns = (Column("right", "percent"), Column("question"))
    lines = (Line("i1", (Estimate(0.5, 0.4, 0.6, 90), "Is it sharp?")),)
    table = printed(Table("t", "T", columns, lines, label="Item"))
    assert "| --- | ---: | --- |" in markdown_text(table)
    assert "\\begin{tabular}{lrl}" in latex_text(table)


def test_the_key_of_marks_stands_below_each_table_that_has_them() -> None:
    without = dataclasses.replace(LEADERBOARD, name="other", lines=LEADERBOARD.lines[1:])
    report = report_of(LEADERBOARD, without, dataclasses.replace(LEADERBOARD, name="third"))
    key = "† fewer than 30 items: read with care."
    page = report_page(report, listing_of([]))
    tables = re.findall(r"<details class=\"panel\" open>.*?</details>", page, re.DOTALL)
    assert [table.count(key) for table in tables] == [1, 0, 1]
    assert page.count(key) == 2
    markdown = [part.count(key) for part in report_markdown(report).split("\n## ")[1:4]]
    assert markdown == [1, 0, 1]


def test_an_own_table_gives_the_golden_csv_latex_and_markdown(golden: Path) -> None:
    table = printed(LEADERBOARD)
    assert same_as_golden(csv_text(table), golden / "leaderboard.csv")
    assert same_as_golden(latex_text(table), golden / "leaderboard.tex")
    assert same_as_golden(report_markdown(report_of(LEADERBOARD)), golden / "leaderboard.md")


def test_a_safe_name_is_kept_and_another_made_safe() -> None:
    names = ["A1_dev-set", "../../etc/passwd", ""]
    tables = [dataclasses.replace(LEADERBOARD, name=name) for name in names]
    assert [printed(table).name for table in tables] == ["A1_dev-set", "etc-passwd", "table"]


def test_two_tables_of_one_name_get_two_files() -> None:
    found = tables_of(report_of(LEADERBOARD, LEADERBOARD))
    assert [table.name for table in found] == ["leaderboard", "leaderboard-2"]


def test_the_page_tells_each_source_once_and_marks_its_rows() -> None:
    page = page_of(LEADERBOARD)
    assert page.count(SITE) == page.count(PAPER) == 1
    assert '<tr class="published"><th scope="row"><bdi>qwen_vl</bdi><sup>1</sup></th>' in page
    assert '<tr><th scope="row"><bdi>m</bdi></th>' in page


def test_a_single_source_needs_no_mark() -> None:
    table = dataclasses.replace(LEADERBOARD, lines=LEADERBOARD.lines[:2])
    page = page_of(table)
    assert "<sup>" not in page
    assert f"Published: <bdi>{SITE}</bdi>." in page


def test_the_page_shows_interval_and_n_with_each_figure() -> None:
    text = Elements(page_of(LEADERBOARD)).text
    assert "overalln = 1,495" in text
    assert "0.61200.5800–0.6400" in text
    assert text.index("Beside published figures") < text.index("Accuracy on the dev set")


def test_a_wide_table_scrolls_inside_its_panel() -> None:
    page = page_of(LEADERBOARD)
    _, _, panel = page.partition('<details class="panel" open>')
    assert panel.index('<div class="scroll"') < panel.index('<table class="own')


def test_the_fifth_table_and_those_after_it_are_folded() -> None:
    tables = [dataclasses.replace(LEADERBOARD, name=f"t{i}") for i in range(6)]
    page = page_of(*tables)
    assert page.count('<details class="panel" open>') == 4
    assert page.count('<details class="panel">') == 2


def test_tables_of_every_report_come_under_headings_of_their_own() -> None:
    position = Table("position", "Position", (Column("recall"),), (Line("A", (None,)),))
    ways = dataclasses.replace(position, name="other-ways")
    groups = groups_of((LEADERBOARD, ways, position))
    assert [group.heading for group in groups] == ["Beside published figures", "Robustness", "Bias"]
    assert [table.name for group in groups for table in group.tables] == [
        *("leaderboard", "other-ways", "position")
    ]
    plain = dataclasses.replace(LEADERBOARD, lines=LEADERBOARD.lines[:1])
    assert groups_of((plain,))[0].heading == "The benchmark's tables"


def test_foreign_text_in_a_table_never_becomes_markup() -> None:
    entries = (HOSTILE, Estimate(0.5, 0.4, 0.6, 50))
    columns = (Column(HOSTILE), Column(HOSTILE, "percent"))
    lines = (Line(HOSTILE, entries, True, HOSTILE), Line(HOSTILE, entries))
    table = Table(HOSTILE, HOSTILE, columns, lines, HOSTILE, HOSTILE)
    page = page_of(table)
    elements = Elements(page)
    assert elements.count("script") == 1
    assert '<script>alert("x")' in elements.text
    assert not {"\u202e", "\x00", "\ud800"} & set(page)
    markdown = report_markdown(report_of(table))
    assert "<script" not in markdown
    assert "\\$x\\$" in latex_text(printed(table))
    for text in (page, markdown, latex_text(printed(table)), csv_text(printed(table))):
        text.encode("utf-8")


def test_code_in_a_note_is_set_as_code_and_its_numbers_are_kept_together() -> None:
    page = page_of(dataclasses.replace(LEADERBOARD, note="`distinct`: 95 % of <them>."))
    assert "<code>distinct</code>: 95\N{NO-BREAK SPACE}% of &lt;them&gt;." in page


def test_ids_are_unique_with_many_tables() -> None:
    position = Table("position", "Position", (Column("recall"),), (Line("A", (None,)),))
    tags = Elements(page_of(LEADERBOARD, LEADERBOARD, position)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_spreadsheet_runs_no_formula_of_a_model_name() -> None:
    table = dataclasses.replace(LEADERBOARD, lines=(Line("=1+1", ("@x", None, None)),))
    (row,) = csv.DictReader(io.StringIO(csv_text(printed(table))))
    assert (row["model"], row["yes-or-no"]) == ("'=1+1", "'@x")
