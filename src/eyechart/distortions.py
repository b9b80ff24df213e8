"""Known faults, added to a photograph in known amounts.

Pixels (uint8, height x width x 3, sRGB) and a severity in a physical unit come in, pixels of the
same shape leave. What happens in light (blur, exposure, contrast) is made in linear light. Nothing
here reads or writes files, and nothing judges what the photograph looked like before.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image
from scipy import ndimage

from eyechart.colour import (
    Floats,
    Pixels,
    from_lab,
    from_linear,
    to_codes,
    to_lab,
    to_linear,
)

Family = Literal["detail", "tone", "colour", "grain"]
N_LEVELS = 8

_STRENGTHS = ("very slight", "slight", "moderate", "severe")


@dataclass(frozen=True, slots=True)
class Distortion:
    """One kind of fault with its eight severities.

    `title`: its name in plain words, as an option shows it. `noun`: the same inside a sentence.
    `verb`: how it comes about ("noise has been added"). `looks`: what it does to a photograph.
    `amount`: how a severity reads in a sentence, `{}` standing for the number. `unit`: of the
    severity. `family`: distortions of one family can be mistaken for each other, so no question
    asks to tell them apart. `severities`: log-spaced, weakest first. `apply(pixels, severity, rng)`
    draws all that is random from `rng`, the same for every severity.
    """

    name: str
    title: str
    noun: str
    verb: str
    looks: str
    amount: str
    unit: str
    family: Family
    severities: tuple[float, ...]
    apply: Callable[[Pixels, float, np.random.Generator], Pixels]


def strength(level: int) -> str:
    """How strong a level from 1 to 8 is, in words.

    >>> [strength(level) for level in (1, 4, 8)]
    ['very slight', 'slight', 'severe']
    """
    return _STRENGTHS[(level - 1) // 2]


def rms_difference(one: Pixels, other: Pixels) -> float:
    """Root mean square difference of two arrays of one shape, in 8-bit codes, 0 for equal ones."""
    return float(np.sqrt(np.mean((one.astype(np.float32) - other) ** 2)))


def blur(pixels: Pixels, sigma_px: float, rng: np.random.Generator) -> Pixels:
    """Gaussian blur in linear light, as of a lens out of focus."""
    light = to_linear(pixels)
    return from_linear(ndimage.gaussian_filter(light, (sigma_px, sigma_px, 0), mode="reflect"))


def motion_blur(pixels: Pixels, length_px: float, rng: np.random.Generator) -> Pixels:
    """Blur along one straight line in linear light, horizontal or vertical as `rng` draws.

    A length that is no odd whole number gives the two outermost pixels a part of the weight.
    """
    axis = int(rng.integers(2))
    reach = int(np.ceil((length_px - 1) / 2))
    weights = np.clip((length_px + 1) / 2 - np.abs(np.arange(-reach, reach + 1)), 0, 1)
    light = to_linear(pixels)
    return from_linear(ndimage.convolve1d(light, weights / weights.sum(), axis, mode="reflect"))


def add_noise(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Zero-mean Gaussian noise on the codes, independent in every pixel and channel."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    return to_codes(pixels + np.float32(sigma) * noise)


def compress(pixels: Pixels, step_scale: float, rng: np.random.Generator) -> Pixels:
    """JPEG with 4:2:0 chroma: the standard's example tables (Annex K) times `step_scale`.

    A scale of 1 is quality 50 of libjpeg, 0.2 is quality 90, 5 is quality 10. Steps end at 255.
    """
    tables = [[min(255, max(1, round(step * step_scale))) for step in t] for t in _ANNEX_K]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", qtables=tables, subsampling="4:2:0")
    return np.asarray(Image.open(file).convert("RGB"))


def overexpose(pixels: Pixels, stops: float, rng: np.random.Generator) -> Pixels:
    """Twice the linear light for every stop; what exceeds white is clipped."""
    return from_linear(to_linear(pixels) * np.float32(2**stops))


def underexpose(pixels: Pixels, stops: float, rng: np.random.Generator) -> Pixels:
    """Half the linear light for every stop."""
    return from_linear(to_linear(pixels) * np.float32(2**-stops))


def lose_contrast(pixels: Pixels, percent: float, rng: np.random.Generator) -> Pixels:
    """Draw every pixel towards the mean colour, in linear light.

    The mean stays, so RMS contrast (deviation over mean) falls by exactly `percent`.
    """
    light = to_linear(pixels)
    mean = light.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return from_linear(mean + np.float32(1 - percent / 100) * (light - mean))


def cast_colour(pixels: Pixels, delta_e: float, rng: np.random.Generator) -> Pixels:
    """Shift a* or b* of every pixel by `delta_e`, up or down, as `rng` draws.

    Colours that sRGB lacks are clipped, so that saturated pixels shift by less.
    """
    shift = np.zeros(3, dtype=np.float32)
    shift[1 + int(rng.integers(2))] = delta_e * (-1, 1)[int(rng.integers(2))]
    return from_lab(to_lab(pixels) + shift)


def pixelate(pixels: Pixels, block_px: float, rng: np.random.Generator) -> Pixels:
    """Give every square block of `block_px` (a whole number) its mean in linear light."""
    light: Floats = to_linear(pixels)
    for axis in (0, 1):
        n = light.shape[axis]
        edges = np.arange(0, n, round(block_px))
        sizes = np.diff(np.append(edges, n))
        shape = [-1 if a == axis else 1 for a in range(3)]
        means = np.add.reduceat(light, edges, axis=axis) / sizes.reshape(shape).astype(np.float32)
        light = np.repeat(means, sizes, axis=axis)
    return from_linear(light)


def _levels(weakest: float, strongest: float) -> tuple[float, ...]:
    """Eight severities with a constant ratio, to three digits."""
    return tuple(float(f"{s:.3g}") for s in np.geomspace(weakest, strongest, N_LEVELS))


# fmt: off
# ITU-T T.81 (1992), tables K.1 (luminance) and K.2 (chrominance), row by row.
_ANNEX_K = (
    (16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
     14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
     18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    (17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
     24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
     *(99,) * 32),
)
# fmt: on

DISTORTIONS: tuple[Distortion, ...] = (
    Distortion(
        name="blur",
        title="Gaussian blur",
        noun="Gaussian blur",
        verb="applied",
        looks="edges and fine detail are softened evenly in all directions",
        amount="a standard deviation of {} pixels",
        unit="px",
        family="detail",
        severities=_levels(0.35, 6),
        apply=blur,
    ),
    Distortion(
        name="motion_blur",
        title="Motion blur",
        noun="motion blur",
        verb="applied",
        looks="detail is smeared along one direction, as when the camera moves",
        amount="a length of {} pixels",
        unit="px",
        family="detail",
        severities=_levels(1.25, 32),
        apply=motion_blur,
    ),
    Distortion(
        name="noise",
        title="Random noise",
        noun="random noise",
        verb="added",
        looks="coloured grain covers the picture, smooth areas included",
        amount="a standard deviation of {} grey levels out of 255",
        unit="grey levels",
        family="grain",
        severities=_levels(1, 50),
        apply=add_noise,
    ),
    Distortion(
        name="jpeg",
        title="JPEG compression",
        noun="JPEG compression",
        verb="applied",
        looks="8-pixel blocks and ringing around edges appear, and fine colour is lost",
        amount="quantiser steps {} times the standard tables",
        unit="× standard steps",
        family="detail",
        severities=_levels(0.15, 10),
        apply=compress,
    ),
    Distortion(
        name="overexposure",
        title="Overexposure",
        noun="overexposure",
        verb="applied",
        looks="the picture is brighter, and what is too bright to hold is clipped",
        amount="{} stops more light",
        unit="EV",
        family="tone",
        severities=_levels(0.1, 3.5),
        apply=overexpose,
    ),
    Distortion(
        name="underexposure",
        title="Underexposure",
        noun="underexposure",
        verb="applied",
        looks="the picture is darker, and its shadows lose detail",
        amount="{} stops less light",
        unit="EV",
        family="tone",
        severities=_levels(0.1, 4),
        apply=underexpose,
    ),
    Distortion(
        name="contrast",
        title="Loss of contrast",
        noun="a loss of contrast",
        verb="applied",
        looks="lights and darks are drawn together and the picture is washed out",
        amount="{} % of the RMS contrast taken away",
        unit="% of RMS contrast",
        family="tone",
        severities=_levels(0.5, 92),
        apply=lose_contrast,
    ),
    Distortion(
        name="colour_cast",
        title="A colour cast",
        noun="a colour cast",
        verb="added",
        looks="all colours are tinted towards one hue",
        amount="a shift of {} units in CIELAB",
        unit="ΔE",
        family="colour",
        severities=_levels(1.5, 50),
        apply=cast_colour,
    ),
    Distortion(
        name="pixelation",
        title="Pixelation",
        noun="pixelation",
        verb="applied",
        looks="the picture is made of uniform square blocks",
        amount="blocks of {} pixels",
        unit="px",
        family="detail",
        severities=tuple(round(s) for s in _levels(2, 35)),
        apply=pixelate,
    ),
)
"""Every distortion of the eye chart."""
