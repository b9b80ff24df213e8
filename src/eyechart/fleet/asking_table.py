"""A table of requests asked on this machine, through the ordinary engine and call log.

In: a table of requests and a model. Out: a folder of responses. What is answered in the folder is
not asked again, nor what the call log holds.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from eyechart import plugins
from eyechart.asking import AskSettings, Tally, ask
from eyechart.asking.backend import Backend
from eyechart.asking.planning import Plan, planned
from eyechart.fleet import answer_folder
from eyechart.fleet.answer_folder import AnswerFolder, Asked, AskedTable, answered_at
from eyechart.fleet.logged_calls import OpenLog
from eyechart.fleet.marking import marked, placed
from eyechart.fleet.request_rows import overview_of, read_numbered
from eyechart.records import Response
from eyechart.run_settings import CALL_LOG
from eyechart.stages import Stage, Watch

PART_ROWS = 1000


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What asking a table would come to. `n_before`: requests that are answered in the folder."""

    model: str
    n_before: int
    plan: Plan


def ask_table(
    requests: str | Path,
    model: str | Backend,
    out: str | Path,
    *,
    settings: AskSettings | None = None,
    workspace: Path = Path("runs"),
    watch: Watch | None = None,
) -> AskedTable:
    """Ask a model what a table of requests asks, and collect the responses in a folder.

    Run again, it asks only what has no answer in the folder. `requests` and `out` lie at any
    address that fsspec knows, the call log in the `workspace` on this machine.

    Raises BadInput where the table is none, where the folder holds other answers, and what
    `eyechart.asking.ask` raises; all that was answered by then is in the log and the folder.
    """
    settings, tally = settings or AskSettings(), Tally()
    backend = plugins.open_model(model) if isinstance(model, str) else model
    asked = asked_of(requests, backend, settings)
    with (
        answer_folder.opened(out, asked) as folder,
        OpenLog(workspace / CALL_LOG) as log,
    ):
        stage = Stage("asking", asked.n_requests - len(folder.answered), tally, backend)
        numbered = read_numbered(requests, without=folder.answered)
        responses = ask(marked(numbered), backend, log=log, settings=settings, tally=tally)
        with closing(responses), _Collector(folder, log) as collector:
            for response in watch(responses, stage) if watch else responses:
                collector.add(response)
    return AskedTable(
        str(out),
        asked.n_requests,
        n_before=len(folder.answered),
        n_asked=tally.n_asked,
        n_found=tally.n_found,
        n_failed=tally.n_failed,
        why=collector.why,
        notes=notes_of(tally),
    )


def asked_of(requests: str | Path, backend: Backend, settings: AskSettings) -> Asked:
    """What a folder of answers says that it answers. Raises BadInput where the table is none."""
    table, most = overview_of(requests), settings.max_pixels
    return Asked(table.digest, table.n_requests, backend.model, backend.revision, most)


def notes_of(tally: Tally) -> tuple[str, ...]:
    """What a reader of the answers must know of how the pictures were sent."""
    changed = sorted(tally.changed.items())
    return tuple(f"{n} times a picture was not sent as it is: {how}." for how, n in changed)


def plan_table(
    requests: str | Path,
    model: str,
    out: str | Path,
    *,
    settings: AskSettings | None = None,
    workspace: Path | None = Path("runs"),
) -> TablePlan:
    """What `ask_table` would ask; nothing is asked, and nothing is written into the folder.

    `workspace`: None for a fleet, which has no call log.
    """
    settings, backend = settings or AskSettings(), plugins.open_model(model)
    answered = answered_at(out, asked_of(requests, backend, settings))
    numbered = read_numbered(requests, without=answered)
    with nullcontext() if workspace is None else OpenLog(workspace / CALL_LOG) as log:
        asking = (one.request for one in numbered)
        plan = planned(asking, backend, log, max_pixels=settings.max_pixels)
    return TablePlan(backend.model, len(answered), plan)


class _Collector:
    """Writes responses into the folder, a part at a time, each with its origin from the log."""

    def __init__(self, folder: AnswerFolder, log: OpenLog) -> None:
        self._folder, self._log = folder, log
        self._waiting: list[Response] = []
        self._failures: Counter[str] = Counter()

    def add(self, response: Response) -> None:
        """Take one response."""
        self._waiting.append(response)
        if response.failure:
            self._failures[response.failure.message] += 1
        if len(self._waiting) >= PART_ROWS:
            self._write()

    @property
    def why(self) -> str:
        """The most frequent failure, with its count; "" without any."""
        return "".join(f"{told} ({n} times)" for told, n in self._failures.most_common(1))

    def __enter__(self) -> _Collector:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        self._folder.add(placed(batch, self._log))
