"""The plain figure and those of other ways of asking, side by side."""

from __future__ import annotations

import dataclasses

import pytest

from eyechart.items import Card, ItemSet
from eyechart.metrics.intervals import wilson
from eyechart.metrics.paired import paired_difference
from eyechart.records import Estimate, Item, Picture, Score, Table
from eyechart.report import RunFacts, build_report
from eyechart.report.variants import variant_tables

ITEMS = ItemSet(
    Card("demo"),
    tuple(
        Item(str(i), "single", "?", (Picture(name=str(i)),), ("a", "b", "c", "d"), "a")
        for i in range(40)
    ),
)
PLAIN = [
    Score(str(i), "correct", float(i < 30), extracted="A" if i < 30 else "B") for i in range(40)
]


def scored(name: str, n_right: int, *, n: int = 40, judge: str = "") -> list[Score]:
    return [Score(str(i), name, float(i < n_right), judge=judge) for i in range(n)]


def table(*scores: Score) -> Table:
    (found,) = variant_tables(ITEMS, scores)
    return found


def entry(found: Table, label: str, column: str) -> Estimate | str | None:
    (line,) = [line for line in found.lines if line.label == label]
    return line.entries[[column.name for column in found.columns].index(column)]


def test_without_another_way_there_is_no_table() -> None:
    assert variant_tables(ITEMS, PLAIN) == ()


def test_each_way_stands_beside_the_plain_one_with_its_paired_difference() -> None:
    found = table(*PLAIN, *scored("correct.circular", 20))
    assert [line.label for line in found.lines] == ["As asked", "Right in every rotation"]
    assert entry(found, "As asked", "accuracy") == wilson(30, 40)
    assert entry(found, "Right in every rotation", "accuracy") == wilson(20, 40)
    difference = paired_difference([1] * 20 + [0] * 20, [1] * 30 + [0] * 10)
    assert entry(found, "Right in every rotation", "difference") == difference
    assert entry(found, "As asked", "difference") == ""


def test_the_gain_over_the_blind_run_is_the_plain_figure_less_the_blind_one() -> None:
    found = table(*PLAIN, *scored("correct.blind", 10))
    gain = entry(found, "Gain over the blind run", "difference")
    assert isinstance(gain, Estimate)
    assert gain.value == 0.5
    assert gain.low is not None
    assert 0 < gain.low < 0.5
    assert "Guessing gives 25.0 %." in found.note


def test_ways_are_in_one_order_whatever_the_order_of_the_scores() -> None:
    names = ["correct.judged", "correct.likelihood-sum", "correct.blind", "correct.new", "correct"]
    found = table(*(score for name in names for score in scored(name, 10)))
    assert [line.label for line in found.lines] == [
        "As asked",
        "Blind: without the image",
        "Gain over the blind run",
        "By likelihood, sum over the answer",
        "By the judge",
        "New",
    ]


def test_an_unscored_reply_counts_as_wrong_and_is_counted() -> None:
    lost = [Score("0", "correct.blind", None, "unparsed"), *scored("correct.blind", 10)[1:]]
    found = table(*PLAIN, *lost)
    assert entry(found, "Blind: without the image", "accuracy") == wilson(9, 40)
    assert entry(found, "Blind: without the image", "unscored") == Estimate(1.0, None, None, 40)


def test_blind_replies_that_decline_widen_the_gain_and_the_note_says_how_many() -> None:
    told = "of 40 blind replies could not be scored, such as those that decline"
    declined = [Score(str(i), "correct.blind", None, "refused") for i in range(3)]
    assert f"3 {told}" in table(*PLAIN, *declined, *scored("correct.blind", 10)[3:]).note
    assert told not in table(*PLAIN, *scored("correct.blind", 10)).note


def test_only_items_that_were_asked_so_are_compared() -> None:
    found = table(*PLAIN, *scored("correct.circular", 10, n=20))
    difference = entry(found, "Right in every rotation", "difference")
    assert isinstance(difference, Estimate)
    assert (difference.n, difference.value) == (20, -0.5)


def test_each_judge_is_a_way_of_its_own_with_its_agreement() -> None:
    one, other = scored("correct.judged", 30, judge="a_1"), scored("correct.judged", 20, judge="b")
    found = table(*PLAIN, *one, *other)
    assert entry(found, "As judged by a_1", "agreement") == wilson(40, 40)
    assert entry(found, "As judged by a_1", "kappa") == Estimate(1.0, None, None, 40)
    assert entry(found, "As judged by b", "agreement") == wilson(30, 40)
    kappa = entry(found, "As judged by b", "kappa")
    assert isinstance(kappa, Estimate)
    assert kappa.value == pytest.approx((0.75 - 0.5) / (1 - 0.5))
    assert entry(found, "As asked", "kappa") == ""


def test_what_a_judge_owes_is_left_out_and_told() -> None:
    owed = [Score(str(i), "correct.judged", None, "unjudged", judge="a") for i in range(10)]
    given = scored("correct.judged", 30, judge="a")[10:]
    found = table(*PLAIN, *owed, *given)
    assert entry(found, "As judged by a", "accuracy") == wilson(20, 30)
    assert entry(found, "As judged by a", "unscored") == Estimate(10.0, None, None, 40)


def test_a_judge_that_gave_nothing_leaves_its_figures_undefined() -> None:
    owed = [Score(str(i), "correct.judged", None, "unjudged", judge="a") for i in range(40)]
    found = table(*PLAIN, *owed)
    assert entry(found, "As judged by a", "agreement") is None
    accuracy = entry(found, "As judged by a", "accuracy")
    assert isinstance(accuracy, Estimate)
    assert accuracy.value is None


def test_withheld_answers_have_no_ways_to_compare() -> None:
    withheld = tuple(dataclasses.replace(item, answer=None) for item in ITEMS.items)
    scores = [*PLAIN, *scored("correct.blind", 10)]
    assert variant_tables(dataclasses.replace(ITEMS, items=withheld), scores) == ()


def test_the_report_puts_own_tables_first_and_gives_other_ways_no_cells() -> None:
    own = Table("leaderboard", "Leaderboard", (), ())
    facts = RunFacts("A test", "demo", "m", tables=(own,))
    report = build_report(ITEMS, [], [*PLAIN, *scored("correct.blind", 10)], facts)
    assert [table.name for table in report.tables] == ["leaderboard", "other-ways", "position"]
    assert {cell.metric for cell in report.cells} == {"accuracy"}
    assert report.cells[0].estimate.value == 0.75
