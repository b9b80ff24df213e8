"""The scores of one item in words, as the list of items shows them.

In: scores. Out: `Reading`s of the plain ones, and the others in short (`Aside`). Right, wrong and
unscored by the plain score are told by the entry's status.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from eyechart.records import MOST_VERDICT, Response, Score
from eyechart.report.formatting import WHY_LABELS, heading, number, one_line, words
from eyechart.report.metric_names import metric_named
from eyechart.report.naming import way_in_words

HEADINGS = {"correct": "Other scores", "verdict": "Verdict", "rating": "Read otherwise"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A plain score as shown: what was read out of the reply, its value, or why there is none.

    `judge`: whose verdict it is, "" where one judge or none gave any.
    """

    name: str
    extracted: str
    value: str
    why: str
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Aside:
    """Scores with a name after the dot, in short: "blind: wrong (B)" under "Other scores"."""

    heading: str
    parts: tuple[str, ...]


def readings_of(scores: Iterable[Score], responses: Sequence[Response]) -> tuple[Reading, ...]:
    """The plain scores. What a failed reply says already is not said again."""
    plain = [score for score in scores if "." not in score.name]
    told = _told(responses)
    several = len({score.judge for score in plain if score.judge}) > 1
    return tuple(_reading(score, told, score.judge if several else "") for score in plain)


def asides_of(scores: Iterable[Score], responses: Sequence[Response]) -> tuple[Aside, ...]:
    """The other scores, by what they are of and by judge where several judged."""
    told = _told(responses)
    dotted = [score for score in scores if "." in score.name]
    several = len({score.judge for score in dotted if score.judge}) > 1
    groups: dict[str, list[Score]] = {}
    for score in dotted:
        root = score.name.partition(".")[0]
        by = f" by {score.judge}" if several and score.judge and root == "verdict" else ""
        label = f"{HEADINGS.get(root, heading(root))}{by}"
        groups.setdefault(label, []).append(score)
    return tuple(Aside(label, _parts(mine, told)) for label, mine in groups.items())


def in_words(score: Score, told: Collection[str] = ()) -> str:
    """A score with a name after the dot, in words; a reason among those `told` is not said again.

    >>> in_words(Score("1", "correct.blind", 0.0, extracted="B"))
    'blind: wrong (B)'
    >>> in_words(Score("1", "verdict.completeness", 0.7, judge="a", draws=(1, 2, 1, 2, 1)))
    'completeness 1.4 of 2 (1 2 1 2 1)'
    """
    is_judged = score.name == "correct.judged" and score.judge
    way = f"by {score.judge}" if is_judged else way_in_words(score.name, short=True)
    if score.value is None:
        return f"{way}: {_why(score, told)}"
    if score.name.startswith("correct."):
        no, yes = ("no", "yes") if score.name == "correct.circular" else ("wrong", "right")
        told = {0.0: no, 1.0: yes}.get(score.value, number(score.value, percent=False))
        votes = f"votes {_draws(score)}" if score.draws else one_line(score.extracted, 80)
        return f"{way}: {_with(told, votes)}"
    if score.name.startswith("verdict."):
        told = f"{MOST_VERDICT * score.value:.3g} of {MOST_VERDICT}"
        return f"{way} {_with(told, _draws(score) if len(score.draws) > 1 else '')}"
    return f"{way} {number(score.value, percent=False)}"


def _parts(scores: Sequence[Score], told: Collection[str]) -> tuple[str, ...]:
    """Each score in words; where several verdicts are missing for one reason, the reason alone."""
    reasons = {_why(score, told) if score.value is None else "" for score in scores}
    if len(scores) > 1 and len(reasons) == 1 and scores[0].name.startswith("verdict."):
        (reason,) = reasons
        if reason:
            return (reason,)
    return tuple(in_words(score, told) for score in scores)


def _told(responses: Iterable[Response]) -> set[str]:
    return {response.failure.message for response in responses if response.failure}


def _reading(score: Score, told: set[str], judge: str) -> Reading:
    percent = metric_named(score.name).percent
    is_scored = score.value is not None
    value = number(score.value, percent=percent) if is_scored and score.name != "correct" else ""
    return Reading(
        name=words(score.name),
        extracted=one_line(score.extracted, 300),
        value=f"{value} %" if value and percent else value,
        why="" if is_scored else _why(score, told),
        judge=judge,
    )


def _why(score: Score, told: Collection[str]) -> str:
    detail = "" if score.detail in told else score.detail
    label = WHY_LABELS.get(score.why or "", score.why or "")
    return ": ".join(filter(None, (label, one_line(detail, 500))))


def _draws(score: Score) -> str:
    return " ".join(f"{draw:g}" for draw in score.draws)


def _with(text: str, aside: str) -> str:
    return f"{text} ({aside})" if aside else text
