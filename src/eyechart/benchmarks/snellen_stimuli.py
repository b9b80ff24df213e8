"""The pictures of the eye chart: one photograph, distorted in every way, as lossless files.

Pixels come in, PNG files and `Drawn` pictures leave. What is random comes from a seed in words, so
that a photograph gives the same bytes whatever other photographs stand beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from eyechart.benchmarks.snellen_questions import BY_NAME, LEVELS, Drawn, Pair
from eyechart.colour import Pixels
from eyechart.distortions import DISTORTIONS, rms_difference
from eyechart.items import sha256_of
from eyechart.photographs import Unusable
from eyechart.records import Picture

MIN_CHANGE = 0.02
"""A photograph that some distortion changes by a smaller RMS difference (8-bit codes) is too flat
for the chart: to say that the distortion was added would hardly be true."""


def draw_stimuli(pixels: Pixels, folder: Path, *, seed: str, pairs: Iterable[Pair]) -> Drawn:
    """Write every stimulus of a photograph under `folder`, each once.

    Raises Unusable where a distortion leaves the photograph (nearly) as it is.
    """
    singles = [(d.name, level) for d in DISTORTIONS for level in LEVELS]
    pairs = tuple(pairs)
    folder.mkdir(parents=True)

    def draw_single(which: tuple[str, int]) -> Picture:
        name, level = which
        changed = _distorted(pixels, name, level, seed)
        if rms_difference(changed, pixels) < MIN_CHANGE:
            raise Unusable(f"too flat: {BY_NAME[name].noun} at level {level} changes nothing")
        return _save(changed, folder / f"{name}-{level}.png")

    def draw_pair(pair: Pair) -> Picture:
        once = _distorted(pixels, pair.first, pair.level, seed)
        return _save(_distorted(once, pair.second, pair.level, seed), folder / f"{pair.name}.png")

    with ThreadPoolExecutor() as pool:
        return Drawn(
            plain=_save(pixels, folder / "plain.png"),
            single=dict(zip(singles, pool.map(draw_single, singles), strict=True)),
            pairs=dict(zip(pairs, pool.map(draw_pair, pairs), strict=True)),
        )


def _distorted(pixels: Pixels, name: str, level: int, seed: str) -> Pixels:
    """All levels of a distortion share their random draw, so that only the severity differs."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    distortion = BY_NAME[name]
    return distortion.apply(pixels, distortion.severities[level - 1], rng)


def _save(pixels: Pixels, path: Path) -> Picture:
    Image.fromarray(pixels).save(path, compress_level=1)
    return Picture(path=path, sha256=sha256_of(path))
