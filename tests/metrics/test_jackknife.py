"""Leaving out clusters: known standard errors, honest coverage, and what has no interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from eyechart.errors import BadInput
from eyechart.metrics import Metric
from eyechart.metrics.jackknife import (
    Jackknife,
    interval_of,
    jackknife,
    metric_estimate,
    student,
)
from eyechart.metrics.krcc import METRIC as KRCC
from eyechart.metrics.plcc import METRIC as PLCC
from eyechart.metrics.srcc import METRIC as SRCC
from eyechart.records import Estimate


def average(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None


MEAN = Metric("mean", "Mean", "", "values", True, (-math.inf, math.inf), "", average)


def test_for_a_mean_it_is_the_interval_of_student() -> None:
    values = np.random.default_rng(0).normal(size=30)
    found = metric_estimate(MEAN, [values])
    reference = stats.t.interval(0.95, 29, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(reference)


def test_without_a_cluster_means_without_all_of_its_items() -> None:
    found = jackknife(average, [[1, 2, 3, 4, 5]], ["a", "a", "b", "c", "c"])
    assert found.left_out.tolist() == [4.0, 3.0, 2.0]


def test_many_clusters_are_left_out_in_200_groups_to_nearly_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    found, whole = jackknife(average, [values]), stats.sem(values)
    assert found.left_out.size == 200
    estimate = interval_of(found)
    assert estimate.low is not None and estimate.high is not None
    assert estimate.high - estimate.low == pytest.approx(2 * student(1000) * whole, rel=0.15)
    assert (found.left_out == jackknife(average, [values]).left_out).all()


@pytest.mark.parametrize("metric", [SRCC, PLCC])
@pytest.mark.parametrize("n_clusters", [3, 5, 12])
def test_correlations_over_few_photographs_cover_the_truth(metric: Metric, n_clusters: int) -> None:
    rng = np.random.default_rng(n_clusters)
    _, *many = rated(rng, 2000)
    truth = metric.compute(*many)
    assert truth is not None
    covered = []
    for _ in range(300):
        clusters, ratings, targets = rated(rng, n_clusters)
        found = metric_estimate(metric, [ratings, targets], clusters)
        assert found.low is not None and found.high is not None
        covered.append(found.low <= truth <= found.high)
    assert 0.91 <= np.mean(covered) <= 1


def rated(
    rng: np.random.Generator, n_clusters: int, size: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratings of versions of photographs that differ in how well they are liked."""
    clusters = np.repeat(np.arange(n_clusters), size)
    liked, error = rng.normal(size=n_clusters)[clusters], rng.normal(0, 0.5, clusters.size)
    targets = liked + np.tile(np.linspace(-1.5, 1.5, size), n_clusters)
    return clusters, targets + rng.normal(0, 0.5, n_clusters)[clusters] + error, targets


def test_the_interval_of_plcc_is_that_of_fisher_where_both_are_normal() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000)
    y = 0.6 * x + 0.8 * rng.normal(size=2000)
    found = metric_estimate(PLCC, [x, y])
    reference = stats.pearsonr(x, y).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.01)


@pytest.mark.parametrize("metric", [SRCC, PLCC, KRCC])
def test_an_interval_lies_around_its_value_and_within_the_bounds(metric: Metric) -> None:
    rng = np.random.default_rng(0)
    for n in (4, 6, 10, 50):
        a = rng.normal(size=n)
        found = metric_estimate(metric, [a, a + rng.normal(0, 0.3, n)])
        if found.low is not None and found.high is not None and found.value is not None:
            assert -1 <= found.low < found.value <= found.high <= 1


def test_a_perfect_ranking_has_no_interval_rather_than_one_of_no_width() -> None:
    assert metric_estimate(SRCC, [range(5), range(5)]) == Estimate(1.0, None, None, 5)


def test_undefined_without_some_cluster_or_with_one_item_means_no_interval() -> None:
    found = metric_estimate(SRCC, [[1, 1, 1, 2], [1, 2, 3, 4]])
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert metric_estimate(MEAN, [[2.0]]) == Estimate(2.0, None, None, 1)


def test_an_undefined_value_stays_undefined_also_in_differences() -> None:
    undefined, known = jackknife(SRCC.compute, [[], []]), Jackknife(0.5, np.empty(0), 0)
    assert metric_estimate(SRCC, [[], []]) == Estimate(None, None, None, 0)
    assert (known - undefined).value is (undefined - known).value is None


def test_columns_that_do_not_fit_are_named() -> None:
    with pytest.raises(
        BadInput, match=r"the columns have \[2, 1\] values; expected one or more of"
    ):
        jackknife(SRCC.compute, [[1, 2], [1]])
    with pytest.raises(BadInput, match=r"columns\[1\]\[0\] is nan"):
        jackknife(SRCC.compute, [[1], [math.nan]])
