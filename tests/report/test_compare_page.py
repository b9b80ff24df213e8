from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import pytest
from tests.report.conftest import Demo
from tests.report.demo import HOSTILE

from eyechart.records import Cell, Chart, Column, Estimate, Line, Panel, Series, Table
from eyechart.report.compare_page import (
    comparison_figures,
    comparison_markdown,
    comparison_page,
    write_comparison,
)
from eyechart.report.compare_tables import pair_sheet
from eyechart.report.comparison import (
    Comparison,
    Pair,
    RunResult,
    comparison_headline,
    pair_lists,
    turned,
)
from eyechart.report.drawing import SERIES


def run(name: str, value: float | None, n: int = 100) -> RunResult:
    estimate = Estimate(value, None, None, n)
    if value is not None:
        estimate = Estimate(value, value - 0.05, value + 0.05, n)
    by_kind = dataclasses.replace(estimate, n=20)
    cells = (
        Cell("", "", "accuracy", estimate, chance=0.25),
        Cell("kind", "single", "accuracy", by_kind),
    )
    return RunResult(name, "model", cells)


def pair(a: str, b: str, difference: float, p: float) -> Pair:
    estimate = Estimate(difference, difference - 0.02, difference + 0.02, 100)
    return Pair(a, b, "accuracy", estimate, 100, 12, 3, p, p)


def comparison(*runs: RunResult, pairs: tuple[Pair, ...] = ()) -> Comparison:
    return Comparison("Two runs", "demo", runs, pairs, 100)


def test_the_headline_names_the_best_run_and_says_whether_its_lead_is_clear() -> None:
    two = comparison(run("a", 0.5), run("b", 0.6), pairs=(pair("a", "b", -0.1, 0.01),))
    assert comparison_headline(two) == (
        "b comes first of 2 runs: accuracy 60.0 % (95 % interval 55.0–65.0), on the 100 items that "
        "all share. Its lead over a is +10.0 points (+8.0 to +12.0, p = 0.010): a clear difference."
    )


def test_a_lead_that_may_be_luck_is_not_called_clear() -> None:
    two = comparison(run("a", 0.61), run("b", 0.6), pairs=(pair("a", "b", 0.01, 0.4),))
    assert comparison_headline(two).endswith("p = 0.400): not a clear difference.")


PEOPLE = "People (3 raters)"


def people(value: float | None, n: int = 100) -> RunResult:
    return dataclasses.replace(run(PEOPLE, value, n), people=True)


def test_people_are_no_run_and_what_they_reach_is_told_beside_the_best() -> None:
    pairs = (pair("a", "b", -0.1, 0.01), pair("b", PEOPLE, -0.2, 0.4))
    three = comparison(run("a", 0.5), run("b", 0.6), people(0.8), pairs=pairs)
    assert comparison_headline(three) == (
        "b comes first of 2 runs: accuracy 60.0 % (95 % interval 55.0–65.0), on the 100 items that "
        "all share. Its lead over a is +10.0 points (+8.0 to +12.0, p = 0.010): a clear "
        "difference. People (3 raters) reach 80.0 % (75.0–85.0); the gap from them to b is "
        "+20.0 points (+18.0 to +22.0, p = 0.400): a clear difference."
    )


def test_people_who_answered_some_items_are_told_with_their_number() -> None:
    three = comparison(run("a", 0.5), run("b", 0.6), people(0.4, 30))
    assert comparison_headline(three).endswith(
        "People (3 raters) reach 40.0 % (35.0–45.0) on the 30 items that they answered."
    )


def test_one_run_beside_people_comes_first_of_nothing() -> None:
    two = comparison(run("a", 0.6), people(0.8), pairs=(pair("a", PEOPLE, -0.2, 0.4),))
    headline = comparison_headline(two)
    assert headline.startswith("a reaches accuracy 60.0 % (95 % interval 55.0–65.0), on 100 items.")
    assert "the gap from them to a is +20.0 points" in headline
    nobody = comparison_headline(comparison(run("a", 0.6), people(None)))
    assert nobody == "1 run with a value; two or more are needed to compare."


def test_what_the_figure_is_of_is_told_where_it_is_not_of_all_items() -> None:
    of_closed = comparison_headline(comparison(run("a", 0.6, 45), run("b", 0.5, 45)))
    assert "(95 % interval 55.0–65.0), over the 45 closed questions that all share." in of_closed
    alone = comparison_headline(comparison(run("a", 0.6, 45), people(0.8, 45)))
    assert alone.startswith("a reaches accuracy 60.0 % (95 % interval 55.0–65.0), over 45 closed")
    cells = (Cell("", "", "overall", Estimate(0.6, 0.5, 0.7, 98)),)
    two = [RunResult(name, "m", cells) for name in ("a", "b")]
    in_part = comparison_headline(dataclasses.replace(comparison(*two), metric="overall"))
    assert "(95 % interval 50.0–70.0), over 98 of the 100 items that all share." in in_part


def test_without_a_tested_pair_only_the_order_is_told() -> None:
    headline = comparison_headline(comparison(run("a", 0.6), run("b", 0.5)))
    assert headline.endswith("Next is b with 50.0 %.")


def test_one_run_cannot_be_compared() -> None:
    headline = comparison_headline(comparison(run("a", 0.6), run("b", None)))
    assert headline == "1 run with a value; two or more are needed to compare."


def test_every_form_is_written_the_same_each_time(tmp_path: Path, demo: Demo) -> None:
    runs = [
        RunResult(name, "m", demo.report.cells, demo.report.curves) for name in ("a", "b", HOSTILE)
    ]
    three = comparison(*runs, pairs=(pair("a", "b", 0.02, 0.3),))
    for folder in ("one", "two"):
        write_comparison(three, tmp_path / folder)
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert {"compare.html", "compare.md", "compare.csv"} <= {str(name) for name in names}
    assert {"figures/compare.svg", "figures/severity-beside-the-original.png"} <= {
        str(name) for name in names
    }
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_pairs_are_written_as_exact_numbers(tmp_path: Path) -> None:
    two = comparison(run("a", 0.6), run("b", 0.5), pairs=(pair("a", "b", 0.1, 0.00001),))
    write_comparison(two, tmp_path)
    with (tmp_path / "compare.csv").open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert row["difference"] == "0.1"
    assert row["only_a_right"] == "12"
    assert row["p_mcnemar"] == "1e-05"


@pytest.mark.parametrize("name", [HOSTILE, "<b>run</b>"])
def test_names_of_runs_are_escaped(name: str) -> None:
    page = comparison_page(comparison(run(name, 0.6), run("b", 0.5)))
    assert "<script" not in page
    assert "<b>run" not in page
    assert "\u202e" not in page


def test_an_undefined_value_is_a_dash_and_small_cells_are_marked(tmp_path: Path) -> None:
    b = run("b", 0.5)
    (single,) = (cell for cell in b.cells if cell.facet)
    other = dataclasses.replace(single, value="open")
    two = comparison(run("a", 0.6), dataclasses.replace(b, cells=(b.cells[0], other)))
    write_comparison(two, tmp_path)
    text = (tmp_path / "compare.md").read_text(encoding="utf-8")
    assert "| single choice | 60.0‡ (55.0–65.0) | – |" in text
    assert "‡ fewer than 55 questions" in text


def test_a_side_without_a_figure_by_a_facet_has_no_column_there() -> None:
    three = comparison(run("a", 0.6), run("b", 0.5), people(None))
    _, _, table = comparison_page(three).partition('<table class="beside">')
    assert ">b<" in table
    assert PEOPLE not in table
    _, _, markdown = comparison_markdown(three).partition("## Accuracy by kind")
    assert "| Kind | a | b |\n" in markdown
    nobody = comparison_page(comparison(run("a", None), run("b", None)))
    assert 'class="beside"' not in nobody
    names = [PEOPLE, *(f"run {i}" for i in range(8))]
    many_sides = comparison(people(None), *(run(name, 0.5) for name in names[1:]))
    _, _, turned_around = comparison_markdown(many_sides).partition("## Accuracy by kind")
    assert turned_around.count("| run ") == 8
    assert PEOPLE not in turned_around


def test_each_setting_has_its_own_severity_panels(demo: Demo) -> None:
    runs = [RunResult(name, "m", demo.report.cells, demo.report.curves) for name in ("a", "b")]
    page = comparison_page(comparison(*runs))
    assert page.index(">Beside the original<") < page.index(">From one photograph alone<")
    assert page.count('<svg role="img"') == 12
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_pair_without_a_scored_item_is_left_out() -> None:
    nobody = Pair("a", "b", "verdict", Estimate(None, None, None, 0), 0)
    two = comparison(run("a", 0.6), run("b", 0.5), pairs=(pair("a", "b", 0.1, 0.01), nobody))
    assert two.tested == two.pairs[:1]
    assert "Open answers" not in comparison_page(two)


def test_a_small_p_value_makes_no_difference_clear_where_the_interval_holds_0() -> None:
    two = comparison(run("a", 0.61), run("b", 0.6), pairs=(pair("a", "b", 0.01, 0.001),))
    assert comparison_headline(two).endswith("p = 0.001): not a clear difference.")


def test_what_the_tests_take_for_granted_is_said_where_there_are_any() -> None:
    tested = comparison(run("a", 0.6), run("b", 0.5), pairs=(pair("a", "b", 0.1, 0.01),))
    said = "treat the items as independent, also where several show one photograph"
    assert said in comparison_page(tested)
    assert said in comparison_markdown(tested)
    untested = comparison(run("a", 0.6), run("b", 0.5))
    assert said not in comparison_page(untested)
    assert said not in comparison_markdown(untested)


def test_pairs_of_ratings_have_no_columns_of_tests_and_no_mark_of_guessing() -> None:
    cells = (Cell("", "", "srcc_mos", Estimate(0.6, 0.5, 0.7, 100)),)
    runs = [RunResult(name, "model", cells) for name in ("a", "b")]
    pairs = (Pair("a", "b", "srcc_mos", Estimate(0.0, -0.1, 0.1, 100), 100),)
    rated = dataclasses.replace(comparison(*runs, pairs=pairs), metric="srcc_mos")
    page, markdown = comparison_page(rated), comparison_markdown(rated)
    for text in ("McNemar", "Holm", "only A right", "what guessing would give"):
        assert text not in page
        assert text not in markdown
    tested = comparison_page(comparison(run("a", 0.6), run("b", 0.5)))
    assert "what guessing would give" in tested


def many(n: int) -> Comparison:
    """Runs from the best to the worst, `run 0` the best, with every pair."""
    runs = [run(f"run {i}", 0.8 - 0.02 * i) for i in range(n)]
    pairs = [
        dataclasses.replace(pair(f"run {b}", f"run {a}", 0.02 * (a - b), 0.5), only_a_right=a)
        for a in range(n)
        for b in range(a)
    ]
    return comparison(*runs, pairs=tuple(pairs))


def test_the_pairs_of_seven_runs_are_one_table() -> None:
    (found,) = pair_lists(many(7))
    assert (found.heading, len(found.pairs)) == ("", 21)
    assert "<summary>" not in comparison_page(many(7))


def test_of_more_pairs_those_of_the_best_run_come_first_and_the_others_are_folded() -> None:
    best, others = pair_lists(many(26))
    assert (best.heading, len(best.pairs)) == ("run 0 and each other run", 25)
    assert (others.heading, len(others.pairs)) == ("300 other pairs", 300)
    assert [(pair.a, pair.b) for pair in best.pairs[:2]] == [("run 0", "run 1"), ("run 0", "run 2")]
    page = comparison_page(many(26))
    first, second = re.findall(r"<details class=\"panel\"( open)?><summary><h3 id=\"pairs", page)
    assert (first, second) == (" open", "")


def test_people_are_paired_with_the_best_run_and_never_stand_for_it() -> None:
    runs = [run(f"run {i}", 0.8 - 0.02 * i) for i in range(7)]
    names = [PEOPLE, *(one.name for one in runs)]
    pairs = [pair(a, b, 0.02, 0.5) for i, a in enumerate(names) for b in names[i + 1 :]]
    best, others = pair_lists(comparison(*runs, people(0.9), pairs=tuple(pairs)))
    assert best.heading == "run 0 and each other run, and people"
    assert (best.pairs[0].a, best.pairs[0].b) == ("run 0", PEOPLE)
    assert (len(best.pairs), len(others.pairs)) == (7, 21)


def test_the_pairs_of_the_best_run_stand_metric_by_metric_the_main_one_first() -> None:
    every = many(8)
    overall = [dataclasses.replace(one, metric="overall") for one in every.pairs]
    verdicts = [dataclasses.replace(one, metric="verdict") for one in every.pairs]
    found = dataclasses.replace(
        every,
        metric="overall",
        runs=tuple(
            dataclasses.replace(r, cells=(dataclasses.replace(r.cells[0], metric="overall"),))
            for r in every.runs
        ),
        pairs=(*every.pairs, *verdicts, *overall),
    )
    assert [(one.heading, len(one.pairs)) for one in pair_lists(found)] == [
        ("Overall: run 0 and each other run", 7),
        ("Accuracy: run 0 and each other run", 7),
        ("Open answers: run 0 and each other run", 7),
        ("Overall: 21 other pairs", 21),
        ("Accuracy: 21 other pairs", 21),
        ("Open answers: 21 other pairs", 21),
    ]
    opened = re.findall(
        r"<details class=\"panel\"( open)?><summary><h3 id=\"pairs", comparison_page(found)
    )
    assert opened == [" open", "", "", "", "", ""]


def test_pairs_of_few_runs_are_a_list_for_each_metric_the_main_one_open() -> None:
    verdict = Pair("a", "b", "verdict", Estimate(0.1, 0.08, 0.12, 90), 90)
    two = comparison(run("a", 0.6), run("b", 0.5), pairs=(verdict, pair("a", "b", 0.1, 0.01)))
    page, markdown = comparison_page(two), comparison_markdown(two)
    assert re.findall(r'panel"( open)?><summary><h3 id="pairs\d"><bdi>([^<]*)', page) == [
        (" open", "Accuracy"),
        ("", "Open answers"),
    ]
    accuracy, open_answers = (markdown.index(f"## Pairs: {m}") for m in ("Accuracy", "Open answ"))
    assert accuracy < markdown.index("McNemar p") < markdown.index("treat the items") < open_answers
    assert "McNemar" not in markdown[open_answers : markdown.index("## Accuracy by kind")]
    assert "compare.csv" not in markdown


def test_the_best_run_is_named_once_over_its_pairs_and_the_difference_is_its_lead() -> None:
    best, others = map(pair_sheet, pair_lists(many(8)))
    assert best.names == ("Other side",)
    assert best.figures == (
        *("Lead", "95 % interval", "n", "only it right", "only the other right"),
        *("McNemar p", "Holm p"),
    )
    assert (best.rows[0].names, best.rows[0].figures[0]) == (("run 1",), "+2.0")
    assert (others.names, others.figures[0]) == (("A", "B"), "A − B")


def test_pairs_without_a_test_have_none_of_its_columns_and_say_what_their_intervals_are() -> None:
    every = many(8)
    verdicts = [
        dataclasses.replace(one, metric="verdict", p_mcnemar=None, p_holm=None)
        for one in every.pairs
    ]
    found = dataclasses.replace(every, pairs=(*every.pairs, *verdicts))
    tested, untested, *_ = map(pair_sheet, pair_lists(found))
    assert untested.figures == ("Lead", "95 % interval", "n")
    alone = "Each interval is for its pair alone, not corrected for being one of many"
    assert untested.note == f"{alone}."
    assert tested.note == f"{alone}; Holm's p is."
    page = comparison_page(found)
    assert f"{alone}." in page
    assert "Where answers are right or wrong, each pair is tested too" in page
    assert f"{alone}; Holm&#39;s p is." in comparison_page(found)
    (single,) = pair_lists(comparison(run("a", 0.6), run("b", 0.5), pairs=every.pairs[:1]))
    assert single.note == ""


def test_pairs_are_counted_from_the_best_run_whichever_way_they_came() -> None:
    every = many(8)
    turned_around = dataclasses.replace(every, pairs=tuple(map(turned, every.pairs)))
    first, again = pair_lists(every)[0], pair_lists(turned_around)[0]
    assert [p.difference.value for p in first.pairs] == [p.difference.value for p in again.pairs]
    assert [p.only_a_right for p in first.pairs] == [p.only_a_right for p in again.pairs]


def test_a_page_of_text_has_the_pairs_of_the_best_run_and_says_where_the_others_are(
    tmp_path: Path,
) -> None:
    write_comparison(many(26), tmp_path)
    text = (tmp_path / "compare.md").read_text(encoding="utf-8")
    assert "## Pairs: run 0 and each other run" in text
    assert "The other pairs are in compare.csv." in text
    assert "| run 1 | run 2 |" not in text
    assert "| run 1 | +2.0 |" in text
    assert (tmp_path / "compare.csv").read_text(encoding="utf-8").count("\n") == 326


def test_many_runs_stand_under_each_other_in_tables_by_facet_without_colours() -> None:
    page = comparison_page(many(26))
    assert 'class="swatch"' not in page
    _, _, table = page.partition('<table class="beside">')
    assert table.index("single choice") < table.index("<tbody>") < table.index("run 25")
    few = comparison_page(many(3))
    _, _, table = few.partition('<table class="beside">')
    assert table.index("run 2") < table.index("<tbody>") < table.index("single choice")
    assert few.count('class="swatch"') > 3


def test_the_curves_of_the_seven_best_of_many_runs_are_drawn(demo: Demo) -> None:
    runs = [dataclasses.replace(one, curves=demo.report.curves) for one in many(9).runs]
    page = comparison_page(comparison(*runs))
    assert "The best 7 of 9 runs are drawn." in page
    assert page.count('class="legend"') == 7


def test_runs_have_their_colours_by_rank_and_people_come_last(demo: Demo) -> None:
    """Figures of benchmarks draw the best run in the first colour."""
    three = comparison(people(0.9), run("a", 0.5), run("b", 0.6))
    swatches = re.findall(r'background:(#\w+)"></span><bdi>([^<]*)', comparison_page(three))
    assert set(swatches) == set(zip(SERIES, ("b", "a", PEOPLE), strict=False))
    curved = [dataclasses.replace(one, curves=demo.report.curves) for one in three.runs]
    page = comparison_page(dataclasses.replace(three, runs=tuple(curved)))
    assert re.findall(r'legend">.*?background:(#\w+)', page) == list(SERIES[:3])


def test_the_key_of_marks_stands_below_each_table_that_has_them() -> None:
    few = comparison(run("a", 0.6, 20), run("b", 0.5, 20))
    (single,) = (cell for cell in few.runs[0].cells if cell.facet)
    many_items = dataclasses.replace(
        single, facet="source", estimate=dataclasses.replace(single.estimate, n=90)
    )
    runs = [dataclasses.replace(one, cells=(*one.cells, many_items)) for one in few.runs]
    page = comparison_page(comparison(*runs))
    runs_table, _, facets = page.partition("The best figure is bold.")
    assert runs_table.count("† fewer than 30 items") == 1
    by_kind, _, by_source = facets.partition("By source")
    assert by_kind.count("Grey (‡)") == 1
    assert "Grey (‡)" not in by_source
    markdown = comparison_markdown(comparison(*runs))
    by_kind, _, by_source = markdown.partition("## Accuracy by source")
    assert by_kind.count("‡ fewer than 55 questions") == by_kind.count("† fewer than") == 1
    assert "‡" not in by_source


def test_figures_of_too_few_questions_are_grey_and_marked() -> None:
    page = comparison_page(comparison(run("a", 0.6), run("b", 0.5)))
    assert '<td class="grey"><strong>60.0‡</strong><small>55.0–65.0</small></td>' in page
    assert "Grey (‡): fewer than 55 questions" in page


def test_graded_marks_have_no_test_and_print_a_dash_beside_those_that_have() -> None:
    graded = Pair("a", "b", "accuracy", Estimate(0.1, 0.08, 0.12, 100), 100)
    runs = [run(name, 0.5) for name in "abc"]
    page = comparison_page(comparison(*runs, pairs=(graded, pair("a", "c", 0.1, 0.01))))
    assert "<td>100</td><td>–</td><td>–</td><td>–</td><td>–</td></tr>" in page


def test_own_tables_charts_and_files_are_shown_and_written(tmp_path: Path) -> None:
    table = Table("t", "By source", (Column("NIs", "percent"),), (Line("a", ("all",)),))
    items = dataclasses.replace(table, name="items-missed", title="Missed by all")
    chart = Chart("radar", "All models", "radar", (Panel("", ("a", "b"), (series(0.5, 0.4),)),))
    told = dataclasses.replace(
        comparison(run("a", 0.6), run("b", 0.5)),
        tables=(table, items),
        charts=(chart,),
        files={"items.csv": "item,right\n1,2\n"},
    )
    write_comparison(told, tmp_path)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert page.index("All models") < page.index("By source") < page.index("Missed by all")
    text = (tmp_path / "compare.md").read_text(encoding="utf-8")
    assert "![All models](figures/radar.svg)" in text
    assert "## By source" in text
    assert (tmp_path / "items.csv").read_text(encoding="utf-8") == "item,right\n1,2\n"
    for name in ("tables/t.csv", "tables/items-missed.tex", "figures/radar.svg"):
        assert (tmp_path / name).is_file()


def test_what_an_earlier_comparison_wrote_and_is_no_longer_part_of_it_goes(
    tmp_path: Path,
) -> None:
    two = comparison(run("a", 0.6), run("b", 0.5))
    more = dataclasses.replace(
        two, tables=(listed("people-reach", 3),), files={"items.csv": "item\n1\n"}
    )
    write_comparison(more, tmp_path)
    (tmp_path / "tables" / "people-notes.txt").write_text("mine")
    write_comparison(two, tmp_path)
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")}
    assert "tables/people-notes.txt" in left
    assert not left & {"tables/people-reach.csv", "tables/people-reach.tex", "items.csv"}
    assert {"tables/runs.csv", "figures/compare.svg", "compare.csv", "compare.md"} <= left


def test_a_run_called_by_its_model_is_told_once() -> None:
    same = [dataclasses.replace(run(name, 0.5), model=name) for name in ("owl", "cat")]
    both = comparison(*same)
    assert comparison_page(both).count(">owl<") == comparison_page(
        comparison(*(dataclasses.replace(one, model="m") for one in same))
    ).count(">owl<")
    assert "| Run | Accuracy, % |" in comparison_markdown(both)
    assert "| Run | Model | Accuracy, % |" in comparison_markdown(comparison(*same, run("a", 0.4)))
    assert '<small class="quiet under"><bdi>model</bdi></small>' in comparison_page(
        comparison(*same, run("a", 0.4))
    )


def listed(name: str, n_lines: int, *, ranked: bool = False) -> Table:
    lines = tuple(Line(f"line {i}", (Estimate(0.5, None, None, 100),)) for i in range(n_lines))
    return Table(name, f"Title of {name}", (Column("x", "percent"),), lines, ranked=ranked)


def test_pairs_come_after_the_tables_of_a_benchmark_that_has_its_own() -> None:
    two = comparison(run("a", 0.6), run("b", 0.5), pairs=(pair("a", "b", 0.1, 0.01),))
    ranked = dataclasses.replace(two, tables=(listed("table3", 3, ranked=True),))
    page = comparison_page(ranked)
    assert page.index("Title of table3") < page.index("Pair by pair") < page.index("By kind")
    assert page.count("Pair by pair") == 1
    text = comparison_markdown(ranked)
    assert text.index("Title of table3") < text.index("Pairs of runs") < text.index("by kind")
    plain = comparison_page(dataclasses.replace(two, tables=(listed("judge-draws", 3),)))
    assert plain.index("Pair by pair") < plain.index("Title of judge-draws")


def test_long_lists_of_items_are_folded_and_other_tables_are_not() -> None:
    tables = (listed("places", 51), listed("items-some", 12), listed("items-many", 13))
    page = comparison_page(dataclasses.replace(many(3), tables=tables))
    opened = {
        title: bool(is_open)
        for is_open, title in re.findall(
            r'<details class="panel"( open)?>\s*<summary><h3 id="o[^>]*><bdi>Title of ([^<,]*)',
            page,
        )
    }
    assert opened == {"places": True, "items-some": True, "items-many": False}
    assert '<span class="quiet">13 rows</span>' in page


def test_the_figure_of_runs_names_their_metric_on_its_scale() -> None:
    def told(metric: str, value: float) -> str:
        cells = (Cell("", "", metric, Estimate(value, value - 0.1, value + 0.1, 100)),)
        runs = [RunResult(name, "model", cells) for name in ("a", "b")]
        (drawing,) = comparison_figures(dataclasses.replace(comparison(*runs), metric=metric))
        return drawing.svg

    assert "Overall, with 95 % interval<" in told("overall", 0.5)
    assert "SRCC with people, with 95 % interval<" in told("srcc_mos", -0.5)
    assert "100 %<" not in told("srcc_mos", -0.5)
    (drawing,) = comparison_figures(comparison(run("a", 0.6), run("b", 0.5)))
    assert "answered right, with 95 % interval;" in drawing.svg


def series(*values: float) -> Series:
    return Series("overall", values)
