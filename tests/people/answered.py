"""People who answer a handful of questions, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

from eyechart.items import Card, ItemSet
from eyechart.people.people import people_from
from eyechart.records import Estimate, Item, Kind, Picture, Rating, Table

OPTIONS = ("Sharp", "Soft", "Blurred", "Noisy")


def question(name: str, kind: Kind = "single", answer: object = None) -> Item:
    options = OPTIONS if kind in ("single", "multiple") else ()
    return Item(name, kind, "?", (Picture(name=f"{name}.png"),), options, answer)  # type: ignore[arg-type]


def of(*items: Item) -> ItemSet:
    return ItemSet(Card("portraits"), items)


def said(item: str, *values: float, at_round: int = 1) -> list[Rating]:
    """One value of each of the people anna, ben, carl, ...; NaN where one has none."""
    names = ("anna", "ben", "carl", "dora", "emil")
    pairs = zip(names, values, strict=False)
    return [Rating(item, name, value, "", at_round) for name, value in pairs if value == value]


def entry(table: Table, line: str, column: str) -> Estimate:
    row = next(one for one in table.lines if one.label == line)
    found = dict(zip([c.name for c in table.columns], row.entries, strict=True))[column]
    assert isinstance(found, Estimate)
    return found


def tables(item_set: ItemSet, ratings: Sequence[Rating]) -> dict[str, Table]:
    return {table.name: table for table in people_from(item_set, ratings).tables}
