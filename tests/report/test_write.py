from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.report.conftest import Demo
from tests.report.demo import HOSTILE

from eyechart.errors import BadInput
from eyechart.records import Cell, Curve, Estimate, Report
from eyechart.report import write_report
from eyechart.report.drawing import inline
from eyechart.report.figures import figures_of
from eyechart.report.markdown import report_markdown
from eyechart.report.page import cards_of
from eyechart.report.sight import by_setting
from eyechart.report.sight_figures import severity_panels
from eyechart.report.write import write_files


def files_under(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_same_report_writes_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    assert write_report(demo.report, demo.entries, tmp_path / "a") == tmp_path / "a" / "report.html"
    write_report(demo.report, demo.entries, tmp_path / "b")
    first = files_under(tmp_path / "a")
    assert first == files_under(tmp_path / "b")
    assert {"report.html", "report.md", "tables/overall.csv", "tables/overall.tex"} <= set(first)
    for name in ("accuracy", "severity", "thresholds"):
        assert {f"figures/{name}.svg", f"figures/{name}.png"} <= set(first)


def test_a_report_is_written_over_an_older_one_and_nothing_else_is_left(
    demo: Demo, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text("old")
    write_report(demo.report, demo.entries, tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not list(tmp_path.rglob("*.part"))


def test_what_an_earlier_report_wrote_and_is_no_longer_part_of_it_goes(tmp_path: Path) -> None:
    write_report(graded("accuracy"), (), tmp_path)
    assert "tables/accuracy-by-kind.csv" in files_under(tmp_path)
    write_report(graded("overall"), (), tmp_path)
    left = files_under(tmp_path)
    write_report(graded("overall"), (), tmp_path / "new")
    assert left == files_under(tmp_path / "new")
    assert "figures/overall.svg" in left


def test_a_file_of_anybody_elses_stays_in_the_folder(tmp_path: Path) -> None:
    mine = ("tables/mine.csv", "tables/notes.txt", "figures/me.png", "items.csv", "a.svg")
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    for metric in ("accuracy", "overall"):
        write_report(graded(metric), (), tmp_path)
    assert all((tmp_path / name).read_text() == "mine" for name in mine)
    assert not (tmp_path / "figures/accuracy.png").exists()


def test_a_page_cannot_have_other_files_than_tables_and_figures_removed(tmp_path: Path) -> None:
    precious = ("mine.csv", "folder/tables/mine.csv", "folder/tables/mine.txt", "folder/report.md")
    for name in precious:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    names = f"../mine.csv tables/../../mine.csv {tmp_path}/mine.csv tables/mine.txt report.md"
    folder = tmp_path / "folder"
    (folder / "report.html").write_text(f"<p>old\n<!-- files: {names} tables/gone.csv -->\n")
    write_report(graded("accuracy"), (), folder)
    assert all((tmp_path / name).is_file() for name in precious)
    (folder / "report.html").write_text("<p>old\n<!-- files: tables/mine.csv -->\n")
    write_report(graded("accuracy"), (), folder)
    assert not (folder / "tables/mine.csv").exists()


def test_a_report_and_a_comparison_in_one_folder_leave_each_others_files(tmp_path: Path) -> None:
    write_report(graded("accuracy"), (), tmp_path)
    page = "compare.html"
    files = {"tables/accuracy-by-kind.csv": b"both", "tables/runs.csv": b"one", "items.csv": b"1"}
    write_files(tmp_path, files, page=page, text="<p>")
    write_files(tmp_path, {}, page=page, text="<p>")
    left = files_under(tmp_path)
    assert "tables/accuracy-by-kind.csv" in left
    assert not {"tables/runs.csv", "items.csv"} & set(left)


def graded(*metrics: str) -> Report:
    cells = [
        Cell(facet, value, metric, Estimate(0.5, 0.4, 0.6, 90))
        for metric in metrics
        for facet, value in (("", ""), ("kind", "single"), ("kind", "open"))
    ]
    counts = {"n_items": 90, "n_scored": 90}
    return Report("A test", "demo", "m", "It was found.", tuple(cells), counts=counts)


def test_the_dots_are_of_the_overall_figure_where_there_is_one() -> None:
    (overall,) = figures_of(graded("overall", "accuracy", "verdict"))
    (accuracy,) = figures_of(graded("accuracy", "verdict"))
    assert (overall.name, accuracy.name) == ("overall", "accuracy")
    assert "Overall, with 95 % interval<" in overall.svg
    assert "open question" in overall.svg
    assert "answered right, with 95 % interval<" in accuracy.svg
    assert figures_of(graded("verdict")) == ()


def test_the_markdown_shows_the_figure_that_is_written() -> None:
    overall = report_markdown(graded("overall", "accuracy"))
    assert "![Overall by group](figures/overall.svg)" in overall
    assert "accuracy.svg" not in overall
    assert "![Accuracy by group](figures/accuracy.svg)" in report_markdown(graded("accuracy"))
    assert "by group" not in report_markdown(graded("verdict"))


def test_the_overall_figure_is_the_first_of_the_cards() -> None:
    cards = cards_of(graded("overall", "accuracy", "verdict"))
    assert [card.name for card in cards] == [
        *("Overall", "Accuracy", "Open answers", "Replies scored"),
    ]


def test_a_folder_that_cannot_be_written_is_named(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file is in the way")
    with pytest.raises(BadInput, match=r"tables/overall.csv: the report cannot be written .*--out"):
        write_report(demo.report, demo.entries, tmp_path)


def test_words_in_svg_stay_words_and_carry_no_date(demo: Demo) -> None:
    for drawing in figures_of(demo.report):
        assert "<text" in drawing.svg
        assert "<dc:date>" not in drawing.svg
        assert drawing.png.startswith(b"\x89PNG")


def test_figures_cope_with_names_that_are_formulas_or_foreign(demo: Demo) -> None:
    curve = dataclasses.replace(demo.report.curves[0], name="$\\frac{$", unit=HOSTILE)
    assert len(figures_of(dataclasses.replace(demo.report, curves=(curve,)))) == 3


def test_a_curve_without_any_value_is_drawn_empty() -> None:
    nothing = Estimate(None, None, None, 0)
    curve = Curve("blur", "px", (1.0, 2.0), (nothing, nothing), 0.5, nothing)
    ((name, svg),) = severity_panels({"": [curve]}, thresholds=True)
    assert name == "blur"
    assert "not seen at any tested severity" in svg


def test_an_inline_figure_has_ids_of_its_own(demo: Demo) -> None:
    (_, svg), *_ = severity_panels(by_setting(demo.report.curves), thresholds=True)
    text = inline(svg, prefix="s1-", label="Blur")
    assert text.startswith('<svg role="img" aria-label="Blur"')
    assert 'id="s1-figure_1"' in text
    assert "<style" not in text
