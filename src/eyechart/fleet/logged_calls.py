"""What the call log and a table of responses tell each other.

In: keys of answered calls, or answered rows of a table. Out: where the answers come from (what was
asked, with which pictures, when), or the same calls in the log. Asks nobody.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eyechart.asking.backend import Answer, Encoded
from eyechart.asking.call_log import (
    ADD_CALL,
    ADD_PICTURE,
    Answered,
    CallLog,
    Logged,
    Question,
    now,
    row_of,
)
from eyechart.asking.key import FORM, key_of
from eyechart.records import Response

ORIGINS = "SELECT key, question, at FROM calls WHERE key IN ({})"
PICTURES = "SELECT * FROM pictures WHERE sha256 IN ({})"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as it was sent, without its bytes; the fields are those of `Encoded`."""

    sha256: str
    format: str
    width: int
    height: int
    n_bytes: int
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from. `question`: the canonical text that the key is the digest of.

    `at`: when it was answered, ISO 8601, UTC; "" where nobody knows.
    """

    question: str = ""
    pictures: tuple[Sent, ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answered response with its origin: all that the call log keeps of a call."""

    response: Response
    origin: Origin


def sent(image: Encoded) -> Sent:
    """What is remembered of a picture that was sent."""
    size = (image.width, image.height, len(image.data))
    return Sent(image.sha256, image.format, *size, image.changed)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The parts of a canonical question that tell whether an answer fits it.

    `digests`: of the pictures, in the order shown. `n_words`: how many are wanted, 0 for a text.
    """

    model: str
    revision: str
    digests: tuple[str, ...]
    n_words: int


def inquiry_of(question: str) -> Inquiry | None:
    """The parts of a canonical question (see `eyechart.asking.key`); None where it is none.

    >>> inquiry_of('[1,"guess","1",[["user","Hi"]],"",[0.0,null,4096],["text"],0]')
    Inquiry(model='guess', revision='1', digests=(), n_words=0)
    """
    try:
        form, model, revision, turns, _, _, want, _ = json.loads(question)
        pictures = [part for turn in turns for part in turn[1:] if not isinstance(part, str)]
        digests = tuple(digest.partition("@")[0] for (digest,) in pictures)
        known = form == FORM and all(isinstance(text, str) for text in (model, revision, *want))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    return Inquiry(model, revision, digests, len(want) - 1) if known and want else None


def is_key_of(key: str, question: str) -> bool:
    """Whether a hex key is that of a canonical question.

    The log keeps half characters as the escapes of JSON, so the text is tried without them too.
    """
    if key_of(question).hex() == key:
        return True
    return "\\ud" in question and key_of(_encode(json.loads(question))).hex() == key


class OpenLog(CallLog):
    """The call log, open to tables: it tells origins, and takes in what others asked."""

    def origins(self, keys: Sequence[str]) -> dict[str, Origin]:
        """Where the remembered answers among these hex keys come from."""
        rows = self._among(ORIGINS, [bytes.fromhex(key) for key in keys if key])
        shown = {key: _digests(question) for key, question, _ in rows}
        wanted = list(dict.fromkeys(one for digests in shown.values() for one in digests))
        known = {row[0]: Sent(*row) for row in self._among(PICTURES, wanted)}
        return {
            key.hex(): Origin(question, tuple(known[d] for d in shown[key] if d in known), at)
            for key, question, at in rows
        }

    def take_in(self, calls: Iterable[Remembered]) -> None:
        """Remember calls that were answered elsewhere, all in one commit; known keys stay."""
        at, calls = now(), list(calls)
        pictures = {one.sha256: one for call in calls for one in call.origin.pictures}
        rows = [row_of(_answered(call), call.origin.at or at) for call in calls]
        shown = [dataclasses.astuple(one) for one in pictures.values()]
        self._write([(ADD_CALL, rows), (ADD_PICTURE, shown)])

    def _among(self, sql: str, values: Sequence[Any]) -> list[Any]:
        return self._read(sql.format(",".join("?" * len(values))), values) if values else []


def _digests(question: str) -> tuple[str, ...]:
    inquiry = inquiry_of(question)
    return inquiry.digests if inquiry else ()


def _answered(call: Remembered) -> Answered:
    response = call.response
    answer = Answer(
        text=response.text,
        reasoning=response.reasoning,
        logprobs=response.logprobs,
        bound=response.bound,
        finish=response.finish,
        usage=response.usage,
        likelihood=response.likelihood,
    )
    key, named = bytes.fromhex(response.key), (response.model, response.revision)
    question = Question(key, call.origin.question, *named, response.role)
    return Answered(question, Logged(answer, response.seconds))
