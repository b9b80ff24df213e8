"""What a model's own processor makes of pictures; this is what runs in worker processes.

In: encoded pictures. Out: a `Seen` (on the fast road, see `roads`), or the inputs of a whole call.
Decodes, limits the size, runs the processor. Writes no prompt and asks no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyechart.errors import BadPicture, CallError, Refused
from eyechart.images import Encoded, encode
from eyechart.local.pieces import Ids, Seen
from eyechart.local.preparing.collating import joined
from eyechart.local.preparing.decoding import decoded, label
from eyechart.local.preparing.roads import UNSCALED, Road, made_arrays, whole_inputs
from eyechart.records import Picture


@dataclass(frozen=True, slots=True)
class Whole:
    """A call that the processor made as a whole: its pictures, its tokens, and what each has."""

    seen: Seen | None
    ids: Ids
    rows: Mapping[str, Ids]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture as the processor gets it, with settings of its own. `note`: as in `Seen.notes`."""

    pixels: Image.Image
    size: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


def key_of(images: Sequence[Encoded], max_pixels: int | None = None) -> str:
    """Names pictures, each with the limit where there is one; equal keys, equal inputs."""
    limit = "" if max_pixels is None else f"@{max_pixels}"
    return " ".join(image.sha256 + limit for image in images)


class Eye:
    """A model's processor and the road on which it is used."""

    def __init__(self, processor: Any, road: Road) -> None:
        self._processor, self._road = processor, road

    def see(self, images: tuple[Encoded, ...], max_pixels: int | None = None) -> Seen:
        """The pictures of a call as the model takes them, on the fast road.

        `max_pixels` bounds what the model looks at, by the processor's own limit where it has one
        and takes pictures apart; else a picture of more is shrunk beforehand. Raises Refused, which
        names the picture, for one that is damaged or that the processor cannot take.
        """
        opened = [self._opened(image, max_pixels) for image in images]
        with _taking(images):
            if self._road.apart:
                made = [self._made([one.pixels], one.size) for one in opened]
            else:
                made = [self._made([one.pixels for one in opened], {})]
        return Seen(
            key=key_of(images, max_pixels),
            arrays=joined([arrays for arrays, _ in made], self._road.scale),
            written=tuple(place for _, places in made for place in places),
            notes=tuple(one.note for one in opened),
        )

    def see_whole(
        self, images: tuple[Encoded, ...], text: str, max_pixels: int | None = None
    ) -> Whole:
        """A call as the processor makes it from the prompt and its pictures. Raises as `see`."""
        opened = [self._opened(image, max_pixels) for image in images]
        with _taking(images):
            own = whole_inputs(self._processor, text, [one.pixels for one in opened])
        notes = tuple(one.note for one in opened)
        seen = Seen(key_of(images, max_pixels), own.arrays, (), notes) if images else None
        return Whole(seen, own.ids, own.rows)

    def _opened(self, image: Encoded, max_pixels: int | None) -> _Opened:
        limit, stored = self._road.limit, (image.width, image.height)
        size: Mapping[str, int] = {}
        if max_pixels is not None:
            if self._road.apart and limit.kind != "none":
                size = limit.settings(stored, max_pixels)
            elif image.width * image.height > max_pixels:
                return _shrunk(image, max_pixels)
        pixels = decoded(image, limit.wanted(stored, size))
        return _Opened(pixels, size, _reduced(pixels, image))

    def _made(
        self, pictures: list[Image.Image], size: Mapping[str, int]
    ) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
        """Arrays and written places, pixels as bytes where the road has a scale for them."""
        scale = self._road.scale
        settings: dict[str, Any] = {"size": dict(size)} if size else {}
        if scale is None:
            return made_arrays(self._processor, pictures, settings, self._road.arrays)
        settings |= UNSCALED
        arrays, written = made_arrays(self._processor, pictures, settings, self._road.arrays)
        arrays[scale.key] = arrays[scale.key].astype(np.uint8)
        return arrays, written


def _shrunk(image: Encoded, max_pixels: int) -> _Opened:
    """As for a served model, which gets the picture at this size."""
    try:
        small = encode(Picture(data=image.data, name=label(image)), max_pixels=max_pixels)
    except BadPicture as error:
        raise Refused(f"picture {error}") from error
    note = f"shrunk to at most {max_pixels} pixels before the model's own processor"
    return _Opened(decoded(small), note=note)


def _reduced(pixels: Image.Image, image: Encoded) -> str:
    n = round(max(image.width, image.height) / max(pixels.size))
    return f"decoded at 1/{n} of their size" if n > 1 else ""


@contextmanager
def _taking(images: Sequence[Encoded]) -> Iterator[None]:
    """Around the processor at work: whatever it raises is told of these pictures."""
    try:
        yield
    except CallError:
        raise
    except Exception as error:  # processors raise anything: no list is complete
        named = ", ".join(f"{label(i)} of {i.width}x{i.height} pixels" for i in images)
        said = f"{type(error).__name__}: {error}"
        raise Refused(
            f"the model's own processor cannot take {named or 'this prompt'} ({said[:300]}); give "
            "it pictures of another size, or leave this item out"
        ) from error
