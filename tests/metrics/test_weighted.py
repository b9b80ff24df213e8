"""Metrics of weighted items are those of a sample that holds each item so many times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.metrics.bootstrap import resample_weights
from eyechart.metrics.logistic import fit_logistic
from eyechart.metrics.plcc_fitted import plcc_fitted
from eyechart.metrics.rmse import rmse
from eyechart.metrics.weighted import WeightedRanks, WeightedValues

# Few distinct values, so that ties are common, and some items of weight 0.
TRIPLES = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3)), min_size=3, max_size=40
)


@given(TRIPLES)
def test_correlations_of_a_weighting_agree_with_scipys_of_its_items(
    triples: list[tuple[int, int, int]],
) -> None:
    x, y, weights = np.array(triples, float).T
    items = np.repeat(np.arange(len(x)), weights.astype(int))
    if np.ptp(x) == 0 or np.ptp(y) == 0 or not items.size:
        return
    row = weights[None].astype(np.float32)
    found = {**WeightedRanks(x, y).of(row), **WeightedValues(x, y, None).of(row)}
    if np.ptp(x[items]) == 0 or np.ptp(y[items]) == 0:
        assert all(np.isnan(draws).all() for draws in found.values())
        return
    x, y = x[items], y[items]
    assert found["srcc"][0] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-10)
    assert found["krcc"][0] == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-10)
    assert found["plcc"][0] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-10)


@pytest.mark.parametrize("n", [60, 3000])
def test_the_curve_is_fitted_to_each_weighting_as_well_as_from_scratch(n: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    y = 50 + 20 * np.tanh(x) + rng.normal(0, 8, n)
    weights = next(resample_weights(n, 40, seed=1))
    found = WeightedValues(x, y, fit_logistic(x, y)).of(weights)
    for at, row in enumerate(weights.astype(int)):
        alone_x, alone_y = np.repeat(x, row), np.repeat(y, row)
        assert found["plcc_fitted"][at] == pytest.approx(plcc_fitted(alone_x, alone_y), abs=1e-3)
        assert found["rmse"][at] == pytest.approx(rmse(alone_x, alone_y), rel=2e-3)


def test_a_long_tail_is_not_lumped_together_before_the_fit() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=5000)
    y = np.exp(x) + rng.normal(size=5000)
    found = WeightedValues(x, y, fit_logistic(x, y)).of(np.ones((1, 5000), np.float32))
    assert found["plcc_fitted"][0] == pytest.approx(plcc_fitted(x, y), abs=5e-4)
    assert found["rmse"][0] == pytest.approx(rmse(x, y), rel=2e-3)


def test_without_a_curve_only_plcc_is_told() -> None:
    found = WeightedValues(np.array([1.0, 2, 4]), np.array([1.0, 2, 3]), None)
    draws = found.of(np.ones((2, 3), np.float32))
    assert draws["plcc"] == pytest.approx([0.98198051] * 2)
    assert np.isnan([draws["plcc_fitted"], draws["rmse"]]).all()
