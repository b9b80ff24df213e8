"""Every error that Eyechart raises on purpose.

    EyechartError                 show its message, exit 2
    ├── BadInput                  a file, line, field or option is wrong
    │   └── BadPicture            a picture cannot be read or sent: its item fails, the run goes on
    ├── UnknownName               no such benchmark, backend, metric (offers the nearest)
    ├── MissingExtra              an optional library is not installed
    └── CallError                 a model call did not end in an answer
        ├── Transient             may work later: the engine tries again
        ├── Refused               this request will never work: it becomes a failed row
        └── Fatal                 no request will work: the run stops at once

A message says what is wrong, where, what was expected and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EyechartError(Exception):
    """The root of the tree; its text is meant for the person at the terminal."""


class BadInput(EyechartError):
    """Something a person gave (file, line, field, option) cannot be used as it is."""


class BadPicture(BadInput):
    """A picture cannot be read, or cannot be sent as it is; the message names the file and why."""


class UnknownName(EyechartError):
    """No plug-in, command or field has this name.

    >>> print(UnknownName("benchmark", "snelen", ["snellen"]))
    no benchmark is called 'snelen'; did you mean 'snellen'? Known: snellen
    """

    def __init__(self, what: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        names = sorted(known)
        by_small = {known_name.lower(): known_name for known_name in names}
        near = difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=0.5)
        nearest = f"; did you mean {by_small[near[0]]!r}?" if near else "."
        known_names = ", ".join(names) or "none"
        super().__init__(f"no {what} is called {name!r}{nearest} Known: {known_names}{hint}")


class MissingExtra(EyechartError):
    """An optional library is needed; the message says what to install."""


class CallError(EyechartError):
    """A model call that did not end in an answer."""


class Transient(CallError):
    """May work later. `after_s`: seconds that the endpoint asks to wait, None if it did not say.

    `throttled`: the endpoint said that it is asked too fast (HTTP 429).
    `unreachable`: no connection could be made at all.
    """

    def __init__(
        self,
        message: str,
        *,
        after_s: float | None = None,
        throttled: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message)
        self.after_s = after_s
        self.throttled = throttled
        self.unreachable = unreachable


class Refused(CallError):
    """This request can never be answered as it is; the run goes on without it."""


class Fatal(CallError):
    """No request of this run can be answered (bad key, no such model): stop at once."""
