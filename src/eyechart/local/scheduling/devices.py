"""The devices of one checkpoint at work: a thread for each takes batches out of one window.

In: what makes each device, and the calls in the window. Out: what came of every call, told to its
place. A batch without room is halved, one of a lost device goes back to the window for the others.
One of several devices that is lost is started anew, once. What nobody waits for is not computed.
Imports no torch: devices are made in their threads, or in processes of their own.
"""

from __future__ import annotations

import atexit
import ctypes
import math
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from eyechart.errors import EyechartError, Fatal
from eyechart.local.pieces import Device, DeviceLost, NoRoom, Outcome, Ready, Refusal
from eyechart.local.scheduling.window import Batch, Window
from eyechart.local.stopping import Stopped, check_wanted, while_wanted

Make = Callable[[], Device]

GROWTH = 1.05
"""After a batch without room the bound is halved, and then grows by so much with each that fits."""
MOST_OF_FAILED = 0.9
"""So far the bound grows: a part of the smallest batch that found no room."""
FORGETTING = 1.001
"""With each batch that fits, the smallest that did not is taken to have been so much larger: memory
that others held may be free again."""
CLOSING_S = 30.0
"""How long a crew that goes home may take to end its batches, before these are given up."""
LEAVING_S = 5.0
"""How long the program's end waits for threads, whose batches nobody wants any more."""
GIVING_UP_S = 10.0
"""How long it may take a thread to notice that its batch is given up."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where a model is to be computed: a device's name for people, and what loads it there."""

    name: str
    make: Make


_crews: weakref.WeakSet[Crew] = weakref.WeakSet()
_exiting = threading.Event()
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
"""Those of all crews: one may still let go of its device when nobody holds its crew any more."""


class Crew:
    """Devices that compute what comes into `window`, a thread each. They load at once, in parallel.

    An error of loading, or the loss of the last device, ends the window: all calls are told. One of
    several devices is started anew when it is lost for the first time.
    `n_hired`: how many use it now (see `crews`).
    """

    def __init__(self, posts: Sequence[Post], window: Window | None = None) -> None:
        self.window = window or Window()
        self.n_hired = 0
        self._roll = _Roll(len(posts))
        self._threads = [
            threading.Thread(
                target=_serve, args=(post, self.window, self._roll), name=post.name, daemon=True
            )
            for post in posts
        ]
        _threads.update(self._threads)
        for thread in self._threads:
            thread.start()
        weakref.finalize(self, self.window.close).atexit = False  # nobody holds it: go home
        _crews.add(self)

    @property
    def setup(self) -> Mapping[str, str]:
        """How its devices compute, in words by name, as far as they say."""
        restarts = "; ".join(self._roll.restarts)
        return {**self._roll.setup, **({"restarted devices": restarts} if restarts else {})}

    @property
    def lost(self) -> tuple[str, ...]:
        """The devices that were lost, each with why."""
        return tuple(self._roll.lost)

    def close(self, wait_s: float = CLOSING_S) -> bool:
        """Let go of the devices and their memory; what is computed after `wait_s` is given up.

        False where a thread computes even then.
        """
        self.window.close()
        return _ended(self._threads, wait_s)


class _GivenUp(SystemExit):
    """Raised in a device's thread that is not waited for any longer; ends it without a word."""


def _joined(threads: Sequence[threading.Thread], wait_s: float) -> bool:
    """Whether all threads ended in time."""
    end = time.monotonic() + wait_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _ended(threads: Sequence[threading.Thread], wait_s: float) -> bool:
    """Whether all threads ended, those that did not in time by being given up."""
    if not _joined(threads, wait_s):
        for thread in threads:
            _give_up(thread)
    return _joined(threads, GIVING_UP_S)


def _give_up(thread: threading.Thread) -> None:
    """Python raises it between two steps of the thread: a reply of many tokens has many."""
    if thread.ident is not None and thread.is_alive():
        ident, error = ctypes.c_ulong(thread.ident), ctypes.py_object(_GivenUp)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, error)


@atexit.register
def _close_all() -> None:
    """The interpreter aborts if a thread is inside torch when it ends."""
    _exiting.set()
    for crew in list(_crews):
        crew.window.close()
    _ended(list(_threads), LEAVING_S)


class _Roll:
    """What became of the devices. Filled by their threads."""

    def __init__(self, n_devices: int) -> None:
        self.n_devices = n_devices
        self.lost: list[str] = []
        self.restarts: list[str] = []
        self.setup: dict[str, str] = {}
        self._n_left = n_devices
        self._lock = threading.Lock()

    def strike(self, error: DeviceLost) -> bool:
        """Note a loss; True for that of the last device."""
        with self._lock:
            self.lost.append(str(error))
            self._n_left -= 1
            return self._n_left == 0


@dataclass(slots=True)
class _Bound:
    """Most tokens of a batch, as far as batches without room have taught. `failed`: the least."""

    most: float = math.inf
    failed: float = math.inf

    def tokens(self, n_at_once: int) -> int:
        return max(1, int(min(self.most, n_at_once)))

    def halve(self, n_tokens: int) -> None:
        self.failed = min(self.failed, n_tokens)
        self.most = max(1.0, min(self.most, n_tokens) / 2)

    def grow(self) -> None:
        self.failed *= FORGETTING
        self.most = max(1.0, min(self.most * GROWTH, MOST_OF_FAILED * self.failed))


@dataclass(slots=True)
class _Bounds:
    """Of batches of replies and of others: a reply's own words are not counted, but take room."""

    replies: _Bound = field(default_factory=_Bound)
    others: _Bound = field(default_factory=_Bound)

    def of(self, batch: Batch) -> _Bound:
        return self.replies if batch.writes else self.others


def _serve(post: Post, window: Window, roll: _Roll) -> None:
    """A device's thread: load, compute until the window ends, let go."""
    try:
        _live(post, window, roll)
    except DeviceLost as error:
        if roll.strike(error):
            window.fail(
                Fatal(
                    f"no device is left to compute on: {'; '.join(roll.lost)}. What was answered "
                    "is kept; mend the device or choose another (?devices=), and run the same "
                    "command again to go on"
                )
            )
    except NoRoom as error:
        window.fail(Fatal(f"{post.name}: the model does not fit into its memory ({error})"))
    except _GivenUp:
        return
    except EyechartError as error:
        window.fail(error)
    except Exception as error:
        window.fail(unforeseen(error, post.name))


def _live(post: Post, window: Window, roll: _Roll) -> None:
    """A device's life, and a second one where it is lost and has a process of its own."""
    device, n_lives = post.make(), 2 if roll.n_devices > 1 else 1
    while True:
        roll.setup.update(device.setup)
        try:
            return _work(device, window)
        except DeviceLost as error:
            n_lives -= 1
            if not n_lives or window.ended is not None:
                raise
            loss = str(error)
        finally:
            with suppress(RuntimeError, OSError):  # what is lost cannot even let go
                device.close()
        roll.restarts.append(loss)
        device = _made_anew(post, loss)


def _made_anew(post: Post, loss: str) -> Device:
    """The device once more. Raises DeviceLost, whatever goes wrong: it is this device's own."""
    try:
        return post.make()
    except Exception as error:
        raise DeviceLost(f"{loss}, and could not be started anew ({error})") from None


def _work(device: Device, window: Window) -> None:
    bounds = _Bounds()
    while True:
        n_at_once = device.tokens_at_once()
        batch = window.next_batch(bounds.others.tokens(n_at_once), bounds.replies.tokens(n_at_once))
        if batch is None:
            return
        _compute(batch, device, window, bounds)
        del batch  # its pictures need not wait with the thread


def _compute(batch: Batch, device: Device, window: Window, bounds: _Bounds) -> None:
    """Compute a batch, in parts where there is no room. On an error all that is left goes back."""
    parts = [batch]
    try:
        while parts:
            part = parts[-1]
            bound = bounds.of(part)
            try:
                outcomes = _outcomes(part, device)
                bound.grow()
            except Stopped:
                parts.pop()
                continue
            except NoRoom:
                bound.halve(part.n_tokens)
                halves = part.halves()
                if halves is not None:
                    parts[-1:] = reversed(halves)
                    continue
                outcomes = [_too_large(part.trees[0].calls[0], device.name)]
            part.finish(outcomes)
            parts.pop()
    except DeviceLost as error:
        part = parts.pop()
        window.blame(part, str(error))
        raise DeviceLost(f"{error} (while it computed {_items(part)})") from None
    finally:
        for part in parts:
            window.put_back(part)


def _outcomes(part: Batch, device: Device) -> list[Outcome]:
    """Raises Stopped where nobody waits for them, or the program ends."""
    with while_wanted(lambda: part.is_wanted() and not _exiting.is_set()):
        check_wanted()
        return device.compute(part.trees)


def _items(batch: Batch) -> str:
    """The items of a batch, for people; at most three by name."""
    items = list(dict.fromkeys(c.request.item_id for tree in batch.trees for c in tree.calls))
    told, n_more = ", ".join(map(repr, items[:3])), len(items) - 3
    more = f" and {n_more} more" if n_more > 0 else ""
    return f"{'item' if len(items) == 1 else 'items'} {told}{more}"


def _too_large(call: Ready, name: str) -> Refusal:
    pictures = f", {call.n_pinned} of them up to the last picture" if call.n_pinned else ""
    shrink = (
        "let the model look at fewer pixels (--max-pixels)" if call.seen else "shorten the text"
    )
    return Refusal(
        f"{name} has no memory for this request even alone: {len(call.ids)} tokens{pictures}, and "
        f"up to {call.n_new} new ones; {shrink}, or use a device with more memory (?devices=)"
    )


def unforeseen(error: Exception, name: str) -> Fatal:
    """What to tell of an error that nobody foresaw: what it was, and the line that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return Fatal(
        f"{name}: computing failed with {type(error).__name__}: {error}{where}. What was answered "
        "is kept; please report this with the model's name"
    )
