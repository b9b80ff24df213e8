"""Many ratings at once: a scoring strategy over columns of logits.

In: a `Strategy` and the logits of its words, an array each. Out: a `Reading`. It gives what
`eyechart.strategies` gives image by image, in a few array operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats
from eyechart.strategies import LEVEL_WEIGHTS, LEVELS, Strategy


@dataclass(frozen=True, slots=True)
class Reading:
    """Ratings of images, 0 (worst) to 1 (best), [images].

    `ranks`: values in the same order as the ratings, without the rounding of the softmax, which
    makes equal ratings out of different logits; the log-odds where there are any.
    """

    ratings: Floats
    ranks: Floats


def read_ratings(how: Strategy, logits: Mapping[str, Floats]) -> Reading:
    """The ratings that the logits of `how.words` give.

    Raises BadInput for a strategy that reads no logits.

    >>> from eyechart.strategies import strategy
    >>> logits = {"good": np.array([2.0, 0.0]), "poor": np.array([0.0, 0.0])}
    >>> read_ratings(strategy("softmax@1"), logits).ratings.round(4).tolist()
    [0.8808, 0.5]
    """
    if how.other_protocol:
        raise BadInput(
            f"strategy {how.spec}: reads replies in words, and there are only logits here; choose "
            "softmax, word-sets, argmax or five-level"
        )
    if how.name == "five-level":
        return _levels(np.stack([logits[word] for word in LEVELS]) / how.temperature)
    odds = np.sum([logits[word] for word in how.good], axis=0) - np.sum(
        [logits[word] for word in how.poor], axis=0
    )
    if how.name == "argmax":
        chosen = (odds > 0).astype(np.float64)
        return Reading(chosen, chosen)
    return Reading(special.expit(odds / how.temperature), odds)


def _levels(scaled: Floats) -> Reading:
    """The mean of the levels' weights; its log-odds, which grow with it, do not saturate."""
    weights = np.array(LEVEL_WEIGHTS)[:, None]
    good = special.logsumexp(scaled, axis=0, b=weights)
    poor = special.logsumexp(scaled, axis=0, b=1 - weights)
    return Reading(special.expit(good - poor), good - poor)
