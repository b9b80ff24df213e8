"""Comparing two models: McNemar against SciPy, Holm by hand, paired bootstraps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.krcc import krcc
from eyechart.metrics.paired import (
    holm,
    mcnemar_exact,
    paired_difference,
    paired_pairs_difference,
)
from eyechart.metrics.srcc import srcc
from eyechart.records import Estimate


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_two_sided_binomial_test(only_a: int, only_b: int) -> None:
    n = only_a + only_b
    expected = stats.binomtest(only_a, n).pvalue if n else 1.0
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, rel=1e-9)


def test_holm_by_hand() -> None:
    # sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04; made rising: .02 .03 .06 .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    ordered = [adjusted[i] for i in np.argsort(p_values, kind="stable")]
    assert ordered == sorted(ordered)


def test_a_steady_difference_is_found_where_the_pairs_share_their_noise() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 5, 200)
    found = paired_difference(noise + 1, noise + rng.normal(0, 0.5, 200), n_resamples=500)
    assert found.low is not None and found.high is not None
    assert 0.9 < found.low < 1 < found.high < 1.2


def test_a_difference_turns_its_sign_with_its_sides() -> None:
    a, b = [1, 1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 0]
    one, other = paired_difference(a, b, "xxyyzz"), paired_difference(b, a, "xxyyzz")
    assert one.value == -(other.value or 0) == pytest.approx(1 / 3)
    assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))


@pytest.mark.parametrize("statistic", [srcc, krcc])
def test_the_better_ranking_is_found_on_the_same_targets(statistic) -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(size=120)
    close, far = (targets + rng.normal(0, sigma, 120) for sigma in (0.3, 2.0))
    found = paired_pairs_difference(statistic, (close, far), targets, n_resamples=200)
    assert found.low is not None and found.low > 0
    same = paired_pairs_difference(statistic, (close, close), targets, n_resamples=50)
    assert same == Estimate(0.0, 0.0, 0.0, 120)


def test_a_difference_is_undefined_where_either_side_is() -> None:
    undefined = paired_pairs_difference(srcc, ([1, 1, 1], [1, 2, 3]), [1, 2, 3])
    assert undefined == Estimate(None, None, None, 3)


def test_bad_counts_and_p_values_are_named() -> None:
    with pytest.raises(BadInput, match="only_a is -1 and only_b 2; expected counts"):
        mcnemar_exact(-1, 2)
    with pytest.raises(BadInput, match=r"p_values\[1\] is 1.5, expected a number from 0 to 1"):
        holm([0.5, 1.5])
    with pytest.raises(BadInput, match="a has 2 values and b 1; expected as many"):
        paired_difference([1, 2], [1])
