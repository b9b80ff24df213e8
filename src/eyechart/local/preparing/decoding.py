"""From a picture's bytes to its pixels: upright, RGB, what is transparent laid over white.

In: an `Encoded`. Out: a Pillow image. Shrinks nothing, but for JPEGs that are far larger than what
is wanted of them: these are decoded at a half, a quarter or an eighth of their size.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from eyechart.errors import BadPicture, Refused
from eyechart.image_headers import guarded, read_header
from eyechart.images import Encoded
from eyechart.images import upright as upright

GAP = 2.0
"""How many times larger than wanted a JPEG still is, along each side, when decoded at reduced size.

On eight photographs the pixels then differ from those of the whole JPEG by 0.5 to 0.8 of 255 levels
on average, 1.2 for the worst; with a gap of 1 it is 1.1 to 2.0, and 3.0 for the worst.
"""
Size = tuple[float, float]


def decoded(image: Encoded, wanted: Size | None = None) -> Image.Image:
    """The picture as people see it, RGB. `wanted`: the width and height that matter, upright.

    It is never smaller than `GAP` times what is wanted, and whole where that is None. Raises
    Refused, which names the picture, for what cannot be decoded or has more pixels than is safe.
    """
    try:
        read_header(image.data)
        with guarded(f"a {image.format} that cannot be decoded"):
            picture = Image.open(BytesIO(image.data), formats=[image.format])
            if wanted is not None and picture.format == "JPEG":
                _reduce(picture, wanted)
            picture.load()
            return _rgb(upright(picture))
    except BadPicture as error:
        raise Refused(f"picture {label(image)}: {error}") from error


def label(image: Encoded) -> str:
    """What errors call a picture that has no name: the start of its digest, and its format."""
    return f"{image.sha256[:12]} ({image.format})"


def reduction(width: int, height: int, wanted: Size) -> int:
    """By how much (1, 2, 4 or 8) a JPEG may be reduced as it is decoded; the size divides by it.

    >>> reduction(4000, 3000, (1000, 750)), reduction(4000, 3000, (1155, 866))
    (2, 1)
    """
    most = min(max(width, height) / max(wanted), min(width, height) / min(wanted))
    fitting = (n for n in (8, 4, 2) if n * GAP <= most and width % n == 0 == height % n)
    return next(fitting, 1)


def _reduce(picture: Image.Image, wanted: Size) -> None:
    """Have a JPEG decoded at reduced size. Which way up it is does not matter to its long side."""
    n = reduction(*picture.size, wanted)
    if n > 1:
        picture.draft(None, (picture.width // n, picture.height // n))


def _rgb(picture: Image.Image) -> Image.Image:
    """Over white, as transformers' processors and vLLM lay what is transparent."""
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    clear = picture.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")
