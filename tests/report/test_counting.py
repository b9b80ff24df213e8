"""Which scores count: the first judge's, the plain ones first; what a judge owes."""

from __future__ import annotations

import dataclasses

import pytest

from eyechart import plugins
from eyechart.items import Card, ItemSet
from eyechart.records import Column, Estimate, Item, Line, Picture, Response, Score, Table
from eyechart.report import RunFacts, build_report, unjudged_share
from eyechart.report.counting import counts_of, of_first_judge, owed

FACTS = RunFacts("A test", "demo", "m")
JUDGED = dataclasses.replace(FACTS, judges=("a", "b"))
DIMENSIONS = ("completeness", "preciseness", "relevance")


def described(n: int) -> ItemSet:
    items = [Item(str(i), "describe", "?", (Picture(name=str(i)),), answer="x") for i in range(n)]
    return ItemSet(Card("demo"), tuple(items))


def verdicts(id: str, *values: float | None, judge: str = "a") -> list[Score]:
    """One verdict by each dimension, None where the judge owes it."""
    return [
        Score(id, f"verdict.{name}", value, "unjudged" if value is None else None, judge=judge)
        for name, value in zip(DIMENSIONS, values, strict=True)
    ]


def given(id: str) -> Score:
    return Score(id, "verdict", 1.0, judge="a")


def owing(id: str) -> Score:
    return Score(id, "verdict", None, "unjudged", judge="a")


def test_a_description_is_scored_where_every_dimension_is() -> None:
    scores = [
        *verdicts("0", 1, 0.5, 1),
        *verdicts("1", 1, None, 1),
        *verdicts("2", None, None, None),
    ]
    assert counts_of(described(4), scores) == {
        "n_items": 4,
        "n_scored": 1,
        "missing": 1,
        "unjudged": 2,
    }


def test_a_question_is_scored_by_its_plain_score_whatever_other_ways_gave() -> None:
    items = ItemSet(Card("demo"), (Item("1", "single", "?", (), ("a", "b"), "a"),))
    scores = [Score("1", "correct", 1.0), Score("1", "correct.blind", None, "refused")]
    assert counts_of(items, scores) == {"n_items": 1, "n_scored": 1}
    scores = [Score("1", "correct", None, "failed"), Score("1", "correct.blind", 1.0)]
    assert counts_of(items, scores) == {"n_items": 1, "n_scored": 0, "failed": 1}


def test_a_withheld_answer_is_a_reason_of_its_own() -> None:
    items = ItemSet(Card("demo"), (Item("1", "single", "?", (), ("a", "b")),))
    scores = [Score("1", "correct", None, "unjudged", "A", "the right answer is withheld")]
    assert counts_of(items, scores) == {"n_items": 1, "n_scored": 0, "withheld": 1}
    report = build_report(items, [], scores, FACTS)
    assert report.headline == (
        "None of m's 1 reply could be scored: 1 without a right answer on file."
    )


def test_of_several_judges_the_first_named_counts() -> None:
    scores = [Score("0", "verdict", 0.0, judge="b"), Score("0", "verdict", 1.0, judge="a")]
    (cell,) = build_report(described(1), [], scores, JUDGED).cells
    assert (cell.estimate.value, cell.estimate.n) == (1.0, 1)
    assert [score.judge for score in of_first_judge(scores)] == ["b"]
    assert [score.judge for score in of_first_judge(scores, ("a", "b"))] == ["a"]


def test_a_second_judge_that_failed_takes_nothing_from_the_counts() -> None:
    scores = [*verdicts("0", 1, 1, 1), *verdicts("0", None, None, None, judge="b")]
    report = build_report(described(1), [], scores, JUDGED)
    assert report.counts == {"n_items": 1, "n_scored": 1}
    assert "not judged" not in report.headline


def test_the_share_unjudged_is_of_the_replies_that_a_judge_was_asked_about() -> None:
    silent = [Score("3", f"verdict.{name}", None, "failed", judge="a") for name in DIMENSIONS]
    scores = [*verdicts("0", 1, 1, 1), *verdicts("1", 1, None, 1), *silent]
    assert unjudged_share(described(4), scores) == 0.5
    assert (owed(scores).n_asked, owed(scores).n_unjudged) == (2, 1)


def test_votes_on_closed_questions_can_be_owed_too() -> None:
    items = ItemSet(Card("demo"), (Item("0", "single", "?", (), ("a", "b"), "a"),))
    scores = [Score("0", "correct", 1.0), Score("0", "correct.judged", None, "unjudged", judge="a")]
    assert unjudged_share(items, scores) == 1


def test_without_a_judge_nothing_is_owed() -> None:
    scores = [Score("0", "verdict", None, "unjudged"), Score("1", "correct", 1.0)]
    assert unjudged_share(described(1), scores) == 0


@pytest.mark.parametrize("n_owed", [1, 2])
def test_the_headline_opens_with_too_many_unjudged_replies(n_owed: int) -> None:
    """One of twenty is not yet more than the share of 0.05."""
    scores = [
        Score(
            str(i),
            "verdict",
            None if i < n_owed else 1.0,
            "unjudged" if i < n_owed else None,
            judge="a",
        )
        for i in range(20)
    ]
    headline = build_report(described(20), [], scores, JUDGED).headline
    opening = (
        "2 of 20 replies (10.0 %) were not judged: the judge's figures rest on the other 18. m's"
    )
    assert headline.startswith(opening) == (n_owed == 2)
    assert headline.count("not judged") == 1
    assert headline.endswith("1 reply was not judged by a.") == (n_owed == 1)


def test_the_share_that_is_too_much_can_be_set() -> None:
    scores = [
        Score("0", "verdict", None, "unjudged", judge="a"),
        Score("1", "verdict", 1.0, judge="a"),
    ]
    facts = dataclasses.replace(JUDGED, max_unjudged=0.5)
    assert build_report(described(2), [], scores, facts).headline.startswith("m's open answers")


def test_a_judge_that_gave_nothing_is_all_that_is_told() -> None:
    scores = [score for i in range(3) for score in verdicts(str(i), None, None, None)]
    assert build_report(described(3), [], scores, JUDGED).headline == (
        "None of 3 replies was judged by a."
    )
    failed = Score("3", "verdict.completeness", None, "failed", judge="a")
    assert build_report(described(4), [], [*scores, failed], JUDGED).headline == (
        "None of 3 replies was judged by a. None of m's 4 replies could be scored: 1 failed."
    )


def test_a_lead_takes_the_place_of_the_general_sentences() -> None:
    items = ItemSet(Card("demo"), (Item("1", "single", "?", (), ("a", "b"), "a"),))
    facts = dataclasses.replace(FACTS, lead="m comes third on the leaderboard.")
    right = build_report(items, [], [Score("1", "correct", 1.0)], facts)
    assert right.headline == "m comes third on the leaderboard. Every reply was scored."
    lost = build_report(items, [], [Score("1", "correct", None, "failed")], facts)
    assert lost.headline == (
        "m comes third on the leaderboard. 1 reply could not be scored: 1 failed."
    )


def test_a_lead_is_all_that_is_told_of_withheld_answers() -> None:
    items = ItemSet(Card("demo"), (Item("1", "single", "?", (), ("a", "b")),))
    facts = dataclasses.replace(FACTS, lead="The answers are in submission.json, to be sent in.")
    report = build_report(items, [], [Score("1", "correct", None, "unjudged")], facts)
    assert report.headline == facts.lead


def test_too_many_unjudged_replies_come_before_the_lead() -> None:
    scores = [
        Score("0", "verdict", None, "unjudged", judge="a"),
        Score("1", "verdict", 1.0, judge="a"),
    ]
    facts = dataclasses.replace(JUDGED, lead="m earns 4.21 of 6.")
    assert build_report(described(2), [], scores, facts).headline == (
        "1 of 2 replies (50.0 %) were not judged: the judge's figures rest on the other 1. "
        "m earns 4.21 of 6."
    )


@pytest.mark.parametrize("max_unjudged", [0.05, 0.5])
def test_votes_that_a_judge_owes_are_told_although_every_reply_was_scored(
    max_unjudged: float,
) -> None:
    """The rules scored both; the judge voted on one."""
    items = [Item(str(i), "single", "?", (), ("a", "b"), "a") for i in range(2)]
    scores = [
        *(Score(str(i), "correct", 1.0) for i in range(2)),
        Score("0", "correct.judged", 1.0, judge="a"),
        Score("1", "correct.judged", None, "unjudged", judge="a"),
    ]
    facts = dataclasses.replace(JUDGED, max_unjudged=max_unjudged, lead="m leads.")
    headline = build_report(ItemSet(Card("demo"), tuple(items)), [], scores, facts).headline
    if max_unjudged < 0.5:
        assert headline.startswith("1 of 2 replies (50.0 %) were not judged")
        assert headline.endswith("the other 1. m leads.")
    else:
        assert headline == "m leads. 1 reply was not judged by a."


def test_replies_that_wait_for_a_judge_that_nobody_named_are_said_to() -> None:
    waiting = [Score(str(i), "verdict", None, "unjudged") for i in range(4)]
    assert build_report(described(4), [], waiting, FACTS).headline == (
        "m's 4 replies wait for a judge, and none was named."
    )
    lost = [*waiting[:3], Score("3", "verdict", None, "refused")]
    assert build_report(described(4), [], lost, FACTS).headline == (
        "3 of m's 4 replies wait for a judge, and none was named. "
        "1 reply could not be scored: 1 refused."
    )


def test_ratings_of_several_databases_are_not_correlated_together() -> None:
    items = [
        Item(f"{name}{i}", "rate", "?", (Picture(name=f"{name}{i}"),), mos=float(i), facets=facets)
        for name in ("koniq", "spaq")
        for i in range(20)
        for facets in [{"database": name, "level": i % 2}]
    ]
    scores = [Score(item.id, "rating", i % 20 / 20) for i, item in enumerate(items)]
    cells = build_report(ItemSet(Card("demo"), tuple(items)), [], scores, FACTS).cells
    assert {(cell.facet, cell.value) for cell in cells} == {
        *(("database", "koniq"), ("database", "spaq"))
    }
    one = ItemSet(Card("demo"), tuple(items[:20]))
    cells = build_report(one, [], scores[:20], FACTS).cells
    assert {cell.facet for cell in cells} == {"", "level"}


def test_the_halves_of_a_database_are_not_correlated_together() -> None:
    """CGIQA-6K's games and films were rated on two scales."""
    halves = ["first"] * 20 + ["second"] * 20
    cells = build_report(*rated("cgi", halves), FACTS).cells
    assert {(cell.facet, cell.value) for cell in cells} == {
        *(("half", "first"), ("half", "second"))
    }


def test_what_a_benchmarks_own_tables_tell_of_ratings_is_not_told_twice() -> None:
    own = Table("srcc", "SRCC", (Column("cgi"),), (Line("m", (Estimate(0.9, 0.8, 1.0, 40),)),))
    facts = dataclasses.replace(FACTS, tables=(own,), metrics=plugins.metrics(), lead="m rates.")
    one = rated("spaq", [""] * 40)
    assert build_report(*one, facts).cells == ()
    plain = build_report(*one, dataclasses.replace(facts, tables=()))
    assert {"srcc_mos", "plcc_mos", "rmse_mos"} <= {cell.metric for cell in plain.cells}


def test_nor_is_it_told_again_by_database() -> None:
    own = Table("srcc", "SRCC", (Column("cgi"),), (Line("m", (None,)),))
    runs = [rated(name, ["first"] * 10 + ["second"] * 10) for name in ("spaq", "koniq")]
    items = ItemSet(Card("demo"), tuple(item for run in runs for item in run[0].items))
    scores = [score for run in runs for score in run[2]]
    facts = dataclasses.replace(FACTS, tables=(own,))
    assert "database" not in {cell.facet for cell in build_report(items, [], scores, facts).cells}


def rated(database: str, halves: list[str]) -> tuple[ItemSet, list[Response], list[Score]]:
    """An image for each half named, its rating as people's score."""
    items = tuple(
        Item(
            f"{database}{i}",
            "rate",
            "?",
            (Picture(name=f"{database}{i}"),),
            mos=float(i),
            facets={"database": database, **({"half": half} if half else {})},
        )
        for i, half in enumerate(halves)
    )
    scores = [Score(item.id, "rating", i / 40) for i, item in enumerate(items)]
    return ItemSet(Card("demo"), items), [], scores


def test_judges_are_none_of_the_answers_that_were_cut_off() -> None:
    cut = Response("0", "judge", 0, "k", "a", text="Sco", finish="length", variant="relevance")
    assert build_report(described(1), [cut], verdicts("0", 1, 1, 1), JUDGED).notes == ()


def test_scores_lost_in_other_ways_are_told_where_all_plain_ones_are_there() -> None:
    items = ItemSet(Card("demo"), (Item("1", "single", "?", (), ("a", "b"), "a"),))
    plain = Score("1", "correct", 1.0)
    failed = Score("1", "correct.likelihood-sum", None, "failed")
    told = build_report(items, [], [plain, failed], FACTS).headline
    assert told.endswith("1 score of other ways of asking or other strategies could not be had.")
    declined = Score("1", "correct.blind", None, "refused")
    assert build_report(items, [], [plain, declined], FACTS).headline.endswith(
        "Every reply was scored."
    )
