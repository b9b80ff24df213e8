"""Which places of a step are read, and what is read there: log-probabilities of tokens.

In: questions, then the logits of the places they are about. Out: natural-log probabilities over the
whole vocabulary, in float32, added to the lists that the questions name. Computes no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eyechart.local.computing.forward import Place
from eyechart.local.pieces import Ids

ROWS_AT_ONCE = 256  # of logits made float32: 150 MB with a vocabulary of 150,000


@dataclass(frozen=True, slots=True)
class _Asked:
    place: int
    tokens: Ids
    into: list[float]


class Reading:
    """What one step is read for. `places`: those whose logits are wanted, each once."""

    def __init__(self) -> None:
        self._asked: list[_Asked] = []
        self._index: dict[Place, int] = {}

    @property
    def places(self) -> list[Place]:
        """(row, column) of every wanted place, in the order of the logits' rows."""
        return list(self._index)

    def ask(self, row: int, column: int, tokens: Ids, into: list[float]) -> None:
        """Add to `into` the log-probability of each of these tokens as the one after a place."""
        self._asked.append(_Asked(self.keep(row, column), tokens, into))

    def keep(self, row: int, column: int) -> int:
        """Want a place's logits; returns their row."""
        return self._index.setdefault((row, column), len(self._index))

    def answer(self, logits: Tensor) -> None:
        """Answer what was asked from the logits of `places`, (n, n_vocabulary)."""
        pairs = [(one.place, token) for one in self._asked for token in one.tokens]
        values = iter(logprobs(logits, pairs))
        for one in self._asked:
            one.into.extend(next(values) for _ in one.tokens)


def logprobs(logits: Tensor, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """The log-probability of each (row, token), at most 0. `logits`: (n, n_vocabulary)."""
    if not pairs:
        return []
    starts = range(0, len(logits), ROWS_AT_ONCE)
    sums = [logits[at : at + ROWS_AT_ONCE].float().logsumexp(-1) for at in starts]
    index = torch.tensor(pairs, device=logits.device)
    values = logits[index[:, 0], index[:, 1]].float() - torch.cat(sums)[index[:, 0]]
    return [float(value) for value in values.clamp(max=0.0).tolist()]
