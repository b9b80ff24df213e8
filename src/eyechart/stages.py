"""The asking stages of one run: answers, then each judge's verdicts, all into one file.

In: requests and the models to ask. Out: responses, written as they come and kept. Scores nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from eyechart.asking import AskSettings, CallLog, Tally, ask
from eyechart.asking.backend import Backend
from eyechart.errors import CallError
from eyechart.items import ItemSet
from eyechart.prompts import judge_requests
from eyechart.records import Request, Response
from eyechart.rubrics import Rubrics
from eyechart.run_folder import ResponseWriter
from eyechart.run_settings import CALL_LOG, RunSettings


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of asking that is under way: its name, how many requests, and the running tally.

    `model`: who is asked.
    """

    name: str
    n_requests: int
    tally: Tally
    model: Backend


Watch = Callable[[Iterator[Response], Stage], Iterator[Response]]


class Asking:
    """The asking of one run: every response goes through `writer` and is kept in `responses`."""

    def __init__(self, writer: ResponseWriter, settings: RunSettings, watch: Watch | None) -> None:
        self.responses: list[Response] = []
        self.n_unjudged = 0
        self.tally = Tally()
        self._writer, self._settings, self._watch = writer, settings, watch or _unwatched

    def ask(
        self, stage: Stage, requests: Iterable[Request], backend: Backend, how: AskSettings
    ) -> None:
        """Ask a model all the requests; all stages share one tally, and so one budget."""
        with CallLog(self._settings.workspace / CALL_LOG) as log:
            responses = ask(requests, backend, log=log, settings=how, tally=self.tally)
            with closing(responses):  # the engine ends before its log is closed
                self.keep(self._watch(responses, stage))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how it was asked."""
        changed = sorted(self.tally.changed.items())
        return tuple(f"{n} times a picture was not sent as it is: {how}." for how, n in changed)

    def keep(self, responses: Iterable[Response]) -> None:
        """Take over responses of an earlier asking."""
        for response in responses:
            self._writer.add(response)
            self.responses.append(response)

    def judge(self, item_set: ItemSet, rubrics: Rubrics, judge: Backend) -> None:
        """Have a judge grade what needs one. Raises CallError where it cannot be asked at all."""
        by_id = {item.id: item for item in item_set.items}
        settings = self._settings
        replies = list(self.responses)
        requests = list(judge_requests(by_id, replies, rubrics=rubrics, judging=settings.judging))
        budget = settings.ask.budget
        budget = dataclasses.replace(budget, price=settings.judge_price or budget.price)
        how = dataclasses.replace(settings.ask, budget=budget)
        n_before = len(self.responses)
        try:
            self.ask(Stage("judging", len(requests), self.tally, judge), requests, judge, how)
        finally:
            self.n_unjudged += len(requests) - (len(self.responses) - n_before)

    def judge_or_note(self, item_set: ItemSet, rubrics: Rubrics, judge: Backend) -> tuple[str, ...]:
        """The same, but a judge that fails leaves items unjudged, and a note that says so."""
        n_before = self.n_unjudged
        try:
            self.judge(item_set, rubrics, judge)
        except CallError as error:
            n_missing = self.n_unjudged - n_before
            return (f"Judging stopped, {n_missing} verdicts are missing: {error}",)
        return ()


def _unwatched(responses: Iterator[Response], stage: Stage) -> Iterator[Response]:
    return responses
