"""Calls made ready in good time: pictures by worker processes, ahead of the device.

In: calls, in the engine's event loop. Out: a `Ready` for each, for as long as it is computed. What
is kept ahead is bounded by its bytes. Computes no model.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from eyechart.asking.backend import Call
from eyechart.errors import Refused
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.pieces import Checkpoint, Ready, Seen
from eyechart.local.preparing.hands import Hands, Load, Opening, Work
from eyechart.local.preparing.pictures import Eye, Whole, key_of
from eyechart.local.preparing.prompting import Prompter
from eyechart.local.preparing.shelf import Shelf
from eyechart.local.scheduling.crews import devices_of

T = TypeVar("T")
AHEAD_BYTES = 2**30
"""Of pictures that are ready or in use, for each device."""
MOST_WORKERS = 8
"""For each device."""


def n_workers(devices: Sequence[str]) -> int:
    """Processes for pictures where nobody says how many: none beside a model on the CPU itself.

    >>> n_workers(["cpu"])
    0
    """
    if all(device == "cpu" for device in devices):
        return 0
    return max(1, min(MOST_WORKERS * len(devices), _n_cores() - len(devices)))


class Preparer:
    """Makes calls ready. Loads the processor, so it takes seconds to make: not in an event loop.

    `load`: makes the processor of a folder, here and in every worker process. `workers`: how many
    of these, 0 for one thread. `most_bytes`: of pictures that are ready or in use; each worker may
    have one call's more; None is AHEAD_BYTES for each device. Raises what `load` raises, and Fatal
    (see `Prompter`).
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        workers: int,
        *,
        load: Load = load_processor,
        most_bytes: int | None = None,
    ) -> None:
        processor = load(checkpoint.folder)
        self._name, self._images = checkpoint.name, processor.image_processor
        self._prompter = Prompter(processor, checkpoint.name, context_of(checkpoint))
        self._notes: dict[str, str] = {}
        self._thread = ThreadPoolExecutor(1, "prompts")
        road = self._prompter.road
        self._eye = Eye(processor, road)
        self._hands = Hands(Opening(checkpoint.folder, load, road), workers) if workers else None
        self.most_bytes = most_bytes or AHEAD_BYTES * len(devices_of(checkpoint))
        self._shelf: Shelf[Seen | Whole] = Shelf(
            _n_bytes, n_at_once=2 * workers or 1, most_bytes=self.most_bytes
        )

    @property
    def setup(self) -> dict[str, str]:
        """How pictures are made, in words by name; how many were made smaller for it, so far."""
        made = {"written": "pictures once", "whole": "pictures anew for every prompt"}
        images = f"{type(self._images).__name__} ({getattr(self._images, 'backend', 'unknown')})"
        notes = sorted(Counter(self._notes.values()).items())
        told = {"pictures": ", ".join(f"{n} {note}" for note, n in notes)} if notes else {}
        return {"image processor": f"{images}, {made[self._prompter.road.way]}", **told}

    @asynccontextmanager
    async def ready(self, call: Call) -> AsyncIterator[Ready]:
        """The call, ready to be computed; its pictures are kept until this is left.

        Raises Refused (this call cannot be made ready) and Fatal (none can).
        """
        if self._prompter.road.way == "whole":
            text = await self._apart(partial(self._prompter.rendered, call.request))
            work = Work(call.images, call.max_pixels, text)
        elif call.images:
            work = Work(call.images, call.max_pixels)
        else:
            yield await self._apart(partial(self._prompter.ready, call))
            return
        key = _key(work)
        try:
            made = await self._shelf.take(key, partial(self._made, work))
        except Refused as error:
            raise Refused(f"{self._name}: item {call.request.item_id!r}: {error}") from error
        try:
            self._note(made.seen if isinstance(made, Whole) else made)
            yield await self._apart(partial(self._finished, call, made))
        finally:
            self._shelf.leave(key)

    def close(self) -> None:
        """End the workers and forget all pictures; in the event loop that used them."""
        self._shelf.close()
        if self._hands is not None:
            self._hands.close()
        self._thread.shutdown(cancel_futures=True)

    def _note(self, seen: Seen | None) -> None:
        """Keep what was done to pictures, once for each."""
        if seen is not None:
            noted = zip(seen.key.split(), seen.notes, strict=True)
            self._notes.update((picture, note) for picture, note in noted if note)

    def _finished(self, call: Call, made: Seen | Whole) -> Ready:
        if isinstance(made, Seen):
            return self._prompter.ready(call, made)
        return self._prompter.ready_whole(call, made)

    async def _made(self, work: Work) -> Seen | Whole:
        if self._hands is None:
            return await self._apart(partial(work.done_by, self._eye))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hands.threads, self._hands.done, work)

    async def _apart(self, work: Callable[[], T]) -> T:
        """In the one thread for prompts: tokenizers are not made for several."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def context_of(checkpoint: Checkpoint) -> int | None:
    """The most tokens of a prompt and its answer by the model's config; None if it does not say."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True)
    most = getattr(config.get_text_config(), "max_position_embeddings", None)
    return most if isinstance(most, int) else None


def _key(work: Work) -> str:
    key = key_of(work.images, work.max_pixels)
    return key if work.text is None else f"{key} {hashlib.sha256(work.text.encode()).hexdigest()}"


def _n_bytes(made: Seen | Whole) -> int:
    seen = made.seen if isinstance(made, Whole) else made
    return sum(array.nbytes for array in seen.arrays.values()) if seen is not None else 0


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
