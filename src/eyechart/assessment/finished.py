"""A finished run's ratings, database by database.

In: items with MOS and the scores of a run. Out: `Rated`: a sample of images with a model's ratings
by each strategy. What a score is called is settled in `eyechart.records.Score`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.assessment.databases import Database, named
from eyechart.assessment.figures import N_RESAMPLES, Sample, figures
from eyechart.assessment.readings import Reading
from eyechart.assessment.replay import Replayed
from eyechart.items import ItemSet
from eyechart.metrics.correlations import Correlations
from eyechart.records import Item, Score
from eyechart.strategies import Strategy, strategy

Ratings = Mapping[str, Score]
RANKED_BY_ODDS = ("softmax", "word-sets")


@dataclass(frozen=True, slots=True)
class Rated:
    """The images of one database that have a rating by a strategy, and these ratings.

    `n_items`: images of the database that were to be rated.
    """

    database: Database
    sample: Sample
    reading: Reading
    n_items: int

    @property
    def n_unscored(self) -> int:
        """Images without a rating; they are in no correlation."""
        return self.n_items - len(self.sample.names)


def rows_of_run(
    model: str,
    item_set: ItemSet,
    scores: Sequence[Score],
    strategies: Sequence[str],
    *,
    n_resamples: int = N_RESAMPLES,
) -> list[Replayed]:
    """The figures of a run: a row for each database and strategy that has ratings.

    Images without a rating are left out of the row, and counted in its notes.
    """
    chosen = [strategy(spec) for spec in strategies]
    ratings = ratings_by(scores)
    rows = []
    for name, items in by_database(item_set.items).items():
        for how in chosen:
            found = rated(name, items, ratings.get(score_name(chosen, how), {}), how=how)
            if found is not None:
                figured = figures(found.reading, found.sample, n_resamples=n_resamples)
                rows.append(_row(model, how, found, figured))
    return rows


def score_name(strategies: Sequence[Strategy], how: Strategy) -> str:
    """The name of a strategy's scores: the first one's is `rating`.

    >>> from eyechart.strategies import strategy
    >>> both = [strategy("softmax@1"), strategy("argmax")]
    >>> score_name(both, both[0]), score_name(both, both[1])
    ('rating', 'rating.argmax:good/poor')
    """
    return f"rating.{how.spec}" if how != strategies[0] else "rating"


def ratings_by(scores: Iterable[Score]) -> dict[str, dict[str, Score]]:
    """Ratings by score name and item id; unscored items are not among them."""
    found: dict[str, dict[str, Score]] = {}
    for score in scores:
        if score.value is not None and score.name.partition(".")[0] == "rating":
            found.setdefault(score.name, {})[score.item_id] = score
    return found


def by_database(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items with MOS, by the database that they are of."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.kind == "rate" and item.mos is not None:
            name = str(item.facets.get("database") or item.source or "database")
            found.setdefault(name, []).append(item)
    return found


def sample_of_items(name: str, items: Sequence[Item]) -> Sample:
    """The sample that items of one database are.

    Halves are told by the facet `half`, versions of one photograph by the facet `reference`.
    """
    halves = np.array([str(item.facets.get("half", "")) for item in items])
    labels = [item.images[0].label if item.images else item.id for item in items]
    groups = [
        str(item.facets.get("reference", label)) for item, label in zip(items, labels, strict=True)
    ]
    return Sample(
        database=named(name),
        names=tuple(labels),
        mos=np.array([item.mos for item in items], dtype=np.float64),
        parts=tuple(np.flatnonzero(halves == half) for half in sorted(set(halves))),
        clusters=tuple(groups) if len(set(groups)) < len(groups) else None,
    )


def rated(name: str, items: Sequence[Item], ratings: Ratings, *, how: Strategy) -> Rated | None:
    """The items of one database with their ratings; None where none of them has one."""
    known = [item for item in items if item.id in ratings]
    if not known:
        return None
    sample = sample_of_items(name, known)
    return Rated(sample.database, sample, _reading([ratings[i.id] for i in known], how), len(items))


def _reading(scores: Sequence[Score], how: Strategy) -> Reading:
    """The ratings, ranked by the log-odds where all have them and the strategy's ratings follow."""
    values = np.array([score.value for score in scores], dtype=np.float64)
    if how.name not in RANKED_BY_ODDS or any(len(score.draws) != 1 for score in scores):
        return Reading(values, values)
    return Reading(values, np.array([score.draws[0] for score in scores]))


def _row(model: str, how: Strategy, found: Rated, figured: Correlations) -> Replayed:
    left = f"{found.n_unscored:,} of {found.n_items:,} images have no rating by {how.spec}."
    return Replayed(
        model=model,
        database=found.database,
        strategy=how,
        figures=figured,
        n_records=found.n_items,
        notes=(left,) if found.n_unscored else (),
    )
