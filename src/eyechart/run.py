"""A run: items, requests, responses, scores, report, each stage left in the run folder.

In: a benchmark and a model's address. Out: a run folder with a report. Every stage but the asking
can be redone offline from the folder (`rescore`, `rewrite_report`).
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyechart import plugins, run_folder
from eyechart.asking.backend import Backend
from eyechart.benchmarks import Benchmark, Findings, Source, Told
from eyechart.errors import BadInput
from eyechart.items import ItemSet, read_items
from eyechart.prompts import answer_requests, digests
from eyechart.provenance import folder_name, judges_of, judging_told, provenance, run_info
from eyechart.records import JUDGED_KINDS, Item, Picture, Report, Response, Score
from eyechart.report.build import RunFacts, build_report
from eyechart.report.counting import unjudged_share
from eyechart.report.entries import Entry
from eyechart.report.facets import value_of
from eyechart.report.formatting import plural
from eyechart.report.write import write_report
from eyechart.rubrics import rubrics_of
from eyechart.run_folder import JudgeInfo, ResponseWriter, RunInfo
from eyechart.run_settings import RunSettings, fitted
from eyechart.scores import Scoring, score_responses
from eyechart.stages import Asking, Stage, Watch

SUBMISSION = "submission.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `n_failed`: requests without an answer, the judges' included.

    `judge_notes`: why verdicts are missing. `too_many_unjudged`: the judge owes more of them than
    the run allows.
    """

    folder: Path
    report: Report
    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    most_frequent_failure: str = ""
    judge_notes: tuple[str, ...] = ()
    too_many_unjudged: bool = False


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
    judges = [plugins.open_model(address) for address in settings.judges]
    rules = plugins.rules_of(name, item_set)
    settings = fitted(settings, backend, item_set.items, rules)
    folder = Path(out) if out else settings.workspace / folder_name(name, backend.model)
    with run_folder.opened(folder):
        info = run_info(name, item_set, backend, judges, settings)
        earlier = _earlier(folder, info.judge_names)
        info = dataclasses.replace(
            info, judges=(*info.judges, *earlier.judges), setup=earlier.setup
        )
        run_folder.write_info(folder, info)
        items = run_folder.write_items(folder, item_set.items)
        item_set = dataclasses.replace(item_set, items=items)
        with ResponseWriter(folder) as writer:
            asking = Asking(writer, settings, watch)
            _ask_all(asking, item_set, backend, settings)
            setup = {**info.setup, **backend.setup}
            info = dataclasses.replace(info, notes=(*info.notes, *asking.notes), setup=setup)
            told = [asking.judge_or_note(item_set, rules.rubrics, judge) for judge in judges]
            asking.keep(earlier.verdicts)
        info = dataclasses.replace(info, judges=_noted(info.judges, told))
        run_folder.write_info(folder, info)
        return _scored(folder, info, item_set, rules, asking)


def rescore(
    folder: Path | str, *, settings: RunSettings | None = None, watch: Watch | None = None
) -> Outcome:
    """Score a run's responses again; with judges in `settings`, have them grade them first.

    The model itself is not asked. Verdicts of other judges than those in `settings` are kept beside
    the new ones. Raises BadInput where `folder` is no run folder, and CallError where a judge
    cannot be asked: the folder is then as it was.
    """
    folder, settings = Path(folder), settings or RunSettings()
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    rules = plugins.rules_of(info.benchmark, item_set)
    judges = [plugins.open_model(address) for address in settings.judges]
    new = judges_of(judges, settings)
    names = tuple(judge.name for judge in new)
    with run_folder.opened(folder):
        responses = list(run_folder.read_responses(folder))
        with ResponseWriter(folder) as writer:
            asking = Asking(writer, settings, watch)
            asking.keep(r for r in responses if r.role != "judge" or r.model not in names)
            for judge in judges:
                asking.judge(item_set, rules.rubrics, judge)
                _refuse_nothing(folder, judge.model, asking.responses, responses)
        kept = tuple(judge for judge in info.judges if judge.name not in names)
        info = dataclasses.replace(info, judges=(*new, *kept))
        if settings.max_unjudged is not None:
            info = dataclasses.replace(info, max_unjudged=settings.max_unjudged)
        if new:
            asked_now = {name: d for name, d in digests().items() if name.startswith("judge_")}
            info = dataclasses.replace(
                info,
                prompts={**info.prompts, **asked_now},
                settings={**info.settings, **judging_told(settings)},
            )
        run_folder.write_info(folder, info)
        return _scored(folder, info, item_set, rules, asking)


def rewrite_report(folder: Path | str, *, chosen: Sequence[str] = ()) -> Outcome:
    """Write a run's report again from its scores.

    `chosen`: published models to show in the benchmark's figures, its own choice where there are
    none. Raises BadInput where there are no scores, and where a benchmark has no such figures.
    """
    folder = Path(folder)
    info, item_set = run_folder.read_info(folder), run_folder.read_item_set(folder)
    responses = list(run_folder.read_responses(folder))
    with run_folder.opened(folder):
        scores = run_folder.read_scores(folder)
        rules = plugins.rules_of(info.benchmark, item_set)
        rules = _with_chosen(rules, chosen)
        report = _report(folder, info, item_set, rules, responses, scores)
    return _outcome(folder, report, item_set, responses)


def _with_chosen(rules: Benchmark, chosen: Sequence[str]) -> Benchmark:
    """The benchmark with these published models in the figures that it tells."""
    if not chosen:
        return rules
    tell_all = rules.tell_all
    if tell_all is None:
        raise BadInput(
            f"{rules.name or 'these items'}: no figures of published models; leave out --chosen"
        )
    return dataclasses.replace(rules, tell=lambda findings: tell_all([findings], chosen))


def load_items(benchmark: str | Path, settings: RunSettings) -> tuple[str, ItemSet]:
    """A benchmark's name and items: of a plug-in by name, or from a folder or Parquet file.

    Raises UnknownName or BadInput.
    """
    if settings.photos is not None and not settings.photos.exists():
        raise BadInput(f"{settings.photos}: no such folder; --photos names a folder of photographs")
    path = Path(benchmark)
    is_path = path.exists() and str(benchmark) not in plugins.names("benchmarks")
    if is_path and path.suffix != ".py":
        if settings.data or settings.columns or settings.photos:
            raise BadInput(
                f"{path}: an item folder has its own data and columns; leave out --data, --columns "
                "and --photos, or name the benchmark: eyechart run NAME --data FILE"
            )
        item_set = read_items(path)
        name = item_set.card.name
        if check := plugins.rules_of(name, item_set).check:
            check(item_set)
    else:
        name = str(path.resolve()) if is_path else str(benchmark)
        source = Source(
            settings.photos,
            settings.workspace,
            settings.seed,
            settings.max_photos,
            settings.data,
            settings.columns,
        )
        hint = " (and there is no such file or folder)"
        found = plugins.benchmark(name, hint=hint)
        if settings.columns and not found.maps_columns:
            raise BadInput(f"{name}: reads no column map; leave out --columns")
        item_set = found.items(source)
    return name, _chosen(item_set, settings)


def _chosen(item_set: ItemSet, settings: RunSettings) -> ItemSet:
    items = [i for i in item_set.items if not settings.kinds or i.kind in settings.kinds]
    if not items:
        raise BadInput(
            f"{item_set.card.name}: no items of the kinds {', '.join(settings.kinds)}; it has "
            f"{', '.join(sorted({i.kind for i in item_set.items}))}"
        )
    for facet, value in settings.only.items():
        items = _with_value(item_set.card.name, items, facet, value)
    if settings.limit is not None and settings.limit < len(items):
        picked = random.Random(settings.seed).sample(range(len(items)), settings.limit)
        items = [items[i] for i in sorted(picked)]
    return dataclasses.replace(item_set, items=tuple(items))


def _with_value(name: str, items: list[Item], facet: str, value: str) -> list[Item]:
    kept = [item for item in items if value_of(item, facet) == value]
    if not kept:
        values = sorted({value_of(item, facet) for item in items} - {""})
        shown = ", ".join(values[:20]) if values else "none: it has no such facet"
        raise BadInput(f"{name}: no items with {facet}={value}; its values there are {shown}")
    return kept


def _ask_all(asking: Asking, item_set: ItemSet, backend: Backend, settings: RunSettings) -> None:
    form, sampling = settings.form, settings.sampling
    items = item_set.items if backend.window is None else _neighbours(item_set.items)
    n_requests = sum(1 for _ in answer_requests(items, form=form, sampling=sampling))
    requests = answer_requests(items, form=form, sampling=sampling)
    stage = Stage("asking", n_requests, asking.tally, backend)
    asking.ask(stage, requests, backend, settings.ask)


def _neighbours(items: Sequence[Item]) -> Sequence[Item]:
    """Items of the same pictures next to each other: a local model then looks at them once."""
    first: dict[tuple[Picture, ...], int] = {}
    return sorted(items, key=lambda item: first.setdefault(item.images, len(first)))


def _scored(
    folder: Path, info: RunInfo, item_set: ItemSet, rules: Benchmark, asking: Asking
) -> Outcome:
    scoring = Scoring(
        rules.rubrics,
        {judge.name: judge.n_draws for judge in info.judges},
        info.also,
        info.strategies,
    )
    responses = asking.responses
    scores = score_responses(item_set.items, responses, scoring)
    run_folder.write_scores(folder, scores)
    report = _report(folder, info, item_set, rules, responses, scores)
    outcome = _outcome(folder, report, item_set, responses)
    too_many = unjudged_share(item_set, scores, info.judge_names) > info.max_unjudged
    return dataclasses.replace(
        outcome,
        judge_notes=(*info.judge_notes, *_unread(scores)),
        n_asked=asking.tally.n_asked,
        n_found=asking.tally.n_found,
        n_failed=outcome.n_failed + asking.n_unjudged,
        too_many_unjudged=bool(info.judges) and too_many,
    )


def _unread(scores: Iterable[Score]) -> tuple[str, ...]:
    """Why judged replies have no verdict, the most frequent cause."""
    lost = Counter(s.detail for s in scores if s.judge and s.why == "unjudged")
    return tuple(
        f"{plural(n, 'reply', 'replies')} without a verdict, most often: {why}"
        for why, n in lost.most_common(1)
    )


def _report(
    folder: Path,
    info: RunInfo,
    item_set: ItemSet,
    rules: Benchmark,
    responses: list[Response],
    scores: tuple[Score, ...],
) -> Report:
    begun = info.identity.get("rating prompt") != "one-word"
    findings = Findings(
        item_set, responses, scores, info.model, info.judge_names, info.strategies, begun
    )
    told = rules.tell(findings) if rules.tell else Told()
    facts = RunFacts(
        title=item_set.card.title or info.benchmark,
        benchmark=info.benchmark,
        model=info.model,
        curves=rules.curves(item_set, scores) if rules.curves else (),
        tables=told.tables,
        charts=told.charts,
        overall=rules.overall,
        rubrics=rules.rubrics,
        order=rules.sizes,
        lead=told.lead,
        notes=(
            *info.notes,
            *info.judge_notes,
            *_left_to_judge(item_set, info, rules),
            *told.notes,
            *_to_send_in(folder, told.submission),
        ),
        provenance=provenance(info),
        judges=info.judge_names,
        max_unjudged=info.max_unjudged,
        metrics=plugins.metrics(),
    )
    report = build_report(item_set, responses, scores, facts)
    run_folder.write_report_record(folder, report)
    write_report(report, Entry.joined(item_set, responses, scores), folder)
    return report


def _left_to_judge(item_set: ItemSet, info: RunInfo, rules: Benchmark) -> tuple[str, ...]:
    judged = [i for i in item_set.items if i.kind in JUDGED_KINDS and rubrics_of(i, rules.rubrics)]
    if info.judges or not judged:
        return ()
    return (
        f"{len(judged)} open answers and descriptions are kept but not judged: no judge was named. "
        "To have them judged without asking the model again: eyechart score RUN --judge ADDRESS",
    )


def _to_send_in(folder: Path, text: str | None) -> tuple[str, ...]:
    """Write what is to be sent in where answers are withheld, and say so."""
    if text is None:
        return ()
    run_folder.write_whole(folder / SUBMISSION, text.encode("utf-8", "backslashreplace"))
    return (
        f"Some right answers are withheld; {SUBMISSION} in the run folder holds the replies in the "
        "form in which the benchmark's authors take them.",
    )


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What an earlier run in this folder leaves to this one: its other judges, what it ran on."""

    judges: tuple[JudgeInfo, ...] = ()
    verdicts: tuple[Response, ...] = ()
    setup: Mapping[str, str] = field(default_factory=dict)


def _earlier(folder: Path, names: Sequence[str]) -> _Earlier:
    """What to keep of an earlier run, but for the judges of these names."""
    if not (folder / "run.json").is_file() or not (folder / "responses.jsonl").is_file():
        return _Earlier()
    info = run_folder.read_info(folder)
    kept = tuple(one for one in info.judges if one.name not in names)
    known = {judge.name for judge in kept}
    try:
        responses = list(run_folder.read_responses(folder))
    except BadInput:  # torn: the answers come from the call log, the verdicts can be asked again
        return _Earlier(setup=info.setup)
    verdicts = [r for r in responses if r.role == "judge" and r.model in known]
    return _Earlier(kept, tuple(verdicts), info.setup)


def _noted(judges: Sequence[JudgeInfo], told: Sequence[tuple[str, ...]]) -> tuple[JudgeInfo, ...]:
    """The judges, the first ones with what there is to tell of their judging."""
    notes = [*told, *[one.notes for one in judges[len(told) :]]]
    return tuple(dataclasses.replace(one, notes=n) for one, n in zip(judges, notes, strict=True))


def _refuse_nothing(folder: Path, judge: str, now: list[Response], before: list[Response]) -> None:
    """Verdicts are not given up for a judge that gave none."""
    given = [r for r in now if r.role == "judge" and r.model == judge]
    if any(r.failure is None for r in given) or not any(r.role == "judge" for r in before):
        return
    causes = [r.failure.message for r in given if r.failure]
    raise BadInput(
        f"{folder}: the judge gave no verdict at all ({causes[0] if causes else 'not asked'}); "
        "the earlier verdicts and the report are kept as they were"
    )


def _outcome(folder: Path, report: Report, item_set: ItemSet, responses: list[Response]) -> Outcome:
    messages = Counter(r.failure.message for r in responses if r.failure is not None)
    told = "".join(f"{message} ({n} times)" for message, n in messages.most_common(1))
    asked = {r.item_id for r in responses if r.role == "answer"}
    n_missing = sum(item.id not in asked for item in item_set.items)
    n_failed = messages.total() + n_missing
    return Outcome(folder, report, n_failed=n_failed, most_frequent_failure=told)
