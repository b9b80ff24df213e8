"""The logistic curve: recovered, as good as SciPy's, and never worse than a straight line."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from eyechart.errors import BadInput
from eyechart.metrics.logistic import Logistic, Points, climb, fit_logistic, standardised
from eyechart.metrics.plcc import plcc
from eyechart.metrics.plcc_fitted import plcc_fitted
from eyechart.metrics.rmse import rmse

PAIRS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=5, max_size=40)


def squares(curve: Logistic, x: np.ndarray, y: np.ndarray) -> float:
    return float(((curve(x) - y) ** 2).sum())


def scipy_squares(x: np.ndarray, y: np.ndarray) -> float:
    """The literature's fit from its usual starting point."""

    def f(x: np.ndarray, b1: float, b2: float, b3: float, b4: float) -> np.ndarray:
        return (b1 - b2) / (1 + np.exp(-np.clip((x - b3) / abs(b4), -700, 700))) + b2

    start = [y.max(), y.min(), x.mean(), x.std() / 4]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of covariances that it cannot estimate
        found, _ = optimize.curve_fit(f, x, y, p0=start, maxfev=50_000)
    return float(((f(x, *found) - y) ** 2).sum())


@pytest.mark.parametrize(
    "true", [Logistic(85.0, 12.0, 0.4, 0.08), Logistic(1.0, 5.0, -3.0, 1.5), Logistic(5, 1, 9, 2)]
)
def test_a_curve_is_recovered_rising_or_falling(true: Logistic) -> None:
    x = true.b3 + true.b4 * np.random.default_rng(0).normal(0.3, 3, 400)
    found = fit_logistic(x, true(x))
    assert found is not None
    assert [found.b1, found.b2, found.b3, found.b4] == pytest.approx(
        [true.b1, true.b2, true.b3, true.b4], rel=1e-5
    )


def test_a_curve_is_recovered_from_noise_within_its_error() -> None:
    true, rng = Logistic(5.0, 1.0, 0.3, 0.2), np.random.default_rng(1)
    x = rng.normal(0.3, 0.6, 20_000)
    found = fit_logistic(x, true(x) + rng.normal(0, 0.5, x.size))
    assert found is not None
    assert [found.b1, found.b2, found.b3, found.b4] == pytest.approx([5, 1, 0.3, 0.2], abs=0.03)


@pytest.mark.parametrize("n", [40, 300, 3000])
@pytest.mark.parametrize(
    "shape",
    [
        lambda x: x,
        lambda x: -x,
        np.exp,
        np.tanh,
        lambda x: 1 / (1 + np.exp(-4 * (x - 0.5))),
    ],
    ids=["straight", "falling", "exponential", "bent twice", "logistic"],
)
def test_the_fit_is_no_worse_than_scipys_nor_than_a_straight_line(shape, n: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(0, 1, n)
    y = shape(x) + rng.normal(0, 0.3, n)
    curve = fit_logistic(x, y)
    assert curve is not None
    assert squares(curve, x, y) <= scipy_squares(x, y) * (1 + 1e-5)
    line = np.polyval(np.polyfit(x, y, 1), x)
    assert squares(curve, x, y) <= ((line - y) ** 2).sum() * (1 + 1e-5)


@given(PAIRS)
def test_the_fit_never_loses_correlation(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, float).T
    fitted, raw = plcc_fitted(x, y), plcc(x, y)
    if fitted is not None and raw is not None:
        assert 1 + 1e-12 >= fitted >= abs(raw) - 1e-3


@given(PAIRS)
def test_the_fit_is_of_its_targets_mean_and_rmse_follows_from_plcc(
    pairs: list[tuple[int, int]],
) -> None:
    x, y = np.array(pairs, float).T
    curve = fit_logistic(x, y)
    fitted, error = plcc_fitted(x, y), rmse(x, y)
    if curve is None or fitted is None:
        return
    assert curve(x).mean() == pytest.approx(y.mean(), abs=1e-4 * y.std())
    assert error == pytest.approx(y.std() * np.sqrt(1 - fitted**2), abs=1e-4 * y.std())


@pytest.mark.parametrize(("scale", "shift"), [(1e-200, 0.0), (1e200, 0.0), (-3.0, 1e4)])
def test_the_unit_of_predictions_does_not_matter_and_that_of_targets_is_rmses(
    scale: float, shift: float
) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=80)
    y = np.tanh(x) + rng.normal(0, 0.2, 80)
    assert plcc_fitted(scale * x + shift, y) == pytest.approx(plcc_fitted(x, y), abs=1e-5)
    assert rmse(scale * x + shift, 10 * y + 3) == pytest.approx(10 * rmse(x, y), rel=1e-5)


def test_one_extreme_prediction_does_not_stop_the_fit() -> None:
    rng = np.random.default_rng(4)
    x = np.append(rng.normal(size=500), 1e6)
    y = np.append(np.tanh(x[:-1]), 0.9)
    assert plcc_fitted(x, y) is not None
    assert plcc_fitted(x, y) > abs(plcc(x, y))


def test_a_fit_is_undefined_for_few_items_and_constants() -> None:
    for metric in (plcc_fitted, rmse, fit_logistic):
        assert metric([], []) is None
        assert metric([1, 2, 3, 4], [1, 2, 3, 5]) is None
        assert metric([0.1] * 6, [1, 2, 3, 4, 5, 6]) is None
        assert metric([1, 2, 3, 4, 5, 6], [0.1] * 6) is None


@pytest.mark.parametrize("metric", [plcc_fitted, rmse, fit_logistic])
def test_a_value_that_is_not_finite_is_named(metric) -> None:
    with pytest.raises(BadInput, match=r"predictions\[1\] is nan, expected a finite number"):
        metric([1, float("nan"), 3], [1, 2, 3])
    with pytest.raises(BadInput, match="predictions has 1 values and targets 2"):
        metric([1], [1, 2])


def test_many_weightings_are_each_fitted_as_their_items_alone() -> None:
    rng = np.random.default_rng(5)
    x, _ = standardised(rng.normal(size=200))
    y, _ = standardised(1 / (1 + np.exp(-3 * x)) + rng.normal(0, 0.2, 200))
    weights = rng.poisson(1, (6, 200)).astype(float)
    fits = climb(Points(x, weights, weights * y), (np.full(6, 3.0), np.zeros(6)), n_steps=50)
    assert fits.settled.all()
    for row, gain in zip(weights.astype(int), fits.gain, strict=True):
        alone_x, alone_y = np.repeat(x, row), np.repeat(y, row)
        curve = fit_logistic(alone_x, alone_y)
        assert curve is not None
        left = alone_y.var() * alone_y.size - gain
        assert left == pytest.approx(squares(curve, alone_x, alone_y), rel=1e-5)
