"""Photographs to begin with: the bundled ones, or all in a folder, ready to be distorted.

A folder comes in, a list of `PhotoFile` leaves; a `PhotoFile` comes in, pixels leave, or
`Unusable` says why not. Nothing is written, and nothing is made larger.
"""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from eyechart.colour import Pixels
from eyechart.errors import BadInput
from eyechart.image_headers import MAX_PIXELS
from eyechart.items import sha256_of

MAX_SIDE_PX = 512
MIN_SIDE_PX = 100
SHRINK = 0.8
"""Even small photographs shrink by this, which weakens the noise and blur that they came with and
moves them off the grid of their own JPEG blocks: on that grid, compressing again changes little."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photograph on disk. `name`: unique within its set, a relative path for a user's folder."""

    name: str
    path: Path
    source: str = ""
    licence: str = ""

    def sha256(self) -> str:
        """Hex digest of the file's bytes. Raises BadInput if it cannot be read."""
        try:
            return sha256_of(self.path)
        except OSError as error:
            raise BadInput(f"{self.path}: cannot be read ({error.strerror})") from None


class Unusable(Exception):
    """Why a photograph cannot be used, in words that fit after its name."""


_NASA = "https://flic.kr/p/r9qvLn"
_SPACEX = "https://www.flickr.com/photos/spacexphotos/16511594820"
_BUNDLED = (
    ("astronaut", "skimage", "data/astronaut.png", f"NASA, {_NASA}", "public domain"),
    ("coffee", "skimage", "data/coffee.png", "Rachel Michetti, scikit-image", "CC0-1.0"),
    ("chelsea", "skimage", "data/chelsea.png", "Stefan van der Walt, scikit-image", "CC0-1.0"),
    ("rocket", "skimage", "data/rocket.jpg", f"SpaceX, {_SPACEX}", "public domain"),
    (
        "grace_hopper",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "James S. Davis, US Navy, matplotlib",
        "public domain",
    ),
)


def bundled_photographs() -> list[PhotoFile]:
    """The five photographs that come with scikit-image and matplotlib, which are not imported.

    Raises BadInput where the packages lack them.

    >>> [photo.name for photo in bundled_photographs()]
    ['astronaut', 'coffee', 'chelsea', 'rocket', 'grace_hopper']
    """
    found = []
    for name, package, inside, source, licence in _BUNDLED:
        spec = importlib.util.find_spec(package)
        folders = (spec.submodule_search_locations if spec else None) or []
        path = next((Path(f) / inside for f in folders if (Path(f) / inside).is_file()), None)
        if path is None:
            raise BadInput(
                f"bundled photograph {name}: expected {inside} in the package {package}; reinstall "
                f"it (pip install --force-reinstall {package.replace('skimage', 'scikit-image')}), "
                "or give a folder of photographs"
            )
        found.append(PhotoFile(name, path, source, licence))
    return found


def folder_photographs(folder: Path) -> list[PhotoFile]:
    """All image files under a folder, by suffix and sorted by relative path; hidden ones are not.

    Raises BadInput where there is no such folder or no image in it.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; expected a folder of photographs")
    inside = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    found = [
        PhotoFile(_printable(path), folder / path)
        for path in inside
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.parts)
        and (folder / path).is_file()
    ]
    if not found:
        wanted = ", ".join(suffix.removeprefix(".") for suffix in SUFFIXES)
        raise BadInput(f"{folder}: no photographs here. Looked for {wanted}, in folders below too.")
    return found


def read_pixels(photo: PhotoFile) -> Pixels:
    """The photograph upright, as 8-bit RGB, shrunk to 512 px on the long side and by at least 0.8.

    Transparent parts become white, 16-bit greys become 8-bit, of several frames the first is taken.
    Raises Unusable where the file cannot be decoded whole or is too small.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _decoded(photo.path)
    except Unusable:
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise Unusable(f"cannot be decoded: {error}") from None
    scale = min(SHRINK, MAX_SIDE_PX / max(image.size))
    size = (round(image.width * scale), round(image.height * scale))
    if min(size) < MIN_SIDE_PX:
        raise Unusable(
            f"{image.width}x{image.height} pixels become {size[0]}x{size[1]}, expected a short "
            f"side of at least {MIN_SIDE_PX}"
        )
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def _decoded(path: Path) -> Image.Image:
    with Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        image.draft("RGB", (2 * MAX_SIDE_PX, 2 * MAX_SIDE_PX))
        image.load()
        return _as_rgb(ImageOps.exif_transpose(image))


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise Unusable(f"has pixels of mode {image.mode}, expected 8 or 16 bits a channel")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _too_large() -> Unusable:
    return Unusable(f"more than {MAX_PIXELS / 1e6:.0f} megapixels; shrink it first")


def _printable(path: Path) -> str:
    return path.as_posix().encode("utf-8", "replace").decode()
