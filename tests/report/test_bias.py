"""What a model leans to: letters by their place, yes or no."""

from __future__ import annotations

import dataclasses
import random

import pytest
from scipy.stats import norm

from eyechart.items import Card, ItemSet
from eyechart.metrics.intervals import wilson
from eyechart.records import LETTERS, Estimate, Item, Picture, Score, Table
from eyechart.report.bias import bias_tables, detection, is_yes_or_no

OPTIONS = ("blur", "noise", "haze", "JPEG")


def asked(
    right: str, chosen: str | None, *, options: tuple[str, ...] = OPTIONS
) -> tuple[Item, Score]:
    """One question by the letter that is right and the one chosen, None for a reply unread."""
    id = str(random.random())
    item = Item(id, "single", "?", (Picture(name=id),), options, options[LETTERS.index(right)])
    if chosen is None:
        return item, Score(id, "correct", None, "unparsed", "A, B", "names A and B")
    return item, Score(id, "correct", float(right == chosen), extracted=chosen)


def stated(right: bool, chosen: bool) -> tuple[Item, Score]:
    id = str(random.random())
    item = Item(id, "true_false", "?", (Picture(name=id),), (), right)
    return item, Score(id, "correct", float(right == chosen), extracted=str(chosen))


def tables(*pairs: tuple[Item, Score]) -> dict[str, Table]:
    items = ItemSet(Card("demo"), tuple(item for item, _ in pairs))
    return {table.name: table for table in bias_tables(items, [score for _, score in pairs])}


def entries(table: Table, label: str) -> dict[str, Estimate]:
    (line,) = [line for line in table.lines if line.label == label]
    found = zip(table.columns, line.entries, strict=True)
    return {column.name: entry for column, entry in found if isinstance(entry, Estimate)}


def test_recall_is_how_often_a_letter_is_chosen_where_it_is_right() -> None:
    found = tables(
        *(asked("A", "A") for _ in range(9)),
        asked("A", "B"),
        asked("A", None),
        *(asked("B", "A") for _ in range(4)),
        *(asked("B", "B") for _ in range(6)),
    )
    a, b = entries(found["position"], "A"), entries(found["position"], "B")
    assert a["recall"] == wilson(9, 11)
    assert b["recall"] == wilson(6, 10)
    assert a["is right"] == Estimate(11 / 21, None, None, 21)


def test_a_reply_that_could_not_be_read_chooses_nothing() -> None:
    found = tables(*(asked("A", "A") for _ in range(9)), asked("B", "A"), asked("A", None))
    assert entries(found["position"], "A")["is chosen"] == wilson(10, 10)
    assert entries(found["position"], "B")["is chosen"].value == 0
    assert entries(found["position"], "A")["recall"].value == 0.9


def test_a_letter_that_is_never_right_has_no_recall() -> None:
    found = tables(*(asked("A", "B") for _ in range(5)), *(asked("A", "A") for _ in range(5)))
    assert entries(found["position"], "B")["recall"].value is None


def test_a_model_that_always_says_a_has_a_gap_that_chance_does_not_explain() -> None:
    found = tables(*(asked(right, "A") for right in "ABCD" * 12), *(asked("A", "B"),))
    assert "that chance does not explain is 92.3 points, A over B (95 %" in found["position"].note
    assert "widened for 6 pairs of letters" in found["position"].note


def test_a_gap_that_chance_may_explain_is_not_called_clear() -> None:
    wrong = [asked("A", "B"), asked("A", "C"), asked("B", "A"), asked("B", "C"), asked("B", "A")]
    right = [asked(letter, letter) for letter in "AB" * 8]
    note = tables(*wrong, *right)["position"].note
    assert "The largest gap in recall is 7.3 points, A over B (95 % interval −" in note
    assert note.endswith("; chance may explain it.")


def test_letters_are_compared_among_questions_of_equally_many_options() -> None:
    two = [asked(letter, letter, options=OPTIONS[:2]) for letter in "AB" * 10]
    four = [asked(letter, "D") for letter in "CD" * 10]
    note = tables(*two, *four)["position"].note
    assert "100.0 points, D over C among questions of 4 options" in note
    assert "guessing is right less often" in note


def test_equal_recall_is_told_as_such() -> None:
    note = tables(*(asked(letter, letter) for letter in "AB" * 10))["position"].note
    assert note.endswith("Recall is the same for every letter.")


def test_fewer_than_ten_questions_say_nothing() -> None:
    assert tables(*(asked("A", "A") for _ in range(9))) == {}


def test_a_run_in_which_nothing_was_scored_has_no_leaning() -> None:
    assert tables(*(asked("A", None) for _ in range(20))) == {}


@pytest.mark.parametrize("options", [("Yes", "No"), ("no.", "YES"), (" Yes! ", "No")])
def test_yes_and_no_are_known_in_any_order_case_and_with_a_full_stop(
    options: tuple[str, ...],
) -> None:
    assert is_yes_or_no(Item("1", "single", "?", (), options))


@pytest.mark.parametrize("options", [("Yes", "No", "Maybe"), ("Yes", "Never"), ("Yes", "yes"), ()])
def test_other_options_are_no_yes_or_no_question(options: tuple[str, ...]) -> None:
    assert not is_yes_or_no(Item("1", "single", "?", (), options))


def test_yes_is_found_by_the_option_not_by_its_letter() -> None:
    yes_first = [asked("A", "A", options=("Yes", "No")) for _ in range(6)]
    yes_last = [asked("A", "B", options=("No.", "Yes.")) for _ in range(5)]
    found = entries(tables(*yes_first, *yes_last)["yes-and-no"], "Yes-or-no questions")
    assert found["yes-rate"].value == 1
    assert found["true-positive rate"] == wilson(6, 6)
    assert found["true-negative rate"] == wilson(0, 5)


def test_statements_are_told_apart_from_questions() -> None:
    statements = [stated(i % 2 == 0, i % 3 == 0) for i in range(12)]
    questions = [asked("A", "B", options=("Yes", "No")) for _ in range(12)]
    table = tables(*statements, *questions)["yes-and-no"]
    labels = [line.label for line in table.lines]
    assert labels == ["Yes-or-no questions", "Statements (yes: true)"]
    assert entries(table, labels[1])["yes-rate"] == wilson(4, 12)


def test_an_unread_reply_is_wrong_in_both_rates_and_left_out_of_sensitivity() -> None:
    yes_no = ("Yes", "No")
    pairs = [asked(letter, letter, options=yes_no) for letter in "AB" * 8]
    lost = [asked("A", None, options=yes_no), asked("B", None, options=yes_no)]
    found = entries(tables(*pairs, *lost)["yes-and-no"], "Yes-or-no questions")
    assert found["true-positive rate"].value == found["true-negative rate"].value == 8 / 9
    assert found["yes-rate"].n == found["d′"].n == found["criterion c"].n == 16
    assert found["criterion c"].value == pytest.approx(0)


def test_sensitivity_is_undefined_where_yes_is_always_right() -> None:
    found = entries(
        tables(*(stated(True, True) for _ in range(12)))["yes-and-no"], "Statements (yes: true)"
    )
    assert found["d′"].value is None
    assert found["true-negative rate"].value is None
    assert detection([1, 0], [1, 1]) is None


def test_detection_agrees_with_the_textbook() -> None:
    """20 hits of 25 and 10 false alarms of 25, each count with 0.5 and each total with 1 added."""
    found = detection([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15, [1] * 25 + [0] * 25)
    hits, alarms = norm.ppf(20.5 / 26), norm.ppf(10.5 / 26)
    assert found is not None
    assert found.d_prime == pytest.approx(hits - alarms)
    assert found.criterion == pytest.approx(-0.5 * (hits + alarms))


def test_perfect_answers_have_a_finite_sensitivity() -> None:
    found = detection([1, 1, 0, 0], [1, 1, 0, 0])
    assert found is not None
    assert found.d_prime == pytest.approx(2 * norm.ppf(2.5 / 3))


def test_an_observers_sensitivity_and_leaning_are_recovered() -> None:
    """Two normal distributions 1.5 apart and a criterion 0.3 towards no."""
    draw = random.Random(5)
    pairs = []
    for i in range(1500):
        right = i % 2 == 0
        pairs.append(stated(right, draw.gauss(0.75 if right else -0.75, 1) > 0.3))
    table = tables(*pairs)["yes-and-no"]
    found = entries(table, "Statements (yes: true)")
    for name, true in (("d′", 1.5), ("criterion c", 0.3)):
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low < true < high
        assert high - low < 0.4
    assert table.note.endswith("Statements (yes: true): the model leans to no.")


def test_several_questions_about_one_photograph_widen_the_interval() -> None:
    """Eight statements about each photograph, all answered rightly or all wrongly."""
    alone = [stated(i % 2 == 0, (i % 2 == 0) == (i // 8 % 3 > 0)) for i in range(96)]
    together = [
        (dataclasses.replace(item, images=(Picture(name=str(i // 8)),)), score)
        for i, (item, score) in enumerate(alone)
    ]
    widths, values = [], []
    for pairs in (alone, together):
        found = entries(tables(*pairs)["yes-and-no"], "Statements (yes: true)")["d′"]
        values.append(found.value)
        widths.append((found.high or 0.0) - (found.low or 0.0))
    assert values[0] == values[1]
    assert widths[1] > 1.5 * widths[0]
