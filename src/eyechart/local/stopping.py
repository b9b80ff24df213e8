"""Whether anybody still waits for what a thread computes; a reply may take minutes.

In: a question, asked again and again while something is computed. Out: `Stopped`, raised where
nobody waits any more. Stops nothing by itself: long work calls `check_wanted` between its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Wanted = Callable[[], bool]


class Stopped(BaseException):
    """Nobody waits for what is computed. No fault of a model's, so no `except Exception`."""


def _always() -> bool:
    return True


_wanted: ContextVar[Wanted] = ContextVar("wanted", default=_always)


@contextmanager
def while_wanted(wanted: Wanted) -> Iterator[None]:
    """Within it, and in this thread alone, work goes on while `wanted` says so."""
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)


def is_wanted() -> bool:
    """Whether somebody waits for what this thread computes.

    >>> with while_wanted(lambda: False):
    ...     is_wanted()
    False
    >>> is_wanted()
    True
    """
    return _wanted.get()()


def check_wanted() -> None:
    """Raise `Stopped` where nobody waits for what this thread computes."""
    if not is_wanted():
        raise Stopped
