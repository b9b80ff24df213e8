"""Between sRGB code values, linear light and CIELAB, in plain NumPy.

Arrays of code values come in, arrays of light or Lab leave, and back again. No colour management:
every photograph is taken to be sRGB (IEC 61966-2-1) under its own white, D65.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Shares of linear red, green and blue in luminance (Rec. 709)."""

_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_TO_WHITE = (_RGB_TO_XYZ / _RGB_TO_XYZ.sum(axis=1, keepdims=True)).astype(np.float32)
_FROM_WHITE = np.linalg.inv(_TO_WHITE.astype(np.float64)).astype(np.float32)
_KNEE = 6 / 29

_CODES = np.arange(256) / 255
_LINEAR_OF_CODE = np.where(
    _CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4
).astype(np.float32)
_STEPS = np.arange(65536) / 65535  # the darkest code spans 20 of these steps
_CODE_OF_LINEAR = np.rint(
    255 * np.where(_STEPS <= 0.0031308, 12.92 * _STEPS, 1.055 * _STEPS ** (1 / 2.4) - 0.055)
).astype(np.uint8)


def to_linear(pixels: Pixels) -> Floats:
    """Linear light of sRGB codes: any shape, 0 (black) to 1 (white).

    >>> to_linear(np.array([0, 188, 255], dtype=np.uint8)).round(2).tolist()
    [0.0, 0.5, 1.0]
    """
    return _LINEAR_OF_CODE[pixels]


def from_linear(light: Floats) -> Pixels:
    """Nearest sRGB codes of linear light; what lies outside 0 to 1 is clipped.

    >>> from_linear(np.array([-1.0, 0.5, 3.0], dtype=np.float32)).tolist()
    [0, 188, 255]
    """
    codes: Pixels = _CODE_OF_LINEAR[np.rint(np.clip(light, 0, 1) * 65535).astype(np.uint16)]
    return codes


def to_codes(values: Floats) -> Pixels:
    """Round to whole 8-bit codes, clipped to 0 to 255.

    >>> to_codes(np.array([-3.0, 7.4, 300.0], dtype=np.float32)).tolist()
    [0, 7, 255]
    """
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def to_lab(pixels: Pixels) -> Floats:
    """CIELAB of HxWx3 sRGB codes: L* from 0 to 100, a* and b* 0 for greys.

    >>> to_lab(np.full((1, 1, 3), 119, dtype=np.uint8)).round(0).tolist()
    [[[50.0, 0.0, 0.0]]]
    """
    xyz = to_linear(pixels) @ _TO_WHITE.T
    f = np.where(xyz > _KNEE**3, np.cbrt(xyz), xyz / (3 * _KNEE**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def from_lab(lab: Floats) -> Pixels:
    """Nearest sRGB codes of HxWx3 CIELAB; colours that sRGB lacks are clipped channel by channel.

    >>> from_lab(to_lab(np.full((1, 1, 3), 119, dtype=np.uint8))).tolist()
    [[[119, 119, 119]]]
    """
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > _KNEE, f**3, 3 * _KNEE**2 * (f - 4 / 29))
    return from_linear((xyz @ _FROM_WHITE.T).astype(np.float32))
