"""One model on one device, and what it makes of a batch.

In: a checkpoint and a device; then trees of ready calls. Out: an outcome for each call. What one
call breaks is its own; what the device breaks (`NoRoom`, `DeviceLost`) is the caller's to mend.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.computing.alone import AloneWay
from eyechart.local.computing.compiling import compile_parts
from eyechart.local.computing.faults import fault_of
from eyechart.local.computing.loading import Loaded, load_model
from eyechart.local.computing.memory import Memory
from eyechart.local.computing.probing import Compute, Way, chosen_way
from eyechart.local.computing.shared import SharedWay
from eyechart.local.pieces import Checkpoint, DeviceLost, NoRoom, Outcome, Refusal, Tree
from eyechart.local.preparing.prompting import Prompter
from eyechart.local.quiet import first_line

Load = Callable[[Path], Any]


class LocalDevice:
    """A checkpoint's model on one device. Making one loads the weights: seconds to minutes.

    `load`: makes the processor of a folder. `name`: of the device. `way`: how calls are computed,
    and why; `setup`: the same and what else it computes with, in words by name. `loaded`: the
    model, None once it is closed. Raises what `load` raises, and BadInput and Fatal as
    `load_model`, `Prompter` and `chosen_way` do.
    """

    way: Way

    def __init__(self, checkpoint: Checkpoint, device: str, *, load: Load = load_processor) -> None:
        self.name = device
        processor = load(checkpoint.folder)
        prompter = Prompter(processor, checkpoint.name)
        loaded = load_model(checkpoint, device, processor, prompter.road.scale)
        self.loaded: Loaded | None = loaded
        self._memory = Memory(loaded, checkpoint.options.batch_tokens)
        if checkpoint.options.compiled:
            compile_parts(loaded)
        ways: dict[str, Compute] = {
            "shared": SharedWay(loaded, self._memory).compute,
            "alone": AloneWay(loaded).compute,
        }
        with torch.inference_mode():
            self.way = chosen_way(loaded, prompter, ways["shared"], ways["alone"])
        self._compute: Compute | None = ways[self.way.name]
        self.setup: Mapping[str, str] = _setup(
            loaded, self.way, compiled=checkpoint.options.compiled
        )

    def tokens_at_once(self) -> int:
        """Most tokens that a batch should hold now, by free memory; at least 1."""
        return self._memory.tokens_at_once()

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """What came of each call, in the order of the trees and of the calls in each.

        A batch that the model fails at is parted until the call that it fails at is alone, and
        refused. Raises NoRoom and DeviceLost; a device that was closed is lost.
        """
        try:
            return self._computed(trees)
        except (NoRoom, DeviceLost):
            raise
        except Exception as error:  # a model raises what it likes at inputs that it cannot take
            parts = _parted(trees)
            if not parts:
                return [_failed(error)]
        return [outcome for part in parts for outcome in self.compute(part)]

    def close(self) -> None:
        """Let go of the memory."""
        self.loaded = self._compute = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _computed(self, trees: Sequence[Tree]) -> list[Outcome]:
        if self._compute is None:
            raise DeviceLost(f"{self.name} was closed")
        try:
            with torch.inference_mode():
                return self._compute(trees)
        except Exception as error:
            fault = fault_of(error, self.name)
            if fault is None:
                raise
        # Only now: while the error was alive, so were the tensors of the functions it came from.
        if isinstance(fault, NoRoom):
            self._memory.found_no_room()
        raise fault


def _setup(loaded: Loaded, way: Way, *, compiled: bool) -> dict[str, str]:
    told = {
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "attention": str(loaded.model.config._attn_implementation),
        "computed": "in batches" if way.name == "shared" else f"call by call: {way.reason}",
    }
    return told | ({"compiled": "norms and MLPs"} if compiled else {})


def _parted(trees: Sequence[Tree]) -> list[list[Tree]]:
    """Two halves of a batch, the calls of a tree each alone, [] for a call alone."""
    if len(trees) > 1:
        middle = len(trees) // 2
        return [list(trees[:middle]), list(trees[middle:])]
    calls = trees[0].calls
    return [[Tree((call,), len(call.ids))] for call in calls] if len(calls) > 1 else []


def _failed(error: Exception) -> Refusal:
    return Refusal(
        f"the model failed at this prompt and its pictures ({type(error).__name__}: "
        f"{first_line(error)}). If other prompts are answered, look at its pictures; else the "
        "checkpoint and this version of transformers do not fit together"
    )
