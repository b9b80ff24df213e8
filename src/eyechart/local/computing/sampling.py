"""From the scores of every token to the one that comes next, greedily or drawn.

In: logits, how to draw, and one number from 0 to 1 for each row. Out: a token for each row. The
same scores and the same number give the same token, whatever the other rows of a batch are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eyechart.records import Sampling


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the next token is drawn: `temperature` 0 takes the likeliest one.

    `top_p` in (0, 1] and `top_k` (0: any number) leave the likeliest tokens only, `top_k` first.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0


GREEDY = Drawing()


def drawing_of(sampling: Sampling, defaults: Drawing) -> Drawing:
    """How a request's reply is drawn: its own numbers, else those of the checkpoint.

    A temperature without a `top_p` draws from all tokens: no limit of the checkpoint's is mixed in.

    >>> drawing_of(Sampling(temperature=1.0), Drawing(0.7, 0.8, 20))
    Drawing(temperature=1.0, top_p=1.0, top_k=0)
    >>> drawing_of(Sampling(temperature=None, top_p=0.5), Drawing(0.7, 0.8, 20))
    Drawing(temperature=0.7, top_p=0.5, top_k=20)
    """
    if sampling.temperature is not None:
        return Drawing(sampling.temperature, 1.0 if sampling.top_p is None else sampling.top_p)
    top_p = defaults.top_p if sampling.top_p is None else sampling.top_p
    return Drawing(defaults.temperature, top_p, defaults.top_k)


class Dice:
    """The numbers from 0 to 1 that decide what one call draws, one for each of its tokens."""

    def __init__(self, drawing: Drawing, seed: int) -> None:
        self.drawing = drawing
        self._random = random.Random(seed)

    def throw(self) -> float:
        """The next number, from 0 up to but not including 1."""
        return self._random.random()


def next_tokens(logits: Tensor, dice: Sequence[Dice]) -> list[int]:
    """The next token of each row. `logits`: (n, n_vocabulary), a row for each of the dice."""
    chosen = logits.argmax(-1)
    drawn = [i for i, one in enumerate(dice) if one.drawing.temperature > 0]
    if drawn:
        index = torch.tensor(drawn, device=logits.device)
        chosen[index] = _drawn(logits[index].double(), [dice[i] for i in drawn])
    return [int(token) for token in chosen.tolist()]


def _drawn(logits: Tensor, dice: Sequence[Dice]) -> Tensor:
    """One token a row, by the inverse of the cumulated probabilities of those that are left."""
    ways = [one.drawing for one in dice]
    heats = _column([way.temperature for way in ways], logits)
    most = _column([way.top_p for way in ways], logits)
    counts = _column([float(way.top_k or logits.shape[-1]) for way in ways], logits)
    ranked, tokens = (logits / heats).sort(dim=-1, descending=True, stable=True)
    ranks = torch.arange(logits.shape[-1], device=logits.device)
    shares = ranked.masked_fill(ranks >= counts, -torch.inf).softmax(-1)
    before = shares.cumsum(-1) - shares
    shares = shares.masked_fill((before >= most) & (ranks > 0), 0.0)
    sums = shares.cumsum(-1)
    aims = _column([one.throw() for one in dice], logits) * sums[:, -1:]
    last = ((shares > 0).sum(-1, keepdim=True) - 1).clamp(min=0)  # of none where they are nan
    places = (sums <= aims).sum(-1, keepdim=True).minimum(last)
    chosen: Tensor = tokens.gather(-1, places)
    return chosen.squeeze(-1)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]
