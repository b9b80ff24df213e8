"""A run's whole report on Q-Bench-Portrait: its cells, its tables and the models in its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.benchmarks.samples import SAMPLES

from eyechart import RunSettings, evaluate
from eyechart.benchmarks.qbench_portrait import BENCHMARK
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, TABLES
from eyechart.errors import UnknownName
from eyechart.prompts import Judging
from eyechart.records import Cell, Estimate, Report
from eyechart.run import Outcome, rewrite_report

SAID = {"a.png": "A", "b.png": "A, C", "c.png": "True", "d.png": "It has many fingers."}


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """Two of three closed questions right, and an open answer that is half right."""
    (tmp_path / "model.json").write_text(json.dumps(SAID))
    (tmp_path / "judge.json").write_text(json.dumps({"": "Score: 1"}))
    settings = RunSettings(
        judges=(f"scripted:{tmp_path / 'judge.json'}",),
        judging=Judging(n_draws=1),
        workspace=tmp_path / "runs",
        data=SAMPLES["qbench-portrait"](tmp_path).data,
    )
    address = f"scripted:{tmp_path / 'model.json'}"
    return evaluate(BENCHMARK.name, address, out=tmp_path / "run", settings=settings)


def cells(report: Report, metric: str, facet: str = "") -> dict[str, Cell]:
    return {c.value: c for c in report.cells if (c.metric, c.facet) == (metric, facet)}


def own_figures(report: Report, name: str) -> dict[str, Estimate]:
    """The run's line in one of the paper's tables, by subset."""
    (table,) = (one for one in report.tables if one.name == name)
    (line,) = (one for one in table.lines if one.label == report.model)
    figures = zip((key for _, _, key in TABLES[name]), line.entries, strict=True)
    return {key: figure for key, figure in figures if isinstance(figure, Estimate)}


def test_the_overall_figure_of_the_table_is_that_of_the_report(outcome: Outcome) -> None:
    overall = cells(outcome.report, "overall")[""].estimate
    assert own_figures(outcome.report, "table3")["Overall"] == overall
    assert overall.value == 2.5 / 4


def test_figures_by_facet_of_the_table_are_those_of_the_report(outcome: Outcome) -> None:
    by_kind = cells(outcome.report, "overall", "kind")
    figures = own_figures(outcome.report, "table3")
    assert {CODES[kind]: cell.estimate.value for kind, cell in by_kind.items()} == {
        code: figures[code].value for code in CODES.values()
    }


def test_the_report_is_written_again_with_the_models_that_are_chosen(outcome: Outcome) -> None:
    names = ["GPT-5.2", "Pixtral (12B)"]
    report = rewrite_report(outcome.folder, chosen=names).report
    (radar,) = (chart for chart in report.charts if chart.form == "radar")
    assert [series.name for series in radar.panels[1].series] == [report.model, *names]
    page = (outcome.folder / "report.html").read_text(encoding="utf-8")
    (drawn,) = (p for p in page.split("<figure") if "(b) By subset" in p)
    assert all(name in drawn for name in names) and "Grok-4" not in drawn.partition("(b) By")[2]
    with pytest.raises(UnknownName, match=r"did you mean 'GPT-5\.2'"):
        rewrite_report(outcome.folder, chosen=["GPT-5.3"])
