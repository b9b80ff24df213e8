"""Ratings: what each strategy reads out of what a model said of an image's quality.

In: an item with its answers. Out: `rating` by the first strategy, `rating.SPEC` by each other one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from eyechart.records import Item, Response, Score
from eyechart.scoring.answers import Answers, Silence, heard
from eyechart.strategies import Strategy, log_odds, number_in, rating_of, strategy, vote_in

Words = Sequence[str]
SPLIT = " (improbable here, or split by the tokenizer: then choose words that are one token)"


def rating_scores(item: Item, answers: Answers, strategies: Sequence[str]) -> Iterator[Score]:
    """A score from 0 to 1 for each strategy, the headline's first."""
    chosen = [strategy(spec) for spec in strategies]
    words = words_asked(chosen)
    for place, how in enumerate(chosen):
        name = f"rating.{how.spec}" if place else "rating"
        if how.asking == "sampling":
            yield _sampled(item, how, answers.answers.get("sampling", ()), name)
            continue
        answer = heard(answers.answer(how.asking))
        if isinstance(answer, Silence):
            yield answer.score(item.id, name)
        elif how.asking == "number":
            yield _numbered(item, answer, name)
        else:
            yield _read(item, how, answer, words=words[how.asking], name=name)


def words_asked(strategies: Sequence[Strategy]) -> dict[str, tuple[str, ...]]:
    """The words whose log-probabilities are asked for, in their order, by prompt."""
    asked: dict[str, dict[str, None]] = {}
    for how in strategies:
        asked.setdefault(how.asking, {}).update(dict.fromkeys(how.words))
    return {asking: tuple(words) for asking, words in asked.items()}


def _read(item: Item, how: Strategy, answer: Response, *, words: Words, name: str) -> Score:
    """The strategy's rating; the log-odds are told, because softmaxes far from 0.5 lose digits."""
    if len(answer.logprobs) != len(words):
        told = "the model did not tell the probability of every word"
        return Silence("unparsed", told).score(item.id, name)
    known = {w: v for w, v in zip(words, answer.logprobs, strict=True) if v is not None}
    if not all(math.isfinite(value) for value in known.values()):
        wrong = next(word for word, value in known.items() if not math.isfinite(value))
        told = f"the log-probability of {wrong!r} is {known[wrong]}, expected a finite number"
        return Silence("failed", told).score(item.id, name)
    value = rating_of(how, known)
    if value is None:
        return Silence("unparsed", _bounded(how, known, answer.bound)).score(item.id, name)
    odds = log_odds(how, known)
    if odds is None:
        return Score(item.id, name, value)
    draws = () if how.name == "argmax" else (odds,)
    return Score(item.id, name, value, extracted=f"log-odds {odds:.4f}", draws=draws)


def _bounded(how: Strategy, known: Mapping[str, float], bound: float | None) -> str:
    """Which words are missing; for two words, what can be said of the rating all the same."""
    missing = [word for word in how.words if word not in known]
    if len(missing) == len(how.words):
        none = "neither word is" if len(missing) == 2 else "none of the words is"
        return f"{none} among the next words that the endpoint returned{SPLIT}"
    are = "is" if len(missing) == 1 else "are"
    told = f"{', '.join(map(repr, missing))} {are} not among the next words returned"
    if len(how.words) != 2 or how.name == "argmax" or bound is None:
        return f"{told}{SPLIT}"
    share = rating_of(how, {**dict.fromkeys(missing, bound), **known})
    side = "at most" if missing[0] in how.good else "at least"
    return f"{told}; the rating is {side} {share:.4f}{SPLIT}"


def _numbered(item: Item, answer: Response, name: str) -> Score:
    value, problem = number_in(answer.text or "")
    if value is None:
        return Silence("unparsed", problem, (answer.text or "")[:80]).score(item.id, name)
    return Score(item.id, name, value, extracted=f"{value:g}")


def _sampled(item: Item, how: Strategy, replies: Sequence[Response], name: str) -> Score:
    """The share of samples that say good; at least half of them must say either word."""
    if not replies:
        return Silence("failed", "not asked").score(item.id, name)
    said = [None if reply.failure else vote_in(how, reply.text or "") for reply in replies]
    votes = tuple(vote for vote in said if vote is not None)
    if len(votes) * 2 < len(replies):
        failures = [reply.failure.message for reply in replies if reply.failure]
        cause = failures[0] if failures else f"they say neither of {how.good[0]}, {how.poor[0]}"
        told = f"{len(replies) - len(votes)} of {len(replies)} samples lost: {cause}"
        return Silence("failed" if failures else "unparsed", told).score(item.id, name)
    extracted = f"{sum(votes):g} of {len(votes)} say {how.good[0]}"
    return Score(item.id, name, sum(votes) / len(votes), extracted=extracted, draws=votes)
