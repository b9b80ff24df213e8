"""From bytes to upright RGB pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from tests.conftest import photograph

from eyechart.errors import Refused
from eyechart.images import Encoded, encode
from eyechart.local.preparing.decoding import GAP, decoded, reduction
from eyechart.records import Picture


def encoded(image: Image.Image, format: str = "PNG", orientation: int = 1) -> Encoded:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(out, format, exif=exif)
    return encode(Picture(data=out.getvalue()))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean, in levels of 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_and_as_a_served_model_gets_it_when_shrunk(orientation: int) -> None:
    """`eyechart.images` turns what it shrinks: both must turn the same way."""
    image = encoded(photograph(1, 40, 20), orientation=orientation)
    ours = decoded(image)
    served = encode(Picture(data=image.data), max_pixels=799)
    assert ours.size == ((40, 20) if orientation < 5 else (20, 40))
    theirs = Image.open(io.BytesIO(served.data)).convert("RGB")
    assert difference(ours.resize(theirs.size, Image.Resampling.LANCZOS), theirs) == 0


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = photograph(1, 24, 16).convert(mode)
    np.testing.assert_array_equal(decoded(encoded(image)), image.convert("RGB"))


def test_what_is_transparent_lies_over_white() -> None:
    image = photograph(1, 24, 16).convert("RGBA")
    image.putalpha(0)
    assert set(decoded(encoded(image)).tobytes()) == {255}
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    out = io.BytesIO()
    palette.save(out, "PNG", transparency=1)
    assert set(decoded(encode(Picture(data=out.getvalue()))).tobytes()) == {255}


def test_a_large_jpeg_is_decoded_at_reduced_size_with_little_difference() -> None:
    image = encoded(photograph(1, 640, 480), "JPEG")
    whole, reduced = decoded(image), decoded(image, (160, 120))
    assert whole.size == (640, 480) and reduced.size == (320, 240)
    small = [picture.resize((160, 120), Image.Resampling.BICUBIC) for picture in (whole, reduced)]
    assert 0 < difference(*small) < 1.5


def test_a_reduced_jpeg_is_turned_too() -> None:
    image = encoded(photograph(1, 640, 480), "JPEG", orientation=6)
    assert decoded(image, (120, 160)).size == (240, 320)


def test_only_what_is_far_larger_than_wanted_and_divides_evenly_is_reduced() -> None:
    assert reduction(640, 480, (640 / 4 / GAP, 480 / 4 / GAP)) == 4
    assert reduction(640, 480, (641 / 4 / GAP, 480 / 4 / GAP)) == 2
    assert reduction(642, 480, (10, 8)) == 2 and reduction(641, 480, (10, 8)) == 1
    assert decoded(encoded(photograph(1, 640, 480)), (16, 12)).size == (640, 480)  # a PNG is not


def test_a_damaged_picture_is_refused_by_its_digest() -> None:
    whole = encoded(photograph(1, 64, 48), "JPEG")
    cut = Encoded(whole.data[:900], "ab" * 32, "image/jpeg", "JPEG", 64, 48)
    with pytest.raises(Refused, match=r"^picture abababababab \(JPEG\): truncated JPEG: 900 bytes"):
        decoded(cut)


def test_pixels_that_cannot_be_decoded_are_refused() -> None:
    whole = encoded(photograph(1, 64, 48), "WEBP")
    broken = whole.data[:40] + b"\0" * (len(whole.data) - 40)
    bad = Encoded(broken, "ab" * 32, "image/webp", "WEBP", 64, 48)
    with pytest.raises(Refused, match=r"^picture abababababab \(WEBP\): .*get the file again"):
        decoded(bad)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    head = b"P6 20000 20000 255 "
    bomb = Encoded(head, "ab" * 32, "image/ppm", "PPM", 20000, 20000)
    with pytest.raises(Refused, match=r"too many pixels: 20000x20000 is 400,000,000"):
        decoded(bomb)
