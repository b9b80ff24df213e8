"""What people make of a set of items: scores as a model's, tables and notes of their own.

In: items and the answers that people gave to them (`records.Rating`), or the CSV file that holds
them. Out: `People`. The answers are laid out once, as sheets; no figure is computed here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.items import ItemSet
from eyechart.people.scored import people_name, people_scores
from eyechart.people.sheets import sheets_of
from eyechart.people.tables import people_notes, people_tables
from eyechart.ratings import last_rounds, read_answers
from eyechart.records import Rating, Score, Table
from eyechart.report.formatting import plural


@dataclass(frozen=True, slots=True)
class People:
    """What people make of a set of items: `scores` as a model's, tables and notes of their own."""

    name: str
    scores: tuple[Score, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def people_of(item_set: ItemSet, file: Path | str) -> People:
    """People by the answers in a CSV file (`ratings.read_answers`); a note counts what is left out.

    Raises BadInput with every bad row, and where no answer is to any of the items.
    """
    found = read_answers(file, item_set.items)
    people = people_from(item_set, found.ratings)
    if not found.n_others:
        return people
    others = plural(found.n_others, "answer")
    told = f"{others} of people are about items that are not among these, and are left out."
    return dataclasses.replace(people, notes=(*people.notes, told))


def people_from(item_set: ItemSet, ratings: Sequence[Rating]) -> People:
    """People by their answers; those to other items than the set's are left out.

    Raises BadInput where a value is no answer to its item, or a person has two in one round.

    >>> from eyechart.items import Card
    >>> from eyechart.records import Item
    >>> items = (Item("1", "true_false", "It is blurred.", (), answer=True),)
    >>> said = [Rating("1", "anna", 1, ""), Rating("1", "ben", 0, "")]
    >>> found = people_from(ItemSet(Card("x"), items), said)
    >>> found.name, found.scores[0].value
    ('People (2 raters)', 0.5)
    """
    ids = {item.id for item in item_set.items}
    mine = [rating for rating in ratings if rating.item_id in ids]
    last = last_rounds(mine)
    sheets = sheets_of(item_set, last)
    return People(
        people_name(sheets),
        people_scores(item_set, sheets),
        people_tables(sheets),
        people_notes(sheets, n_items=len(item_set.items), n_earlier=len(mine) - len(last)),
    )
