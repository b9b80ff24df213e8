"""Which models are loaded: one crew of devices for each checkpoint, kept while it may be of use.

In: a checkpoint. Out: its crew. A model that answers one run is often asked again at once (as its
own judge, or by the next command of a notebook), and loading takes minutes; so a crew that is let
go stays loaded at rest. It goes home when another model needs the room, and when no backend that
hired it is held any more.
"""

from __future__ import annotations

import threading
from functools import partial
from weakref import WeakValueDictionary

from eyechart.errors import Fatal
from eyechart.local.pieces import Checkpoint, Device
from eyechart.local.scheduling.devices import CLOSING_S, GIVING_UP_S, Crew, Post
from eyechart.local.scheduling.remote import RemoteDevice

_lock = threading.Lock()
_loaded: WeakValueDictionary[tuple[Checkpoint, tuple[str, ...]], Crew] = WeakValueDictionary()


def hire(checkpoint: Checkpoint, devices: tuple[str, ...]) -> Crew:
    """The crew that computes this checkpoint on these devices, which loads if it is a new one.

    First every other crew at rest goes home, and one that failed. `dismiss` must follow. Not for an
    event loop: it waits until they have let go of their memory. Raises Fatal where they do not.
    """
    with _lock:
        crew = _loaded.get((checkpoint, devices))
        if crew is None or crew.window.ended is not None:
            for (other, where), old in list(_loaded.items()):
                if (not old.n_hired or old.window.ended is not None) and not old.close():
                    raise Fatal(_held(checkpoint, other, where))
            crew = _loaded[checkpoint, devices] = Crew(_posts(checkpoint, devices))
        crew.n_hired += 1
        return crew


def dismiss(crew: Crew) -> None:
    """Let a crew rest; one that failed goes home, and the next run loads the model anew."""
    with _lock:
        crew.n_hired -= 1
        if not crew.n_hired and (crew.window.ended is not None or crew.lost):
            crew.close()


def devices_of(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The devices that its address names, else every GPU there is, else the CPU."""
    if checkpoint.options.devices:
        return checkpoint.options.devices
    import torch

    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)


def load(checkpoint: Checkpoint, device: str) -> Device:
    """The checkpoint's model on a device, in the thread or process that calls."""
    from eyechart.local.computing.local_device import LocalDevice

    return LocalDevice(checkpoint, device)


def _held(wanted: Checkpoint, other: Checkpoint, where: tuple[str, ...]) -> str:
    return (
        f"{wanted.name} cannot be loaded: {other.name} still computes on {', '.join(where)} and "
        f"holds its memory, {CLOSING_S + GIVING_UP_S:g} s after it was told to stop. What was "
        "answered is kept; end this program, and run the same command again to go on"
    )


def _posts(checkpoint: Checkpoint, devices: tuple[str, ...]) -> list[Post]:
    """A thread of this process for one device; for several a process each."""
    if len(devices) == 1:
        return [Post(devices[0], partial(load, checkpoint, devices[0]))]
    return [Post(n, partial(RemoteDevice, partial(load, checkpoint, n), n)) for n in devices]
