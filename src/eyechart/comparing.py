"""Comparing runs on the same items: paired differences, exact McNemar, Holm over all pairs.

In: run folders. Out: a `Comparison`, and its page, tables and figures in a folder.
Only items that every run has, with the same question, pictures and answer, are compared.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyechart import plugins, run_folder
from eyechart.errors import BadInput
from eyechart.items import ItemSet
from eyechart.metrics.arrays import Floats
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, Jackknife, interval_of, jackknife
from eyechart.metrics.paired import holm, mcnemar_exact, paired_difference
from eyechart.metrics.srcc import srcc
from eyechart.records import JUDGED_KINDS, Cell, Item, Picture, Score
from eyechart.report.build import RunFacts, build_report
from eyechart.report.compare_page import write_comparison
from eyechart.report.comparison import Comparison, Pair, RunResult
from eyechart.report.counting import of_first_judge
from eyechart.report.formatting import plural
from eyechart.report.samples import Row, Sample, counted, is_pooled, samples_of
from eyechart.report.write import refuse_run_folder
from eyechart.run_folder import RunInfo
from eyechart.strategies import strategy


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    info: RunInfo
    items: ItemSet
    scores: tuple[Score, ...]


def compare(runs: Sequence[Path | str], *, out: Path | str | None = None) -> Comparison:
    """Compare two or more run folders; write the comparison into the folder `out` if given.

    Differences are of accuracy (unscored counts as wrong), of verdicts (likewise, but what was not
    judged is left out) and of rank correlation where items are rated, each with a 95 % interval
    that heeds the items' clusters.

    Raises BadInput for fewer than two runs, a folder without scores, runs that share no items,
    items whose answers are all withheld, or ratings in words beside ratings by probabilities.
    """
    if len(runs) < 2:
        raise BadInput(f"expected two or more run folders to compare, not {len(runs)}")
    loaded = [_load(Path(folder)) for folder in runs]
    shared = _shared(loaded)
    named = _named(loaded)
    named = [_narrowed(run, shared) for run in named]
    samples = [{one.metric: one for one in samples_of(shared, run.scores)} for run in named]
    _refuse_two_protocols(named, samples)
    metric = _metric(samples)
    comparison = Comparison(
        title=shared.card.title or named[0].info.benchmark,
        benchmark=named[0].info.benchmark,
        runs=tuple(_result(r, shared, found) for r, found in zip(named, samples, strict=True)),
        pairs=pairs_of([run.name for run in named], samples),
        n_items=len(shared.items),
        metric=metric,
        notes=_notes(named, shared),
        provenance={run.name: f"{run.info.model} {run.info.revision}".strip() for run in named},
    )
    if out is not None:
        refuse_run_folder(Path(out))
        write_comparison(comparison, Path(out))
    return comparison


def _load(folder: Path) -> _Run:
    item_set = run_folder.read_item_set(folder)
    info = run_folder.read_info(folder)
    return _Run(folder.resolve().name, info, item_set, run_folder.read_scores(folder))


def _named(runs: list[_Run]) -> list[_Run]:
    """Runs are called by their model; by their folder too where a model comes twice."""
    models = Counter(run.info.model for run in runs)

    def name_of(run: _Run) -> str:
        model = run.info.model
        return model if models[model] == 1 else f"{model} ({run.name})"

    return [dataclasses.replace(run, name=name_of(run)) for run in runs]


def _shared(runs: list[_Run]) -> ItemSet:
    first, *others = [{item.id: item for item in run.items.items} for run in runs]
    ids = [i for i in first if all(i in other and _same(first[i], other[i]) for other in others)]
    if not ids:
        raise BadInput(
            f"{', '.join(run.name for run in runs)}: no item is in all of these runs with the same "
            "question, pictures and answer; compare runs of one benchmark, version and seed"
        )
    return ItemSet(runs[0].items.card, tuple(first[i] for i in ids))


def _same(a: Item, b: Item) -> bool:
    asked = (a.kind, a.question, a.options, a.answer, a.mos, len(a.images))
    return asked == (b.kind, b.question, b.options, b.answer, b.mos, len(b.images)) and all(
        map(_same_picture, a.images, b.images)
    )


def _same_picture(a: Picture, b: Picture) -> bool:
    """By digest where both have one, else by name."""
    return a.sha256 == b.sha256 if a.sha256 and b.sha256 else a.name == b.name


def _notes(runs: list[_Run], shared: ItemSet) -> tuple[str, ...]:
    most = max(len(run.items.items) for run in runs)
    left_out = most - len(shared.items)
    told = f"{left_out} items are not in all runs and are left out."
    return (*([told] if left_out else []), *_differences(runs, shared))


def _differences(runs: Sequence[_Run], shared: ItemSet) -> Iterator[str]:
    """A sentence for each way in which the runs asked or judged differently."""
    kinds = {item.kind for item in shared.items}
    for what, (of_kinds, told) in PROTOCOL.items():
        names: dict[str, list[str]] = {}
        for run in runs:
            names.setdefault(told(run.info), []).append(run.name)
        if kinds & of_kinds and len(names) > 1:
            parts = [f"{value} ({', '.join(mine)})" for value, mine in names.items()]
            yield f"The runs differ in {what}: {'; '.join(parts)}."


def _first_judge(info: RunInfo) -> str:
    if not info.judges:
        return "none"
    first = info.judges[0]
    return f"{first.name} with {plural(first.n_draws, 'verdict')} on each reply"


def _refuse_two_protocols(runs: Sequence[_Run], samples: Sequence[Mapping[str, Sample]]) -> None:
    """Raise BadInput for ratings read in words beside ratings read from probabilities."""
    rated = [
        (run.name, strategy(run.info.strategies[0]))
        for run, found in zip(runs, samples, strict=True)
        if any(metric.startswith("srcc_") for metric in found)
    ]
    in_words = [f"{name} rates in words ({how.spec})" for name, how in rated if how.other_protocol]
    others = [
        f"{name} by probabilities ({how.spec})" for name, how in rated if not how.other_protocol
    ]
    if in_words and others:
        raise BadInput(
            f"{in_words[0]} and {others[0]}: two protocols, whose ratings say nothing beside each "
            "other; run one of them again with the other's --strategies, or compare others"
        )


def _narrowed(run: _Run, shared: ItemSet) -> _Run:
    """The run with the scores that are compared: of shared items, by its first judge."""
    ids = {item.id for item in shared.items}
    first = of_first_judge(run.scores, run.info.judge_names)
    scores = _with_whole_verdicts([score for score in first if score.item_id in ids])
    return dataclasses.replace(run, scores=tuple(scores))


def _with_whole_verdicts(scores: Sequence[Score]) -> list[Score]:
    """With a plain verdict, the mean over its rubrics, for each reply that is judged by several."""
    by_item: dict[str, list[Score]] = {}
    for score in scores:
        if score.name.startswith("verdict."):
            by_item.setdefault(score.item_id, []).append(score)
    whole = []
    for item_id, parts in by_item.items():
        values = [part.value for part in parts if part.value is not None]
        lost = next((part for part in parts if part.value is None), None)
        value = None if lost else sum(values) / len(values)
        whole.append(Score(item_id, "verdict", value, lost.why if lost else None))
    return [*scores, *whole]


def _mean_srcc(values: Floats, targets: Floats, databases: Floats, halves: Floats) -> float | None:
    """The plain mean over databases of the rank correlation, of each over its halves."""
    found = []
    for database in np.unique(databases):
        here = databases == database
        parts = [here & (halves == half) for half in np.unique(halves[here])]
        found.append(_mean([srcc(values[part], targets[part]) for part in parts]))
    return _mean(found)


def _mean(values: Sequence[float | None]) -> float | None:
    """The plain mean; None where there is nothing, or one of them is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _ranked(rows: Sequence[Row]) -> Jackknife:
    """The rank correlation of scored rows, over several scales the mean of theirs."""
    columns = [
        [row.value or 0.0 for row in rows],
        [row.target or 0.0 for row in rows],
        _codes([row.scale.database for row in rows]),
        _codes([row.scale.half for row in rows]),
    ]
    return jackknife(_mean_srcc, columns, [row.cluster for row in rows])


def _codes(names: Sequence[str]) -> list[float]:
    """The same names as numbers."""
    code = {name: float(i) for i, name in enumerate(dict.fromkeys(names))}
    return [code[name] for name in names]


def _metric(samples: Sequence[Mapping[str, Sample]]) -> str:
    """The metric to open with: accuracy where there is one."""
    found = [metric for of_run in samples for metric in of_run]
    if not found:
        raise BadInput(
            "nothing to compare: no item of all of these runs has a right answer, an opinion "
            "score or a severity; expected runs of items that have one"
        )
    return "accuracy" if "accuracy" in found else found[0]


def _result(run: _Run, shared: ItemSet, samples: Mapping[str, Sample]) -> RunResult:
    facts = RunFacts(
        shared.card.title, run.info.benchmark, run.info.model, judges=run.info.judge_names
    )
    cells = build_report(shared, [], run.scores, facts).cells
    cells += tuple(cell for one in samples.values() for cell in _mean_cells(one))
    curves_of = plugins.rules_of(run.info.benchmark, shared).curves
    curves = curves_of(shared, run.scores) if curves_of else ()
    return RunResult(run.name, run.info.model, cells, curves)


def _mean_cells(sample: Sample) -> Iterator[Cell]:
    """The means of a sample on several scales: of all of them, and of each database's halves."""
    if not is_pooled(sample):
        return
    yield _mean_cell(sample)
    databases = dict.fromkeys(row.scale.database for row in sample.rows)
    for name in databases if len(databases) > 1 else ():
        part = sample.part(r.position for r in sample.rows if r.scale.database == name)
        if is_pooled(part):
            yield _mean_cell(part, "database", name)


def _mean_cell(sample: Sample, facet: str = "", value: str = "") -> Cell:
    rows = [row for row in sample.rows if row.value is not None]
    estimate = interval_of(_ranked(rows), CORRELATION_BOUNDS)
    return Cell(facet, value, sample.metric, estimate, n_unscored=len(sample.rows) - len(rows))


def pairs_of(names: Sequence[str], samples: Sequence[Mapping[str, Sample]]) -> tuple[Pair, ...]:
    """Every pair of runs, metric by metric; `samples`: each run's own over the same items."""
    pairs: list[Pair] = []
    for metric, paired in PAIRED.items():
        having = [i for i, found in enumerate(samples) if metric in found]
        sides = [_Side(names[i], samples[i][metric], counted(samples[i][metric])) for i in having]
        pairs.extend(paired(sides))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Side:
    """One run's sample of a metric; `values`: what each row counts as, None where left out."""

    name: str
    sample: Sample
    values: list[float | None]


def _accuracy_pairs(sides: list[_Side]) -> list[Pair]:
    """With McNemar's test and Holm's correction over all the pairs."""
    pairs = [_tested(a, b, pair) for a, b, pair in _mean_pairs(sides)]
    adjusted = holm([pair.p_mcnemar for pair in pairs if pair.p_mcnemar is not None])
    return [
        dataclasses.replace(pair, p_holm=float(p)) for pair, p in zip(pairs, adjusted, strict=True)
    ]


def _tested(a: _Side, b: _Side, pair: Pair) -> Pair:
    rows = list(zip(a.values, b.values, strict=True))
    only_a = sum((x or 0.0) > (y or 0.0) for x, y in rows)
    only_b = sum((x or 0.0) < (y or 0.0) for x, y in rows)
    p = mcnemar_exact(only_a, only_b)
    return dataclasses.replace(pair, only_a_right=only_a, only_b_right=only_b, p_mcnemar=p)


def _verdict_pairs(sides: list[_Side]) -> list[Pair]:
    return [pair for _, _, pair in _mean_pairs(sides)]


def _mean_pairs(sides: list[_Side]) -> Iterator[tuple[_Side, _Side, Pair]]:
    for a, b in itertools.combinations(sides, 2):
        rows = [
            (x, y, row.cluster)
            for x, y, row in zip(a.values, b.values, a.sample.rows, strict=True)
            if x is not None and y is not None
        ]
        difference = paired_difference(
            [x for x, _, _ in rows], [y for _, y, _ in rows], [cluster for _, _, cluster in rows]
        )
        yield a, b, Pair(a.name, b.name, a.sample.metric, difference, len(rows))


def _rating_pairs(sides: list[_Side]) -> list[Pair]:
    """Each side is correlated once for each set of items, not for each pair."""
    known: dict[tuple[str, tuple[bool, ...]], Jackknife] = {}

    def ranked(side: _Side, both: tuple[bool, ...]) -> Jackknife:
        if (side.name, both) not in known:
            rows = [row for row, there in zip(side.sample.rows, both, strict=True) if there]
            known[side.name, both] = _ranked(rows)
        return known[side.name, both]

    pairs = []
    for a, b in itertools.combinations(sides, 2):
        rows = zip(a.values, b.values, strict=True)
        both = tuple(x is not None and y is not None for x, y in rows)
        difference = interval_of(ranked(a, both) - ranked(b, both))
        pairs.append(Pair(a.name, b.name, a.sample.metric, difference, sum(both)))
    return pairs


PROTOCOL: dict[str, tuple[frozenset[str], Callable[[RunInfo], str]]] = {
    "the prompt of single choice": (
        frozenset({"single"}),
        lambda info: info.identity.get("choice prompt", "not on file"),
    ),
    "the rating prompt": (
        frozenset({"rate"}),
        lambda info: info.identity.get("rating prompt", "not on file"),
    ),
    "how ratings are read": (frozenset({"rate"}), lambda info: info.strategies[0]),
    "the judge that counts": (JUDGED_KINDS, _first_judge),
}
"""What two runs may do differently, of which kinds of items, and what a run did."""

PAIRED: dict[str, Callable[[list[_Side]], list[Pair]]] = {
    "accuracy": _accuracy_pairs,
    "verdict": _verdict_pairs,
    "srcc_mos": _rating_pairs,
    "srcc_level": _rating_pairs,
}
