"""What each model answered to each item, laid out as arrays.

In: items and the scores of runs. Out: a `ResponseTable`. Marks are counted as everywhere: a reply
that is missing, failed, was refused or not understood is wrong, a verdict that a judge owes is
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.errors import BadInput
from eyechart.items import ItemSet
from eyechart.metrics.agreement import means
from eyechart.metrics.arrays import Floats
from eyechart.ratings import letters
from eyechart.records import CLOSED_KINDS, Item, Score
from eyechart.report.samples import chance_of, marks_of

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
PLAIN, BLIND = "correct", "correct.blind"
NO_CHOICE = -1


@dataclass(frozen=True, slots=True)
class Answered:
    """One run on the items: its scores, of several judges those of the first.

    `people`: the scores are people's, who are shown beside the models and are none of them.
    """

    name: str
    scores: Sequence[Score]
    people: bool = False


@dataclass(frozen=True, slots=True)
class ResponseTable:
    """The items that any model has a mark for, and what became of each of them.

    `marks` [models, items]: 0 to 1, NaN where missing. `people` [items]: their mean mark, NaN where
    nobody answered. `choices` [models, items] and `keys` [items]: places in `options`, which are
    letters ("B", "A, C") and True and False; -1 where no choice could be read, and for open
    questions. `blind` [blind_models, items]: 1 if right without the picture, NaN where not asked.
    `chances` [items]: of a guess, NaN for open questions. `n_left_out`: items without any mark.
    """

    items: tuple[Item, ...]
    models: tuple[str, ...]
    marks: Floats
    people: Floats
    options: tuple[str, ...]
    choices: Ints
    keys: Ints
    blind_models: tuple[str, ...]
    blind: Floats
    chances: Floats
    n_left_out: int = 0

    @property
    def has_several_wrong(self) -> Bools:
        """Whether each item has more than one wrong answer; False for open questions."""
        return self.chances < 0.5

    def key(self, place: int) -> str:
        """The right answer of an item as a reply's is read; "" for open questions."""
        return self.option(int(self.keys[place]))

    def option(self, number: int) -> str:
        """One of `options` by its place; "" for none of them."""
        return "" if number == NO_CHOICE else self.options[number]


def response_table(item_set: ItemSet, answered: Sequence[Answered]) -> ResponseTable:
    """The answers of every run to the items of the set; scores of other items are passed over.

    Raises BadInput where there is no run of a model, or no item has a mark.
    """
    models = [run for run in answered if not run.people]
    if not models:
        raise BadInput("no run of a model to analyse items by; expected at least one")
    marks = np.stack([marks_of(item_set, run.scores) for run in models])
    kept = np.flatnonzero((~np.isnan(marks)).any(axis=0))
    if not kept.size:
        raise BadInput(
            f"{', '.join(run.name for run in models)}: no item has a mark; expected scores "
            f"{PLAIN!r} of closed questions or judged ones ('verdict') of open questions"
        )
    items = tuple(item_set.items[place] for place in kept)
    chances = [chance_of(item) for item in items]
    numbers: dict[str, int] = {}
    keys = [_number(_key_of(item), numbers) for item in items]
    choices = [_choices(items, run, numbers) for run in models]
    blind = [(run, row) for run in models if (row := _blind(items, run))]
    return ResponseTable(
        items=items,
        models=tuple(run.name for run in models),
        marks=marks[:, kept],
        people=_people(item_set, answered)[kept],
        options=tuple(numbers),
        choices=np.array(choices, np.intp),
        keys=np.array(keys, np.intp),
        blind_models=tuple(run.name for run, _ in blind),
        blind=np.array([row for _, row in blind], float).reshape(len(blind), len(items)),
        chances=np.array([np.nan if chance is None else chance for chance in chances]),
        n_left_out=len(item_set.items) - len(items),
    )


def _key_of(item: Item) -> str:
    """Letters, True or False; "" for open questions."""
    if item.kind not in CLOSED_KINDS or item.answer is None:
        return ""
    return letters(item.answer, item)


def _people(item_set: ItemSet, answered: Sequence[Answered]) -> Floats:
    """The mean mark of what people answered; what nobody was asked is no miss of theirs."""
    rows = [_where_answered(item_set, run) for run in answered if run.people]
    return means(np.array(rows).reshape(len(rows), len(item_set.items)), axis=0)


def _where_answered(item_set: ItemSet, run: Answered) -> Floats:
    ids = {score.item_id for score in run.scores}
    has_score = np.array([item.id in ids for item in item_set.items])
    return np.where(has_score, marks_of(item_set, run.scores), np.nan)


def _choices(items: Sequence[Item], run: Answered, numbers: dict[str, int]) -> list[int]:
    told = {s.item_id: s.extracted for s in run.scores if s.name == PLAIN and s.value is not None}
    return [_number(told.get(item.id, ""), numbers) for item in items]


def _number(option: str, numbers: dict[str, int]) -> int:
    return numbers.setdefault(option, len(numbers)) if option else NO_CHOICE


def _blind(items: Sequence[Item], run: Answered) -> list[float]:
    """What was asked without the picture; a reply that says nothing is wrong. Empty without any."""
    found = {s.item_id: s.value or 0.0 for s in run.scores if s.name == BLIND}
    return [found.get(item.id, np.nan) for item in items] if found else []
