"""The one seam to a model: a call goes in, an answer comes out.

A backend answers; it does not retry, pace, count or remember. The engine does that for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from eyechart.images import Encoded as Encoded
from eyechart.records import Likelihood, Request, Usage


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is ready to send: `images` are its pictures in the order shown.

    `max_pixels`: for a backend that resizes pictures itself, the most pixels that it may look at.
    """

    request: Request
    images: tuple[Encoded, ...] = ()
    max_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered; the fields mean what they mean in `Response`."""

    text: str | None = None
    reasoning: str | None = None
    logprobs: tuple[float | None, ...] = ()
    bound: float | None = None
    finish: str | None = None
    usage: Usage = Usage()
    likelihood: Likelihood | None = None


class Backend(Protocol):
    """A model that can be asked. Inherit from it: what has a default is then right for a service.

    `model` and `revision` name it in the content key and in reports, without any credential.
    `wants`: the names of wants it can meet. `continues`: it can go on from a begun answer.
    `logged`: its answers are worth keeping in the call log. `window`: for a model on this machine,
    how many calls at once fill its batches; such calls have no time limit. None for a service.
    `resizes`: it keeps `Call.max_pixels` itself, and gets each picture as it is. `setup`: what its
    answers were computed with, in words by name; complete once it has answered.
    """

    model: str
    revision: str
    wants: frozenset[str]
    continues: bool
    logged: bool
    window: int | None = None
    resizes: bool = False
    setup: Mapping[str, str] = MappingProxyType({})

    async def answer(self, call: Call) -> Answer:
        """Answer one call. Raises Transient, Refused or Fatal (see `eyechart.errors`)."""
        ...

    async def close(self) -> None:
        """Let go of connections and memory. Called once, in the event loop that answered."""
        ...


@dataclass(frozen=True, slots=True)
class BackendPlugin:
    """The constant `BACKEND` of a file in `eyechart/backends`.

    `open`: makes the backend from the whole address (`signal`, `openai:gpt-5.2`, ...).
    """

    name: str
    summary: str
    example: str
    open: Callable[[str], Backend]
