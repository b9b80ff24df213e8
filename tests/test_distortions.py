from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage import color

from eyechart.colour import Pixels, from_lab, from_linear, to_lab, to_linear
from eyechart.distortions import (
    DISTORTIONS,
    N_LEVELS,
    Distortion,
    cast_colour,
    lose_contrast,
    overexpose,
    pixelate,
    rms_difference,
)
from eyechart.photographs import bundled_photographs, read_pixels

PHOTOGRAPHS = {photo.name: photo for photo in bundled_photographs()}


@pytest.fixture(scope="module", params=PHOTOGRAPHS)
def photograph(request: pytest.FixtureRequest) -> Pixels:
    return read_pixels(PHOTOGRAPHS[request.param])


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(5).integers(0, 256, (40, 37, 3), dtype=np.uint8)


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def named(distortion: Distortion) -> str:
    return distortion.name


def test_there_are_at_least_eight_distortions_with_names_of_their_own() -> None:
    assert len({distortion.name for distortion in DISTORTIONS}) == len(DISTORTIONS) >= 8
    assert len({distortion.title for distortion in DISTORTIONS}) == len(DISTORTIONS)
    assert all(d.unit and d.noun and d.looks and "{}" in d.amount for d in DISTORTIONS)


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=named)
def test_severities_grow_by_a_constant_ratio(distortion: Distortion) -> None:
    ratios = np.diff(np.log(distortion.severities))
    assert len(distortion.severities) == N_LEVELS
    assert (ratios > 0).all()
    slack = 0.3 if distortion.name == "pixelation" else 0.02  # blocks are whole pixels
    assert_allclose(ratios, ratios.mean(), rtol=slack)


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=named)
def test_every_severity_changes_a_photograph_and_more_than_the_one_before(
    distortion: Distortion, photograph: Pixels
) -> None:
    changes = [
        rms_difference(distortion.apply(photograph, severity, rng()), photograph)
        for severity in distortion.severities
    ]
    assert changes[0] > 0
    assert (np.diff(changes) > 0).all()


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=named)
def test_severities_run_from_nearly_invisible_to_gross(
    distortion: Distortion, photograph: Pixels
) -> None:
    weakest, strongest = (
        rms_difference(distortion.apply(photograph, severity, rng()), photograph)
        for severity in (distortion.severities[0], distortion.severities[-1])
    )
    assert weakest < 16
    assert strongest > 8
    assert strongest > 4 * weakest or distortion.name in ("jpeg", "pixelation")


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=named)
def test_pixels_keep_their_shape_and_the_same_seed_gives_the_same_pixels(
    distortion: Distortion, noise: Pixels
) -> None:
    before = noise.copy()
    once, again = (distortion.apply(noise, distortion.severities[3], rng()) for _ in range(2))
    assert once.shape == noise.shape
    assert once.dtype == np.uint8
    assert_array_equal(once, again)
    assert_array_equal(noise, before)


def test_noise_has_the_deviation_that_it_says_and_no_mean() -> None:
    grey = np.full((200, 200, 3), 128, dtype=np.uint8)
    noisy = next(d for d in DISTORTIONS if d.name == "noise").apply(grey, 10, rng())
    assert_allclose(noisy.std(), 10, rtol=0.02)
    assert_allclose(noisy.mean(), 128, atol=0.1)


def test_one_stop_doubles_the_light_and_clips_at_white() -> None:
    pixels = from_linear(np.array([[[0.1, 0.3, 0.8]]], dtype=np.float32))
    assert_allclose(to_linear(overexpose(pixels, 1, rng())), [[[0.2, 0.6, 1.0]]], atol=0.01)


def test_lost_contrast_is_a_share_of_the_rms_contrast_and_keeps_the_mean(noise: Pixels) -> None:
    before, after = to_linear(noise), to_linear(lose_contrast(noise, 40, rng()))
    assert_allclose(after.mean(axis=(0, 1)), before.mean(axis=(0, 1)), rtol=0.01)
    assert_allclose(after.std(axis=(0, 1)), 0.6 * before.std(axis=(0, 1)), rtol=0.01)


def test_a_cast_of_so_many_units_shifts_a_grey_by_as_many() -> None:
    grey = np.full((4, 4, 3), 128, dtype=np.uint8)
    shift = to_lab(cast_colour(grey, 10, rng())) - to_lab(grey)
    assert_allclose(np.linalg.norm(shift, axis=2), 10, atol=0.5)


def test_pixelation_makes_blocks_of_one_colour_up_to_the_edges(noise: Pixels) -> None:
    blocks = pixelate(noise, 8, rng())
    for y in range(0, 40, 8):
        for x in range(0, 37, 8):
            assert len(np.unique(blocks[y : y + 8, x : x + 8].reshape(-1, 3), axis=0)) == 1


def test_blur_keeps_the_light_of_a_photograph(photograph: Pixels) -> None:
    blur = next(d for d in DISTORTIONS if d.name == "blur")
    after = to_linear(blur.apply(photograph, 4, rng()))
    assert_allclose(after.mean(), to_linear(photograph).mean(), rtol=0.002)


def test_lab_agrees_with_scikit_image(noise: Pixels) -> None:
    assert_allclose(to_lab(noise), color.rgb2lab(noise), atol=0.05)


def test_every_colour_survives_the_way_to_lab_and_light_and_back(noise: Pixels) -> None:
    assert_array_equal(from_lab(to_lab(noise)), noise)
    assert_array_equal(from_linear(to_linear(noise)), noise)
