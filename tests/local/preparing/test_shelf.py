"""Things made once, shared, and bounded by their bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from eyechart.errors import Refused
from eyechart.local.preparing.shelf import Shelf

KIB = 1024


class Making:
    """Makes bytes by name, when it is let; counts what it made."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.made: list[str] = []
        self.may = asyncio.Event()
        if at_once:
            self.may.set()

    def of(self, name: str) -> Callable[[], Awaitable[bytes]]:
        async def make() -> bytes:
            self.made.append(name)
            await self.may.wait()
            return bytes(KIB)

        return make


def shelf(*, n_at_once: int = 8, most: int = 4 * KIB) -> Shelf[bytes]:
    return Shelf(len, n_at_once=n_at_once, most_bytes=most)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_wants_the_same_thing_waits_for_the_same_making() -> None:
    async def story() -> None:
        making, things = Making(at_once=False), shelf()
        waiting = [asyncio.create_task(things.take("a", making.of("a"))) for _ in range(3)]
        await settled()
        making.may.set()
        one, *others = await asyncio.gather(*waiting)
        assert making.made == ["a"] and all(other is one for other in others)

    asyncio.run(story())


def test_a_thing_stays_while_there_is_room_and_the_longest_unused_goes_first() -> None:
    async def story() -> None:
        making, things = Making(), shelf()
        for name in "abcdaef":
            await things.take(name, making.of(name))
            things.leave(name)
        await things.take("a", making.of("a"))
        assert making.made == list("abcdef") and things.n_bytes == 4 * KIB

    asyncio.run(story())


def test_nothing_is_made_while_what_is_in_use_fills_the_bound() -> None:
    async def story() -> None:
        making, things = Making(), shelf(n_at_once=1)
        tasks = {n: asyncio.create_task(things.take(n, making.of(n))) for n in "abcdefgh"}
        await settled()
        assert making.made == list("abcd") and things.n_bytes == 4 * KIB
        things.leave("b")
        await settled()
        assert making.made == list("abcde") and things.n_bytes == 4 * KIB
        for task in tasks.values():
            task.cancel()
        things.close()

    asyncio.run(story())


def test_one_thing_is_always_made_even_where_there_is_no_room_for_it() -> None:
    async def story() -> None:
        making, things = Making(), shelf(most=1)
        for name in "ab":
            assert await things.take(name, making.of(name))
            things.leave(name)
        assert things.n_bytes == 0

    asyncio.run(story())


def test_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    async def story() -> None:
        making, things = Making(at_once=False), shelf()
        one, other = (asyncio.create_task(things.take("a", making.of("a"))) for _ in range(2))
        await settled()
        one.cancel()
        making.may.set()
        assert await other == bytes(KIB)
        things.leave("a")
        alone = asyncio.create_task(things.take("b", making.of("b")))
        await settled()
        alone.cancel()
        await settled()
        assert await things.take("b", making.of("b")) and making.made == ["a", "b"]

    asyncio.run(story())


def test_what_failed_is_told_to_all_who_wait_and_made_again_for_the_next() -> None:
    async def failing() -> bytes:
        await asyncio.sleep(0)
        raise Refused("damaged")

    async def story() -> None:
        making, things = Making(), shelf()
        waiting = [asyncio.create_task(things.take("a", failing)) for _ in range(2)]
        for task in waiting:
            with pytest.raises(Refused, match="damaged"):
                await task
        assert await things.take("a", making.of("a")) == bytes(KIB)

    asyncio.run(story())


def test_closing_gives_up_what_is_being_made() -> None:
    async def story() -> None:
        making, things = Making(at_once=False), shelf()
        waiting = asyncio.create_task(things.take("a", making.of("a")))
        await settled()
        things.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        things.leave("a")
        assert things.n_bytes == 0

    asyncio.run(story())
