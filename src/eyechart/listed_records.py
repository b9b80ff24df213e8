"""Lists of JSON records that name images: the records one by one, and the images that they name.

In: a JSON list or JSON lines; a name and the folders where it may lie. Out: where each record
stands, with its object or what is wrong with it; pictures, whose files are not opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path, PureWindowsPath
from typing import Any

from eyechart.errors import BadInput
from eyechart.records import Picture
from eyechart.rows import RowProblem

IMAGE_FOLDERS = ("images", "all_single_images", "")
BETWEEN_NAMES = "_cat_"
Record = dict[str, Any]
_SUFFIX = r"\.(?:jpe?g|png|bmp|webp|gif|tiff?)"
_BETWEEN = re.compile(f"({_SUFFIX}){BETWEEN_NAMES}", re.IGNORECASE)
_DOUBLED_SUFFIX = re.compile(rf"(.+{_SUFFIX})\.\w+", re.IGNORECASE)


class BadField(Exception):
    """A field of a record, and what was expected there."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, expected)
        self.field, self.expected = field, expected


def records_in(file: Path) -> Iterator[tuple[str, Record | RowProblem]]:
    """Where each record of a JSON list, or of JSON lines, stands, with its object or its problem.

    A byte order mark at the beginning is left out; empty lines count, and are no records. Raises
    BadInput for a file that cannot be read, is torn, or holds one value that is no list.
    """
    text = _text(file)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            raise _torn(file, error) from None
        whole = None
    if isinstance(whole, list):
        for number, record in enumerate(whole, start=1):
            yield _located(f"{file}: row {number}", record)
    elif whole is None or file.suffix == ".jsonl":
        yield from _lines(file, text)
    else:
        inner = whole.items() if isinstance(whole, dict) else ()
        lists = [
            f"; take out the list under {key!r:.60}" for key, v in inner if isinstance(v, list)
        ]
        found = type(whole).__name__ + "".join(lists[:1])
        raise BadInput(f"{file}: expected a list of records, not {found}")


def image_folders(file: Path, photos: Path | None = None) -> tuple[Path, ...]:
    """Where the images of a list may lie: in `photos` first, then beside the list."""
    return tuple(top / name for top in (photos, file.parent) if top for name in IMAGE_FOLDERS)


def pictures_named(name: Any, folders: Sequence[Path]) -> tuple[Picture, ...]:
    """The image of this name, or both of a pair where it joins two names with `_cat_`.

    Only a `_cat_` right after an image's suffix joins two names: `black_cat_1.png` is one image.

    Q-Bench2 publishes pictures that show a pair side by side under the joined names; they are not
    what is asked about, and so a file of a joined name is never taken.
    Raises BadField (`img_path`) where the name is none, or an image is not there.
    """
    return tuple(picture_named(one, folders) for one in _names_in(name))


def picture_named(name: Any, folders: Sequence[Path], *, field: str = "img_path") -> Picture:
    """The image of this name in the first folder that has it, with or without the name's folders.

    Raises BadField (`field`) where the name leads out of the folders, or no image is there.
    """
    parts = _parts_of(name, field)
    names = dict.fromkeys(("/".join(parts), parts[-1]))
    for folder, each in product(folders, names):
        if _is_file(folder / each):
            return Picture(path=folder / each, name=each)
    raise BadField(
        field,
        f"an image that is there, not {name!r:.200}; unpack the images into `images` beside the "
        "file, or give their folder with --photos",
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise _torn(file, error) from None


def _torn(file: Path, error: Exception) -> BadInput:
    return BadInput(
        f"{file}: cannot be read as JSON ({error}); is the file whole? Expected a list of records, "
        "or a record a line"
    )


def _lines(file: Path, text: str) -> Iterator[tuple[str, Record | RowProblem]]:
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{file}:{number}"
        if line.strip():
            try:
                yield _located(where, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield where, RowProblem(where, "row", f"one JSON object ({error})")


def _located(where: str, record: Any) -> tuple[str, Record | RowProblem]:
    if isinstance(record, dict):
        return where, record
    return where, RowProblem(where, "row", f"one JSON object, not {record!r:.80}")


def _names_in(img_path: Any) -> tuple[str, ...]:
    r"""The name of the image, or of both of a pair; a backslash parts folders as a slash does.

    >>> _names_in("llvisionqa_compare_dev\\00079.jpg_cat_09769.jpg.jpg")
    ('llvisionqa_compare_dev/00079.jpg', 'llvisionqa_compare_dev/09769.jpg')
    """
    *folders, last = _parts_of(img_path, "img_path")
    stem, *rest = _BETWEEN.split(last)
    if not rest:
        return ("/".join((*folders, last)),)
    if len(rest) != 2 or not stem or not rest[1]:
        raise BadField("img_path", f"two names joined by {BETWEEN_NAMES}, not {img_path!r:.200}")
    suffix, second = rest
    doubled = _DOUBLED_SUFFIX.fullmatch(second)
    both = (stem + suffix, doubled[1] if doubled else second)
    return tuple("/".join((*folders, name)) for name in both)


def _parts_of(name: Any, field: str) -> tuple[str, ...]:
    """The folders and the file that a name consists of."""
    parts = PureWindowsPath(name).parts if isinstance(name, str) else ()
    if not parts or ".." in parts or PureWindowsPath(name).anchor or not name.strip():
        expected = f"the name of an image inside the folder of images, not {name!r:.200}"
        raise BadField(field, expected)
    return parts


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
