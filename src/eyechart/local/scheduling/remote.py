"""A device in a process of its own, so that several compute at once and one can die alone.

In: what makes the device there, then trees. Out: its outcomes, over a pipe. The process ends with
its parent, when it is told to, and when the pipe closes; its death is a `DeviceLost`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from eyechart.errors import EyechartError
from eyechart.local import parcels
from eyechart.local.children import Child
from eyechart.local.pieces import Device, DeviceLost, NoRoom, Outcome, Tree
from eyechart.local.scheduling.devices import unforeseen

CLOSING_S = 10.0
"""How long a process may take to let go of its memory before it is killed."""
POLL_S = 0.5
"""How often a thread that waits for its process looks whether it is still wanted."""
TOLD = (NoRoom, DeviceLost, EyechartError)
Made = Callable[[], Device]


class RemoteDevice:
    """The device that `make` makes in a new process; this returns when it is ready to compute.

    `make` is pickled: a function of a module, or a `functools.partial` of one. Raises what it
    raises there (EyechartError, NoRoom, DeviceLost); anything else is Fatal.
    """

    def __init__(self, make: Made, name: str) -> None:
        self.name = name
        self._child = Child(partial(_live, make, name))
        try:
            self.setup: Mapping[str, str] = self._reply()
        except BaseException:
            self._child.end(CLOSING_S)
            raise

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._child.pid

    def tokens_at_once(self) -> int:
        """Most tokens that a batch should hold now. Raises DeviceLost."""
        with suppress(OSError):  # a broken pipe: the reply will say that it is dead
            self._child.pipe.send("tokens_at_once")
        return int(self._reply())

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """What came of each call. Raises NoRoom and DeviceLost."""
        with suppress(OSError):
            self._child.pipe.send("compute")
            parcels.send(self._child.pipe, [_without_turns(tree) for tree in trees])
        outcomes: list[Outcome] = self._reply()
        return outcomes

    def close(self) -> None:
        """End the process, by force where it does not end by itself."""
        with suppress(OSError):
            self._child.pipe.send(None)
        self._child.end(CLOSING_S)

    def _reply(self) -> Any:
        child = self._child
        try:
            while not child.pipe.poll(POLL_S) and child.code is None:
                continue
            if not child.pipe.poll():
                raise EOFError
            is_error, value = child.pipe.recv()
        except (EOFError, OSError):
            raise DeviceLost(f"{self.name}: {_end_told(child.end(CLOSING_S))}") from None
        except BaseException:  # nobody waits for the reply any longer
            child.kill()
            raise
        if is_error:
            raise value
        return value


def _without_turns(tree: Tree) -> Tree:
    """The turns are left behind: they hold the files of the pictures, and the tokens say it all."""
    calls = [replace(call, request=replace(call.request, turns=())) for call in tree.calls]
    return replace(tree, calls=tuple(calls))


def _end_told(code: int) -> str:
    if code < 0:
        killed = f"its process was killed ({signal.Signals(-code).name})"
        return f"{killed}; is the machine out of memory?" if -code == signal.SIGKILL else killed
    return f"its process ended by itself (exit code {code}); what it wrote stands above"


# --- in the process -----------------------------------------------------------------------------


def _live(make: Made, name: str, pipe: Connection) -> None:
    """The process's whole life: compute until the parent says when to end."""
    try:
        device = make()
    except Exception as error:
        _answer(pipe, True, _fit_to_tell(error, name))
        return
    _answer(pipe, False, dict(device.setup))
    try:
        while (order := pipe.recv()) is not None:
            _answer(pipe, *_done(device, parcels.receive(pipe) if order == "compute" else None))
    except (EOFError, OSError):
        return
    finally:
        device.close()


def _done(device: Device, trees: Sequence[Tree] | None) -> tuple[bool, Any]:
    """Whether it ended in an error, and the error or the value."""
    try:
        return False, device.tokens_at_once() if trees is None else device.compute(trees)
    except Exception as error:
        return True, _fit_to_tell(error, device.name)


def _answer(pipe: Connection, is_error: bool, value: Any) -> None:
    with suppress(OSError):  # the parent is gone; so will this be
        pipe.send((is_error, value))


def _fit_to_tell(error: Exception, name: str) -> Exception:
    """An error that travels: those of libraries often cannot be unpickled."""
    return error if isinstance(error, TOLD) else unforeseen(error, name)
