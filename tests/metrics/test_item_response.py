"""Item responses: known parameters come back, an independent fit agrees, odd tables stay finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, special, stats

from eyechart.errors import BadInput
from eyechart.metrics.item_response import (
    SD_LOG_DISCRIMINATION,
    SD_LOGIT,
    ItemResponses,
    fit_item_responses,
)

Floats = NDArray[np.float64]
FIELDS_OF_ITEMS = ("difficulty", "difficulty_se", "discrimination", "discrimination_se")


@dataclass(frozen=True)
class Simulated:
    ability: Floats
    discrimination: Floats
    difficulty: Floats
    marks: Floats


def simulated(n_models: int, n_items: int, seed: int = 1, *, alike: bool = False) -> Simulated:
    """Marks by the model itself; `alike`: models differ little, beside how items differ."""
    rng = np.random.default_rng(seed)
    ability = stats.zscore(rng.normal(size=n_models))
    a = np.exp(rng.normal(0, 0.3, n_items)) * (0.4 if alike else 1.0)
    b = rng.normal(0, 4.0 if alike else 1.0, n_items)
    right = special.expit(a * (ability[:, None] - b))
    return Simulated(ability, a, b, (rng.random(right.shape) < right).astype(float))


def covered(truth: Floats, found: Floats, error: Floats) -> float:
    """The share of true values within 1.96 standard errors."""
    return float((np.abs(found - truth) < 1.96 * error).mean())


def test_many_models_tell_the_items_parameters() -> None:
    true = simulated(200, 60)
    found = fit_item_responses(true.marks)
    assert found.converged and found.n_models == 200
    assert np.corrcoef(true.difficulty, found.difficulty)[0, 1] > 0.97
    assert abs((found.difficulty - true.difficulty).mean()) < 0.05
    assert stats.spearmanr(true.discrimination, found.discrimination)[0] > 0.7
    assert abs(np.log(found.discrimination / true.discrimination).mean()) < 0.06
    assert np.corrcoef(true.ability, found.ability)[0, 1] > 0.95


def test_standard_errors_cover_the_truth_as_often_as_they_say() -> None:
    true = simulated(200, 60)
    found = fit_item_responses(true.marks)
    assert 0.9 <= covered(true.difficulty, found.difficulty, found.difficulty_se) <= 1
    assert 0.9 <= covered(true.discrimination, found.discrimination, found.discrimination_se) <= 1
    assert 0.9 <= covered(true.ability, found.ability, found.ability_se) <= 1


def test_few_models_rank_the_difficulties_and_discriminations_stay_near_the_prior() -> None:
    true = simulated(26, 500)
    found = fit_item_responses(true.marks)
    assert stats.spearmanr(true.difficulty, found.difficulty)[0] > 0.88
    assert np.corrcoef(true.ability, found.ability)[0, 1] > 0.99
    noisy = np.log(found.discrimination) - np.log(true.discrimination)
    assert noisy.std() < SD_LOG_DISCRIMINATION  # no further from the truth than the prior is wide
    assert 0 < noisy.mean() < 0.25


def test_models_that_are_much_alike_do_not_blow_up_the_scale() -> None:
    true = simulated(26, 500, alike=True)
    found = fit_item_responses(true.marks)
    assert found.converged
    assert stats.spearmanr(true.difficulty, found.difficulty)[0] > 0.9
    assert abs(np.log(found.discrimination / true.discrimination).mean()) < 0.35
    assert np.abs(found.difficulty).max() < 3 * np.abs(true.difficulty).max()


def by_scipy(marks: Floats) -> tuple[Floats, Floats]:
    """(a, b) of the largest marginal likelihood with the same priors, on a fixed fine grid."""
    grid = np.linspace(-6, 6, 121)
    prior = stats.norm.logpdf(grid)
    n_items = marks.shape[1]

    def loss(both: Floats) -> float:
        log_a, logit = both[:n_items], both[n_items:]
        logits = np.exp(log_a) * grid[:, None] + logit
        each = marks @ special.log_expit(logits).T + (1 - marks) @ special.log_expit(-logits).T
        shrunk = ((log_a - log_a.mean()) ** 2).sum() / SD_LOG_DISCRIMINATION**2
        shrunk += ((logit - logit.mean()) ** 2).sum() / SD_LOGIT**2
        return float(shrunk / 2 - special.logsumexp(each + prior, axis=1).sum())

    found = optimize.minimize(loss, np.zeros(2 * n_items), method="L-BFGS-B")
    a = np.exp(found.x[:n_items])
    return a, -found.x[n_items:] / a


def test_another_way_of_fitting_the_same_model_agrees() -> None:
    true = simulated(400, 8)
    found = fit_item_responses(true.marks)
    a, b = by_scipy(true.marks)
    assert found.difficulty == pytest.approx(b, abs=0.03)
    assert np.log(found.discrimination) == pytest.approx(np.log(a), abs=0.03)


def test_abilities_have_mean_0_and_standard_deviation_1() -> None:
    found = fit_item_responses(simulated(26, 100).marks)
    assert found.ability.mean() == pytest.approx(0, abs=1e-9)
    total = found.ability.var() + (found.ability_se**2).mean()
    assert total == pytest.approx(1, abs=1e-9)


def test_shuffling_models_and_items_shuffles_what_is_found() -> None:
    marks = simulated(26, 80).marks
    rng = np.random.default_rng(2)
    models, items = rng.permutation(26), rng.permutation(80)
    found, shuffled = fit_item_responses(marks), fit_item_responses(marks[np.ix_(models, items)])
    for name in FIELDS_OF_ITEMS:
        assert getattr(shuffled, name) == pytest.approx(getattr(found, name)[items])
    assert shuffled.ability == pytest.approx(found.ability[models], abs=1e-9)
    assert shuffled.ability_se == pytest.approx(found.ability_se[models])


def test_marks_missing_at_random_do_no_harm() -> None:
    true = simulated(200, 60)
    holes = np.random.default_rng(3).random(true.marks.shape) < 0.2
    found = fit_item_responses(np.where(holes, np.nan, true.marks))
    whole = fit_item_responses(true.marks)
    assert np.corrcoef(true.difficulty, found.difficulty)[0, 1] > 0.96
    assert abs((found.difficulty - true.difficulty).mean()) < 0.08
    assert (found.ability_se > whole.ability_se).mean() > 0.95


def test_an_item_that_all_miss_is_hard_and_one_that_all_get_easy_and_both_are_finite() -> None:
    marks = simulated(26, 100).marks
    marks[:, 0], marks[:, 1] = 0, 1
    found = fit_item_responses(marks)
    assert np.isfinite(found.difficulty).all() and np.isfinite(found.difficulty_se).all()
    assert found.difficulty.argmax() == 0 and found.difficulty.argmin() == 1
    assert found.difficulty_se[0] > np.median(found.difficulty_se)


def test_half_marks_lie_between_wrong_and_right() -> None:
    marks = simulated(26, 100).marks
    marks[:, :3] = [0.25, 0.5, 0.75]
    low, middle, high = fit_item_responses(marks).difficulty[:3]
    assert low > middle > high


def test_what_better_models_miss_hardly_discriminates() -> None:
    true = simulated(26, 100)
    true.marks[:, 0] = true.ability < 0
    found = fit_item_responses(true.marks)
    assert found.discrimination.argmin() == 0 and found.discrimination[0] > 0


def test_without_a_mark_nothing_is_known_of_an_item_or_a_model() -> None:
    marks = simulated(6, 20).marks
    holed = marks.copy()
    holed[2], holed[:, 5] = np.nan, np.nan
    found = fit_item_responses(holed)
    rest = fit_item_responses(np.delete(np.delete(marks, 2, axis=0), 5, axis=1))
    assert found.n_models == 5
    assert np.isnan(found.ability[2]) and np.isnan(found.difficulty[5])
    assert np.delete(found.ability, 2) == pytest.approx(rest.ability)
    assert np.delete(found.difficulty, 5) == pytest.approx(rest.difficulty)


MARKS = st.sampled_from([0.0, 0.5, 1.0, float("nan")])


@settings(max_examples=60)
@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.tuples(*[MARKS] * n), min_size=3)))
def test_any_table_gives_finite_figures_or_says_that_models_are_too_few(
    rows: list[tuple[float, ...]],
) -> None:
    marks = np.array(rows)
    known = ~np.isnan(marks)
    if known.any(axis=1).sum() < 3:
        with pytest.raises(BadInput, match="expected at least 3 with a mark"):
            fit_item_responses(marks)
        return
    found = fit_item_responses(marks)
    for name in FIELDS_OF_ITEMS:
        assert np.isfinite(getattr(found, name)[known.any(axis=0)]).all()
    assert np.isfinite(found.ability[known.any(axis=1)]).all()
    assert (found.ability_se[known.any(axis=1)] > 0).all()


def test_models_that_answer_all_alike_are_equally_able() -> None:
    found: ItemResponses = fit_item_responses(np.tile(np.arange(20) % 2, (5, 1)))
    assert found.ability == pytest.approx(np.zeros(5), abs=1e-9)
    assert np.isfinite(found.difficulty).all()


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ([[1.0, 0.0]] * 2, "marks of 2 models: expected at least 3 with a mark.*so add runs"),
        ([[1.0], [2.0], [0.0]], r"marks\[1, 0\] is 2, expected a number from 0 to 1, or NaN"),
        ([[1.0], [np.inf], [0.0]], r"marks\[1, 0\] is inf"),
        ([1.0, 0.0, 1.0], r"expected an array \[models, items\], got 1 dimensions"),
    ],
)
def test_tables_that_cannot_be_fitted_are_refused(marks: object, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        fit_item_responses(marks)  # type: ignore[arg-type]
