"""From a call to what a device computes: its prompt's tokens, and those that are wanted after it.

In: a call, and its pictures as the processor made them. Out: a `Ready`; or `Refused`, which names
the item and what to do. Decodes no picture and computes no model.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

from eyechart.asking.backend import Call
from eyechart.errors import Fatal, Refused
from eyechart.local.pieces import Ids, Ready, Seen
from eyechart.local.preparing.chats import Chat, probe
from eyechart.local.preparing.pictures import Whole
from eyechart.local.preparing.roads import (
    Road,
    cut,
    road_of,
    rows_of,
    tokenised,
    tokenised_alone,
    with_pictures,
)
from eyechart.local.preparing.targets import Targets
from eyechart.records import Request

MOST_KEPT = 512
"""Beginnings whose tokens are kept: about as many as there are pictures in a window."""


class Prompter:
    """A model's processor as prompts need it. Calls come from one thread at a time.

    `name`: what errors call the model. `context`: the most tokens of a prompt and its answer, None
    where the model does not say. Raises Fatal where no prompt with a picture can be made.
    """

    def __init__(self, processor: Any, name: str, context: int | None = None) -> None:
        self._processor, self._name, self._context = processor, name, context
        self._chat = Chat(processor, name)
        self._targets = Targets(processor.tokenizer)
        self._pictures = _picture_tokens(processor)
        self._kept: OrderedDict[tuple[str, str], Whole] = OrderedDict()
        self.road = self._tried()

    def rendered(self, request: Request) -> str:
        """The prompt as the chat template writes it. Raises Fatal and Refused (see `Chat`)."""
        return self._chat.rendered(request)

    def ready(self, call: Call, seen: Seen | None = None) -> Ready:
        """The call on the fast road. `seen`: its pictures, None where it has none.

        Raises Refused (too long, a word that is not one token, ...) and Fatal (the template fails).
        """
        text = self.rendered(call.request)
        if seen is not None and self.road.splits:
            shown, after = cut(self._processor, text)
            if after:
                return self._ready(call.request, after, self._going_on(seen, shown, after))
        if seen is not None:
            text = with_pictures(self._processor, text, seen.written)
        ids = tokenised(self._processor, text)
        whole = Whole(seen, ids, rows_of(self._processor, ids, self.road))
        return self._ready(call.request, text, whole)

    def ready_whole(self, call: Call, whole: Whole) -> Ready:
        """The call as the processor made it from `rendered` and its pictures. Raises as `ready`."""
        return self._ready(call.request, self.rendered(call.request), whole)

    def _going_on(self, seen: Seen, shown: str, after: str) -> Whole:
        """A prompt of a beginning that is tokenised once for all that goes on from it."""
        key = (seen.key, shown)
        if key not in self._kept:
            ids = tokenised(self._processor, with_pictures(self._processor, shown, seen.written))
            self._kept[key] = Whole(None, ids, rows_of(self._processor, ids, self.road))
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        beginning, ids = self._kept[key], tokenised_alone(self._processor, after)
        rows = rows_of(self._processor, ids, self.road)
        return Whole(
            seen, beginning.ids + ids, {name: beginning.rows[name] + rows[name] for name in rows}
        )

    def _ready(self, request: Request, text: str, whole: Whole) -> Ready:
        ids, seen = whole.ids, whole.seen
        try:
            targets = self._targets.after(text, ids, request.begun, request.want)
        except Refused as error:
            raise Refused(f"{self._name}: item {request.item_id!r}: {error}") from None
        self._check_fits(request, ids, max((len(target) for target in targets), default=1))
        return Ready(
            request=request,
            ids=ids,
            seen=seen,
            rows=whole.rows,
            n_pinned=self._n_pinned(ids) if seen is not None else 0,
            targets=targets,
            seed=_seed(ids, seen, request.draw),
        )

    def _n_pinned(self, ids: Ids) -> int:
        """All of a prompt in which the places of pictures cannot be told."""
        places = (at for at in range(len(ids), 0, -1) if ids[at - 1] in self._pictures)
        return next(places, len(ids))

    def _check_fits(self, request: Request, ids: Ids, n_new: int) -> None:
        if self._context is None or len(ids) + n_new <= self._context:
            return
        n_pictures = sum(token in self._pictures for token in ids)
        raise Refused(
            f"{self._name}: item {request.item_id!r}: its prompt has {len(ids)} tokens, "
            f"{n_pictures} of them for pictures, and {n_new} more must follow, but the model takes "
            f"at most {self._context}. Make the pictures smaller with --max-pixels, or the prompt "
            "shorter"
        )

    def _tried(self) -> Road:
        """The processor's road, on two pictures, or on one where it takes no more."""
        error: Exception | None = None
        for n_pictures in (2, 1):
            try:
                return road_of(self._processor, self.rendered(probe(n_pictures)), n_pictures)
            except Exception as failure:  # a processor raises what it likes
                error = failure
        if isinstance(error, Fatal):
            raise error
        raise Fatal(
            f"{self._name}: its processor cannot take even a made picture and question "
            f"({type(error).__name__}: {str(error)[:300]}). Is its folder whole, and written for "
            "this version of transformers?"
        ) from error


def _picture_tokens(processor: Any) -> frozenset[int]:
    """The tokens that stand for a part of a picture, as far as the processor names them."""
    told = [*getattr(processor, "image_token_ids", []), getattr(processor, "image_token_id", None)]
    own = getattr(processor.tokenizer, "image_token_id", None)
    return frozenset(token for token in [*told, own] if isinstance(token, int))


def _seed(ids: Ids, seen: Seen | None, draw: int) -> int:
    """Of what is asked and the number of the draw alone, so that an answer can be drawn again."""
    pictures = seen.key if seen is not None else ""
    told = f"{draw}\n{pictures}\n{','.join(map(str, ids))}"
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big") >> 1
