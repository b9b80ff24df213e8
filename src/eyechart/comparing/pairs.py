"""Every pair of runs on the same items: paired differences, exact McNemar, Holm over all pairs.

In: each run's samples over the same items. Out: `Pair`s, metric by metric. Reads no folder.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.metrics.arrays import Floats
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, Jackknife, interval_of, jackknife
from eyechart.metrics.paired import holm, mcnemar_exact, paired_difference
from eyechart.metrics.srcc import srcc
from eyechart.records import Cell
from eyechart.report.comparison import Pair
from eyechart.report.samples import Row, Sample, counted, is_pooled


def pairs_of(names: Sequence[str], samples: Sequence[Mapping[str, Sample]]) -> tuple[Pair, ...]:
    """Every pair of runs, metric by metric; `samples`: each run's own, of items in one order.

    A side without some of the items (people who were not asked all) is paired over its own.
    """
    pairs: list[Pair] = []
    for metric, paired in PAIRED.items():
        having = [
            (name, found[metric])
            for name, found in zip(names, samples, strict=True)
            if metric in found
        ]
        n_items = 1 + max((r.position for _, one in having for r in one.rows), default=-1)
        pairs.extend(paired([_side(name, sample, n_items) for name, sample in having]))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Side:
    """One run's sample of a metric.

    `values`: what each item counts as, by its position, NaN where it is left out or not in the
    sample. `clusters`: of each item, "" where it is not in the sample.
    """

    name: str
    sample: Sample
    values: Floats
    clusters: tuple[str, ...]

    @property
    def is_graded(self) -> bool:
        """Some values are neither right nor wrong."""
        known = self.values[~np.isnan(self.values)]
        return not np.isin(known, (0.0, 1.0)).all()


def _side(name: str, sample: Sample, n_items: int) -> _Side:
    values, clusters = np.full(n_items, np.nan), [""] * n_items
    for row, value in zip(sample.rows, counted(sample), strict=True):
        values[row.position] = np.nan if value is None else value
        clusters[row.position] = row.cluster
    return _Side(name, sample, values, tuple(clusters))


def _accuracy_pairs(sides: list[_Side]) -> list[Pair]:
    """With McNemar's test and Holm's correction over all the pairs of right and wrong answers."""
    graded = {side.name for side in sides if side.is_graded}
    pairs = [_tested(a, b, pair) for a, b, pair in _mean_pairs(sides)]
    tested = [pair for pair in pairs if not graded & {pair.a, pair.b}]
    adjusted = iter(holm([pair.p_mcnemar or 0.0 for pair in tested]))
    return [
        dataclasses.replace(pair, p_mcnemar=None, only_a_right=None, only_b_right=None)
        if graded & {pair.a, pair.b}
        else dataclasses.replace(pair, p_holm=next(adjusted))
        for pair in pairs
    ]


def _tested(a: _Side, b: _Side, pair: Pair) -> Pair:
    only_a, only_b = int((a.values > b.values).sum()), int((a.values < b.values).sum())
    p = mcnemar_exact(only_a, only_b)
    return dataclasses.replace(pair, only_a_right=only_a, only_b_right=only_b, p_mcnemar=p)


def _verdict_pairs(sides: list[_Side]) -> list[Pair]:
    return [pair for _, _, pair in _mean_pairs(sides)]


def _mean_pairs(sides: list[_Side]) -> Iterator[tuple[_Side, _Side, Pair]]:
    for a, b in itertools.combinations(sides, 2):
        both = ~np.isnan(a.values + b.values)
        clusters = list(itertools.compress(a.clusters, both))
        difference = paired_difference(a.values[both], b.values[both], clusters)
        yield a, b, Pair(a.name, b.name, a.sample.metric, difference, int(both.sum()))


def _rating_pairs(sides: list[_Side]) -> list[Pair]:
    """Each side is correlated once for each set of items, not for each pair."""
    known: dict[tuple[str, tuple[bool, ...]], Jackknife] = {}

    def ranked(side: _Side, both: tuple[bool, ...]) -> Jackknife:
        if (side.name, both) not in known:
            rows = [row for row in side.sample.rows if both[row.position]]
            known[side.name, both] = _ranked(rows)
        return known[side.name, both]

    pairs = []
    for a, b in itertools.combinations(sides, 2):
        both = tuple((~np.isnan(a.values + b.values)).tolist())
        difference = interval_of(ranked(a, both) - ranked(b, both))
        pairs.append(Pair(a.name, b.name, a.sample.metric, difference, sum(both)))
    return pairs


def _mean_srcc(values: Floats, targets: Floats, databases: Floats, halves: Floats) -> float | None:
    """The plain mean over databases of the rank correlation, of each over its halves."""
    found = []
    for database in np.unique(databases):
        here = databases == database
        parts = [here & (halves == half) for half in np.unique(halves[here])]
        found.append(_mean([srcc(values[part], targets[part]) for part in parts]))
    return _mean(found)


def _mean(values: Sequence[float | None]) -> float | None:
    """The plain mean; None where there is nothing, or one of them is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _ranked(rows: Sequence[Row]) -> Jackknife:
    """The rank correlation of scored rows, over several scales the mean of theirs."""
    columns = [
        [row.value or 0.0 for row in rows],
        [row.target or 0.0 for row in rows],
        _codes([row.scale.database for row in rows]),
        _codes([row.scale.half for row in rows]),
    ]
    return jackknife(_mean_srcc, columns, [row.cluster for row in rows])


def _codes(names: Sequence[str]) -> list[float]:
    """The same names as numbers."""
    code = {name: float(i) for i, name in enumerate(dict.fromkeys(names))}
    return [code[name] for name in names]


def mean_cells(sample: Sample) -> Iterator[Cell]:
    """The means of a sample on several scales: of all of them, and of each database's halves."""
    if not is_pooled(sample):
        return
    yield _mean_cell(sample)
    databases = dict.fromkeys(row.scale.database for row in sample.rows)
    for name in databases if len(databases) > 1 else ():
        part = sample.part(r.position for r in sample.rows if r.scale.database == name)
        if is_pooled(part):
            yield _mean_cell(part, "database", name)


def _mean_cell(sample: Sample, facet: str = "", value: str = "") -> Cell:
    rows = [row for row in sample.rows if row.value is not None]
    estimate = interval_of(_ranked(rows), CORRELATION_BOUNDS)
    return Cell(facet, value, sample.metric, estimate, n_unscored=len(sample.rows) - len(rows))


PAIRED: dict[str, Callable[[list[_Side]], list[Pair]]] = {
    "overall": _verdict_pairs,
    "accuracy": _accuracy_pairs,
    "verdict": _verdict_pairs,
    "srcc_mos": _rating_pairs,
    "srcc_level": _rating_pairs,
}
