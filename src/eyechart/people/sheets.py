"""People's answers as arrays, one sheet for each kind of question.

In: items and ratings. Out: `Sheet`s: values and marks by rater and item. Computes no statistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.arrays import Floats
from eyechart.ratings import decoded, encoded
from eyechart.records import CLOSED_KINDS, JUDGED_KINDS, KINDS, MOST_VERDICT, Item, Kind, Rating


@dataclass(frozen=True, slots=True)
class Sheet:
    """What people answered to the questions of one kind that any of them answered.

    `values`: [raters, items] as `Rating.value` documents them, NaN where a rater has none.
    `raters`: every one of the set, whatever kind they answered. `clusters`: of each item.
    """

    kind: Kind
    items: tuple[Item, ...]
    raters: tuple[str, ...]
    values: Floats
    clusters: tuple[str, ...]

    @property
    def marks(self) -> Floats:
        """What each answer counts, 0 to 1 [raters, items]; NaN where it cannot be told.

        Right or wrong for closed questions, unless their answer is withheld; the verdict halved for
        open ones; nothing for ratings, which are opinions.
        """
        if self.kind in JUDGED_KINDS:
            return self.values / MOST_VERDICT
        key = [np.nan if item.answer is None else encoded(item.answer, item) for item in self.items]
        known = ~np.isnan(self.values) & ~np.isnan(key)
        return np.where(known, self.values == np.array(key), np.nan)

    @property
    def choices(self) -> Floats:
        """The options chosen as sums of 2 ** (number - 1); the values where nothing is chosen."""
        return np.asarray(2.0 ** (self.values - 1)) if self.kind == "single" else self.values

    @property
    def n_options(self) -> NDArray[np.intp] | None:
        """How many options each item has of its own [items]; None where there are none."""
        if self.kind not in ("single", "multiple"):
            return None
        return np.array([len(item.options) for item in self.items], dtype=np.intp)

    @property
    def is_closed(self) -> bool:
        """Whether these are closed questions."""
        return self.kind in CLOSED_KINDS


def raters_of(sheets: Sequence[Sheet]) -> tuple[str, ...]:
    """Everybody who answered any of the questions; all sheets of a set have the same raters."""
    return sheets[0].raters if sheets else ()


def sheets_of(item_set: ItemSet, ratings: Sequence[Rating]) -> tuple[Sheet, ...]:
    """A sheet for each kind of which an item was answered.

    `ratings`: of items of the set, one of each person for an item (`ratings.last_rounds`). Raises
    BadInput as `ratings.decoded` does.
    """
    items = {item.id: item for item in item_set.items}
    for rating in ratings:
        decoded(rating, items[rating.item_id])
    raters = {rater: i for i, rater in enumerate(dict.fromkeys(r.rater for r in ratings))}
    answered = {rating.item_id for rating in ratings}
    sheets = []
    for kind in KINDS:
        mine = tuple(i for i in item_set.items if i.kind == kind and i.id in answered)
        place = {item.id: at for at, item in enumerate(mine)}
        values = np.full((len(raters), len(mine)), np.nan)
        for rating in ratings:
            if rating.item_id in place:
                values[raters[rating.rater], place[rating.item_id]] = rating.value
        clusters = tuple(cluster_of(item, item_set.card) for item in mine)
        sheets.append(Sheet(kind, mine, tuple(raters), values, clusters))
    return tuple(sheet for sheet in sheets if sheet.items)
