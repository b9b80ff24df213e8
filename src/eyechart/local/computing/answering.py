"""From what a model said of a call to its answer, or to the reason why there is none.

In: log-probabilities or the tokens of a reply. Out: an `Answer` or a `Refusal`. Computes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eyechart.asking.backend import Answer
from eyechart.local.computing.loading import Loaded
from eyechart.local.pieces import Ids, Outcome, Ready, Refusal
from eyechart.parse import strip_reasoning
from eyechart.records import Likelihood, Sampling, Usage

N_TAIL = 16
"""Tokens at a prompt's end among which a template's opening tag of reasoning is looked for."""
OPENED = ("<think>", "<thinking>", "<thought>", "<reasoning>", "◁think▷", "[THINK]")


@dataclass(frozen=True, slots=True)
class Reply:
    """The tokens of a reply, the one that ended the turn left out, and why it ended.

    `n_tokens`: how many were computed, the ending one included.
    """

    ids: Ids
    finish: Literal["stop", "length"]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model told of one call, in natural-log probabilities.

    `told`: of each wanted word, or summed over the tokens of each wanted text. `prompt`: of each of
    the prompt's own tokens, () where they were not asked for. `reply`: where a text was wanted.
    """

    told: Sequence[float] = ()
    prompt: Sequence[float] = ()
    reply: Reply | None = None


def most_new(loaded: Loaded, call: Ready) -> int:
    """The most tokens that a reply may have, at least 1: as asked, to the end of the context."""
    asked = call.request.sampling.max_tokens
    if loaded.context is None:
        return asked or Sampling().max_tokens or 1
    room = max(1, loaded.context - len(call.ids))
    return min(asked or room, room)


def answer_of(loaded: Loaded, call: Ready, heard: Heard) -> Outcome:
    """The answer, or a refusal where the model's numbers are none."""
    usage = Usage(len(call.ids), 0)
    if heard.reply is not None:
        return _text(loaded, call, heard.reply)
    if not all(map(math.isfinite, [*heard.told, *heard.prompt])):
        return not_finite(loaded)
    logprobs = tuple(heard.told)
    if call.request.want.name == "next_word":
        return Answer(logprobs=logprobs, finish="stop", usage=usage)
    n_tokens = tuple(map(len, call.targets))
    known = Likelihood(n_tokens)
    if heard.prompt:
        known = Likelihood(n_tokens, math.fsum(heard.prompt), len(heard.prompt))
    return Answer(logprobs=logprobs, finish="stop", usage=usage, likelihood=known)


def not_finite(loaded: Loaded) -> Refusal:
    """The refusal of a call for which the model computes what is no number."""
    dtype = str(loaded.dtype).removeprefix("torch.")
    return Refusal(
        f"the model's log-probabilities are no numbers (nan or infinite) in {dtype}; ask again "
        "with ?dtype=float32, or bfloat16 where it was float16"
    )


def _text(loaded: Loaded, call: Ready, reply: Reply) -> Outcome:
    said = loaded.processor.tokenizer.decode(reply.ids, skip_special_tokens=True)
    parts = strip_reasoning(_opened(loaded, call.ids) + said)
    return Answer(
        text=parts.answer,
        reasoning=parts.reasoning or None,
        finish=reply.finish,
        usage=Usage(len(call.ids), reply.n_tokens),
    )


def _opened(loaded: Loaded, ids: Ids) -> str:
    """The tag with which a template begins the reply's reasoning within the prompt, "" for none."""
    tail = loaded.processor.tokenizer.decode(ids[-N_TAIL:]).rstrip()
    return next((tag for tag in OPENED if tail.endswith(tag)), "")
