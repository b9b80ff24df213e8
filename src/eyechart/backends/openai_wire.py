"""The wire form of chat completions: a call to a request body, a reply to an answer.

In: a `Call` and its `Endpoint`; out: a `Body` whose pictures become base64 only as they are sent.
In: the reply's JSON; out: an `Answer`. Nothing is sent here and no error is classified.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pybase64 import b64encode

from eyechart.asking.backend import Answer, Call
from eyechart.backends.openai_address import Endpoint
from eyechart.images import Encoded
from eyechart.parse import strip_reasoning
from eyechart.records import Request, Turn, Usage

CHUNK_BYTES = 192 * 1024  # a multiple of 3, so that pieces join without padding; larger is slower
_MARK = secrets.token_hex(16)  # stands for a picture in the JSON; no text can contain it
_encode = json.JSONEncoder(separators=(",", ":")).encode

PLAIN = {"temperature": 0.0, "top_p": 1.0}
"""Sent for next words to a server of one's own: SGLang divides by the temperature before it tells
log-probabilities, and vLLM puts a token that was drawn in the place of the list's last one."""
MAX_TOKENS = 2**53
BROKEN_OFF = ("error", "abort")  # OpenRouter's and SGLang's words for an answer that broke off

Json = Any


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: JSON texts with a picture between each two. `fields`: the settings sent."""

    texts: tuple[bytes, ...]
    pictures: tuple[bytes, ...]
    fields: frozenset[str]

    @property
    def n_bytes(self) -> int:
        """The length as it is sent, pictures in base64."""
        return sum(map(len, self.texts)) + sum((len(p) + 2) // 3 * 4 for p in self.pictures)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they are sent, a piece at a time: memory holds no whole base64 text."""
        for text, picture in zip(self.texts, self.pictures, strict=False):
            yield text
            view = memoryview(picture)
            for at in range(0, len(picture), CHUNK_BYTES):
                yield b64encode(view[at : at + CHUNK_BYTES])
        yield self.texts[-1]


def compose(call: Call, endpoint: Endpoint) -> Body:
    """The body of a call: turns in order, pictures as data URLs of their own bytes."""
    fields = _fields(call.request, endpoint)
    messages = _messages(call)
    text = _encode({"model": endpoint.model, "messages": messages, **fields})
    texts = tuple(piece.encode() for piece in text.split(_MARK))
    return Body(texts, tuple(image.data for image in call.images), frozenset(fields))


def _fields(request: Request, endpoint: Endpoint) -> dict[str, Json]:
    how, vendor = request.sampling, endpoint.vendor
    fields: dict[str, Json] = {
        "temperature": how.temperature,
        "top_p": how.top_p,
        vendor.length_name: how.max_tokens,
    }
    if request.want.name == "next_word":
        fields |= {vendor.length_name: 1, "logprobs": True, "top_logprobs": vendor.n_top}
        fields |= PLAIN if vendor.continues else {}
    if request.want.name == "likelihood":  # 0: no other tokens beside the prompt's own
        fields |= {"temperature": 0.0, "top_p": None, vendor.length_name: 1, "prompt_logprobs": 0}
    if request.begun:
        fields |= {"continue_final_message": True, "add_generation_prompt": False}
    return {name: value for name, value in fields.items() if value is not None}


def _messages(call: Call) -> list[Json]:
    pictures = iter(call.images)
    messages = [_message(turn, pictures) for turn in call.request.turns]
    if call.request.begun:
        messages.append({"role": "assistant", "content": call.request.begun})
    return messages


def _message(turn: Turn, pictures: Iterator[Encoded]) -> Json:
    if len(turn.parts) == 1 and isinstance(turn.parts[0], str):
        return {"role": turn.role, "content": turn.parts[0]}
    content = [
        {"type": "text", "text": part} if isinstance(part, str) else _picture(next(pictures))
        for part in turn.parts
    ]
    return {"role": turn.role, "content": content}


def _picture(image: Encoded) -> Json:
    url = f"data:{image.media_type};base64,{_MARK}"
    return {"type": "image_url", "image_url": {"url": url}}


def error_inside(content: Json) -> str:
    """The error that a reply with status 200 carries, as JSON text; "" where it carries none.

    >>> error_inside({"choices": [{"error": "overloaded"}]})
    '{"error":"overloaded"}'
    """
    error = next((place["error"] for place in (content, _choice(content)) if _has_error(place)), "")
    return _encode({"error": error}) if error else ""


def missing_in(content: Json) -> str:
    """What a reply's JSON lacks to be an answer, in words; "" where it is one.

    An empty text is an answer where the reply says why the model stopped.

    >>> missing_in({"choices": [{"message": {"content": ""}}]})
    'a text or a reason of stopping'
    """
    choice = _choice(content)
    if not isinstance(choice, dict):
        return "choices"
    message, finish = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        return "a message"
    if not isinstance(message.get("content"), str | list | None):
        return "a readable text"
    if finish in BROKEN_OFF:
        return f"a whole answer (finish_reason {finish!r})"
    said = any(_texts(message)) or message.get("refusal")
    return "" if said or isinstance(finish, str) else "a text or a reason of stopping"


def _choice(content: Json) -> Json:
    choices = content.get("choices") if isinstance(content, dict) else None
    return choices[0] if isinstance(choices, list) and choices else None


def _has_error(place: Json) -> bool:
    return isinstance(place, dict) and bool(place.get("error"))


def read_reply(choice: Mapping[str, Json], usage: Json) -> Answer:
    """The answer in a reply's first choice, without the probabilities of words.

    Reasoning, in a field of its own or as <think>…</think>, is kept apart. A refusal is the text,
    with `content_filter` as the reason of stopping. The choice is of a reply that lacks nothing
    (`missing_in`).
    """
    message = choice["message"]
    text, reasoning = _texts(message)
    finish = choice.get("finish_reason")
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal and not text:
        text, finish = refusal, "content_filter"
    return Answer(
        text=text,
        reasoning=reasoning,
        finish=finish if isinstance(finish, str) else None,
        usage=read_usage(usage),
    )


def _texts(message: Mapping[str, Json]) -> tuple[str, str | None]:
    """The text and the reasoning apart from it, None where there is none."""
    text = _joined(message.get("content"))
    reasoning = _joined(message.get("reasoning_content")) or _joined(message.get("reasoning"))
    if reasoning:
        return text, reasoning
    parts = strip_reasoning(text)
    return parts.answer, parts.reasoning or None


def _joined(content: Json) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def read_usage(usage: Json) -> Usage:
    """The tokens that a reply counts; None for a count that is none.

    >>> read_usage({"prompt_tokens": 9})
    Usage(tokens_in=9, tokens_out=None)
    """
    counts = usage if isinstance(usage, dict) else {}
    tokens = [counts.get(name) for name in ("prompt_tokens", "completion_tokens")]
    return Usage(*[n if isinstance(n, int) and 0 <= n <= MAX_TOKENS else None for n in tokens])
