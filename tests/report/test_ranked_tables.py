"""Tables laid out as papers do: the best and the runner-up, groups, grey, and every form."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

from tests.report.conftest import same_as_golden
from tests.report.demo import HOSTILE
from tests.report.test_own_tables import page_of, report_of
from tests.report.test_page import Elements

from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.markdown import report_markdown
from eyechart.report.own_groups import groups_of
from eyechart.report.own_tables import printed, worded
from eyechart.report.printed import csv_text, latex_text
from eyechart.report.ranked_tables import column_places

PAPER = "Wu et al. 2026, arXiv 2601.18346"
COLUMNS = (
    Column("NIs", "percent", 2, "Image sources"),
    Column("CGIs", "percent", 2, "Image sources"),
    Column("Overall", "percent", 2),
)
SIZES = (1476, 27, 2765)


def figures(*values: float | None) -> tuple[Estimate | None, ...]:
    return tuple(
        None if value is None else Estimate(value, value - 0.02, value + 0.02, n)
        for value, n in zip(values, SIZES, strict=True)
    )


def published(label: str, group: str, *values: float | None, ranked: bool = True) -> Line:
    return Line(label, figures(*values), True, PAPER, group, ranked)


TABLE = Table(
    "table3",
    "Results by source",
    COLUMNS,
    (
        published("Random guess", "Baseline", 0.99, None, 0.99, ranked=False),
        published("open a", "Open-source MLLMs", 0.65241, 0.59, 0.6),
        published("open b", "Open-source MLLMs", 0.65239, 0.37, 0.55),
        published("closed", "Closed-source MLLMs", 0.6, 0.41, 0.50),
        Line("ours_7b", figures(0.5, 0.41, 0.61), group="Measured here"),
        Line("People", figures(0.9, 0.9, 0.9), group="People", ranked=False),
    ),
    note="Overall is the mean of all.",
    ranked=True,
)


def column(place: int, table: Table = TABLE) -> list[int]:
    return [row[place] for row in column_places(table)]


def test_the_best_of_a_column_is_first_and_what_prints_alike_shares_its_place() -> None:
    assert column(0) == [0, 1, 1, 2, 0, 0]


def test_the_runner_up_is_the_next_figure_and_is_shared_too() -> None:
    assert column(1) == [0, 1, 0, 2, 2, 0]
    assert column(2) == [0, 2, 0, 0, 1, 0]


def test_guessing_and_people_do_not_compete() -> None:
    assert column_places(TABLE)[0] == column_places(TABLE)[-1] == (0, 0, 0)


def test_a_single_figure_a_column_of_counts_and_a_table_that_is_not_ranked_have_no_best() -> None:
    assert column(2, dataclasses.replace(TABLE, lines=TABLE.lines[:2])) == [0, 0]
    counts = tuple(dataclasses.replace(one, unit="count", digits=None) for one in COLUMNS)
    assert column(2, dataclasses.replace(TABLE, columns=counts)) == [0] * 6
    assert column(2, dataclasses.replace(TABLE, ranked=False)) == [0] * 6


def test_negative_figures_are_compared_as_numbers() -> None:
    lines = tuple(Line(str(v), (Estimate(v, None, None, 99),)) for v in (-0.2, -0.1, -0.3))
    table = Table("t", "T", (Column("SRCC"),), lines, ranked=True)
    assert column_places(table) == ((2,), (1,), (0,))


def test_percent_is_told_once_in_the_caption_and_not_in_each_head() -> None:
    found = worded(TABLE)
    assert found.title == "Results by source, %"
    assert [head.name for head in found.heads] == ["NIs", "CGIs", "Overall"]
    told = dataclasses.replace(TABLE, title="Accuracy in %")
    assert worded(told).title == "Accuracy in %"


def test_figures_stand_alone_and_tell_interval_n_and_place_on_hovering() -> None:
    cell = worded(TABLE).lines[1].cells[0]
    assert cell.value == "65.24"
    assert cell.title == (
        "open a: Image sources: NIs 65.24, 95 % interval 63.24–67.24, n = 1,476, best of its column"
    )


def test_a_column_of_too_few_questions_is_grey_and_marked_in_its_head() -> None:
    found = worded(TABLE)
    assert [head.mark for head in found.heads] == ["", "‡", ""]
    grey = [[cell.is_grey for cell in line.cells] for line in found.lines]
    assert grey == [[False, False, False]] + [[False, True, False]] * 5
    assert [line.cells[1].value for line in found.lines][:3] == ["–", "59.00", "37.00"]


def test_a_single_figure_of_too_few_questions_is_marked_itself() -> None:
    few = Line("limited", figures(0.5, 0.4, 0.6), ranked=False)
    few = dataclasses.replace(few, entries=(Estimate(0.5, 0.3, 0.7, 20), *few.entries[1:]))
    found = worded(dataclasses.replace(TABLE, lines=(*TABLE.lines, few)))
    assert found.lines[-1].cells[0].value == "50.00‡"
    assert found.heads[0].mark == ""


def test_a_figure_whose_n_is_not_known_is_not_grey() -> None:
    unknown = published("Random guess", "", 0.3, 0.3, 0.3, ranked=False)
    entries = tuple(Estimate(0.3, None, None, 0) for _ in SIZES)
    table = dataclasses.replace(
        TABLE, lines=(dataclasses.replace(unknown, entries=entries), *TABLE.lines[1:])
    )
    found = worded(table)
    assert not any(cell.is_grey for cell in found.lines[0].cells)
    assert found.heads[1].mark == "‡"


def test_published_lines_of_other_tables_are_not_greyed_for_few_items() -> None:
    table = dataclasses.replace(TABLE, ranked=False)
    assert worded(table).key == ("† fewer than 30 items: read with care.",)
    assert worded(table).lines[1].cells[1].value == "59.00†"


def test_a_ranked_table_gives_the_golden_csv_latex_and_markdown(golden: Path) -> None:
    table = printed(TABLE)
    assert same_as_golden(csv_text(table), golden / "ranked.csv")
    assert same_as_golden(latex_text(table), golden / "ranked.tex")
    assert same_as_golden(report_markdown(report_of(TABLE)), golden / "ranked.md")


def test_the_csv_holds_groups_value_ends_and_n_of_every_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(printed(TABLE)))))
    ours = rows[4]
    assert (ours["model"], ours["group"], ours["published"]) == ("ours_7b", "Measured here", "no")
    parts = [ours[f"Image sources: CGIs{part}"] for part in ("", " low", " high", " n")]
    assert parts == ["0.41", "0.39", "0.43", "27"]
    assert rows[0]["Image sources: CGIs"] == ""


def test_the_latex_is_balanced_and_needs_booktabs_only() -> None:
    foreign = dataclasses.replace(TABLE.lines[1], label="50 % {a}_b", group="R&D {#1}")
    wide = dataclasses.replace(
        TABLE,
        columns=COLUMNS * 4,
        lines=tuple(
            dataclasses.replace(line, entries=line.entries * 4) for line in (*TABLE.lines, foreign)
        ),
    )
    text = latex_text(printed(wide))
    assert_compiles(text)
    assert "\\begin{table*}" in text
    assert "\\textit{R\\&D \\{\\#1\\}}" in text


def assert_compiles(text: str) -> None:
    """What a compiler would stumble over: braces, environments, the number of cells in a row."""
    bare = text.replace("\\{", "").replace("\\}", "")
    assert bare.count("{") == bare.count("}")
    begun, ended = (re.findall(rf"\\{word}{{([^}}]*)}}", text) for word in ("begin", "end"))
    assert begun == ended[::-1]
    (columns,) = re.findall(r"\\begin{tabular}{([lr]+)}", text)
    for row in re.findall(r"^    (.*) \\\\$", text, re.MULTILINE):
        spanned = sum(int(n) - 1 for n in re.findall(r"\\multicolumn{(\d+)}", row))
        assert len(re.findall(r"(?<!\\)&", row)) + 1 + spanned == len(columns)
    for first, last in re.findall(r"\\cmidrule\(lr\){(\d+)-(\d+)}", text):
        assert 1 < int(first) <= int(last) <= len(columns)
    commands = set(re.findall(r"\\([a-z]{3,})", text))
    assert commands <= {
        *("usepackage", "begin", "end", "centering", "footnotesize", "setlength", "tabcolsep"),
        *("caption", "label", "toprule", "midrule", "bottomrule", "cmidrule", "multicolumn"),
        *("textbf", "underline", "textit", "par", "textdagger", "textdaggerdbl", "textbullet"),
    }


def test_several_sources_are_numbered_and_a_single_one_is_told_below() -> None:
    assert f"Published: {PAPER}" in printed(TABLE).notes
    other = dataclasses.replace(TABLE.lines[3], source="a leaderboard")
    table = printed(dataclasses.replace(TABLE, lines=(*TABLE.lines[:3], other)))
    assert table.rows[3][0] == "closed [2]"
    assert "[2] published: a leaderboard" in table.notes


def test_the_page_has_a_head_of_two_storeys_and_a_row_for_each_group() -> None:
    elements = Elements(page_of(TABLE))
    assert ("th", {"scope": "colgroup", "class": "over", "colspan": "2"}) in elements.tags
    groups = [attrs for _, attrs in elements.tags if attrs.get("scope") == "rowgroup"]
    assert [attrs["colspan"] for attrs in groups] == ["4"] * 5
    assert elements.count("tbody") == 5


def test_the_page_sets_off_the_best_the_runner_up_and_what_was_measured_here() -> None:
    page = page_of(TABLE)
    assert page.count('<bdi class="best">') == 4
    assert page.count('<bdi class="next">') == 4
    assert page.count('<tr class="here">') == 2
    assert page.count('aria-label="measured here"') == 2
    assert '<td class="grey" title="open a: Image sources: CGIs 59.00' in page
    assert "The best of each column is bold, the runner-up underlined. • measured here" in page
    assert "Grey (‡): fewer than 55 questions; a difference of 20 points" in page


def test_a_table_without_published_lines_marks_none_as_measured_here() -> None:
    ours = tuple(dataclasses.replace(line, published=False, source="") for line in TABLE.lines[1:3])
    table = dataclasses.replace(TABLE, lines=ours)
    assert "•" not in page_of(table)
    assert "measured here" not in "".join(printed(table).notes)


def test_intervals_and_n_are_shown_by_a_checkbox_that_needs_no_script() -> None:
    page = page_of(TABLE)
    assert page.count('<label><input type="checkbox"> Show intervals and n</label>') == 1
    assert "<small>63.24–67.24</small>" in page
    assert "<bdi>NIs</bdi><small>n = 1,476</small>" in page
    assert ":has(.switch :checked)" in page
    assert "checkbox" not in page_of(dataclasses.replace(TABLE, ranked=False))


def test_foreign_groups_and_labels_never_become_markup() -> None:
    columns = tuple(dataclasses.replace(one, group=HOSTILE) for one in COLUMNS)
    lines = tuple(dataclasses.replace(line, group=HOSTILE, label=HOSTILE) for line in TABLE.lines)
    table = dataclasses.replace(TABLE, columns=columns, lines=lines)
    assert Elements(page_of(table)).count("script") == 1
    assert "<script" not in report_markdown(report_of(table))
    assert "\\$x\\$" in latex_text(printed(table))


def test_ranked_tables_come_before_the_others_under_their_own_heading() -> None:
    other = dataclasses.replace(TABLE, name="places", ranked=False)
    both = [(group.heading, group.tables[0].name) for group in groups_of((other, TABLE))]
    assert both == [("Beside published figures", "table3"), ("Further tables", "places")]
    assert [group.heading for group in groups_of((other,))] == ["Beside published figures"]


def test_tables_by_topic_come_last_in_the_order_of_topics() -> None:
    names = ("position", "items-missed", "people-agreement", "judge-draws", "other-ways", "table3")
    tables = [dataclasses.replace(TABLE, name=name) for name in names]
    assert [group.heading for group in groups_of(tables)] == [
        *("Beside published figures", "Judges", "People", "Items", "Robustness", "Bias")
    ]
