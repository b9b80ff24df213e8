"""Benchmarks: one file each, with one constant `BENCHMARK`, found by name without the others.

In: where photographs or data lie. Out: items with a card. A benchmark asks no model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyechart.items import ItemSet
from eyechart.records import Chart, Curve, Response, Score, Table
from eyechart.rubrics import GENERAL, Rubrics
from eyechart.strategies import DEFAULT_STRATEGY


@dataclass(frozen=True, slots=True)
class Source:
    """What a benchmark's items are made from.

    `path`: photographs that the user gave, None for the built-in ones. `workspace`: the folder for
    what is made on the way. `max_photos`: at most so many photographs, None for all. `data`: files,
    folders or hub addresses that the user named, in order; empty for the benchmark's own.
    `columns`: a TOML file that says what the data call their columns (`eyechart.column_map`).
    """

    path: Path | None
    workspace: Path
    seed: int = 0
    max_photos: int | None = None
    data: tuple[str, ...] = ()
    columns: Path | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What a benchmark makes its tables of: everything that came of a run.

    `judges`: model names, the one whose verdicts count first. `strategies`: how ratings were read,
    written in full, the one whose score is `rating` first; the others' are `rating.SPEC`. `begun`:
    ratings were asked for by a begun answer, as Q-Bench does, not by a question for one word.
    `people`: these are people's answers, not a model's.
    """

    item_set: ItemSet
    responses: Sequence[Response]
    scores: Sequence[Score]
    model: str
    judges: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    begun: bool = True
    people: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a benchmark says of a run in its own form.

    `lead`: sentences that open the headline in place of the general ones, "" for those. `tables`:
    its own, published rows beside ours. `submission`: the text of the file to send in where answers
    are withheld, None where there is nothing to send. `notes`: sentences that a reader must see,
    about the items that were asked (such as how many of the published ones they are). `charts`: its
    figures.
    """

    lead: str = ""
    tables: tuple[Table, ...] = ()
    submission: str | None = None
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The constant `BENCHMARK` of a file in `eyechart/benchmarks`.

    `items(source)`: the items, made on the way where need be. `make(source, folder)`: writes them
    as an item folder; None where they cannot be made. `curves(item_set, scores)`: accuracy against
    severity; None where there is no severity. Data or prompts never change under one `version`.
    `form`: how single choice is asked by default. `rubrics`: what a judge is asked. `strategies`:
    how ratings are read by default, the one for the headline first.
    `tell(findings)`: what its report says beside the general figures. `tell_all(findings, chosen)`:
    the same for several runs on the same items, in one set of tables; `chosen`: the published rows
    that its figures are to show beside them, empty for its own choice. `sizes`: how many items are
    published, by facet and value ("" for all of them), where they are known without the data.
    `overall`: its figure is the mean mark over closed and open questions together. `check(items)`
    raises BadInput with all that is wrong in an item folder that names this benchmark.
    `maps_columns`: its data may come with `Source.columns`.
    """

    name: str
    title: str
    version: str
    summary: str
    licence: str
    citation: str
    items: Callable[[Source], ItemSet]
    make: Callable[[Source, Path], ItemSet] | None = None
    curves: Callable[[ItemSet, Sequence[Score]], tuple[Curve, ...]] | None = None
    form: str = "eyechart"
    rubrics: Rubrics = field(default_factory=lambda: GENERAL)
    strategies: tuple[str, ...] = (DEFAULT_STRATEGY,)
    tell: Callable[[Findings], Told] | None = None
    tell_all: Callable[[Sequence[Findings], Sequence[str]], Told] | None = None
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    overall: bool = False
    check: Callable[[ItemSet], None] | None = None
    maps_columns: bool = False
