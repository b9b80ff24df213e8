"""How much a device computes at once, by the memory that it has left and what batches have cost.

In: a `Loaded` model, then what each batch held. Out: numbers of tokens, and calls in groups that
fit together. Computes nothing.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from eyechart.local.computing.loading import Loaded

T = TypeVar("T")
MOST_TOKENS = {"cuda": 16384, "cpu": 2048}
"""Most tokens of a batch, however much memory there is: larger ones hold up those who wait."""
MOST_PLACES = 4096
"""Places of a step that are read: 1.2 GB of logits at a vocabulary of 150,000 and two bytes."""
SHARE = 0.8
"""Of the free memory, what a batch may take."""
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Need:
    """What one row needs.

    `kept`: tokens whose keys and values it holds at its longest. `fed`: new tokens that are
    computed for it. `read`: places of these whose logits are wanted.
    """

    kept: int
    fed: int
    read: int = 1


class Memory:
    """The memory of one device. `batch_tokens`: what a person asked for, None by free memory.

    `token_bytes`: of keys and values for one token. The cost of computing a token is guessed from
    the model's sizes until a batch has been measured (on CUDA), and then that of the largest one.
    """

    def __init__(self, loaded: Loaded, batch_tokens: int | None = None) -> None:
        config = loaded.model.config.get_text_config()
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        n_kept = 2 * (getattr(config, "num_key_value_heads", None) or heads) * width
        n_wide = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
        self.token_bytes = loaded.dtype.itemsize * config.num_hidden_layers * n_kept
        # While a layer is computed: its inputs, queries, keys, values, and the MLP's two halves.
        n_passing = 8 * config.hidden_size + 3 * n_wide
        self._cost = float(self.token_bytes + loaded.dtype.itemsize * n_passing)
        self._device, self._asked = loaded.device, batch_tokens
        self._n_measured = 0

    def tokens_at_once(self) -> int:
        """Most tokens of a batch, at least 1."""
        if self._asked is not None:
            return self._asked
        most = MOST_TOKENS[self._device.type]
        return max(1, min(most, int(SHARE * self.free_bytes() / self._cost)))

    def free_bytes(self) -> int:
        """Bytes that can be had now, those included that torch keeps for later."""
        if self._device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self._device)
            kept = torch.cuda.memory_reserved(self._device)
            return int(free + kept - torch.cuda.memory_allocated(self._device))
        return _free_in_machine()

    @contextmanager
    def measured(self, n_tokens: int) -> Iterator[None]:
        """Learn from this batch of so many tokens what a token costs, if none was larger."""
        if self._device.type != "cuda" or n_tokens < self._n_measured:
            yield
            return
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        yield
        peak = torch.cuda.max_memory_allocated(self._device) - before
        self._cost, self._n_measured = max(1.0, peak / n_tokens), n_tokens

    def free(self) -> None:
        """Give back what nobody holds any more, after a batch that found no room."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def groups(self, items: Sequence[T], needs: Sequence[Need]) -> list[list[T]]:
        """The items in groups whose rows fit the device at once, in the order given.

        Every row of a group is as wide as its widest; a group holds at least one.
        """
        if not items:
            return []
        # Half: rows are copied as they grow.
        room, most = 0.5 * SHARE * self.free_bytes() / self.token_bytes, self.tokens_at_once()
        groups: list[list[T]] = [[]]
        widest = longest = n_read = 0
        for item, need in zip(items, needs, strict=True):
            n_rows = len(groups[-1]) + 1
            widest, longest = max(widest, need.kept), max(longest, need.fed)
            n_read += need.read
            if n_rows > 1 and (
                n_rows * widest > room or n_rows * longest > most or n_read > MOST_PLACES
            ):
                groups.append([])
                widest, longest, n_read = need.kept, need.fed, need.read
            groups[-1].append(item)
        return groups


def _free_in_machine() -> int:
    """Bytes that programs can still have, by Linux's own estimate; half of all where untold."""
    try:
        lines = MEMINFO.read_text().splitlines()
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(told["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
