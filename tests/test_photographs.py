from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import photograph

from eyechart.errors import BadInput
from eyechart.photographs import (
    PhotoFile,
    Unusable,
    bundled_photographs,
    folder_photographs,
    read_pixels,
)


def read(path: Path) -> np.ndarray:
    return read_pixels(PhotoFile(path.name, path))


def test_the_bundled_photographs_have_a_source_and_a_free_licence() -> None:
    photos = bundled_photographs()
    assert len(photos) == 5
    assert {photo.licence for photo in photos} == {"public domain", "CC0-1.0"}
    assert all(photo.source and min(read_pixels(photo).shape[:2]) >= 200 for photo in photos)


def test_a_folder_is_read_by_suffix_in_any_case_and_depth_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.PNG", "a.jpeg", "sub/c.TiF", ".hidden.png", "notes.txt"):
        photograph().save(tmp_path / name, "PNG")
    assert [photo.name for photo in folder_photographs(tmp_path)] == [
        "a.jpeg",
        "b.PNG",
        "sub/c.TiF",
    ]


def test_a_folder_without_photographs_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no photographs here\. Looked for jpg, jpeg, png, webp"):
        folder_photographs(tmp_path)
    with pytest.raises(BadInput, match="no such folder; expected a folder of photographs"):
        folder_photographs(tmp_path / "none")


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1024, 512), (256, 512)), ((600, 500), (400, 480)), ((200, 160), (128, 160))],
)
def test_photographs_shrink_to_512_pixels_and_by_a_fifth_at_least(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    Image.new("RGB", size, "teal").save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").shape == (*expected, 3)


def test_an_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 200), "teal").save(tmp_path / "a.jpg", exif=exif)
    assert read(tmp_path / "a.jpg").shape == (320, 160, 3)


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    photograph().convert(mode).save(tmp_path / "a.tif")
    pixels = read(tmp_path / "a.tif")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (112, 128, 3)


def test_16_bit_greys_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((200, 200), 0x8000, dtype=np.uint16)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 0x80).all()


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    photograph().save(tmp_path / "whole.png")
    cases = {
        "cut.png": (tmp_path / "whole.png").read_bytes()[:2000],
        "empty.png": b"",
        "page.jpg": b"<html>not found</html>",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Unusable, match="cannot be decoded"):
            read(tmp_path / name)
    photograph(width=300, height=110).save(tmp_path / "flat.png")
    with pytest.raises(Unusable, match="300x110 pixels become 240x88, expected a short side of at"):
        read(tmp_path / "flat.png")
    Image.new("1", (10000, 9000)).save(tmp_path / "bomb.png")
    with pytest.raises(Unusable, match="more than 89 megapixels; shrink it first"):
        read(tmp_path / "bomb.png")
    Image.new("1", (20000, 10000)).save(tmp_path / "bomb.png")
    with pytest.raises(Unusable, match="more than 89 megapixels; shrink it first"):
        read(tmp_path / "bomb.png")
    Image.new("F", (200, 200)).save(tmp_path / "float.tif")
    with pytest.raises(Unusable, match="pixels of mode F, expected 8 or 16 bits"):
        read(tmp_path / "float.tif")


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.png: cannot be read"):
        PhotoFile("gone", tmp_path / "gone.png").sha256()
