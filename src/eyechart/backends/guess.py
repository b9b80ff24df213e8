"""The uniform random guesser: the floor of every closed question.

In: a request. Out: an option, a non-empty set of options, or True/False, each equally likely; even
odds for every word; as a judge a score from 0 to 2. It reads only the lettered options and the
instruction, never a picture.
The draw is fixed by the content key, so the same question gets the same guess.
"""

from __future__ import annotations

import math
import random
import re

from eyechart.asking.backend import Answer, BackendPlugin, Call
from eyechart.asking.key import canonical, key_of
from eyechart.records import Request, Usage
from eyechart.scores import MOST_VERDICT

OPTION = re.compile(r"^([A-Z])\. ", re.MULTILINE)


class Guess:
    """A backend that guesses."""

    model = "guess"
    revision = "2"
    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = True

    async def answer(self, call: Call) -> Answer:
        """A guess. Descriptions and open questions get a sentence that admits to guessing."""
        request = call.request
        if request.want.words:
            even = -math.log(len(request.want.words))
            logprobs = (even,) * len(request.want.words)
            return Answer(logprobs=logprobs, finish="stop", usage=Usage(0, 0))
        digests = [image.sha256 for image in call.images]
        chance = random.Random(key_of(canonical(request, self.model, self.revision, digests)))
        text = _verdict(chance) if request.role == "judge" else _guess(_said(request), chance)
        return Answer(text=text, finish="stop", usage=Usage(0, 0))

    async def close(self) -> None:
        """Nothing to let go of."""


def _said(request: Request) -> str:
    parts = (part for turn in request.turns for part in turn.parts)
    return "\n".join(part for part in parts if isinstance(part, str))


def _guess(said: str, chance: random.Random) -> str:
    letters: list[str] = OPTION.findall(said)
    if letters and "all that apply" in said.lower():
        bits = chance.randrange(1, 2 ** len(letters))
        return ", ".join(letter for i, letter in enumerate(letters) if bits >> i & 1)
    if letters:
        return chance.choice(letters)
    if "True or False" in said:
        return chance.choice(["True", "False"])
    return "I am only guessing."


def _verdict(chance: random.Random) -> str:
    return f"Score: {chance.randrange(MOST_VERDICT + 1)}"


BACKEND = BackendPlugin(
    name="guess",
    summary="uniform random answers: the floor",
    example="guess",
    open=lambda address: Guess(),
)
