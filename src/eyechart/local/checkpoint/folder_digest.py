"""The digest of files: what stands in for a commit where a model's folder has none.

In: files. Out: hex. Reads every byte, in blocks and several at once: a block's digest is a leaf,
and the files' names, sizes and leaves in order are what the result is the digest of.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 16 * 2**20
MOST_THREADS = 16
N_HEX = 16


@dataclass(frozen=True, slots=True)
class _Block:
    file: Path
    start: int


def digest_of(folder: Path, files: Iterable[Path]) -> str:
    """16 hex digits that change with the names (in `folder`) and contents of these files.

    Raises OSError where one cannot be read.
    """
    named = sorted((file.relative_to(folder).as_posix(), file.stat().st_size) for file in files)
    blocks = [
        _Block(folder / name, start)
        for name, size in named
        for start in range(0, size, BLOCK_BYTES)
    ]
    whole = hashlib.sha256(repr(named).encode())
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        for leaf in pool.map(_leaf, blocks):
            whole.update(leaf)
    return whole.hexdigest()[:N_HEX]


def _leaf(block: _Block) -> bytes:
    with block.file.open("rb") as opened:
        opened.seek(block.start)
        return hashlib.sha256(opened.read(BLOCK_BYTES)).digest()
