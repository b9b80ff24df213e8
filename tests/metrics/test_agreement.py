"""Agreement: a published table, figures worked by hand, and properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.errors import BadInput
from eyechart.metrics.agreement import (
    equal_shares,
    kappa_estimate,
    kappas,
    mean_kappa,
    spreads,
    weighted_kappa,
)
from eyechart.records import Estimate

# Fleiss, Cohen and Everitt 1969, Psychol. Bull. 72: 323-327, the table of 100 patients.
TABLE = [[53, 5, 2], [11, 14, 5], [1, 6, 3]]
PAIRS = [(i, j) for i in range(3) for j in range(3) for _ in range(TABLE[i][j])]
RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30)


def test_kappa_of_a_published_table() -> None:
    a, b = np.array(PAIRS).T
    # unweighted (.70 - .475) / .525 as published; the other by hand from the same margins
    assert weighted_kappa(a, b, weights="none") == pytest.approx(0.429, abs=5e-4)
    assert weighted_kappa(a, b) == pytest.approx((0.9025 - 0.775) / 0.225)


@given(RATINGS)
def test_kappa_does_not_care_who_is_first_and_is_1_for_equals(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = weighted_kappa(a, b), weighted_kappa(b, a)
    assert (one is None) == (other is None)
    if one is not None:
        assert one == pytest.approx(other) and -1 - 1e-9 <= one <= 1
    assert weighted_kappa(a, a) == (1 if len(set(a)) > 1 else None)


@given(RATINGS, st.integers(1, 9), st.integers(-9, 9))
def test_kappa_does_not_change_with_the_unit(
    pairs: list[tuple[int, int]], factor: int, shift: int
) -> None:
    a, b = np.array(pairs, float).reshape(-1, 2).T
    moved = weighted_kappa(a * factor + shift, b * factor + shift)
    assert moved == (None if (same := weighted_kappa(a, b)) is None else pytest.approx(same))


def test_agreement_is_undefined_without_anything_to_compare() -> None:
    assert weighted_kappa([], []) is None
    assert weighted_kappa([1, 1], [1, 1]) is None


def test_equal_shares_by_hand() -> None:
    # 1 of 3 pairs, 3 of 3, and the only pair
    draws = [[2, 2, 1], [0, 0, 0], [1, np.nan, 1]]
    assert equal_shares(draws) == pytest.approx([1 / 3, 1, 1])


def test_quadratic_kappa_is_lins_concordance_correlation() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=200)
    b = 0.8 * a + rng.normal(0.3, 0.4, size=200)
    apart = (a.mean() - b.mean()) ** 2
    lin = 2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + apart)
    assert weighted_kappa(a, b) == pytest.approx(lin)


def judged_alike(n_items: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts 0-2 of two judges who see the same with noise of their own."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=n_items)
    a, b = (np.digitize(seen + rng.normal(0, 0.6, n_items), [-0.6, 0.6]) for _ in range(2))
    return a, b


def test_the_interval_of_kappa_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = weighted_kappa(*judged_alike(200_000, seed=0))
    assert truth is not None
    found = [kappa_estimate(*judged_alike(50, seed)) for seed in range(1, 151)]
    covered = [f.low <= truth <= f.high for f in found if f.low is not None and f.high is not None]
    assert len(covered) == 150
    assert 0.90 <= np.mean(covered) <= 0.99


def test_the_interval_of_kappa_heeds_items_that_belong_together() -> None:
    a, b = judged_alike(40, seed=3)
    alone = kappa_estimate(a, b)
    doubled = kappa_estimate(np.tile(a, 2), np.tile(b, 2), [i % 40 for i in range(80)])
    assert doubled.value == pytest.approx(alone.value)
    assert (doubled.low, doubled.high) == pytest.approx((alone.low, alone.high), abs=0.01)


def test_kappa_has_no_interval_where_nothing_can_be_known_of_the_spread() -> None:
    assert kappa_estimate([0, 1, 2, 1], [0, 1, 2, 1]) == Estimate(1.0, None, None, 4)
    assert kappa_estimate([1, 1, 1], [1, 1, 1]) == Estimate(None, None, None, 3)
    assert kappa_estimate([], []) == Estimate(None, None, None, 0)


@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=5), min_size=1, max_size=8))
def test_spreads_and_equal_shares_agree_with_counting(verdicts: list[list[int]]) -> None:
    table = np.full((len(verdicts), 5), np.nan)
    for row, given_ in zip(table, verdicts, strict=True):
        row[: len(given_)] = given_
    assert spreads(table) == pytest.approx([np.std(given_, ddof=1) for given_ in verdicts])
    pairs = [[x == y for i, x in enumerate(given_) for y in given_[:i]] for given_ in verdicts]
    shares = [np.mean(equal) for equal in pairs]
    assert equal_shares(table) == pytest.approx(shares)


def test_an_item_with_one_draw_has_no_spread() -> None:
    assert np.isnan(spreads([[1, np.nan], [np.nan, np.nan]])).all()
    assert np.isnan(equal_shares([[1, np.nan]])).all()


def test_bad_ratings_are_named() -> None:
    with pytest.raises(BadInput, match="weights is 'cubic', expected one of none, quadratic"):
        weighted_kappa([1], [1], weights="cubic")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="draws: expected an array of 2 dimensions, got 1"):
        equal_shares([1, 2])
    with pytest.raises(BadInput, match=r"draws\[0, 1\] is"):
        equal_shares([[1, np.inf]])
    with pytest.raises(BadInput, match=r"draws\[0, 0\] is -?inf"):
        spreads([[np.inf, 1]])
    with pytest.raises(BadInput, match="a has 1 values and b 2"):
        kappa_estimate([1], [1, 2])


def four_with_gaps() -> np.ndarray:
    """Verdicts 0-2 of four raters on 60 items, of which each lacks about a third."""
    rng = np.random.default_rng(4)
    seen = rng.normal(size=60)
    table = np.digitize(seen + rng.normal(0, 0.6, (4, 60)), [-0.6, 0.6]).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    return table


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """One less the squared distance of the two on an item over that on any two items."""
    return float(1 - ((a - b) ** 2).mean() / ((a[:, None] - b[None, :]) ** 2).mean())


def test_the_kappa_of_each_pair_is_over_the_items_that_both_have() -> None:
    table = four_with_gaps()
    found = kappas(table)
    assert (found.kappa == found.kappa.T).all() and (found.n == found.n.T).all()
    for one, other in itertools.product(range(4), repeat=2):
        both = ~np.isnan(table[one]) & ~np.isnan(table[other])
        assert found.n[one, other] == both.sum()
        spelled_out = by_definition(table[one, both], table[other, both])
        assert found.kappa[one, other] == pytest.approx(spelled_out)
        of_two = weighted_kappa(table[one, both], table[other, both])
        assert found.kappa[one, other] == pytest.approx(of_two)
        assert of_two == pytest.approx(kappa_estimate(table[one, both], table[other, both]).value)


def test_values_far_from_0_and_names_lose_nothing() -> None:
    table = four_with_gaps()
    assert kappas(table / 7 + 1e6).kappa == pytest.approx(kappas(table).kappa, abs=1e-6)
    assert np.isnan(kappas(np.full((2, 30), 1e9 / 3)).kappa).all()
    assert weighted_kappa([1e9, 2e9, 5], [1e9, 2e9, 7], weights="none") == pytest.approx(
        (2 / 3 - 2 / 9) / (1 - 2 / 9)
    )


def test_each_pair_of_choices_has_the_chance_of_its_questions() -> None:
    said = [[1, 2, 1, 8], [1, 2, 2, 8], [1, np.nan, 4, np.nan]]
    found = kappas(said, n_options=[2, 2, 4, 4])
    assert found.n.tolist() == [[4, 4, 2], [4, 4, 2], [2, 2, 2]]
    assert found.kappa[0, 1] == pytest.approx((3 / 4 - 3 / 8) / (1 - 3 / 8))
    assert found.kappa[0, 2] == pytest.approx((1 / 2 - 3 / 8) / (1 - 3 / 8))
    alone = kappa_estimate([1, 2, 1, 8], [1, 2, 2, 8], n_options=[2, 2, 4, 4])
    assert alone.value == pytest.approx(found.kappa[0, 1])


def test_the_mean_kappa_is_that_of_the_pairs_each_by_the_items_it_shares() -> None:
    table = four_with_gaps()
    pairs = np.triu_indices(4, 1)
    each = kappas(table)
    found = mean_kappa(table)
    assert found.value == pytest.approx(np.average(each.kappa[pairs], weights=each.n[pairs]))
    assert found.n == ((~np.isnan(table)).sum(axis=0) > 1).sum()
    assert mean_kappa(3 * table - 50).value == pytest.approx(found.value)


def test_of_two_raters_the_mean_kappa_and_its_interval_are_kappas() -> None:
    a, b = judged_alike(50, seed=1)
    clusters = [i // 2 for i in range(50)]
    found, expected = mean_kappa([a, b], clusters=clusters), kappa_estimate(a, b, clusters)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_of_choices_chance_is_any_of_the_items_own_options() -> None:
    # of 2 options 1 of 2 alike by chance, of 4 options 1 of 4; 3 of 4 are alike
    found = mean_kappa([[1, 2, 1, 8], [1, 2, 2, 8]], n_options=[2, 2, 4, 4])
    assert found.value == pytest.approx((3 / 4 - 3 / 8) / (1 - 3 / 8))
    # both choose one option in half of the items and two in the other half
    found = mean_kappa([[1, 3], [2, 3]], n_options=[4, 4])
    by_chance = (1 / 2) ** 2 / 4 + (1 / 2) ** 2 / 6
    assert found.value == pytest.approx((1 / 2 - by_chance) / (1 - by_chance))


def test_raters_who_share_nothing_have_no_kappa() -> None:
    assert mean_kappa([[1, np.nan], [np.nan, 1]]) == Estimate(None, None, None, 0)
    assert mean_kappa([[1, 1], [1, 1]]) == Estimate(None, None, None, 2)
    assert mean_kappa([[3, 3], [3, 3]], n_options=[2, 2]).value is None
    assert mean_kappa(np.empty((0, 0))) == Estimate(None, None, None, 0)
    with pytest.raises(BadInput, match="expected a choice among 2 options"):
        mean_kappa([[4], [1]], n_options=[2])
