"""What libraries say: kept off the terminal, and of their errors the first line.

In: work in which transformers would talk, or an error. Out: silence, or one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own progress bars and warnings off the terminal."""
    from transformers.utils import logging

    told: Any = logging  # typed in parts only
    level, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.set_verbosity(level)
        if bars:
            told.enable_progress_bar()


def first_line(error: BaseException) -> str:
    """The first line of what an error says, at most 300 characters; its type where it is mute.

    >>> first_line(MemoryError())
    'MemoryError'
    """
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
