"""Processes of our own beside this one, for pictures and for devices.

In: what a process is to do with its end of a pipe. Out: our end of it, and word of its death. A
process knows the modules that this one can import, but never runs the user's script again, as those
of `multiprocessing` do. It ends with its parent.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from subprocess import DEVNULL, Popen, TimeoutExpired

Life = Callable[[Connection], object]
PARENT_S = 0.5
"""How often a process looks whether its parent is still there."""
BIRTH = (
    "import sys; _, fd, parent, *sys.path = sys.argv; "
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "from eyechart.local.children import live; live(int(fd), int(parent))"
)
_children: weakref.WeakSet[Child] = weakref.WeakSet()
_listing = threading.Lock()


class Child:
    """A new process that calls `life` with its end of `pipe`, and ends when that returns.

    `life` is pickled: a function of a module, or a `functools.partial` of one. Where the process is
    dead `pipe` raises EOFError and OSError. Ctrl-C is for the parent alone.
    """

    def __init__(self, life: Life) -> None:
        self.pipe, theirs = Pipe()
        with theirs:  # closed here, so that its end is heard as the end of the pipe
            fd = theirs.fileno()
            warned = [f"-W{option}" for option in sys.warnoptions]
            told = [str(fd), str(os.getpid()), *map(str, sys.path)]
            self._process = Popen(
                [sys.executable, *warned, "-c", BIRTH, *told], stdin=DEVNULL, pass_fds=(fd,)
            )
        with _listing:
            _children.add(self)
        try:
            with suppress(OSError):  # dead already: who waits for a reply will hear of it
                self.pipe.send(life)
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, the negative number of the signal that killed it; None while it lives."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it; who waits at the pipe hears of its end. May be called from any thread."""
        self._process.kill()

    def end(self, wait_s: float = 0.0) -> int:
        """Its exit code, once nothing of it is left: killed unless it ends by itself in time."""
        try:
            code = self._process.wait(wait_s)
        except TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self.pipe.close()
        return code


def running() -> list[Child]:
    """The processes that are alive."""
    with _listing:
        children = list(_children)
    return [child for child in children if child.code is None]


@atexit.register
def _end_all() -> None:
    """Threads may still read from the pipes, which are therefore left open."""
    for child in running():
        child.kill()
        child._process.wait()


def live(fd: int, parent: int) -> None:
    """A process's whole life. `fd`: its end of the pipe. `parent`: the process that started it."""
    os.set_inheritable(fd, False)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with Connection(fd) as pipe:
        try:
            life: Life = pipe.recv()
        except (EOFError, ConnectionError):  # the parent is gone before it began
            return
        life(pipe)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_S)
    os._exit(1)
