"""Which way of reading ratings is best: strategies compared on the same images.

In: `Subject`s, each one model on one database, from result files or finished runs. Out: a `Study`:
every strategy against the reference on the same images, and rules that are chosen or fitted on one
database and tested on another. Reads and prints nothing.

Every difference is paired: both sides are computed in the same resamples of the images. A database
that several models rated is resampled alike for all of them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.assessment.figures import N_RESAMPLES, Gain, figures, gain, mean_gain
from eyechart.assessment.readings import Reading
from eyechart.assessment.subjects import Subject
from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats
from eyechart.metrics.correlations import Correlations
from eyechart.records import Estimate
from eyechart.report.formatting import signed
from eyechart.strategies import Strategy

RIDGE = 1.0
FITTED = "weights fitted to people's scores"
CHOSEN = "the best strategy there"


@dataclass(frozen=True, slots=True)
class Within:
    """A strategy on one model and database, with its gains over the reference there."""

    model: str
    database: str
    strategy: Strategy
    figures: Correlations
    srcc: Gain
    plcc: Gain


@dataclass(frozen=True, slots=True)
class Across:
    """A rule made on one database and tested on another, by the same model.

    `rule`: `CHOSEN` or `FITTED`; `told`: the strategy chosen, or the weights. `srcc`: its gain over
    the reference on the other database.
    """

    model: str
    made_on: str
    tested_on: str
    rule: str
    told: str
    figures: Correlations
    srcc: Gain


@dataclass(frozen=True, slots=True)
class Overall:
    """The mean gain in SRCC over the reference; `n_pairs`: of a model and a database.

    `one_of_many`: the same, with an interval widened for the `n_compared` that the best is chosen
    from (see `Gain.one_of`). `n_undefined`: pairs where it has no correlation; they are not in the
    mean.
    """

    name: str
    srcc: Estimate
    one_of_many: Estimate
    n_compared: int
    n_pairs: int
    n_undefined: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """What a comparison of strategies found. `reference`: what all are compared with.

    `notes`: what a reader must know.
    """

    reference: Strategy
    within: tuple[Within, ...]
    across: tuple[Across, ...]
    notes: tuple[str, ...] = ()

    @property
    def overall(self) -> tuple[Overall, ...]:
        """Each strategy's mean gain over all pairs that it fits, the greatest first."""
        groups: defaultdict[str, list[Gain]] = defaultdict(list)
        for row in self.within:
            if _ranks_differ(row.strategy, self.reference):
                groups[row.strategy.spec].append(row.srcc)
        return _ranked(groups)

    @property
    def carried(self) -> tuple[Overall, ...]:
        """The mean gain on other databases of each rule made on one."""
        groups: defaultdict[str, list[Gain]] = defaultdict(list)
        for row in self.across:
            groups[row.rule].append(row.srcc)
        return _ranked(groups)


def compare(
    subjects: Sequence[Subject], reference: Strategy, *, n_resamples: int = N_RESAMPLES
) -> Study:
    """Every strategy of every subject against the reference, within and across databases.

    Raises BadInput where a subject has no ratings by the reference, or nothing to compare with it.
    """
    found = [_found(subject, reference, n_resamples) for subject in subjects]
    within = tuple(row for one in found for row in _within(one, reference))
    across = tuple(
        row
        for one, other in itertools.permutations(found, 2)
        if one.subject.model == other.subject.model
        for row in _carried(one, other, reference, n_resamples)
    )
    if not across and not any(_ranks_differ(row.strategy, reference) for row in within):
        raise BadInput(
            f"there is no strategy but {reference.spec} that these words allow, and no second "
            "database to carry weights to; name strategies with --strategies, or give more files"
        )
    notes = dict.fromkeys(note for subject in subjects for note in subject.notes)
    return Study(reference, within, across, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Found:
    """A subject with its figures by strategy."""

    subject: Subject
    figures: Mapping[Strategy, Correlations]


@dataclass(frozen=True, slots=True)
class _Weights:
    """A weight for the standardised logit of each word; mean and spread are where it was fitted."""

    words: tuple[str, ...]
    mean: Floats
    spread: Floats
    weights: Floats

    def of(self, logits: Mapping[str, Floats]) -> Floats:
        """The weighted sum of other logits, [images]."""
        columns = np.stack([logits[word] for word in self.words], axis=1)
        return np.asarray((columns - self.mean) / self.spread @ self.weights)

    @property
    def told(self) -> str:
        """The weights by word, each per logit, as `good +0.31, poor −0.28`."""
        per_logit = self.weights / self.spread
        return ", ".join(
            f"{w} {signed(v, percent=False)}" for w, v in zip(self.words, per_logit, strict=True)
        )


def records_of(study: Study) -> list[dict[str, object]]:
    """A record for JSON of each comparison: `kind` is `within`, `across` or `mean`."""
    reference = study.reference.spec
    records: list[dict[str, object]] = []
    for row in study.within:
        where = {"kind": "within", "model": row.model, "database": row.database}
        found = {"srcc": row.figures.estimates["srcc"], "plcc": row.figures.estimates["plcc"]}
        gains = {"difference_srcc": row.srcc.estimate, "difference_plcc": row.plcc.estimate}
        what = {"strategy": row.strategy.spec, "reference": reference, "n": row.figures.n}
        records.append({**where, **what, **_flat(found), **_flat(gains)})
    for step in study.across:
        where = {"kind": "across", "model": step.model, "database": step.tested_on}
        what = {"made_on": step.made_on, "rule": step.rule, "made": step.told}
        found = {"srcc": step.figures.estimates["srcc"], "difference_srcc": step.srcc.estimate}
        records.append(
            {**where, **what, "reference": reference, "n": step.figures.n, **_flat(found)}
        )
    for mean in (*study.overall, *study.carried):
        what = {"kind": "mean", "strategy": mean.name, "reference": reference}
        counts = {"n_pairs": mean.n_pairs, "n_undefined": mean.n_undefined}
        records.append({**what, **counts, **_flat({"difference_srcc": mean.srcc})})
    return records


def _flat(estimates: Mapping[str, Estimate]) -> dict[str, float | None]:
    return {
        key: value
        for name, found in estimates.items()
        for key, value in (
            (name, found.value),
            (f"{name}_low", found.low),
            (f"{name}_high", found.high),
        )
    }


def _found(subject: Subject, reference: Strategy, n_resamples: int) -> _Found:
    if reference not in subject.readings:
        there = ", ".join(how.spec for how in subject.readings) or "none"
        raise BadInput(
            f"{subject.model} on {subject.sample.database.name}: no ratings by {reference.spec}, "
            f"which all are compared with; there are {there}. {_instead(subject, reference)}"
        )
    found = {
        how: figures(reading, subject.sample, n_resamples=n_resamples)
        for how, reading in subject.readings.items()
    }
    return _Found(subject, found)


def _instead(subject: Subject, reference: Strategy) -> str:
    """What to do where a subject has no ratings by the reference."""
    other = next((how for how in subject.readings if how.name == reference.name), None)
    again = "" if subject.logits else f"Ask the model again with --strategies {reference.spec}"
    if other is None:
        words = ", ".join(subject.logits)
        return again or f"Name two of the words on file with --words GOOD/POOR: {words}"
    words = f"--words {'+'.join(other.good)}/{'+'.join(other.poor)}"
    told = f"ompare with {other.spec}: {words} --softmax-temperature {other.temperature:g}"
    return f"{again}, or c{told}" if again else f"C{told}"


def _within(found: _Found, reference: Strategy) -> list[Within]:
    model, database = found.subject.model, found.subject.sample.database.name
    mine = found.figures[reference]
    return [
        Within(model, database, how, one, gain("srcc", one, mine), gain("plcc", one, mine))
        for how, one in found.figures.items()
    ]


def _carried(made: _Found, tested: _Found, reference: Strategy, n_resamples: int) -> list[Across]:
    """The strategy that is best on one database, and weights fitted there, on another one."""
    names = (made.subject.model, made.subject.sample.database.name)
    beside = tested.subject.sample.database.name
    mine = tested.figures[reference]
    rows = []
    best = _best(made, tested, reference)
    if best is not None:
        there = tested.figures[best]
        rows.append(Across(*names, beside, CHOSEN, best.spec, there, gain("srcc", there, mine)))
    words = [word for word in made.subject.logits if word in tested.subject.logits]
    if len(words) > 1:
        weights = _fit(made.subject, words)
        rating = weights.of(tested.subject.logits)
        there = figures(Reading(rating, rating), tested.subject.sample, n_resamples=n_resamples)
        rows.append(Across(*names, beside, FITTED, weights.told, there, gain("srcc", there, mine)))
    return rows


def _best(made: _Found, tested: _Found, reference: Strategy) -> Strategy | None:
    """The strategy of the highest SRCC; the reference where none is higher, None without others."""
    values = {
        how: one.estimates["srcc"].value
        for how, one in made.figures.items()
        if how in tested.figures
    }
    if not any(_ranks_differ(how, reference) for how in values):
        return None
    known = {how: value for how, value in values.items() if value is not None}
    return max([reference, *known], key=lambda how: known.get(how, -2.0))


def _fit(subject: Subject, words: Sequence[str]) -> _Weights:
    """Ridge regression of the standardised scores of people on the standardised logits."""
    columns = np.stack([subject.logits[word] for word in words], axis=1)
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = (columns - mean) / spread
    mos = subject.sample.mos
    target = (mos - mos.mean()) / (mos.std() or 1.0)
    weights = np.linalg.solve(scaled.T @ scaled + RIDGE * np.eye(len(words)), scaled.T @ target)
    return _Weights(tuple(words), mean, spread, weights)


def _ranks_differ(how: Strategy, reference: Strategy) -> bool:
    """Whether a strategy can order images otherwise: it differs by more than the temperature."""
    return (how.name, how.good, how.poor) != (reference.name, reference.good, reference.poor)


def _ranked(groups: Mapping[str, Sequence[Gain]]) -> tuple[Overall, ...]:
    found = []
    for name, gains in groups.items():
        n_defined = sum(one.value is not None for one in gains)
        mean, n = mean_gain(gains), len(groups)
        n_undefined = len(gains) - n_defined
        found.append(Overall(name, mean.estimate, mean.one_of(n), n, n_defined, n_undefined))
    return tuple(sorted(found, key=lambda one: 2.0 if one.srcc.value is None else -one.srcc.value))
