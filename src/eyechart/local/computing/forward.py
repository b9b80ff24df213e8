"""One step of a model: new tokens after what was computed before, for many sequences at once.

In: token ids, and the kept keys and values of what precedes them (`Rows`). Out: the logits of the
wanted places only, and rows that end with the new tokens. Reads no answer out of them.

New tokens stand at the left of their columns, what was kept at the right of its own: so each
sequence is one run of places. Keys carry their positions, so it does not matter where a run lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, cache_utils

from eyechart.local.computing.feeding import padded
from eyechart.local.computing.loading import Loaded
from eyechart.local.pieces import Ids

LAYER: Any = cache_utils.DynamicLayer
Place = tuple[int, int]
"""A row and a column of a step's new tokens."""


@dataclass(slots=True)
class Rows:
    """Sequences that were computed. Row i is `lengths[i]` places of the cache from `starts[i]` on.

    `nexts`: the position that the model gives to the token that follows; pictures make it another
    one than the length in some models.
    """

    cache: Any
    starts: list[int]
    lengths: list[int]
    nexts: list[int]

    @property
    def width(self) -> int:
        """Places in the cache."""
        return int(self.cache.get_seq_length())


def begin(
    loaded: Loaded,
    sequences: Sequence[Ids],
    inputs: Mapping[str, Tensor],
    wanted: Sequence[Place],
    *,
    kept: bool = True,
) -> tuple[Tensor, Rows | None]:
    """The first step of sequences, with their pictures. `inputs`: what else the model takes.

    Returns the logits, (n wanted, n_vocabulary), and rows where they are `kept`. The pads at the
    ends are seen by nothing that counts, so no mask is needed and the fastest kernels are used.
    """
    holders = [part for part in loaded.model.modules() if hasattr(part, "rope_deltas")]
    for holder in holders:
        holder.rope_deltas = None  # of another batch
    cache = DynamicCache() if kept else None
    with only(loaded.model, wanted):
        logits = loaded.model(
            input_ids=padded(loaded, sequences, loaded.pad),
            past_key_values=cache,
            use_cache=kept,
            **inputs,
        ).logits
    if cache is None:
        return logits, None
    _check(cache)
    deltas = [0] * len(sequences)
    for holder in holders:
        if holder.rope_deltas is not None:
            deltas = holder.rope_deltas.flatten().tolist()
    lengths = [len(ids) for ids in sequences]
    nexts = [length + delta for length, delta in zip(lengths, deltas, strict=True)]
    return logits, Rows(cache, [0] * len(sequences), lengths, nexts)


def go_on(loaded: Loaded, rows: Rows, sequences: Sequence[Ids], wanted: Sequence[Place]) -> Tensor:
    """The logits of one more step; `rows` then end with these tokens. At least one for each row.

    The rows must end together, as those of `select` and those after single tokens do.
    """
    ids = padded(loaded, sequences, loaded.pad)
    here = torch.arange(rows.width + ids.shape[1], device=loaded.device)
    starts, lengths = _tensor(loaded, rows.starts), _tensor(loaded, [len(s) for s in sequences])
    seen = (here >= starts[:, None]) & (here < (rows.width + lengths)[:, None])
    positions = _tensor(loaded, rows.nexts)[:, None] + here[: ids.shape[1]]
    with only(loaded.model, wanted):
        logits: Tensor = loaded.model(
            input_ids=ids,
            attention_mask=seen.long(),
            position_ids=positions,
            past_key_values=rows.cache,
            use_cache=True,
        ).logits
    for row, sequence in enumerate(sequences):
        rows.lengths[row] += len(sequence)
        rows.nexts[row] += len(sequence)
    return logits


def select(rows: Rows, which: Sequence[int], *, last: bool = False) -> Rows:
    """Some rows, in this order and as often as they are named, moved so that they end together.

    `last`: nothing more is wanted of `rows`, whose memory is let go layer by layer. Where there is
    nothing to move, nothing is copied.
    """
    lengths = [rows.lengths[i] for i in which]
    ends = [rows.starts[i] + rows.lengths[i] for i in which]
    width = max(lengths)
    move = _mover(rows, which, ends, width)
    cache: Any = DynamicCache()
    for layer in rows.cache.layers:
        moved = LAYER()
        if layer.is_initialized:
            moved.lazy_initialization(layer.keys, layer.values)
            moved.keys, moved.values = move(layer.keys), move(layer.values)
        cache.layers.append(moved)
        if last:
            layer.keys = layer.values = None
    starts = [width - length for length in lengths]
    return Rows(cache, starts, lengths, [rows.nexts[i] for i in which])


@contextmanager
def only(model: Any, wanted: Sequence[Place]) -> Iterator[None]:
    """Within it the model's head sees the wanted places alone: most of its work is never done.

    Its logits are then (n wanted, n_vocabulary).
    """

    def gather(_head: Any, hidden: tuple[Tensor, ...]) -> tuple[Tensor]:
        places = torch.tensor(wanted, dtype=torch.long, device=hidden[0].device).reshape(-1, 2)
        return (hidden[0][places[:, 0], places[:, 1]],)

    hook = model.get_output_embeddings().register_forward_pre_hook(gather)
    try:
        yield
    finally:
        hook.remove()


def _check(cache: Any) -> None:
    """Raise ValueError where a layer keeps something else than each token's keys and values."""
    widths = {layer.keys.shape[-2] for layer in cache.layers if layer.is_initialized}
    if len(widths) != 1:
        raise ValueError("its layers do not all keep keys and values for each token")


def _mover(
    rows: Rows, which: Sequence[int], ends: Sequence[int], width: int
) -> Callable[[Tensor], Tensor]:
    """Takes of a layer's values, (n, heads, places, size), the last places before rows' ends."""
    device = next(layer.keys.device for layer in rows.cache.layers if layer.is_initialized)
    index = torch.tensor(which, device=device)
    run = slice(ends[0] - width, ends[0])
    if list(which) == list(range(len(rows.lengths))) and len(set(ends)) == 1:
        return lambda values: values[:, :, run]
    if len(set(ends)) == 1:
        return lambda values: values.index_select(0, index)[:, :, run]
    offsets = torch.arange(width, device=device) - width
    places = (torch.tensor(ends, device=device)[:, None] + offsets).clamp(min=0)
    return lambda values: values.transpose(1, 2)[index[:, None], places].transpose(1, 2)


def _tensor(loaded: Loaded, values: Sequence[Any]) -> Tensor:
    return torch.tensor(values, dtype=torch.long, device=loaded.device)
