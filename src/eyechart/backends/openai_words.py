"""From the list of next words in a reply to the log-probabilities of the wanted ones.

In: a reply's first choice and the words. Out: a log-probability for each word, or None with a bound
for those outside the list; `Refused` where the list cannot be read as one. Sends nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eyechart.backends.openai_address import Endpoint
from eyechart.backends.openai_faults import Reply, clean, complaint, no_logprobs
from eyechart.errors import Refused

N_SPELLINGS = 6  # of a word: with and without a blank, in lower case, capitalised, in capitals
NOT_TOLD = -9999.0
"""What OpenAI documents, and vLLM writes, for a token too unlikely to be told how unlikely."""
OWN_PROBABILITIES = (
    "Have the server tell the model's own probabilities, before any top_k, top_p or temperature "
    "(vLLM: --logprobs-mode raw_logprobs)"
)
MOST_TOTAL = 1.1  # the probabilities of all next words together, with room for rounding
MOST_ROUNDED = 0.01  # a log-probability may exceed 0 by no more than this, by rounding
FEWEST_LETTERS = 3
ORDINARY = re.compile(
    "accept|aver|blur|bright|clear|dark|dull|excel|fin|flaw|goo|great|high|mod|mode|out|over|per|"
    "poo|sat|sharp|soft|sub|sup|super|under|use"
)
"""Words that begin a word of quality and mean something of their own: no sign of a split word."""
_SPACE = " \t\n\u0120\u2581"  # blanks, and how tokenisers write one before a word
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class NextWords:
    """The natural-log probability of each wanted word, None outside the list.

    A word outside the list has at most `bound`.
    """

    logprobs: tuple[float | None, ...]
    bound: float


def next_words(choice: Mapping[str, Any], words: Sequence[str], endpoint: Endpoint) -> NextWords:
    """Each word's log-probability of being next.

    A token counts for a word that it equals but for a blank before it, else for one that it equals
    but for its case too; the tokens of one word (" good", "Good") are added up. Q-Bench
    (arXiv 2309.14181) reads the one token with the blank: after "is" the others hold next to
    nothing, but some servers show tokens without their blank, and a reply that is not begun starts
    with a capital. A token outside the list is at most as probable as the last one in it; the bound
    is of a word's six usual spellings together.

    Raises Refused: there is no list, it holds what is no log-probability, or a word that is nowhere
    in it is split by the tokenizer.

    >>> top = [{"token": " good", "logprob": -0.5}, {"token": " a", "logprob": -8.0}]
    >>> choice = {"logprobs": {"content": [{"top_logprobs": top}]}}
    >>> found = next_words(choice, ["good", "poor"], Endpoint("", "", ""))
    >>> found.logprobs, round(found.bound, 2)
    ((-0.5, None), -6.21)
    """
    top = _top(choice, endpoint)
    if not top:
        raise no_logprobs(endpoint)
    exact = {word: word for word in words}
    folded = {word.casefold(): word for word in reversed(words)}
    found: dict[str, list[float]] = {word: [] for word in words}
    for token, logprob in top:
        word = exact.get(token) or folded.get(token.casefold())
        if word is not None:
            found[word].append(logprob)
    _check_split([word for word in words if not found[word]], top, folded, endpoint)
    lowest = min(logprob for _, logprob in top)
    bound = min(0.0, lowest + math.log(N_SPELLINGS))
    return NextWords(tuple(_sum(found[word]) for word in words), bound)


def logprob_in(entry: Mapping[str, Any], token: str, endpoint: Endpoint) -> float | None:
    """The log-probability of a token's entry, at most 0; None where the endpoint does not tell it.

    Raises Refused where it is no log-probability (not a number, nan, infinite or above 0).

    >>> logprob_in({"logprob": -9999.0}, "good", Endpoint("", "", "")) is None
    True
    """
    value = entry.get("logprob")
    number = _number(value)
    if math.isfinite(number) and number <= MOST_ROUNDED:
        return None if number <= NOT_TOLD else min(0.0, number)
    raise Refused(
        f"{endpoint.name} gives {clean(repr(value), endpoint)} as the log-probability of "
        f"{clean(token, endpoint)!r}; expected a finite number of at most 0. {OWN_PROBABILITIES}"
    )


def fewer_words(reply: Reply, n_asked: int) -> int:
    """How many next words an endpoint says it lists at most, 0 where it does not say.

    >>> said = '{"error": "Requested sample logprobs of 20, which is greater than max allowed: 5"}'
    >>> fewer_words(Reply(400, {}, said), 20)
    5
    """
    if reply.status not in (400, 422):
        return 0
    said = complaint(reply.text)
    message = said.message[:300]
    if "logprobs" not in f"{said.parameter} {message}":
        return 0
    counts = (int(found) for found in _COUNT.findall(message))
    return max((n for n in counts if n < n_asked), default=0)


def _check_split(
    missing: Sequence[str],
    top: Sequence[tuple[str, float]],
    wanted: Mapping[str, str],
    endpoint: Endpoint,
) -> None:
    """Raise where a token in the list begins a missing word and can mean nothing else."""
    for word in missing:
        whole = word.casefold()
        for token, _ in top:
            piece = token.casefold()
            begins = whole.startswith(piece) and FEWEST_LETTERS <= len(piece) < len(whole)
            if begins and piece not in wanted and not ORDINARY.fullmatch(piece):
                raise Refused(
                    f"{endpoint.name}: the tokenizer splits {word!r} ({token!r} + …), so the word "
                    "has no probability of its own; choose words that are one token, e.g. "
                    "--strategies softmax:high/low"
                )


def _top(choice: Mapping[str, Any], endpoint: Endpoint) -> list[tuple[str, float]]:
    """The tokens in the list that are told, without blanks around them."""
    try:
        entries = [
            (entry["token"].strip(_SPACE), entry)
            for entry in choice["logprobs"]["content"][0]["top_logprobs"]
            if "logprob" in entry
        ]
    except (KeyError, IndexError, TypeError, AttributeError):
        return []
    read = [(token, logprob_in(entry, token, endpoint)) for token, entry in entries]
    told = [(token, logprob) for token, logprob in read if logprob is not None]
    total = math.fsum(math.exp(logprob) for _, logprob in told)
    if total > MOST_TOTAL:
        raise Refused(
            f"{endpoint.name} lists next words whose probabilities add up to {total:.2f}, so these "
            f"are none. {OWN_PROBABILITIES}"
        )
    return told


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _sum(logprobs: Sequence[float]) -> float | None:
    """The logarithm of the summed probabilities (at most 0), None of none."""
    if not logprobs:
        return None
    top = max(logprobs)
    return min(0.0, top + math.log(sum(math.exp(value - top) for value in logprobs)))
