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
from eyechart.comparing.runs import Entrant, named, narrowed, notes_of, read_entrants, shared_items
from eyechart.errors import BadInput
from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.arrays import Floats
from eyechart.metrics.power import ALPHA, POWER
from eyechart.records import CLOSED_KINDS, JUDGED_KINDS
from eyechart.report.facets import facets_of
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
    `workspace`: as in `RunSettings`, for a benchmark that is known by its data.
    """

    accuracy: float | None = None
    correlation: float | None = None
    power: float = POWER
    alpha: float = ALPHA
    data: tuple[str, ...] = ()
    columns: Path | None = None
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
        return _of_items(target, run_folder.read_item_set(Path(target)))
    if target in plugins.names("benchmarks") or target.endswith(".py"):
        found = plugins.benchmark(target)
        if settings.columns and not settings.data:
            raise BadInput(
                f"{target}: --columns {settings.columns} says what --data call their columns; "
                "name the data with --data, or leave out --columns"
            )
        if found.sizes and not settings.data:
            judged = JUDGED_KINDS & found.sizes.get("kind", {}).keys()
            notes = (AS_PUBLISHED, *([RIGHT_OR_WRONG] if judged else []))
            return Sized(found.name, found.title, found.sizes, notes)
        if found.make is None and not settings.data:
            raise BadInput(
                f"{target}: its sizes are not known without its data; name them with --data as in "
                "`eyechart run`, or give a run folder of it in its place"
            )
    reading = RunSettings(
        data=settings.data, columns=settings.columns, workspace=settings.workspace
    )
    return _of_items(*load_items(target, reading))


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
    if settings.data or settings.columns:
        raise BadInput(f"{run}: a run has its own items; leave out --data and --columns")


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
    sized = _of_items(runs[0].info.benchmark, ItemSet(shared.card, kept))
    return Sized(
        sized.benchmark,
        sized.title,
        sized.sizes,
        (*sized.notes, *notes_of(runs, shared), *([waiting] if n_waiting else [])),
        tuple(run.name for run in runs),
        marks[:, marked],
    )


def _of_items(name: str, item_set: ItemSet) -> Sized:
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
    sizes: dict[str, dict[str, int]] = {"": {"": len(items)}}
    for facet in facets_of(items):
        sizes[facet.name] = dict(zip(facet.values, map(len, facet.members), strict=True))
    return Sized(card.name, card.title or name, sizes, tuple(notes))
