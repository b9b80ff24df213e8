"""People as one more model: their scores, how far they agree, and the ceiling that this implies.

In: items and the answers that people gave to them (`records.Rating`), or the CSV file that holds
them. Out: `People`: ordinary scores, tables and notes. Asks no model, writes no file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.items import ItemSet
from eyechart.people.scored import people_name, people_scores
from eyechart.people.tables import people_notes, people_tables
from eyechart.ratings import read_answers
from eyechart.records import Rating, Score, Table
from eyechart.report.formatting import plural

__all__ = [
    "People",
    "people_from",
    "people_name",
    "people_notes",
    "people_of",
    "people_scores",
    "people_tables",
]


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
    return People(
        people_name(ratings),
        people_scores(item_set, ratings),
        people_tables(item_set, ratings),
        people_notes(item_set, ratings),
    )
