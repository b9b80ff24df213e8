"""How processors bound the size of pictures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("transformers")

from transformers import (
    CLIPImageProcessorPil,
    Glm4vImageProcessorPil,
    Idefics3ImageProcessorPil,
    Qwen2VLImageProcessorPil,
    SmolVLMImageProcessorPil,
)

from eyechart.local.preparing.limits import Limit, limit_of

sides = st.integers(20, 5000)


def test_the_limit_of_a_processor_is_of_an_area_an_edge_or_nothing() -> None:
    assert limit_of(Qwen2VLImageProcessorPil()) == Limit("area", 28 * 28 * 1280, 56 * 56)
    assert limit_of(Glm4vImageProcessorPil()).frames == 2
    assert limit_of(Idefics3ImageProcessorPil()) == Limit("edge", 1456, tile=364)
    assert limit_of(SmolVLMImageProcessorPil()).kind == "edge"
    assert limit_of(CLIPImageProcessorPil()) == Limit("none")


@given(sides, sides, st.integers(364 * 364, 4_000_000))
def test_tiles_together_keep_to_the_limit(width: int, height: int, max_pixels: int) -> None:
    limit = Limit("edge", most=1456, tile=364)
    edge = limit.settings((width, height), max_pixels)["longest_edge"]
    n = edge // 364
    n_across = math.ceil(n * min(width, height) / max(width, height))
    assert edge % 364 == 0 and 364 <= edge <= 1456
    assert n * n_across * 364 * 364 <= max_pixels


@given(sides, sides, st.integers(1, 10**7))
def test_an_area_never_grows_beyond_the_processors_own(
    width: int, height: int, max_pixels: int
) -> None:
    limit = Limit("area", most=1_000_000, least=65_536)
    size = limit.settings((width, height), max_pixels)
    assert size["longest_edge"] == min(1_000_000, max_pixels)
    assert size["shortest_edge"] <= size["longest_edge"]


def test_frames_count_a_picture_as_often_as_the_processor_does() -> None:
    limit = Limit("area", most=8_000_000, least=1000, frames=2)
    assert limit.settings((4000, 3000), 1_000_000)["longest_edge"] == 2_000_000


def test_an_edge_without_tiles_is_that_of_as_many_pixels() -> None:
    assert Limit("edge", most=5000).settings((400, 100), 100)["longest_edge"] == 20


def test_a_limit_that_is_no_bound_leaves_the_processors_own_edge() -> None:
    for limit in (Limit("edge", most=1456, tile=364), Limit("edge", most=1500, tile=364)):
        assert limit.settings((400, 300), 10**7)["longest_edge"] == limit.most


def test_a_picture_that_is_not_shrunk_has_no_wanted_size() -> None:
    assert Limit("area", most=1000).wanted((20, 20), {}) is None
    assert Limit("area", most=100).wanted((20, 20), {}) == (10, 10)
    assert Limit("edge", most=10).wanted((20, 40), {}) == (5, 10)
    assert Limit("none").wanted((20000, 20), {}) is None
