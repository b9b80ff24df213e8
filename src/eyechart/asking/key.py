"""The content key: the same question to the same model has the same key, whoever asks it.

In: a request, the model, and the digests of its pictures as sent. Out: the canonical text of the
question and its sha256. The item, the role, the run, the pace and the API key do not enter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from eyechart.asking.backend import Call
from eyechart.records import Request

FORM = 1
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def canonical(request: Request, model: str, revision: str, digests: Sequence[str]) -> str:
    """The question as JSON text; `digests`: hex sha256 of the pictures as sent, in order.

    >>> from eyechart.records import Turn
    >>> canonical(Request("7", "answer", (Turn("user", ("Hi",)),)), "guess", "1", [])
    '[1,"guess","1",[["user","Hi"]],"",[0.0,null,4096],["text"],0]'
    """
    left = iter(digests)
    turns = [
        [turn.role, *[part if isinstance(part, str) else [next(left)] for part in turn.parts]]
        for turn in request.turns
    ]
    how = request.sampling
    sampling = [how.temperature, how.top_p, how.max_tokens]
    want = [request.want.name, *request.want.words]
    return _encode([FORM, model, revision, turns, request.begun, sampling, want, request.draw])


def digests_of(call: Call) -> list[str]:
    """The digests of a call's pictures, each with the limit that the backend is to keep, if any.

    Of small pictures too: some models enlarge every picture, and the limit bounds by how much.
    """
    limit = "" if call.max_pixels is None else f"@{call.max_pixels}"
    return [image.sha256 + limit for image in call.images]


def key_of(text: str) -> bytes:
    """The 32-byte sha256 of a canonical question."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
