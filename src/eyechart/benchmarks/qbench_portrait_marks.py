"""Marks on Q-Bench-Portrait's questions, as arrays, and the figures that they come to.

In: findings of runs on the same items. Out: each run's marks [items], and its mean mark by subset
with an interval. Ranks nothing and prints nothing.

A mark is that of `eyechart.report.samples.marks_of`, by the first judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS, subsets_of
from eyechart.items import cluster_of
from eyechart.metrics.arrays import Floats, cluster_codes
from eyechart.metrics.intervals import share_of_marks
from eyechart.records import Estimate, Item
from eyechart.report.counting import of_first_judge
from eyechart.report.samples import marks_of

Mask = NDArray[np.bool_]
MOST_LEFT_OUT = 0.05
"""The share of a kind's questions above which a run's figures are not those of all of them."""
MARKS = ("correct", "verdict")


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
    question is judged, or answered where these are people, so that the figures are of closed ones
    only. `in_part`: more than 5 % of a model's open questions are without a verdict. `n_unscored`:
    questions that count as 0 because nothing could be scored. `n_left_out`: those without a mark;
    the open ones of a run that waits for a judge are not counted. `ranked`: it is a model whose
    figures compare with published ones: of as many questions in every subset, at most 5 % of each
    kind left out.
    """

    model: str
    values: Floats
    figures: Mapping[str, Estimate | None]
    waits: bool = False
    in_part: bool = False
    n_unscored: int = 0
    n_left_out: int = 0
    ranked: bool = True
    people: bool = False

    @property
    def label(self) -> str:
        """The model, with a word where open questions are left out."""
        if self.waits and self.people and self.model.endswith(")"):
            return f"{self.model[:-1]}, w/o OE)"
        if self.waits:
            return f"{self.model} (w/o OE)"
        return f"{self.model} (OE in part)" if self.in_part else self.model


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


def marks_in(findings: Findings, questions: Questions) -> Marks:
    """A run's marks and figures; for people, questions that nobody was asked are left out."""
    scores = of_first_judge(findings.scores, findings.judges)
    values = marks_of(replace(findings.item_set, items=questions.items), scores)
    valued = {s.item_id for s in scores if s.name in MARKS and s.value is not None}
    unscored = np.array([item.id not in valued for item in questions.items], bool)
    if findings.people:
        values[unscored] = np.nan
    left_out, is_open = np.isnan(values), questions.inside["OE"]
    waits = bool(is_open.any() and left_out[is_open].all())
    many = {
        kind: left_out[questions.inside[code]].sum() > MOST_LEFT_OUT * questions.inside[code].sum()
        for kind, code in CODES.items()
    }
    return Marks(
        model=findings.model,
        values=values,
        figures={key: figure_of(values, questions, mask) for key, mask in questions.inside.items()},
        waits=waits,
        in_part=bool(many["open"]) and not waits and not findings.people,
        n_unscored=int((unscored & ~left_out).sum()),
        n_left_out=int((left_out & ~(is_open & waits)).sum()),
        ranked=questions.as_published and not findings.people and not any(many.values()),
        people=findings.people,
    )


def figure_of(values: Floats, questions: Questions, within: Mask) -> Estimate | None:
    """The mean of the marks [items] of some of the questions; None where they have none."""
    here = within & ~np.isnan(values)
    if not here.any():
        return None
    clusters = None if questions.clusters is None else questions.clusters[here]
    return share_of_marks(values[here], clusters)


def random_guess(questions: Questions) -> dict[str, Estimate | None]:
    """What guessing gives in each subset, over its single choice and true-or-false questions only.

    (0.25 SC + 0.5 TF) / (SC + TF), as the paper's baseline; None where there are none of them. This
    is what is expected, not what was seen: without an interval or n.
    """
    single, truth = questions.inside["SC"], questions.inside["TF"]
    found: dict[str, Estimate | None] = {}
    for key, mask in questions.inside.items():
        n_single, n_truth = int((mask & single).sum()), int((mask & truth).sum())
        n = n_single + n_truth
        found[key] = Estimate((n_single / 4 + n_truth / 2) / n, None, None, 0) if n else None
    return found
