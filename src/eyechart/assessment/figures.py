"""One model's ratings of one database against people's: every figure, halves and clusters heeded.

In: a `Reading` and the `Sample` of images that it is of. Out: `Correlations`, and plain means and
paired differences of several. How correlations are computed is in `eyechart.metrics.correlations`.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.assessment.databases import Database, clusters_of, halves
from eyechart.assessment.readings import Reading
from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats
from eyechart.metrics.correlations import (
    METRICS_OF_PAIRS,
    Correlations,
    correlations,
    interval,
)
from eyechart.metrics.jackknife import TAIL
from eyechart.records import Estimate

N_RESAMPLES = 1000
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sample:
    """Images that people rated: their names and MOS, [images], in one order.

    `parts`: places of the images that are correlated apart, then averaged (CGIQA-6K's halves).
    `clusters`: which images are not independent, None where each is on its own.
    """

    database: Database
    names: tuple[str, ...]
    mos: Floats
    parts: tuple[Places, ...]
    clusters: tuple[str, ...] | None = None


def sample_of(
    database: Database, names: Sequence[str], mos: Floats, *, places: Sequence[int] | None = None
) -> Sample:
    """The sample that these images of a database's list are, in the list's order.

    `places`: where each stands in the whole list, from 0; without them, no image was left out.
    Raises BadInput where none of them is in either half of a list that has halves.
    """
    parts = halves(database, range(len(names)) if places is None else places)
    if not parts:
        raise BadInput(
            f"{database.name}: all images stand behind the two halves of {database.half:,}; "
            "expected the list in its own order"
        )
    clusters = clusters_of(database, names)
    return Sample(
        database=database,
        names=tuple(names),
        mos=mos,
        parts=tuple(map(np.array, parts)),
        clusters=None if clusters is None else tuple(clusters),
    )


def figures(reading: Reading, sample: Sample, *, n_resamples: int = N_RESAMPLES) -> Correlations:
    """Every correlation of the ratings with people's, with intervals and resamples.

    Resamples depend on the database and its images alone, so that two readings of the same images,
    also of two models, can be compared resample by resample.
    """
    seed = zlib.crc32(sample.database.name.encode())
    found = []
    for number, part in enumerate(sample.parts):
        places = sorted(part, key=sample.names.__getitem__)
        clusters = sample.clusters
        found.append(
            correlations(
                reading.ratings[places],
                sample.mos[places],
                ranks=reading.ranks[places],
                clusters=None if clusters is None else [clusters[at] for at in places],
                n_resamples=n_resamples,
                seed=seed + number,
            )
        )
    inside = np.concatenate(sample.parts)
    n_distinct = int(np.unique(reading.ranks[inside]).size)
    return dataclasses.replace(mean_of(found), n_distinct=n_distinct)


def mean_of(several: Sequence[Correlations]) -> Correlations:
    """The plain mean of each figure over several samples, whatever their sizes.

    A figure that is undefined for one of them is undefined. `n` and `n_distinct` are sums.
    """
    if len(several) == 1:
        return several[0]
    n = sum(one.n for one in several)
    estimates, draws = {}, {}
    for name in METRICS_OF_PAIRS:
        value = _mean(one.estimates[name].value for one in several)
        draws[name] = _mean_draws([] if value is None else [one.draws[name] for one in several])
        estimates[name] = interval(value, draws[name], n)
    n_distinct = sum(one.n_distinct for one in several)
    return Correlations(n=n, n_distinct=n_distinct, estimates=estimates, draws=draws)


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much a figure is higher than another on the same images, resample by resample."""

    value: float | None
    draws: Floats
    n: int

    @property
    def estimate(self) -> Estimate:
        """The gain with its 95 % interval; None where it is undefined."""
        return interval(self.value, self.draws, self.n)

    def one_of(self, n_compared: int) -> Estimate:
        """The gain with an interval that is wider the more gains are compared (Bonferroni).

        With a chance of at least 95 % all of them hold what they are of.
        """
        plain = self.estimate
        if plain.low is None:
            return plain
        tail = TAIL / n_compared
        low, high = np.quantile(self.draws[~np.isnan(self.draws)], [tail, 1 - tail])
        return dataclasses.replace(plain, low=float(low), high=float(high))


def gain(metric: str, a: Correlations, b: Correlations) -> Gain:
    """The metric of `a` less that of `b`, which rate the same images of one database."""
    first, second = a.estimates[metric].value, b.estimates[metric].value
    if first is None or second is None:
        return Gain(None, np.empty(0), a.n)
    return Gain(first - second, a.draws[metric] - b.draws[metric], a.n)


def mean_gain(gains: Sequence[Gain]) -> Gain:
    """The plain mean of gains; those that are undefined are left out."""
    known = [one for one in gains if one.value is not None]
    draws = _mean_draws([one.draws for one in known])
    return Gain(_mean(one.value for one in known), draws, sum(one.n for one in known))


def _mean(values: Iterable[float | None]) -> float | None:
    known = list(values)
    defined = [value for value in known if value is not None]
    return sum(defined) / len(defined) if defined and len(defined) == len(known) else None


def _mean_draws(several: Sequence[Floats]) -> Floats:
    """The mean in each resample, NaN where one of them is; empty without any."""
    return np.mean(several, axis=0) if several else np.empty(0)
