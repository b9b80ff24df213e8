"""What a photograph's meters say about each fault, on one scale for all faults.

A `Meters` comes in; a `Signs` leaves: for every fault how far the photograph lies from what is
usual, in spreads of good photographs. No words are read or written here, and no picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, get_args

from eyechart.meters import Meters

Fault = Literal[
    "blur",
    "motion_blur",
    "noise",
    "jpeg",
    "pixelation",
    "overexposure",
    "underexposure",
    "contrast",
    "colour_cast",
    "dull",
]
Signs = Mapping[Fault, float]

FAULTS: tuple[Fault, ...] = get_args(Fault)
SEEN = 1.0
"""A fault shows where its sign exceeds this: in one of six good photographs, by definition."""

# Median, and 84th percentile minus median, of `_raw` over the better half by mean opinion score
# (291 photographs of 500x500) of half of LIVE In the Wild (Ghadiyaram and Bovik 2016).
_USUAL: Mapping[Fault, tuple[float, float]] = {
    "blur": (0.53, 0.36),
    "motion_blur": (0.75, 0.50),
    "noise": (0.13, 0.54),
    "jpeg": (0.18, 0.20),
    "pixelation": (0.13, 0.33),
    "overexposure": (0.40, 0.47),
    "underexposure": (-0.34, 0.53),
    "contrast": (0.38, 0.69),
    "colour_cast": (1.51, 0.98),
    "dull": (-5.32, 0.86),
}
_USUAL_SUM = (2.5, 1.3)  # of `_summed`, measured in the same way


def signs(meters: Meters) -> Signs:
    """For each fault 0 where the photograph is as usual, more where it has more of the fault."""
    raw = _raw(meters)
    return {fault: (raw[fault] - _USUAL[fault][0]) / _USUAL[fault][1] for fault in FAULTS}


def badness(found: Signs) -> float:
    """All faults together: 0 for a usual good photograph, 1 for one of the worst sixth of them."""
    return (_summed(found) - _USUAL_SUM[0]) / _USUAL_SUM[1]


def _summed(found: Signs) -> float:
    """Faults add up, and the worst counts the most; far out, more of it adds little."""
    return sum(math.log1p(max(sign, 0.0)) for sign in found.values())


def _raw(meters: Meters) -> dict[Fault, float]:
    softness = -math.log2(meters.sharpness + 0.01)
    return {
        "blur": softness,
        "motion_blur": softness + meters.smear,
        "noise": math.log2(meters.colour_noise + meters.noise / 4 + 0.5),
        "jpeg": math.log2(meters.blockiness),
        "pixelation": math.log2(meters.run_px),
        "overexposure": meters.exposure_ev + 4 * meters.highlights,
        "underexposure": -meters.exposure_ev + 4 * meters.shadows,
        "contrast": meters.black_level / 20 - math.log2(meters.rms_contrast + 0.01),
        "colour_cast": math.log2(meters.least_chroma + 1),
        "dull": -math.log2(meters.colourfulness + 1),
    }
