"""Judged replies: what one or several judges said of them, rubric by rubric.

In: an item with its answers and verdicts. Out: a score for each rubric and judge. A verdict that is
missing or cannot be read leaves the reply unjudged, never zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from eyechart.parse import parse_verdict
from eyechart.records import Item, Response, Score
from eyechart.rubrics import Rubric
from eyechart.scoring.answers import Answers, Silence, heard


def judged_scores(
    item: Item, answers: Answers, rubrics: Sequence[Rubric], judges: Mapping[str, int]
) -> Iterator[Score]:
    """A score for each rubric and judge; without a judge one that says that it is unjudged.

    `judges`: how many verdicts are wanted of each.
    """
    answer = heard(answers.answer())
    for rubric in rubrics:
        for judge, n_draws in (judges or {"": 0}).items():
            if isinstance(answer, Silence):
                yield answer.score(item.id, rubric.score, judge)
            else:
                given = [r for r in answers.verdicts.get(rubric.variant, ()) if r.model == judge]
                yield _judged(item, rubric, judge, given, n_draws)


def most_frequent(verdicts: Sequence[float]) -> float:
    """The verdict that is given most often: the integer majority of one judge's draws.

    Of equally frequent ones the nearest to the mean of all, then the lowest. `verdicts`: whole
    numbers, at least one.

    >>> most_frequent([2, 2, 1]), most_frequent([0, 0, 2, 2, 1]), most_frequent([0, 1])
    (2, 0, 0)
    """
    count, total = Counter(verdicts), sum(verdicts)

    def place(verdict: float) -> tuple[float, float, float]:
        # n times the distance to the mean: whole, so that equal distances are equal.
        return -count[verdict], abs(len(verdicts) * verdict - total), verdict

    return min(count, key=place)


def _judged(
    item: Item, rubric: Rubric, judge: str, verdicts: list[Response], n_draws: int
) -> Score:
    """What the draws come to; at least half of those wanted must have a verdict."""
    if not verdicts:
        return Silence("unjudged", "no judge has graded this reply").score(
            item.id, rubric.score, judge
        )
    values: list[int] = []
    details: list[str] = []
    for verdict in sorted(verdicts, key=lambda v: v.draw):
        parsed = parse_verdict(verdict.text or "", 0, rubric.most)
        if parsed.value is not None:
            values.append(parsed.value)
        else:
            details.append(verdict.failure.message if verdict.failure else parsed.detail)
    n_wanted = max(n_draws, len(verdicts))
    extracted = " ".join(map(str, values))
    if len(values) * 2 < n_wanted:
        cause = details[0] if details else "the judge was not asked"
        lost = f"{n_wanted - len(values)} of {n_wanted} verdicts missing: {cause}"
        return Silence("unjudged", lost, extracted).score(item.id, rubric.score, judge)
    value = _worth(values, rubric)
    if value is None:
        return Silence("unjudged", "the votes are tied", extracted).score(
            item.id, rubric.score, judge
        )
    draws = tuple(map(float, values))
    return Score(item.id, rubric.score, value, None, extracted, "", judge, draws)


def _worth(verdicts: Sequence[int], rubric: Rubric) -> float | None:
    """What the verdicts come to by the rubric's rule, 0 to 1; None where its votes are tied."""
    if rubric.rule == "most_frequent":
        return most_frequent(verdicts) / rubric.most
    share = sum(verdicts) / len(verdicts) / rubric.most
    if rubric.rule == "mean":
        return share
    return None if share == 0.5 else float(share > 0.5)
