"""What each bad picture is told, from its bytes alone."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.pictures import (
    RNG,
    colour_tiff,
    flaw,
    photo,
    plain,
    png_chunk,
    png_of_size,
    saved,
    tiff_of,
)

from eyechart.errors import BadInput, BadPicture
from eyechart.image_headers import MAX_PIXELS, Header, read_header
from eyechart.images import encode
from eyechart.records import Picture


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty (zero bytes)"),
        (b"<!DOCTYPE html><html>", "begin like a web page"),
        (b"  <svg/>", "begin like a web page or XML"),
        (b"hello world", "not an image that can be sent: its bytes begin with b'hello wo'"),
        (b"\0\0\0\x20ftypheic" + b"\0" * 9, "it is HEIC (AVIF, HEIC or video)"),
        (b"RIFF\x04\0\0\0WAVE", "a RIFF file that is not WebP"),
    ],
)
def test_what_is_no_image_is_refused(data: bytes, said: str) -> None:
    assert said in flaw(data)


TRUNCATED: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("JPEG", lambda data: data[: len(data) // 2], "truncated JPEG"),
    ("JPEG", lambda data: data[:-2], "no end marker"),
    ("JPEG", lambda data: data[: len(data) // 2] + b"\0" * 999, "truncated JPEG"),
    ("JPEG", lambda data: data[:30], "the file ends inside its header"),
    ("JPEG", lambda data: data[:20] + b"\0\0\0\0" + data[24:], "damaged JPEG: no marker"),
    ("JPEG", lambda data: b"\xff\xd8\xff\xd9", "damaged JPEG: it holds no image"),
    ("PNG", lambda data: data[: len(data) // 2], "truncated PNG: it ends inside a b'IDAT' chunk"),
    ("PNG", lambda data: data[:-12], "no IEND chunk"),
    ("PNG", lambda data: data[:20], "the file ends inside its header"),
    ("PNG", lambda data: data[:99] + b"oops" + data[103:], "damaged PNG: wrong checksum"),
    ("WEBP", lambda data: data[:-9], "truncated WebP"),
    ("WEBP", lambda data: data[:12] + b"OOPS" + data[16:], "damaged WebP"),
    ("GIF", lambda data: data[: len(data) // 2], "truncated GIF"),
    ("GIF", lambda data: data[:-1], "no trailer"),
    ("GIF", lambda data: data[:-1] + b"\x99\x99", "damaged GIF: no block"),
    ("GIF", lambda data: data[:10] + b"\0\0\0;", "damaged GIF: it holds no image; get"),
    ("TIFF", lambda data: data[: len(data) // 2], "cannot be"),
    ("TIFF", lambda data: data[:6], "its header cannot be read"),
    ("BMP", lambda data: data[: len(data) // 2], "a BMP that cannot be decoded"),
    ("PPM", lambda data: data[: len(data) // 2], "a PPM that cannot be decoded"),
    ("PPM", lambda data: data[:4], "its header cannot be read"),
]


@pytest.mark.parametrize(("format", "harm", "said"), TRUNCATED)
def test_a_truncated_or_damaged_file_is_refused(
    format: str, harm: Callable[[bytes], bytes], said: str
) -> None:
    assert said in flaw(harm(plain("RGB", format)))


def test_a_tiff_without_a_size_is_refused_and_named() -> None:
    depth = (258, 3, 1, 8)
    assert "its header cannot be read (" in flaw(tiff_of(depth, (256, 4, 1, 3)))
    assert "its header cannot be read (" in flaw(tiff_of(depth, (257, 4, 1, 3)))
    pages = saved(photo(), "TIFF", frames=2)
    width_of_the_second = pages.rindex(struct.pack("<HHI", 256, 4, 1))
    harmed = bytearray(pages)
    harmed[width_of_the_second : width_of_the_second + 2] = struct.pack("<H", 255)
    assert "its header cannot be read (TypeError: Missing dimensions); get" in flaw(bytes(harmed))


@pytest.mark.parametrize("format", ["TIFF", "BMP", "PPM"])
def test_whatever_pillow_raises_over_a_header_names_the_file(format: str) -> None:
    whole = plain("RGB", format)
    rng = random.Random(format)
    for _ in range(400):
        harmed = bytearray(whole)
        for _ in range(3):
            tail = format == "TIFF" and rng.random() < 0.5  # Pillow puts its tags at the end
            at = rng.randrange(len(whole) - 200, len(whole)) if tail else rng.randrange(60)
            harmed[at] = rng.choice([0, 1, 2, 5, 255, rng.randrange(256)])
        try:
            encode(Picture(data=bytes(harmed), name="cat.tif"))
        except BadPicture as error:
            assert str(error).startswith("cat.tif: ")


def test_an_odd_tag_is_read_over_without_a_warning_even_where_threads_overlap() -> None:
    size = (256, 4, 1, 3), (257, 4, 1, 3)
    odd = tiff_of(*size, (262, 3, 1, 1), (270, 2, 9999, 9999), (273, 4, 1, 8), (278, 4, 1, 3))
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:  # warnings are errors in tests: one would refuse it
        assert set(pool.map(read_header, [odd] * 200)) == {Header("TIFF", 3, 3)}
    assert warnings.filters == before
    with pytest.raises(UserWarning, match="still heard"):
        warnings.warn("still heard", stacklevel=1)


def test_the_end_marker_of_a_thumbnail_does_not_make_a_truncated_jpeg_whole() -> None:
    inner = saved(photo(), "JPEG")
    app = b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner
    whole = saved(photo(), "JPEG")
    whole = whole[:2] + app + whole[2:]
    assert encode(Picture(data=whole)).data == whole
    assert "truncated JPEG" in flaw(whole[:-40])


def test_what_follows_the_end_of_a_jpeg_does_no_harm() -> None:
    data = saved(photo(), "JPEG") + b"a short film"
    assert encode(Picture(data=data)).data == data


def test_a_bomb_is_refused_from_its_header_alone() -> None:
    side = 10_000
    assert "too many pixels: 10000x10000 is 100,000,000, over the limit" in flaw(
        png_of_size(side, side)
    )
    assert "too many pixels" in flaw(colour_tiff(side=10_000, bits=8))
    assert "too many pixels" in flaw(b"P6 10000 10000 255 ")
    assert "too many pixels" in flaw(b"P6 100000 100000 255 ", max_pixels=100)
    assert read_header(png_of_size(MAX_PIXELS, 1)).width == MAX_PIXELS
    assert "too many pixels" in flaw(png_of_size(MAX_PIXELS + 1, 1))


def test_a_picture_without_pixels_is_refused() -> None:
    assert "the header gives 0x5 pixels" in flaw(png_of_size(0, 5))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_refused_with_what_to_do(format: str) -> None:
    said = flaw(plain("CMYK", format))
    assert f"a CMYK {format}" in said
    assert "convert it to sRGB" in said


def sixteen_bit() -> list[tuple[str, bytes]]:
    grey = Image.fromarray(RNG.integers(0, 65536, (8, 8), dtype=np.uint16))
    files = [(format, io.BytesIO()) for format in ("PNG", "TIFF", "PPM")]
    for format, out in files:
        grey.save(out, format)
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0" * 7)) + png_chunk(b"IEND", b"")
    colour_png = b"\x89PNG\r\n\x1a\n" + head + body
    colour_ppm = b"P6\n# depth\n2 1\n65535\n" + b"\1\2" * 6
    return [*[(f, out.getvalue()) for f, out in files], ("PNG", colour_png), ("PPM", colour_ppm)]


@pytest.mark.parametrize(("format", "data"), sixteen_bit())
def test_more_than_eight_bits_are_refused_with_what_to_do(format: str, data: bytes) -> None:
    said = flaw(data)
    assert format in said
    assert "endpoints take 8 bits a channel: convert it" in said


def test_a_16_bit_colour_tiff_is_refused_where_pillow_would_cut_it_to_8() -> None:
    assert "a 16-bit TIFF" in flaw(colour_tiff())


def test_a_12_bit_and_a_lossless_jpeg_are_refused() -> None:
    data = bytearray(saved(photo(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 4] = 12
    assert "a 12-bit JPEG" in flaw(bytes(data))
    data[at + 1], data[at + 4] = 0xC3, 8
    assert "a JPEG of a rare kind (SOF3); save it as baseline JPEG" in flaw(bytes(data))


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("GIF", "a GIF of 3 frames (animated)"),
        ("WEBP", "an animated WebP"),
        ("PNG", "an animated PNG"),
        ("TIFF", "a TIFF of 3 pages"),
    ],
)
def test_several_frames_are_refused_with_what_to_do(format: str, said: str) -> None:
    message = flaw(saved(photo(), format, frames=3))
    assert said in message
    assert "save the frame that is meant" in message


def test_a_bad_picture_is_bad_input() -> None:
    assert issubclass(BadPicture, BadInput)


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "PPM", "BMP"]))
def test_no_bytes_make_it_raise_anything_else(noise: bytes, format: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (3, 3)).save(out, format)
    for data in (noise, out.getvalue()[:12] + noise, out.getvalue()[: len(noise)] + noise):
        try:
            encode(Picture(data=data))
        except BadPicture:
            continue
