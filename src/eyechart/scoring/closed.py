"""Closed questions: right or wrong by the rules, in each of the ways in which they were asked.

In: an item with its answers. Out: `correct`, and `correct.circular`, `correct.blind`,
`correct.likelihood-…` where it was asked so too. No judge is heard here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from eyechart.parse import Parsed, parse_multiple, parse_single, parse_true_false
from eyechart.prompts import rotated, rotations
from eyechart.records import Item, Likelihood, Response, Score
from eyechart.scoring.answers import Answers, Silence, heard

Losses = Callable[[Sequence[float], Likelihood], list[float]]
PLAIN = "correct"


def closed_scores(item: Item, answers: Answers, also: Sequence[str]) -> Iterator[Score]:
    """The plain score, then one for each of the other ways in `also` that fit the item."""
    plain = _by_rules(item, answers.answer(), PLAIN)
    yield plain
    if "rotations" in also and len(rotations(item)):
        yield _circular(item, answers, plain)
    if "blind" in also and item.images:
        yield _by_rules(item, answers.answer("blind"), "correct.blind")
    if "likelihood" in also and item.kind == "single":
        for name, losses in LIKELIHOODS.items():
            score = f"correct.likelihood-{name}"
            yield _likeliest(item, answers.answer("likelihood"), losses, score)


def _by_rules(item: Item, answer: Response | None, name: str) -> Score:
    """Right or wrong; for multiple choice all and only the right options count as right."""
    reply = heard(answer)
    if isinstance(reply, Silence):
        return reply.score(item.id, name)
    if item.answer is None:
        return _withheld(item, name, _parsed(item, reply.text or "").extracted)
    parsed = _parsed(item, reply.text or "")
    if parsed.value is None:
        detail = parsed.detail
        if reply.finish == "length":
            detail += "; the reply was cut off"
        return Score(item.id, name, None, parsed.why or "unparsed", parsed.extracted, detail)
    right = _is_right(item, parsed.value)
    return Score(item.id, name, float(right), extracted=parsed.extracted)


def _parsed(item: Item, text: str) -> Parsed[int] | Parsed[tuple[int, ...]] | Parsed[bool]:
    if item.kind == "single":
        return parse_single(text, item.options)
    if item.kind == "multiple":
        return parse_multiple(text, item.options)
    return parse_true_false(text)


def _is_right(item: Item, value: int | tuple[int, ...] | bool) -> bool:
    if isinstance(value, bool):
        return value == item.answer
    if isinstance(value, int):
        return item.options[value] == item.answer
    several = item.answer if isinstance(item.answer, tuple) else ()
    return {item.options[i] for i in value} == set(several)


def _circular(item: Item, answers: Answers, plain: Score) -> Score:
    """Right only if right in every rotation (CircularEval, MMBench, arXiv 2307.06281).

    One wrong rotation makes it wrong, whatever became of the others.
    """
    name = "correct.circular"
    turned = [plain]
    for by in rotations(item):
        turned.append(_by_rules(rotated(item, by), answers.answer(f"rotation {by}"), name))
    extracted = " ".join(score.extracted or "?" for score in turned)
    if any(score.value == 0 for score in turned):
        return Score(item.id, name, 0.0, extracted=extracted)
    for by, score in enumerate(turned):
        if score.value is None:
            where = f"rotation {by}: " if by else ""
            return Score(item.id, name, None, score.why, extracted, f"{where}{score.detail}")
    return Score(item.id, name, 1.0, extracted=extracted)


def _of_prompt_and_answer(sums: Sequence[float], lengths: Likelihood) -> list[float]:
    """The mean loss over the tokens of prompt and answer, as in Q-Bench's released code."""
    if lengths.prompt is None or not lengths.n_prompt:
        return []
    return [
        -(lengths.prompt + total) / (lengths.n_prompt + n)
        for total, n in zip(sums, lengths.n_tokens, strict=True)
    ]


def _of_answer_tokens(sums: Sequence[float], lengths: Likelihood) -> list[float]:
    return [-total / max(1, n) for total, n in zip(sums, lengths.n_tokens, strict=True)]


def _of_answer(sums: Sequence[float], lengths: Likelihood) -> list[float]:
    return [-total for total in sums]


LIKELIHOODS: dict[str, Losses] = {
    "prompt": _of_prompt_and_answer,
    "mean": _of_answer_tokens,
    "sum": _of_answer,
}


def _likeliest(item: Item, answer: Response | None, losses: Losses, name: str) -> Score:
    """Whether the option of the smallest loss is right; two of exactly the same are unparsed."""
    reply = heard(answer)
    if isinstance(reply, Silence):
        return reply.score(item.id, name)
    sums = [value for value in reply.logprobs if value is not None]
    if reply.likelihood is None or len(sums) != len(item.options):
        told = "the model did not tell the likelihood of every option"
        return Silence("unparsed", told).score(item.id, name)
    found = losses(sums, reply.likelihood)
    if not found:
        told = "the model does not tell the likelihood of the prompt's own tokens"
        return Silence("unparsed", told).score(item.id, name)
    best = min(found)
    chosen = [option for option, loss in zip(item.options, found, strict=True) if loss == best]
    if len(chosen) > 1:
        told = f"equally likely: {', '.join(chosen)}"
        return Silence("unparsed", told).score(item.id, name)
    if item.answer is None:
        return _withheld(item, name, chosen[0])
    return Score(item.id, name, float(chosen[0] == item.answer), extracted=chosen[0])


def _withheld(item: Item, name: str, extracted: str) -> Score:
    return Silence("unjudged", "the right answer is withheld", extracted).score(item.id, name)
