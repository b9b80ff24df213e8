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
from eyechart.people import People, people_of
from eyechart.records import Table
from eyechart.report.build import RunFacts, cells_of
from eyechart.report.compare_page import write_comparison
from eyechart.report.comparison import Comparison, RunResult
from eyechart.report.samples import Sample, overall_of, samples_of
from eyechart.report.write import refuse_run_folder

ITEMS_FILE = "items.csv"
MARKED = ("overall", "accuracy", "verdict")


def compare(
    runs: Sequence[Path | str],
    *,
    out: Path | str | None = None,
    people: Path | str | None = None,
    chosen: Sequence[str] = (),
) -> Comparison:
    """Compare two or more run folders; write the comparison into the folder `out` if given.

    Differences are of accuracy (unscored counts as wrong), of verdicts (likewise, but what was not
    judged is left out), of the mean over both where that is the benchmark's figure, and of rank
    correlation where items are rated, each with a 95 % interval that heeds the items' clusters.
    `people`: a CSV file of people's answers to these items, who are then one more side, over those
    that they answered. `chosen`: published models to show in a benchmark's figures, its own
    choice where there are none.

    Raises BadInput for fewer than two sides, a folder without scores, runs that share no items,
    items whose answers are all withheld, or ratings in words beside ratings by probabilities.
    """
    if len(runs) + (people is not None) < 2 or not runs:
        raise BadInput(
            f"expected two or more run folders to compare, not {len(runs)}; or one, and people's "
            "answers with --people"
        )
    loaded = named(read_entrants([Path(folder) for folder in runs]))
    shared = shared_items(loaded)
    entrants = [narrowed(run, shared) for run in loaded]
    answered = None if people is None else _people(shared, Path(people))
    comparison = _compared(entrants, shared, answered, chosen)
    notes = (*notes_of(loaded, shared), *comparison.notes)
    comparison = dataclasses.replace(comparison, notes=notes)
    if out is not None:
        refuse_run_folder(Path(out))
        write_comparison(comparison, Path(out))
    return comparison


def _people(shared: ItemSet, file: Path) -> People:
    """People's answers to the shared items. Raises BadInput where they only rated images."""
    found = people_of(shared, file)
    if not found.scores:
        raise BadInput(
            f"{file}: people rated images here, which is neither right nor wrong; expected their "
            "answers to questions that a run has"
        )
    return found


def _compared(
    runs: Sequence[Entrant], shared: ItemSet, people: People | None, chosen: Sequence[str]
) -> Comparison:
    first = runs[0].info
    rules = plugins.rules_of(first.benchmark, shared)
    if chosen and rules.tell_all is None:
        raise BadInput(f"{first.benchmark}: no figures of published models; leave out --chosen")
    samples = [_samples(run, shared, rules) for run in runs]
    metric = _metric(samples)
    if people is not None:
        beside = people_as_entrant(people, first.benchmark, shared)
        runs = (*runs, beside)
        samples.append(_samples(beside, shared, rules))
    refuse_two_protocols(runs, samples)
    told = rules.tell_all(_findings(runs, shared), chosen) if rules.tell_all else Told()
    analysis = _analysed(runs, shared, rules) if metric in MARKED else None
    return Comparison(
        title=shared.card.title or first.benchmark,
        benchmark=first.benchmark,
        runs=tuple(_result(run, found, rules) for run, found in zip(runs, samples, strict=True)),
        pairs=pairs_of([run.name for run in runs], samples),
        n_items=len(shared.items),
        metric=metric,
        notes=(
            *_not_overall(runs, samples, rules),
            *told.notes,
            *(people.notes if people else ()),
        ),
        provenance={
            run.name: f"{run.info.model} {run.info.revision}".strip()
            for run in runs
            if not run.people
        },
        tables=(*told.tables, *(people.tables if people else ()), *_item_tables(analysis)),
        charts=told.charts,
        lead=f"{told.lead} {_two_judges(runs)}".strip() if told.lead else "",
        files={ITEMS_FILE: analysis.items_csv} if analysis else {},
    )


def _two_judges(runs: Sequence[Entrant]) -> str:
    """That open answers were not all graded by one judge; "" where they were."""
    judges = {run.info.judge_names[:1] for run in runs if not run.people}
    return "Their open answers were graded by different judges." if len(judges) > 1 else ""


def _not_overall(
    runs: Sequence[Entrant], samples: Sequence[Mapping[str, Sample]], rules: Benchmark
) -> tuple[str, ...]:
    """Why the benchmark's figure is not what the runs are compared by; nothing where it is."""
    sides = zip(runs, samples, strict=True)
    without = [run.name for run, found in sides if not run.people and "overall" not in found]
    if not rules.overall or not without or not any("verdict" in found for found in samples):
        return ()
    have = "have" if len(without) > 1 else "has"
    return (
        f"{', '.join(without)} {have} no verdict on any open question: closed questions alone are "
        "compared, not the mean over all.",
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


def _analysed(runs: Sequence[Entrant], shared: ItemSet, rules: Benchmark) -> Analysis:
    answered = [Answered(run.name, run.scores, run.people) for run in runs]
    return analyse(shared, answered, order=rules.sizes)


def _item_tables(analysis: Analysis | None) -> tuple[Table, ...]:
    """The tables of the items; the first opens with what they come to."""
    if analysis is None:
        return ()
    first, *others = analysis.tables
    told = " ".join((analysis.headline, *analysis.notes, first.note))
    return (dataclasses.replace(first, note=told), *others)


def _samples(run: Entrant, shared: ItemSet, rules: Benchmark) -> dict[str, Sample]:
    """What each metric is computed from, over those of the shared items that the side has."""
    ids = {item.id for item in run.items.items}
    own = [place for place, item in enumerate(shared.items) if item.id in ids]
    found = [sample.part(own) for sample in samples_of(shared, run.scores)]
    overall = overall_of(found) if rules.overall else None
    closed = next((one for one in found if one.metric == "accuracy"), None)
    if rules.overall and run.people and overall is None and closed:
        overall = dataclasses.replace(closed, metric="overall")  # nobody answered open ones
    return {one.metric: one for one in (*([overall] if overall else []), *found) if one.rows}


def _metric(samples: Sequence[Mapping[str, Sample]]) -> str:
    """The metric to open with: that over all questions where every run has it, else accuracy."""
    found = [metric for of_run in samples for metric in of_run]
    if not found:
        raise BadInput(
            "nothing to compare: no item of all of these runs has a right answer, an opinion "
            "score or a severity; expected runs of items that have one"
        )
    if all("overall" in of_run for of_run in samples):
        return "overall"
    return "accuracy" if "accuracy" in found else found[0]


def _result(run: Entrant, samples: Mapping[str, Sample], rules: Benchmark) -> RunResult:
    items, info = run.items, run.info
    facts = RunFacts(
        items.card.title,
        info.benchmark,
        info.model,
        judges=info.judge_names,
        overall=rules.overall,
        order=rules.sizes,
    )
    cells = cells_of(items, run.scores, facts)
    if "overall" in samples and "verdict" not in samples:
        cells += tuple(
            dataclasses.replace(cell, metric="overall")
            for cell in cells
            if cell.metric == "accuracy"
        )
    cells += tuple(cell for one in samples.values() for cell in mean_cells(one))
    curves = rules.curves(items, run.scores) if rules.curves else ()
    return RunResult(run.name, info.model, cells, curves, run.people)
