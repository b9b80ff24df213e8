from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import pytest
from tests.report.conftest import same_as_golden
from tests.report.demo import (
    ALONE,
    BESIDE,
    HOSTILE,
    demo_answers,
    demo_curves,
    demo_facts,
    demo_items,
    demo_photographs,
)

from eyechart.records import Cell, Estimate, Report
from eyechart.report import build_report
from eyechart.report.markdown import report_markdown
from eyechart.report.printed import csv_text, latex_escaped, latex_text, markdown_escaped
from eyechart.report.tables import tables_of

UNDEFINED = Cell("", "", "srcc_mos", Estimate(None, None, None, 3), n_unscored=1)
FEW = Cell("camera", "a", "accuracy", Estimate(0.5, 0.2, 0.8, 29))
ENOUGH = Cell("camera", "b", "accuracy", Estimate(0.5, 0.3, 0.7, 30))


def report_of(*cells: Cell) -> Report:
    return Report("A test", "demo", "m", "It was found.", cells)


def small_report(folder: Path) -> Report:
    items = demo_items(demo_photographs(folder, 12), 12)
    items = dataclasses.replace(items, card=dataclasses.replace(items.card, cluster=""))
    responses, scores = demo_answers(items)
    return build_report(items, responses, scores, demo_facts())


def test_a_dozen_items_give_the_golden_markdown(tmp_path: Path, golden: Path) -> None:
    assert same_as_golden(report_markdown(small_report(tmp_path)), golden / "report.md")


def test_a_dozen_items_give_the_golden_csv_and_latex(tmp_path: Path, golden: Path) -> None:
    by_name = {table.name: table for table in tables_of(small_report(tmp_path))}
    assert same_as_golden(csv_text(by_name["accuracy-by-kind"]), golden / "accuracy-by-kind.csv")
    assert same_as_golden(latex_text(by_name["accuracy-by-kind"]), golden / "accuracy-by-kind.tex")
    assert same_as_golden(latex_text(by_name["thresholds"]), golden / "thresholds.tex")


def test_an_undefined_value_is_a_dash_for_people_and_empty_for_machines() -> None:
    (table,) = tables_of(report_of(UNDEFINED))
    assert table.rows == (("SRCC with people", "–", "–", "3†", "1"),)
    (row,) = csv.DictReader(io.StringIO(csv_text(table)))
    assert (row["estimate"], row["low"], row["high"], row["chance"]) == ("", "", "", "")


def test_correlations_over_fewer_than_thirty_items_are_marked() -> None:
    few, enough = (dataclasses.replace(cell, metric="srcc_mos") for cell in (FEW, ENOUGH))
    (table,) = tables_of(report_of(few, enough))
    assert [row[3] for row in table.rows] == ["29†", "30"]
    assert "† fewer than 30 items" in report_markdown(report_of(few))
    assert "\\textdagger{} fewer than 30 items" in latex_text(table)
    assert "fewer than 30" not in report_markdown(report_of(enough))


@pytest.mark.parametrize("metric", ["overall", "accuracy", "verdict"])
def test_shares_of_too_few_questions_to_tell_two_models_apart_are_marked(metric: str) -> None:
    few = dataclasses.replace(FEW, metric=metric)
    plenty = dataclasses.replace(few, value="b", estimate=Estimate(0.5, 0.4, 0.6, 100))
    (table,) = tables_of(report_of(few, plenty))
    assert [row[3] for row in table.rows] == ["29‡", "100"]
    told = "fewer than 55 questions; a difference of 20 points between two models"
    assert f"\n‡ {told} would often not show (" in report_markdown(report_of(few, plenty))
    assert f"\\textdaggerdbl{{}} {told}" in latex_text(table)
    assert told not in report_markdown(report_of(plenty))


def test_what_all_items_come_to_is_never_grey() -> None:
    (table,) = tables_of(report_of(dataclasses.replace(FEW, facet="", value="")))
    assert table.rows[0][3] == "29†"


def test_a_hostile_facet_cannot_choose_its_file() -> None:
    cells = [
        dataclasses.replace(FEW, facet=facet)
        for facet in ("../../etc/passwd", "etc passwd", "画質")
    ]
    assert [table.name for table in tables_of(report_of(*cells))] == [
        "accuracy-by-etc-passwd",
        "accuracy-by-etc-passwd-2",
        "accuracy-by",
    ]


def test_a_spreadsheet_runs_no_foreign_formula() -> None:
    cells = [dataclasses.replace(FEW, value=value) for value in ("=1+1", "-3.5", "@x")]
    (table,) = tables_of(report_of(*cells))
    rows = csv.DictReader(io.StringIO(csv_text(table)))
    assert [row["value"] for row in rows] == ["'=1+1", "-3.5", "'@x"]


def test_latex_prints_foreign_text_as_it_stands() -> None:
    assert latex_escaped("50 % of a_b {x} \\cmd ~ ^ # & $") == (
        "50 \\% of a\\_b \\{x\\} \\textbackslash{}cmd \\textasciitilde{} "
        "\\textasciicircum{} \\# \\& \\$"
    )


def test_markdown_prints_foreign_text_as_it_stands() -> None:
    text = markdown_escaped(HOSTILE + "\n# heading [link](x) `code`")
    assert "<" not in text
    assert "\n" not in text
    assert "\\|" in text
    assert "\\[link\\]" in text
    text.encode("utf-8")


def test_thresholds_of_several_settings_are_told_apart() -> None:
    curves = (*demo_curves(BESIDE), *demo_curves(ALONE))
    report = dataclasses.replace(report_of(), curves=curves)
    thresholds, severity = tables_of(report)
    rows = list(csv.DictReader(io.StringIO(csv_text(thresholds))))
    assert [row["setting"] for row in rows] == [BESIDE] * 6 + [ALONE] * 6
    assert rows[0]["threshold"] < rows[6]["threshold"]
    assert thresholds.rows[6][:3] == (
        "From one photograph alone",
        "blur",
        "px (standard deviation)",
    )
    assert thresholds.rows[11][3] == "perhaps 51"
    assert len(severity.rows) == 12 * 8


def test_with_one_setting_people_are_spared_the_column() -> None:
    curves = tuple(dataclasses.replace(curve, setting="") for curve in demo_curves())
    thresholds, _ = tables_of(dataclasses.replace(report_of(), curves=curves))
    assert thresholds.header[0] == "Distortion"
    assert thresholds.data_header[0] == "setting"
