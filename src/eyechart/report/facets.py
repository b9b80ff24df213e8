"""Which facets a report is broken down by, and in which order their values appear.

In: items. Out: `Facet`s, the kind first. Facets that would say nothing (one value, nearly as many
values as items, the same split as an earlier one) are left out; severities belong to the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eyechart.records import KINDS, FacetValue, Item

MOST_VALUES = 40
MOST_NUMBERS = 12
ITEMS_PER_VALUE = 2
OF_CURVES = {"severity", "unit"}


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to split the items: `values` in order, `members` each one's item positions.

    `measured`: the values are measurements (floats), not names or levels.
    """

    name: str
    values: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    measured: bool = False


def facets_of(items: Sequence[Item]) -> tuple[Facet, ...]:
    """The kind, then every facet (and the source) that splits the items into 2 to 40 groups."""
    kept: list[Facet] = []
    seen: set[frozenset[tuple[int, ...]]] = set()
    names = {name for item in items for name in item.facets} - {"kind", "source"} - OF_CURVES
    for name in ("kind", *sorted(names), "source"):
        facet = _facet(items, name)
        split = frozenset(facet.members)
        if _says_something(facet) and split not in seen:
            seen.add(split)
            kept.append(facet)
    return tuple(sorted(kept, key=_place))


def _place(facet: Facet) -> tuple[bool, int, int]:
    """The kind first, then facets of many items before those of few, short tables before long."""
    n_items = sum(len(members) for members in facet.members)
    return facet.name != "kind", -n_items, len(facet.values)


def value_of(item: Item, facet: str) -> str:
    """The item's value of a facet as text, "" where it has none."""
    value = _raw(item, facet)
    return "" if value is None else _text(value)


def _raw(item: Item, facet: str) -> FacetValue | None:
    if facet == "kind":
        return item.kind
    if facet in item.facets:
        return item.facets[facet]
    return item.source or None if facet == "source" else None


def _text(value: FacetValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _facet(items: Sequence[Item], name: str) -> Facet:
    members: dict[FacetValue, list[int]] = {}
    for position, item in enumerate(items):
        value = _raw(item, name)
        if value is not None and value != "":
            members.setdefault(value, []).append(position)
    order = _ordered(name, list(members))
    return Facet(
        name,
        tuple(map(_text, order)),
        tuple(tuple(members[value]) for value in order),
        measured=any(isinstance(value, float) for value in order),
    )


def _ordered(name: str, values: list[FacetValue]) -> list[FacetValue]:
    """Kinds in their usual order, numbers by size, texts as they first appear."""
    if name == "kind":
        return [kind for kind in KINDS if kind in values]
    if all(isinstance(value, int | float) for value in values):
        return sorted(values, key=float)
    return values


def _says_something(facet: Facet) -> bool:
    n_items = sum(len(members) for members in facet.members)
    n_values = len(facet.values)
    enough = facet.name == "kind" or n_values * ITEMS_PER_VALUE <= n_items
    return 2 <= n_values <= (MOST_NUMBERS if facet.measured else MOST_VALUES) and enough
