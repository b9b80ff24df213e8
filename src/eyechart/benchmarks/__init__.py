"""Benchmarks: one file each, with one constant `BENCHMARK`, found by name without the others.

In: where photographs or data lie. Out: items with a card. A benchmark asks no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.items import ItemSet
from eyechart.records import Curve, Score


@dataclass(frozen=True, slots=True)
class Source:
    """What a benchmark's items are made from.

    `path`: photographs or data that the user gave, None for the built-in ones. `workspace`: the
    folder for what is made on the way. `max_photos`: at most so many photographs, None for all.
    """

    path: Path | None
    workspace: Path
    seed: int = 0
    max_photos: int | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The constant `BENCHMARK` of a file in `eyechart/benchmarks`.

    `items(source)`: the items, made on the way where need be. `make(source, folder)`: writes them
    as an item folder; None where they cannot be made. `curves(item_set, scores)`: accuracy against
    severity; None where there is no severity. Data or prompts never change under one `version`.
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
