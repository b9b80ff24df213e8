"""Agreement between models: the same as for two raters, and wrong answers counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.item_analysis.simulated import OPTIONS, simulated

from eyechart.item_analysis import Answered
from eyechart.item_analysis.alike import alike
from eyechart.item_analysis.answers import response_table
from eyechart.items import Card, ItemSet
from eyechart.metrics.agreement import weighted_kappa
from eyechart.records import Item, Score


def test_kappa_is_that_of_two_raters() -> None:
    true = simulated(5, 200)
    answers = response_table(true.items, true.runs)
    found = alike(answers)
    for i in range(5):
        for j in range(5):
            mine, other = answers.marks[i] > 0.5, answers.marks[j] > 0.5
            assert found.kappa[i, j] == pytest.approx(weighted_kappa(mine, other, weights="none"))
    assert (found.n_both == 200).all()


def test_kappa_is_over_items_that_both_have_a_mark_for() -> None:
    true = simulated(2, 60)
    gaps = replace(
        true.runs[0],
        scores=tuple(
            replace(s, value=None, why="unjudged") if s.name == "verdict" and i % 2 else s
            for i, s in enumerate(true.runs[0].scores)
        ),
    )
    answers = response_table(true.items, [gaps, true.runs[1]])
    both = ~np.isnan(answers.marks).any(axis=0)
    found = alike(answers)
    mine, other = answers.marks[:, both] > 0.5
    assert found.n_both[0, 1] == both.sum() < 60
    assert found.kappa[0, 1] == pytest.approx(weighted_kappa(mine, other, weights="none"))


def test_models_that_are_always_right_have_no_kappa() -> None:
    items = ItemSet(Card("x"), (Item("0", "single", "?", (), OPTIONS, "Blur"),))
    runs = [Answered(name, [Score("0", "correct", 1.0, extracted="A")]) for name in "mn"]
    assert np.isnan(alike(response_table(items, runs)).kappa[0, 1])


def test_the_same_wrong_answer_is_counted_where_there_are_several_wrong_ones() -> None:
    kinds = [Item(str(i), "single", "?", (), OPTIONS, "Blur") for i in range(5)]
    statement = Item("5", "true_false", "?", (), (), True)
    two = Item("6", "single", "?", (), ("Yes", "No"), "Yes")
    items = ItemSet(Card("x"), (*kinds, statement, two))
    first = ["B", "B", "C", "A", "", "False", "B"]
    other = ["B", "C", "C", "B", "D", "False", "B"]
    right = ["A"] * 5 + ["True", "A"]
    runs = [
        Answered(
            name,
            [
                Score(str(i), "correct", float(letter == right[i]), extracted=letter)
                for i, letter in enumerate(told)
            ],
        )
        for name, told in {"m": first, "n": other}.items()
    ]
    found = alike(response_table(items, runs))
    assert (
        found.n_wrong[0, 1] == 3
    )  # items 0, 1 and 2: to the others one of them is right or silent
    assert found.same_wrong[0, 1] == pytest.approx(2 / 3)
    assert found.same_wrong.tolist() == found.same_wrong.T.tolist()
