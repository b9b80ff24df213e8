"""What a camera's meters would show of one photograph: interpretable numbers, no reference needed.

Pixels come in, one frozen `Meters` leaves. No verdict: whether a reading is high or low is for the
reader to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.colour import LUMINANCE, Floats, Pixels, to_lab, to_linear

MID_GREY = 0.18
"""Linear luminance at which the exposure meter shows 0 EV."""

MIN_SIDE_PX = 32
_GAUSS_MAD = 0.6745  # median of |x| for x standard normal


@dataclass(frozen=True, slots=True)
class Meters:
    """Readings of one photograph; grey levels run from 0 to 255, luminance is linear, 0 to 1.

    `detail_1px`, `detail_2px`, `detail_4px`: RMS difference of neighbouring luma, in grey levels,
    at full, half and quarter size; sharp pictures are high. `sharpness`: `detail_1px` over
    `detail_4px`, 0 (nothing fine) to about 1; blur lowers it, noise raises it. `smear`: log2 ratio
    of detail along one axis and the other, 0 (even) upwards; motion blur raises it.
    `noise`: grey levels (standard deviation, Immerkaer 1996 with a median); `colour_noise`: the
    same of green minus magenta, where natural detail is weak. `blockiness`: jump between
    neighbours at the strongest of 8 phases over the median phase, 1 (none) upwards. `run_px`: mean
    length of runs of identical pixels outside clipped parts, 1 (none) to the side of a block.
    `exposure_ev`: log2 of mean luminance over mid-grey (0.18). `highlights`, `shadows`: shares of
    pixels with a channel at white, or all at black, 0 to 1. `rms_contrast`: deviation over mean of
    luminance, 0 upwards. `black_level`, `white_level`: 1st and 99th percentile of L*, 0 to 100.
    `colourfulness`: Hasler and Suesstrunk (2003), 0 (grey) to about 110. `cast_a`, `cast_b`: mean
    CIELAB a* and b*, 0 for a picture that is grey on average. `least_chroma`: 5th percentile of
    chroma C*ab, near 0 where the picture holds greys; a colour cast raises it.
    """

    detail_1px: float
    detail_2px: float
    detail_4px: float
    sharpness: float
    smear: float
    noise: float
    colour_noise: float
    blockiness: float
    run_px: float
    exposure_ev: float
    highlights: float
    shadows: float
    rms_contrast: float
    black_level: float
    white_level: float
    colourfulness: float
    cast_a: float
    cast_b: float
    least_chroma: float


def read_meters(pixels: Pixels) -> Meters:
    """Read every meter of uint8 sRGB pixels, height x width x 3.

    Raises ValueError for another shape or a side under 32 pixels.

    >>> grey = np.full((64, 64, 3), 118, dtype=np.uint8)
    >>> round(read_meters(grey).exposure_ev, 1), read_meters(grey).noise
    (0.0, 0.0)
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected uint8 pixels of height x width x 3, not {pixels.shape}")
    if min(pixels.shape[:2]) < MIN_SIDE_PX:
        raise ValueError(f"expected sides of at least {MIN_SIDE_PX} px, not {pixels.shape[:2]}")
    planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    red, green, blue = planes.astype(np.float32)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    clipped = (planes.max(axis=0) == 255) | (planes.max(axis=0) == 0)
    quarter = np.ascontiguousarray(pixels[::2, ::2])
    return Meters(
        **_detail(luma),
        noise=_noise(luma, clipped),
        colour_noise=_noise(green - (red + blue) / 2, clipped),
        blockiness=_blockiness(luma),
        run_px=_run_length(planes, clipped),
        **_tone(quarter),
        **_colour(quarter),
    )


def _detail(luma: Floats) -> dict[str, float]:
    along: list[tuple[float, float]] = []
    for _ in range(3):
        along.append((_rms(np.diff(luma, axis=0)), _rms(np.diff(luma, axis=1))))
        luma = _half(luma)
    one, two, four = (float(np.hypot(*pair)) for pair in along)
    down, across = along[1]
    return {
        "detail_1px": one,
        "detail_2px": two,
        "detail_4px": four,
        "sharpness": one / max(four, 0.1),
        "smear": abs(float(np.log2((down + 0.1) / (across + 0.1)))),
    }


def _noise(plane: Floats, clipped: NDArray[np.bool_]) -> float:
    """Immerkaer's operator kills edges and slopes; the median then ignores what texture is left."""
    bend = plane[:-2:2] - 2 * plane[1:-1:2] + plane[2::2]
    response = bend[:, :-2] - 2 * bend[:, 1:-1] + bend[:, 2:]
    response = np.abs(response[~clipped[1:-1:2, 1:-1]])
    return float(np.median(response)) / (6 * _GAUSS_MAD) if response.size else 0.0


def _blockiness(luma: Floats) -> float:
    ratios = []
    for axis in (0, 1):
        jumps = np.abs(np.diff(luma, axis=axis)).mean(axis=1 - axis)
        phases = jumps[: len(jumps) // 8 * 8].reshape(-1, 8).mean(axis=0)
        ratios.append((phases.max() + 0.1) / (np.median(phases) + 0.1))
    return float(np.sqrt(ratios[0] * ratios[1]))


def _run_length(planes: Pixels, clipped: NDArray[np.bool_]) -> float:
    code = planes[0].astype(np.uint32) << 16 | planes[1].astype(np.uint32) << 8 | planes[2]
    down = (code[1:] == code[:-1])[~clipped[1:]]
    across = (code[:, 1:] == code[:, :-1])[~clipped[:, 1:]]
    if not down.size or not across.size:
        return 1.0
    equal = min(down.mean(), across.mean())
    return float(1 / max(1 - equal, 1 / max(code.shape)))


def _tone(pixels: Pixels) -> dict[str, float]:
    luminance = to_linear(pixels) @ LUMINANCE
    mean = float(luminance.mean(dtype=np.float64))
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    black, white = np.percentile(luminance, [1, 99])
    return {
        "exposure_ev": float(np.log2(max(mean, 1e-4) / MID_GREY)),
        "highlights": float((brightest == 255).mean()),
        "shadows": float((brightest == 0).mean()),
        "rms_contrast": float(luminance.std(dtype=np.float64)) / max(mean, 1e-4),
        "black_level": _lightness(black),
        "white_level": _lightness(white),
    }


def _colour(pixels: Pixels) -> dict[str, float]:
    red, green, blue = (pixels[..., i].astype(np.float32) for i in range(3))
    one, two = red - green, (red + green) / 2 - blue
    spread = np.hypot(one.std(), two.std())
    shift = np.hypot(one.mean(), two.mean())
    _, a, b = np.moveaxis(to_lab(pixels), 2, 0)
    return {
        "colourfulness": float(spread + 0.3 * shift),
        "cast_a": float(a.mean(dtype=np.float64)),
        "cast_b": float(b.mean(dtype=np.float64)),
        "least_chroma": float(np.percentile(np.hypot(a, b), 5)),
    }


def _half(plane: Floats) -> Floats:
    rows, columns = (n // 2 * 2 for n in plane.shape)
    even = plane[:rows, :columns]
    total: Floats = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return total * np.float32(0.25)


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values * values)))


def _lightness(luminance: float) -> float:
    """L* of CIELAB, 0 to 100."""
    return float(116 * np.cbrt(luminance) - 16 if luminance > (6 / 29) ** 3 else luminance * 903.3)
