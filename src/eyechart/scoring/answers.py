"""The answers to one item, by the way in which it was asked, and why one of them says nothing.

In: responses. Out: the same, sorted. Reads no meaning out of a reply.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from eyechart.records import Response, Score, Why


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back about one item: `answers` by variant, `verdicts` by variant, in any order."""

    answers: Mapping[str, list[Response]] = field(default_factory=dict)
    verdicts: Mapping[str, list[Response]] = field(default_factory=dict)

    def answer(self, variant: str = "") -> Response | None:
        """The answer to a question that is asked once; the last one, None where there is none."""
        found = self.answers.get(variant)
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a reply cannot be scored, whatever it was asked."""

    why: Why
    detail: str
    extracted: str = ""

    def score(self, item_id: str, name: str, judge: str = "") -> Score:
        """The score that says so."""
        return Score(item_id, name, None, self.why, self.extracted, self.detail, judge)


def by_item(responses: Iterable[Response]) -> dict[str, Answers]:
    """Responses sorted by item, role and variant; other roles are left out."""
    sorted_out: dict[str, Answers] = {}
    for response in responses:
        mine = sorted_out.get(response.item_id)
        if mine is None:
            mine = Answers(defaultdict(list), defaultdict(list))
            sorted_out[response.item_id] = mine
        if response.role == "judge":
            mine.verdicts[response.variant].append(response)
        elif response.role == "answer":
            mine.answers[response.variant].append(response)
    return sorted_out


def heard(answer: Response | None) -> Response | Silence:
    """The answer where there is a reply to read, else why there is none."""
    if answer is None:
        return Silence("failed", "not asked")
    if answer.failure is not None:
        return Silence("failed", answer.failure.message)
    text = answer.text or ""
    if answer.finish == "content_filter":
        return Silence("refused", "the model refused (content filter)", text)
    if not text.strip() and not answer.logprobs:
        cut = "the reply was cut off before any answer; raise --max-tokens"
        return Silence("unparsed", cut if answer.finish == "length" else "the model said nothing")
    return answer
