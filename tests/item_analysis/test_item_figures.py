"""What is said of each item: by hand on a few answers, and planted faults are found among many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.item_analysis.simulated import OPTIONS, simulated

from eyechart.errors import BadInput
from eyechart.item_analysis import Answered
from eyechart.item_analysis.answers import ResponseTable, response_table
from eyechart.item_analysis.figures import Figures, figures_of
from eyechart.items import Card, ItemSet
from eyechart.metrics.agreement import means
from eyechart.records import Item, Score


def question(id: str, answer: str = "Blur") -> Item:
    return Item(id, "single", f"Question {id}?", (), OPTIONS, answer)


def run_of(name: str, chosen: Sequence[str]) -> Answered:
    """A run that chose these letters: A is right, "?" cannot be read, "" is not in the scores."""
    scores = [
        Score(str(i), "correct", None, "unparsed", detail="says nothing")
        if letter == "?"
        else Score(str(i), "correct", float(letter == "A"), extracted=letter)
        for i, letter in enumerate(chosen)
        if letter
    ]
    return Answered(name, scores)


def found_in(*chosen: Sequence[str]) -> tuple[ResponseTable, Figures]:
    """The figures of runs that chose these letters; the key is A throughout."""
    items = ItemSet(Card("x"), tuple(question(str(i)) for i in range(len(chosen[0]))))
    answers = response_table(items, [run_of(f"m{i}", told) for i, told in enumerate(chosen)])
    return answers, figures_of(answers)


def test_what_is_missing_or_cannot_be_read_is_wrong() -> None:
    _, figures = found_in("AA", "A?", ["A", ""])
    assert figures.share_right.tolist() == [1, pytest.approx(1 / 3)]
    assert figures.n_models.tolist() == [3, 3]


def test_a_verdict_that_the_judge_owes_is_no_mark() -> None:
    items = ItemSet(Card("x"), tuple(Item(i, "open", "Why?", (), (), "Blur") for i in "ab"))
    judged = Answered("m", [Score("a", "verdict", 0.5, judge="j")])
    owed = Answered("n", [Score(i, "verdict", None, "unjudged") for i in "ab"])
    figures = figures_of(response_table(items, [judged, owed]))
    assert figures.share_right.tolist() == [0.5, 0.0]
    assert figures.n_models.tolist() == [1, 1]
    assert figures.missed.tolist() == [False, True]


def test_an_item_is_missed_by_all_where_at_least_half_of_the_models_have_a_mark() -> None:
    items = ItemSet(Card("x"), tuple(Item(i, "open", "Why?", (), (), "Blur") for i in "ab"))
    runs = [
        Answered("m", [Score("a", "verdict", 0.0), Score("b", "verdict", 0.5)]),
        *[Answered(f"n{i}", [Score("b", "verdict", 0.0), owed("a")]) for i in range(3)],
    ]
    figures = figures_of(response_table(items, runs))
    assert figures.n_models.tolist() == [1, 4]
    assert figures.missed.tolist() == [False, False]  # the first has one mark; a half mark is one


def owed(item_id: str) -> Score:
    return Score(item_id, "verdict", None, "unjudged")


def test_items_without_any_mark_are_left_out_and_counted() -> None:
    rated = Item("r", "rate", "How good?", (), mos=3.0)
    withheld = replace(question("w"), answer=None)
    items = ItemSet(Card("x"), (question("0"), rated, withheld))
    answers = response_table(items, [run_of("m", "A")])
    assert [item.id for item in answers.items] == ["0"]
    assert answers.n_left_out == 2


def test_people_are_shown_beside_the_models_and_are_none_of_them() -> None:
    items = ItemSet(Card("x"), (question("0"), question("1")))
    people = Answered("People", [Score("0", "correct", 0.75, draws=(1, 1, 1, 0))], people=True)
    answers = response_table(items, [run_of("m", "BB"), people])
    assert answers.models == ("m",)
    assert answers.people.tolist() == [0.75, pytest.approx(np.nan, nan_ok=True)]
    assert figures_of(answers).missed.all()


def test_the_item_rest_correlation_is_that_with_the_mean_of_the_other_items() -> None:
    marks = (simulated(12, 30).right).astype(float)
    answers, figures = found_in(*[["A" if x else "B" for x in row] for row in marks])
    assert answers.marks == pytest.approx(marks)
    for place in range(30):
        others = np.delete(marks, place, axis=1).mean(axis=1)
        if np.ptp(marks[:, place]):
            by_numpy = np.corrcoef(marks[:, place], others)[0, 1]
            assert figures.item_rest[place] == pytest.approx(by_numpy)
        else:
            assert np.isnan(figures.item_rest[place])


def test_the_item_rest_correlation_needs_three_models() -> None:
    assert np.isnan(found_in("AB", "BA")[1].item_rest).all()


@pytest.mark.parametrize("n_models", [10, 15, 26])
def test_luck_turns_about_as_many_items_as_is_told(n_models: int) -> None:
    """No item here is better known to worse models."""
    found = [figures_of(table_of(n_models, 1000, seed)) for seed in range(3)]
    n_turned = sum(int(figures.turned.sum()) for figures in found)
    by_luck = sum(float(figures.turned_by_luck.sum()) for figures in found)
    assert n_turned > 300 and by_luck == pytest.approx(n_turned, rel=1 / 6)


def test_items_that_really_are_turned_come_before_those_that_luck_turns() -> None:
    """30 of 1,000 items are turned around: most of the 30 lowest, by luck it would be one."""
    turned = range(30)
    found = []
    for seed in range(3):
        answers = table_of(26, 1000, seed, spread=1.0)
        answers.marks[:, turned] = answers.marks[::-1, turned]  # models are sorted by ability
        figures = figures_of(answers)
        lowest = np.argsort(np.where(figures.turned, figures.item_rest, 1.0))[:30]
        found.append(int((lowest < 30).sum()))
    assert np.mean(found) > 15


def test_items_are_not_called_turned_by_fewer_than_ten_models() -> None:
    few, enough = (figures_of(table_of(n, 200, 0)) for n in (9, 10))
    assert not few.has_many and not few.turned.any() and not few.turned_by_luck.any()
    assert enough.has_many and enough.turned.any()
    assert (enough.turned == (enough.item_rest < -1e-9)).all()


def table_of(n_models: int, n_items: int, seed: int, spread: float = 0.5) -> ResponseTable:
    true = simulated(n_models, n_items, seed=seed, spread=spread)
    return response_table(true.items, true.runs)


def test_means_are_over_what_is_there() -> None:
    marks = np.array([[1.0, np.nan], [0.5, np.nan]])
    assert means(marks, axis=1).tolist() == [1.0, 0.5]
    assert np.isnan(means(np.empty((0, 3)), axis=0)).all()


STRONG, WEAK = "AAAAAAC", "BBBBBBA"


def test_a_key_is_doubted_where_all_strong_models_choose_one_other_answer() -> None:
    answers, figures = found_in(STRONG, STRONG, STRONG, WEAK, WEAK, WEAK)
    assert figures.is_strong.tolist() == [True] * 3 + [False] * 3
    assert figures.wrong_key.tolist() == [False] * 6 + [True]
    assert answers.options[figures.strong_choice[6]] == "C"
    assert figures.counts[6].sum() == 6


def test_a_key_is_not_doubted_where_strong_models_differ() -> None:
    _, figures = found_in(STRONG, STRONG, "AAAAAAD", WEAK, WEAK, WEAK)
    assert not figures.wrong_key.any()


def test_a_strong_model_that_cannot_be_read_does_not_hide_a_wrong_key() -> None:
    _, figures = found_in(STRONG, STRONG, STRONG, "AAAAAA?", *[WEAK] * 4)
    assert figures.wrong_key[6]
    _, figures = found_in(STRONG, STRONG, "AAAAAA?", "AAAAAA?", *[WEAK] * 4)
    assert not figures.wrong_key[6]  # two are left, which is too few


def test_keys_are_not_doubted_by_fewer_than_three_strong_models() -> None:
    _, figures = found_in(STRONG, STRONG, WEAK, WEAK)
    assert not figures.has_strong and not figures.wrong_key.any()


def test_of_equally_frequent_answers_the_same_one_is_told_each_time() -> None:
    answers, figures = found_in("B", "C")
    assert answers.options[figures.most_chosen[0]] == "B"


def test_luck_without_the_picture_is_that_of_models_that_guess_by_themselves() -> None:
    items = ItemSet(Card("x"), (question("0"), Item("1", "true_false", "?", (), (), True)))
    runs = [
        Answered(name, [*run_of(name, "A").scores, *blind(*values)])
        for name, values in {"m": (1, 1), "n": (0, 1), "o": ()}.items()
    ]
    figures = figures_of(response_table(items, runs)).blind
    assert figures.by_all.tolist() == [False, True] and figures.by_any.tolist() == [True, True]
    assert figures.all_by_luck == pytest.approx([1 / 16, 1 / 4])
    assert figures.any_by_luck == pytest.approx([7 / 16, 3 / 4])


def blind(*values: float) -> list[Score]:
    return [Score(str(i), "correct.blind", float(v)) for i, v in enumerate(values)]


def test_a_blind_reply_that_declines_is_wrong() -> None:
    items = ItemSet(Card("x"), (question("0"),))
    declined = Score("0", "correct.blind", None, "refused")
    figures = figures_of(response_table(items, [Answered("m", [declined])])).blind
    assert figures.asked.all() and not figures.by_any.any()


def test_item_responses_are_fitted_from_five_models_on() -> None:
    assert found_in(*["AB", "BA", "AA", "BB"])[1].responses is None
    assert found_in(*["AB", "BA", "AA", "BB", "AB"])[1].responses is not None


def planted(rng: np.random.Generator, allowed: NDArray[np.bool_]) -> list[int]:
    return [int(i) for i in rng.choice(np.flatnonzero(allowed), 10, replace=False)]


@pytest.mark.parametrize("seed", range(3))
def test_wrong_keys_of_items_that_models_know_are_found(seed: int) -> None:
    true = simulated(26, 800, seed=seed)
    closed = np.array([item.kind != "open" for item in true.items.items])
    wrong = planted(np.random.default_rng(seed), closed & (true.right.mean(axis=0) == 1))
    turned = true.with_keys_turned(wrong)
    found = figures_of(response_table(turned.items, turned.runs)).wrong_key
    assert found[wrong].all()
    false = set(np.flatnonzero(found)) - set(wrong)
    assert len(false) <= 3  # of 800, and all of them hard statements with but one wrong answer
    assert {true.items.items[place].kind for place in false} <= {"true_false"}


@pytest.mark.parametrize("seed", range(3))
def test_items_that_are_known_without_the_picture_are_found(seed: int) -> None:
    true = simulated(10, 800, seed=seed)
    closed = np.array([item.kind != "open" for item in true.items.items])
    known = planted(np.random.default_rng(seed), closed)
    asked = true.with_blind(10, known, seed)
    found = figures_of(response_table(asked.items, asked.runs)).blind
    assert found.by_all[known].all()
    assert found.all_by_luck.sum() < 1 and found.by_all.sum() - 10 <= 1


def test_keys_are_written_as_replies_are_read() -> None:
    several = Item("1", "multiple", "?", (), OPTIONS, ("Blur", "Haze"))
    statement = Item("2", "true_false", "?", (), (), False)
    open_question = Item("3", "open", "?", (), (), "Blur")
    asked = (question("0", "Haze"), several, statement, open_question)
    scores = [
        *(Score(str(i), "correct", 1.0, extracted="A, C") for i in range(3)),
        Score("3", "verdict", 1.0, judge="j"),
    ]
    answers = response_table(ItemSet(Card("x"), asked), [Answered("m", scores)])
    assert [answers.key(place) for place in range(4)] == ["C", "A, C", "False", ""]
    assert answers.choices[0, 1] == answers.keys[1]


def test_without_a_model_or_a_mark_there_is_nothing_to_analyse() -> None:
    items = ItemSet(Card("x"), (Item("r", "rate", "How good?", (), mos=3.0),))
    with pytest.raises(BadInput, match="no run of a model to analyse items by; expected at least"):
        response_table(items, [Answered("People", [], people=True)])
    with pytest.raises(BadInput, match="m: no item has a mark; expected scores 'correct'"):
        response_table(items, [Answered("m", [Score("r", "rating", 0.5)])])
