"""The smallest difference that items show: got back by simulation, and beside the textbooks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.paired import mcnemar_exact
from eyechart.metrics.power import (
    ACCURACY,
    COARSE,
    CORRELATION,
    discordant_share,
    smallest_difference,
    too_few,
)

N_TRIALS = 10_000
Z_ALPHA, Z_POWER = float(stats.norm.isf(0.025)), float(stats.norm.isf(0.2))


def shown(n: int, correlation: float | None = None, accuracy: float = ACCURACY) -> float:
    found = smallest_difference(n, correlation=correlation, accuracy=accuracy)
    assert found is not None
    return found


def cells(difference: float, correlation: float) -> list[float]:
    """The chances that both models are right, only the better, only the worse, neither."""
    better, worse = ACCURACY + difference / 2, ACCURACY - difference / 2
    discordant = discordant_share(better, worse, correlation)
    only_better, only_worse = (discordant + difference) / 2, (discordant - difference) / 2
    only_worse = max(0.0, only_worse)
    return [better - only_better, only_better, only_worse, 1 - better - only_worse]


@pytest.mark.parametrize("n", [18, 30, 100, 545, 2765])
def test_the_z_test_finds_the_unpaired_difference_in_80_of_100_trials(n: int) -> None:
    rng, difference = np.random.default_rng(n), shown(n)
    x = rng.binomial(n, ACCURACY + difference / 2, N_TRIALS)
    y = rng.binomial(n, ACCURACY - difference / 2, N_TRIALS)
    pooled = (x + y) / (2 * n)
    with np.errstate(invalid="ignore"):
        z = (x - y) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert (z >= Z_ALPHA).mean() == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("n", [18, 30, 100, 545, 2765])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_mcnemars_exact_test_finds_the_paired_difference_in_80_of_100_trials(
    n: int, correlation: float
) -> None:
    rng, difference = np.random.default_rng(n), shown(n, correlation)
    counts = rng.multinomial(n, cells(difference, correlation), N_TRIALS)
    found = [a > b and mcnemar_exact(int(a), int(b)) <= 0.05 for _, a, b, _ in counts]
    assert np.mean(found) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.5])
def test_the_marks_of_two_models_have_the_correlation_that_was_assumed(correlation: float) -> None:
    both, only_better, only_worse, neither = cells(0.1, correlation)
    covariance = both - (both + only_better) * (both + only_worse)
    spreads = [(p := both + only) * (1 - p) for only in (only_better, only_worse)]
    assert covariance / math.sqrt(spreads[0] * spreads[1]) == pytest.approx(correlation)
    assert neither >= 0


@pytest.mark.parametrize("n", [100, 545, 2765])
def test_the_unpaired_difference_needs_as_many_items_as_the_textbook_says(n: int) -> None:
    """Fleiss, Levin and Paik 2003, eq. 4.14, without the correction for continuity."""
    difference = shown(n)
    p1, p2 = ACCURACY + difference / 2, ACCURACY - difference / 2
    under_null = Z_ALPHA * math.sqrt(2 * ACCURACY * (1 - ACCURACY))
    needed = (under_null + Z_POWER * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))) ** 2
    assert needed / difference**2 == pytest.approx(n, rel=0.02)


@pytest.mark.parametrize(("n", "dearer"), [(55, 0.08), (100, 0.1), (545, 0.06), (2765, 0.03)])
def test_the_exact_paired_test_asks_for_somewhat_more_items_than_connors_formula(
    n: int, dearer: float
) -> None:
    """Connor 1987, for McNemar's test by chi-squared."""
    difference = shown(n, CORRELATION)
    p1, p2 = ACCURACY + difference / 2, ACCURACY - difference / 2
    discordant = discordant_share(p1, p2, CORRELATION)
    under_null = Z_ALPHA * math.sqrt(discordant)
    needed = (under_null + Z_POWER * math.sqrt(discordant - difference**2)) ** 2 / difference**2
    assert (1 - dearer) * n < needed < n


@settings(max_examples=40)
@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 1))
def test_more_items_never_hide_a_paired_difference(n: int, more: int, correlation: float) -> None:
    few = smallest_difference(n, correlation=correlation)
    many = smallest_difference(n + more, correlation=correlation)
    assert few is None or (many is not None and many <= few + 1e-6)


@settings(max_examples=40)
@given(st.integers(4, 500), st.floats(0.3, 0.7))
def test_twice_the_items_show_a_smaller_unpaired_difference(n: int, accuracy: float) -> None:
    few = smallest_difference(n, accuracy=accuracy)
    many = smallest_difference(2 * n, accuracy=accuracy)
    assert few is None or (many is not None and many < few)


def test_models_that_are_more_alike_are_told_apart_more_easily() -> None:
    differences = [shown(300, correlation) for correlation in (-0.5, 0.0, 0.3, 0.6, 0.9)]
    assert differences == sorted(differences, reverse=True)


@pytest.mark.parametrize("correlation", [None, 0.0, 0.5, 1.0])
def test_three_items_show_nothing(correlation: float | None) -> None:
    assert smallest_difference(3, correlation=correlation) is None
    assert smallest_difference(0, correlation=correlation) is None


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))
def test_the_discordant_share_is_at_least_the_difference_whatever_the_correlation(
    p1: float, p2: float, phi: float
) -> None:
    share = discordant_share(p1, p2, phi)
    most = min(p1 + p2, 2 - p1 - p2)
    assert abs(p1 - p2) - 1e-12 <= share <= most + 1e-12


def test_a_correlation_that_the_accuracies_do_not_allow_is_the_nearest_that_they_do() -> None:
    assert discordant_share(0.9, 0.5, 1.0) == pytest.approx(0.4)
    assert discordant_share(0.9, 0.5, -1.0) == pytest.approx(0.6)


def test_twenty_points_show_from_55_items_on() -> None:
    assert (too_few(54), too_few(55)) == (True, False)
    for n in range(1, 120):
        found = smallest_difference(n, correlation=CORRELATION)
        assert too_few(n) == (found is None or found > COARSE)


def test_an_accuracy_near_1_leaves_little_to_differ_in() -> None:
    assert smallest_difference(50, accuracy=0.99) is None
    assert shown(5000, accuracy=0.99) < 0.02


def test_even_a_test_that_hardly_ever_rejects_has_a_smallest_difference() -> None:
    strict = smallest_difference(2765, alpha=1e-20)
    assert strict is not None and 0.1 < strict < 0.2


@pytest.mark.parametrize(
    ("n", "wrong", "told"),
    [
        (-1, {}, "n is -1; expected a count of items, 0 or more"),
        (9, {"accuracy": 1.0}, "accuracy is 1; expected a number above 0 and below 1, such as 0.6"),
        (
            9,
            {"power": math.nan},
            "power is nan; expected a number above 0 and below 1, such as 0.8",
        ),
        (9, {"alpha": 0.0}, "alpha is 0; expected a number above 0 and below 1, such as 0.05"),
        (
            9,
            {"correlation": 1.5},
            "correlation is 1.5; expected a number from -1 to 1, such as 0.5",
        ),
        (9, {"alpha": 0.9}, "alpha is 0.9 and power 0.8; expected alpha to be the smaller"),
    ],
)
def test_settings_outside_their_ranges_are_refused(n: int, wrong: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        smallest_difference(n, **wrong)
