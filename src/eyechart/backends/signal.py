"""A model without learning: it answers from image statistics, as a camera's meters would.

In: a request with its pictures. Out: an answer in the words a model would use. It sees what any
model sees, the pictures and the text, and says so in words where its meters cannot tell. It is the
floor that a model which looks must beat.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.backends.asked import Ask, one_token_each, read_ask
from eyechart.backends.signal_answers import (
    CANNOT_TELL,
    answer_text,
    describe,
    log_shares,
    number_text,
    score_options,
)
from eyechart.backends.signal_faults import signs
from eyechart.errors import BadPicture, Refused
from eyechart.image_headers import guarded
from eyechart.images import Encoded
from eyechart.meters import MIN_SIDE_PX, Meters, read_meters
from eyechart.records import Request, Usage

MAX_SIDE_PX = 1024
MAX_REMEMBERED = 4096
LEVELS = ("excellent", "good", "fair", "poor", "bad")


class Signal(Backend):
    """A backend that reads meters. Readings of the last few thousand pictures are remembered."""

    model = "signal"
    revision = "2"
    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = True

    def __init__(self) -> None:
        self._readings: dict[str, Meters | None] = {}

    async def answer(self, call: Call) -> Answer:
        """Answer from the meters. Raises Refused where a picture cannot be decoded."""
        return await asyncio.to_thread(self._answer, call)

    async def close(self) -> None:
        """Forget the readings."""
        self._readings.clear()

    def _answer(self, call: Call) -> Answer:
        readings = [self._read(image) for image in call.images]
        shown = [meters for meters in readings if meters is not None]
        if len(shown) < len(readings):
            shown = []
        ask, words = read_ask(_said(call.request)), call.request.want.words
        if words:
            scores = score_options(replace(ask, options=words), [signs(m) for m in shown])
            lengths = one_token_each(words) if call.request.want.name == "likelihood" else None
            shares = log_shares(scores)
            return Answer(logprobs=shares, finish="stop", usage=Usage(0, 0), likelihood=lengths)
        text = _reply(ask, shown, call.request.begun)
        return Answer(text=text, finish="stop", usage=Usage(0, 0))

    def _read(self, image: Encoded) -> Meters | None:
        if image.sha256 not in self._readings:
            while len(self._readings) >= MAX_REMEMBERED:
                self._readings.pop(next(iter(self._readings)), None)
            self._readings[image.sha256] = _meters(image)
        return self._readings[image.sha256]


def _reply(ask: Ask, shown: list[Meters], begun: str) -> str:
    if not shown:
        return CANNOT_TELL
    views = [signs(meters) for meters in shown]
    if ask.options:
        return answer_text(ask, views)
    if ask.in_number and len(views) == 1:
        return number_text(views[0])
    if begun:
        word = answer_text(replace(ask, options=LEVELS, in_words=True), views[:1])
        return f"{word}." if word in LEVELS else CANNOT_TELL
    told = [describe(meters, view) for meters, view in zip(shown, views, strict=True)]
    if len(told) == 1:
        return told[0]
    return " ".join(f"Image {n}: {text}" for n, text in enumerate(told, start=1))


def _said(request: Request) -> str:
    """The words of the last turn, which holds the question."""
    return "\n".join(part for part in request.turns[-1].parts if isinstance(part, str))


def _meters(image: Encoded) -> Meters | None:
    """Readings at 1024 px on the long side or less; None for a picture too small to measure."""
    try:
        with guarded("the picture cannot be decoded"), Image.open(BytesIO(image.data)) as picture:
            picture.draft("RGB", (MAX_SIDE_PX, MAX_SIDE_PX))
            pixels = picture.convert("RGB")
    except BadPicture as error:
        raise Refused(str(error)) from error
    pixels.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    if min(pixels.size) < MIN_SIDE_PX:
        return None
    return read_meters(np.asarray(pixels))


BACKEND = BackendPlugin(
    name="signal",
    summary="answers from image statistics, as a camera's meters would",
    example="signal",
    open=lambda address: Signal(),
)
