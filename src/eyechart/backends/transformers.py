"""Models on this machine: checkpoints that transformers loads, on GPUs or the CPU.

In: a `Call`. Out: an `Answer`, or Refused for a call that cannot be computed, or Fatal. Calls are
made ready, wait in one window, and are computed in batches by a thread or process for each device.
Address: `hf:ORG/NAME[@REVISION][?OPTIONS]` or `hf:/FOLDER[?OPTIONS]`, see
`eyechart.local.checkpoint.address`. Opening one reads files; the libraries and the weights are
loaded by the first call.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.errors import EyechartError, MissingExtra, Refused
from eyechart.local.checkpoint.address import read_address
from eyechart.local.checkpoint.finding import find_checkpoint
from eyechart.local.pieces import Checkpoint, Outcome, Ready, Refusal
from eyechart.local.scheduling.window import Place, Window

if TYPE_CHECKING:
    from eyechart.local.preparing.preparer import Preparer
    from eyechart.local.scheduling.devices import Crew

CALLS_A_DEVICE = 256
"""Calls that wait or are computed, for each device: some batches, and questions of one picture."""
LIBRARIES = ("torch", "transformers")


@dataclass(frozen=True, slots=True)
class _Road:
    """What a call passes through: made ready by the one, computed by the other."""

    preparer: Preparer
    crew: Crew


class Transformers(Backend):
    """A model of a checkpoint on this machine.

    The weights stay loaded after `close`, at rest, so that the same model can be asked again at
    once, by this backend or another of the same checkpoint. They are let go when a backend of
    another checkpoint is asked, and when no backend that asked this one is held any more.
    """

    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = True
    resizes = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.model, self.revision = checkpoint.name, checkpoint.revision
        self.window = CALLS_A_DEVICE * (len(checkpoint.options.devices) or _n_gpus() or 1)
        self.setup: Mapping[str, str] = MappingProxyType({})
        self._checkpoint = checkpoint
        self._opening: asyncio.Task[_Road | EyechartError] | None = None
        self._crew: Crew | None = None  # held beyond `close`, so that it stays

    def __repr__(self) -> str:
        return f"Transformers({self.model!r})"

    async def answer(self, call: Call) -> Answer:
        """The model's answer. Raises Refused for this call alone; Fatal and BadInput for all."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        road = await asyncio.shield(self._opening)
        if isinstance(road, EyechartError):
            raise copy.copy(road)  # each call its own, or their tracebacks would grow together
        from eyechart.local.preparing.pictures import key_of

        window = road.crew.window
        place = window.expect(key_of(call.images, call.max_pixels))
        try:
            async with road.preparer.ready(call) as ready:
                outcome = await _computed(window, place, ready)
        finally:
            window.leave(place)
        if isinstance(outcome, EyechartError):
            raise copy.copy(outcome)
        if isinstance(outcome, Refusal):
            raise Refused(f"item {call.request.item_id!r}: {outcome.message}")
        return outcome

    async def close(self) -> None:
        """End the workers that make pictures ready; the model itself stays loaded, at rest."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        road = await opening
        if isinstance(road, EyechartError):  # every call was told
            return
        from eyechart.local.scheduling.crews import dismiss

        lost = {"lost devices": "; ".join(road.crew.lost)} if road.crew.lost else {}
        self.setup = {**self.setup, **road.preparer.setup, **road.crew.setup, **lost}
        road.preparer.close()
        await asyncio.to_thread(dismiss, road.crew)

    async def _open(self) -> _Road | EyechartError:
        try:
            await asyncio.to_thread(_load_libraries)
            return await self._opened()
        except EyechartError as error:
            return error
        except Exception as error:
            from eyechart.local.scheduling.devices import unforeseen

            return unforeseen(error, self.model)

    async def _opened(self) -> _Road:
        """The processor first, then the weights, in the threads of their devices."""
        from eyechart.local.preparing.preparer import Preparer, n_workers
        from eyechart.local.scheduling import crews

        checkpoint, n = self._checkpoint, self._checkpoint.options.workers
        devices = await asyncio.to_thread(crews.devices_of, checkpoint)
        n = n_workers(devices) if n is None else n
        preparer = await asyncio.to_thread(Preparer, checkpoint, n)
        self._crew = await asyncio.to_thread(crews.hire, checkpoint, devices)
        self.setup = {name: version(name) for name in LIBRARIES}
        self.setup |= {"devices": ", ".join(devices), **preparer.setup}
        return _Road(preparer, self._crew)


def _load_libraries() -> None:
    """Raises MissingExtra where one is installed but broken."""
    for name in LIBRARIES:
        try:
            import_module(name)
        except (ImportError, OSError) as error:  # OSError: a shared library that cannot be loaded
            raise MissingExtra(
                f"{name} is installed but cannot be loaded ({type(error).__name__}: {error}); "
                'install it anew: pip install --force-reinstall "eyechart[local]"'
            ) from None


def _n_gpus() -> int:
    """GPUs of this machine, as Linux shows them: opening an address loads no torch."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


async def _computed(window: Window, place: Place, ready: Ready) -> Outcome | EyechartError:
    """What came of a call, told by the thread of its device."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Outcome | EyechartError] = loop.create_future()

    def settle(outcome: Outcome | EyechartError) -> None:
        if not future.done():
            future.set_result(outcome)

    def done(outcome: Outcome | EyechartError) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(settle, outcome)

    window.add(place, ready, done)
    return await future


def open_address(address: str) -> Transformers:
    """The model at an address. Raises BadInput and MissingExtra; reads files alone."""
    return Transformers(find_checkpoint(read_address(address)))


BACKEND = BackendPlugin(
    name="transformers",
    summary="a checkpoint on this machine, computed in batches on its GPUs or CPU",
    example="hf:Qwen/Qwen3-VL-8B-Instruct",
    open=open_address,
)
