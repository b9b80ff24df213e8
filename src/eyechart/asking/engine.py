"""The one engine: every model call of Eyechart goes through `ask`.

In: requests and a backend. Out: one response per request, as they come, in no fixed order.
Look in the call log → spend from the budget → pace and retry → send → commit → hand on.
asyncio inside, in a thread of its own; a plain generator outside. Memory is bounded by the number
of calls at once, not by the number of requests.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from eyechart.asking.backend import Answer, Backend
from eyechart.asking.budget import Budget, Purse
from eyechart.asking.call_log import Answered, CallLog, Logged
from eyechart.asking.intake import CHUNK_REQUESTS, Chunk, Intake, Job, answered, failed
from eyechart.asking.pace import Pacer, wait_s
from eyechart.errors import BadInput, Fatal, Refused, Transient
from eyechart.records import Failure, Request, Response

OUTBOX_BATCHES = 64
UNREACHABLE_ATTEMPTS = 3
GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class AskSettings:
    """How to ask. `concurrency`: most calls at once. `attempts`: tries per request, first included.

    `backoff_s`: seconds before the second try, doubling after. `timeout_s`: the longest that a call
    may take, thinking included. `max_pixels`: shrink pictures with
    more pixels than this (opt-in; changes the key). `budget`: the most to spend.
    """

    concurrency: int = 32
    attempts: int = 6
    backoff_s: float = 0.5
    timeout_s: float = 300.0
    max_pixels: int | None = None
    budget: Budget = Budget()

    def __post_init__(self) -> None:
        if self.concurrency < 1 or self.attempts < 1 or not self.timeout_s > 0:
            raise BadInput(
                "expected concurrency and attempts of at least 1 and a timeout above 0 s, not "
                f"{self.concurrency}, {self.attempts} and {self.timeout_s:g}"
            )


@dataclass(slots=True)
class Tally:
    """What a run of `ask` has done so far; the engine counts in it while it runs.

    `changed`: how many pictures could not travel as they were, by what was done to them.
    """

    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    n_retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    changed: Counter[str] = field(default_factory=Counter)


def ask(
    requests: Iterable[Request],
    backend: Backend,
    *,
    log: CallLog | None = None,
    settings: AskSettings | None = None,
    tally: Tally | None = None,
) -> Iterator[Response]:
    """Ask a model every request and yield one response for each, as they come.

    What the log already holds is not asked again. A failure is a response too (`failure` is set).
    Closing the generator, or Ctrl-C, stops the run; everything answered by then is in the log.

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
        while (batch := engine.outbox.get()) is not None:
            yield from batch
    finally:
        engine.stop()
        while thread.is_alive():
            engine.drain()
            thread.join(0.05)
    if engine.error is not None:
        raise engine.error


class _Engine:
    """The state of one run of `ask`; every method but `stop` and `drain` runs in its thread."""

    def __init__(
        self, backend: Backend, log: CallLog | None, settings: AskSettings, tally: Tally
    ) -> None:
        self.backend, self.settings, self.tally = backend, settings, tally
        self.log = log if backend.logged else None
        self.outbox: queue.Queue[list[Response] | None] = queue.Queue(OUTBOX_BATCHES)
        self.error: BaseException | None = None
        self.purse = Purse(settings.budget)
        self.stopping = False
        self._finished = False
        self._pacer = Pacer(settings.concurrency)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: OrderedDict[bytes, asyncio.Future[Logged | Failure]] = OrderedDict()
        self._done: list[tuple[Job, Logged | Failure, Response]] = []
        self._n_lost_in_a_row = 0

    # --- from outside ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Send no more requests; let those on their way come in for a short while."""
        self.stopping = True
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._wake_up)
            except RuntimeError:  # the loop closed between the two lines: nothing left to stop
                return

    def drain(self) -> None:
        """Throw away what nobody reads any more, so that the thread can end."""
        try:
            while True:
                self.outbox.get_nowait()
        except queue.Empty:
            return

    # --- the thread -----------------------------------------------------------------------------

    def run(self, requests: Iterator[Request]) -> None:
        """The thread's whole life: ask everything, then put the end mark into the outbox."""
        try:
            asyncio.run(self._main(requests))
        except BaseException as error:
            self.error = _first_cause(error)
        while not self.stopping or not self.outbox.full():
            try:
                self.outbox.put(None, timeout=0.1)
                return
            except queue.Full:
                continue

    async def _main(self, requests: Iterator[Request]) -> None:
        self._loop = asyncio.get_running_loop()
        intake = Intake(requests, self.backend, self.log, max_pixels=self.settings.max_pixels)
        with ThreadPoolExecutor(1, "intake") as reading, ThreadPoolExecutor(1, "log") as writing:
            writer = asyncio.create_task(self._write_all(writing))
            try:
                await self._with_grace(self._send_all(intake, reading), writer)
            finally:
                self._finished = True
                self._news.set()
                try:
                    await writer
                finally:
                    await self.backend.close()

    async def _with_grace(
        self, sending: Coroutine[None, None, None], writer: asyncio.Task[None]
    ) -> None:
        """Run the sender until it is done, the writer breaks, or the grace after a stop is over."""
        task = asyncio.create_task(sending)
        stop_at = None
        while not task.done() and not writer.done():
            await asyncio.wait({task, writer}, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
            if self.stopping:
                stop_at = stop_at or time.monotonic() + GRACE_S
                if time.monotonic() > stop_at:
                    break
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=writer.done() or self.stopping)

    def _wake_up(self) -> None:
        self._changed.set()

    async def _send_all(self, intake: Intake, reading: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            ahead = loop.run_in_executor(reading, intake.next_chunk)
            while (chunk := await ahead) is not None:
                ahead = loop.run_in_executor(reading, intake.next_chunk)
                await self._hand_on(chunk)
                for job in chunk.jobs:
                    if self.stopping:
                        return
                    await self._slots.acquire()
                    await self._start(job, group)

    async def _hand_on(self, chunk: Chunk) -> None:
        self.tally.n_found += chunk.n_found
        self.tally.n_failed += len(chunk.ready) - chunk.n_found
        self.tally.changed.update(chunk.changed)
        if chunk.ready:
            await asyncio.get_running_loop().run_in_executor(None, self._deliver, chunk.ready)

    async def _start(self, job: Job, group: asyncio.TaskGroup) -> None:
        known = self._known.get(job.question.key)
        if known is not None:
            group.create_task(self._same_again(job, known))
            return
        while not self.purse.affords_one() and self.purse.n_pending and not self.stopping:
            self._changed.clear()
            await self._changed.wait()
        if not self.purse.affords_one():
            self._finish(job, Failure("budget", "not asked: the budget is spent"))
            return
        self.purse.take()
        self._remember(job.question.key)
        group.create_task(self._ask_one(job))

    def _remember(self, key: bytes) -> None:
        """Two requests of one key are one call, also when the first is answered in between.

        A key looked up before its twin was answered is sent at most two chunks and one full set of
        calls later, so that many are remembered.
        """
        self._known[key] = asyncio.get_running_loop().create_future()
        while len(self._known) > 2 * CHUNK_REQUESTS + self.settings.concurrency:
            self._known.popitem(last=False)

    async def _same_again(self, job: Job, known: asyncio.Future[Logged | Failure]) -> None:
        result = await asyncio.shield(known)
        self._finish(job, result, counted=False)

    async def _ask_one(self, job: Job) -> None:
        known = self._known[job.question.key]
        result = await self._outcome(job)
        if not known.done():
            known.set_result(result)
        self._finish(job, result)
        if isinstance(result, Logged) and not self.purse.counts(result.answer.usage):
            raise Fatal(
                f"{self.backend.model} does not say how many tokens a call took, so a budget in "
                "tokens or US dollars cannot be kept; use --max-calls"
            )

    async def _outcome(self, job: Job) -> Logged | Failure:
        try:
            logged = await self._answer(job)
        except Refused as error:
            self.purse.give_back()
            return Failure("refused", str(error))
        except Transient as error:
            self.purse.give_back()
            self._lost(error)
            return Failure("transient", str(error))
        self._n_lost_in_a_row = 0
        self.purse.pay(logged.answer.usage)
        self._count(logged.answer)
        return logged

    async def _answer(self, job: Job) -> Logged:
        """Send until answered. Raises the last Transient when all attempts are used up."""
        for attempt in range(self.settings.attempts):
            try:
                async with self._pacer:
                    start = time.perf_counter()
                    answer = await self._in_time(job)
                    self._pacer.succeeded()
                    return Logged(answer, time.perf_counter() - start)
            except Transient as error:
                if error.throttled:
                    self._pacer.throttled(error.after_s)
                last = error
                self._give_up_if_nobody_is_there(error, attempt)
            if attempt + 1 < self.settings.attempts and not self.stopping:
                self.tally.n_retries += 1
                await asyncio.sleep(wait_s(attempt, self.settings.backoff_s, last.after_s))
        raise last

    async def _in_time(self, job: Job) -> Answer:
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self.backend.answer(job.call)
        except TimeoutError:
            limit = f"{self.settings.timeout_s:g} s"
            raise Transient(f"{self.backend.model}: no answer within {limit}") from None

    def _give_up_if_nobody_is_there(self, error: Transient, attempt: int) -> None:
        if error.unreachable and self.tally.n_asked == 0 and attempt + 1 >= UNREACHABLE_ATTEMPTS:
            raise Fatal(f"{error}. Nothing was asked. Is the server up, and the address right?")

    def _lost(self, error: Transient) -> None:
        """Stop a run whose endpoint answers nobody any more: a set of calls failed in a row."""
        self._n_lost_in_a_row += 1
        if self._n_lost_in_a_row >= max(16, self.settings.concurrency):
            raise Fatal(
                f"the last {self._n_lost_in_a_row} requests all failed; the last one: {error}. "
                "What was answered is kept; run the same command again to go on"
            )

    def _count(self, answer: Answer) -> None:
        self.tally.n_asked += 1
        self.tally.tokens_in += answer.usage.tokens_in or 0
        self.tally.tokens_out += answer.usage.tokens_out or 0
        self.tally.usd = self.purse.usd

    # --- writing --------------------------------------------------------------------------------

    def _finish(self, job: Job, result: Logged | Failure, *, counted: bool = True) -> None:
        request = job.call.request
        if isinstance(result, Failure):
            self.tally.n_failed += 1
            response = failed(request, self.backend, job.question.key.hex(), result)
        else:
            self.tally.n_found += not counted
            response = answered(request, job.question, result)
        self._done.append((job, result, response))
        self._news.set()
        self._changed.set()

    async def _write_all(self, writing: ThreadPoolExecutor) -> None:
        """Commit what is done, all of it in one transaction, then hand it on; again and again."""
        loop = asyncio.get_running_loop()
        while not self._finished or self._done:
            await self._news.wait()
            self._news.clear()
            batch, self._done = self._done, []
            if batch:
                await loop.run_in_executor(writing, self._write, batch)
            for _ in batch:
                self._slots.release()

    def _write(self, batch: list[tuple[Job, Logged | Failure, Response]]) -> None:
        if self.log is not None:
            good = [(job, result) for job, result, _ in batch if isinstance(result, Logged)]
            self.log.add(Answered(j.question, r, j.call.images) for j, r in good)
            failures = [(j.question, r) for j, r, _ in batch if isinstance(r, Failure)]
            self.log.add_failures([(q, f) for q, f in failures if f.kind != "budget"])
        self._deliver([response for _, _, response in batch])

    def _deliver(self, responses: list[Response]) -> None:
        while not self.stopping:
            try:
                self.outbox.put(responses, timeout=0.1)
                return
            except queue.Full:
                continue


def _first_cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
