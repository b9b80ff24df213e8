"""How a model's own processor can be used, found by trying it on two made pictures.

In: one of transformers' processors, and a prompt as its chat template writes it. Out: a `Road`. The
fast road makes the pictures by themselves, writes their places into the prompt and tokenises it, so
that pictures are made once for all questions about them and in other processes; it is taken where
it gives the very inputs that the processor gives as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyechart.errors import Fatal
from eyechart.local.pieces import Arrays, Ids
from eyechart.local.preparing.collating import Scale, joined
from eyechart.local.preparing.limits import Limit, limit_of

Way = Literal["written", "whole"]
PIXELS = "pixel_values"
MASK = "pixel_attention_mask"
TEXTS = frozenset({"input_ids", "attention_mask"})
ROUNDING = 1e-5
"""How far values of about 1 may lie apart where the same sums are done in another order."""
SIZES = ((96, 64), (48, 80))


@dataclass(frozen=True, slots=True)
class Road:
    """How a processor is used.

    `way`: "written" is the fast road, "whole" calls the processor as it is, for every call.
    `arrays`: names of the inputs that pictures make. `rows`: of those that each token has, with how
    they are made on the fast road: "zeros", or "kinds" as the processor tells tokens apart.
    `scale`: of pixels that are left uint8, None where the processor's own floats are used. `apart`:
    pictures made one by one are the same as together. `limit`: of the processor's sizes. `splits`:
    what follows a prompt's last picture has the same tokens by itself.
    """

    way: Way = "whole"
    arrays: frozenset[str] = frozenset()
    rows: Mapping[str, str] = field(default_factory=dict)
    scale: Scale | None = None
    apart: bool = False
    limit: Limit = Limit("none")
    splits: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a processor makes of a prompt and its pictures."""

    ids: Ids
    rows: Mapping[str, Ids]
    arrays: Arrays


def road_of(processor: Any, text: str, n_pictures: int) -> Road:
    """How this processor can be used, tried on a prompt that shows `n_pictures` (1 or 2) pictures.

    Raises whatever the processor raises where it cannot take the prompt even as a whole.
    """
    pictures = made_pictures()[:n_pictures]
    own = whole_inputs(processor, text, pictures)
    road = Road("whole", frozenset(own.arrays), limit=limit_of(processor.image_processor))
    try:
        return _written_road(processor, text, pictures, own) or road
    except Exception:  # a processor without the parts of the fast road may raise anything at all
        return road


def made_pictures() -> list[Image.Image]:
    """Two small pictures of noise, one wide and one tall."""
    noise = np.random.default_rng(0)
    return [
        Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in SIZES
    ]


def whole_inputs(processor: Any, text: str, pictures: Sequence[Image.Image]) -> Inputs:
    """What the processor itself makes of a prompt and its pictures."""
    images = [list(pictures)] if pictures else None
    more = {} if adds_special(processor, text) else {"add_special_tokens": False}
    made = processor(text=[text], images=images, return_tensors="pt", **more)
    found = {name: as_array(value) for name, value in made.items()}
    ids = found["input_ids"]
    rows = {
        name: tuple(value[0].tolist())
        for name, value in found.items()
        if value.shape == ids.shape and name not in TEXTS
    }
    arrays = {n: value for n, value in found.items() if n not in TEXTS and n not in rows}
    for name, value in arrays.items():
        if value.ndim > 2 and value.shape[:2] == ids.shape:
            raise Fatal(
                f"the model wants {name!r} of shape {value.shape}, which has an axis of tokens and "
                "others: models of this kind cannot be computed here. Serve it (vLLM, SGLang) and "
                "ask it as http://HOST:PORT/v1#NAME"
            )
    return Inputs(tuple(ids[0].tolist()), rows, _by_tiles(arrays))


def made_arrays(
    processor: Any,
    pictures: Sequence[Image.Image],
    settings: Mapping[str, Any],
    keep: frozenset[str],
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """The inputs of pictures alone, and what stands in the prompt for each of them.

    `settings`: of the image processor, for these pictures. `keep`: the inputs that are wanted.
    """
    images, *_ = processor.prepare_inputs_layout(images=[list(pictures)], text=None)
    own = processor._merge_kwargs(
        tokenizer_init_kwargs=processor.tokenizer.init_kwargs, return_tensors="pt"
    )["images_kwargs"]
    made, written = processor._process_images(images, **(own | dict(settings)))
    arrays = {name: as_array(made[name]) for name in made if name in keep}
    return _by_tiles(arrays), tuple(written)


def tokenised(processor: Any, text: str) -> Ids:
    """A whole prompt's tokens, as the processor's own call to its tokenizer gives them."""
    special = adds_special(processor, text)
    return tuple(processor.tokenizer([text], add_special_tokens=special)["input_ids"][0])


def adds_special(processor: Any, text: str) -> bool:
    """Whether the tokenizer puts its own first token before a prompt that does not begin with it.

    This is transformers' own rule for chat templates.
    """
    begins = processor.tokenizer.bos_token
    return not (begins and text.startswith(begins))


def with_pictures(processor: Any, text: str, written: Sequence[str]) -> str:
    """The prompt with what is written for each picture in its place, one for each place."""
    parts = text.split(processor.image_token)
    return parts[0] + "".join(place + rest for place, rest in zip(written, parts[1:], strict=True))


def cut(processor: Any, text: str) -> tuple[str, str]:
    """A prompt up to its last picture's place, that included, and what follows."""
    before, place, after = text.rpartition(processor.image_token)
    return before + place, after


def tokenised_alone(processor: Any, text: str) -> Ids:
    """The tokens of what stands within a prompt."""
    return tuple(processor.tokenizer([text], add_special_tokens=False)["input_ids"][0])


def rows_of(processor: Any, ids: Ids, road: Road) -> dict[str, Ids]:
    """What else the model wants for each token, on the fast road."""
    made: dict[str, Ids] = {"zeros": (0,) * len(ids)}
    if "kinds" in road.rows.values():
        made["kinds"] = tuple(processor.create_mm_token_type_ids([list(ids)])[0])
    return {name: made[how] for name, how in road.rows.items()}


def as_array(value: Any) -> NDArray[Any]:
    """A processor's output in numpy; floats in single precision."""
    array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else np.ascontiguousarray(array)


def _by_tiles(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Idefics takes (calls, tiles, ...), flattens both, and drops tiles of zeros that fill up.

    With each tile in a row of its own there is nothing to fill up when calls are joined. Its mask
    of pixels says yes or no, in a byte instead of eight.
    """
    pixels, mask = arrays.get(PIXELS), arrays.get(MASK)
    if pixels is None or mask is None or pixels.ndim != 5 or len(pixels) != 1:
        return dict(arrays)
    return {**arrays, PIXELS: pixels[0][:, None], MASK: mask[0][:, None].astype(bool)}


def _written_road(
    processor: Any, text: str, pictures: list[Image.Image], own: Inputs
) -> Road | None:
    """The fast road, None where it gives other inputs than the processor's own."""
    names = frozenset(own.arrays)
    arrays, written = made_arrays(processor, pictures, {}, names)
    ids = tokenised(processor, with_pictures(processor, text, written))
    if ids != own.ids or not same(arrays, own.arrays):
        return None
    rows = {name: _how(processor, ids, row) for name, row in own.rows.items()}
    if not all(rows.values()):
        return None
    singles = [made_arrays(processor, [picture], {}, names) for picture in pictures]
    alike = tuple(place for _, one in singles for place in one) == written
    apart = alike and same(joined([one for one, _ in singles]), own.arrays)
    scale = _scale(processor, [[p] for p in pictures] if apart else [pictures], own.arrays)
    limit = limit_of(processor.image_processor)
    splits = _splits(processor, with_pictures(processor, cut(processor, text)[0], written))
    return Road("written", names, rows, scale, apart, limit, splits)


FOLLOWING = ("Is it?", " Is it?", "\nIs it?", "\n\n Is it?", "1. It is")


def _splits(processor: Any, beginning: str) -> bool:
    """Whether what follows is tokenised alone as behind it; tokenizers part at an added token."""
    ids = tokenised(processor, beginning)
    return ids[-1] in processor.tokenizer.added_tokens_decoder and all(
        tokenised(processor, beginning + text) == ids + tokenised_alone(processor, text)
        for text in FOLLOWING
    )


def _how(processor: Any, ids: Ids, row: Ids) -> str:
    """How a row of numbers for tokens is made, "" where that is not known."""
    if not any(row):
        return "zeros"
    return "kinds" if tuple(processor.create_mm_token_type_ids([list(ids)])[0]) == row else ""


def same(one: Arrays, other: Arrays) -> bool:
    """Whether two calls' arrays are the same, but for rounding."""
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape
        and np.allclose(one[name], other[name], rtol=ROUNDING, atol=ROUNDING)
        for name in one
    )


UNSCALED = {"do_rescale": False, "do_normalize": False}


def _scale(processor: Any, groups: list[list[Image.Image]], own: Arrays) -> Scale | None:
    """The scale that makes the processor's values of whole-numbered pixels, None if none does.

    `groups`: the pictures as they are made, one by one or all together.
    """
    try:
        made = [made_arrays(processor, group, UNSCALED, frozenset(own))[0] for group in groups]
    except Exception:  # the processor cannot leave this out, whatever it says about it
        return None
    if not all(PIXELS in arrays and _are_bytes(arrays[PIXELS]) for arrays in made):
        return None
    parts = [arrays | {PIXELS: arrays[PIXELS].astype(np.uint8)} for arrays in made]
    for scale in _scales(processor.image_processor, parts[0][PIXELS].shape):
        values = joined(parts, scale)
        if same(values | {PIXELS: scale.applied(values[PIXELS])}, own):
            return scale
    return None


def _are_bytes(pixels: NDArray[Any]) -> bool:
    return bool(pixels.min() >= 0 and pixels.max() <= 255 and (pixels == np.round(pixels)).all())


def _scales(image_processor: Any, shape: tuple[int, ...]) -> Iterator[Scale]:
    """What the settings may mean: channels along an axis of their own, or in flat patches."""
    factor = image_processor.rescale_factor if image_processor.do_rescale else 1.0
    mean, std = [0.0], [1.0]
    if image_processor.do_normalize:
        mean, std = (
            list(np.ravel(x)) for x in (image_processor.image_mean, image_processor.image_std)
        )
    gain = np.array([factor / s for s in std], np.float32)
    offset = np.array([-m / s for m, s in zip(mean, std, strict=True)], np.float32)
    n = len(gain)
    yield Scale(PIXELS, gain.reshape(n, 1, 1), offset.reshape(n, 1, 1))
    if shape[-1] % n == 0:
        per = shape[-1] // n
        yield Scale(PIXELS, np.repeat(gain, per), np.repeat(offset, per))
        yield Scale(PIXELS, np.tile(gain, per), np.tile(offset, per))
