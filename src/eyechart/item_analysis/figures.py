"""What the answers of all models say of each item.

In: `Answers`. Out: `Figures`, arrays by item: shares, correlations, flags, and the item responses.
Words nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Answers, Bools, Ints
from eyechart.metrics.arrays import Floats
from eyechart.metrics.item_response import ItemResponses, fit_item_responses

FEWEST_TO_FIT = 5
FEWEST_STRONG = 3
FEWEST_TO_CORRELATE = 3


@dataclass(frozen=True, slots=True)
class Blind:
    """The items that were answered without their picture; all [items].

    `by_all`, `by_any`: right by all, and by any, of the models asked so. `all_by_luck`,
    `any_by_luck`: how likely that is where each guesses by itself; 0 where none was asked.
    """

    asked: Bools
    by_all: Bools
    by_any: Bools
    all_by_luck: Floats
    any_by_luck: Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures and flags of each item; arrays [items] but for `accuracy` and `is_strong` [models].

    `n_models`: those with a mark. `share_right`: their mean mark. `item_rest`: its correlation with
    the mean mark on all other items, NaN where undefined. `missed`: no model earns anything.
    `counts` [items, options]: how many models choose each. `most_chosen`: place in the options.
    `strong_choice`: what all strong models choose, those above the median in accuracy; `wrong_key`:
    that it is not the key. Both -1 and False throughout where fewer than three are strong.
    `responses`: None for fewer than five models.
    """

    n_models: Ints
    share_right: Floats
    item_rest: Floats
    missed: Bools
    counts: Ints
    most_chosen: Ints
    accuracy: Floats
    is_strong: Bools
    strong_choice: Ints
    wrong_key: Bools
    blind: Blind
    responses: ItemResponses | None

    @property
    def has_strong(self) -> bool:
        """There are enough strong models to doubt a key by."""
        return int(self.is_strong.sum()) >= FEWEST_STRONG


def figures_of(answers: Answers) -> Figures:
    """All figures of the items. Raises nothing: every item of `Answers` has a mark."""
    known = ~np.isnan(answers.marks)
    marks = np.where(known, answers.marks, 0.0)
    accuracy = _divided(marks.sum(axis=1), known.sum(axis=1))
    counts = _counts(answers)
    strong = accuracy > np.nanmedian(accuracy)
    strong_choice = _shared_choice(answers.choices[strong])
    n_models = known.sum(axis=0)
    enough = 2 * n_models >= len(answers.models)
    return Figures(
        n_models=n_models,
        share_right=marks.sum(axis=0) / n_models,
        item_rest=_item_rest(marks, known),
        missed=(marks == 0).all(axis=0) & enough,
        counts=counts,
        most_chosen=np.where(counts.any(axis=1), _largest(counts), NO_CHOICE),
        accuracy=accuracy,
        is_strong=strong,
        strong_choice=strong_choice,
        wrong_key=(strong_choice != NO_CHOICE) & (strong_choice != answers.keys),
        blind=_blind(answers),
        responses=_responses(answers),
    )


def _divided(total: Floats, n: Ints) -> Floats:
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _counts(answers: Answers) -> Ints:
    counts = np.zeros((len(answers.items), len(answers.options)), np.intp)
    models, items = np.nonzero(answers.choices != NO_CHOICE)
    np.add.at(counts, (items, answers.choices[models, items]), 1)
    return counts


def _largest(counts: Ints) -> Ints:
    """Of each item the option with the largest count; the first seen of equal ones."""
    return counts.argmax(axis=1) if counts.shape[1] else np.zeros(len(counts), np.intp)


def _shared_choice(choices: Ints) -> Ints:
    """What all models [models, items] choose whose choice could be read, at least three."""
    read = choices != NO_CHOICE
    highest = choices.max(axis=0, initial=NO_CHOICE)
    same = ((choices == highest) | ~read).all(axis=0) & (read.sum(axis=0) >= FEWEST_STRONG)
    return np.where(same, highest, NO_CHOICE)


def _item_rest(marks: Floats, known: Bools) -> Floats:
    """Each item's correlation, over models, with the mean of their other marks."""
    counts = known.sum(axis=1)[:, None]
    rest = (marks.sum(axis=1)[:, None] - marks) / np.maximum(counts - known, 1)
    used = known & (counts > 1)
    n = used.sum(axis=0)
    x, y = (_centred(values, used) for values in (marks, rest))
    spread = (x**2).sum(axis=0) * (y**2).sum(axis=0)
    defined = (n >= FEWEST_TO_CORRELATE) & (spread > 1e-24)
    return np.where(defined, (x * y).sum(axis=0) / np.sqrt(np.where(defined, spread, 1)), np.nan)


def _centred(values: Floats, used: Bools) -> Floats:
    means = np.where(used, values, 0.0).sum(axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.where(used, values - means, 0.0)


def _blind(answers: Answers) -> Blind:
    known = ~np.isnan(answers.blind)
    right = answers.blind == 1
    n = known.sum(axis=0)
    chances = np.where(np.isnan(answers.chances), 0.0, answers.chances)
    asked = n > 0
    return Blind(
        asked=asked,
        by_all=asked & (right | ~known).all(axis=0),
        by_any=right.any(axis=0),
        all_by_luck=np.where(asked, chances**n, 0.0),
        any_by_luck=1 - (1 - chances) ** n,
    )


def _responses(answers: Answers) -> ItemResponses | None:
    n_models = int((~np.isnan(answers.marks)).any(axis=1).sum())
    return fit_item_responses(answers.marks) if n_models >= FEWEST_TO_FIT else None
