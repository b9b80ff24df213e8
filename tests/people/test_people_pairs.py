"""The table of pairs of people: each pair's kappa, and what is left out where they are many."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from tests.people.answered import OPTIONS, of, question, tables

from eyechart.items import ItemSet
from eyechart.metrics.agreement import kappa_estimate
from eyechart.records import Estimate, Rating, Table
from eyechart.report.own_tables import worded


def asked(values: np.ndarray, kind: str = "true_false") -> tuple[ItemSet, list[Rating]]:
    """Statements or questions with four options, and values [raters, items]; NaN is no answer."""
    key: object = True if kind == "true_false" else OPTIONS[0]
    items = [question(f"{kind} {i}", kind, key) for i in range(values.shape[1])]  # type: ignore[arg-type]
    ratings = [
        Rating(item.id, f"rater {who}", float(values[who, at]), "")
        for who in range(len(values))
        for at, item in enumerate(items)
        if values[who, at] == values[who, at]
    ]
    return of(*items), ratings


def pairs(values: np.ndarray, kind: str = "true_false") -> Table:
    return tables(*asked(values, kind))["people-pairs"]


def known_alike(n_raters: int, n_items: int) -> np.ndarray:
    """Statements that rater 0 knows worst, and the last one best."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n_items)
    wrong = rng.random((n_raters, n_items)) < np.linspace(0.45, 0.02, n_raters)[:, None]
    return np.where(wrong, 1 - truth, truth).astype(float)


def test_every_pair_is_told_from_the_least_to_the_most_alike() -> None:
    values = known_alike(4, 60)
    values[0, 40:] = nan
    found = pairs(values)
    assert [column.name for column in found.columns] == [
        *("person B", "items shared", "True or false"),
    ]
    assert found.label == "Person A" and len(found.lines) == 6
    told = {(line.label, line.entries[0]): line.entries[1:] for line in found.lines}
    assert told["rater 0", "rater 3"][0] == Estimate(40.0, None, None, 40)
    a, b = values[0, :40], values[3, :40]
    clusters = [f"true_false {i}.png" for i in range(40)]
    assert told["rater 0", "rater 3"][1] == kappa_estimate(a, b, clusters)
    each = [line.entries[2].value for line in found.lines]  # type: ignore[union-attr]
    assert each == sorted(each) and "from the lowest to the highest." in found.note  # type: ignore[type-var]


def test_of_more_than_15_pairs_the_5_least_and_the_5_most_alike_are_told() -> None:
    assert len(pairs(known_alike(6, 60)).lines) == 15
    found, values = pairs(known_alike(7, 60)), known_alike(7, 60)
    assert len(found.lines) == 10 and "Of 21 pairs the 5 with the lowest" in found.note
    every = sorted(
        kappa_estimate(values[i], values[j]).value or 0.0 for i in range(7) for j in range(i)
    )
    shown = [line.entries[2].value for line in found.lines]  # type: ignore[union-attr]
    assert shown == pytest.approx([*every[:5], *every[-5:]])


def test_two_who_share_little_are_neither_the_least_nor_the_most_alike_of_many() -> None:
    values = known_alike(7, 60)
    values[0, 29:] = nan
    found = pairs(values)
    assert "among those that share at least half as many items" in found.note
    assert len(found.lines) == 10
    assert all("rater 0" not in (line.label, line.entries[0]) for line in found.lines)


def test_kinds_stand_side_by_side_each_with_its_own_kappa() -> None:
    statements, answers = asked(known_alike(3, 40))
    choices = np.array([[1, 2, 1, 4] * 10, [1, 2, 2, 4] * 10, [nan] * 40])
    questions, more = asked(choices, "single")
    found = tables(of(*statements.items, *questions.items), [*answers, *more])["people-pairs"]
    assert [(c.group, c.name) for c in found.columns[2:]] == [
        ("Kappa", "Single choice"),
        ("Kappa", "True or false"),
    ]
    told = {(line.label, line.entries[0]): line.entries[1:] for line in found.lines}
    shared, of_choices, of_statements = told["rater 0", "rater 1"]
    assert isinstance(of_choices, Estimate) and isinstance(of_statements, Estimate)
    assert shared == Estimate(80.0, None, None, 80)
    # three of four alike, of four options one in four by chance
    assert of_choices.value == pytest.approx((3 / 4 - 1 / 4) / (1 - 1 / 4))
    assert of_choices.n == of_statements.n == 40
    assert told["rater 0", "rater 2"][1] is None
    assert "as the mean over kinds of question, each by its items" in found.note


def test_pairs_that_share_nothing_are_no_pairs_and_those_without_kappa_come_last() -> None:
    found = pairs(np.array([[1, 1, 0, 0], [1, 1, nan, nan], [nan, nan, 0, 1.0]]))
    assert [(line.label, line.entries[0]) for line in found.lines] == [
        ("rater 0", "rater 2"),
        ("rater 0", "rater 1"),
    ]
    assert found.lines[1].entries[2] == Estimate(None, None, None, 2)
    assert "people-pairs" not in tables(*asked(np.array([[1, nan], [nan, 1.0]])))


def test_the_table_can_be_shown() -> None:
    shown = worded(pairs(known_alike(3, 40)))
    assert [head.text for head in shown.heads[:2]] == ["person B", "items shared"]
    assert shown.lines[0].cells[0].value == "rater 1"
