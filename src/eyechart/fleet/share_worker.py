"""What a worker of a fleet does: it opens the model once, and answers one share after the other.

In: a share of a table of requests. Out: its responses, as parts in the folder that all workers
write into, and a short account of them. Knows nothing of the fleet that runs it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from eyechart import plugins
from eyechart.asking import AskSettings, Tally, ask
from eyechart.asking.backend import Backend
from eyechart.errors import BadInput, EyechartError, Fatal, MissingExtra
from eyechart.fleet.answer_folder import Asked
from eyechart.fleet.logged_calls import OpenLog
from eyechart.fleet.marking import marked, placed
from eyechart.fleet.one_response import Placed
from eyechart.fleet.shares import Parts, Share, read_share
from eyechart.records import Response

PART_ROWS = 256
"""So many answers at most are lost with a worker, and asked again."""
MOST_TRIES = 5
"""So many workers may be lost over the same share before the run gives up."""
IN_MEMORY = ":memory:"
ERRORS = {kind.__name__: kind for kind in (BadInput, MissingExtra, Fatal)}


@dataclass(frozen=True, slots=True)
class Task:
    """What all workers of a run are told.

    `requests`: the table. `model`: its address. `asked`: what it is everywhere. `folder`: where
    addresses without a beginning are looked for, on machines that have it.
    """

    requests: str
    model: str
    asked: Asked
    parts: Parts
    ask: AskSettings
    folder: str


@dataclass(frozen=True, slots=True)
class Account:
    """What came of a share, or of several; counts as in `Tally`.

    `why`: how many failed for each reason; `changed`: how many pictures were not sent as they are.
    `error`: why the run must stop, of the `kind` of `eyechart.errors`.
    """

    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    why: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    kind: str = ""

    def __add__(self, more: Account) -> Account:
        return Account(
            self.n_asked + more.n_asked,
            self.n_found + more.n_found,
            self.n_failed + more.n_failed,
            dict(Counter(self.why) + Counter(more.why)),
            dict(Counter(self.changed) + Counter(more.changed)),
        )

    def check(self) -> None:
        """Raise the error for which the run must stop, if there is one."""
        if self.kind:
            raise ERRORS.get(self.kind, EyechartError)(self.error)

    def as_row(self) -> dict[str, str]:
        """A row that any fleet can carry."""
        return {"account": json.dumps(dataclasses.asdict(self))}


def account_of(row: Mapping[str, Any]) -> Account:
    """The account in a row.

    >>> account_of(Account(n_asked=2).as_row()).n_asked
    2
    """
    return Account(**json.loads(str(row["account"])))


def stopped_by(error: EyechartError) -> Account:
    """The account of a share that an error ended, and the run with it."""
    kind = next((name for name, known in ERRORS.items() if isinstance(error, known)), "")
    return Account(error=str(error), kind=kind or EyechartError.__name__)


class ShareWorker:
    """Answers shares, one after the other; the model stays open between them.

    `tries`: told the number of a share as it is begun, says how often that was done by now.
    """

    def __init__(self, task: Task, tries: Callable[[int], int]) -> None:
        self._task, self._tries = task, tries
        self._backend: Backend | None = None
        with suppress(OSError):  # another machine: addresses there must begin with a slash
            os.chdir(task.folder)

    def __call__(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The account of the share in a row, as a row. What ends the run is told there, not raised.

        What an earlier worker has written of the share, before it was lost, is not asked again.
        """
        try:
            share = share_in(row)
            if self._tries(share.number) > MOST_TRIES:
                raise Fatal(_lost(share))
            return self._answered(share).as_row()
        except EyechartError as error:
            return stopped_by(error).as_row()

    def _answered(self, share: Share) -> Account:
        task, tally, collector = self._task, Tally(), _Collector(self._task.parts, share.number)
        before = task.parts.written(share.number)
        backend = self._backend = self._backend or opened(task)
        numbered = read_share(task.requests, share, without=before)
        with OpenLog(IN_MEMORY) as log:
            responses = ask(marked(numbered), backend, log=log, settings=task.ask, tally=tally)
            with closing(responses):
                collector.collect(responses, log)
        n_failed = sum(before.values())
        return Account(
            len(before) - n_failed + tally.n_asked,
            tally.n_found,
            n_failed + tally.n_failed,
            dict(collector.why),
            dict(tally.changed),
        )


def share_in(row: Mapping[str, Any]) -> Share:
    """The share in a row; a fleet may carry its numbers as it likes."""
    groups, wanted = (tuple(int(n) for n in row[name]) for name in ("groups", "wanted"))
    return Share(int(row["number"]), groups, wanted)


def opened(task: Task) -> Backend:
    """The model, on this machine. Raises Fatal where it is another one than elsewhere."""
    backend, asked = plugins.open_model(task.model), task.asked
    if (backend.model, backend.revision) == (asked.model, asked.revision):
        return backend
    raise Fatal(
        f"{task.model}: on {socket.gethostname()} this is {backend.model!r}, revision "
        f"{backend.revision!r}; the run was begun with {asked.model!r}, revision "
        f"{asked.revision!r}. Have the same files on every machine of the fleet"
    )


def _lost(share: Share) -> str:
    return (
        f"{MOST_TRIES} workers were lost over the requests {share.wanted[0]} to "
        f"{share.wanted[-1]}, as if killed or out of memory. What was answered is kept; run the "
        "same command again with fewer --workers, or with --max-pixels where pictures are large"
    )


class _Collector:
    """Writes a share's responses, a part at a time, whatever happens to the others."""

    def __init__(self, parts: Parts, share: int) -> None:
        self._parts, self._share = parts, share
        self.why: Counter[str] = Counter()

    def collect(self, responses: Iterator[Response], log: OpenLog) -> None:
        waiting: list[Response] = []
        try:
            for response in responses:
                waiting.append(response)
                if len(waiting) >= PART_ROWS:
                    batch, waiting = waiting, []
                    self._write(placed(batch, log))
        finally:
            if waiting:
                self._write(placed(waiting, log))

    def _write(self, batch: Sequence[Placed]) -> None:
        self._parts.write(self._share, batch)
        self.why.update(one.response.failure.message for one in batch if one.response.failure)
