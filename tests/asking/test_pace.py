"""Pacing: fewer calls when throttled, more again when answered."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from eyechart.asking.pace import MOST_BACKOFF_S, MOST_WAIT_S, Pacer, wait_s


def test_throttling_halves_once_per_wave_and_never_below_one() -> None:
    async def story() -> list[float]:
        pacer = Pacer(16)
        limits = []
        for _ in range(3):
            pacer.throttled(None)
            limits.append(pacer.limit)
        for _ in range(10):
            pacer._halved_at = float("-inf")
            pacer.throttled(None)
        return [*limits, pacer.limit]

    assert asyncio.run(story()) == [8.0, 8.0, 8.0, 1.0]


def test_a_round_of_answers_allows_one_more() -> None:
    pacer = Pacer(16)
    pacer.limit = 4.0
    for _ in range(4):
        pacer.succeeded()
    assert 4.8 < pacer.limit < 5.0


def test_the_limit_never_exceeds_the_most() -> None:
    pacer = Pacer(2)
    for _ in range(100):
        pacer.succeeded()
    assert pacer.limit == 2.0


def test_retry_after_holds_everybody_back() -> None:
    async def story() -> float:
        pacer = Pacer(4)
        pacer.throttled(0.2)
        start = asyncio.get_running_loop().time()
        async with pacer:
            return asyncio.get_running_loop().time() - start

    assert asyncio.run(story()) >= 0.19


def test_everyone_who_waits_gets_a_turn() -> None:
    async def story() -> int:
        pacer, served = Pacer(2), 0

        async def one() -> None:
            nonlocal served
            async with pacer:
                assert pacer.in_flight <= 2
                await asyncio.sleep(0)
                served += 1

        await asyncio.gather(*(one() for _ in range(50)))
        return served

    assert asyncio.run(story()) == 50


@given(st.integers(0, 60), st.none() | st.floats(0, 1e6))
def test_waits_are_bounded_and_at_least_what_the_endpoint_asked(
    attempt: int, after_s: float | None
) -> None:
    wait = wait_s(attempt, 0.5, after_s)
    assert wait >= min(after_s or 0.0, MOST_WAIT_S)
    assert wait <= max(MOST_WAIT_S, MOST_BACKOFF_S * 1.25)
