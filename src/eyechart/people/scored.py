"""People's answers as the scores of one more model.

In: people's answers as sheets. Out: one `Score` for each question that somebody answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eyechart.items import ItemSet
from eyechart.people.sheets import Sheet, raters_of
from eyechart.ratings import decoded, letters
from eyechart.records import MOST_VERDICT, Item, Rating, Score
from eyechart.report.formatting import plural


def people_name(sheets: Sequence[Sheet]) -> str:
    """What people are called beside models.

    >>> people_name([])
    'People (0 raters)'
    """
    return f"People ({plural(len(raters_of(sheets)), 'rater')})"


def people_scores(item_set: ItemSet, sheets: Sequence[Sheet]) -> tuple[Score, ...]:
    """What people's answers come to, item by item, in the order of the items.

    `correct` of a closed question is the share of its raters who are right, and its draws are 1 or
    0 for each of them; `verdict` of an open one is the mean of theirs, halved, and its draws are
    the verdicts. `extracted` tells the answers in the order of the draws ("B; B; C"). A closed
    question whose answer is withheld is unjudged. Items that nobody answered have no score, nor do
    those that are rated: an opinion is neither right nor wrong.
    """
    found = {score.item_id: score for sheet in sheets for score in _scores(sheet)}
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
