"""What is sent of each kind of picture, and its thumbnail."""

from __future__ import annotations

import hashlib
import io
import os
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from tests.pictures import (
    flaw,
    photo,
    pixels,
    plain,
    png_of_size,
    saved,
    turned,
)

from eyechart.errors import BadPicture
from eyechart.image_headers import read_header
from eyechart.images import encode, thumbnail
from eyechart.records import Picture

LANCZOS = Image.Resampling.LANCZOS

# --- what travels untouched -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "mode", "media_type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "LA", "image/png"),
        ("PNG", "L", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "1", "image/png"),
        ("WEBP", "RGB", "image/webp"),
        ("WEBP", "RGBA", "image/webp"),
        ("GIF", "P", "image/gif"),
    ],
)
def test_what_endpoints_take_travels_byte_for_byte(
    tmp_path: Path, format: str, mode: str, media_type: str
) -> None:
    file = tmp_path / "photo"
    file.write_bytes(plain(mode, format))
    sent = encode(Picture(file))
    assert sent.data == file.read_bytes()
    assert sent.sha256 == hashlib.sha256(sent.data).hexdigest()
    assert (sent.media_type, sent.format) == (media_type, format)
    assert (sent.width, sent.height, sent.changed) == (48, 32, "")


def test_lossless_and_extended_webp_are_measured() -> None:
    for settings in ({"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}):
        out = io.BytesIO()
        photo().save(out, "WEBP", **settings)
        assert (read_header(out.getvalue()).width, read_header(out.getvalue()).height) == (48, 32)


def test_the_media_type_comes_from_the_bytes_not_from_the_name(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(plain("RGB", "PNG"))
    assert encode(Picture(file)).media_type == "image/png"


def test_a_telephones_jpeg_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    out = io.BytesIO()
    photo().save(out, "MPO", save_all=True, append_images=[photo()])
    assert encode(Picture(data=out.getvalue())).media_type == "image/jpeg"


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]))
def test_the_size_is_what_pillow_says(width: int, height: int, format: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(out, format)
    header = read_header(out.getvalue())
    assert (header.format, header.width, header.height) == (format, width, height)


# --- what is converted ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        ("TIFF", "RGB"),
        ("TIFF", "RGBA"),
        ("TIFF", "L"),
        ("TIFF", "1"),
        ("TIFF", "P"),
        ("BMP", "RGB"),
        ("BMP", "L"),
        ("PPM", "RGB"),
        ("PPM", "L"),
        ("PPM", "1"),
    ],
)
def test_what_endpoints_do_not_take_becomes_png_without_loss_and_says_so(
    format: str, mode: str
) -> None:
    data = plain(mode, format)
    sent = encode(Picture(data=data))
    assert (sent.format, sent.media_type) == ("PNG", "image/png")
    assert sent.changed == f"{format} to PNG, losslessly"
    assert sent.sha256 == hashlib.sha256(sent.data).hexdigest()
    assert np.array_equal(pixels(sent.data), pixels(data))


def test_a_turned_tiff_is_sent_upright_with_its_upright_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sent = encode(Picture(data=saved(photo(), "TIFF", exif=exif)))
    assert (sent.width, sent.height) == (32, 48)
    assert pixels(sent.data).shape[:2] == (48, 32)


# --- max_pixels -----------------------------------------------------------------------------------


def test_max_pixels_shrinks_only_what_is_larger_and_says_from_and_to() -> None:
    data = saved(photo(size=(400, 300)), "JPEG")
    assert encode(Picture(data=data), max_pixels=120_000).data == data
    sent = encode(Picture(data=data), max_pixels=30_000)
    assert (sent.width, sent.height, sent.format) == (200, 150, "PNG")
    assert sent.changed == "shrunk from 400x300 to 200x150 pixels, JPEG to PNG"


def test_max_pixels_turns_a_photograph_upright() -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: black comes on top
    sent = encode(Picture(data=saved(image, "PNG", exif=exif)), max_pixels=200)
    small = pixels(sent.data)
    assert small.shape == (20, 10, 3)
    assert small[2].max() < 20
    assert small[-3].min() > 235


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_an_odd_exif_tag_does_not_keep_a_photograph_from_being_turned(format: str) -> None:
    data = turned(photo(size=(40, 20)), format)
    sent = encode(Picture(data=data), max_pixels=200)
    assert (sent.width, sent.height) == (10, 20)
    small = thumbnail(Picture(data=data), 20)
    assert small is not None
    assert pixels(small).shape[:2] == (20, 10)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_made_upright_as_pillow_does(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(photo(size=(8, 4)), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
    small = thumbnail(Picture(data=data), 8)
    assert small is not None
    assert pixels(small).shape == np.asarray(upright).shape
    sent = encode(Picture(data=data), max_pixels=31)
    assert np.array_equal(
        pixels(sent.data), np.asarray(upright.resize((sent.width, sent.height), LANCZOS))
    )


def test_a_photograph_whose_exif_cannot_be_read_is_shown_as_it_is_stored() -> None:
    data = turned(photo(size=(40, 20)), "WEBP").replace(b"MM\0*", b"MM\0\0")
    assert encode(Picture(data=data)).data == data
    sent = encode(Picture(data=data), max_pixels=200)
    assert (sent.width, sent.height) == (20, 10)
    small = thumbnail(Picture(data=data), 20)
    assert small is not None
    assert pixels(small).shape[:2] == (10, 20)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 5000))
def test_max_pixels_is_never_exceeded(width: int, height: int, most: int) -> None:
    out = io.BytesIO()
    Image.new("P", (width, height)).save(out, "PNG")
    sent = encode(Picture(data=out.getvalue()), max_pixels=most)
    assert sent.width * sent.height <= most


def test_max_pixels_below_one_is_refused() -> None:
    assert "shrunk to 0 pixels; give at least 1" in flaw(plain("RGB", "PNG"), max_pixels=0)


# --- files that cannot be sent --------------------------------------------------------------------


def test_a_missing_file_a_folder_and_nothing_at_all_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match=r"gone\.jpg: no such file; put it back"):
        encode(Picture(tmp_path / "gone.jpg"))
    with pytest.raises(BadPicture, match=f"{tmp_path}: a folder, not an image"):
        encode(Picture(tmp_path))
    with pytest.raises(BadPicture, match=r"x: neither a path nor bytes"):
        encode(Picture(name="x"))
    with pytest.raises(BadPicture, match="cannot be read"):
        encode(Picture(Path("nul\0byte")))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(BadPicture, match=r"a\.png: a pipe, socket or device, not a file; name an"):
        encode(Picture(tmp_path / "a.png"))
    assert thumbnail(Picture(tmp_path / "a.png")) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret.png"
    file.write_bytes(plain("RGB", "PNG"))
    file.chmod(0)
    with pytest.raises(BadPicture, match=r"secret\.png: may not be read; give yourself"):
        encode(Picture(file))


def test_a_file_that_changed_since_the_items_were_written_is_refused() -> None:
    data = plain("RGB", "PNG")
    digest = hashlib.sha256(data).hexdigest()
    assert encode(Picture(data=data, sha256=digest.upper())).sha256 == digest
    with pytest.raises(BadPicture, match=r"a\.png: the file changed since the items were written"):
        encode(Picture(data=data, name="a.png", sha256="0" * 64))


# --- thumbnails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM"])
def test_a_thumbnail_fits_its_size(format: str) -> None:
    small = thumbnail(Picture(data=plain("RGB", format)), 16)
    assert small is not None
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("JPEG", (16, 11))


def test_a_thumbnail_is_upright_and_keeps_transparency() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = thumbnail(Picture(data=saved(photo(size=(640, 320)), "JPEG", exif=exif)), 64)
    assert turned is not None
    assert pixels(turned).shape[:2] == (64, 32)
    clear = thumbnail(Picture(data=plain("RGBA", "PNG")), 16)
    assert clear is not None
    assert clear.startswith(b"\x89PNG")


def test_what_cannot_be_decoded_has_no_thumbnail(tmp_path: Path) -> None:
    bad = [b"", b"<html>", plain("RGB", "JPEG")[:-30], png_of_size(10_000, 10_000)]
    assert [thumbnail(Picture(data=data)) for data in bad] == [None] * len(bad)
    assert thumbnail(Picture(tmp_path / "gone.png")) is None
    assert thumbnail(Picture(data=png_of_size(50, 50))) is None


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_no_damage_makes_a_thumbnail_or_shrinking_raise_anything_else(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0128], exif[0x010F] = 6, 2, "maker"
    whole, rng = saved(photo(), format, exif=exif), random.Random(format)
    for _ in range(300):
        harmed = bytearray(whole)
        for _ in range(3):
            near_end = rng.random() < 0.5
            at = rng.randrange(len(whole) - 200, len(whole)) if near_end else rng.randrange(200)
            harmed[at] = rng.choice([0, 1, 2, 5, 255, rng.randrange(256)])
        picture = Picture(data=bytes(harmed))
        assert isinstance(thumbnail(picture, 16), bytes | None)
        with suppress(BadPicture):
            encode(picture, max_pixels=100)
