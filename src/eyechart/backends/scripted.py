"""A model that says what it is told to say: for tests, rehearsals and measuring the engine.

In: a reply, a list of replies, or a function from request to reply. Out: that reply. It is a real
backend and goes through the whole engine.
Address: `scripted:FILE.json`, a JSON object from item id to reply ("" is the reply to all others).
Of the ways in which an item is asked or judged each can have its own reply: "ITEM_ID#VARIANT" is
looked up first ("7#blind", "7#rotation 1", "7#likelihood", "7#completeness"), then "ITEM_ID", then
"#VARIANT", then "".
Where next words are wanted, the reply is the likely one. Where likelihoods of texts are wanted, it
names the likely text by its letter or in full; one that names none leaves them all untold. There
each word counts as a token.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.errors import BadInput
from eyechart.parse import parse_single
from eyechart.records import Likelihood, Request, Usage

Reply = str | Answer
Script = Reply | Mapping[str, Reply] | Callable[[Request], Reply]


class Scripted(Backend):
    """A backend that follows a script.

    `script`: one reply to everything, a mapping from item id and variant to reply, or a function of
    the request, which may raise an error of `eyechart.errors` instead of replying.
    """

    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = True

    def __init__(self, script: Script, *, model: str = "scripted", revision: str = "") -> None:
        self.model = model
        self.revision = revision
        self._script = script

    async def answer(self, call: Call) -> Answer:
        """The reply that the script has for this call."""
        request = call.request
        reply = self._reply(request)
        if isinstance(reply, Answer):
            return reply
        usage = Usage(0, len(reply.split()))
        if request.want.name == "likelihood":
            return _likelihoods(request, reply, usage)
        logprobs = _logprobs(request.want.words, reply)
        return Answer(text=reply, logprobs=logprobs, finish="stop", usage=usage)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _reply(self, request: Request) -> Reply:
        if not isinstance(self._script, Mapping):
            return self._script(request) if callable(self._script) else self._script
        keys = [request.item_id, ""]
        if request.variant:
            keys = [f"{key}{mark}" for key in keys for mark in (f"#{request.variant}", "")]
        return next((self._script[key] for key in keys if key in self._script), "")


def _logprobs(words: tuple[str, ...], reply: str) -> tuple[float | None, ...]:
    """The word that was replied gets 0.9 of the probability, the others share the rest."""
    if not words:
        return ()
    rest = 0.1 / max(1, len(words) - 1)
    return tuple(math.log(0.9 if word == reply.strip() else rest) for word in words)


def _likelihoods(request: Request, reply: str, usage: Usage) -> Answer:
    """The text that was replied has 0.9 in all, each word of the others 0.1, of the prompt 0.5."""
    texts = request.want.words
    chosen = parse_single(reply, texts).value
    n_tokens = tuple(max(1, len(text.split())) for text in texts)
    logprobs = [math.log(0.9) if i == chosen else n * math.log(0.1) for i, n in enumerate(n_tokens)]
    parts = (part for turn in request.turns for part in turn.parts)
    n_prompt = max(1, sum(len(part.split()) for part in parts if isinstance(part, str)))
    return Answer(
        logprobs=(None,) * len(texts) if chosen is None else tuple(logprobs),
        finish="stop",
        usage=usage,
        likelihood=Likelihood(n_tokens, n_prompt * math.log(0.5), n_prompt),
    )


def _open(address: str) -> Scripted:
    file = Path(address.partition(":")[2])
    try:
        script = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{address}: expected scripted:FILE.json ({error})") from None
    if not isinstance(script, dict) or not all(isinstance(v, str) for v in script.values()):
        raise BadInput(f"{file}: expected a JSON object from item id to reply text")
    return Scripted(script, model=address)


BACKEND = BackendPlugin(
    name="scripted",
    summary="says what a file tells it to say",
    example="scripted:replies.json",
    open=_open,
)
