from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import pytest
from tests.report.conftest import Demo
from tests.report.demo import HOSTILE

from eyechart.records import Cell, Estimate
from eyechart.report.compare_page import (
    comparison_markdown,
    comparison_page,
    write_comparison,
)
from eyechart.report.comparison import Comparison, Pair, RunResult, comparison_headline


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
    two = comparison(run("a", 0.6), run("b", None))
    write_comparison(two, tmp_path)
    text = (tmp_path / "compare.md").read_text(encoding="utf-8")
    assert "| single choice | 60.0† (55.0–65.0) | – |" in text
    assert "† fewer than 30 items" in text


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
