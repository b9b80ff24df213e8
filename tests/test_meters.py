from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eyechart.colour import Pixels
from eyechart.distortions import DISTORTIONS
from eyechart.meters import Meters, read_meters
from eyechart.photographs import bundled_photographs, read_pixels


@pytest.fixture(scope="module")
def photograph() -> Pixels:
    return read_pixels(bundled_photographs()[0])


def after(photograph: Pixels, name: str, level: int) -> Meters:
    distortion = next(d for d in DISTORTIONS if d.name == name)
    rng = np.random.default_rng(2)
    return read_meters(distortion.apply(photograph, distortion.severities[level - 1], rng))


@pytest.mark.parametrize(
    ("distortion", "meter", "direction"),
    [
        ("blur", "sharpness", -1),
        ("blur", "detail_1px", -1),
        ("motion_blur", "detail_1px", -1),
        ("noise", "noise", 1),
        ("noise", "colour_noise", 1),
        ("jpeg", "blockiness", 1),
        ("overexposure", "exposure_ev", 1),
        ("overexposure", "highlights", 1),
        ("underexposure", "exposure_ev", -1),
        ("contrast", "rms_contrast", -1),
        ("contrast", "black_level", 1),
        ("colour_cast", "least_chroma", 1),
        ("pixelation", "run_px", 1),
    ],
)
def test_a_meter_follows_the_distortion_that_it_is_for(
    photograph: Pixels, distortion: str, meter: str, direction: int
) -> None:
    readings = [getattr(after(photograph, distortion, level), meter) for level in (2, 4, 6, 8)]
    assert (direction * np.diff(readings) > 0).all()


def test_strong_motion_blur_smears_one_direction_more_than_the_other(photograph: Pixels) -> None:
    assert after(photograph, "motion_blur", 8).smear > read_meters(photograph).smear + 0.3


def test_noise_is_read_in_grey_levels() -> None:
    grey = np.full((128, 128, 3), 128.0)
    noisy = np.clip(np.rint(grey + np.random.default_rng(0).normal(0, 8, grey.shape)), 0, 255)
    meters = read_meters(noisy.astype(np.uint8))
    # Independent channels of deviation 8, weighed 0.299, 0.587, 0.114 and -0.5, 1, -0.5.
    assert meters.noise == pytest.approx(8 * np.sqrt(0.299**2 + 0.587**2 + 0.114**2), rel=0.05)
    assert meters.colour_noise == pytest.approx(8 * np.sqrt(1.5), rel=0.05)


def test_runs_are_as_long_as_the_blocks(photograph: Pixels) -> None:
    assert after(photograph, "pixelation", 5).run_px == pytest.approx(10, rel=0.1)


def test_exposure_counts_stops_from_mid_grey() -> None:
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    assert read_meters(white).exposure_ev == pytest.approx(np.log2(1 / 0.18))
    assert read_meters(white).highlights == 1


@pytest.mark.parametrize("code", [0, 7, 255])
def test_a_picture_of_one_colour_has_finite_readings(code: int) -> None:
    meters = read_meters(np.full((40, 64, 3), code, dtype=np.uint8))
    assert np.isfinite(dataclasses.astuple(meters)).all()


def test_a_picture_that_cannot_be_measured_is_told(photograph: Pixels) -> None:
    with pytest.raises(ValueError, match="expected uint8 pixels of height x width x 3"):
        read_meters(photograph[..., 0])
    with pytest.raises(ValueError, match="expected sides of at least 32 px"):
        read_meters(photograph[:20])
