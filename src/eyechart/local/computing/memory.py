"""How much a device computes at once, by the memory that it has left and what steps have cost.

In: a `Loaded` model, then what each step held. Out: numbers of tokens, and calls in groups that fit
together. Computes nothing.
"""

from __future__ import annotations

import gc
import math
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
"""Most tokens of a step, however much memory there is: larger ones hold up those who wait."""
N_STEPS = {"cuda": 4, "cpu": 1}
"""Steps that a batch may take: the next one's inputs are brought to a GPU while it computes."""
GROWTH = 1.05
"""After a step without room the bound is half of it, and grows by so much with each that fits."""
MOST_PLACES = 4096
"""Places of a step that are read: 1.2 GB of logits at a vocabulary of 150,000 and two bytes."""
SHARE = 0.8
"""Of the free memory, what a step may take."""
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

    `token_bytes`: of keys and values for one token. What else is held while a token is computed is
    guessed from the model's sizes until a step has been measured (on CUDA), and then that of the
    largest one.
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
        self._passing = float(loaded.dtype.itemsize * n_passing)
        self._device, self._asked = loaded.device, batch_tokens
        self._n_measured = self._n_now = 0
        self._most = math.inf

    def tokens_at_once(self) -> int:
        """Most tokens of a batch, at least 1: those of a few steps. One step's inputs wait."""
        return N_STEPS[self._device.type] * self.step_tokens()

    def step_tokens(self) -> int:
        """Most tokens of a step that begins now, pads counted; at least 1."""
        self._n_now = self._bound()
        return self._n_now

    def _bound(self) -> int:
        most = self._asked
        if most is None:
            fitting = int(SHARE * self.free_bytes() / (self._passing + self.token_bytes))
            most = min(MOST_TOKENS[self._device.type], fitting)
        return max(1, int(min(self._most, most)))

    def free_bytes(self) -> int:
        """Bytes that can be had now, those included that torch keeps for later."""
        if self._device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self._device)
            kept = torch.cuda.memory_reserved(self._device)
            return int(free + kept - torch.cuda.memory_allocated(self._device))
        return _free_in_machine()

    @contextmanager
    def measured(self, n_tokens: int, *, kept: bool, n_bytes: int = 0) -> Iterator[None]:
        """Around a first step of so many tokens, pads counted: learn from it what a token costs.

        `kept`: its keys and values are. `n_bytes`: of its inputs, which are on the device already.
        """
        self._n_now = n_tokens
        on_gpu = self._device.type == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(self._device)
            n_bytes -= torch.cuda.memory_allocated(self._device)
        yield
        self._most *= GROWTH
        if on_gpu:
            self.learn(n_tokens, n_bytes + torch.cuda.max_memory_allocated(self._device), kept=kept)

    def learn(self, n_tokens: int, n_bytes: int, *, kept: bool) -> None:
        """A step of so many tokens took so many bytes, those of what is `kept` of it included.

        Forgotten where a larger one has been measured.
        """
        if n_tokens >= self._n_measured:
            passing = n_bytes - (n_tokens * self.token_bytes if kept else 0)
            self._passing, self._n_measured = max(1.0, passing / n_tokens), n_tokens

    def found_no_room(self) -> None:
        """After a step without room: free what nobody holds, and halve the steps that follow."""
        self._most = max(1.0, min(self._most, self._n_now) / 2)
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
        room, most = 0.5 * SHARE * self.free_bytes() / self.token_bytes, self._bound()
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
