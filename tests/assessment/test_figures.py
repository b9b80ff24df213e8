"""Figures of several samples: paired gains, and means over databases."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.assessment.figures import gain, mean_of
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
