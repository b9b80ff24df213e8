"""Detection thresholds: put in, got back; and undefined beyond what was tested."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.errors import BadInput
from eyechart.metrics.psychometric import LAPSE, threshold

LEVELS = np.geomspace(0.25, 32.0, 8)


def simulate(
    rng: np.random.Generator, truth: float, chance: float, n_photos: int, spread: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trials of every level on every photo; thresholds differ by photo with this spread in log."""
    photos = np.repeat(np.arange(n_photos), len(LEVELS))
    severities = np.tile(LEVELS, n_photos)
    own = np.log(truth) + rng.normal(0, spread, n_photos)
    reach = 1 - chance - LAPSE
    halfway = (1 - chance) / 2 / reach
    log_odds = 2.0 * (np.log(severities) - own[photos]) + np.log(halfway / (1 - halfway))
    right = rng.random(severities.size) < chance + reach / (1 + np.exp(-log_odds))
    return severities, right, photos


@pytest.mark.parametrize("truth", [0.6, 2.0, 9.0])
@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5])
def test_a_known_threshold_is_got_back(truth: float, chance: float) -> None:
    trials = simulate(np.random.default_rng(0), truth, chance, n_photos=400)
    found = threshold(*trials, chance=chance, n_resamples=200)
    assert found.n == 3200
    assert found.value == pytest.approx(truth, rel=0.15)
    assert found.low is not None and found.high is not None and found.value is not None
    assert truth / 1.5 < found.low <= found.value <= found.high < truth * 1.5


def test_the_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(150):
        trials = simulate(rng, truth=3.0, chance=0.25, n_photos=25, spread=0.3)
        found = threshold(*trials, chance=0.25, n_resamples=200, seed=seed)
        covered.append((found.low or 99) <= 3.0 <= (found.high or 99))
    assert np.mean(covered) >= 0.9


def test_the_unit_of_the_severities_carries_over() -> None:
    severities, right, photos = simulate(np.random.default_rng(2), 2.0, 0.25, n_photos=30)
    one = threshold(severities, right, photos, chance=0.25, n_resamples=100)
    other = threshold(severities * 1000, right, photos, chance=0.25, n_resamples=100)
    assert other.value == pytest.approx((one.value or 0) * 1000)
    assert (other.low, other.high) == pytest.approx((1000 * (one.low or 0), 1000 * (one.high or 0)))


def test_what_is_never_seen_has_no_threshold() -> None:
    severities = np.tile(LEVELS, 10)
    found = threshold(severities, severities < 0, chance=0.25, n_resamples=100)
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 80)


def test_what_is_always_seen_has_the_weakest_severity_as_its_threshold() -> None:
    severities = np.tile(LEVELS, 10)
    found = threshold(severities, severities > 0, chance=0.25, n_resamples=100)
    assert found.value == found.low == found.high == LEVELS[0]


def test_what_is_seen_at_the_strongest_severity_alone_has_no_upper_end() -> None:
    severities = np.tile(LEVELS, 12)
    right = (severities == LEVELS[-1]) & (np.arange(96) // 8 % 2 == 0)
    found = threshold(severities, right, np.arange(96) // 8, chance=0.0, n_resamples=300)
    assert found.low is not None and found.high is None


def test_a_sharp_step_puts_the_threshold_between_its_levels() -> None:
    severities = np.tile(LEVELS, 20)
    found = threshold(severities, severities > 3, chance=0.25, n_resamples=50)
    assert found.value is not None and 2 < found.value < 4


def test_too_little_data_leaves_it_undefined() -> None:
    assert threshold([], [], chance=0.5).value is None
    assert threshold([2, 2], [1, 0], chance=0.5).value is None


def test_bad_trials_are_named() -> None:
    with pytest.raises(BadInput, match=r"severities\[1\] is 0, expected a number above 0"):
        threshold([1, 0], [1, 1], chance=0.5)
    with pytest.raises(BadInput, match=r"right\[0\] is 0.5, expected 0 or 1"):
        threshold([1, 2], [0.5, 1], chance=0.5)
    with pytest.raises(BadInput, match=r"chance is 1\.0, expected a number from 0 to 0.9"):
        threshold([1, 2], [0, 1], chance=1.0)
