"""What was said about one item, as the list of items shows it: replies, and judges' verdicts.

In: responses. Out: texts trimmed for the page, which escapes them. Nothing is scored here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from eyechart.records import Response
from eyechart.report.formatting import Trimmed, number, one_line, trimmed, words

MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Reply:
    """One response as shown. `who`: the model, and which of several replies of its it is.

    `is_other`: to the question asked in another way, beside a plain one.
    """

    who: str
    text: Trimmed
    reasoning: Trimmed
    failure: str
    cut: bool
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one judge said: its verdicts by rubric, "" where there is but one."""

    judge: str
    by_rubric: tuple[tuple[str, tuple[Reply, ...]], ...]

    @property
    def n_replies(self) -> int:
        """How many verdicts there are, failed ones among them."""
        return sum(len(replies) for _, replies in self.by_rubric)


def replies_of(responses: Iterable[Response]) -> tuple[Reply, ...]:
    """The replies to the question, the plain one first; judges' verdicts are left out."""
    said = sorted((r for r in responses if r.role != "judge"), key=lambda r: r.variant != "")
    several = Counter((r.role, r.variant) for r in said)
    has_plain = bool(said) and not said[0].variant
    return tuple(
        _reply(r, numbered=several[r.role, r.variant] > 1, is_other=has_plain and r.variant != "")
        for r in said
    )


def verdicts_of(responses: Iterable[Response]) -> tuple[Verdicts, ...]:
    """The verdicts by judge and rubric, in the order in which they come."""
    judges: dict[str, dict[str, list[Reply]]] = {}
    for response in responses:
        if response.role == "judge":
            rubric = "" if response.variant == "judged" else words(response.variant)
            rubrics = judges.setdefault(response.model, {})
            rubrics.setdefault(rubric, []).append(_reply(response))
    return tuple(
        Verdicts(judge, tuple((rubric, tuple(replies)) for rubric, replies in rubrics.items()))
        for judge, rubrics in judges.items()
    )


def _reply(response: Response, *, numbered: bool = False, is_other: bool = False) -> Reply:
    role = "" if response.role in ("answer", "judge") else f"{response.role} "
    model = "" if is_other else f"{role}{response.model}"
    variant = words(response.variant) if response.role != "judge" else ""
    draw = f"draw {response.draw + 1}" if numbered else ""
    return Reply(
        who=", ".join(filter(None, (model, variant, draw))),
        text=trimmed(response.text or _logprobs(response), MOST_CHARACTERS),
        reasoning=trimmed(response.reasoning or "", MOST_CHARACTERS),
        failure=one_line(response.failure.message, 500) if response.failure else "",
        cut=response.finish == "length",
        is_other=is_other,
    )


def _logprobs(response: Response) -> str:
    told = ", ".join(number(value, percent=False) for value in response.logprobs)
    what = "log-probabilities" if response.likelihood is None else "log-likelihoods"
    return f"{what} {told}" if told else ""
