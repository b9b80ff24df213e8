"""The uniform random guesser: the floor of every closed question.

In: a request. Out: an option, a non-empty set of options, or True/False, each equally likely; even
odds for every next word; of whole texts one, each equally likely, as the likeliest; a number from 0
to 100; as a judge one of the scores it may give. It reads only the options and the instruction,
never a picture.
The draw is fixed by the content key, so the same question gets the same guess.
"""

from __future__ import annotations

import math
import random
import re

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.asking.key import canonical, digests_of, key_of
from eyechart.backends.asked import one_token_each, read_ask
from eyechart.records import LETTERS, Request, Usage

SCORES = re.compile(r"^Score: (\d(?:(?:, | or )\d)*)$", re.M)


class Guess(Backend):
    """A backend that guesses."""

    model = "guess"
    revision = "3"
    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = True

    async def answer(self, call: Call) -> Answer:
        """A guess. Descriptions and open questions get a sentence that admits to guessing."""
        request, words = call.request, call.request.want.words
        chance = random.Random(
            key_of(canonical(request, self.model, self.revision, digests_of(call)))
        )
        if request.want.name == "likelihood":
            shares = [1.0 - chance.random() for _ in words]
            logprobs = tuple(math.log(share / sum(shares)) for share in shares)
            lengths = one_token_each(words)
            return Answer(logprobs=logprobs, finish="stop", usage=Usage(0, 0), likelihood=lengths)
        if words:
            even = (-math.log(len(words)),) * len(words)
            return Answer(logprobs=even, finish="stop", usage=Usage(0, 0))
        said = _said(request)
        text = _verdict(said, chance) if request.role == "judge" else _guess(said, chance)
        return Answer(text=text, finish="stop", usage=Usage(0, 0))

    async def close(self) -> None:
        """Nothing to let go of."""


def _said(request: Request) -> str:
    parts = (part for turn in request.turns for part in turn.parts)
    return "\n".join(part for part in parts if isinstance(part, str))


def _guess(said: str, chance: random.Random) -> str:
    ask = read_ask(said)
    letters = LETTERS[: len(ask.options)]
    if ask.in_number:
        return str(chance.randint(0, 100))
    if not ask.options:
        return "I am only guessing."
    if ask.in_words:
        return chance.choice(ask.options)
    if ask.several:
        bits = chance.randrange(1, 2 ** len(letters))
        return ", ".join(letter for i, letter in enumerate(letters) if bits >> i & 1)
    return chance.choice(letters)


def _verdict(said: str, chance: random.Random) -> str:
    """One of the scores that the last line allows; what it judges may hold such lines too."""
    allowed = SCORES.findall(said)
    return f"Score: {chance.choice(re.findall(r'[0-9]', allowed[-1] if allowed else '0 1 2'))}"


BACKEND = BackendPlugin(
    name="guess",
    summary="uniform random answers: the floor",
    example="guess",
    open=lambda address: Guess(),
)
