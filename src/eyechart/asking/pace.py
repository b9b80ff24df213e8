"""How many calls are on their way at once: as many as allowed, fewer when the endpoint says so.

In: the outcome of each call. Out: leave to send the next one. Additive increase, multiplicative
decrease, as TCP does; an endpoint's Retry-After holds everybody back, not only the call it met.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

MOST_BACKOFF_S = 60.0
MOST_WAIT_S = 600.0
ONE_WAVE_S = 1.0
FIRST_PAUSE_S = 0.25


class Pacer:
    """Leave to send, for at most `most` calls at once. Lives in one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self._open_at = 0.0
        self._halved_at = float("-inf")
        self._pause_s = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            closed_s = self._open_at - loop.time()
            if closed_s > 0:
                await asyncio.sleep(closed_s)
            elif self.in_flight < max(1, int(self.limit)):
                self.in_flight += 1
                return
            else:
                turn = loop.create_future()
                self._waiting.append(turn)
                await turn

    async def __aexit__(self, *_: object) -> None:
        self.in_flight -= 1
        self._wake_one()

    def succeeded(self) -> None:
        """A call was answered: one more at once, after a whole round of them."""
        self._pause_s = 0.0
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
        if self.in_flight < int(self.limit):
            self._wake_one()

    def throttled(self, after_s: float | None) -> None:
        """The endpoint is asked too fast: half as many at once, and nobody before `after_s`.

        Where the endpoint does not say how long, the pause doubles from one refusal to the next
        until a call is answered.
        """
        now = asyncio.get_running_loop().time()
        if now - self._halved_at > ONE_WAVE_S:
            self.limit = max(1.0, self.limit / 2)
            self._halved_at = now
        if now >= self._open_at:
            self._pause_s = min(MOST_BACKOFF_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
        pause_s = self._pause_s if after_s is None else min(after_s, MOST_WAIT_S)
        self._open_at = max(self._open_at, now + pause_s)

    def _wake_one(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


def wait_s(attempt: int, backoff_s: float, after_s: float | None) -> float:
    """Seconds to wait after the failed attempt 0, 1, ...: doubling with jitter, at least `after_s`.

    Jitter keeps many calls that failed together from coming back together.
    """
    backoff = min(backoff_s * 2.0**attempt, MOST_BACKOFF_S) * random.uniform(0.75, 1.25)
    return max(backoff, min(after_s or 0.0, MOST_WAIT_S))
