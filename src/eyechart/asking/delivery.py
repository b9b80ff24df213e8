"""The way out of the engine: what is done is committed to the call log, then handed to the reader.

In: finished jobs, in the engine's event loop. Out: batches of responses in the outbox. Nothing is
handed on before it is committed. A slow reader holds back the asking, not the committing.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from eyechart.asking.call_log import Answered, CallLog, Logged
from eyechart.asking.intake import Job
from eyechart.records import Failure, Response

OUTBOX_BATCHES = 64
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Finished:
    """A job with what came of it. `is_twin`: its question was asked by another job."""

    job: Job
    result: Logged | Failure
    response: Response
    is_twin: bool = False


class Delivery:
    """Commits, then delivers. `release`: called for each job once its response is delivered."""

    def __init__(self, log: CallLog | None, release: Callable[[], None]) -> None:
        self.outbox: queue.Queue[list[Response] | None] = queue.Queue(OUTBOX_BATCHES)
        self.abandoned = False
        self._log, self._release = log, release
        self._done: list[Finished] = []
        self._committed: list[list[Finished]] = []
        self._news, self._more = asyncio.Event(), asyncio.Event()
        self._closing = self._all_committed = False

    def add(self, finished: Finished) -> None:
        """Take one finished job."""
        self._done.append(finished)
        self._news.set()

    def close(self) -> None:
        """There will be no more; `run` ends when all that was added is out."""
        self._closing = True
        self._news.set()

    async def run(self) -> None:
        """Until closed. Raises EyechartError where the log cannot be written."""
        with ThreadPoolExecutor(1, "log") as writing:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hand_all_on())
                try:
                    await self._commit_all(writing)
                finally:
                    self._all_committed = True
                    self._more.set()

    async def hand_on(self, responses: list[Response]) -> None:
        """Put responses into the outbox, waiting while it is full, unless nobody reads any more."""
        while not self.abandoned:
            try:
                self.outbox.put_nowait(responses)
                return
            except queue.Full:
                await asyncio.sleep(POLL_S)

    async def _commit_all(self, writing: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while self._done or not self._closing:
            await self._news.wait()
            self._news.clear()
            batch, self._done = self._done, []
            if batch:
                await loop.run_in_executor(writing, self._commit, batch)
                self._committed.append(batch)
                self._more.set()

    def _commit(self, batch: list[Finished]) -> None:
        """One transaction for all that came in since the last one."""
        if self._log is None:
            return
        own = [done for done in batch if not done.is_twin]
        self._log.add(
            Answered(done.job.question, done.result, done.job.call.images)
            for done in own
            if isinstance(done.result, Logged)
        )
        failures = [(d.job.question, d.result) for d in own if isinstance(d.result, Failure)]
        self._log.add_failures(
            [(q, failure) for q, failure in failures if failure.kind != "budget"]
        )

    async def _hand_all_on(self) -> None:
        while self._committed or not self._all_committed:
            await self._more.wait()
            self._more.clear()
            while self._committed:
                batch = self._committed.pop(0)
                await self.hand_on([done.response for done in batch])
                for _ in batch:
                    self._release()
