"""How alike the models are: whether they are right on the same items, and wrong in the same way.

In: a `ResponseTable`. Out: `Alike`, two arrays [models, models] with the number of items behind
each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Ints, ResponseTable
from eyechart.metrics.agreement import divided, kappas
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


def alike(answers: ResponseTable) -> Alike:
    """The agreement of every pair of models."""
    known = ~np.isnan(answers.marks)
    right = kappas(np.where(known, answers.marks > HALF_OF_THE_MARKS, np.nan))
    wrong = _wrong_choices(answers)
    gave = (wrong != NO_CHOICE).astype(float)
    n_wrong = gave @ gave.T
    same = np.array([((wrong == row) & (row != NO_CHOICE)).sum(axis=1) for row in wrong])
    return Alike(right.kappa, right.n, divided(same, n_wrong), n_wrong.astype(np.intp))


def _wrong_choices(answers: ResponseTable) -> Ints:
    """What each model chose where that is wrong and other wrong answers could be given; else -1."""
    is_wrong = (answers.choices != answers.keys) & answers.has_several_wrong
    return np.where(is_wrong, answers.choices, NO_CHOICE)
