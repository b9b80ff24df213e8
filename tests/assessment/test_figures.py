"""Figures of several samples: paired gains, and means over databases."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.assessment.databases import named
from eyechart.assessment.figures import Gain, gain, mean_of, sample_of
from eyechart.errors import BadInput
from eyechart.metrics.correlations import Correlations, correlations


def of(n: int, seed: int, *, noise: float = 0.0) -> Correlations:
    """Of n pairs that are correlated by about 0.7; `noise` is added to the predictions."""
    x, y = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], n).T
    x = x + noise * np.random.default_rng(seed + 100).normal(size=n)
    return correlations(x, y, seed=seed)


def test_a_paired_gain_is_narrower_than_its_sides() -> None:
    first, second = of(300, 1), of(300, 1, noise=0.2)
    found = gain("srcc", first, second).estimate
    sides = [each.estimates["srcc"] for each in (first, second)]
    assert found.value == pytest.approx(sides[0].value - sides[1].value)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.6 * min(side.high - side.low for side in sides)
    assert found.n == 300


def test_a_gain_is_undefined_where_a_side_is() -> None:
    constant = correlations([1.0] * 50, range(50))
    assert gain("plcc", of(50, 1), constant).estimate.value is None


def test_the_mean_over_databases_is_more_certain_than_each() -> None:
    found = [of(200, seed) for seed in range(4)]
    mean = mean_of(found).estimates["plcc"]
    assert mean.value == pytest.approx(np.mean([each.estimates["plcc"].value for each in found]))
    width = np.mean([e.estimates["plcc"].high - e.estimates["plcc"].low for e in found])
    assert mean.high - mean.low == pytest.approx(width / 2, rel=0.25)
    assert mean.n == 800


def test_a_mean_is_undefined_where_a_database_is() -> None:
    mean = mean_of([of(50, 1), correlations([1.0] * 50, range(50))])
    assert mean.estimates["srcc"].value is None
    assert mean.estimates["srcc"].n == 100


def test_an_interval_is_the_wider_the_more_gains_are_compared() -> None:
    """Bonferroni: at the quantiles of 5 % divided by their number."""
    draws = np.random.default_rng(0).normal(size=100_000)
    one = Gain(0.0, draws, 50)
    assert one.one_of(1) == one.estimate
    ten = one.one_of(10)
    assert (ten.low, ten.high) == pytest.approx((-2.807, 2.807), abs=0.06)
    assert Gain(None, np.empty(0), 50).one_of(10).low is None


def test_images_behind_both_halves_alone_are_refused() -> None:
    with pytest.raises(BadInput, match="all images stand behind the two halves of 3,000"):
        sample_of(named("cgi"), ["a", "b"], np.array([1.0, 2.0]), places=[6_000, 6_001])
