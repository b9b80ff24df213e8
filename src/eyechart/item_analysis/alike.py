"""How alike the models are: whether they are right on the same items, and wrong in the same way.

In: `Answers`. Out: `Alike`, two arrays [models, models] with the number of items behind each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Answers, Ints
from eyechart.metrics.arrays import Floats

HALF_OF_THE_MARKS = 0.5


@dataclass(frozen=True, slots=True)
class Alike:
    """Agreement of each pair of models; all [models, models], symmetric.

    `kappa`: Cohen's, of being right (more than half of the marks) or not, over the `n_both` items
    that both have a mark for. `same_wrong`: of the `n_wrong` items to which both gave a wrong
    answer that could be read, and to which there is more than one, the share of equal answers. NaN
    where undefined.
    """

    kappa: Floats
    n_both: Ints
    same_wrong: Floats
    n_wrong: Ints


def alike(answers: Answers) -> Alike:
    """The agreement of every pair of models (kappa: Cohen 1960, Educ. Psychol. Meas. 20: 37-46)."""
    known = ~np.isnan(answers.marks)
    right = known & (np.where(known, answers.marks, 0.0) > HALF_OF_THE_MARKS)
    kappa, n_both = _kappas(right.astype(float), known.astype(float))
    wrong = _wrong_choices(answers)
    gave = (wrong != NO_CHOICE).astype(float)
    n_wrong = gave @ gave.T
    same = np.array([((wrong == row) & (row != NO_CHOICE)).sum(axis=1) for row in wrong])
    return Alike(kappa, n_both.astype(np.intp), _divided(same, n_wrong), n_wrong.astype(np.intp))


def _kappas(right: Floats, known: Floats) -> tuple[Floats, Floats]:
    n = known @ known.T
    both, first = right @ right.T, right @ known.T
    second = first.T
    agreed = n - first - second + 2 * both
    by_chance = _divided(first * second + (n - first) * (n - second), n)
    return _divided(agreed - by_chance, n - by_chance), n


def _wrong_choices(answers: Answers) -> Ints:
    """What each model chose where that is wrong and other wrong answers could be given; else -1."""
    is_wrong = (answers.choices != answers.keys) & answers.has_several_wrong
    return np.where(is_wrong, answers.choices, NO_CHOICE)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.where(below > 1e-9, above / np.where(below > 1e-9, below, 1), np.nan)
