"""What the answers of all models say of each item.

In: a `ResponseTable`. Out: `Figures`, arrays by item: shares, correlations, flags, and the item
responses. Words nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from eyechart.item_analysis.answers import NO_CHOICE, Bools, Ints, ResponseTable
from eyechart.metrics.agreement import means
from eyechart.metrics.arrays import Floats
from eyechart.metrics.item_response import ItemResponses, fit_item_responses

FEWEST_TO_FIT = 5
FEWEST_STRONG = 3
FEWEST_TO_CORRELATE = 3
FEWEST_TO_DOUBT = 10
"""With 10 models and more, made-up ones, `turned_by_luck` is within a sixth of what luck turns; of
5 models it tells up to half too much."""
NEGLIGIBLE = 1e-9


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
    `turned`: better models miss the item more often, its correlation being negative;
    `turned_by_luck`: how likely that is where each item follows its fitted curve. Both 0 throughout
    for fewer than ten models. `responses`: None for fewer than five models.
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
    turned: Bools
    turned_by_luck: Floats
    blind: Blind
    responses: ItemResponses | None

    @property
    def is_placed(self) -> Bools:
        """Whether each item's marks tell how hard it is: they are not all 0, and not all 1."""
        return (self.share_right > 0) & (self.share_right < 1)

    @property
    def has_strong(self) -> bool:
        """There are enough strong models to doubt a key by."""
        return int(self.is_strong.sum()) >= FEWEST_STRONG

    @property
    def n_marked(self) -> int:
        """How many models have a mark at all."""
        return int((~np.isnan(self.accuracy)).sum())

    @property
    def has_many(self) -> bool:
        """There are enough models to doubt items by their correlation."""
        return self.n_marked >= FEWEST_TO_DOUBT


def figures_of(answers: ResponseTable) -> Figures:
    """All figures of the items. Raises nothing: every item of `ResponseTable` has a mark."""
    known = ~np.isnan(answers.marks)
    marks = np.where(known, answers.marks, 0.0)
    accuracy = means(answers.marks, axis=1)
    responses = _responses(answers)
    has_many = int(known.any(axis=1).sum()) >= FEWEST_TO_DOUBT
    used = known & (known.sum(axis=1) > 1)[:, None]
    rest = _rest(marks, used)
    item_rest = _item_rest(marks, rest, used)
    counts = _counts(answers)
    strong = accuracy > np.nanmedian(accuracy)
    strong_choice = _shared_choice(answers.choices[strong])
    n_models = known.sum(axis=0)
    enough = 2 * n_models >= len(answers.models)
    return Figures(
        n_models=n_models,
        share_right=means(answers.marks, axis=0),
        item_rest=item_rest,
        missed=(marks == 0).all(axis=0) & enough,
        counts=counts,
        most_chosen=np.where(counts.any(axis=1), _largest(counts), NO_CHOICE),
        accuracy=accuracy,
        is_strong=strong,
        strong_choice=strong_choice,
        wrong_key=(strong_choice != NO_CHOICE) & (strong_choice != answers.keys),
        turned=has_many & (item_rest < -NEGLIGIBLE),
        turned_by_luck=_turned_by_luck(rest, responses if has_many else None),
        blind=_blind(answers),
        responses=responses,
    )


def _counts(answers: ResponseTable) -> Ints:
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


def _rest(marks: Floats, used: Bools) -> Floats:
    """The mean of a model's marks but for the item, less its mean over models [models, items]."""
    n_others = np.maximum(used.sum(axis=1)[:, None] - used, 1)
    return _centred((marks.sum(axis=1)[:, None] - marks) / n_others, used)


def _item_rest(marks: Floats, rest: Floats, used: Bools) -> Floats:
    """Each item's correlation, over models, with the mean of their other marks."""
    own = _centred(marks, used)
    spread = (own**2).sum(axis=0) * (rest**2).sum(axis=0)
    defined = (used.sum(axis=0) >= FEWEST_TO_CORRELATE) & (spread > 1e-24)
    together = (own * rest).sum(axis=0)
    return np.where(defined, together / np.sqrt(np.where(defined, spread, 1)), np.nan)


def _turned_by_luck(rest: Floats, responses: ItemResponses | None) -> Floats:
    """How likely an item's marks go against the rest by the fitted curves, their sum as normal."""
    if responses is None:
        return np.zeros(rest.shape[1])
    chances = np.nan_to_num(responses.chances)
    mean = (rest * chances).sum(axis=0)
    deviation = np.sqrt((rest**2 * chances * (1 - chances)).sum(axis=0))
    defined = deviation > NEGLIGIBLE
    return np.where(defined, special.ndtr(-mean / np.where(defined, deviation, 1)), 0.0)


def _centred(values: Floats, used: Bools) -> Floats:
    means = np.where(used, values, 0.0).sum(axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.where(used, values - means, 0.0)


def _blind(answers: ResponseTable) -> Blind:
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


def _responses(answers: ResponseTable) -> ItemResponses | None:
    n_models = int((~np.isnan(answers.marks)).any(axis=1).sum())
    return fit_item_responses(answers.marks) if n_models >= FEWEST_TO_FIT else None
