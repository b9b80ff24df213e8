"""The one engine: every model call of Eyechart goes through `ask`.

In: requests and a backend. Out: one response per request, as they come, in no fixed order.
Look in the call log (intake) → spend from the budget → pace and retry (sending) → commit and hand
on (delivery). asyncio inside, in a thread of its own; a plain generator outside. Memory is bounded
by the number of calls at once, not by the number of requests.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from eyechart.asking.backend import Backend
from eyechart.asking.budget import Budget, Purse
from eyechart.asking.call_log import CallLog, Logged
from eyechart.asking.delivery import Delivery, Finished
from eyechart.asking.intake import CHUNK_REQUESTS, Chunk, Intake, Job, answered, failed
from eyechart.asking.sending import Patience, Sender, Stopped
from eyechart.errors import BadInput, Fatal
from eyechart.records import Failure, Request, Response, Usage

GRACE_S = 20.0
POLL_S = 0.2
CONCURRENCY = 32
Known = asyncio.Future[Logged | Failure]


@dataclass(frozen=True, slots=True)
class AskSettings:
    """How to ask. `concurrency`: most calls at once, None for 32, or what a local model wants.

    `patience`: tries and time limits. `max_pixels`: shrink pictures with more pixels than this
    (opt-in; changes the key). `budget`: the most to spend.
    """

    concurrency: int | None = None
    patience: Patience = Patience()
    max_pixels: int | None = None
    budget: Budget = Budget()

    def __post_init__(self) -> None:
        if self.concurrency is not None and self.concurrency < 1:
            raise BadInput(f"expected a concurrency of at least 1, not {self.concurrency}")
        if self.max_pixels is not None and self.max_pixels < 1:
            raise BadInput(f"expected max_pixels of at least 1, not {self.max_pixels}")


@dataclass(slots=True)
class Tally:
    """What a run of `ask` has done so far; the engine counts in it while it runs.

    `changed`: how many pictures could not travel as they were, by what was done to them.
    `stopping`: no more is sent, and the calls on their way are waited for.
    """

    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    n_retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    changed: Counter[str] = field(default_factory=Counter)
    stopping: bool = False


def ask(
    requests: Iterable[Request],
    backend: Backend,
    *,
    log: CallLog | None = None,
    settings: AskSettings | None = None,
    tally: Tally | None = None,
) -> Generator[Response, None, None]:
    """Ask a model every request and yield one response for each, as they come.

    What the log already holds is not asked again. A failure is a response too (`failure` is set).
    It starts with the first `next`, and `requests` is read in another thread. Closing the
    generator, or Ctrl-C, stops the run; everything answered by then is in the log. `tally` counts
    on from what it holds, so that runs that share one share a budget.

    Raises BadInput (the backend cannot do what is wanted), Fatal (no request can be answered: bad
    key, no such model, nobody there) and EyechartError (the log cannot be written).

    >>> from eyechart.backends.scripted import Scripted
    >>> from eyechart.records import Turn
    >>> hello = Request("1", "answer", (Turn("user", ("Is it sharp?",)),))
    >>> [response.text for response in ask([hello], Scripted("Yes."))]
    ['Yes.']
    """
    engine = _Engine(backend, log, settings or AskSettings(), tally or Tally())
    thread = threading.Thread(target=engine.run, args=(iter(requests),), name="ask", daemon=True)
    thread.start()
    try:
        while (batch := engine.delivery.outbox.get()) is not None:
            yield from batch
    except (GeneratorExit, KeyboardInterrupt):
        engine.tally.stopping = True
        raise
    finally:
        engine.abandon()
        while thread.is_alive():
            try:
                thread.join(POLL_S)
            except KeyboardInterrupt:
                engine.grace_s = 0.0  # asked again: give up the calls on their way
    if engine.error is not None:
        raise engine.error


class _Engine:
    """The state of one run of `ask`; every method but `abandon` runs in its own thread."""

    def __init__(
        self, backend: Backend, log: CallLog | None, settings: AskSettings, tally: Tally
    ) -> None:
        self.backend, self.settings, self.tally = backend, settings, tally
        self.log = log if backend.logged else None
        self.error: BaseException | None = None
        self.grace_s = GRACE_S
        tokens = tally.tokens_in + tally.tokens_out
        self.purse = Purse(settings.budget, n_calls=tally.n_asked, tokens=tokens, usd=tally.usd)
        self.concurrency = settings.concurrency or backend.window or CONCURRENCY
        self.sender = Sender(backend, settings.patience, self.concurrency)
        self._slots = asyncio.Semaphore(self.concurrency)
        self.delivery = Delivery(self.log, self._slots.release)
        self._changed = asyncio.Event()
        self._pending: dict[bytes, Known] = {}
        self._recent: OrderedDict[bytes, Known] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def abandon(self) -> None:
        """From outside: nobody reads any more. Calls on their way may come in for a short while."""
        self.delivery.abandoned = True
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._stop)
            except RuntimeError:  # the loop closed between the two lines: nothing left to stop
                return

    # --- the thread -----------------------------------------------------------------------------

    def run(self, requests: Iterator[Request]) -> None:
        """The thread's whole life: ask everything, then put the end mark into the outbox."""
        try:
            asyncio.run(self._main(requests))
        except BaseException as error:
            self.error = self.error or _first_cause(error)
        while not self.delivery.abandoned:
            try:
                self.delivery.outbox.put(None, timeout=POLL_S)
                return
            except queue.Full:
                continue

    async def _main(self, requests: Iterator[Request]) -> None:
        self._loop = asyncio.get_running_loop()
        delivering = asyncio.create_task(self.delivery.run())
        intake = Intake(requests, self.backend, self.log, max_pixels=self.settings.max_pixels)
        try:
            with ThreadPoolExecutor(1, "intake") as reading:
                await self._settled(
                    asyncio.create_task(self._send_all(intake, reading)), delivering
                )
        finally:
            self.delivery.close()
            try:
                await delivering
            finally:
                await self.backend.close()

    async def _settled(self, sending: asyncio.Task[None], delivering: asyncio.Task[None]) -> None:
        """Wait for all calls; after a stop for those on their way, and only so long.

        Where nothing can be delivered any more (the disk is full), there is nothing to wait for.
        """
        self._tasks.add(sending)
        sending.add_done_callback(self._ended)
        stopped_at = None
        while self._tasks and not delivering.done():
            await asyncio.wait({*self._tasks, delivering}, timeout=POLL_S, return_when=FIRST)
            if self.delivery.abandoned:
                self._stop()
            if self.sender.stopped.is_set():
                stopped_at = stopped_at or time.monotonic()
                over = time.monotonic() > stopped_at + self.grace_s
                if over or not self.sender.pacer.in_flight:
                    break
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends in an error stops the run; the calls on their way still count."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Stopped):
            self.error = self.error or error
            self._stop()

    def _stop(self) -> None:
        self.sender.stopped.set()
        self._changed.set()

    # --- one request after the other ------------------------------------------------------------

    async def _send_all(self, intake: Intake, reading: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        ahead = loop.run_in_executor(reading, intake.next_chunk)
        while (chunk := await ahead) is not None:
            ahead = loop.run_in_executor(reading, intake.next_chunk)
            await self._hand_on(chunk)
            for job in chunk.jobs:
                await self._slots.acquire()
                if self.sender.stopped.is_set():
                    ahead.add_done_callback(lambda done: done.cancelled() or done.exception())
                    return
                await self._start(job)

    async def _hand_on(self, chunk: Chunk) -> None:
        self.tally.n_found += chunk.n_found
        self.tally.n_failed += len(chunk.ready) - chunk.n_found
        self.tally.changed.update(chunk.changed)
        if chunk.ready:
            await self.delivery.hand_on(chunk.ready)

    async def _start(self, job: Job) -> None:
        key = job.question.key
        twin = self._pending.get(key) or self._recent.get(key)
        if twin is not None:
            self._begin(self._same_again(job, twin))
            return
        most = self.purse.most_of(job.call.request)
        while not self.purse.affords(most) and self.purse.n_pending:
            if self.sender.stopped.is_set():
                return
            self._changed.clear()
            await self._changed.wait()
            most = self.purse.most_of(job.call.request)
        if not self.purse.affords(most):
            self._finish(
                job, Failure("budget", "not asked: what is left of the budget is too little")
            )
            return
        self.purse.take(most)
        self._pending[key] = asyncio.get_running_loop().create_future()
        self._begin(self._ask_one(job, most))

    def _settle(self, key: bytes, result: Logged | Failure | None) -> None:
        """Two requests of one key are one call, also when the first is answered in between.

        A key that was looked up before its twin was answered is sent at most two chunks and one
        full set of calls later, so that many of the last answers are remembered.
        """
        known = self._pending.pop(key)
        if result is None:
            known.cancel()
            return
        known.set_result(result)
        self._recent[key] = known
        if len(self._recent) > 2 * CHUNK_REQUESTS + self.concurrency:
            self._recent.popitem(last=False)

    async def _same_again(self, job: Job, twin: Known) -> None:
        self._finish(job, await asyncio.shield(twin), is_twin=True)

    async def _ask_one(self, job: Job, most: Usage) -> None:
        result: Logged | Failure | None = None
        try:
            result = await self.sender.outcome(job.call)
        finally:
            if isinstance(result, Logged):
                self.purse.pay(most, result.answer.usage)
            else:
                self.purse.give_back(most)
            self._settle(job.question.key, result)
        self._finish(job, result)
        if self.settings.budget.needs_usage and _says_nothing(result):
            raise Fatal(
                f"{self.backend.model} does not say how many tokens a call took, so a budget in "
                "tokens or US dollars cannot be kept; use --max-calls"
            )

    def _finish(self, job: Job, result: Logged | Failure, *, is_twin: bool = False) -> None:
        self._count(result, is_twin=is_twin)
        if isinstance(result, Failure):
            key = job.question.key.hex()
            response = failed(job.call.request, self.backend, key, result)
        else:
            response = answered(job.call.request, job.question, result)
        self.delivery.add(Finished(job, result, response, is_twin))
        self._changed.set()

    def _count(self, result: Logged | Failure, *, is_twin: bool) -> None:
        tally = self.tally
        tally.n_retries = self.sender.n_retries
        if isinstance(result, Failure):
            tally.n_failed += 1
        elif is_twin:
            tally.n_found += 1
        else:
            tally.n_asked += 1
            tally.tokens_in += result.answer.usage.tokens_in or 0
            tally.tokens_out += result.answer.usage.tokens_out or 0
            tally.usd = self.purse.usd


def _says_nothing(result: Logged | Failure) -> bool:
    """Whether an answer came without any count of tokens."""
    return isinstance(result, Logged) and result.answer.usage == Usage()


def _first_cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


FIRST = asyncio.FIRST_COMPLETED
