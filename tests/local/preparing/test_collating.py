"""Calls' arrays end to end, and bytes that become a model's values."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.local.preparing.collating import Scale, joined

HALF = Scale(
    "pixel_values",
    np.full((3, 1, 1), 2 / 255, np.float32),
    np.full((3, 1, 1), -1, np.float32),
)


def test_arrays_of_one_shape_are_laid_end_to_end_as_they_are() -> None:
    one = {"pixel_values": np.full((4, 6), 7, np.uint8), "grid": np.array([[1, 2, 2]])}
    two = {"pixel_values": np.full((2, 6), 9, np.uint8), "grid": np.array([[1, 2, 1]])}
    both = joined([one, two], HALF)
    assert both["pixel_values"].dtype == np.uint8
    assert both["pixel_values"][:, 0].tolist() == [7] * 4 + [9] * 2
    assert both["grid"].tolist() == [[1, 2, 2], [1, 2, 1]]


def test_shorter_axes_are_filled_with_zeros_at_their_end() -> None:
    tiles = [{"mask": np.ones((1, n, 2, n), bool)} for n in (1, 3)]
    mask = joined(tiles)["mask"]
    assert mask.shape == (2, 3, 2, 3) and mask.dtype == np.bool_
    assert mask[0].sum() == 2 and mask[0, 0, :, 0].all() and mask[1].all()


def test_what_fills_up_is_zero_among_the_models_values_not_black() -> None:
    short, long = ({"pixel_values": np.zeros((1, n, 3, 2, 2), np.uint8)} for n in (1, 2))
    pixels = joined([short, long], HALF)["pixel_values"]
    assert pixels.dtype == np.float32
    assert (pixels[0, 0] == -1).all() and (pixels[0, 1] == 0).all() and (pixels[1] == -1).all()
    again = joined([{"pixel_values": pixels}], HALF)["pixel_values"]
    np.testing.assert_array_equal(HALF.applied(again), pixels)


def test_a_call_without_pictures_adds_nothing_and_no_calls_make_no_arrays() -> None:
    assert joined([]) == {}
    alone = {"pixel_values": np.ones((1, 3, 2, 2), np.uint8)}
    assert joined([{}, alone, {}])["pixel_values"].shape == (1, 3, 2, 2)


def test_arrays_are_written_straight_into_the_memory_that_is_given() -> None:
    given: list[np.ndarray] = []

    def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        given.append(np.full(shape, 99, dtype))
        return given[-1]

    short, long = ({"mask": np.ones((1, n), np.int64)} for n in (1, 2))
    for arrays, expected in (([long], [[1, 1]]), ([short, long], [[1, 0], [1, 1]])):
        mask = joined(arrays, empty=empty)["mask"]
        assert mask is given[-1]
        assert mask.tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_device_scales_pixels_as_numpy_does(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    from eyechart.local.computing.scaling import scaled

    pixels = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    values = scaled(torch.from_numpy(pixels), HALF, getattr(torch, dtype))
    expected = torch.from_numpy(HALF.applied(pixels)).to(values.dtype)
    assert values.dtype == getattr(torch, dtype)
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-6)
    again = scaled(values, HALF, values.dtype)
    torch.testing.assert_close(again, values, rtol=0, atol=0)
