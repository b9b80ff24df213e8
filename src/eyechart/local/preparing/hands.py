"""Worker processes that make pictures, and what happens when one of them dies.

In: work. Out: what an `Eye` made of it. One pipe and one thread for each process: who dies takes
only its own work along, which is tried once more by a new process, then refused.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from eyechart.errors import CallError, Fatal, Refused
from eyechart.images import Encoded
from eyechart.local import parcels
from eyechart.local.children import Child
from eyechart.local.pieces import Seen
from eyechart.local.preparing.decoding import label
from eyechart.local.preparing.pictures import Eye, Whole
from eyechart.local.preparing.roads import Road

MOST_S = 600.0
"""A process that says nothing for so long, its start included, is taken for dead."""
STOP_S = 2.0
TRIES = 2
Load = Callable[[Path], Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a process needs to see: `load` makes the processor of the model's folder."""

    folder: Path
    load: Load
    road: Road


@dataclass(frozen=True, slots=True)
class Work:
    """Pictures to see, and on the slow road the prompt that they belong to."""

    images: tuple[Encoded, ...]
    max_pixels: int | None = None
    text: str | None = None

    def done_by(self, eye: Eye) -> Seen | Whole:
        """What the eye sees. Raises Refused."""
        if self.text is None:
            return eye.see(self.images, self.max_pixels)
        return eye.see_whole(self.images, self.text, self.max_pixels)


class Hands:
    """So many processes, each started with its first work. `done` may be called from any thread."""

    def __init__(self, opening: Opening, n: int) -> None:
        self._hands = [_Hand(opening) for _ in range(n)]
        self._free: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        for hand in self._hands:
            self._free.put(hand)
        self.threads = ThreadPoolExecutor(n, "pictures")

    def done(self, work: Work) -> Seen | Whole:
        """What a free process made of it; run it in one of `threads`, of which there are as many.

        Raises Refused (a damaged picture, or one at which two processes died) and Fatal (processes
        cannot see at all).
        """
        hand = self._free.get()
        try:
            return hand.done(work)
        finally:
            self._free.put(hand)

    def close(self) -> None:
        """End the processes; work on its way is lost."""
        for hand in self._hands:
            hand.close()
        self.threads.shutdown(cancel_futures=True)
        for hand in self._hands:
            hand.stop()


class _Hand:
    """One process and the pipe to it."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._child: Child | None = None
        self._closed = False

    def done(self, work: Work) -> Seen | Whole:
        why = ""
        for _ in range(TRIES):
            try:
                reply = self._reply(work)
            except (EOFError, OSError) as error:
                why = self._ended(error)
                continue
            if isinstance(reply, CallError):
                raise reply
            return reply
        pictures = ", ".join(map(label, work.images)) or "none"
        raise Refused(
            f"the worker process that makes pictures ended {TRIES} times ({why}); its pictures: "
            f"{pictures}. What it wrote stands above; if it wrote nothing, memory may be short: "
            "make them smaller with --max-pixels, or have fewer workers (?workers=1 behind the "
            "model's address, 0 for none)"
        )

    def close(self) -> None:
        """Take no more work. Who waits for the process hears of its end; a pipe cannot be closed
        under who reads from it.
        """
        self._closed = True
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _reply(self, work: Work) -> Seen | Whole | CallError:
        if self._closed:
            raise Refused("given up: the model was closed")
        child = self._child = self._child or Child(partial(_see, self._opening))
        if self._closed:  # while it started
            child.kill()
        child.pipe.send(work)
        if not child.pipe.poll(MOST_S):
            raise TimeoutError(f"silent for {MOST_S:g} s")
        reply: Seen | Whole | CallError = parcels.receive(child.pipe)
        return reply

    def _ended(self, error: Exception) -> str:
        """Why it ended, in words; nothing of it is left."""
        child, self._child = self._child, None
        silent = isinstance(error, TimeoutError)
        code = child.end(0 if silent else STOP_S) if child is not None else None
        return str(error) if silent or code is None else f"exit code {code}"


def _see(opening: Opening, pipe: Connection) -> None:
    """A process's whole life: see what comes through the pipe until it is closed."""
    eye: Eye | None = None
    while True:
        try:
            work: Work = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            eye = eye or _eye(opening)
            reply: Seen | Whole | CallError = work.done_by(eye)
        except CallError as error:
            reply = error
        with suppress(OSError):  # the parent is gone; so will this be
            parcels.send(pipe, reply)


def _eye(opening: Opening) -> Eye:
    """One process, one core: the others have processes of their own."""
    import torch

    torch.set_num_threads(1)
    try:
        return Eye(opening.load(opening.folder), opening.road)
    except Exception as error:  # whatever is wrong with the folder, the run must hear of it
        raise Fatal(
            f"{opening.folder}: a worker process cannot load the model's processor "
            f"({type(error).__name__}: {str(error)[:300]}); try ?workers=0 behind the address"
        ) from error
