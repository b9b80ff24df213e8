"""Comparing runs on the same items: who is ahead, by how much, and where all of them fail.

In: run folders, and people's answers where there are any. Out: a `Comparison`, and its page, tables
and figures in a folder. Only items that every side has, with the same question, pictures and
answer, are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from eyechart import plugins
from eyechart.benchmarks import Benchmark, Findings, Told
from eyechart.comparing.pairs import mean_cells, pairs_of
from eyechart.comparing.runs import (
    Entrant,
    named,
    narrowed,
    notes_of,
    people_as_entrant,
    read_entrants,
    refuse_two_protocols,
    shared_items,
)
from eyechart.errors import BadInput
from eyechart.item_analysis import Analysis, Answered, analyse
from eyechart.items import ItemSet
from eyechart.people import people_of
from eyechart.records import Table
from eyechart.report.build import RunFacts, cells_of
from eyechart.report.compare_page import write_comparison
from eyechart.report.comparison import Comparison, RunResult
from eyechart.report.samples import Sample, samples_of
from eyechart.report.write import refuse_run_folder

ITEMS_FILE = "items.csv"
MARKED = ("accuracy", "verdict")


def compare(
    runs: Sequence[Path | str],
    *,
    out: Path | str | None = None,
    people: Path | str | None = None,
    chosen: Sequence[str] = (),
) -> Comparison:
    """Compare two or more run folders; write the comparison into the folder `out` if given.

    Differences are of accuracy (unscored counts as wrong), of verdicts (likewise, but what was not
    judged is left out) and of rank correlation where items are rated, each with a 95 % interval
    that heeds the items' clusters. `people`: a CSV file of people's answers to the same items, who
    are then one more side. `chosen`: published models to show in a benchmark's figures, its own
    choice where there are none.

    Raises BadInput for fewer than two sides, a folder without scores, runs that share no items,
    items whose answers are all withheld, or ratings in words beside ratings by probabilities.
    """
    if len(runs) + (people is not None) < 2 or not runs:
        raise BadInput(
            f"expected two or more run folders to compare, not {len(runs)}; or one, and people's "
            "answers with --people"
        )
    loaded = read_entrants([Path(folder) for folder in runs])
    told = Told()
    if people is not None:
        found = people_of(loaded[0].items, Path(people))
        if not found.scores:
            raise BadInput(
                f"{people}: people rated images here, which is neither right nor wrong; expected "
                "their answers to questions that a run has"
            )
        loaded.append(people_as_entrant(found, loaded[0]))
        told = Told(tables=found.tables, notes=found.notes)
    shared = shared_items(loaded)
    entrants = [narrowed(run, shared) for run in named(loaded)]
    comparison = _compared(entrants, shared, told, chosen)
    if out is not None:
        refuse_run_folder(Path(out))
        write_comparison(comparison, Path(out))
    return comparison


def _compared(
    runs: Sequence[Entrant], shared: ItemSet, people: Told, chosen: Sequence[str]
) -> Comparison:
    samples = [{one.metric: one for one in samples_of(shared, run.scores)} for run in runs]
    refuse_two_protocols(runs, samples)
    first = runs[0].info
    metric = _metric(samples)
    rules = plugins.rules_of(first.benchmark, shared)
    told = rules.tell_all(_findings(runs, shared), chosen) if rules.tell_all else Told()
    analysis = _analysed(runs, shared, metric)
    return Comparison(
        title=shared.card.title or first.benchmark,
        benchmark=first.benchmark,
        runs=tuple(
            _result(run, shared, found, rules) for run, found in zip(runs, samples, strict=True)
        ),
        pairs=pairs_of([run.name for run in runs], samples),
        n_items=len(shared.items),
        metric=metric,
        notes=(*notes_of(runs, shared), *told.notes, *people.notes),
        provenance={
            run.name: f"{run.info.model} {run.info.revision}".strip()
            for run in runs
            if not run.people
        },
        tables=(*told.tables, *people.tables, *_item_tables(analysis)),
        charts=told.charts,
        lead=told.lead,
        files={ITEMS_FILE: analysis.items_csv} if analysis else {},
    )


def _findings(runs: Sequence[Entrant], shared: ItemSet) -> list[Findings]:
    """Each side as its benchmark sees it, over the shared items."""
    return [
        Findings(
            shared,
            (),
            run.scores,
            run.name,
            run.info.judge_names,
            run.info.strategies,
            people=run.people,
        )
        for run in runs
    ]


def _analysed(runs: Sequence[Entrant], shared: ItemSet, metric: str) -> Analysis | None:
    """What every question did to the models; None where there are only ratings."""
    if metric not in MARKED:
        return None
    return analyse(shared, [Answered(run.name, run.scores, run.people) for run in runs])


def _item_tables(analysis: Analysis | None) -> tuple[Table, ...]:
    """The tables of the items; the first opens with what they come to."""
    if analysis is None:
        return ()
    first, *others = analysis.tables
    told = " ".join((analysis.headline, *analysis.notes, first.note))
    return (dataclasses.replace(first, note=told), *others)


def _metric(samples: Sequence[Mapping[str, Sample]]) -> str:
    """The metric to open with: accuracy where there is one."""
    found = [metric for of_run in samples for metric in of_run]
    if not found:
        raise BadInput(
            "nothing to compare: no item of all of these runs has a right answer, an opinion "
            "score or a severity; expected runs of items that have one"
        )
    return "accuracy" if "accuracy" in found else found[0]


def _result(
    run: Entrant, shared: ItemSet, samples: Mapping[str, Sample], rules: Benchmark
) -> RunResult:
    facts = RunFacts(
        shared.card.title, run.info.benchmark, run.info.model, judges=run.info.judge_names
    )
    cells = cells_of(shared, run.scores, facts)
    cells += tuple(cell for one in samples.values() for cell in mean_cells(one))
    curves = rules.curves(shared, run.scores) if rules.curves else ()
    return RunResult(run.name, run.info.model, cells, curves)
