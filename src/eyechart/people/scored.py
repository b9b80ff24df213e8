"""People's answers as the scores of one more model.

In: items and ratings. Out: one `Score` for each question that somebody answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eyechart.items import ItemSet
from eyechart.people.sheets import Sheet, sheets_of
from eyechart.ratings import MOST_VERDICT, decoded, letters
from eyechart.records import Item, Rating, Score
from eyechart.report.formatting import plural


def people_name(ratings: Sequence[Rating]) -> str:
    """What people are called beside models.

    >>> people_name([Rating("1", "anna", 1, ""), Rating("2", "anna", 0, "")])
    'People (1 rater)'
    """
    return f"People ({plural(len({rating.rater for rating in ratings}), 'rater')})"


def people_scores(item_set: ItemSet, ratings: Sequence[Rating]) -> tuple[Score, ...]:
    """What people's answers come to, item by item, in the order of the items.

    `correct` of a closed question is the share of its raters who are right, and its draws are 1 or
    0 for each of them; `verdict` of an open one is the mean of theirs, halved, and its draws are
    the verdicts. `extracted` tells the answers in the order of the draws ("B; B; C"). A closed
    question whose answer is withheld is unjudged. Items that nobody answered have no score, nor do
    those that are rated: an opinion is neither right nor wrong.

    Raises BadInput where a value is no answer to its item, or a person has two in one round.
    """
    found = {s.item_id: s for sheet in sheets_of(item_set, ratings) for s in _scores(sheet)}
    return tuple(found[item.id] for item in item_set.items if item.id in found)


def _scores(sheet: Sheet) -> Iterator[Score]:
    if sheet.kind == "rate":
        return
    marks, given = sheet.marks, ~np.isnan(sheet.values)
    for at, item in enumerate(sheet.items):
        by = given[:, at]
        values = [float(value) for value in sheet.values[by, at]]
        if sheet.is_closed:
            yield _closed(item, values, [float(mark) for mark in marks[by, at]])
        else:
            yield _open(item, values)


def _closed(item: Item, values: Sequence[float], marks: Sequence[float]) -> Score:
    ratings = (Rating(item.id, "", value, "") for value in values)
    extracted = "; ".join(letters(decoded(rating, item), item) for rating in ratings)
    if item.answer is None:
        detail = "the right answer is withheld"
        return Score(item.id, "correct", None, "unjudged", extracted, detail)
    value = sum(marks) / len(marks)
    return Score(item.id, "correct", value, extracted=extracted, draws=tuple(marks))


def _open(item: Item, verdicts: Sequence[float]) -> Score:
    value = sum(verdicts) / len(verdicts) / MOST_VERDICT
    extracted = " ".join(f"{verdict:g}" for verdict in verdicts)
    return Score(item.id, "verdict", value, extracted=extracted, draws=tuple(verdicts))
