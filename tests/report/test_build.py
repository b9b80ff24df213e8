from __future__ import annotations

import dataclasses

import pytest
from tests.report.demo import ALONE, BESIDE, demo_curves

from eyechart.items import Card, ItemSet
from eyechart.records import (
    Cell,
    Chart,
    Curve,
    Estimate,
    FacetValue,
    Item,
    Kind,
    Panel,
    Picture,
    Response,
    Score,
    Series,
    Table,
)
from eyechart.report import RunFacts, build_report
from eyechart.report.build import cells_of
from eyechart.report.samples import chance_of
from eyechart.rubrics import Rubric

FACTS = RunFacts("A test", "demo", "signal")
JUDGED = dataclasses.replace(FACTS, judges=("a judge",))
ABCD = ("a", "b", "c", "d")


def item(id: str, kind: Kind = "single", **facets: FacetValue) -> Item:
    options = ABCD if kind in ("single", "multiple") else ()
    answers: dict[str, str | tuple[str, ...] | bool] = {
        "single": "a",
        "multiple": ("a", "b"),
        "true_false": True,
        "open": "noise",
    }
    return Item(id, kind, "?", (Picture(name=id),), options, answers.get(kind), facets)


def items_of(*items: Item) -> ItemSet:
    return ItemSet(Card("demo"), items)


def cell(cells: tuple[Cell, ...], metric: str, facet: str = "", value: str = "") -> Cell:
    (found,) = [c for c in cells if (c.metric, c.facet, c.value) == (metric, facet, value)]
    return found


def test_an_unscored_question_counts_as_wrong_and_the_bounds_say_what_it_could_be() -> None:
    items = items_of(*(item(str(i)) for i in range(4)))
    scores = [
        Score("0", "correct", 1.0),
        Score("1", "correct", 0.0),
        Score("2", "correct", None, "unparsed"),
        Score("3", "correct", None, "failed"),
    ]
    accuracy = cell(build_report(items, [], scores, FACTS).cells, "accuracy")
    assert accuracy.estimate.value == 0.25
    assert accuracy.estimate.n == 4
    assert accuracy.bounds == (0.25, 0.75)
    assert accuracy.n_unscored == 2
    assert accuracy.why == {"failed": 1, "unparsed": 1}


def test_a_reply_that_was_not_judged_is_left_out_and_never_counts_as_zero() -> None:
    items = items_of(item("1", "open"), item("2", "open"), item("3", "open"))
    scores = [
        Score("1", "verdict", 1.0),
        Score("2", "verdict", 0.5),
        Score("3", "verdict", None, "unjudged"),
    ]
    report = build_report(items, [], scores, JUDGED)
    verdict = cell(report.cells, "verdict")
    assert verdict.estimate.value == 0.75
    assert verdict.estimate.n == 2
    assert verdict.n_unscored == 1
    assert "1 reply was not judged by a judge." in report.headline


def test_the_headline_tells_which_open_answers_count_as_0() -> None:
    items = items_of(item("1", "open"), item("2", "open"), item("3", "open"))
    scores = [
        Score("1", "verdict", 1.0),
        Score("2", "verdict", 0.5),
        Score("3", "verdict", None, "refused"),
    ]
    headline = build_report(items, [], scores, JUDGED).headline
    assert "signal's open answers earn 50.0 % of full marks" in headline
    assert "2 judged by a judge, 1 without an answer counted as 0)" in headline


def test_where_the_judge_failed_the_verdict_is_undefined_and_the_headline_says_so() -> None:
    scores = [Score("1", "verdict", None, "unjudged"), Score("2", "correct", 1.0)]
    report = build_report(items_of(item("1", "open"), item("2")), [], scores, JUDGED)
    assert cell(report.cells, "verdict").estimate == Estimate(None, None, None, 0)
    assert report.headline.endswith("1 reply was not judged by a judge.")


def test_without_a_judge_there_is_no_verdict_to_tell_of() -> None:
    scores = [Score("1", "verdict", None, "unjudged"), Score("2", "correct", 1.0)]
    report = build_report(items_of(item("1", "open"), item("2")), [], scores, FACTS)
    assert {cell.metric for cell in report.cells} == {"accuracy"}
    assert "judged" not in report.headline
    assert report.counts["unjudged"] == 1


def test_chance_is_the_mean_over_the_kinds_that_are_there() -> None:
    items = items_of(item("1"), item("2", "multiple"), item("3", "true_false"))
    cells = build_report(items, [], [], FACTS).cells
    assert cell(cells, "accuracy").chance == pytest.approx((1 / 4 + 1 / 15 + 1 / 2) / 3)
    assert cell(cells, "accuracy", "kind", "multiple").chance == 1 / 15


def test_open_questions_have_no_chance() -> None:
    assert chance_of(item("1", "open")) is None


def test_questions_whose_answer_is_withheld_are_left_out_and_told() -> None:
    withheld = dataclasses.replace(item("2"), answer=None)
    scores = [Score("1", "correct", 1.0), Score("2", "correct", None, "unjudged")]
    report = build_report(items_of(item("1"), withheld), [], scores, FACTS)
    assert cell(report.cells, "accuracy").estimate.n == 1
    assert "1 question has no right answer on file; accuracy leaves them out." in report.notes


def test_an_item_without_a_score_is_counted_as_missing() -> None:
    report = build_report(items_of(item("1"), item("2")), [], [Score("1", "correct", 1.0)], FACTS)
    assert report.counts == {"n_items": 2, "n_scored": 1, "missing": 1}
    assert report.headline.endswith("1 reply could not be scored: 1 no score on file.")


def test_when_nothing_was_scored_the_headline_says_so_first() -> None:
    scores = [Score("1", "correct", None, "failed"), Score("2", "correct", None, "failed")]
    report = build_report(items_of(item("1"), item("2")), [], scores, FACTS)
    assert report.headline == "None of signal's 2 replies could be scored: 2 failed."


def test_ratings_are_correlated_with_people_where_there_are_opinion_scores() -> None:
    items = [dataclasses.replace(item(str(i), "rate"), mos=float(i)) for i in range(40)]
    scores = [Score(str(i), "rating", (i // 2) / 40) for i in range(40)]
    srcc = cell(build_report(items_of(*items), [], scores, FACTS).cells, "srcc_mos").estimate
    assert srcc.value is not None
    assert 0.99 < srcc.value < 1


def test_without_opinion_scores_ratings_are_correlated_with_severity_per_distortion() -> None:
    items = [
        item(f"{name}{level}{i}", "rate", distortion=name, severity_level=level)
        for name in ("blur", "noise")
        for level in range(1, 9)
        for i in range(4)
    ]
    scores = [Score(i.id, "rating", 1 - int(i.facets["severity_level"]) / 9) for i in items]
    cells = build_report(items_of(*items), [], scores, FACTS).cells
    assert cell(cells, "srcc_level", "distortion", "noise").estimate.value == pytest.approx(1)
    assert not [c for c in cells if c.facet == "severity_level"], (
        "a level alone has no rank correlation"
    )


def test_the_kind_comes_first_then_facets_with_few_values() -> None:
    items = [
        item(str(i), "single" if i % 2 else "true_false", task=f"t{i % 3}", photo=str(i))
        for i in range(48)
    ]
    cells = build_report(items_of(*items), [], [], FACTS).cells
    assert list(dict.fromkeys(c.facet for c in cells)) == ["", "kind", "task"]


def test_a_facet_that_splits_as_an_earlier_one_does_is_left_out() -> None:
    items = [item(str(i), distortion=f"d{i % 2}", title=f"D{i % 2}") for i in range(8)]
    assert {c.facet for c in build_report(items_of(*items), [], [], FACTS).cells} == {
        "",
        "distortion",
    }


def test_severities_are_left_to_the_curves() -> None:
    items = [item(str(i), severity=float(i % 4), sigma=i % 20 + 0.5) for i in range(60)]
    assert {c.facet for c in build_report(items_of(*items), [], [], FACTS).cells} == {""}


def test_levels_are_in_the_order_of_numbers() -> None:
    items = [item(str(i), level=(10 - i % 11)) for i in range(44)]
    cells = build_report(items_of(*items), [], [], FACTS).cells
    assert [c.value for c in cells if c.facet == "level"] == [str(n) for n in range(11)]


def test_the_headline_tells_what_is_seen_and_what_is_not() -> None:
    curves = [dataclasses.replace(curve, setting="") for curve in demo_curves()[1:5]]
    assert (
        "It sees 3 of 4 distortions: noise from 3.2 grey levels of 255, JPEG from 1.7 × standard "
        "quantiser steps and overexposure from 0.39 EV, but not contrast loss."
    ) in headline_of(*curves)


def test_the_headline_counts_what_is_seen_in_each_setting_and_tells_the_last_in_full() -> None:
    curves = (*demo_curves(BESIDE), *demo_curves(ALONE))
    assert (
        "Beside the original it sees 5 of 6 distortions; from one photograph alone 4 of 6: blur "
        "from 2 px, noise from 10 grey levels of 255, JPEG from 5.6 × standard quantiser steps "
        "and overexposure from 1.1 EV, but not clearly contrast loss or colour cast."
    ) in headline_of(*curves)


def test_where_nothing_is_seen_no_distortion_is_named() -> None:
    blind = [demo_curves(setting)[4] for setting in (BESIDE, ALONE)]
    assert (
        "Beside the original it sees none of 1 distortion; from one photograph alone none of 1."
    ) in headline_of(*blind)


def headline_of(*curves: Curve) -> str:
    scores = [Score("1", "correct", 1.0)]
    return build_report(items_of(item("1")), [], scores, with_curves(curves)).headline


def with_curves(curves: tuple[Curve, ...]) -> RunFacts:
    return dataclasses.replace(FACTS, curves=curves)


@pytest.mark.parametrize(
    ("n_right", "words"),
    [(190, "; guessing gives 25.0 %)"), (50, "; no better than guessing"), (10, "; worse than")],
)
def test_the_headline_says_whether_guessing_does_as_well(n_right: int, words: str) -> None:
    items = items_of(*(item(str(i)) for i in range(200)))
    scores = [Score(str(i), "correct", float(i < n_right)) for i in range(200)]
    assert words in build_report(items, [], scores, FACTS).headline


def test_the_questions_of_one_photograph_have_an_interval() -> None:
    photo = Picture(name="one.png")
    items = [dataclasses.replace(item(str(i)), images=(photo,)) for i in range(8)]
    scores = [Score(str(i), "correct", 1.0) for i in range(8)]
    headline = build_report(items_of(*items), [], scores, FACTS).headline
    assert (
        "100.0 % of 8 questions right (95 % interval 67.6–100.0; guessing gives 25.0 %)."
        in headline
    )


def test_ratings_that_all_failed_have_no_correlation() -> None:
    items = [dataclasses.replace(item(str(i), "rate"), mos=float(i)) for i in range(3)]
    scores = [Score(str(i), "rating", None, "failed") for i in range(3)]
    srcc = cell(build_report(items_of(*items), [], scores, FACTS).cells, "srcc_mos")
    assert srcc.estimate.value is None
    assert srcc.estimate.n == 0
    assert srcc.n_unscored == 3


def test_replies_cut_off_at_the_token_limit_are_told() -> None:
    cut = Response("1", "answer", 0, "k", "m", text="So the", finish="length")
    report = build_report(items_of(item("1")), [cut], [], FACTS)
    assert report.notes == (
        "1 reply was cut off at the token limit before the model had finished.",
    )


def test_a_score_of_another_name_gets_its_mean() -> None:
    items = items_of(item("1", "describe"), item("2", "describe"))
    scores = [Score("1", "relevance", 2.0), Score("2", "relevance", 1.0)]
    assert cell(build_report(items, [], scores, FACTS).cells, "relevance").estimate.value == 1.5


def test_the_benchmarks_tables_come_first_then_what_every_report_tells() -> None:
    items = items_of(
        *(item(f"m{i}", "multiple") for i in range(10)),
        *(item(f"s{i}") for i in range(10)),
        *(item(f"o{i}", "open") for i in range(2)),
    )
    scores = [
        Score(f"m{i}", "correct", float(i > 4), extracted="A, B"[: 1 + 3 * (i > 4)])
        for i in range(10)
    ]
    scores += [Score(f"s{i}", "correct", 1.0, extracted="AB"[i % 2]) for i in range(10)]
    scores += [Score(f"s{i}", "correct.blind", 0.0, extracted="B") for i in range(10)]
    scores += [
        Score(f"o{i}", "verdict", 0.5, judge=judge, draws=(1.0, 1.0))
        for i in range(2)
        for judge in ("a judge", "another")
    ]
    facts = dataclasses.replace(
        FACTS, tables=(Table("own", "Own", (), ()),), judges=("a judge", "another")
    )
    report = build_report(items, [], scores, facts)
    assert [table.name for table in report.tables] == [
        *("own", "multiple-choice", "judge-draws", "judge-agreement", "other-ways", "position"),
    ]


def test_the_exact_set_is_the_accuracy_of_multiple_choice_with_its_interval() -> None:
    items = items_of(*(item(str(i), "multiple") for i in range(12)), item("one"))
    scores = [
        Score(str(i), "correct", float(i > 7), extracted="A, B" if i > 7 else "A")
        for i in range(12)
    ]
    report = build_report(items, [], scores, FACTS)
    (table,) = (table for table in report.tables if table.name == "multiple-choice")
    accuracy = cell(report.cells, "accuracy", "kind", "multiple")
    assert table.lines[0].entries[0] == accuracy.estimate
    chance = table.lines[2].entries[0]
    assert isinstance(chance, Estimate) and chance.value == pytest.approx(accuracy.chance)


def test_the_majority_in_the_judges_table_is_the_verdict_of_the_report() -> None:
    items = items_of(*(item(str(i), "open") for i in range(4)))
    scores = [
        Score("0", "verdict", 1.0, judge="a judge", draws=(2.0, 2.0, 0.0)),
        Score("1", "verdict", 0.0, judge="a judge", draws=(0.0, 0.0, 1.0)),
        Score("2", "verdict", None, "refused", judge="a judge"),
        Score("3", "verdict", None, "unjudged", judge="a judge"),
    ]
    ruled = Rubric("verdict", "judge_open", rule="most_frequent")
    facts = dataclasses.replace(JUDGED, rubrics={"open": (ruled,)})
    report = build_report(items, [], scores, facts)
    (table,) = report.tables
    assert table.lines[0].entries[0] == cell(report.cells, "verdict").estimate
    assert table.lines[0].entries[2] == "integer majority"


def test_the_benchmarks_charts_are_passed_on() -> None:
    panel = Panel("Kinds", ("single",), (Series("Items", (1.0,)),))
    chart = Chart("distribution", "What is asked", "shares", (panel,))
    facts = dataclasses.replace(FACTS, charts=(chart,))
    assert build_report(items_of(item("1")), [], [], facts).charts == (chart,)


def test_the_cells_alone_are_those_of_the_report() -> None:
    items = items_of(item("1", "open"), item("2"))
    scores = [
        Score("1", "verdict", 0.5, judge="another"),
        Score("1", "verdict", 1.0, judge="a judge"),
        Score("2", "correct", 1.0),
    ]
    cells = cells_of(items, scores, JUDGED)
    assert cells == build_report(items, [], scores, JUDGED).cells
    assert cell(cells, "verdict").estimate.value == 1.0
