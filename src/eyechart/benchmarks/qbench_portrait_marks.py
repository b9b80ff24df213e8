"""Marks on Q-Bench-Portrait's questions, as arrays, and the figures that they come to.

In: findings of runs on the same items. Out: each run's marks [items], and its mean mark by subset
with an interval. Ranks nothing and prints nothing.

A mark is 0 to 1: `correct` of a closed question, the first judge's `verdict` of an open one. What
could not be scored has 0; what a judge owes, or has no right answer on file, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS, subsets_of
from eyechart.items import cluster_of
from eyechart.metrics.arrays import Floats, cluster_codes
from eyechart.metrics.intervals import mean, proportion
from eyechart.records import Estimate, Item, Score
from eyechart.report.counting import of_first_judge

Mask = NDArray[np.bool_]
MOST_LEFT_OUT = 0.05
"""The share of a kind's questions above which a run's figures are not those of all of them."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions that were asked, in their order.

    `inside`: for each key of `COUNTS` which questions count there, booleans [items]. `clusters`:
    the number of each question's cluster, None where each is its own.
    """

    items: tuple[Item, ...]
    inside: Mapping[str, Mask]
    clusters: NDArray[np.intp] | None

    @property
    def counts(self) -> dict[str, int]:
        """How many questions each subset has."""
        return {key: int(mask.sum()) for key, mask in self.inside.items()}

    @property
    def as_published(self) -> bool:
        """Every subset has as many questions as the published one."""
        return self.counts == COUNTS


@dataclass(frozen=True, slots=True)
class Marks:
    """One run's marks, 0 to 1 [items], NaN where left out.

    `figures`: the mean mark of each key of `COUNTS`, None where it has none. `waits`: no open
    question is judged, so that the figures are of closed ones only. `n_unscored`: questions that
    count as 0 because nothing could be scored. `n_left_out`: those without a mark; the open ones of
    a run that waits for a judge are not counted. `ranked`: it is a model whose figures compare with
    published ones: of as many questions in every subset, at most 5 % of each kind left out.
    """

    model: str
    values: Floats
    figures: Mapping[str, Estimate | None]
    waits: bool = False
    n_unscored: int = 0
    n_left_out: int = 0
    ranked: bool = True
    people: bool = False

    @property
    def label(self) -> str:
        """The model, with a word where open questions are left out."""
        return f"{self.model} (w/o OE)" if self.waits else self.model


def questions_of(findings: Sequence[Findings]) -> Questions:
    """The questions of the first of these runs; none where there are no runs."""
    items = findings[0].item_set.items if findings else ()
    subsets = [subsets_of(item) for item in items]
    clusters = [cluster_of(item, one.item_set.card) for one in findings[:1] for item in items]
    stand_alone = len(set(clusters)) == len(clusters)
    return Questions(
        items=items,
        inside={key: np.array([key in found for found in subsets], bool) for key in COUNTS},
        clusters=None if stand_alone else cluster_codes(clusters, len(clusters)),
    )


def marks_of(findings: Findings, questions: Questions) -> Marks:
    """A run's marks and figures; for people, questions that nobody was asked are left out."""
    by_name = {(s.item_id, s.name): s for s in of_first_judge(findings.scores, findings.judges)}
    scores = [by_name.get((item.id, _name(item))) for item in questions.items]
    values = np.array([_mark(score, findings.people) for score in scores], float)
    is_open = questions.inside["OE"]
    waits = _waits([s for s, is_one in zip(scores, is_open, strict=True) if is_one])
    values[is_open & waits] = np.nan
    unscored = np.array([score is None or score.value is None for score in scores], bool)
    left_out = np.isnan(values)
    kinds = [left_out[questions.inside[code]] for code in CODES.values()]
    return Marks(
        model=findings.model,
        values=values,
        figures=_figures(values, questions),
        waits=waits,
        n_unscored=int((unscored & ~left_out).sum()),
        n_left_out=int((left_out & ~(is_open & waits)).sum()),
        ranked=questions.as_published
        and not findings.people
        and all(kind.mean() <= MOST_LEFT_OUT for kind in kinds),
        people=findings.people,
    )


def random_guess(questions: Questions) -> dict[str, Estimate | None]:
    """What guessing gives in each subset, over its single choice and true-or-false questions only.

    (0.25 SC + 0.5 TF) / (SC + TF), as the paper's baseline; None where there are none of them.
    """
    single, truth = questions.inside["SC"], questions.inside["TF"]
    found: dict[str, Estimate | None] = {}
    for key, mask in questions.inside.items():
        n_single, n_truth = int((mask & single).sum()), int((mask & truth).sum())
        n = n_single + n_truth
        found[key] = Estimate((n_single / 4 + n_truth / 2) / n, None, None, n) if n else None
    return found


def _name(item: Item) -> str:
    return "verdict" if item.kind == "open" else "correct"


def _mark(score: Score | None, people: bool) -> float:
    if score is not None and score.value is not None:
        return score.value
    is_owed = score is not None and score.why == "unjudged"
    return math.nan if people or is_owed else 0.0


def _waits(scores: Sequence[Score | None]) -> bool:
    """None of the open questions has a verdict, and at least one is owed."""
    judged = any(score and score.value is not None for score in scores)
    return not judged and any(score is None or score.why == "unjudged" for score in scores)


def _figures(values: Floats, questions: Questions) -> dict[str, Estimate | None]:
    known = ~np.isnan(values)
    found: dict[str, Estimate | None] = {}
    for key, mask in questions.inside.items():
        here = mask & known
        clusters = None if questions.clusters is None else questions.clusters[here]
        found[key] = _figure(values[here], clusters) if here.any() else None
    return found


def _figure(values: Floats, clusters: NDArray[np.intp] | None) -> Estimate:
    if ((values == 0) | (values == 1)).all():
        return proportion(values, clusters)
    return mean(values, clusters, within=(0.0, 1.0))
