"""A run: items, requests, responses, scores, report, each stage left in the run folder.

In: a benchmark and a model's address. Out: a run folder with a report. Every stage but the asking
can be redone offline from the folder (`rescore`, `rewrite_report`).
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from eyechart import plugins, run_folder
from eyechart.asking import AskSettings, CallLog, Tally, ask
from eyechart.asking.backend import Backend
from eyechart.benchmarks import Source
from eyechart.errors import BadInput, CallError
from eyechart.items import ItemSet, read_items
from eyechart.prompts import answer_requests, judge_requests, needs_judge
from eyechart.provenance import folder_name, provenance, run_info
from eyechart.records import Report, Request, Response, Score
from eyechart.report.build import RunFacts, build_report
from eyechart.report.entries import Entry
from eyechart.report.write import write_report
from eyechart.run_folder import ResponseWriter, RunInfo
from eyechart.run_settings import CALL_LOG, RunSettings, fitted
from eyechart.scores import score_responses


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of asking that is under way: its name, how many requests, and the running tally."""

    name: str
    n_requests: int
    tally: Tally


Watch = Callable[[Iterator[Response], Stage], Iterator[Response]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `n_failed`: requests without an answer, the judge's included."""

    folder: Path
    report: Report
    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    most_frequent_failure: str = ""


class _Asking:
    """The asking stages of one run: every response goes into `responses.jsonl` and is kept."""

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

    def judge(self, item_set: ItemSet, judge: Backend) -> None:
        """Have the judge grade what needs one. Raises CallError where it cannot be asked at all."""
        by_id = {item.id: item for item in item_set.items}
        settings = self._settings
        requests = list(judge_requests(by_id, list(self.responses), judging=settings.judging))
        budget = settings.ask.budget
        budget = dataclasses.replace(budget, price=settings.judge_price or budget.price)
        how = dataclasses.replace(settings.ask, budget=budget)
        n_before = len(self.responses)
        try:
            self.ask(Stage("judging", len(requests), self.tally), requests, judge, how)
        finally:
            self.n_unjudged = len(requests) - (len(self.responses) - n_before)

    def judge_or_note(self, item_set: ItemSet, judge: Backend) -> tuple[str, ...]:
        """The same, but a judge that fails leaves items unjudged, and a note that says so."""
        try:
            self.judge(item_set, judge)
        except CallError as error:
            return (f"Judging stopped, {self.n_unjudged} verdicts are missing: {error}",)
        return ()


def evaluate(
    benchmark: str | Path,
    model: str | Backend,
    *,
    out: Path | str | None = None,
    settings: RunSettings | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run a benchmark (a name, or an item folder or Parquet) on a model and write the report.

    `out`: the run folder, by default a new one in the workspace. Calling it again goes on where the
    last run stopped: what was answered is not asked again. `watch` sees the responses pass.

    Raises EyechartError for bad input, an unusable folder, or an endpoint that answers nobody.

    >>> outcome = evaluate("snellen", "signal")  # doctest: +SKIP
    >>> print(outcome.report.headline)  # doctest: +SKIP
    """
    settings = settings or RunSettings()
    name, item_set = load_items(benchmark, settings)
    backend = plugins.open_model(model) if isinstance(model, str) else model
    judge = plugins.open_model(settings.judge) if settings.judge else None
    settings = fitted(settings, backend, item_set.items)
    folder = Path(out) if out else settings.workspace / folder_name(name, backend.model)
    with run_folder.opened(folder):
        info = run_info(name, item_set, backend, judge, settings)
        verdicts: list[Response] = []
        if judge is None and (folder / "run.json").is_file():
            info, verdicts = _with_verdicts(folder, info)
        run_folder.write_info(folder, info)
        items = run_folder.write_items(folder, item_set.items)
        item_set = dataclasses.replace(item_set, items=items)
        requests = answer_requests(items, form=settings.form, sampling=settings.sampling)
        with ResponseWriter(folder) as writer:
            asking = _Asking(writer, settings, watch)
            stage = Stage("asking", len(items), asking.tally)
            asking.ask(stage, requests, backend, settings.ask)
            info = dataclasses.replace(info, notes=(*info.notes, *asking.notes))
            asking.keep(verdicts)
            if judge:
                info = dataclasses.replace(info, judge_notes=asking.judge_or_note(item_set, judge))
        run_folder.write_info(folder, info)
        report = _scored(folder, info, item_set, asking.responses)
    return _outcome(folder, report, asking.responses, asking)


def rescore(
    folder: Path | str, *, settings: RunSettings | None = None, watch: Watch | None = None
) -> Outcome:
    """Score a run's responses again; with a judge in `settings`, have it grade them first.

    The model itself is not asked. Raises BadInput where `folder` is no run folder, and CallError
    where the judge cannot be asked: the folder is then as it was.
    """
    folder, settings = Path(folder), settings or RunSettings()
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    with run_folder.opened(folder):
        responses = list(run_folder.read_responses(folder))
        judge = plugins.open_model(settings.judge) if settings.judge else None
        with ResponseWriter(folder) as writer:
            asking = _Asking(writer, settings, watch)
            asking.keep(r for r in responses if judge is None or r.role != "judge")
            if judge:
                asking.judge(item_set, judge)
                _refuse_nothing(folder, asking.responses, responses)
                n_draws = settings.judging.n_draws
                info = dataclasses.replace(
                    info, judge=judge.model, n_judge_draws=n_draws, judge_notes=()
                )
        run_folder.write_info(folder, info)
        report = _scored(folder, info, item_set, asking.responses)
    return _outcome(folder, report, asking.responses, asking)


def rewrite_report(folder: Path | str) -> Outcome:
    """Write a run's report again from its scores. Raises BadInput where there are none."""
    folder = Path(folder)
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    responses = list(run_folder.read_responses(folder))
    with run_folder.opened(folder):
        report = _report(folder, info, item_set, responses, run_folder.read_scores(folder))
    return _outcome(folder, report, responses)


def load_items(benchmark: str | Path, settings: RunSettings) -> tuple[str, ItemSet]:
    """A benchmark's name and items: of a plug-in by name, or from a folder or Parquet file.

    Raises UnknownName or BadInput.
    """
    path = Path(benchmark)
    is_path = path.exists() and str(benchmark) not in plugins.names("benchmarks")
    if is_path and path.suffix != ".py":
        item_set = read_items(path)
        name = item_set.card.name
    else:
        name = str(benchmark)
        source = Source(settings.photos, settings.workspace, settings.seed, settings.max_photos)
        hint = " (and there is no such file or folder)"
        item_set = plugins.benchmark(name, hint=hint).items(source)
    return name, _chosen(item_set, settings)


def _chosen(item_set: ItemSet, settings: RunSettings) -> ItemSet:
    items = [i for i in item_set.items if not settings.kinds or i.kind in settings.kinds]
    if settings.limit is not None and settings.limit < len(items):
        picked = random.Random(settings.seed).sample(range(len(items)), settings.limit)
        items = [items[i] for i in sorted(picked)]
    if not items:
        raise BadInput(
            f"{item_set.card.name}: no items of the kinds {', '.join(settings.kinds)}; it has "
            f"{', '.join(sorted({i.kind for i in item_set.items}))}"
        )
    return dataclasses.replace(item_set, items=tuple(items))


def _scored(folder: Path, info: RunInfo, item_set: ItemSet, responses: list[Response]) -> Report:
    scores = score_responses(item_set.items, responses, n_draws=info.n_judge_draws)
    run_folder.write_scores(folder, scores)
    return _report(folder, info, item_set, responses, scores)


def _report(
    folder: Path,
    info: RunInfo,
    item_set: ItemSet,
    responses: list[Response],
    scores: tuple[Score, ...],
) -> Report:
    facts = RunFacts(
        title=item_set.card.title or info.benchmark,
        benchmark=info.benchmark,
        model=info.model,
        curves=plugins.curves_of(item_set, scores),
        notes=(*info.notes, *info.judge_notes, *_left_to_judge(item_set, info)),
        provenance=provenance(info),
        judge=info.judge,
        metrics=plugins.metrics(),
    )
    report = build_report(item_set, responses, scores, facts)
    run_folder.write_report_record(folder, report)
    write_report(report, Entry.joined(item_set, responses, scores), folder)
    return report


def _left_to_judge(item_set: ItemSet, info: RunInfo) -> tuple[str, ...]:
    n_waiting = sum(needs_judge(item) for item in item_set.items) if not info.judge else 0
    if not n_waiting:
        return ()
    return (
        f"{n_waiting} open answers and descriptions are kept but not judged: no judge was named. "
        "To have them judged without asking the model again: eyechart score RUN --judge ADDRESS",
    )


def _with_verdicts(folder: Path, info: RunInfo) -> tuple[RunInfo, list[Response]]:
    """What an earlier run in this folder was judged, which a run without a judge keeps."""
    before = run_folder.read_info(folder)
    if not before.judge or not (folder / "responses.jsonl").is_file():
        return info, []
    try:
        verdicts = [r for r in run_folder.read_responses(folder) if r.role == "judge"]
    except BadInput:  # torn: the answers come from the call log, the verdicts can be asked again
        return info, []
    info = dataclasses.replace(
        info,
        judge=before.judge,
        n_judge_draws=before.n_judge_draws,
        judge_notes=before.judge_notes,
    )
    return info, verdicts


def _refuse_nothing(folder: Path, now: list[Response], before: list[Response]) -> None:
    """Verdicts are not given up for a judge that gave none."""
    answered = [r for r in now if r.role == "judge" and r.failure is None]
    if not answered and any(r.role == "judge" for r in before):
        causes = [r.failure.message for r in now if r.role == "judge" and r.failure]
        raise BadInput(
            f"{folder}: the judge gave no verdict at all ({causes[0] if causes else 'not asked'}); "
            "the earlier verdicts and the report are kept as they were"
        )


def _outcome(
    folder: Path, report: Report, responses: list[Response], asking: _Asking | None = None
) -> Outcome:
    messages = Counter(r.failure.message for r in responses if r.failure is not None)
    told = "".join(f"{message} ({n} times)" for message, n in messages.most_common(1))
    failed_verdicts = sum(r.failure is not None for r in responses if r.role == "judge")
    n_failed = report.counts.get("failed", 0) + failed_verdicts
    if asking is None:
        return Outcome(folder, report, n_failed=n_failed, most_frequent_failure=told)
    n_failed += asking.n_unjudged
    return Outcome(folder, report, asking.tally.n_asked, asking.tally.n_found, n_failed, told)


def _unwatched(responses: Iterator[Response], stage: Stage) -> Iterator[Response]:
    return responses
