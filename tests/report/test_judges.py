"""What judges are worth: two rules for several verdicts, their spread, how far judges agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median, stdev

import pytest

from eyechart.items import Card, ItemSet
from eyechart.metrics.agreement import kappa_estimate
from eyechart.metrics.intervals import mean, proportion
from eyechart.records import Estimate, Item, Picture, Response, Score, Table, Why
from eyechart.report.judges import judge_tables
from eyechart.rubrics import Rubric, Rubrics
from eyechart.scores import Scoring, score_responses

RULED = Rubric("verdict", "judge_open", rule="most_frequent")
ASKED: Rubrics = {"open": (RULED,)}
Said = Sequence[Sequence[int]]


def open_items(n: int) -> ItemSet:
    items = (Item(str(i), "open", "?", (Picture(name=str(i)),), (), "noise") for i in range(n))
    return ItemSet(Card("demo"), tuple(items))


def given(verdicts: Said, judge: str = "owl", rubric: Rubric = RULED) -> list[Score]:
    """The scores of replies that got these verdicts; a reply with none was not judged."""
    n_draws = max(map(len, verdicts))
    replies = [Response(str(i), "answer", 0, "k", "m", text="Noise.") for i in range(len(verdicts))]
    said = [
        Response(str(i), "judge", n, "k", judge, text=f"Score: {v}", variant=rubric.variant)
        for i, each in enumerate(verdicts)
        for n, v in enumerate(each)
    ]
    scoring = Scoring({"open": (rubric,)}, {judge: n_draws})
    return list(score_responses(open_items(len(verdicts)).items, [*replies, *said], scoring))


def lost(id: int, why: Why, judge: str = "owl", name: str = "verdict") -> Score:
    return Score(str(id), name, None, why, judge=judge)


def tables(
    scores: Sequence[Score], *judges: str, rubrics: Sequence[Rubric] = (RULED,)
) -> dict[str, Table]:
    found = judge_tables(open_items(20), scores, judges or ("owl",), {"open": tuple(rubrics)})
    return {table.name: table for table in found}


def entries(table: Table, label: str) -> Mapping[str, Estimate | str | None]:
    (line,) = [line for line in table.lines if line.label == label]
    return dict(zip((column.name for column in table.columns), line.entries, strict=True))


UNEVEN = [(2, 2, 2, 1, 0), (1, 1, 1, 0, 0), (0, 0, 1, 0, 0), (2, 2, 2, 2, 2)]


def test_the_integer_majority_stands_beside_the_mean_in_percent_of_full_marks() -> None:
    """Majorities 2, 1, 0, 2 and means 1.4, 0.6, 0.2, 2 of 2."""
    table = tables(given(UNEVEN))["judge-draws"]
    row = entries(table, "owl")
    assert row["integer majority"] == mean([1, 0.5, 0, 1], within=(0, 1))
    assert row["mean"] == mean([0.7, 0.3, 0.1, 1], within=(0, 1))
    assert [column.unit for column in table.columns[:2]] == ["percent", "percent"]
    assert "in % of full marks" in table.note


def test_spread_and_equal_draws_are_those_of_each_reply() -> None:
    row = entries(tables(given(UNEVEN))["judge-draws"], "owl")
    spread, equal = row["spread"], row["equal draws"]
    assert isinstance(spread, Estimate) and isinstance(equal, Estimate)
    assert spread.value == pytest.approx(fmean(stdev(each) for each in UNEVEN))
    assert equal.value == pytest.approx(fmean([3 / 10, 4 / 10, 6 / 10, 1]))
    assert spread.n == equal.n == 4


@pytest.mark.parametrize(
    ("rule", "verdicts", "counted"),
    [
        ("most_frequent", UNEVEN, "integer majority"),
        ("mean", UNEVEN, "mean"),
        ("most_frequent", [(1, 1), (2, 2)], "integer majority"),
        ("mean", [(1, 1), (2, 2)], "mean"),
    ],
)
def test_the_rule_that_the_report_counts_by_is_told(
    rule: str, verdicts: Said, counted: str
) -> None:
    rubric = Rubric("verdict", "judge_open", rule=rule)  # type: ignore[arg-type]
    table = tables(given(verdicts, rubric=rubric), rubrics=[rubric])["judge-draws"]
    assert entries(table, "owl")["counted"] == counted


def test_full_marks_are_the_rubrics_also_where_no_verdict_reaches_them() -> None:
    """Nothing in the scores themselves tells that 1 and 0 are of 4."""
    rubric = Rubric("verdict", "judge_open", most=4)
    table = tables(given([(1, 0), (0, 0)], rubric=rubric), rubrics=[rubric])["judge-draws"]
    assert entries(table, "owl")["mean"] == mean([0.125, 0], within=(0, 1))
    assert "in points of 0 to 4" in table.note


def test_a_verdict_without_its_draws_is_told_in_points() -> None:
    scores = [*given([(2, 2)]), Score("1", "verdict", 0.5, judge="owl")]
    row = entries(tables(scores)["judge-draws"], "owl")
    assert row["mean"] == mean([1, 0.5], within=(0, 1))


def test_a_score_that_no_rubric_gives_is_left_out() -> None:
    assert tables(given(UNEVEN), rubrics=[Rubric("verdict.detail", "judge_open")]) == {}


def test_what_could_not_be_judged_counts_as_0_and_what_a_judge_owes_is_left_out() -> None:
    scores = [*given([(2, 2), (2, 2)]), lost(2, "refused"), lost(3, "unjudged")]
    row = entries(tables(scores)["judge-draws"], "owl")
    assert row["integer majority"] == row["mean"] == proportion([1, 1, 0])
    assert isinstance(row["spread"], Estimate) and row["spread"].n == 2


def test_replies_with_fewer_draws_are_told_with_the_others() -> None:
    row = entries(tables(given([(2, 0, 1), (2, 2), (1, 1, 1)]))["judge-draws"], "owl")
    assert row["spread"] == mean([1, 0, 0], within=(0, 2 / math.sqrt(2)))
    equal = row["equal draws"]
    assert isinstance(equal, Estimate) and equal.value == pytest.approx(2 / 3)


def test_one_draw_of_each_reply_has_no_spread_and_one_judge_no_agreement() -> None:
    assert tables(given([(2,), (1,)])) == {}


def test_a_judge_that_graded_nothing_has_no_line() -> None:
    scores = [*given([(2, 2), (1, 1)]), lost(0, "unjudged", "cat"), lost(1, "failed", "cat")]
    found = tables(scores, "owl", "cat")
    assert [line.label for line in found["judge-draws"].lines] == ["owl"]
    assert "judge-agreement" not in found
    assert tables(scores, "cat") == {}


def test_scores_without_a_judge_have_no_table() -> None:
    assert tables([Score("0", "verdict", 0.5, draws=(1.0, 1.0)), Score("1", "correct", 1.0)]) == {}


def test_rubrics_are_told_apart_each_with_every_judge() -> None:
    names = ("relevance", "completeness")
    rubrics = [Rubric(f"verdict.{name}", f"judge_{name}") for name in names]
    scores = [
        score
        for rubric in rubrics
        for judge in ("owl", "cat")
        for score in given(UNEVEN, judge, rubric)
    ]
    found = tables(scores, "owl", "cat", rubrics=rubrics)
    assert [line.label for line in found["judge-draws"].lines] == [
        *("owl: completeness", "cat: completeness", "owl: relevance", "cat: relevance"),
    ]
    assert [line.label for line in found["judge-agreement"].lines] == [
        *("owl and cat: completeness", "owl and cat: relevance"),
    ]


def test_two_judges_are_compared_on_the_replies_that_both_graded() -> None:
    cats = [(2, 2, 1), (0, 0, 1), (0, 1, 1), (1, 2, 0)]
    scores = [*given(UNEVEN), *given(cats, "cat"), lost(4, "unjudged", "cat")]
    scores += [Score("4", "verdict", 1.0, judge="owl", draws=(2.0,) * 5)]
    table = tables(scores, "owl", "cat")["judge-agreement"]
    row = entries(table, "owl and cat")
    a, b = [list(map(median, each)) for each in (UNEVEN, cats)]
    assert row["weighted kappa"] == kappa_estimate(a, b)
    assert row["equal verdicts"] == proportion([1, 0, 0, 0])
    apart = [fmean(x) - fmean(y) for x, y in zip(UNEVEN, cats, strict=True)]
    assert row["difference"] == mean(apart, within=(-2, 2))
    assert "medians of their draws" in table.note
    assert "in points of 0 to 2, the first judge's less the second's" in table.note


def test_three_judges_are_compared_in_pairs() -> None:
    scores = [score for judge in ("owl", "cat", "fox") for score in given(UNEVEN, judge)]
    table = tables(scores, "owl", "cat", "fox")["judge-agreement"]
    assert [line.label for line in table.lines] == ["owl and cat", "owl and fox", "cat and fox"]


def test_votes_of_right_or_wrong_have_the_interval_of_an_accuracy() -> None:
    rubric = Rubric("correct.judged", "judge_choice", most=1, rule="votes")
    scores = given([(1, 1, 0), (0, 0, 0), (1, 1, 1)], rubric=rubric)
    table = tables(scores, rubrics=[rubric])["judge-draws"]
    row = entries(table, "owl: right or wrong")
    assert row["integer majority"] == proportion([1, 0, 1])
    assert row["mean"] == mean([2 / 3, 0, 1], within=(0, 1))
    assert row["counted"] == "integer majority"
    assert "in points of 0 to 1" in table.note


def test_full_marks_are_those_of_the_rubric() -> None:
    rubric = Rubric("verdict.detail", "judge_open", most=4)
    scores = given([(4, 2), (2, 2), (3, 1)], rubric=rubric)
    table = tables(scores, rubrics=[rubric])["judge-draws"]
    row = entries(table, "owl: detail")
    assert row["mean"] == mean([0.75, 0.5, 0.5], within=(0, 1))
    assert row["counted"] == "mean"
    assert "in points of 0 to 4" in table.note


def test_several_questions_about_one_photograph_widen_the_interval() -> None:
    items = open_items(12).items
    shared = [Item(i.id, i.kind, "?", (Picture(name=str(int(i.id) // 4)),), (), "x") for i in items]
    scores = given([(2, 2, 1)] * 4 + [(0, 0, 1)] * 4 + [(1, 1, 1)] * 4)
    widths = []
    for each in (items, tuple(shared)):
        (table,) = judge_tables(ItemSet(Card("demo"), each), scores, ("owl",), ASKED)
        found = entries(table, "owl")["integer majority"]
        assert isinstance(found, Estimate) and found.low is not None and found.high is not None
        widths.append(found.high - found.low)
    assert widths[1] > 1.5 * widths[0]
