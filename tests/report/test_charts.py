"""A benchmark's own figures: radars and shares, on the page and in files."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.demo import HOSTILE
from tests.report.test_own_tables import report_of
from tests.report.test_page import Elements

from eyechart.errors import BadInput
from eyechart.records import Chart, Panel, Series
from eyechart.report.charts import drawings_of, figures_of_charts, file_of
from eyechart.report.drawing import BLUE
from eyechart.report.entries import listing_of
from eyechart.report.markdown import report_markdown
from eyechart.report.page import report_page
from eyechart.report.radar import LINE, MOST_SPOKES, spokes_of, spread
from eyechart.report.write import write_report

MODELS = tuple(f"model {i} (7B)" for i in range(26))
THEIRS = Series("published", (*(0.3 + i / 100 for i in range(25)), None), published=True)
OURS = Series("measured here", (*[None] * 25, 0.61))
ALL = Panel("(a) Overall", MODELS, (THEIRS, OURS))
SUBSETS = tuple(f"S{i}" for i in range(12))
SOME = Panel(
    "(b) By subset",
    SUBSETS,
    tuple(Series(f"model {i}", (0.1 * i,) * 12, published=i > 0) for i in range(1, 7)),
)
RADAR = Chart("radar", "Figures of the models", "radar", (ALL, SOME), "Note & more.")
SHARES = Chart(
    "distribution",
    "What the items are",
    "shares",
    (Panel("Scopes", ("Global", "Local"), (Series("items", (1363.0, 1402.0)),)),),
)


def svg_of(chart: Chart) -> str:
    (drawing,) = drawings_of([chart])
    return drawing.svg


def words_of(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def of_label(svg: str, label: str) -> str:
    (style,) = re.findall(rf'<text style="([^"]*)"[^>]*>{re.escape(label)}</text>', svg)
    return str(style)


def test_a_chart_is_drawn_the_same_each_time_in_both_forms() -> None:
    first, second = drawings_of([RADAR, SHARES]), drawings_of([RADAR, SHARES])
    assert first == second
    assert [drawing.name for drawing in first] == ["radar", "distribution"]
    assert all(drawing.png.startswith(b"\x89PNG") for drawing in first)


def test_every_label_of_a_radar_is_written_and_the_scale_is_told() -> None:
    told = words_of(svg_of(RADAR))
    assert set(MODELS) | set(SUBSETS) <= set(told)
    assert "from 0 in the middle, a ring every 10 points; blue: measured here" in told
    assert {"20", "40", "60 %"} <= set(told)


def test_what_was_measured_here_stands_out_on_a_circle_of_many_models() -> None:
    svg = svg_of(RADAR)
    assert BLUE.lower() in of_label(svg, MODELS[-1])
    assert "font-weight: 700" in of_label(svg, MODELS[-1]) or "bold" in of_label(svg, MODELS[-1])
    assert BLUE.lower() not in of_label(svg, MODELS[0])


def test_series_over_the_same_axes_have_a_legend_and_a_circle_of_models_has_none() -> None:
    assert "published" not in words_of(svg_of(dataclasses.replace(RADAR, panels=(ALL,))))
    assert {f"model {i}" for i in range(1, 7)} <= set(words_of(svg_of(RADAR)))


def test_more_than_seven_series_are_counted_and_not_drawn() -> None:
    many = tuple(Series(f"model {i}", (0.5,) * 12) for i in range(10))
    told = words_of(svg_of(dataclasses.replace(RADAR, panels=(Panel("", SUBSETS, many),))))
    assert "model 6" in told
    assert "model 7" not in told
    assert "and 3 more, not drawn" in told


def test_an_undefined_value_leaves_a_gap() -> None:
    gap = Panel("", SUBSETS, (Series("a", (None, *[0.5] * 11)), Series("b", (0.4,) * 12)))
    nothing = Panel("", SUBSETS, (Series("a", (None,) * 12),))
    for panel in (gap, nothing):
        assert "nan" not in svg_of(Chart("r", "R", "radar", (panel,)))


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=40), st.floats(0.01, 0.5))
def test_labels_are_spread_until_none_is_on_another(places: list[float], gap: float) -> None:
    moved = spread(sorted(places), gap)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(moved))


def test_shares_are_told_with_count_and_percent() -> None:
    told = words_of(svg_of(SHARES))
    assert {"Scopes", "Global", "Local", "1,363  (49.3 %)", "1,402  (50.7 %)"} <= set(told)


def test_several_series_of_shares_stand_under_each_other_with_a_key() -> None:
    series = (Series("published", (3.0, 1.0), published=True), Series("this run", (None, 0.0)))
    told = words_of(svg_of(Chart("s", "S", "shares", (Panel("P", ("a", "b"), series),))))
    assert {"published", "this run", "3  (75.0 %)", "–", "0"} <= set(told)


def test_the_page_holds_each_panel_with_ids_of_its_own_and_its_note() -> None:
    report = dataclasses.replace(report_of(), charts=(RADAR, SHARES))
    page = report_page(report, listing_of([]))
    assert page.count('<svg role="img" aria-label="Figures of the models: ') == 2
    assert "Note &amp; more." in page
    ids = [attrs["id"] for _, attrs in Elements(page).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_files_and_the_markdown_have_each_chart(tmp_path: Path) -> None:
    report = dataclasses.replace(report_of(), charts=(RADAR, SHARES))
    write_report(report, [], tmp_path)
    for name in ("radar", "distribution"):
        assert (tmp_path / "figures" / f"{name}.svg").is_file()
        assert (tmp_path / "figures" / f"{name}.png").is_file()
    assert "![Figures of the models](figures/radar.svg)" in report_markdown(report)


def test_foreign_names_in_a_chart_choose_no_file_and_never_become_markup() -> None:
    series = Series(HOSTILE, (0.5, 0.4))
    chart = Chart(
        "../x", HOSTILE, "radar", (Panel(HOSTILE, (HOSTILE, HOSTILE), (series,)),), HOSTILE
    )
    assert file_of(chart) == "x"
    (figure,) = figures_of_charts([chart])
    assert "<script" not in "".join(figure.panels)
    report = dataclasses.replace(report_of(), charts=(chart,))
    assert Elements(report_page(report, listing_of([]))).count("script") == 1
    assert "<script" not in report_markdown(report)


def test_a_series_that_does_not_fit_its_labels_is_named() -> None:
    wrong = Panel("P", ("a", "b"), (Series("short", (0.5,)),))
    with pytest.raises(BadInput, match=r"chart r: the series 'short' has 1 values for 2 labels"):
        drawings_of([Chart("r", "R", "radar", (wrong,))])


def test_a_chart_without_a_panel_and_a_panel_without_labels_are_named() -> None:
    with pytest.raises(BadInput, match="chart r: has no panel; expected one or more"):
        drawings_of([Chart("r", "R", "radar", ())])
    with pytest.raises(BadInput, match="chart r: the panel 'P' has 0 labels and 0 series"):
        figures_of_charts([Chart("r", "R", "radar", (Panel("P", (), ()),))])


def crowd(n_published: int, n_here: int) -> Panel:
    """As many models with one figure each, the last published one the best."""
    labels = tuple(f"model {i} (7B)" for i in range(n_published + n_here))
    theirs = (*(0.3 + i / 1000 for i in range(n_published)), *[None] * n_here)
    ours = (*[None] * n_published, *(0.2 + i / 1000 for i in range(n_here)))
    return Panel("(a) Overall", labels, (Series("p", theirs, published=True), Series("h", ours)))


def test_more_models_than_a_circle_has_room_for_stand_in_columns_the_best_first() -> None:
    panel = crowd(26, 29)
    told = words_of(svg_of(Chart("radar", "R", "radar", (panel,))))
    assert "the best first, on 0 to 40 %; blue: measured here" in told
    models = [word for word in told if word.startswith("model ")]
    assert sorted(models) == sorted(panel.labels)
    assert (models[0], models[-1]) == ("model 25 (7B)", "model 26 (7B)")
    assert {"32.5", "20.0"} <= set(told)


def test_no_two_models_of_many_stand_on_each_other() -> None:
    svg = svg_of(Chart("radar", "R", "radar", (crowd(26, 29),)))
    places = re.findall(r'<text style="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>model ', svg)
    by_column: dict[str, list[float]] = {}
    for x, y in places:
        by_column.setdefault(x, []).append(float(y))
    assert [len(column) for column in by_column.values()] == [28, 27]
    for column in by_column.values():
        assert min(b - a for a, b in itertools.pairwise(sorted(column))) > 7


def test_what_was_measured_here_stands_out_in_columns_too_and_nothing_has_a_dash() -> None:
    panel = crowd(26, 8)
    (theirs, ours) = panel.series
    ours = dataclasses.replace(ours, values=(*ours.values[:-1], None))
    svg = svg_of(Chart("radar", "R", "radar", (dataclasses.replace(panel, series=(theirs, ours)),)))
    assert BLUE.lower() in of_label(svg, "model 26 (7B)")
    assert BLUE.lower() not in of_label(svg, "model 0 (7B)")
    assert words_of(svg)[-2:] == ["model 33 (7B)", "–"]
    assert "nan" not in svg


def test_as_many_models_as_a_circle_has_room_for_stay_on_it() -> None:
    told = words_of(svg_of(Chart("radar", "R", "radar", (crowd(26, MOST_SPOKES - 26),))))
    assert "from 0 in the middle, a ring every 10 points; blue: measured here" in told


@pytest.mark.parametrize("n", [3, 12, 16, 17, 25, 26, 40])
def test_no_two_labels_of_a_circle_stand_on_each_other(n: int) -> None:
    spokes = spokes_of(["A model (70B)"] * n, 1.3)
    for a, b in itertools.combinations(spokes, 2):
        apart = abs(a.label_down - b.label_down) >= LINE - 1e-9
        assert apart or {a.side, b.side} == {"left", "right"}
