"""Comparing two models: McNemar against SciPy, Holm by hand, paired differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics import Metric
from eyechart.metrics.jackknife import interval_of, jackknife
from eyechart.metrics.krcc import METRIC as KRCC
from eyechart.metrics.paired import (
    holm,
    mcnemar_exact,
    paired_difference,
)
from eyechart.metrics.srcc import METRIC as SRCC
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
    noise = rng.uniform(0, 0.8, 200)
    found = paired_difference(noise + 0.1, noise + rng.uniform(0, 0.1, 200))
    assert found.low is not None and found.high is not None
    assert 0.04 < found.low < 0.05 < found.high < 0.06


@pytest.mark.parametrize(("n_clusters", "size"), [(3, 60), (5, 60), (20, 60), (40, 8), (150, 1)])
def test_models_that_are_alike_are_seldom_told_apart(n_clusters: int, size: int) -> None:
    covered = [
        (found.low or 0) <= 0 <= (found.high or 0)
        for _, found in alike_models(n_clusters, size, n=500)
    ]
    assert 0.92 <= np.mean(covered) <= 1


def test_mcnemar_takes_photographs_for_models_where_they_have_many_items() -> None:
    p_values = [p for p, _ in alike_models(20, 60, n=200)]
    assert np.mean(np.array(p_values) < 0.05) > 0.2


def alike_models(n_clusters: int, size: int, *, n: int) -> Iterator[tuple[float, Estimate]]:
    """Pairs of models of equal accuracy, each the better on some photographs."""
    rng = np.random.default_rng(n_clusters)
    clusters = np.repeat(np.arange(n_clusters), size)
    for _ in range(n):
        lean = rng.normal(0, 0.075, n_clusters)[clusters]
        a, b = (rng.random(clusters.size) < 0.6 + side * lean for side in (1, -1))
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        yield mcnemar_exact(only_a, only_b), paired_difference(a, b, clusters)


def test_a_few_ties_are_no_proof_of_equality() -> None:
    few, many = paired_difference([1, 0, 1, 1, 0], [1, 0, 1, 1, 0]), paired_difference(*TIES)
    assert few.value == many.value == 0
    assert few.high is not None and few.high > 0.4 and few.low == -few.high
    assert many.high is not None and 0 < many.high < 0.003


TIES = [[1.0] * 2000, [1.0] * 2000]


def test_a_difference_turns_its_sign_with_its_sides() -> None:
    a, b = [1, 1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 0]
    one, other = paired_difference(a, b, "xxyyzz"), paired_difference(b, a, "xxyyzz")
    assert one.value == -(other.value or 0) == pytest.approx(1 / 3)
    assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))


def ranking_difference(metric: Metric, sides: Any, targets: Any) -> Estimate:
    """How much better the first side ranks, as `compare` computes it."""
    a, b = (jackknife(metric.compute, [side, targets]) for side in sides)
    return interval_of(a - b)


@pytest.mark.parametrize("metric", [SRCC, KRCC])
def test_the_better_ranking_is_found_on_the_same_targets(metric: Metric) -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(size=120)
    close, far = (targets + rng.normal(0, sigma, 120) for sigma in (0.3, 2.0))
    found = ranking_difference(metric, (close, far), targets)
    assert found.low is not None and found.low > 0
    same = ranking_difference(metric, (close, close), targets)
    assert same == Estimate(0.0, None, None, 120)


def test_a_difference_is_undefined_where_either_side_is() -> None:
    undefined = ranking_difference(SRCC, ([1, 1, 1], [1, 2, 3]), [1, 2, 3])
    assert undefined == Estimate(None, None, None, 3)


def test_bad_counts_and_p_values_are_named() -> None:
    with pytest.raises(BadInput, match="only_a is -1 and only_b 2; expected counts"):
        mcnemar_exact(-1, 2)
    with pytest.raises(BadInput, match=r"p_values\[1\] is 1.5, expected a number from 0 to 1"):
        holm([0.5, 1.5])
    with pytest.raises(BadInput, match="a has 2 values and b 1; expected as many"):
        paired_difference([1, 1], [1])
    with pytest.raises(BadInput, match=r"b\[1\] is 2, expected a number from 0 to 1"):
        paired_difference([1, 1], [1, 2])
