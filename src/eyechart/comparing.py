"""Comparing runs on the same items: paired differences, exact McNemar, Holm over all pairs.

In: run folders. Out: a `Comparison`, and its page, tables and figures in a folder.
Only items that every run has, with the same question and answer, are compared.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart import plugins, run_folder
from eyechart.errors import BadInput
from eyechart.items import ItemSet
from eyechart.metrics.paired import (
    holm,
    mcnemar_exact,
    paired_difference,
    paired_pairs_difference,
)
from eyechart.metrics.srcc import srcc
from eyechart.records import Estimate, Item, Score
from eyechart.report.build import RunFacts, build_report
from eyechart.report.compare_page import write_comparison
from eyechart.report.comparison import Comparison, Pair, RunResult
from eyechart.report.samples import Row, Sample, samples_of
from eyechart.run_folder import RunInfo


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    info: RunInfo
    items: ItemSet
    scores: tuple[Score, ...]


def compare(runs: Sequence[Path | str], *, out: Path | str | None = None) -> Comparison:
    """Compare two or more run folders; write the comparison into the folder `out` if given.

    Differences are of accuracy (unscored counts as wrong) and of rank correlation where items are
    rated, each with a 95 % interval of a bootstrap over the items' clusters, paired by item.

    Raises BadInput for fewer than two runs, a folder without scores, or runs that share no items.
    """
    if len(runs) < 2:
        raise BadInput(f"expected two or more run folders to compare, not {len(runs)}")
    loaded = [_load(Path(folder)) for folder in runs]
    shared = _shared(loaded)
    named = _named(loaded)
    samples = [_samples(run, shared) for run in named]
    comparison = Comparison(
        title=shared.card.title or named[0].info.benchmark,
        benchmark=named[0].info.benchmark,
        runs=tuple(_result(run, shared) for run in named),
        pairs=_pairs([run.name for run in named], samples),
        n_items=len(shared.items),
        metric="accuracy" if "accuracy" in samples[0] else next(iter(samples[0])),
        notes=_notes(named, shared),
        provenance={run.name: f"{run.info.model} {run.info.revision}".strip() for run in named},
    )
    if out is not None:
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
            "question and answer; compare runs of one benchmark, version and seed"
        )
    return ItemSet(runs[0].items.card, tuple(first[i] for i in ids))


def _same(a: Item, b: Item) -> bool:
    return (a.kind, a.question, a.options, a.answer) == (b.kind, b.question, b.options, b.answer)


def _notes(runs: list[_Run], shared: ItemSet) -> tuple[str, ...]:
    most = max(len(run.items.items) for run in runs)
    left_out = most - len(shared.items)
    if not left_out:
        return ()
    return (f"{left_out} items are not in all runs and are left out.",)


def _samples(run: _Run, shared: ItemSet) -> dict[str, Sample]:
    ids = {item.id for item in shared.items}
    scores = [score for score in run.scores if score.item_id in ids]
    return {sample.metric: sample for sample in samples_of(shared, scores)}


def _result(run: _Run, shared: ItemSet) -> RunResult:
    ids = {item.id for item in shared.items}
    scores = tuple(score for score in run.scores if score.item_id in ids)
    facts = RunFacts(shared.card.title, run.info.benchmark, run.info.model)
    cells = build_report(shared, [], scores, facts).cells
    return RunResult(run.name, run.info.model, cells, plugins.curves_of(shared, scores))


def _pairs(names: list[str], samples: list[dict[str, Sample]]) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    for metric, pair_of in PAIR_OF.items():
        found = [
            pair_of(names[a], names[b], samples[a][metric], samples[b][metric])
            for a, b in itertools.combinations(range(len(names)), 2)
            if metric in samples[a] and metric in samples[b]
        ]
        pairs.extend(_corrected(found))
    return tuple(pairs)


def _corrected(pairs: list[Pair]) -> list[Pair]:
    """Holm's correction over all the pairs of one metric that were tested."""
    if not pairs or pairs[0].p_mcnemar is None:
        return pairs
    adjusted = holm([pair.p_mcnemar for pair in pairs if pair.p_mcnemar is not None])
    return [
        dataclasses.replace(pair, p_holm=float(p)) for pair, p in zip(pairs, adjusted, strict=True)
    ]


def _accuracy_pair(name_a: str, name_b: str, a: Sample, b: Sample) -> Pair:
    right_a, right_b = [r.value or 0.0 for r in a.rows], [r.value or 0.0 for r in b.rows]
    only_a = sum(x > y for x, y in zip(right_a, right_b, strict=True))
    only_b = sum(x < y for x, y in zip(right_a, right_b, strict=True))
    return Pair(
        name_a,
        name_b,
        a.metric,
        difference=paired_difference(right_a, right_b, [row.cluster for row in a.rows]),
        n=len(a.rows),
        only_a_right=only_a,
        only_b_right=only_b,
        p_mcnemar=mcnemar_exact(only_a, only_b),
    )


def _verdict_pair(name_a: str, name_b: str, a: Sample, b: Sample) -> Pair:
    both = _both_scored(a, b)
    values_a, values_b = [x.value or 0.0 for x, _ in both], [y.value or 0.0 for _, y in both]
    clusters = [x.cluster for x, _ in both]
    difference = paired_difference(values_a, values_b, clusters) if both else UNDEFINED
    return Pair(name_a, name_b, a.metric, difference, len(both))


def _rating_pair(name_a: str, name_b: str, a: Sample, b: Sample) -> Pair:
    both = _both_scored(a, b)
    difference = paired_pairs_difference(
        srcc,
        ([x.value or 0.0 for x, _ in both], [y.value or 0.0 for _, y in both]),
        [x.target or 0.0 for x, _ in both],
        clusters=[x.cluster for x, _ in both],
    )
    return Pair(name_a, name_b, a.metric, difference, len(both))


def _both_scored(a: Sample, b: Sample) -> list[tuple[Row, Row]]:
    rows = zip(a.rows, b.rows, strict=True)
    return [(x, y) for x, y in rows if x.value is not None and y.value is not None]


UNDEFINED = Estimate(None, None, None, 0)
PAIR_OF: dict[str, Callable[[str, str, Sample, Sample], Pair]] = {
    "accuracy": _accuracy_pair,
    "verdict": _verdict_pair,
    "srcc_mos": _rating_pair,
    "srcc_level": _rating_pair,
}
