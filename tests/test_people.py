"""People as one more model: their scores, what they reach, how far they agree, the ceiling."""

from __future__ import annotations

import itertools
from collections import Counter
from math import nan
from pathlib import Path

import numpy as np
import pytest

from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet
from eyechart.people import (
    People,
    people_from,
    people_name,
    people_notes,
    people_of,
    people_scores,
    people_tables,
)
from eyechart.people.figures import (
    best_person,
    highest_correlation,
    leave_one_out,
    majority_vote,
)
from eyechart.records import Estimate, Item, Kind, Picture, Rating, Score, Table
from eyechart.report.own_tables import worded

OPTIONS = ("Sharp", "Soft", "Blurred", "Noisy")


def question(name: str, kind: Kind = "single", answer: object = None) -> Item:
    options = OPTIONS if kind in ("single", "multiple") else ()
    return Item(name, kind, "?", (Picture(name=f"{name}.png"),), options, answer)  # type: ignore[arg-type]


def of(*items: Item) -> ItemSet:
    return ItemSet(Card("portraits"), items)


def said(item: str, *values: float, at_round: int = 1) -> list[Rating]:
    """One value of each of the people anna, ben, carl, ...; NaN where one has none."""
    names = ("anna", "ben", "carl", "dora", "emil")
    pairs = zip(names, values, strict=False)
    return [Rating(item, name, value, "", at_round) for name, value in pairs if value == value]


def entry(table: Table, line: str, column: str) -> Estimate:
    row = next(one for one in table.lines if one.label == line)
    found = dict(zip([c.name for c in table.columns], row.entries, strict=True))[column]
    assert isinstance(found, Estimate)
    return found


def tables(item_set: ItemSet, ratings: list[Rating]) -> dict[str, Table]:
    return {table.name: table for table in people_tables(item_set, ratings)}


MIXED = of(
    question("1", "single", "Soft"),
    question("2", "multiple", ("Sharp", "Noisy")),
    question("3", "true_false", True),
    question("4", "open", "It is soft."),
    question("5", "rate"),
    question("6", "single", "Sharp"),
    question("7", "single"),
)
ANSWERS = [
    *said("1", 2, 2, 3),
    *said("2", 9, 1, nan),
    *said("3", 1, 0, 0),
    *said("4", 2, 1.5, 0),
    *said("5", 80, 62.5, 70),
    *said("7", 4, nan, 2),
]


def test_people_have_the_scores_of_one_more_model() -> None:
    assert people_scores(MIXED, ANSWERS) == (
        Score("1", "correct", 2 / 3, extracted="B; B; C", draws=(1, 1, 0)),
        Score("2", "correct", 1 / 2, extracted="A, D; A", draws=(1, 0)),
        Score("3", "correct", 1 / 3, extracted="True; False; False", draws=(1, 0, 0)),
        Score("4", "verdict", 3.5 / 6, extracted="2 1.5 0", draws=(2, 1.5, 0)),
        Score("7", "correct", None, "unjudged", "D; B", "the right answer is withheld"),
    )
    assert people_name(ANSWERS) == "People (3 raters)"


def test_of_several_rounds_the_last_counts() -> None:
    again = [*ANSWERS, *said("1", nan, 3, at_round=2)]
    assert people_scores(MIXED, again)[0].draws == (1, 0, 0)
    assert people_notes(MIXED, again)[1] == (
        "Of several rounds the last of each person counts: 1 earlier answer left out."
    )


def test_people_are_read_from_a_file(tmp_path: Path) -> None:
    rows = ["1,anna,B", "1,ben,Blurred", '2,anna,"D, A"', "3,anna,yes"]
    (tmp_path / "people.csv").write_text("\n".join(["item_id,rater,value", *rows]))
    found = people_of(MIXED, tmp_path / "people.csv")
    assert isinstance(found, People) and found.name == "People (2 raters)"
    assert [score.value for score in found.scores] == [0.5, 1, 1]
    (tmp_path / "people.csv").write_text("item_id,rater,value\n1,anna,E\n9,anna,A\n")
    with pytest.raises(BadInput, match="2 bad rows"):
        people_of(MIXED, tmp_path / "people.csv")


def test_ratings_of_other_items_are_left_out_and_impossible_ones_refused() -> None:
    assert people_scores(MIXED, said("99", 1, 2)) == ()
    assert people_tables(MIXED, said("99", 1, 2)) == ()
    assert people_notes(MIXED, said("99", 1, 2)) == ("People answered none of these items.",)
    with pytest.raises(BadInput, match="item 1: anna's value: expected a letter from A to D"):
        people_from(MIXED, said("1", 5))
    with pytest.raises(BadInput, match="item 1: anna has two values in round 1"):
        people_from(MIXED, [*said("1", 1), *said("1", 2)])


# --- what people reach --------------------------------------------------------------------------


def test_what_people_reach_by_hand() -> None:
    reach = tables(MIXED, ANSWERS)["people-reach"]
    assert [column.name for column in reach.columns] == [
        *("Single choice", "Multiple choice", "True or false", "Open question"),
        *("All closed questions", "All"),
    ]
    assert entry(reach, "Mean person", "Single choice").value == pytest.approx(2 / 3)
    assert entry(reach, "Mean person", "All").value == pytest.approx(
        (2 / 3 + 1 / 2 + 1 / 3 + 3.5 / 6) / 4
    )
    # B wins; A, D and A are tied, and half of them is right; False wins
    assert entry(reach, "Majority vote", "All closed questions").value == pytest.approx(1.5 / 3)
    assert entry(reach, "Best person", "All").value == 1
    majority = next(line for line in reach.lines if line.label == "Majority vote")
    assert majority.entries[3] is None and majority.entries[-1] is None
    assert all(not line.ranked for line in reach.lines)
    assert "other people may do better or worse" in reach.note


def test_the_best_person_answered_at_least_half_as_much_as_who_answered_most() -> None:
    lucky = [1.0, nan, nan, nan]
    good, poor = [1.0, 1, 0, nan], [0.0, 0, 0, 1]
    assert best_person(np.array([poor, lucky, good])) == 2
    assert best_person(np.full((2, 3), nan)) is None


def test_votes_without_marks_have_none() -> None:
    values = np.array([[1.0, 2], [1, nan]])
    assert np.isnan(majority_vote(values, np.full((2, 2), nan))).all()


def test_questions_about_one_photograph_widen_the_interval() -> None:
    items = [question(str(i), "true_false", True) for i in range(40)]
    ratings = [r for i in range(40) for r in said(str(i), float(i % 4 > 0), 1)]
    alone = entry(tables(of(*items), ratings)["people-reach"], "Mean person", "True or false")
    pairs = [
        Item(i.id, i.kind, "?", (Picture(name=f"{n % 4}"),), (), True) for n, i in enumerate(items)
    ]
    four = entry(tables(of(*pairs), ratings)["people-reach"], "Mean person", "True or false")
    assert four.value == alone.value and four.low is not None and alone.low is not None
    assert four.low < alone.low


# --- agreement and ceiling ----------------------------------------------------------------------


def knowing(share_known: float, *, n_items: int, n_raters: int) -> tuple[ItemSet, list[Rating]]:
    """Single choice, answered by people who know the answer with a probability or else guess."""
    rng = np.random.default_rng(0)
    keys = rng.integers(1, 5, n_items)
    knows = rng.random((n_items, n_raters)) < share_known
    given = np.where(knows, keys[:, None], rng.integers(1, 5, (n_items, n_raters)))
    items = [question(str(i), "single", OPTIONS[key - 1]) for i, key in enumerate(keys)]
    return of(*items), [r for i, row in enumerate(given) for r in said(str(i), *map(float, row))]


def theory_of_leaving_one_out(right: float, n_raters: int) -> float:
    """How often an answer is the most frequent of the others', over all that these may say."""
    chances = [right, *[(1 - right) / 3] * 3]
    total = 0.0
    for others in itertools.product(range(4), repeat=n_raters - 1):
        counts = Counter(others)
        most = [c for c in counts if counts[c] == max(counts.values())]
        total += np.prod([chances[c] for c in others]) * np.mean([chances[c] for c in most])
    return float(total)


@pytest.mark.parametrize("share_known", [0.3, 0.8])
def test_people_who_know_or_guess_agree_and_reach_as_theory_says(share_known: float) -> None:
    found = tables(*knowing(share_known, n_items=6000, n_raters=5))
    right = share_known + (1 - share_known) / 4
    kind = "Single choice"
    agreement, ceiling = found["people-agreement"], found["people-ceiling"]
    assert entry(found["people-reach"], "Mean person", kind).value == pytest.approx(right, abs=0.01)
    for column in ("Krippendorff's alpha", "mean kappa of pairs"):
        alpha = entry(agreement, kind, column)
        assert alpha.value == pytest.approx(share_known**2, abs=0.02)
        assert alpha.n == 6000 and alpha.low is not None and alpha.high is not None
        assert alpha.high - alpha.low < 0.06
    equal = share_known**2 + (1 - share_known**2) / 4
    assert entry(agreement, kind, "equal answers").value == pytest.approx(equal, abs=0.02)
    assert entry(ceiling, kind, "agreement with the others").value == pytest.approx(
        theory_of_leaving_one_out(right, 5), abs=0.01
    )


def test_a_ceiling_shares_ties_and_needs_two_people() -> None:
    found = leave_one_out([[1, 1, 1, 2], [1, 1, 2, nan], [1, 2, 3, nan], [1, 2, 4, nan]])
    # all agree; each sees 1 against 2 of the others; each sees three others that differ; one alone
    assert found[:3].tolist() == [1.0, 0.0, 0.0] and np.isnan(found[3])
    assert leave_one_out([[1], [1], [2]]).tolist() == [pytest.approx((0.5 + 0.5 + 0) / 3)]


@pytest.mark.parametrize(("n_raters", "noise"), [(3, 2.0), (8, 1.0)])
def test_the_highest_correlation_is_what_knowing_the_true_opinion_reaches(
    n_raters: int, noise: float
) -> None:
    rng = np.random.default_rng(1)
    truth, leniency = rng.normal(size=20_000), rng.normal(0, 3, (n_raters, 1))
    ratings = 50 + 10 * (truth + leniency + rng.normal(0, noise, (n_raters, 20_000)))
    reached = float(np.corrcoef(truth, ratings.mean(axis=0))[0, 1])
    theory = (1 / (1 + noise**2 / n_raters)) ** 0.5
    found = highest_correlation(ratings)
    assert reached == pytest.approx(theory, abs=0.01)
    assert found.value == pytest.approx(theory, abs=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < theory < found.high


def test_it_is_that_of_cronbachs_alpha_where_all_rate_all() -> None:
    ratings = np.random.default_rng(2).normal(size=(4, 30)) + np.arange(30) / 10
    parts = ratings.var(axis=1, ddof=1).sum()
    cronbach = 4 / 3 * (1 - parts / ratings.sum(axis=0).var(ddof=1))
    assert highest_correlation(ratings).value == pytest.approx(cronbach**0.5)


def test_missing_ratings_leave_the_ceiling_where_it_is() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=3000)
    ratings = truth + rng.normal(0, 1, (12, 3000)) + rng.normal(0, 0.5, (12, 1))
    ratings[rng.random(ratings.shape) < 0.5] = nan
    shared = (~np.isnan(ratings)).sum(axis=0) > 1
    reached = np.corrcoef(truth[shared], np.nanmean(ratings[:, shared], axis=0))[0, 1]
    assert highest_correlation(ratings).value == pytest.approx(reached, abs=0.01)


def test_its_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    theory, covered = (1 / (1 + 1 / 4)) ** 0.5, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = highest_correlation(rng.normal(size=60) + rng.normal(size=(4, 60)))
        assert found.low is not None and found.high is not None
        covered.append(found.low <= theory <= found.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_the_highest_correlation_is_undefined_or_0_without_a_common_opinion() -> None:
    assert highest_correlation([[1, 2, nan], [nan, 3, 4]]) == Estimate(None, None, None, 1)
    assert highest_correlation([[5, 5, 5], [5, 5, 5]]) == Estimate(None, None, None, 3)
    assert highest_correlation(np.empty((0, 0))) == Estimate(None, None, None, 0)
    assert highest_correlation([[1, 2, 3, 5], [5, 3, 2, 2]]).value == 0


def test_there_is_a_line_for_each_kind_and_a_note_for_what_it_needs() -> None:
    found = tables(MIXED, ANSWERS)
    labels = [line.label for line in found["people-agreement"].lines]
    assert labels == [line.label for line in found["people-ceiling"].lines]
    assert labels == [
        "Single choice",
        "Multiple choice",
        "True or false",
        "Open question",
        "Rating",
    ]
    agreement, ceiling = found["people-agreement"].note, found["people-ceiling"].note
    assert "chance is that of each question's own options" in agreement
    assert "verdicts as ranks" in agreement and "ratings as distances" in agreement
    assert "Of open answers the verdicts" in ceiling and "Highest correlation" in ceiling
    assert entry(found["people-agreement"], "Multiple choice", "people").value == 2
    only = tables(of(question("1", "true_false", True)), said("1", 1, 1))
    assert "chance is that of" not in only["people-agreement"].note
    assert [column.name for column in only["people-ceiling"].columns] == [
        "agreement with the others"
    ]
    assert "Highest correlation" not in only["people-ceiling"].note
    opinions = tables(of(question("1", "rate"), question("2", "rate")), ANSWERS[:5])
    assert opinions["people-ceiling"].note.startswith("Highest correlation")
    assert "Equal answers" not in opinions["people-agreement"].note


def test_every_table_can_be_shown() -> None:
    shown = [worded(table) for table in people_tables(MIXED, ANSWERS)]
    assert shown[0].lines[0].cells[0].value == "66.7†"


def test_one_person_alone_reaches_something_but_agrees_with_nobody() -> None:
    alone = people_from(MIXED, [r for r in ANSWERS if r.rater == "anna"])
    assert [table.name for table in alone.tables] == ["people-reach"]
    assert [line.label for line in alone.tables[0].lines] == ["Mean person"]
    assert alone.name == "People (1 rater)"
    assert alone.notes[0].startswith("1 person answered 6 of 7 items")
    assert alone.notes[-1].startswith(
        "No item was answered by two people (single choice, multiple choice, true or false, open "
        "question and rating): their agreement, and the ceiling that it implies, are undefined."
    )


def test_notes_tell_who_answered_how_much_and_what_is_withheld() -> None:
    first, withheld = people_notes(MIXED, ANSWERS)
    assert first == (
        "3 people answered 6 of 7 items; an item that was answered has 2.7 answers on average."
    )
    assert withheld == "People's answers to 1 question are unjudged: the right ones are withheld."


def test_answers_to_items_that_a_run_does_not_have_are_left_out_and_counted(tmp_path: Path) -> None:
    items = (Item("1", "true_false", "It is blurred.", (), answer=True),)
    file = tmp_path / "answers.csv"
    file.write_text("item_id,rater,value\n1,anna,True\n2,anna,False\n3,ben,True\n")
    people = people_of(ItemSet(Card("x"), items), file)
    assert [score.value for score in people.scores] == [1.0]
    assert people.notes[-1].startswith("2 answers of people are about items that are not among")


def test_answers_to_other_items_alone_are_refused(tmp_path: Path) -> None:
    items = (Item("1", "true_false", "It is blurred.", (), answer=True),)
    file = tmp_path / "answers.csv"
    file.write_text("item_id,rater,value\n2,anna,False\n")
    with pytest.raises(BadInput, match="item_id: expected ids of the 1 items, not '2'"):
        people_of(ItemSet(Card("x"), items), file)
