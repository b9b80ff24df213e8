"""One call until it is answered: pace, time limit, tries, and when to give up the whole run.

In: a call. Out: its answer, or the failure that it ends in. Fatal where no call can be answered any
more. Knows nothing of keys, logs and budgets.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from eyechart.asking.backend import Answer, Backend, Call
from eyechart.asking.call_log import Logged
from eyechart.asking.pace import Pacer, wait_s
from eyechart.errors import BadInput, Fatal, Refused, Transient
from eyechart.records import Failure

UNREACHABLE_ATTEMPTS = 3
FEWEST_LOST = 16
MOST_THROTTLED_S = 600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try. `attempts`: tries per request, first included.

    `backoff_s`: seconds before the second try, doubling after. `timeout_s`: the longest that a call
    may take, thinking included.
    """

    attempts: int = 6
    backoff_s: float = 0.5
    timeout_s: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not self.backoff_s >= 0 or not self.timeout_s > 0:
            raise BadInput(
                "expected attempts of at least 1, a backoff of 0 s or more and a timeout above 0, "
                f"not {self.attempts}, {self.backoff_s:g} and {self.timeout_s:g}"
            )


class Stopped(Exception):
    """The run is being stopped and this call was not sent."""


class Sender:
    """Sends calls to one backend. `stopped`: once set, nothing more is sent.

    A model on this machine (`Backend.window`) has no time limit: its calls wait for each other.
    """

    def __init__(self, backend: Backend, patience: Patience, concurrency: int) -> None:
        self.backend, self.patience = backend, patience
        self.pacer = Pacer(concurrency)
        self.stopped = asyncio.Event()
        self._limit_s = patience.timeout_s if backend.window is None else None
        self.n_retries = self._n_answered = self._n_lost_in_a_row = 0

    async def outcome(self, call: Call) -> Logged | Failure:
        """The answer, or why there is none. Raises Fatal, or Stopped where it was not sent."""
        try:
            logged = await self._answer(call)
        except Refused as error:
            return Failure("refused", str(error))
        except Transient as error:
            self._lost(error)
            return Failure("transient", str(error))
        self._n_lost_in_a_row = 0
        self._n_answered += 1
        return logged

    async def _answer(self, call: Call) -> Logged:
        """Send until answered. Raises the last Transient when all attempts are used up."""
        attempt, begun = 0, time.monotonic()
        while True:
            try:
                return await self._once(call)
            except Transient as error:
                if error.throttled:
                    self.pacer.throttled(error.after_s)
                attempt += not (error.throttled and self._is_patient(begun))
                self._give_up_if_nobody_is_there(error, attempt)
                if attempt >= self.patience.attempts:
                    raise
                pause_s = wait_s(max(0, attempt - 1), self.patience.backoff_s, error.after_s)
            self.n_retries += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self.stopped.wait()

    async def _once(self, call: Call) -> Logged:
        async with self.pacer:
            if self.stopped.is_set():
                raise Stopped
            start = time.perf_counter()
            answer = await self._in_time(call)
            self.pacer.succeeded()
            return Logged(answer, time.perf_counter() - start)

    async def _in_time(self, call: Call) -> Answer:
        try:
            async with asyncio.timeout(self._limit_s):
                return await self.backend.answer(call)
        except TimeoutError:
            limit = f"{self.patience.timeout_s:g} s"
            raise Transient(f"{self.backend.model}: no answer within {limit}") from None

    def _is_patient(self, begun: float) -> bool:
        """Being asked too fast is no failure of the request, where others are being answered."""
        return self._n_answered > 0 and time.monotonic() - begun < MOST_THROTTLED_S

    def _give_up_if_nobody_is_there(self, error: Transient, attempt: int) -> None:
        if error.unreachable and self._n_answered == 0 and attempt >= UNREACHABLE_ATTEMPTS:
            raise Fatal(f"{error}. Nothing was asked. Is the server up, and the address right?")

    def _lost(self, error: Transient) -> None:
        """Stop a run whose endpoint answers nobody any more: a set of calls failed in a row."""
        self._n_lost_in_a_row += 1
        if self._n_lost_in_a_row >= max(FEWEST_LOST, self.pacer.most):
            raise Fatal(
                f"the last {self._n_lost_in_a_row} requests all failed; the last one: {error}. "
                "What was answered is kept; run the same command again to go on"
            )
