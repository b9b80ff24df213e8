"""Which facets a report is broken down by, and in which order their values appear.

In: items. Out: `Facet`s, in a given order or the kind first. Facets that would say nothing (one
value, nearly as many values as items, the same split as an earlier one) are left out; severities
belong to the curves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eyechart.records import KINDS, FacetValue, Item

MOST_VALUES = 40
MOST_NUMBERS = 12
ITEMS_PER_VALUE = 2
OF_CURVES = {"severity", "unit"}

Order = Mapping[str, Collection[str]]
"""Facets in the order wanted, each with its values in order: `Benchmark.sizes` is one."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to split the items: `values` in order, `members` each one's item positions.

    `measured`: the values are measurements (floats), not names or levels.
    """

    name: str
    values: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    measured: bool = False


def facets_of(items: Sequence[Item], order: Order | None = None) -> tuple[Facet, ...]:
    """The kind, then every facet (and the source) that splits the items into 2 to 40 groups.

    `order`: facets that come first, before the kind too, and values of theirs that do; what items
    have beside them comes after, and what they do not have is passed over.
    """
    order = order or {}
    own = {name for item in items for name in item.facets} - OF_CURVES
    wanted = [name for name in order if name in own | {"kind", "source"}]
    names = dict.fromkeys((*wanted, "kind", *sorted(own - {"source"}), "source"))
    found = (_facet(name, [_raw(i, name) for i in items], order.get(name, ())) for name in names)
    kept = _distinct(found)
    return tuple(sorted(kept, key=lambda facet: (_rank(facet, wanted), _place(facet))))


def crossings_of(items: Sequence[Item], order: Order) -> tuple[Facet, ...]:
    """The facets that `order` names crossed, as `kind/scope`, with values as `open/Local`.

    In its order; items that lack one of the facets are in none. Left out is what would say nothing
    beside `facets_of`.
    """
    plain = facets_of(items, order)
    own = {name for item in items for name in item.facets}
    found = (
        _facet(name, [_crossed(item, name.split("/")) for item in items], values)
        for name, values in order.items()
        if "/" in name and name not in own
    )
    return tuple(_distinct(found, plain))


def _crossed(item: Item, names: Sequence[str]) -> str | None:
    values = [value_of(item, name) for name in names]
    return "/".join(values) if all(values) else None


def _distinct(facets: Iterable[Facet], before: Sequence[Facet] = ()) -> list[Facet]:
    """The facets that say something, and split the items as none before them does."""
    seen = {frozenset(facet.members) for facet in before}
    kept = []
    for facet in facets:
        split = frozenset(facet.members)
        if _says_something(facet) and split not in seen:
            seen.add(split)
            kept.append(facet)
    return kept


def _rank(facet: Facet, wanted: Sequence[str]) -> int:
    return wanted.index(facet.name) if facet.name in wanted else len(wanted)


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


def _facet(name: str, of_items: Sequence[FacetValue | None], first: Collection[str]) -> Facet:
    members: dict[FacetValue, list[int]] = {}
    for position, value in enumerate(of_items):
        if value is not None and value != "":
            members.setdefault(value, []).append(position)
    places = {value: place for place, value in enumerate(first)}
    values = sorted(
        _ordered(name, list(members)), key=lambda value: places.get(_text(value), len(places))
    )
    return Facet(
        name,
        tuple(map(_text, values)),
        tuple(tuple(members[value]) for value in values),
        measured=any(isinstance(value, float) for value in values),
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
