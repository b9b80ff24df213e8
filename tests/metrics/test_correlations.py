"""Accuracy, SRCC, PLCC and KRCC: against SciPy, and undefined where they are undefined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.accuracy import accuracy
from eyechart.metrics.krcc import krcc
from eyechart.metrics.plcc import plcc
from eyechart.metrics.srcc import average_ranks, srcc

CORRELATIONS = [srcc, plcc, krcc]
# Few distinct values, so that ties are common.
COARSE = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=40)


@given(COARSE)
def test_correlations_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert srcc(x, y) is plcc(x, y) is krcc(x, y) is None
        return
    assert srcc(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert plcc(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert krcc(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


@given(COARSE)
def test_rank_correlations_do_not_change_under_an_increasing_map(
    pairs: list[tuple[int, int]],
) -> None:
    x, y = np.array(pairs, float).T
    assert srcc(x**3 + x, y) == srcc(x, y)
    assert krcc(np.exp(x / 5), y) == krcc(x, y)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_average_ranks_agree_with_scipy(values: list[float]) -> None:
    assert average_ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_plcc_keeps_its_digits_for_tiny_and_huge_values(scale: float) -> None:
    x = np.array([1.0, 2.0, 4.0])
    assert plcc(x * scale, [1, 2, 3]) == pytest.approx(0.98198051)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_a_correlation_is_undefined_for_constants_and_single_items(correlation) -> None:
    assert correlation([], []) is None
    assert correlation([1], [2]) is None
    assert correlation([0.1, 0.1, 0.1], [1, 2, 3]) is None
    assert correlation([1, 2, 3], [0.1, 0.1, 0.1]) is None


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_a_value_that_is_not_finite_is_named(correlation) -> None:
    with pytest.raises(BadInput, match=r"predictions\[1\] is nan, expected a finite number"):
        correlation([1, float("nan"), 3], [1, 2, 3])
    with pytest.raises(BadInput, match=r"targets\[0\] is -inf, expected a finite number"):
        correlation([1, 2, 3], [float("-inf"), 2, 3])
    with pytest.raises(BadInput, match="predictions has 1 values and targets 2"):
        correlation([1], [1, 2])
    with pytest.raises(BadInput, match="expected an array of 1 dimensions, got 2"):
        correlation([[1]], [[1]])


def test_accuracy_is_the_mean_and_undefined_without_items() -> None:
    assert accuracy([True, False, 1, 0.5]) == 0.625
    assert accuracy([]) is None
    with pytest.raises(BadInput, match=r"values\[1\] is 2, expected a number from 0 to 1"):
        accuracy([1, 2])
