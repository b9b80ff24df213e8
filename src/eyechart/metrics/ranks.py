"""Ranks of models among each other, with 95 % intervals.

In: each model's figure and draws of it. Out: ranks, 1 for the highest; models that tie share the
lowest number ("competition ranking": 1, 2, 2, 4). Resamples nothing. Not a plug-in.

The interval of a rank is that of the ranks in resamples of the items (Goldstein and Spiegelhalter
1996, J. R. Stat. Soc. A 159: 385-443). Of models that are all but equal it can miss the true rank
more often than 1 in 20 times (Hall and Miller 2009, Ann. Stat. 37: 3929-3959).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import finite
from eyechart.metrics.jackknife import TAIL
from eyechart.records import Estimate

ROUNDING = 9
"""Digits to which means are equal: sums of thirds are not to the last one."""


def ranks_of(draws: ArrayLike) -> NDArray[np.intp]:
    """The rank of each model in each draw, [models, draws], 1 for the highest value.

    Ties share the lowest number. Raises BadInput where a value is not finite.

    >>> ranks_of([[0.5], [0.9], [0.5], [0.1]]).ravel().tolist()
    [2, 1, 2, 4]
    """
    table = finite(draws, "draws", ndim=2)
    ranks = [1 + (table > own).sum(axis=0) for own in table]
    return np.asarray(ranks, dtype=np.intp).reshape(table.shape)


def rank_intervals(values: ArrayLike, draws: ArrayLike, *, n_items: int) -> tuple[Estimate, ...]:
    """The rank of each of the values [models]; its interval from draws of them [models, draws].

    The ends are whole ranks, the 2.5 % and 97.5 % quantiles (the least rank with so many draws at
    or below it), drawn apart where the rank itself lies outside. `n_items`: what the values rest
    on. Raises BadInput where a number is not finite, or there are not draws of each model.

    >>> rank_intervals([0.6, 0.5], [[0.6, 0.7], [0.5, 0.8]], n_items=9)[0]
    Estimate(value=1.0, low=1.0, high=2.0, n=9)
    """
    points, drawn = finite(values, "values"), ranks_of(draws)
    if len(points) != len(drawn) or not drawn.size:
        raise BadInput(
            f"draws has shape {drawn.shape}, expected [{len(points)} models, 1 or more draws]"
        )
    ranks = ranks_of(np.round(points, ROUNDING)[:, None])[:, 0]
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL], axis=1, method="inverted_cdf")
    ends = zip(ranks, np.minimum(low, ranks), np.maximum(high, ranks), strict=True)
    return tuple(Estimate(float(r), float(a), float(b), n_items) for r, a, b in ends)
