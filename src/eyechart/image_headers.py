"""What a picture's own bytes say about it: format, size, and whether the file is whole.

Bytes go in, a `Header` comes out. Nothing is decoded: structure and checksums are read, pixels are
not, so that a 12-megapixel photograph costs microseconds (a PNG the time of its CRC).
"""

from __future__ import annotations

import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import BmpImagePlugin, PpmImagePlugin, TiffImagePlugin
from PIL.ImageFile import ImageFile

from eyechart.errors import BadPicture

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a GiB as 24-bit RGB
EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})

_FETCH = "get the file again from where it came"
_NOT_8_BIT = "endpoints take 8 bits a channel: convert it to 8-bit PNG or JPEG"
_PPM_TOP = re.compile(rb"P[2356](?:\s+(?:#[^\n]*\n\s*)*(\d+)){3}")
_ONE_FRAME = "save the frame that is meant as a picture of its own"
_NO_HEADER = "its header cannot be read"


@dataclass(frozen=True, slots=True)
class Header:
    """A picture's format (`JPEG`, `PNG`, ...) and its stored width and height in pixels."""

    format: str
    width: int
    height: int


def read_header(data: bytes) -> Header:
    """The header of a whole, single-frame picture with 8 bits a channel or fewer.

    Raises BadPicture, without the file's name, for anything else: no known image, truncated,
    more than `MAX_PIXELS` pixels, CMYK, 16-bit, or several frames.

    >>> read_header(b"P6 2 1 255 abcdef")
    Header(format='PPM', width=2, height=1)
    """
    reader = next((read for magic, read in _READERS.items() if data.startswith(magic)), None)
    if reader is None:
        raise BadPicture(f"not an image that can be sent: {_guess(data)}")
    try:
        header = reader(data)
    except (struct.error, IndexError) as error:
        raise BadPicture(f"truncated: the file ends inside its header; {_FETCH}") from error
    if not header.width or not header.height:
        raise BadPicture(f"the header gives {header.width}x{header.height} pixels; {_FETCH}")
    _check_pixels(header)
    return header


@contextmanager
def guarded(trouble: str) -> Iterator[None]:
    """Around Pillow at work on a file's bytes: it warns of nothing and raises only BadPicture.

    `trouble`: how that error begins.
    """
    try:
        with _SILENCE:
            yield
    except BadPicture:
        raise
    except Exception as error:  # damaged bytes make Pillow raise anything: no list is complete
        told = f"{type(error).__name__}: {error}"
        raise BadPicture(f"{trouble} ({told}); {_FETCH}") from error


class _Silence:
    """No UserWarning while any thread is inside.

    What is silenced belongs to the whole process: the first one in sets it, the last one out puts
    it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore", UserWarning)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._before.__exit__(None, None, None)


_SILENCE = _Silence()


def _check_pixels(header: Header) -> None:
    n_pixels = header.width * header.height
    if n_pixels > MAX_PIXELS:
        raise BadPicture(
            f"too many pixels: {header.width}x{header.height} is {n_pixels:,}, over the limit of "
            f"{MAX_PIXELS:,} (it may be a decompression bomb); make a smaller copy"
        )


def _guess(data: bytes) -> str:
    if not data:
        return f"the file is empty (zero bytes); {_FETCH}"
    if data.lstrip()[:1] == b"<":
        return f"its bytes begin like a web page or XML; {_FETCH}"
    kind = f"its bytes begin with {data[:8]!r}"
    if data[4:8] == b"ftyp":
        kind = f"it is {data[8:12].decode('latin-1').upper()} (AVIF, HEIC or video)"
    return f"{kind}; JPEG, PNG, WebP, GIF, TIFF, BMP and PPM can be: convert it to PNG"


def _jpeg(data: bytes) -> Header:
    """Walk the segments up to the first scan; the end marker must follow (ITU T.81, annex B)."""
    frame, at = None, 2
    while True:
        if data[at] != 0xFF:
            raise BadPicture(f"damaged JPEG: no marker at byte {at}; {_FETCH}")
        marker = data[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:  # fill, or without length
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xD9, 0xDA):
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = _jpeg_frame(data, at, marker)
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    if frame is None or marker == 0xD9:
        raise BadPicture(f"damaged JPEG: it holds no image; {_FETCH}")
    # An EXIF thumbnail has an end marker of its own, but before the scan.
    if data.rfind(b"\xff\xd9", at) < 0:
        raise BadPicture(f"truncated JPEG: {len(data):,} bytes and no end marker; {_FETCH}")
    return frame


def _jpeg_frame(data: bytes, at: int, marker: int) -> Header:
    bits, height, width, n_components = struct.unpack_from(">BHHB", data, at + 4)
    if bits != 8:
        raise BadPicture(f"a {bits}-bit JPEG; {_NOT_8_BIT}")
    if n_components == 4:
        raise BadPicture("a CMYK JPEG, which endpoints read differently; convert it to sRGB")
    if marker > 0xC2:
        raise BadPicture(f"a JPEG of a rare kind (SOF{marker - 0xC0}); save it as baseline JPEG")
    return Header("JPEG", width, height)


def _png(data: bytes) -> Header:
    """Walk every chunk and check its CRC (W3C PNG, section 5)."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    view, at, kind = memoryview(data), 8, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise BadPicture(f"truncated PNG: {len(data):,} bytes and no IEND chunk; {_FETCH}")
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            raise BadPicture(f"truncated PNG: it ends inside a {kind!r} chunk; {_FETCH}")
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise BadPicture(f"damaged PNG: wrong checksum of the {kind!r} chunk at {at}; {_FETCH}")
        if kind == b"acTL" and struct.unpack_from(">I", data, at + 8)[0] > 1:
            raise BadPicture(f"an animated PNG; {_ONE_FRAME}")
        at = end + 4
    if bits > 8:
        raise BadPicture(f"a {bits}-bit PNG; {_NOT_8_BIT}")
    return Header("PNG", width, height)


def _gif(data: bytes) -> Header:
    """Walk the blocks up to the trailer, counting images (GIF89a, appendix A)."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, n_images = 13 + _gif_table(flags), 0
    try:
        while data[at] != 0x3B:
            if data[at] == 0x2C:
                n_images += 1
                at += 11 + _gif_table(data[at + 9])
            elif data[at] == 0x21:
                at += 2
            else:
                raise BadPicture(f"damaged GIF: no block at byte {at}; {_FETCH}")
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError as error:
        raise BadPicture(f"truncated GIF: {len(data):,} bytes and no trailer; {_FETCH}") from error
    if not n_images:
        raise BadPicture(f"damaged GIF: it holds no image; {_FETCH}")
    if n_images > 1:
        raise BadPicture(f"a GIF of {n_images} frames (animated); {_ONE_FRAME}")
    return Header("GIF", width, height)


def _gif_table(flags: int) -> int:
    return int(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else 0


def _webp(data: bytes) -> Header:
    """The RIFF container must be as long as it says (RFC 9649, section 2)."""
    if data[8:12] != b"WEBP":
        raise BadPicture(f"a RIFF file that is not WebP ({data[8:12]!r}); convert it to PNG")
    n_bytes = 8 + struct.unpack_from("<I", data, 4)[0]
    if len(data) < n_bytes:
        raise BadPicture(f"truncated WebP: {len(data):,} of {n_bytes:,} bytes; {_FETCH}")
    chunk = data[12:16]
    if chunk == b"VP8X":
        if data[20] & 0x02:
            raise BadPicture(f"an animated WebP; {_ONE_FRAME}")
        size = [int.from_bytes(data[i : i + 3], "little") + 1 for i in (24, 27)]
    elif chunk == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        size = [(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1]
    elif chunk == b"VP8 ":
        size = [side & 0x3FFF for side in struct.unpack_from("<HH", data, 26)]
    else:
        raise BadPicture(f"damaged WebP: it begins with a {chunk!r} chunk; {_FETCH}")
    return Header("WEBP", *size)


def _tiff(data: bytes) -> Header:
    # The classes are called rather than Image.open, which warns of bombs before we can refuse them.
    with guarded(_NO_HEADER), TiffImagePlugin.TiffImageFile(BytesIO(data)) as image:
        bits = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
        if image.n_frames > 1:
            raise BadPicture(f"a TIFF of {image.n_frames} pages; {_ONE_FRAME}")
        return _checked(image, "TIFF", bits)


def _bmp(data: bytes) -> Header:
    with guarded(_NO_HEADER), BmpImagePlugin.BmpImageFile(BytesIO(data)) as image:
        return _checked(image, "BMP", 8)


def _ppm(data: bytes) -> Header:
    with guarded(_NO_HEADER), PpmImagePlugin.PpmImageFile(BytesIO(data)) as image:
        top = _PPM_TOP.match(data)
        if top and int(top[1]) != 255:
            raise BadPicture(f"a PPM whose largest value is {int(top[1])}, not 255; {_NOT_8_BIT}")
        return _checked(image, "PPM", 8)


def _checked(image: ImageFile, format: str, bits: int) -> Header:
    if image.mode == "CMYK":
        raise BadPicture(f"a CMYK {format}, which has no lossless RGB form; convert it to sRGB")
    if bits > 8 or image.mode not in EIGHT_BIT_MODES:
        raise BadPicture(f"a {bits}-bit {format} of mode {image.mode}; {_NOT_8_BIT}")
    return Header(format, *image.size)


_READERS: dict[bytes, Callable[[bytes], Header]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF87a": _gif,
    b"GIF89a": _gif,
    b"RIFF": _webp,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
    b"BM": _bmp,
    **{b"P" + digit: _ppm for digit in (b"1", b"2", b"3", b"4", b"5", b"6")},
}
