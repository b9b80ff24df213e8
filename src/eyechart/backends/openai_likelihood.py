"""How likely whole texts are as the answer, from the log-probabilities of a prompt's tokens.

In: a call; out: for each text one call whose begun answer is that text. In: the replies to them;
out: an `Answer`, or `Refused` where it cannot be told for certain which tokens are the answer.
Sends nothing. The form is that of vLLM's `prompt_logprobs`: for each token of the prompt either
null (the first one) or {TOKEN_ID: {"logprob": -1.5, "decoded_token": " good"}}.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from eyechart.asking.backend import Answer, Call
from eyechart.backends.openai_address import Endpoint
from eyechart.backends.openai_faults import clean, no_prompt_logprobs
from eyechart.backends.openai_wire import read_usage
from eyechart.backends.openai_words import logprob_in
from eyechart.errors import Refused
from eyechart.records import Likelihood, Usage

FEWEST_IN_PICTURE = 8
"""So many equal tokens in a row stand for a picture."""
MOST_DRIFT = 0.2
"""By how much the same prompt's mean log-probability may differ between replies, in nats."""
BROKEN = "\ufffd"  # stands for a part of a character
_BLANKS = re.compile(r"[\s\u0120\u2581\u010a]+")  # and how tokenisers write them


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a prompt; `logprob` is None where it is not told."""

    id: str
    text: str
    logprob: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a reply tells of a prompt that ends with `text`, which begins at the token `start`."""

    text: str
    tokens: tuple[Token, ...]
    start: int
    usage: Usage


def begun_with(call: Call, text: str) -> Call:
    """The call whose answer is begun with this text, after what it is begun with already."""
    begun = f"{call.request.begun} {text.strip()}".strip()
    return replace(call, request=replace(call.request, begun=begun))


def read_told(content: Mapping[str, Any], text: str, endpoint: Endpoint) -> Told:
    """What a reply tells of the prompt that ends with this text.

    Raises Fatal (the endpoint tells nothing of prompts) and Refused (the prompt does not end with
    the text, or holds what is no log-probability).
    """
    entries = content.get("prompt_logprobs")
    if not isinstance(entries, list) or not any(entries):
        raise no_prompt_logprobs(endpoint)
    tokens = tuple(_token(entry, endpoint) for entry in entries)
    start = _start(tokens, text)
    if start is None:
        end = clean("".join(token.text for token in tokens[-8:]), endpoint)
        raise Refused(
            f"{endpoint.name}: its prompt ends with {end!r}, which is not the answer {text!r} "
            "alone. Either the server does not go on from a begun answer, or the tokenizer joins "
            "the answer to what precedes it; so nothing can be said of its likelihood"
        )
    return Told(text, tokens, start, read_usage(content.get("usage")))


def likelihoods(told: Sequence[Told], endpoint: Endpoint, *, has_pictures: bool) -> Answer:
    """The likelihood of each text as the answer to the prompt that all of them share.

    The prompt's own tokens are all that precede the answers: the template's too, but not those that
    stand for pictures, nor the first one, which nothing predicts. A text with a token that is not
    told has None. Raises Refused where the prompts are not the same.
    """
    start = min((one.start for one in told), default=0)
    for one in told:
        _check_prompt(one, told[0], start, endpoint)
    prompts = [_prompt(one.tokens[:start], has_pictures=has_pictures) for one in told]
    known = [prompt for prompt in prompts if prompt is not None]
    _check_drift(known, endpoint)
    sums = tuple(_sum([t.logprob for t in one.tokens[start:]]) for one in told)
    n_tokens = tuple(len(one.tokens) - start for one in told)
    lengths = Likelihood(n_tokens)
    if known and len(known) == len(prompts):
        lengths = Likelihood(n_tokens, known[0].total, known[0].n_tokens)
    return Answer(logprobs=sums, usage=_usage(told), likelihood=lengths)


@dataclass(frozen=True, slots=True)
class _Prompt:
    """The log-likelihood of a prompt and the number of its tokens, at least 1."""

    total: float
    n_tokens: int


def _token(entry: Any, endpoint: Endpoint) -> Token:
    """The prompt's own token, which comes first where others are listed beside it."""
    if not entry:
        return Token("", "", None)
    found, about = next(iter(entry.items()))
    text = str(about.get("decoded_token") or "")
    return Token(found, text, logprob_in(about, text, endpoint))


def _start(tokens: Sequence[Token], text: str) -> int | None:
    """The last place from which the tokens spell the text, with no blank token after it."""
    n_letters, end = len(_bare(text)), ""
    if not _bare(tokens[-1].text):
        return None
    for at in range(len(tokens) - 1, 0, -1):
        end = tokens[at].text + end
        if len(_bare(end).replace(BROKEN, "")) > n_letters:
            return None
        in_character = tokens[at].text.startswith(BROKEN) and tokens[at - 1].text.endswith(BROKEN)
        if not in_character and _spells(end, text):
            return at
    return None


def _spells(tokens: str, text: str) -> bool:
    """Whether tokens are a text: but for blanks, which some servers leave out of tokens."""
    parts = re.split(f"{BROKEN}+", _bare(tokens))
    return bool(re.fullmatch("[^!-~]+".join(map(re.escape, parts)), _bare(text)))


def _bare(text: str) -> str:
    return _BLANKS.sub("", text)


def _check_prompt(one: Told, first: Told, start: int, endpoint: Endpoint) -> None:
    same = [t.id for t in one.tokens[:start]] == [t.id for t in first.tokens[:start]]
    if not same or not _spells("".join(t.text for t in one.tokens[start:]), one.text):
        raise Refused(
            f"{endpoint.name}: the prompt before the answer {one.text!r} is not the one before "
            f"{first.text!r}: the template or the tokenizer changes it with the answer, so their "
            "likelihoods cannot be compared"
        )


def _check_drift(prompts: Sequence[_Prompt], endpoint: Endpoint) -> None:
    """Where vLLM keeps prefixes it may give stale values (its issue 42019)."""
    means = [prompt.total / prompt.n_tokens for prompt in prompts]
    if means and max(means) - min(means) > MOST_DRIFT:
        raise Refused(
            f"{endpoint.name}: one and the same prompt has a mean log-probability of "
            f"{min(means):.2f} and {max(means):.2f} per token in two replies, so neither can be "
            "trusted; start vLLM with --no-enable-prefix-caching"
        )


def _prompt(tokens: Sequence[Token], *, has_pictures: bool) -> _Prompt | None:
    """The words before the answer; None where one of them is not told, or there are none."""
    runs = ((found, len(list(run))) for found, run in groupby(t.id for t in tokens))
    pictures = {found for found, n in runs if n >= FEWEST_IN_PICTURE} if has_pictures else set()
    logprobs = [t.logprob for t in tokens if t.id and t.id not in pictures]
    total = _sum(logprobs)
    return None if total is None or not logprobs else _Prompt(total, len(logprobs))


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None


def _usage(told: Sequence[Told]) -> Usage:
    """What all replies cost together; None where one of them did not count."""
    tokens_in = _sum([one.usage.tokens_in for one in told])
    tokens_out = _sum([one.usage.tokens_out for one in told])
    return Usage(
        None if tokens_in is None else int(tokens_in),
        None if tokens_out is None else int(tokens_out),
    )
