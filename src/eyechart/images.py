"""From a picture to the bytes that are sent, and to the small pictures in reports.

In: a `Picture` (a path, or bytes). Out: an `Encoded`, the file's own bytes wherever an endpoint
takes them, or a thumbnail. Nothing is decoded, shrunk or re-encoded without a word in `changed`.
"""

from __future__ import annotations

import hashlib
import math
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from eyechart.errors import BadPicture
from eyechart.image_headers import Header, guarded, read_header
from eyechart.records import Picture

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation (CIPA DC-008, 4.6.5)."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is sent: its bytes, their hex sha256, media type, format and size in pixels.

    `changed`: what was done to the file's own bytes, "" when they travel untouched. Width and
    height are the stored ones: an EXIF orientation is left to the endpoint.
    """

    data: bytes
    sha256: str
    media_type: str
    format: str
    width: int
    height: int
    changed: str = ""


def encode(picture: Picture, *, max_pixels: int | None = None) -> Encoded:
    """A picture as an endpoint takes it: the original bytes of a JPEG, PNG, WebP or still GIF.

    TIFF, BMP and PPM become PNG without loss. `max_pixels`: a picture of more pixels (width times
    height) is shrunk to at most as many, upright, and becomes PNG. `changed` tells of both.

    Raises BadPicture, which names the file, where it cannot be read, is damaged, is not what its
    `sha256` says, or has no lossless form that endpoints take (CMYK, 16-bit, several frames).
    """
    try:
        data = bytes_of(picture)
        digest = hashlib.sha256(data).hexdigest()
        _check_digest(picture, digest)
        header = read_header(data)
        if max_pixels is not None and header.width * header.height > max_pixels:
            return _shrunk(data, header, max_pixels)
        if header.format not in MEDIA_TYPES:
            return _converted(data, header)
    except BadPicture as error:
        raise BadPicture(f"{picture.label}: {error}") from error.__cause__
    media_type = MEDIA_TYPES[header.format]
    return Encoded(data, digest, media_type, header.format, header.width, header.height)


def thumbnail(picture: Picture, size: int = 256) -> bytes | None:
    """A small upright copy for a report, at most `size` pixels a side; None where there is none.

    JPEG bytes, or PNG bytes where the picture has transparency. A JPEG is decoded at reduced size.
    """
    try:
        data = bytes_of(picture)
        header = read_header(data)
        with _decoding(header):
            return _small(_opened(data, header), size)
    except BadPicture:
        return None


def _small(image: Image.Image, size: int) -> bytes:
    image = _continuous(image)
    image.thumbnail((size, size))
    turned = upright(image)
    clear = turned.has_transparency_data
    out = BytesIO()
    small = turned.convert("RGBA" if clear else "RGB")
    small.save(out, "PNG" if clear else "JPEG", icc_profile=turned.info.get("icc_profile"))
    return out.getvalue()


def bytes_of(picture: Picture) -> bytes:
    """The file's own bytes. Raises BadPicture, which does not name it, where it cannot be read."""
    if picture.data is not None:
        return picture.data
    if picture.path is None:
        raise BadPicture("neither a path nor bytes were given; set one of them")
    try:
        mode = picture.path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # reading a pipe could wait for ever
            raise BadPicture("a pipe, socket or device, not a file; name an image in the items")
        return picture.path.read_bytes()
    except FileNotFoundError as error:
        raise BadPicture("no such file; put it back or mend its name in the items") from error
    except IsADirectoryError as error:
        raise BadPicture("a folder, not an image; name the file itself in the items") from error
    except PermissionError as error:
        raise BadPicture("may not be read; give yourself permission to read it") from error
    except (OSError, ValueError) as error:
        raise BadPicture(f"cannot be read ({error}); check the disk and the name") from error


def _check_digest(picture: Picture, digest: str) -> None:
    if picture.sha256 is not None and picture.sha256.lower() != digest:
        raise BadPicture(
            f"the file changed since the items were written (sha256 {digest[:12]}…, expected "
            f"{picture.sha256[:12]}…); put the old file back or write the items again"
        )


def _opened(data: bytes, header: Header) -> Image.Image:
    return Image.open(BytesIO(data), formats=[header.format])


def _decoding(header: Header) -> AbstractContextManager[None]:
    return guarded(f"a {header.format} that cannot be decoded")


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says. ImageOps.exif_transpose writes all of the EXIF again, and fails."""
    try:
        with guarded("EXIF that cannot be read"):
            turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except BadPicture:  # a picture whose EXIF nobody can read is shown as it is stored
        return image
    return image if turn is None else image.transpose(turn)


def _continuous(image: Image.Image) -> Image.Image:
    """In a mode whose neighbouring pixels can be averaged: no palette, no single bits."""
    if image.mode not in ("1", "P"):
        return image
    plain = "L" if image.mode == "1" else "RGB"
    return image.convert("RGBA" if image.has_transparency_data else plain)


def _shrunk(data: bytes, header: Header, max_pixels: int) -> Encoded:
    if max_pixels < 1:
        raise BadPicture(f"cannot be shrunk to {max_pixels} pixels; give at least 1")
    with _decoding(header):
        image = _continuous(upright(_opened(data, header)))
        scale = math.sqrt(max_pixels / (image.width * image.height))
        height = min(max(1, math.floor(image.height * scale)), max_pixels)
        width = max(1, min(math.floor(image.width * scale), max_pixels // height))
        small = image.resize((width, height), Image.Resampling.LANCZOS)
        sizes = f"{image.width}x{image.height} to {width}x{height}"
        return _as_png(small, f"shrunk from {sizes} pixels, {header.format} to PNG")


def _converted(data: bytes, header: Header) -> Encoded:
    with _decoding(header):
        return _as_png(_opened(data, header), f"{header.format} to PNG, losslessly")


def _as_png(image: Image.Image, changed: str) -> Encoded:
    out = BytesIO()
    icc_profile = image.info.get("icc_profile")
    image.save(out, "PNG", compress_level=1, icc_profile=icc_profile)
    data = out.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    return Encoded(data, digest, MEDIA_TYPES["PNG"], "PNG", *image.size, changed=changed)
