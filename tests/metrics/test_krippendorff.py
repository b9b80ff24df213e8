"""Krippendorff's alpha: his worked examples, a definition spelled out, and what theory says."""

from __future__ import annotations

import itertools
from math import nan

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eyechart.errors import BadInput
from eyechart.metrics.krippendorff import LEVELS, Level, alpha_estimate, krippendorff_alpha
from eyechart.records import Estimate

# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, examples A, B and C: two observers
# and ten units of two values; two and twelve of five names; four and twelve, not all observed.
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
NAMES = [[1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1], [2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4]]
MISSING = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
    [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
]
TABLES = st.integers(2, 4).flatmap(
    lambda n_raters: st.lists(
        st.lists(st.sampled_from([nan, 1.0, 2.0, 3.0]), min_size=n_raters, max_size=n_raters),
        min_size=1,
        max_size=8,
    ).map(lambda items: np.array(items).T)
)


@pytest.mark.parametrize(
    ("values", "level", "published"),
    [
        (BINARY, "nominal", 0.095),
        (NAMES, "nominal", 0.692),
        (MISSING, "nominal", 0.743),
        (MISSING, "ordinal", 0.815),
        (MISSING, "interval", 0.849),
    ],
)
def test_the_published_examples(values: list[list[float]], level: Level, published: float) -> None:
    assert krippendorff_alpha(values, level) == pytest.approx(published, abs=5e-4)


def by_definition(values: np.ndarray, level: Level) -> float | None:
    """Sums over pairs of values, as he writes them."""
    units = [[x for x in unit if x == x] for unit in values.T]
    units = [unit for unit in units if len(unit) > 1]
    every = sorted(x for unit in units for x in unit)

    def apart(c: float, k: float) -> float:
        if level == "nominal" or c == k:
            return float(c != k)
        if level == "interval":
            return (c - k) ** 2
        low, high = min(c, k), max(c, k)
        between = sum(low <= x <= high for x in every)
        return (between - (every.count(c) + every.count(k)) / 2) ** 2

    def pairs(given_: list[float]) -> float:
        return sum(apart(c, k) for c, k in itertools.permutations(given_, 2))

    n = len(every)
    observed = sum(pairs(unit) / (len(unit) - 1) for unit in units) / n if n else 0
    expected = pairs(every) / (n * (n - 1)) if n else 0
    return 1 - observed / expected if expected else None


@given(TABLES, st.sampled_from(LEVELS))
def test_alpha_is_what_its_definition_spells_out(values: np.ndarray, level: Level) -> None:
    expected = by_definition(values, level)
    found = krippendorff_alpha(values, level)
    assert found == (None if expected is None else pytest.approx(expected))


@given(TABLES, st.sampled_from(LEVELS))
def test_neither_the_order_of_raters_nor_that_of_items_matters(
    values: np.ndarray, level: Level
) -> None:
    found = krippendorff_alpha(values, level)
    turned = krippendorff_alpha(values[::-1, ::-1], level)
    assert turned == (None if found is None else pytest.approx(found))


@given(TABLES)
def test_names_may_be_changed_ranks_stretched_and_distances_scaled(values: np.ndarray) -> None:
    assume(krippendorff_alpha(values) is not None)
    renamed = np.where(values == 1, 7, np.where(values == 2, -1, values))
    assert krippendorff_alpha(renamed) == pytest.approx(krippendorff_alpha(values))
    stretched = krippendorff_alpha(values**3, "ordinal")
    assert stretched == pytest.approx(krippendorff_alpha(values, "ordinal"))
    scaled = krippendorff_alpha(5 * values - 40, "interval")
    assert scaled == pytest.approx(krippendorff_alpha(values, "interval"))


@pytest.mark.parametrize("level", LEVELS)
def test_full_agreement_is_1_and_dice_are_about_0(level: Level) -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3], [nan, 2, 3]], level) == 1
    thrown = np.random.default_rng(0).integers(1, 5, (4, 4000))
    assert krippendorff_alpha(thrown, level) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_is_undefined_without_pairs_or_where_all_say_the_same(level: Level) -> None:
    assert krippendorff_alpha([[1, 2, nan], [nan, nan, 3]], level) is None
    assert krippendorff_alpha([[0.1, 0.1], [0.1, 0.1]], level) is None
    assert krippendorff_alpha(np.empty((0, 0)), level) is None
    assert alpha_estimate([[1, 1, 1], [1, 1, nan]], level) == Estimate(None, None, None, 2)
    assert alpha_estimate(np.empty((0, 3)), level) == Estimate(None, None, None, 0)


def answers(share_known: float, *, n_items: int, n_raters: int, seed: int) -> np.ndarray:
    """Options 1-4 of raters who know the answer with a probability and else guess."""
    rng = np.random.default_rng(seed)
    keys = rng.integers(1, 5, n_items)
    knows = rng.random((n_raters, n_items)) < share_known
    return np.where(knows, keys, rng.integers(1, 5, (n_raters, n_items)))


def chosen(options: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 ** (options - 1))


@pytest.mark.parametrize("share_known", [0.0, 0.5, 0.9])
def test_of_raters_who_know_or_guess_alpha_is_the_square_of_what_they_know(
    share_known: float,
) -> None:
    said = answers(share_known, n_items=20_000, n_raters=3, seed=1)
    found = krippendorff_alpha(chosen(said), n_options=[4] * 20_000)
    assert found == pytest.approx(share_known**2, abs=0.015)


def test_of_sets_of_options_too() -> None:
    rng = np.random.default_rng(2)
    keys, guesses = rng.integers(1, 16, 20_000), rng.integers(1, 16, (3, 20_000))
    said = np.where(rng.random((3, 20_000)) < 0.7, keys, guesses)
    assert krippendorff_alpha(said, n_options=[4] * 20_000) == pytest.approx(0.49, abs=0.015)


def test_each_question_has_the_chance_of_its_own_options() -> None:
    # two of two options and ten of ten: agreement by chance of 1/2 and 1/10
    said = [[1, 2, 1, 2, 1, 2, 512, 4], [1, 2, 2, 1, 2, 2, 512, 4]]
    found = krippendorff_alpha(said, n_options=[2] * 4 + [10] * 4)
    assert found == pytest.approx(1 - (3 / 8) / ((1 / 2 + 9 / 10) / 2))


def test_alpha_over_letters_comes_to_the_same_where_options_are_shuffled() -> None:
    said = answers(0.7, n_items=300, n_raters=4, seed=3)
    rng = np.random.default_rng(4)
    over_letters = []
    for _ in range(200):
        orders = rng.permuted(np.tile(np.arange(1, 5), (300, 1)), axis=1)
        over_letters.append(krippendorff_alpha(orders[np.arange(300), said - 1]))
    assert krippendorff_alpha(chosen(said), n_options=[4] * 300) == pytest.approx(
        np.mean([alpha for alpha in over_letters if alpha is not None]), abs=0.002
    )


def test_the_key_as_one_category_of_all_items_would_call_knowledge_chance() -> None:
    rng = np.random.default_rng(5)
    right_is_1 = np.where(rng.random((4, 5000)) < 0.9, 1, rng.integers(1, 5, (4, 5000)))
    assert krippendorff_alpha(right_is_1) == pytest.approx(0, abs=0.02)
    assert krippendorff_alpha(chosen(right_is_1), n_options=[4] * 5000) == pytest.approx(
        0.81, abs=0.02
    )


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    found = [
        alpha_estimate(chosen(answers(0.7, n_items=80, n_raters=4, seed=seed)), n_options=[4] * 80)
        for seed in range(200)
    ]
    covered = [f.low <= 0.49 <= f.high for f in found if f.low is not None and f.high is not None]
    assert len(covered) == 200
    assert 0.90 <= np.mean(covered) <= 0.99


def test_the_interval_heeds_items_that_belong_together_and_counts_shared_ones() -> None:
    said = answers(0.7, n_items=40, n_raters=3, seed=6).astype(float)
    alone = alpha_estimate(said, "interval")
    doubled = alpha_estimate(
        np.hstack([said, said]), "interval", clusters=[i % 40 for i in range(80)]
    )
    assert doubled.low == pytest.approx(alone.low, abs=0.02)
    said[1:, 0] = nan
    assert alpha_estimate(said, "interval").n == 39


def test_bad_values_are_named() -> None:
    with pytest.raises(BadInput, match="level is 'ratio'; expected one of nominal, ordinal"):
        krippendorff_alpha([[1], [1]], "ratio")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"level is 'interval'; .* and nominal for options"):
        krippendorff_alpha([[1], [1]], "interval", n_options=[4])
    with pytest.raises(BadInput, match="values: expected an array of 2 dimensions, got 1"):
        krippendorff_alpha([1, 2])
    with pytest.raises(BadInput, match=r"values\[0, 1\] is inf, expected a finite number"):
        krippendorff_alpha([[1, np.inf]])
    with pytest.raises(BadInput, match=r"values\[1, 0\] is 16, expected a choice among 4 options"):
        krippendorff_alpha([[1], [16]], n_options=[4])
    with pytest.raises(BadInput, match="n_options has 1 entries for 2 items"):
        krippendorff_alpha([[1, 2]], n_options=[4])
