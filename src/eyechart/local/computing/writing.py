"""Replies, a token at a time for many calls together.

In: the rows of calls whose prompts were computed, and the logits of what comes next. Out: a `Reply`
for each, or None where the logits are no numbers. A call that has ended is dropped at once. Between
two tokens the whole is given up where nobody waits for it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from eyechart.local.computing.answering import Reply, most_new
from eyechart.local.computing.forward import Rows, go_on, select
from eyechart.local.computing.loading import Loaded
from eyechart.local.computing.sampling import Dice, drawing_of, next_tokens
from eyechart.local.pieces import Ready
from eyechart.local.stopping import check_wanted


@dataclass(slots=True)
class _Written:
    most: int
    dice: Dice
    ids: list[int] = field(default_factory=list)
    reply: Reply | None = None
    over: bool = False

    def add(self, token: int, ends: frozenset[int]) -> None:
        n_tokens = len(self.ids) + 1
        if token in ends:
            self.reply = Reply(tuple(self.ids), "stop", n_tokens)
            return
        self.ids.append(token)
        if n_tokens >= self.most:
            self.reply = Reply(tuple(self.ids), "length", n_tokens)


def write(loaded: Loaded, rows: Rows, logits: Tensor, calls: Sequence[Ready]) -> list[Reply | None]:
    """The reply to each call. `rows` end together, one for each call; `logits`: (n, vocabulary).

    The same call gets the same words in any company, but for draws so close that rounding decides.
    Raises `Stopped`.
    """
    written = [_Written(most_new(loaded, call), dice_of(loaded, call)) for call in calls]
    active = written
    while True:
        check_wanted()
        sound = logits.isfinite().any(-1).logical_and(~logits.isnan().any(-1)).tolist()
        for one, token, is_sound in zip(
            active, next_tokens(logits, [one.dice for one in active]), sound, strict=True
        ):
            one.over = not is_sound
            if is_sound:
                one.add(token, loaded.ends)
        left = [i for i, one in enumerate(active) if one.reply is None and not one.over]
        if not left:
            return [one.reply for one in written]
        if len(left) < len(active):
            rows, active = select(rows, left, last=True), [active[i] for i in left]
        said = [(one.ids[-1],) for one in active]
        logits = go_on(loaded, rows, said, [(i, 0) for i in range(len(active))])


def dice_of(loaded: Loaded, call: Ready) -> Dice:
    """What decides a call's draws: its sampling, the checkpoint's defaults and its seed."""
    return Dice(drawing_of(call.request.sampling, loaded.defaults), call.seed)
