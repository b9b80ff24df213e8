"""A model that says what it is told to say: for tests, rehearsals and measuring the engine.

In: a reply, a list of replies, or a function from request to reply. Out: that reply. It is a real
backend and goes through the whole engine.
Address: `scripted:FILE.json`, a JSON object from item id to reply ("" is the reply to all others).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from eyechart.asking.backend import Answer, BackendPlugin, Call
from eyechart.errors import BadInput
from eyechart.records import Request, Usage

Reply = str | Answer
Script = Reply | Mapping[str, Reply] | Callable[[Request], Reply]


class Scripted:
    """A backend that follows a script.

    `script`: one reply to everything, a mapping from item id to reply, or a function of the
    request, which may raise an error of `eyechart.errors` instead of replying.
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
        reply = self._reply(call.request)
        if isinstance(reply, Answer):
            return reply
        return Answer(
            text=reply,
            logprobs=_logprobs(call.request.want.words, reply),
            finish="stop",
            usage=Usage(0, len(reply.split())),
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    def _reply(self, request: Request) -> Reply:
        if isinstance(self._script, Mapping):
            return self._script.get(request.item_id, self._script.get("", ""))
        return self._script(request) if callable(self._script) else self._script


def _logprobs(words: tuple[str, ...], reply: str) -> tuple[float | None, ...]:
    """The word that was replied gets 0.9 of the probability, the others share the rest."""
    if not words:
        return ()
    rest = 0.1 / max(1, len(words) - 1)
    return tuple(math.log(0.9 if word == reply.strip() else rest) for word in words)


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
