"""The five metrics with intervals: their values, what their draws mean, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics import correlations as module
from eyechart.metrics.bootstrap import resample_weights
from eyechart.metrics.correlations import (
    METRICS_OF_PAIRS,
    correlations,
    interval,
)
from eyechart.metrics.plcc_fitted import plcc_fitted
from eyechart.metrics.rmse import rmse
from eyechart.records import Estimate

RANKED = ("srcc", "krcc")


def pairs(n: int = 50, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions with ties, and targets that follow them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n).round(1)
    return x, x + rng.normal(size=n)


def test_values_agree_with_scipy() -> None:
    x, y = pairs(400)
    found = correlations(x, y, n_resamples=2)
    values = {name: estimate.value for name, estimate in found.estimates.items()}
    assert tuple(values) == METRICS_OF_PAIRS
    assert values["srcc"] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-10)
    assert values["krcc"] == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-10)
    assert values["plcc"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-10)
    assert values["plcc_fitted"] == pytest.approx(plcc_fitted(x, y))
    assert values["rmse"] == pytest.approx(rmse(x, y))
    assert (found.n, found.n_distinct) == (400, len(set(x)))


def test_draws_are_the_metrics_of_the_resampled_items() -> None:
    x, y = pairs()
    found = correlations(x, y, n_resamples=20, seed=7)
    (weights,) = resample_weights(50, 20, seed=7)
    for at, row in enumerate(weights.astype(int)):
        a, b = np.repeat(x, row), np.repeat(y, row)
        assert found.draws["srcc"][at] == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-10)
        assert found.draws["krcc"][at] == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-10)
        assert found.draws["plcc"][at] == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-10)


def test_clusters_are_drawn_whole() -> None:
    x, y = pairs()
    clusters = [f"photo {i % 9}" for i in range(50)]
    found = correlations(x, y, clusters=clusters, n_resamples=30, seed=3)
    (weights,) = resample_weights(9, 30, seed=3)
    drawn = np.repeat(np.arange(50), weights[4].astype(int)[np.arange(50) % 9])
    srcc = stats.spearmanr(x[drawn], y[drawn]).statistic
    assert found.draws["srcc"][4] == pytest.approx(srcc, abs=1e-10)


def test_the_result_does_not_depend_on_threads_or_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = pairs()
    whole = correlations(x, y, n_resamples=60)
    monkeypatch.setattr(module, "_PIECE_CELLS", 350)  # seven resamples at a time
    for n_threads in (1, 3):
        monkeypatch.setattr(module, "_MOST_THREADS", n_threads)
        pieces = correlations(x, y, n_resamples=60)
        for name in METRICS_OF_PAIRS:
            assert pieces.draws[name] == pytest.approx(whole.draws[name], abs=1e-9)
            assert (name, pieces.estimates[name].value) == (name, whole.estimates[name].value)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=30))
def test_rank_correlations_and_their_draws_do_not_change_under_an_increasing_map(
    values: list[tuple[int, int]],
) -> None:
    x, y = np.array(values, float).T
    plain = correlations(x, y, n_resamples=10)
    mapped = correlations(np.exp(x), y, n_resamples=10)
    for name in RANKED:
        assert mapped.estimates[name] == plain.estimates[name]
        assert np.array_equal(mapped.draws[name], plain.draws[name], equal_nan=True)


def test_ranks_stand_in_for_predictions_that_were_rounded() -> None:
    log_odds, y = pairs()
    rounded = (1 / (1 + np.exp(-log_odds))).round(1)
    found = correlations(rounded, y, ranks=log_odds, n_resamples=40)
    exact, coarse = (correlations(x, y, n_resamples=40) for x in (log_odds, rounded))
    assert found.n_distinct == exact.n_distinct > coarse.n_distinct
    for name in METRICS_OF_PAIRS:
        same = exact if name in RANKED else coarse
        assert found.estimates[name] == same.estimates[name]


def test_a_prediction_may_be_constant_where_its_ranks_are_not() -> None:
    found = correlations([1.0] * 9, range(9), ranks=range(9), n_resamples=20)
    assert found.estimates["srcc"].value == 1
    assert all(found.estimates[name].value is None for name in METRICS_OF_PAIRS[2:])
    assert found.draws["srcc"].size == 20
    assert found.draws["plcc"].size == found.draws["rmse"].size == 0


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1, 2], [1, 2]), ([3, 3, 3, 3, 3, 3], range(6)), (range(6), [0.1] * 6)]
)
def test_few_items_and_constants_leave_everything_undefined(x, y) -> None:
    found = correlations(x, y)
    assert all(e == Estimate(None, None, None, len(x)) for e in found.estimates.values())
    assert all(draws.size == 0 for draws in found.draws.values())


def test_four_items_have_correlations_but_no_curve() -> None:
    found = correlations([1, 2, 3, 4], [1, 3, 2, 4], n_resamples=10).estimates
    assert found["srcc"].value == pytest.approx(0.8)
    assert found["plcc_fitted"].value is found["rmse"].value is None


def test_bad_input_is_named() -> None:
    with pytest.raises(BadInput, match=r"predictions\[1\] is inf, expected a finite number"):
        correlations([1, math.inf, 3], [1, 2, 3])
    with pytest.raises(BadInput, match=r"targets\[0\] is nan, expected a finite number"):
        correlations([1, 2, 3], [math.nan, 2, 3])
    with pytest.raises(BadInput, match=r"ranks\[2\] is -inf, expected a finite number"):
        correlations([1, 2, 3], [1, 2, 3], ranks=[1, 2, -math.inf])
    with pytest.raises(BadInput, match="predictions has 3 values and targets 2; expected as many"):
        correlations([1, 2, 3], [1, 2])
    with pytest.raises(BadInput, match="ranks has 2 values and targets 3; expected as many"):
        correlations([1, 2, 3], [1, 2, 3], ranks=[1, 2])
    with pytest.raises(BadInput, match="clusters has 1 entries for 3 items"):
        correlations([1, 2, 3], [1, 2, 3], clusters=["a"])
    with pytest.raises(BadInput, match="cannot draw 0 resamples of 3 things"):
        correlations([1, 2, 3], [1, 2, 3], n_resamples=0)


def test_an_interval_leaves_out_the_rare_draws_in_which_the_value_is_undefined() -> None:
    draws = np.arange(41.0)
    some, many = np.append(draws, [math.nan] * 2), np.append(draws, [math.nan] * 3)
    assert interval(20.0, some, 9) == interval(20.0, draws, 9) == Estimate(20.0, 1.0, 39.0, 9)
    assert interval(20.0, many, 9) == Estimate(20.0, None, None, 9)


def test_there_is_no_interval_where_nothing_is_known_of_the_spread() -> None:
    assert interval(1.0, np.ones(50), 9) == Estimate(1.0, None, None, 9)
    assert interval(0.5, np.empty(0), 9) == Estimate(0.5, None, None, 9)
    assert interval(None, np.arange(9.0), 9) == Estimate(None, None, None, 9)
    assert correlations(range(9), range(9)).estimates["srcc"] == Estimate(1.0, None, None, 9)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Normal pairs with a correlation of 0.7, for which all five are known."""
    truth = {
        "srcc": 6 / math.pi * math.asin(0.7 / 2),
        "krcc": 2 / math.pi * math.asin(0.7),
        "plcc": 0.7,
        "plcc_fitted": 0.7,
        "rmse": math.sqrt(1 - 0.7**2),
    }
    rng, n_samples, held = np.random.default_rng(0), 150, dict.fromkeys(truth, 0)
    for seed in range(n_samples):
        x, noise = rng.normal(size=(2, 400))
        found = correlations(x, 0.7 * x + truth["rmse"] * noise, n_resamples=200, seed=seed)
        for name, estimate in found.estimates.items():
            assert estimate.low is not None and estimate.high is not None
            held[name] += estimate.low <= truth[name] <= estimate.high
    assert all(0.88 * n_samples <= n <= 0.995 * n_samples for n in held.values()), held
