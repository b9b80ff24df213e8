"""Intervals: Wilson against SciPy, Student against SciPy, honest coverage with clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics.bootstrap import bootstrap_means
from eyechart.metrics.intervals import mean, proportion, wilson
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


@pytest.mark.parametrize("n_clusters", [3, 5, 12, 40])
def test_the_interval_of_a_mean_covers_the_truth(n_clusters: int) -> None:
    rng = np.random.default_rng(n_clusters)
    clusters = np.repeat(np.arange(n_clusters), np.arange(n_clusters) % 4 + 3)
    covered = []
    for _ in range(1000):
        shared = rng.normal(0, 1, n_clusters)[clusters]
        found = mean(0.5 + shared + rng.normal(0, 1, clusters.size), clusters)
        assert found.low is not None and found.high is not None
        covered.append(found.low <= 0.5 <= found.high)
    assert 0.92 <= np.mean(covered) <= 0.995


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40).filter(lambda v: np.ptp(v) > 1e-6))
def test_the_mean_of_single_items_has_the_interval_of_student(values: list[float]) -> None:
    error = stats.sem(values)
    reference = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
    found = mean(values)
    assert (found.low, found.high) == pytest.approx(reference, abs=1e-9)


def test_at_many_clusters_the_mean_has_the_interval_of_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(300), 4)
    values = rng.normal(0, 1, 300)[clusters] + rng.normal(0, 1, 1200)
    found = mean(values, clusters)
    draws = bootstrap_means([values], clusters=clusters, n_resamples=4000)[0, 0]
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.01)


def test_clusters_that_happen_to_be_alike_are_not_more_certain_than_single_items() -> None:
    alike = mean([1, -1, 1, -1, 1, -1], "aabbcc")
    assert width(alike) > width(mean([1, -1, 1, -1, 1, -1]))


def test_equal_values_leave_open_what_wilson_leaves_open() -> None:
    found = mean([1.0] * 5, within=(0, 1))
    assert found.low is not None and 0.35 < found.low < 0.45
    assert found.high == 1
    nearly_certain = mean([0.0] * 2000, within=(-1, 1))
    assert nearly_certain.low == -(nearly_certain.high or 0)
    assert 0 < width(nearly_certain) < 0.005
    assert mean([0.5] * 2000) == Estimate(0.5, None, None, 2000)


def test_an_interval_stays_within_what_an_item_can_be() -> None:
    found = mean([0.0, 1.0, 1.0], within=(0, 1))
    assert (found.low, found.high) == (0, 1)
    assert width(mean([0.0, 1.0, 1.0])) > 1


def test_a_mean_far_from_0_keeps_its_digits() -> None:
    found = mean(1e6 + np.arange(10.0))
    assert found.low is not None and 1e6 + 2 < found.low < 1e6 + 4.5
    assert mean([3.0, 4.0], ["a", "a"]) == mean([3.0, 4.0])
    assert mean([3.0]) == Estimate(3.0, None, None, 1)


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
