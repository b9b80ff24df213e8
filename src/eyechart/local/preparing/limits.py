"""How a model's processor bounds the size of a picture, and how `--max-pixels` is put into it.

In: an image processor's settings, a picture's size, a limit. Out: the settings that keep the limit.
Resizes nothing.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eyechart.local.preparing.decoding import Size


@dataclass(frozen=True, slots=True)
class Limit:
    """What an image processor's own limit is of.

    `kind`: "area" (pixels: Qwen-VL, GLM-4V and those after them), "edge" (the longest edge, to
    which every picture is brought, then cut into tiles: Idefics3, SmolVLM) or "none" (a fixed size,
    or tiles of one: a picture is shrunk before the processor sees it). `most`: the limit itself, in
    pixels. `least`: fewest pixels of an area. `tile`: the edge of a tile, 1 where there is none.
    `frames`: how often the processor counts a picture's pixels, as frames of a film.
    """

    kind: Literal["area", "edge", "none"]
    most: int = 0
    least: int = 0
    tile: int = 1
    frames: int = 1

    def settings(self, size: tuple[int, int], max_pixels: int) -> Mapping[str, int]:
        """The processor's `size` under which a picture of this size keeps to `max_pixels`.

        A small picture too: some processors enlarge it. A limit that is no bound changes nothing.
        Where tiles are cut, these together keep to it, the small overview that the model also gets
        not counted; no fewer than one tile is ever seen.

        >>> Limit("area", most=16384, least=256).settings((100, 100), 4096)
        {'shortest_edge': 256, 'longest_edge': 4096}
        >>> Limit("edge", most=1456, tile=364).settings((4000, 3000), 600_000)
        {'longest_edge': 728}
        """
        if self.kind == "area":
            most = max_pixels * self.frames
            return {"shortest_edge": min(self.least, most), "longest_edge": min(self.most, most)}
        return {"longest_edge": self._edge(size, max_pixels)}

    def wanted(self, size: tuple[int, int], settings: Mapping[str, int]) -> Size | None:
        """At most how large a picture of this size comes out; None where that cannot be told.

        `settings`: as above, {} where the processor's own hold.
        """
        width, height = size
        most = settings.get("longest_edge", self.most)
        if self.kind == "none":
            return None
        if self.kind == "edge":
            shrink = most / max(size)
        else:
            shrink = math.sqrt(most / self.frames / (width * height))
        return (width * shrink, height * shrink) if shrink < 1 else None

    def _edge(self, size: tuple[int, int], max_pixels: int) -> int:
        long, short = max(size), min(size)
        if self.tile == 1:
            return max(1, min(self.most, math.floor(math.sqrt(max_pixels * long / short))))
        for n in range(math.ceil(self.most / self.tile), 1, -1):
            n_across = math.ceil(n * short / long)
            if n * n_across * self.tile**2 <= max_pixels:
                return min(n * self.tile, self.most)
        return min(self.tile, self.most)


def limit_of(image_processor: Any) -> Limit:
    """The limit of one of transformers' image processors, told by its settings and its module."""
    size = dict(getattr(image_processor, "size", None) or {})
    resize = _smart_resize(image_processor)
    if resize is not None and {"shortest_edge", "longest_edge"} <= size.keys():
        in_frames = "num_frames" in inspect.signature(resize).parameters
        frames = int(getattr(image_processor, "temporal_patch_size", 1)) if in_frames else 1
        return Limit("area", size["longest_edge"], size["shortest_edge"], frames=frames)
    if resize is None and size.keys() == {"longest_edge"}:
        tiles = dict(getattr(image_processor, "max_image_size", None) or {})
        return Limit("edge", size["longest_edge"], tile=tiles.get("longest_edge", 1))
    return Limit("none")


def _smart_resize(image_processor: Any) -> Any:
    """The function by which processors with an area for a limit choose a size, None in others."""
    modules = [sys.modules.get(kind.__module__) for kind in type(image_processor).__mro__]
    found = (getattr(module, "smart_resize", None) for module in modules)
    return next((resize for resize in found if resize is not None), None)
