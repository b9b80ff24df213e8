"""How many items each part of a benchmark has: as published, or counted in items or runs.

In: a benchmark's name, items, or run folders. Out: `Sized`, with the runs' marks where there are
several. Computes no difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eyechart import plugins, run_folder
from eyechart.benchmarks import Benchmark
from eyechart.comparing.runs import Entrant, named, narrowed, notes_of, read_entrants, shared_items
from eyechart.errors import BadInput
from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.arrays import Floats
from eyechart.metrics.power import ALPHA, POWER
from eyechart.records import CLOSED_KINDS, JUDGED_KINDS, Item
from eyechart.report.facets import crossings_of, facets_of
from eyechart.report.formatting import plural
from eyechart.report.samples import marks_of
from eyechart.run import load_items
from eyechart.run_settings import RunSettings

Sizes = Mapping[str, Mapping[str, int]]
AS_PUBLISHED = "The sizes are as published; no data were read."
RIGHT_OR_WRONG = "Open questions are taken as right or wrong, without half marks."
DEPENDENT = (
    "Several questions are about one photograph; they tell less than as many that are not, so that "
    "differences must be larger than these to show."
)


@dataclass(frozen=True, slots=True)
class PowerSettings:
    """What is asked. `accuracy`, the two models' mean, in (0, 1), and `correlation` of their marks
    on the same questions, -1 to 1: None has them estimated from runs, or else assumed.

    `power`: how often a difference must be found; `alpha`: the test's level. `data`, `columns`,
    `photos`, `workspace`: as in `RunSettings`, for a benchmark that is known by its data.
    """

    accuracy: float | None = None
    correlation: float | None = None
    power: float = POWER
    alpha: float = ALPHA
    data: tuple[str, ...] = ()
    columns: Path | None = None
    photos: Path | None = None
    workspace: Path = Path("runs")


@dataclass(frozen=True, slots=True)
class Sized:
    """A benchmark's sizes, by facet and value ("" for all), and what to know of them.

    `marks` [runs, items], 0 to 1, of the `models` that are measured on these items, where there are
    two or more.
    """

    benchmark: str
    title: str
    sizes: Sizes
    notes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    marks: Floats = field(default_factory=lambda: np.empty((0, 0)))


def sizes_of(target: str, settings: PowerSettings) -> Sized:
    """The sizes of one target: as published, or counted in its items. Raises as `power_of`."""
    if (Path(target) / "run.json").is_file():
        _refuse_data(target, settings)
        item_set = run_folder.read_item_set(Path(target))
        name = run_folder.read_info(Path(target)).benchmark
        return _of_items(target, item_set, plugins.rules_of(name, item_set))
    if target in plugins.names("benchmarks") or target.endswith(".py"):
        found = plugins.benchmark(target)
        _refuse_without_data(target, found, settings)
        if found.sizes and not settings.data and not settings.photos:
            judged = JUDGED_KINDS & found.sizes.get("kind", {}).keys()
            notes = (AS_PUBLISHED, *([RIGHT_OR_WRONG] if judged else []))
            return Sized(found.name, found.title, found.sizes, notes)
    reading = RunSettings(
        data=settings.data,
        columns=settings.columns,
        photos=settings.photos,
        workspace=settings.workspace,
    )
    name, item_set = load_items(target, reading)
    return _of_items(name, item_set, plugins.rules_of(name, item_set))


def _refuse_without_data(name: str, found: Benchmark, settings: PowerSettings) -> None:
    """Raise BadInput for a benchmark that needs data, or settings that do, where none are named."""
    if settings.data:
        return
    if settings.columns:
        raise BadInput(
            f"{name}: --columns {settings.columns} says what --data call their columns; "
            "name the data with --data, or leave out --columns"
        )
    if found.make is None and settings.photos:
        raise BadInput(
            f"{name}: --photos {settings.photos} is where photographs that --data name lie; "
            "name the data with --data, or leave out --photos"
        )
    if found.make is None and not found.sizes:
        raise BadInput(
            f"{name}: its sizes are not known without its data; name them with --data as in "
            "`eyechart run`, or give a run folder of it in its place"
        )


def sizes_of_runs(folders: Sequence[str], settings: PowerSettings) -> Sized:
    """The sizes of what several runs were all asked and marked on, with their marks.

    Raises BadInput where there are none, one of these is no run folder, or data are named.
    """
    if not folders:
        raise BadInput("expected a benchmark, items or run folders; none was named")
    for folder in folders:
        if not (Path(folder) / "run.json").is_file():
            raise BadInput(
                f"{folder}: not a run folder; several targets must be runs of the same questions. "
                "Name a benchmark or items alone"
            )
        _refuse_data(folder, settings)
    loaded = named(read_entrants([Path(folder) for folder in folders]))
    shared = shared_items(loaded)
    runs = [narrowed(run, shared) for run in loaded]
    marks = np.array([marks_of(shared, run.scores) for run in runs])
    return _of_marks(runs, shared, marks)


def _refuse_data(run: str, settings: PowerSettings) -> None:
    if settings.data or settings.columns or settings.photos:
        raise BadInput(f"{run}: a run has its own items; leave out --data, --columns and --photos")


def _of_marks(runs: Sequence[Entrant], shared: ItemSet, marks: Floats) -> Sized:
    marked = np.isfinite(marks.sum(axis=0))
    if not marked.any():
        raise BadInput(
            f"{', '.join(run.name for run in runs)}: no question is marked in all of these runs; "
            "expected right answers on file, or a judge's verdicts (`eyechart score RUN --judge`)"
        )
    kept = tuple(itertools.compress(shared.items, marked.tolist()))
    n_waiting = sum(item.kind != "rate" for item in shared.items) - len(kept)
    are = plural(n_waiting, "question is", "questions are")
    waiting = f"{are} not marked in all runs and left out."
    name = runs[0].info.benchmark
    sized = _of_items(name, ItemSet(shared.card, kept), plugins.rules_of(name, shared))
    return Sized(
        sized.benchmark,
        sized.title,
        sized.sizes,
        (*sized.notes, *notes_of(runs, shared), *([waiting] if n_waiting else [])),
        tuple(run.name for run in runs),
        marks[:, marked],
    )


def _of_items(name: str, item_set: ItemSet, rules: Benchmark) -> Sized:
    card = item_set.card
    items = [item for item in item_set.items if item.kind in CLOSED_KINDS | JUDGED_KINDS]
    if not items:
        raise BadInput(
            f"{name}: all its items are rated and none is right or wrong, so that there is no "
            "difference of accuracies to show; name questions"
        )
    clusters = {cluster_of(item, card) for item in items}
    notes = [DEPENDENT] if len(clusters) < len(items) else []
    if len(items) < len(item_set.items):
        are = plural(len(item_set.items) - len(items), "rated item is", "rated items are")
        notes.append(f"{are} left out: none is right or wrong.")
    if any(item.kind in JUDGED_KINDS for item in items):
        notes.append(RIGHT_OR_WRONG)
    sizes = {"": {"": len(items)}, **_by_facet(items, rules.sizes)}
    return Sized(card.name, card.title or name, sizes, tuple(notes))


def _by_facet(items: Sequence[Item], published: Sizes) -> Sizes:
    """The items of each facet's values, and of those crossed that are `published`, in its order."""
    facets = (*facets_of(items, published), *crossings_of(items, published))
    counted = {
        facet.name: dict(zip(facet.values, map(len, facet.members), strict=True))
        for facet in facets
    }
    return {name: counted[name] for name in (*published, *counted) if name in counted}
