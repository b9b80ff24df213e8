"""People as one more model: their scores, what they reach, how far they agree, the ceiling."""

from __future__ import annotations

from math import nan
from pathlib import Path

import numpy as np
import pytest
from tests.people.answered import entry, of, question, said, tables

from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet
from eyechart.people import People, people_of
from eyechart.people.figures import best_person, majority_vote
from eyechart.people.people import people_from
from eyechart.records import Item, Picture, Score
from eyechart.report.own_tables import worded

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
    found = people_from(MIXED, ANSWERS)
    assert found.scores == (
        Score("1", "correct", 2 / 3, extracted="B; B; C", draws=(1, 1, 0)),
        Score("2", "correct", 1 / 2, extracted="A, D; A", draws=(1, 0)),
        Score("3", "correct", 1 / 3, extracted="True; False; False", draws=(1, 0, 0)),
        Score("4", "verdict", 3.5 / 6, extracted="2 1.5 0", draws=(2, 1.5, 0)),
        Score("7", "correct", None, "unjudged", "D; B", "the right answer is withheld"),
    )
    assert found.name == "People (3 raters)"


def test_of_several_rounds_the_last_counts() -> None:
    again = [*ANSWERS, *said("1", nan, 3, at_round=2)]
    found = people_from(MIXED, again)
    assert found.scores[0].draws == (1, 0, 0)
    assert found.notes[1] == (
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
    nothing = people_from(MIXED, said("99", 1, 2))
    assert nothing.scores == nothing.tables == ()
    assert nothing.name == "People (0 raters)"
    assert nothing.notes == ("People answered none of these items.",)
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
    assert "For single and multiple choice neither is the plain coefficient" in agreement
    assert "Bennett's S" in agreement and "Brennan and Prediger" in agreement
    plain = "For true or false, open question and rating alpha is Krippendorff's and kappa Cohen's,"
    assert plain in agreement
    assert "verdicts as ranks" in agreement and "ratings as distances" in agreement
    assert "Of open answers the verdicts" in ceiling and "Highest correlation" in ceiling
    assert entry(found["people-agreement"], "Multiple choice", "people").value == 2
    only = tables(of(question("1", "true_false", True)), said("1", 1, 1))
    assert "own options" not in only["people-agreement"].note
    assert "For true or false alpha is Krippendorff's" in only["people-agreement"].note
    assert [c.name for c in only["people-ceiling"].columns] == ["at least", "at most"]
    assert "Highest correlation" not in only["people-ceiling"].note
    choices = tables(of(question("1", "single", "Soft")), said("1", 2, 2))
    assert "as they stand" not in choices["people-agreement"].note
    opinions = tables(of(question("1", "rate"), question("2", "rate")), ANSWERS[:5])
    assert opinions["people-ceiling"].note.startswith("Highest correlation")
    assert "Equal answers" not in opinions["people-agreement"].note


def test_every_table_can_be_shown() -> None:
    shown = [worded(table) for table in people_from(MIXED, ANSWERS).tables]
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
    first, withheld = people_from(MIXED, ANSWERS).notes
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
