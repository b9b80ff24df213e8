"""A run: items, requests, responses, scores, report, each stage left in the run folder.

In: a benchmark and a model's address. Out: a run folder with a report. Every stage but the asking
can be redone offline from the folder (`rescore`, `rewrite_report`).
"""

from __future__ import annotations

import dataclasses
import os
import platform
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eyechart import plugins, run_folder
from eyechart.asking import AskSettings, CallLog, Tally, ask
from eyechart.asking.backend import Backend
from eyechart.benchmarks import Source
from eyechart.errors import BadInput
from eyechart.items import ItemSet, read_items
from eyechart.prompts import (
    Judging,
    PromptForm,
    answer_requests,
    digests,
    judge_requests,
    needs_judge,
)
from eyechart.records import Kind, Report, Request, Response, Sampling, Score
from eyechart.report.build import RunFacts, build_report
from eyechart.report.entries import Entry
from eyechart.report.write import write_report
from eyechart.run_folder import ResponseWriter, RunInfo
from eyechart.scores import score_responses

CALL_LOG = "calls.sqlite"
UNSCORED_RULE = "an unscored question counts as wrong in accuracy"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run. `judge`: address of the judge model, "" for none. `kinds`: only these ("all" if
    empty). `limit`: a random sample of so many items, by `seed`. `photos`: photographs for a
    benchmark that is made of them. `workspace`: holds the call log and what is made on the way.
    """

    judge: str = ""
    judging: Judging = Judging()
    form: PromptForm = PromptForm()
    sampling: Sampling = Sampling()
    ask: AskSettings = AskSettings()
    kinds: tuple[Kind, ...] = ()
    limit: int | None = None
    seed: int = 0
    photos: Path | None = None
    max_photos: int | None = None
    workspace: Path = Path("runs")


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


@dataclass(frozen=True, slots=True)
class _Asked:
    responses: list[Response] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)


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
    settings = fitted(settings, backend)
    folder = Path(out) if out else settings.workspace / _folder_name(name, backend.model)
    with run_folder.opened(folder):
        info = _info(name, item_set, backend, settings)
        run_folder.write_info(folder, info)
        items = run_folder.write_items(folder, item_set.items)
        item_set = dataclasses.replace(item_set, items=items)
        with CallLog(settings.workspace / CALL_LOG) as log:
            asked = _ask_all(folder, item_set, backend, log, settings, watch or _unwatched)
        info = dataclasses.replace(info, notes=(*info.notes, *_notes(asked.tallies)))
        run_folder.write_info(folder, info)
        report = _finish(folder, info, item_set, asked.responses)
    return _outcome(folder, report, asked)


def rescore(
    folder: Path | str, *, settings: RunSettings | None = None, watch: Watch | None = None
) -> Outcome:
    """Score a run's responses again; with a judge in `settings`, have it grade them first.

    The model itself is not asked. Raises BadInput where `folder` is no run folder.
    """
    folder, settings = Path(folder), settings or RunSettings()
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    with run_folder.opened(folder):
        asked = _Asked(list(run_folder.read_responses(folder)))
        if settings.judge:
            kept = [r for r in asked.responses if r.role != "judge"]
            asked = _Asked(kept)
            info = dataclasses.replace(info, judge=plugins.open_model(settings.judge).model)
            writer = ResponseWriter(folder, keep=kept)
            try:
                with CallLog(settings.workspace / CALL_LOG) as log:
                    _judge(item_set, asked, writer, log, settings, watch or _unwatched)
            finally:
                writer.close()
            run_folder.write_info(folder, info)
        report = _finish(folder, info, item_set, asked.responses)
    return _outcome(folder, report, asked)


def rewrite_report(folder: Path | str) -> Outcome:
    """Write a run's report again from its scores. Raises BadInput where there are none."""
    folder = Path(folder)
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    responses = list(run_folder.read_responses(folder))
    with run_folder.opened(folder):
        report = _report(folder, info, item_set, responses, run_folder.read_scores(folder))
    return Outcome(folder, report)


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
        item_set = plugins.benchmark(name).items(source)
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


def fitted(settings: RunSettings, backend: Backend) -> RunSettings:
    """Begun answers become one-word questions for a model that cannot go on from them."""
    if backend.continues or settings.form.rate != "begun":
        return settings
    return dataclasses.replace(settings, form=PromptForm(rate="one-word"))


def _ask_all(
    folder: Path,
    item_set: ItemSet,
    backend: Backend,
    log: CallLog,
    settings: RunSettings,
    watch: Watch,
) -> _Asked:
    asked = _Asked()
    requests = answer_requests(item_set.items, form=settings.form, sampling=settings.sampling)
    writer = ResponseWriter(folder)
    try:
        tally = Tally()
        asked.tallies.append(tally)
        responses = ask(requests, backend, log=log, settings=settings.ask, tally=tally)
        stage = Stage("asking", len(item_set.items), tally)
        _keep(watch(responses, stage), asked, writer)
        if settings.judge:
            _judge(item_set, asked, writer, log, settings, watch)
    finally:
        writer.close()
    return asked


def _judge(
    item_set: ItemSet,
    asked: _Asked,
    writer: ResponseWriter,
    log: CallLog,
    settings: RunSettings,
    watch: Watch,
) -> None:
    by_id = {item.id: item for item in item_set.items}
    answers = list(asked.responses)
    requests: list[Request] = list(judge_requests(by_id, answers, judging=settings.judging))
    if not requests:
        return
    tally = Tally()
    asked.tallies.append(tally)
    judge = plugins.open_model(settings.judge)
    responses = ask(requests, judge, log=log, settings=settings.ask, tally=tally)
    _keep(watch(responses, Stage("judging", len(requests), tally)), asked, writer)


def _keep(responses: Iterable[Response], asked: _Asked, writer: ResponseWriter) -> None:
    for response in responses:
        writer.add(response)
        asked.responses.append(response)


def _finish(
    folder: Path, info: RunInfo, item_set: ItemSet, responses: list[Response]
) -> Report:
    scores = score_responses(item_set.items, responses)
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
        notes=(*info.notes, *_left_to_judge(item_set, info, scores)),
        provenance=_provenance(info),
        judge=info.judge,
    )
    report = build_report(item_set, responses, scores, facts)
    write_report(report, Entry.joined(item_set, responses, scores), folder)
    return report


def _left_to_judge(item_set: ItemSet, info: RunInfo, scores: tuple[Score, ...]) -> tuple[str, ...]:
    n_waiting = sum(needs_judge(item) for item in item_set.items) if not info.judge else 0
    if not n_waiting:
        return ()
    return (
        f"{n_waiting} open answers and descriptions are kept but not judged: no judge was named. "
        "`eyechart score RUN --judge ADDRESS` has them judged without asking the model again.",
    )


def _notes(tallies: list[Tally]) -> list[str]:
    changed = [(how, n) for tally in tallies for how, n in sorted(tally.changed.items())]
    return [f"{n} pictures were not sent as they are: {how}." for how, n in changed]


def _outcome(folder: Path, report: Report, asked: _Asked) -> Outcome:
    n_asked = sum(tally.n_asked for tally in asked.tallies)
    n_found = sum(tally.n_found for tally in asked.tallies)
    n_failed = sum(response.failure is not None for response in asked.responses)
    return Outcome(folder, report, n_asked, n_found, n_failed)


def _info(name: str, item_set: ItemSet, backend: Backend, settings: RunSettings) -> RunInfo:
    card = item_set.card
    chosen = f"kinds {','.join(settings.kinds) or 'all'}, limit {settings.limit}, seed {settings.seed}"
    sampling = settings.sampling
    return RunInfo(
        benchmark=name,
        model=backend.model,
        revision=backend.revision,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        identity={
            "benchmark": f"{name} {card.version}".strip(),
            "items": card.digest or f"{len(item_set.items)} items",
            "model": f"{backend.model} {backend.revision}".strip(),
            "chosen": chosen,
            "sampling": f"temperature {sampling.temperature}, top_p {sampling.top_p}, "
            f"max_tokens {sampling.max_tokens}",
            "rating prompt": settings.form.rate,
            "max pixels": str(settings.ask.max_pixels or "as the files are"),
        },
        card=card,
        judge=plugins.open_model(settings.judge).model if settings.judge else "",
        settings={
            "concurrency": str(settings.ask.concurrency),
            "attempts": str(settings.ask.attempts),
            "judge draws": str(settings.judging.n_draws) if settings.judge else "",
        },
        versions=_versions(),
        prompts=digests(),
        notes=card.notes,
    )


def _versions() -> dict[str, str]:
    told = {"python": platform.python_version(), "platform": platform.system()}
    for package in ("eyechart", "numpy", "scipy", "pillow", "aiohttp"):
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = "not installed"
    return told


def _provenance(info: RunInfo) -> dict[str, str]:
    card = info.card
    told = {
        "started": info.started,
        **info.identity,
        "licence": card.licence,
        "citation": card.citation,
        "judge": info.judge,
        "rule": UNSCORED_RULE,
        **info.settings,
        **{f"prompt {name}": digest for name, digest in info.prompts.items()},
        **info.versions,
    }
    return {name: value for name, value in told.items() if value}


def _folder_name(benchmark: str, model: str) -> str:
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    short = re.sub(r"[^A-Za-z0-9.]+", "-", f"{benchmark}-{model.rpartition('/')[2]}").strip("-.")
    return f"{short[:80]}-{time}-{os.getpid()}"


def _unwatched(responses: Iterator[Response], stage: Stage) -> Iterator[Response]:
    return responses
