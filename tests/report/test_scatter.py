from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.report.conftest import Demo
from tests.report.demo import HOSTILE

from eyechart.metrics.logistic import Logistic, fit_logistic
from eyechart.records import Column, Item, Line, Report, Score, Table
from eyechart.report import Entry, write_report
from eyechart.report.entries import listing_of
from eyechart.report.page import report_page
from eyechart.report.scatter import (
    MOST_PANELS,
    MOST_SHAPES,
    Cloud,
    clouds_of,
    ratings_caption,
    ratings_drawing,
    ratings_panels,
)

TABLE = Table("own", "Own", (Column("KonIQ-10k"),), (Line("signal", (None,)),))
COUNTS = {"n_items": 1, "n_scored": 1}
REPORT = Report("Ratings", "rate", "signal", "Rated.", (), counts=COUNTS, tables=(TABLE,))
CURVE = Logistic(5.0, 1.0, 0.5, 0.1)


def rated(n: int, database: str = "KonIQ-10k", seed: int = 0) -> list[Entry]:
    """`n` images whose people's scores follow the ratings along a logistic curve, with noise."""
    random = np.random.default_rng(seed)
    ratings = random.uniform(0, 1, n)
    scores = CURVE(ratings) + random.normal(0, 0.3, n)
    return [
        entry(f"{database}/{i}", rating, mos, database)
        for i, (rating, mos) in enumerate(zip(ratings.tolist(), scores.tolist(), strict=True))
    ]


def entry(item_id: str, rating: float | None, mos: float | None = 3.0, database: str = "") -> Entry:
    facets = {"database": database} if database else {}
    item = Item(item_id, "rate", "Rate it.", (), mos=mos, facets=facets)
    further = Score(item_id, "rating.argmax:good/poor", 1.0)
    return Entry(item, (), (further, Score(item_id, "rating", rating)))


def drawn_points(svg: str) -> int:
    return svg.count('style="fill: #0072b2')


def titles(clouds: Sequence[Cloud]) -> list[str]:
    return [words for words, _ in ratings_panels(clouds, "signal")]


def test_each_database_has_a_cloud_of_its_rated_images_with_srcc_and_curve() -> None:
    first, second = clouds_of([*rated(300), *rated(200, "SPAQ", seed=1)])
    assert (first.name, first.mos.size, second.name, second.mos.size) == (
        *("KonIQ-10k", 300),
        *("SPAQ", 200),
    )
    assert first.srcc is not None
    assert first.srcc > 0.9
    assert first.curve == fit_logistic(first.ratings, first.mos)
    assert first.curve is not None
    assert np.abs(first.curve([0.2, 0.5, 0.8]) - CURVE([0.2, 0.5, 0.8])).max() < 0.2


def test_each_half_has_a_cloud_of_its_own_because_it_has_a_scale_of_its_own() -> None:
    """Both follow people's scores, on scales that make all images together look unrelated."""
    entries = [
        entry(f"{half}{i}", rating=start + i / 10, mos=9 - 9 * start + i, database="CGIQA-6K")
        for half, start in (("first", 0.1), ("second", 0.5))
        for i in range(4)
    ]
    halves = [
        dataclasses.replace(
            e, item=dataclasses.replace(e.item, facets={**e.item.facets, "half": e.item.id[:-1]})
        )
        for e in entries
    ]
    assert [(cloud.name, cloud.srcc) for cloud in clouds_of(halves)] == [
        *(("CGIQA-6K, first half", 1.0), ("CGIQA-6K, second half", 1.0))
    ]


def test_only_the_first_strategys_ratings_of_images_with_peoples_scores_are_drawn(
    demo: Demo,
) -> None:
    (cloud,) = clouds_of([entry("a", 0.25), entry("unscored", None), entry("none", 0.5, None)])
    assert (cloud.ratings.tolist(), cloud.mos.tolist()) == ([0.25], [3.0])
    assert clouds_of([entry("unscored", None)]) == ()
    assert clouds_of(demo.entries) == ()


def test_srcc_and_n_stand_above_the_points_a_dash_where_there_is_none() -> None:
    few = clouds_of([entry("a", 0.2, 1.0), entry("b", 0.4, 2.0), entry("c", 0.9, 1.5)])
    assert titles(few) == ["SRCC 0.500, n = 3"]
    constant = clouds_of([entry(str(i), 0.5, float(i), "SPAQ") for i in range(1200)])
    ((words, svg),) = ratings_panels(constant, "signal")
    assert words == "SPAQ, SRCC –, n = 1,200"
    for text in ("SRCC –, n = 1,200", "people's mean opinion score", "signal's rating"):
        assert f">{text}</text>" in svg


def test_a_curve_is_drawn_where_one_can_be_fitted() -> None:
    line = "stroke: #d55e00"
    ((_, svg),) = ratings_panels(clouds_of(rated(40)), "signal")
    assert line in svg
    ((_, svg),) = ratings_panels(clouds_of([entry("alone", 0.5)]), "signal")
    assert line not in svg


def test_few_points_are_shapes_and_many_a_small_picture() -> None:
    ((_, svg),) = ratings_panels(clouds_of(rated(200)), "signal")
    assert "<image" not in svg
    assert drawn_points(svg) == 200
    panels = ratings_panels(clouds_of([*rated(9_000), *rated(12, "SPAQ")]), "signal")
    for _, svg in panels:
        assert svg.count("<image") == 1
        assert drawn_points(svg) == 0
        assert len(svg) < 60_000


def test_up_to_eight_databases_are_drawn_and_more_are_said_to_be_left_out() -> None:
    clouds = clouds_of([e for i in range(MOST_PANELS + 1) for e in rated(6, f"set {i}")])
    assert len(ratings_panels(clouds, "signal")) == MOST_PANELS
    drawing = ratings_drawing(clouds, "signal")
    assert ">set 7</text>" in drawing.svg
    assert ">set 8</text>" not in drawing.svg
    assert ratings_caption(clouds).endswith("The first 8 of 9 sets of images are drawn.")
    assert "sets of images" not in ratings_caption(clouds[:MOST_PANELS])


@pytest.mark.parametrize("n", [40, MOST_SHAPES + 1])
def test_the_section_stands_after_the_tables_and_its_figure_in_the_run_folder(
    tmp_path: Path, n: int
) -> None:
    entries = rated(n)
    for folder in ("a", "b"):
        write_report(REPORT, entries, tmp_path / folder)
    files = ("report.html", "report.md", "figures/ratings.svg", "figures/ratings.png")
    first, second = ([(tmp_path / f / name).read_bytes() for name in files] for f in "ab")
    assert first == second
    page, markdown = first[0].decode(), first[1].decode()
    places = [page.index(f'id="{name}"') for name in ("own1", "ratings", "items")]
    assert places == sorted(places)
    assert "signal's rating against people's mean opinion score: KonIQ-10k, SRCC" in page.replace(
        "&#39;", "'"
    )
    assert "![Ratings and people's scores](figures/ratings.svg)" in markdown


def test_without_ratings_beside_peoples_scores_there_is_no_section(tmp_path: Path) -> None:
    write_report(REPORT, [entry("a", None)], tmp_path)
    assert 'id="ratings"' not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "figures/" not in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert not (tmp_path / "figures").exists()


def test_foreign_names_of_databases_and_models_break_nothing() -> None:
    forged = 'x" base64,AAAA'
    report = dataclasses.replace(REPORT, model=f"{HOSTILE}'s")
    entries = [*rated(MOST_SHAPES, HOSTILE), *rated(9, forged), *rated(9, "$\\frac{$")]
    page = report_page(report, listing_of([]), clouds_of(entries))
    assert page.count("<figure>") == 3
    assert "<script>alert" not in page
    assert "base64,AAAA" in page
