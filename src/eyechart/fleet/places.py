"""Where tables lie: a path on this machine, or an address that fsspec knows (`s3://`, `memory://`).

In: an address. Out: files to read, and files that appear whole or not at all. Knows no table.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from fsspec.core import url_to_fs

from eyechart.errors import BadInput, EyechartError, MissingExtra

PASSWORD = re.compile(r"(?<=//)[^/@:]*:[^/@]*@")
LIBRARIES = {
    **dict.fromkeys(["s3", "s3a"], "s3fs"),
    **dict.fromkeys(["gs", "gcs"], "gcsfs"),
    **dict.fromkeys(["abfs", "abfss", "az", "adl"], "adlfs"),
    **dict.fromkeys(["sftp", "ssh"], "paramiko"),
}
CANNOT_BE_WRITTEN = "cannot be written"
READING = "check the address, and that you may read there"
WRITING = "make room there, make it writable, or name another place"
LOOKING = "check the address, and that you may list what is there"


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder. `fs`: its fsspec filesystem, and `path` in it; `shown`: for people."""

    fs: Any
    path: str
    shown: str

    def at(self, name: str) -> Place:
        """A file in this folder."""
        return Place(self.fs, posixpath.join(self.path, name), posixpath.join(self.shown, name))

    @property
    def local(self) -> Path | None:
        """Its path on this machine, None where it lies elsewhere."""
        protocol = self.fs.protocol
        names = (protocol,) if isinstance(protocol, str) else protocol
        return Path(self.path) if "file" in names else None


def place_of(address: str | Path) -> Place:
    """The place that an address names; nothing is opened.

    Raises MissingExtra where the library of its filesystem is not installed, BadInput where no
    filesystem is called so.

    >>> place_of("memory://tables/requests.parquet").shown
    'memory://tables/requests.parquet'
    """
    text = str(address)
    shown, scheme = PASSWORD.sub("", text), text.partition("://")[0]
    try:
        fs, path = url_to_fs(text)
    except ImportError as error:
        library = LIBRARIES.get(scheme, error.name or "the library that fsspec names for it")
        raise MissingExtra(
            f"{shown}: {scheme}:// needs {library}, which is not installed: pip install {library}"
        ) from None
    except Exception as error:  # a filesystem of somebody else's may raise anything
        raise BadInput(f"{shown}: no address of a file ({error}); {READING}") from None
    return Place(fs, str(path), shown)


@contextmanager
def guarded(place: Place, trouble: str, mend: str) -> Iterator[None]:
    """Around a filesystem or Arrow at work on a place: what they raise becomes BadInput.

    `trouble`: how that error begins, after the place; `mend`: how it ends.
    """
    try:
        yield
    except EyechartError:
        raise
    except FileNotFoundError:
        raise BadInput(f"{place.shown}: no such file or folder; {mend}") from None
    except Exception as error:  # each filesystem has errors of its own: no list is complete
        told = f"{type(error).__name__}: {error}"
        raise BadInput(f"{place.shown}: {trouble} ({told:.300}); {mend}") from None


def exists(place: Place) -> bool:
    """Whether there is such a file or folder now."""
    with guarded(place, "cannot be looked for", LOOKING):
        place.fs.invalidate_cache()
        return bool(place.fs.exists(place.path))


def is_folder(place: Place) -> bool:
    """Whether it is a folder now. Raises BadInput where there is nothing."""
    with guarded(place, "cannot be looked for", LOOKING):
        place.fs.invalidate_cache()
        return str(place.fs.info(place.path)["type"]) == "directory"


def names_in(place: Place) -> list[str]:
    """The names of the files in a folder, sorted; none where there is no such folder."""
    with guarded(place, "cannot be listed", LOOKING):
        place.fs.invalidate_cache()
        if not place.fs.exists(place.path):
            return []
        return sorted(posixpath.basename(path) for path in place.fs.ls(place.path, detail=False))


def read_bytes(place: Place) -> bytes:
    """A whole file. Raises BadInput where it cannot be read."""
    with guarded(place, "cannot be read", READING):
        return bytes(place.fs.cat_file(place.path))


@contextmanager
def written_whole(place: Place) -> Iterator[IO[bytes]]:
    """A file to write into, which takes its place when all is written.

    Until then it has another name, which begins with a dot; where the writing fails it is removed,
    and what lay at the place stays. Raises BadInput where it cannot be written; around the writing
    itself the caller puts `guarded`.
    """
    folder, name = posixpath.split(place.path)
    part = posixpath.join(folder, f".{name}.part")
    with guarded(place, CANNOT_BE_WRITTEN, WRITING):
        file = _opened(place.fs, part)
    done = False
    try:
        yield file
        with guarded(place, CANNOT_BE_WRITTEN, WRITING):
            file.close()
            place.fs.mv(part, place.path)
            done = True
    finally:
        if not done:
            _forget(place.fs, file, part)


def _opened(fs: Any, path: str) -> IO[bytes]:
    """A file to write, its folder made where the filesystem has need of one.

    Only then: object stores have no folders, and some make a bucket of a misspelt name instead.
    """
    try:
        return cast(IO[bytes], fs.open(path, "wb"))
    except FileNotFoundError:
        fs.makedirs(posixpath.dirname(path), exist_ok=True)
        return cast(IO[bytes], fs.open(path, "wb"))


def _forget(fs: Any, file: IO[bytes], path: str) -> None:
    """Remove what is left of a file; where that fails too, the first error says why."""
    for last in (file.close, lambda: fs.rm_file(path)):
        with suppress(Exception):
            last()
