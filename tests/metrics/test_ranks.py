"""Ranks: ties, intervals from resampling and from draws, and how often these hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, Floats
from eyechart.metrics.bootstrap import bootstrap_means, resample_weights
from eyechart.metrics.ranks import rank_intervals, ranks_of
from eyechart.records import Estimate


def slow_ranks(column: list[float]) -> list[int]:
    """By sorting: the place of the first equal value, best first."""
    order = sorted(column, reverse=True)
    return [order.index(value) + 1 for value in column]


def resampled(
    values: ArrayLike, clusters: Clusters | None = None, *, n_resamples: int = 2000, seed: int = 0
) -> tuple[Estimate, ...]:
    """The ranks of models by their means [models, items], all resampled alike."""
    table = np.asarray(values, float)
    draws = bootstrap_means(table, clusters=clusters, n_resamples=n_resamples, seed=seed)[0]
    return rank_intervals(table.mean(axis=1), draws, n_items=table.shape[1])


def test_ties_share_the_lowest_rank_and_the_next_ones_are_skipped() -> None:
    assert ranks_of([[0.7], [0.9], [0.7], [0.1]]).ravel().tolist() == [2, 1, 2, 4]
    assert ranks_of([[1, 1], [1, 1], [1, 0]]).tolist() == [[1, 1], [1, 1], [1, 3]]


def test_ranks_are_those_of_a_plain_loop() -> None:
    draws = np.random.default_rng(1).integers(0, 6, (8, 50)).astype(float)
    expected = [slow_ranks(column.tolist()) for column in draws.T]
    assert ranks_of(draws).T.tolist() == expected


def test_an_interval_is_that_of_a_plain_loop_over_resamples_of_clusters() -> None:
    rng = np.random.default_rng(2)
    values = (rng.random((5, 40)) < np.linspace(0.4, 0.7, 5)[:, None]).astype(float)
    clusters = np.arange(40) // 2
    drawn: list[list[int]] = []
    for weights in np.concatenate(list(resample_weights(20, 200, seed=3))):
        drawn.append(slow_ranks((values @ weights[clusters]).tolist()))
    found = resampled(values, clusters, n_resamples=200, seed=3)
    assert [rank.value for rank in found] == slow_ranks(values.sum(axis=1).tolist())
    for model, rank in enumerate(found):
        mine = sorted(ranks[model] for ranks in drawn)
        # The least rank with 2.5 % of 200 at or below it is the fifth, that with 97.5 % the 195th.
        low, high = min(mine[4], rank.value or 0), max(mine[194], rank.value or 0)
        assert (rank.low, rank.high, rank.n) == (low, high, 40)


def test_what_is_hard_for_all_does_not_blur_ranks() -> None:
    """One model is right wherever the other is, and once more: paired, it is never below it."""
    easy = np.arange(100) < 50
    better = easy | (np.arange(100) == 99)
    first, second = resampled([easy, better])
    assert (second.low, second.high) == (1, 1)
    assert (first.low, first.high) == (1, 2)  # in resamples without that item they are equal


def test_equal_models_are_all_first_though_resamples_part_them() -> None:
    values = [np.roll(np.arange(60) % 2, i).astype(float) for i in (0, 1)] * 30
    ranks = resampled(values, n_resamples=400)
    assert {rank.value for rank in ranks} == {1.0}
    assert {rank.low for rank in ranks} == {1.0}
    assert max(rank.high or 0 for rank in ranks) == 31


def test_a_rank_outside_its_draws_widens_the_interval() -> None:
    """As with many models that tie: each is first, and in hardly any draw is it so again."""
    draws = [[0.1] * 100, [0.5] * 100]
    ranks = rank_intervals([0.5, 0.5], draws, n_items=7)
    assert [(r.value, r.low, r.high, r.n) for r in ranks] == [(1, 1, 2, 7), (1, 1, 1, 7)]


def test_rounding_does_not_break_ties() -> None:
    values = [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]]
    assert np.mean(values[0]) != np.mean(values[1])
    assert [rank.value for rank in resampled(values)] == [1, 1]


def simulated(rng: np.random.Generator, accuracy: Floats, n_items: int) -> Floats:
    """Models that find the same items hard: a shared threshold and one of their own."""
    shared, own = rng.standard_normal((1, n_items)), rng.standard_normal((len(accuracy), n_items))
    strength = np.array([np.quantile(rng.standard_normal(20_000), a) for a in accuracy])
    return np.asarray((shared + own) / np.sqrt(2) < strength[:, None], float)


def test_the_interval_holds_the_true_rank_of_models_a_point_apart() -> None:
    """Covers at least the nominal 95 % over models, and no model's by less than 90 %."""
    rng = np.random.default_rng(0)
    accuracy = 0.45 + 0.01 * np.arange(8)
    truth = slow_ranks(accuracy.tolist())
    held = []
    for _ in range(150):
        ranks = resampled(simulated(rng, accuracy, 600), n_resamples=300)
        held.append([(r.low or 0) <= t <= (r.high or 0) for r, t in zip(ranks, truth, strict=True)])
    covered = np.mean(held, axis=0)
    assert covered.mean() >= 0.95 and covered.min() >= 0.9


def test_models_far_apart_get_their_true_rank_and_no_other() -> None:
    accuracy = np.array([0.3, 0.9, 0.6])
    ranks = resampled(simulated(np.random.default_rng(4), accuracy, 2000))
    assert [(r.low, r.value, r.high) for r in ranks] == [(3, 3, 3), (1, 1, 1), (2, 2, 2)]


def test_draws_that_do_not_fit_and_values_that_are_not_finite_are_named() -> None:
    with pytest.raises(BadInput, match=r"draws has shape \(1, 2\), expected \[2 models, 1 or more"):
        rank_intervals([0.5, 0.4], [[0.5, 0.6]], n_items=3)
    with pytest.raises(BadInput, match=r"draws has shape \(1, 0\), expected \[1 models"):
        rank_intervals([0.5], np.empty((1, 0)), n_items=3)
    with pytest.raises(BadInput, match=r"draws\[1, 0\] is nan"):
        ranks_of([[0.5], [float("nan")]])
    with pytest.raises(BadInput, match=r"values\[1\] is inf"):
        rank_intervals([1, float("inf")], [[0.5], [0.6]], n_items=3)
