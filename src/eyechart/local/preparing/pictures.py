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
    """A picture as the processor gets it, with settings of its own. `note`: how it was shrunk."""

    pixels: Image.Image
    size: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


def key_of(images: Sequence[Encoded], max_pixels: int | None = None) -> str:
    """Names pictures, with the limit for those that are over it; equal keys, equal inputs."""
    return " ".join(
        f"{image.sha256}@{max_pixels}" if _is_over(image, max_pixels) else image.sha256
        for image in images
    )


class Eye:
    """A model's processor and the road on which it is used."""

    def __init__(self, processor: Any, road: Road) -> None:
        self._processor, self._road = processor, road

    def see(self, images: tuple[Encoded, ...], max_pixels: int | None = None) -> Seen:
        """The pictures of a call as the model takes them, on the fast road.

        A picture of more than `max_pixels` is made smaller by the processor's own limit where it
        has one and takes pictures apart, else it is shrunk beforehand. Raises Refused, which names
        the picture, for one that is damaged or that the processor cannot take.
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
            note=_note(opened),
        )

    def see_whole(
        self, images: tuple[Encoded, ...], text: str, max_pixels: int | None = None
    ) -> Whole:
        """A call as the processor makes it from the prompt and its pictures. Raises as `see`."""
        opened = [self._opened(image, max_pixels) for image in images]
        with _taking(images):
            own = whole_inputs(self._processor, text, [one.pixels for one in opened])
        seen = Seen(key_of(images, max_pixels), own.arrays, (), _note(opened)) if images else None
        return Whole(seen, own.ids, own.rows)

    def _opened(self, image: Encoded, max_pixels: int | None) -> _Opened:
        limit, stored = self._road.limit, (image.width, image.height)
        if max_pixels is not None and _is_over(image, max_pixels):
            if not self._road.apart or limit.kind == "none":
                return _shrunk(image, max_pixels)
            size = limit.settings(stored, max_pixels)
            pixels = decoded(image, limit.wanted(stored, size))
            return _Opened(pixels, size, limit.told(stored, size) + _reduced(pixels, image))
        pixels = decoded(image, limit.wanted(stored, None))
        return _Opened(pixels, note=_reduced(pixels, image).removeprefix(", "))

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


def _is_over(image: Encoded, max_pixels: int | None) -> bool:
    return max_pixels is not None and image.width * image.height > max_pixels


def _shrunk(image: Encoded, max_pixels: int) -> _Opened:
    """As for a served model, which gets the picture at this size."""
    try:
        small = encode(Picture(data=image.data, name=label(image)), max_pixels=max_pixels)
    except BadPicture as error:
        raise Refused(f"picture {error}") from error
    return _Opened(decoded(small), note=small.changed.rpartition(",")[0])


def _reduced(pixels: Image.Image, image: Encoded) -> str:
    n = round(max(image.width, image.height) / max(pixels.size))
    return f", decoded at 1/{n} of its size" if n > 1 else ""


def _note(opened: Sequence[_Opened]) -> str:
    return "; ".join(dict.fromkeys(one.note for one in opened if one.note))


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
