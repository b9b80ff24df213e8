"""Pictures as a model's own processor makes them, by the fast road and as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.conftest import photograph
from tests.local.tiny_processors import (
    asked,
    load_stubborn,
    other_processors,
    saved,
    shown,
)
from transformers import Idefics3ForConditionalGeneration

from eyechart.errors import Fatal, Refused
from eyechart.images import Encoded, encode
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.pieces import Arrays, Seen
from eyechart.local.preparing.chats import Chat, probe
from eyechart.local.preparing.collating import joined
from eyechart.local.preparing.decoding import decoded
from eyechart.local.preparing.pictures import Eye, key_of
from eyechart.local.preparing.roads import PIXELS, Road, road_of, same, whole_inputs
from eyechart.records import Picture

FOLDERS = ("qwen_folder", "idefics_folder")


def eye_of(processor: Any) -> tuple[Eye, Road]:
    text = Chat(processor, "hf:tiny").rendered(probe(2))
    road = road_of(processor, text, 2)
    return Eye(processor, road), road


def values(arrays: Arrays, road: Road) -> Arrays:
    """As the model gets them."""
    if road.scale is None:
        return arrays
    return {**arrays, PIXELS: road.scale.applied(arrays[PIXELS])}


def own(processor: Any, *images: Encoded) -> Arrays:
    text = Chat(processor, "hf:tiny").rendered(asked("Is it sharp?", *images).request)
    return whole_inputs(processor, text, [decoded(image) for image in images]).arrays


@pytest.fixture(params=FOLDERS)
def processor(request: pytest.FixtureRequest) -> Any:
    return load_processor(request.getfixturevalue(request.param))


def test_pictures_are_made_as_the_processor_makes_them_and_stay_bytes(processor: Any) -> None:
    eye, road = eye_of(processor)
    images = shown(1), shown(2, 40, 150), shown(3, 64, 64)
    seen = eye.see(images)
    assert road.way == "written" and road.apart
    assert seen.arrays[PIXELS].dtype == np.uint8
    assert same(values(seen.arrays, road), own(processor, *images))
    assert len(seen.written) == 3 and seen.key == " ".join(i.sha256 for i in images)
    assert seen.notes == ("", "", "")


def test_calls_joined_are_what_the_processor_makes_of_all_their_pictures(processor: Any) -> None:
    eye, road = eye_of(processor)
    one, two = shown(1), shown(2, 40, 150)
    both = joined([eye.see((one,)).arrays, eye.see((two,)).arrays], road.scale)
    assert same(values(both, road), own(processor, one, two))


def test_every_family_gets_its_own_inputs(idefics_folder: Path) -> None:
    """LLaVA, LLaVA-NeXT and Gemma 3 on the fast road; Idefics2 has no part of it."""
    found = {}
    for name, processor in other_processors(idefics_folder).items():
        eye, road = eye_of(processor)
        found[name] = road.way
        image = shown(1, 90, 30)
        if road.way == "written":
            assert same(values(eye.see((image,)).arrays, road), own(processor, image))
    assert found == dict.fromkeys(("llava", "llava_next", "gemma3"), "written") | {
        "idefics2": "whole"
    }


def test_a_processor_with_a_way_of_its_own_is_used_as_a_whole(qwen_folder: Path) -> None:
    processor = load_stubborn(qwen_folder)
    eye, road = eye_of(processor)
    assert road.way == "whole" and road.scale is None
    image = shown(1)
    text = Chat(processor, "hf:tiny").rendered(asked("Is it sharp?", image).request)
    whole = eye.see_whole((image,), text)
    assert processor.tokenizer.decode(whole.ids).startswith("Well. ")
    assert whole.seen is not None and same(whole.seen.arrays, own(processor, image))
    assert len(whole.rows["mm_token_type_ids"]) == len(whole.ids)
    assert eye.see_whole((), "Is it sharp?").seen is None


def test_pictures_whose_bytes_say_otherwise_stay_floats(qwen_folder: Path) -> None:
    """Where leaving out the scaling changes more than the scale, the processor's own floats go."""
    processor = load_processor(qwen_folder)
    kind = type(processor.image_processor)

    def rescale(self: Any, image: Any, scale: float, **more: Any) -> Any:
        return kind.rescale(self, image, scale, **more) ** 2

    processor.image_processor.__class__ = type("Squared", (kind,), {"rescale": rescale})
    eye, road = eye_of(processor)
    seen = eye.see((shown(1),))
    assert road.way == "written" and road.scale is None
    assert seen.arrays[PIXELS].dtype == np.float32
    assert same(seen.arrays, own(processor, shown(1)))


def test_a_mask_for_each_token_and_picture_is_more_than_can_be_shared(qwen_folder: Path) -> None:
    processor = load_processor(qwen_folder)
    kind = type(processor)

    def call(self: Any, **given: Any) -> Any:
        made = kind.__call__(self, **given)
        made["cross_attention_mask"] = np.ones((*made["input_ids"].shape, 2))
        return made

    processor.__class__ = type("Crossing", (kind,), {"__call__": call})
    with pytest.raises(Fatal, match=r"wants 'cross_attention_mask' of shape .*Serve it \(vLLM"):
        eye_of(processor)


# --- the limit ----------------------------------------------------------------------------------


def n_pixels(seen: Seen) -> int:
    """Pixels that the model looks at: patches of 8x8, or tiles of 32x32."""
    pixels = seen.arrays[PIXELS]
    return len(pixels) * (64 if pixels.ndim == 2 else 32 * 32)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_limit_becomes_the_processors_own(folder: str, request: pytest.FixtureRequest) -> None:
    eye, _ = eye_of(load_processor(request.getfixturevalue(folder)))
    image = shown(1, 120, 90)
    free, limited = eye.see((image,)), eye.see((image,), 2500)
    assert n_pixels(limited) < n_pixels(free)
    overview = 32 * 32 if folder == "idefics_folder" else 0
    assert n_pixels(limited) - overview <= 2500
    assert limited.key == f"{image.sha256}@2500" and free.notes == limited.notes == ("",)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("side", [8, 30, 40, 200])
def test_a_limit_holds_for_small_pictures_too(
    folder: str, side: int, request: pytest.FixtureRequest
) -> None:
    """Which an Idefics enlarges to its longest edge like any other."""
    eye, _ = eye_of(load_processor(request.getfixturevalue(folder)))
    made = n_pixels(eye.see((shown(1, side, side),), 1100))
    assert made == 32 * 32 if folder == "idefics_folder" else made <= 1100


def test_a_picture_that_the_limit_does_not_bound_is_made_as_without_one(processor: Any) -> None:
    eye, _ = eye_of(processor)
    small, large, most = shown(1, 48, 32), shown(2, 120, 90), 128 * 128
    free, limited = eye.see((small, large)), eye.see((small, large), most)
    for name, array in free.arrays.items():
        np.testing.assert_array_equal(limited.arrays[name], array)
    assert limited.written == free.written
    key = f"{small.sha256}@{most} {large.sha256}@{most}"
    assert limited.key == key_of((small, large), most) == key


def test_where_a_processor_has_no_limit_pictures_are_shrunk_before(idefics_folder: Path) -> None:
    eye, _ = eye_of(other_processors(idefics_folder)["llava"])
    image = shown(1, 120, 90)
    seen = eye.see((image,), 1200)
    small = encode(Picture(data=image.data), max_pixels=1200)
    assert seen.notes == ("shrunk to at most 1200 pixels before the model's own processor",)
    assert eye.see((small,), 1200).notes == ("",)
    assert same(seen.arrays, eye.see((small,)).arrays)


def test_a_large_jpeg_says_that_it_was_decoded_at_reduced_size(processor: Any) -> None:
    eye, _ = eye_of(processor)
    image = shown(1, 640, 480, "JPEG")
    seen = eye.see((image,))
    assert seen.notes[0] in ("decoded at 1/2 of their size", "decoded at 1/4 of their size")
    whole = eye.see((shown(1, 640, 480),))
    assert seen.written == whole.written
    gap = np.abs(seen.arrays[PIXELS].astype(float) - whole.arrays[PIXELS])
    assert gap.mean() < 4  # of 255 levels, the loss of the JPEG itself included


def test_a_turned_picture_is_seen_upright(processor: Any) -> None:
    eye, _ = eye_of(processor)
    upright, photo = shown(1, 96, 64), photograph(1, 96, 64)
    turned = encode(Picture(data=saved(photo.rotate(90, expand=True), orientation=6)))
    assert turned.width == 64
    assert same(eye.see((turned,)).arrays, eye.see((upright,)).arrays)


def test_what_a_processor_cannot_take_is_refused_with_its_words(qwen_folder: Path) -> None:
    eye, _ = eye_of(load_processor(qwen_folder))
    image = shown(1, 2010, 10)
    with pytest.raises(Refused, match=r"cannot take .* of 2010x10 pixels \(ValueError: absolute"):
        eye.see((image,))


def test_a_picture_damaged_behind_its_header_is_refused_where_it_is_shrunk(
    idefics_folder: Path,
) -> None:
    eye, _ = eye_of(other_processors(idefics_folder)["llava"])
    data = shown(1, 64, 48, "WEBP").data
    bad = Encoded(data[:40] + b"\0" * (len(data) - 40), "ab" * 32, "image/webp", "WEBP", 64, 48)
    with pytest.raises(Refused, match=r"^picture abababababab \(WEBP\): "):
        eye.see((bad,), 100)


def test_idefics_gives_the_same_features_with_each_tile_in_a_row(idefics_folder: Path) -> None:
    """The model flattens calls and tiles, so calls need no empty tiles to fill up."""
    import torch

    processor = load_processor(idefics_folder)
    eye, road = eye_of(processor)
    model = Idefics3ForConditionalGeneration.from_pretrained(idefics_folder).eval()
    image = shown(1, 96, 64)
    theirs = processor.image_processor([[decoded(image)]], return_tensors="pt")
    ours = values(eye.see((image,)).arrays, road)
    with torch.inference_mode():
        one = model.get_image_features(theirs["pixel_values"], theirs["pixel_attention_mask"])
        two = model.get_image_features(
            *(torch.from_numpy(ours[name]) for name in (PIXELS, "pixel_attention_mask"))
        )
    torch.testing.assert_close(
        torch.cat(two.pooler_output), torch.cat(one.pooler_output), rtol=1e-5, atol=1e-6
    )
