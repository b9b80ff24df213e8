"""Things that are dear to make and large to keep: made once, shared, and bounded by their bytes.

In: a key, and how its thing is made. Out: the thing, for as long as somebody uses it; a while
longer where there is room. Everything happens in one event loop. Makes nothing itself.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Place(Generic[T]):
    making: asyncio.Task[T]
    n_users: int = 0
    n_bytes: int = 0

    @property
    def is_idle(self) -> bool:
        return self.n_users == 0 and self.making.done()


class Shelf(Generic[T]):
    """`n_at_once` things are made at a time, none while those in use fill `most_bytes`.

    Those that nobody uses are dropped first, the longest unused before the others. So at most
    `n_at_once` things stand above the bound. Where nothing is in use, one is always made.
    """

    def __init__(self, n_bytes: Callable[[T], int], *, n_at_once: int, most_bytes: int) -> None:
        self._n_bytes_of, self._most_bytes = n_bytes, most_bytes
        self._places: OrderedDict[str, _Place[T]] = OrderedDict()
        self._slots = asyncio.Semaphore(n_at_once)
        self._changed = asyncio.Event()

    @property
    def n_bytes(self) -> int:
        """Bytes of all things that are kept."""
        return sum(place.n_bytes for place in self._places.values())

    async def take(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        """The thing of a key, made unless it is there or on its way; `leave` must follow.

        Who waits for it may be cancelled: others still get it. Raises what `make` raises, and then
        there is nothing to leave.
        """
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(asyncio.create_task(self._made(key, make)))
            place.making.add_done_callback(lambda _: self._tidy())
        place.n_users += 1
        try:
            return await asyncio.shield(place.making)
        except BaseException:
            self._left(place)
            raise

    def leave(self, key: str) -> None:
        """One who took it needs it no longer."""
        if key in self._places:  # unless the shelf was closed
            self._places.move_to_end(key)
            self._left(self._places[key])

    def close(self) -> None:
        """Give up what is being made, and forget all."""
        for place in self._places.values():
            place.making.cancel()
        self._places.clear()

    async def _made(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        async with self._slots:
            while (used := self._in_use()) and used >= self._most_bytes:
                self._changed.clear()
                await self._changed.wait()
            thing = await make()
        if key in self._places:
            self._places[key].n_bytes = self._n_bytes_of(thing)
        return thing

    def _in_use(self) -> int:
        return sum(place.n_bytes for place in self._places.values() if not place.is_idle)

    def _left(self, place: _Place[T]) -> None:
        place.n_users -= 1
        self._tidy()

    def _tidy(self) -> None:
        """Forget what failed, and idle things beyond the bound; wake who waits for room."""
        n_bytes = self.n_bytes
        for key, place in list(self._places.items()):
            if not place.is_idle:
                continue
            failed = place.making.cancelled() or place.making.exception() is not None
            if failed or n_bytes > self._most_bytes:
                del self._places[key]
                n_bytes -= place.n_bytes
        self._changed.set()
