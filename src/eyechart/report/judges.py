"""What judges are worth: how far the draws of one differ, and how far two of them agree.

In: items with the scores of every judge, and the rubrics that these are by. Out: the tables
`judge-draws`, where a judge was asked several times, and `judge-agreement`, where there are several
judges. A verdict is in points, from 0 to what its rubric says; a reply that was not judged is left
out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.agreement import equal_shares, kappa_estimate, spreads
from eyechart.metrics.intervals import mean, proportion, share_of_marks
from eyechart.records import Column, Estimate, Line, Score, Table
from eyechart.report.naming import way_in_words
from eyechart.rubrics import Rubric, Rubrics
from eyechart.scoring.verdicts import most_frequent

Draws = tuple[float, ...]
SUBJECTS = {"verdict": "", "correct.judged": "right or wrong"}
MAJORITY, MEAN = "integer majority", "mean"
COUNTED = {"mean": MEAN, "most_frequent": MAJORITY, "votes": MAJORITY}
"""Which of the two figures is the scores' own, by the rubric's rule."""
DRAWS_COLUMNS = (
    Column(MAJORITY, "percent"),
    Column(MEAN, "percent"),
    Column("counted"),
    Column("spread"),
    Column("equal draws", "percent"),
)
AGREEMENT_COLUMNS = (
    Column("weighted kappa"),
    Column("equal verdicts", "percent"),
    Column("difference"),
)
DRAWS_NOTE = (
    "Integer majority: the most frequent of a judge's verdicts on a reply, of equally frequent "
    "ones the nearest to their mean, then the lowest. Mean: of all its verdicts on a reply. Both "
    "are told as means over replies, in % of full marks; a reply that failed, was refused or not "
    "understood counts as 0, one that the judge has not graded is left out. Counted: which of the "
    "two is the reply's score. Spread: how far the draws of one judge on the same reply differ, as "
    "their standard deviation (in points of {points}). Equal draws: the share of pairs of draws "
    "that are equal. These two are of replies with two draws or more."
)
AGREEMENT_NOTE = (
    "Two judges on the same replies. Kappa (quadratic weights) and equal verdicts are those of the "
    "medians of their draws; the difference is that of their mean verdicts, in points of {points}, "
    "the first judge's less the second's."
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one judge said by one rubric.

    `draws`: its verdicts on each reply, by item id, in points. `missing`: ids of the items whose
    reply counts as 0 because there was nothing to judge.
    """

    judge: str
    rubric: Rubric
    draws: Mapping[str, Draws]
    missing: tuple[str, ...]

    @property
    def subject(self) -> str:
        """What is judged, with a colon before it; "" where there is but one thing to judge."""
        name = self.rubric.score
        told = SUBJECTS.get(name, way_in_words(name))
        return f": {told}" if told else ""


def judge_tables(
    item_set: ItemSet, scores: Iterable[Score], judges: Sequence[str], rubrics: Rubrics
) -> tuple[Table, ...]:
    """How far each judge can be relied on, by rubric.

    `scores`: those of every judge; `judges`: their names in order; `rubrics`: what they were asked,
    of which those whose scores have one name have one scale and one rule. `judge-draws` has a line
    for each judge and rubric with several draws of a reply, `judge-agreement` one for each pair of
    judges and rubric with replies that both graded; a table without lines is left out, and so is a
    score that no rubric gives.
    """
    cluster = {item.id: cluster_of(item, item_set.card) for item in item_set.items}
    by_judge: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        if score.judge and score.item_id in cluster:
            by_judge.setdefault((score.name, score.judge), []).append(score)
    named = {rubric.score: rubric for asked in rubrics.values() for rubric in asked}
    given = [
        _verdicts(judge, named[name], by_judge[name, judge])
        for name in sorted(named)
        for judge in judges
        if (name, judge) in by_judge
    ]
    given = [verdicts for verdicts in given if verdicts.draws]
    found = (_draws_table(given, cluster), _agreement_table(given, cluster))
    return tuple(table for table in found if table.lines)


def _verdicts(judge: str, rubric: Rubric, scores: Sequence[Score]) -> Verdicts:
    draws = {
        score.item_id: score.draws or (rubric.most * score.value,)
        for score in scores
        if score.value is not None
    }
    missing = tuple(s.item_id for s in scores if s.value is None and s.why != "unjudged")
    return Verdicts(judge, rubric, draws, missing)


def _draws_table(given: Sequence[Verdicts], cluster: Mapping[str, str]) -> Table:
    drawn = [v for v in given if any(len(draws) > 1 for draws in v.draws.values())]
    lines = tuple(
        Line(
            v.judge + v.subject,
            (*_figures(v, cluster), COUNTED[v.rubric.rule], *_steadiness(v, cluster)),
        )
        for v in drawn
    )
    note = DRAWS_NOTE.format(points=_points(drawn))
    title = "Judges: how far the draws of one differ"
    return Table("judge-draws", title, DRAWS_COLUMNS, lines, note, "Judge")


def _figures(verdicts: Verdicts, cluster: Mapping[str, str]) -> Iterator[Estimate]:
    """The integer majority and the mean, as shares of full marks."""
    silent = [0.0] * len(verdicts.missing)
    clusters = [cluster[id] for id in (*verdicts.draws, *verdicts.missing)]
    most = verdicts.rubric.most
    majority = [most_frequent(draws) / most for draws in verdicts.draws.values()] + silent
    means = [fmean(draws) / most for draws in verdicts.draws.values()] + silent
    yield share_of_marks(majority, clusters)
    yield share_of_marks(means, clusters)


def _steadiness(verdicts: Verdicts, cluster: Mapping[str, str]) -> tuple[Estimate, ...]:
    drawn = {id: draws for id, draws in verdicts.draws.items() if len(draws) > 1}
    widest = max(map(len, drawn.values()))
    table = np.array([(*each, *[math.nan] * (widest - len(each))) for each in drawn.values()])
    clusters = [cluster[id] for id in drawn]
    # The standard deviation (n - 1) of verdicts is largest for two draws, none and all points.
    most_spread = verdicts.rubric.most / math.sqrt(2)
    return (
        mean(spreads(table), clusters, within=(0.0, most_spread)),
        mean(equal_shares(table), clusters, within=(0.0, 1.0)),
    )


def _agreement_table(given: Sequence[Verdicts], cluster: Mapping[str, str]) -> Table:
    pairs = [
        (first, second, shared)
        for first, second in itertools.combinations(given, 2)
        if first.rubric == second.rubric
        and (shared := [id for id in first.draws if id in second.draws])
    ]
    lines = tuple(
        Line(
            f"{first.judge} and {second.judge}{first.subject}",
            _agreement(first, second, {id: cluster[id] for id in shared}),
        )
        for first, second, shared in pairs
    )
    note = AGREEMENT_NOTE.format(points=_points([first for first, _, _ in pairs]))
    title = "Judges: how far two of them agree"
    return Table("judge-agreement", title, AGREEMENT_COLUMNS, lines, note, "Judges")


def _agreement(
    first: Verdicts, second: Verdicts, cluster: Mapping[str, str]
) -> tuple[Estimate, ...]:
    """Over the items that `cluster` names, those that both graded."""
    clusters = list(cluster.values())
    a, b = ([median(v.draws[id]) for id in cluster] for v in (first, second))
    apart = [fmean(first.draws[id]) - fmean(second.draws[id]) for id in cluster]
    return (
        kappa_estimate(a, b, clusters),
        proportion([float(x == y) for x, y in zip(a, b, strict=True)], clusters),
        mean(apart, clusters, within=(-first.rubric.most, first.rubric.most)),
    )


def _points(given: Iterable[Verdicts]) -> str:
    """The scales of these verdicts in words."""
    return " or ".join(f"0 to {most}" for most in sorted({v.rubric.most for v in given}))
