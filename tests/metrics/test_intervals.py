"""Intervals: Wilson against SciPy, honest coverage with clusters, fast and slow paths alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.intervals import (
    bootstrap_pairs,
    mean,
    pair_draws,
    percentile,
    proportion,
    wilson,
)
from eyechart.metrics.krcc import krcc
from eyechart.metrics.plcc import plcc
from eyechart.metrics.srcc import srcc
from eyechart.records import Estimate

UNDEFINED = Estimate(None, None, None, 0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    right, n = counts
    reference = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    ours = wilson(right, n)
    assert (ours.low, ours.high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_without_items_everything_is_undefined() -> None:
    assert wilson(0, 0) == proportion([]) == mean([]) == UNDEFINED


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_one_item_to_a_cluster_is_plain_wilson(values: list[bool]) -> None:
    assert proportion(values, range(len(values))) == wilson(sum(values), len(values))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_a_proportion_lies_in_its_interval_and_the_interval_in_0_to_1(
    rows: list[tuple[bool, int]],
) -> None:
    found = proportion([right for right, _ in rows], [cluster for _, cluster in rows])
    assert found.n == len(rows)
    if found.low is not None and found.high is not None and found.value is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_clusters_widen_the_interval_and_one_cluster_is_as_none() -> None:
    values = [1] * 40 + [0] * 40
    alike, mixed = np.arange(80) // 8, np.arange(80) % 10
    assert width(proportion(values, alike)) > 2 * width(proportion(values, mixed))
    assert width(proportion(values, mixed)) > width(proportion(values))
    assert proportion(values, ["one"] * 80) == proportion(values) == wilson(40, 80)


def test_all_right_is_not_certain_and_few_photographs_are_less_so() -> None:
    few = proportion([1] * 40, np.arange(40) // 8)
    assert few.value == few.high == 1
    assert few.low is not None and few.low < (wilson(40, 40).low or 0)


@pytest.mark.parametrize(("n_clusters", "share"), [(5, 0.5), (5, 0.95), (12, 0.25), (30, 0.8)])
def test_the_interval_of_a_proportion_covers_the_truth(n_clusters: int, share: float) -> None:
    rng = np.random.default_rng(n_clusters)
    clusters, alpha = np.repeat(np.arange(n_clusters), 8), 4.0  # correlation 0.2 within a cluster
    covered = []
    for _ in range(800):
        chances = rng.beta(alpha * share, alpha * (1 - share), n_clusters)
        found = proportion(rng.random(n_clusters * 8) < chances[clusters], clusters)
        assert found.low is not None and found.high is not None
        covered.append(found.low <= share <= found.high)
    assert 0.93 <= np.mean(covered) <= 0.995


def test_the_interval_of_a_mean_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 4)
    covered = []
    for seed in range(300):
        values = 0.5 + rng.normal(0, 1, 40)[clusters] + rng.normal(0, 1, 160)
        found = mean(values, clusters, n_resamples=500, seed=seed)
        assert found.low is not None and found.high is not None
        covered.append(found.low <= 0.5 <= found.high)
    assert 0.91 <= np.mean(covered) <= 0.99


def test_a_mean_far_from_0_keeps_its_digits() -> None:
    found = mean(1e6 + np.arange(10.0), n_resamples=200)
    assert found.low is not None and 1e6 < found.low < 1e6 + 4.5
    assert mean([3.0, 4.0], ["a", "a"]) == mean([3.0, 4.0])
    assert mean([3.0]) == Estimate(3.0, None, None, 1)


@pytest.mark.parametrize("statistic", [srcc, plcc])
def test_the_fast_resamples_equal_those_made_one_by_one(statistic) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 6, 30).astype(float), rng.integers(0, 6, 30).astype(float)
    codes = np.arange(30) // 3
    settings = {"codes": codes, "n_resamples": 60, "seed": 5}
    slow = pair_draws(lambda x, y: statistic(x, y), a, b, **settings)
    assert pair_draws(statistic, a, b, **settings) == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("statistic", [srcc, plcc])
def test_a_resample_without_variation_is_undefined_on_both_paths(statistic) -> None:
    a, b = np.array([0.1, 0.1, 0.7]), np.array([0.3, 0.2, 0.9])
    settings = {"codes": np.arange(3), "n_resamples": 100, "seed": 0}
    slow = pair_draws(lambda x, y: statistic(x, y), a, b, **settings)
    fast = pair_draws(statistic, a, b, **settings)
    assert np.isnan(slow).any()
    assert np.isnan(fast).tolist() == np.isnan(slow).tolist()


def test_correlations_have_intervals_around_them() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=80)
    seen = truth + rng.normal(size=80)
    for statistic in (srcc, plcc, krcc):
        found = bootstrap_pairs(statistic, seen, truth, n_resamples=300)
        assert found.low is not None and found.value is not None and found.high is not None
        assert 0 < found.low < found.value < found.high < 1
        assert found == bootstrap_pairs(statistic, seen, truth, n_resamples=300)
    assert bootstrap_pairs(srcc, [], []) == UNDEFINED


def test_the_interval_of_plcc_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    covered = []
    for seed in range(300):
        x = rng.normal(size=100)
        y = 0.6 * x + 0.8 * rng.normal(size=100)
        found = bootstrap_pairs(plcc, x, y, n_resamples=400, seed=seed)
        assert found.low is not None and found.high is not None
        covered.append(found.low <= 0.6 <= found.high)
    assert 0.91 <= np.mean(covered) <= 0.99


def test_few_defined_resamples_make_no_interval() -> None:
    assert percentile(1.0, np.array([np.nan, np.nan, 1.0]), 3).low is None
    assert percentile(1.0, np.array([np.nan, 1.0, 1.0]), 3).low == 1.0


def test_bad_values_are_named() -> None:
    with pytest.raises(BadInput, match="5 right of 4: expected a number from 0 to 4"):
        wilson(5, 4)
    with pytest.raises(BadInput, match=r"values\[1\] is 2, expected a number from 0 to 1"):
        proportion([0, 2])
    with pytest.raises(BadInput, match="clusters has 1 entries for 2 items"):
        mean([1, 2], ["a"])
    with pytest.raises(BadInput, match=r"values\[0\] is nan"):
        mean([float("nan")])


def width(estimate: Estimate) -> float:
    assert estimate.low is not None and estimate.high is not None
    return estimate.high - estimate.low
