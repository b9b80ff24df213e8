"""Pictures of every kind, made up for tests."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from eyechart.errors import BadPicture
from eyechart.images import encode
from eyechart.records import Picture

RNG = np.random.default_rng(7)


def photo(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Noise, so that nothing compresses to a trivial file."""
    pixels = RNG.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(pixels, "RGBA" if mode == "RGBA" else None).convert(mode)


def saved(
    image: Image.Image, format: str, *, frames: int = 1, exif: Image.Exif | None = None
) -> bytes:
    out = io.BytesIO()
    more = {"append_images": [photo() for _ in range(frames - 1)]} if frames > 1 else {}
    image.save(out, format, save_all=frames > 1, exif=exif or Image.Exif(), **more)
    return out.getvalue()


def plain(mode: str, format: str) -> bytes:
    out = io.BytesIO()
    photo(mode).save(out, format)
    return out.getvalue()


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def flaw(data: bytes, **settings: int) -> str:
    """What is said of a picture with these bytes."""
    with pytest.raises(BadPicture) as caught:
        encode(Picture(data=data, name="cat.jpg"), **settings)
    assert str(caught.value).startswith("cat.jpg: ")
    return str(caught.value)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def colour_tiff(*, side: int = 1, bits: int = 16) -> bytes:
    """The header of a colour TIFF; 16 bits a channel Pillow would quietly read as 8."""
    tags = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 140), (277, 3, 1, 3), (278, 4, 1, side), (279, 4, 1, 6), (284, 3, 1, 1),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    return head + struct.pack("<HHH", bits, bits, bits) + b"\1\2\3\4\5\6"


def tiff_of(*tags: tuple[int, int, int, int]) -> bytes:
    """The header of a little-endian TIFF of these tags: number, type, count, value."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)


def turned(image: Image.Image, format: str = "JPEG", orientation: int = 6) -> bytes:
    """Saved with this EXIF orientation, and a unit of resolution that is a text, as no unit is."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x0128] = 2
    whole = saved(image, format, exif=exif)
    number, text = (
        struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0),
        struct.pack(">HHI4s", 0x0128, 2, 2, b"2"),
    )
    if whole.count(number) != 1:
        raise ValueError("Pillow writes EXIF in another way than this function expects")
    return whole.replace(number, text)


def png_of_size(width: int, height: int) -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + head + data + png_chunk(b"IEND", b"")
