"""Q-Bench-Portrait's questions in their simplest form: as many as published, or a few by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    COUNTS,
    DIMENSIONS,
    SCOPES,
    SOURCES,
)
from eyechart.items import Card, ItemSet
from eyechart.records import Item, Kind, Picture, Score

KIND_OF: Mapping[str, Kind] = {code: kind for kind, code in CODES.items()}
RIGHT: Mapping[Kind, str | tuple[str, ...] | bool] = {
    **{"single": "a", "multiple": ("a", "b"), "true_false": True, "open": "It is so."}
}


def item(name: str, where: str, what: str) -> Item:
    """An item of "NIs Blur" asked as "SC Global"."""
    source, concern = where.split()
    code, scope = what.split()
    dimension = next(name for name, concerns in DIMENSIONS.items() if concern in concerns)
    facets = {"image_source": source, "dimension": dimension, "concern": concern, "scope": scope}
    kind, picture = KIND_OF[code], Picture(name=f"{name}.png")
    return Item(name, kind, "?", (picture,), (*"abcd",), RIGHT[kind], facets)


@cache
def published_items() -> tuple[Item, ...]:
    """2,765 items with the published count in every subset; joint counts are as they fall."""
    concerns = {
        name: itertools.chain(*(itertools.repeat(one, COUNTS[one]) for one in parts))
        for name, parts in DIMENSIONS.items()
    }
    pairs = [(source, name) for source in SOURCES for name in DIMENSIONS]
    asked = [(code, scope) for code in CODES.values() for scope in SCOPES]
    kinds = [f"{code} {scope}" for code, scope in asked for _ in range(COUNTS[f"{code}/{scope}"])]
    places = [pair for pair in pairs for _ in range(COUNTS.get("/".join(pair), 0))]
    return tuple(
        # 1,009 has no divisor in common with 2,765: each kind comes once, and in all places.
        item(f"q{i}", f"{source} {next(concerns[name])}", kinds[i * 1009 % len(kinds)])
        for i, (source, name) in enumerate(places)
    )


def findings(
    items: Sequence[Item], scores: Sequence[Score], model: str = "ours", *, people: bool = False
) -> Findings:
    """What came of a run on these items, each alone on its image."""
    item_set = ItemSet(Card("portrait"), tuple(items))
    judges = tuple(dict.fromkeys(score.judge for score in scores if score.judge))
    return Findings(item_set, (), tuple(scores), model, judges=judges, people=people)


def scored(items: Sequence[Item], marks: Sequence[float]) -> Iterator[Score]:
    """A score for each item, open ones graded by a judge."""
    for one, mark in zip(items, marks, strict=True):
        if one.kind == "open":
            yield Score(one.id, "verdict", mark, judge="judge")
        else:
            yield Score(one.id, "correct", mark)
