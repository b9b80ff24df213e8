"""From responses to scores: one for each item, or the reason why there is none.

In: items and the responses to them (answers and a judge's verdicts). Out: one `Score` per item.
A pure function: nothing is asked, nothing is drawn at random.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from eyechart.parse import Parsed, parse_multiple, parse_single, parse_true_false, parse_verdict
from eyechart.prompts import RATE_WORDS, needs_judge
from eyechart.records import Item, Response, Score, Why

SCORE_NAME = {
    "single": "correct",
    "multiple": "correct",
    "true_false": "correct",
    "open": "verdict",
    "describe": "verdict",
    "rate": "rating",
}
MOST_VERDICT = 2


def score_responses(
    items: Sequence[Item], responses: Iterable[Response], *, n_draws: int = 1
) -> tuple[Score, ...]:
    """One score for each item, in the order of the items.

    An item without a response is `failed`; one that a judge has yet to see is `unjudged`, and so is
    one with readable verdicts for fewer than half of `n_draws`.
    """
    answers: dict[str, Response] = {}
    verdicts: defaultdict[str, list[Response]] = defaultdict(list)
    for response in responses:
        if response.role == "judge":
            verdicts[response.item_id].append(response)
        elif response.role == "answer":
            answers[response.item_id] = response
    return tuple(_score(i, answers.get(i.id), verdicts[i.id], n_draws) for i in items)


def _score(item: Item, answer: Response | None, verdicts: list[Response], n_draws: int) -> Score:
    if answer is None:
        return _unscored(item, "failed", "not asked")
    if answer.failure is not None:
        return _unscored(item, "failed", answer.failure.message)
    if item.kind == "rate":
        return _rating(item, answer)
    text = answer.text or ""
    if answer.finish == "content_filter":
        return _unscored(item, "refused", "the model refused (content filter)", text)
    if not text.strip():
        return _unscored(item, "unparsed", _why_empty(answer))
    if needs_judge(item):
        return _judged(item, verdicts, n_draws)
    if item.answer is None:
        return _unscored(item, "unjudged", "the right answer is withheld")
    return _closed(item, text, cut_off=answer.finish == "length")


def _closed(item: Item, text: str, *, cut_off: bool) -> Score:
    """Right or wrong; for multiple choice all and only the right options count as right."""
    parsed: Parsed[int] | Parsed[tuple[int, ...]] | Parsed[bool]
    if item.kind == "single":
        parsed = parse_single(text, item.options)
    elif item.kind == "multiple":
        parsed = parse_multiple(text, item.options)
    else:
        parsed = parse_true_false(text)
    if parsed.value is None:
        detail = f"{parsed.detail}; the reply was cut off" if cut_off else parsed.detail
        return _unscored(item, parsed.why or "unparsed", detail, parsed.extracted)
    right = _is_right(item, parsed.value)
    return Score(item.id, "correct", float(right), extracted=parsed.extracted)


def _is_right(item: Item, value: int | tuple[int, ...] | bool) -> bool:
    if isinstance(value, bool):
        return value == item.answer
    if isinstance(value, int):
        return item.options[value] == item.answer
    return {item.options[i] for i in value} == set(_several(item))


def _several(item: Item) -> tuple[str, ...]:
    return item.answer if isinstance(item.answer, tuple) else ()


def _judged(item: Item, verdicts: list[Response], n_draws: int) -> Score:
    """The mean verdict over the draws, halved to 0-1; at least half of the draws must have one."""
    if not verdicts:
        return _unscored(item, "unjudged", "no judge has graded this reply")
    values: list[int] = []
    details: list[str] = []
    for verdict in sorted(verdicts, key=lambda v: v.draw):
        parsed = parse_verdict(verdict.text or "", 0, MOST_VERDICT)
        if parsed.value is not None:
            values.append(parsed.value)
        else:
            details.append(verdict.failure.message if verdict.failure else parsed.detail)
    n_wanted = max(n_draws, len(verdicts))
    if len(values) * 2 < n_wanted:
        cause = details[0] if details else "the judge was not asked"
        lost = f"{n_wanted - len(values)} of {n_wanted} verdicts missing: {cause}"
        return _unscored(item, "unjudged", lost)
    mean = sum(values) / len(values) / MOST_VERDICT
    return Score(item.id, "verdict", mean, extracted=" ".join(map(str, values)))


def _rating(item: Item, answer: Response) -> Score:
    """The share of `good` in the softmax over good and poor (Q-Bench, arXiv 2309.14181, A3)."""
    good, poor = answer.logprobs if len(answer.logprobs) == 2 else (None, None)
    if good is None or poor is None:
        return _unscored(item, "unparsed", _bounded(good, poor, answer.bound))
    share = 1 / (1 + math.exp(min(poor - good, 700.0)))
    return Score(item.id, "rating", share, extracted=f"log-odds {good - poor:.4f}")


def _bounded(good: float | None, poor: float | None, bound: float | None) -> str:
    word = RATE_WORDS[0] if good is None else RATE_WORDS[1]
    known = poor if good is None else good
    if bound is None or known is None:
        return "neither word is among the next words that the endpoint returned"
    share = 1 / (1 + math.exp(min(bound - known, 700.0)))
    side = f"at most {1 - share:.4f}" if good is None else f"at least {share:.4f}"
    return f"{word!r} is not among the next words returned; the rating is {side}"


def _why_empty(answer: Response) -> str:
    if answer.finish == "length":
        return "the reply was cut off before any answer; raise --max-tokens"
    return "the model said nothing"


def _unscored(item: Item, why: Why, detail: str, extracted: str = "") -> Score:
    return Score(item.id, SCORE_NAME[item.kind], None, why, extracted, detail)
