"""Small real devices for tests: what they answer can be computed beside, and they fail on order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from eyechart.asking.backend import Answer
from eyechart.errors import BadInput, MissingExtra
from eyechart.local.pieces import DeviceLost, Ids, NoRoom, Outcome, Ready, Seen, Tree
from eyechart.local.scheduling.window import Batch
from eyechart.records import Request, likelihood, next_word

WORDS = next_word("good", "poor")


def ready(
    ids: Ids, seen: str = "", n_pinned: int = 0, *, item: str = "1", text: bool = False
) -> Ready:
    request = Request(item, "answer", ()) if text else Request(item, "answer", (), want=WORDS)
    if seen:
        return Ready(request, ids, Seen(seen, {}, ("<image>",)), n_pinned=n_pinned)
    return Ready(request, ids)


def measured(ids: Ids, *targets: Ids) -> Ready:
    want = likelihood(*[str(target) for target in targets])
    return Ready(Request("1", "answer", (), want=want), ids, targets=targets)


def answer_to(ids: Ids) -> str:
    """What the small devices answer to a prompt, alone or in any batch."""
    return f"{len(ids)} tokens, {hash(ids)}"


@dataclass
class Small:
    """Hashes prompts. `most`: tokens of a batch beyond which it finds no room."""

    name: str = "small"
    most: int = 10**9
    at_once: int = 10**9
    n_batches: int = 0
    closed: bool = False
    setup: Mapping[str, str] = field(default_factory=dict)

    def tokens_at_once(self) -> int:
        return self.at_once

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        self.n_batches += 1
        if sum(tree.n_tokens for tree in trees) > self.most:
            raise NoRoom("too much")
        return [
            Answer(text=answer_to(tree.beginning + tree.branch(call)))
            for tree in trees
            for call in tree.calls
        ]

    def close(self) -> None:
        self.closed = True


@dataclass
class Dying(Small):
    """Is lost at its batch number `last`: by an error, or by a signal to its own process."""

    last: int = 1
    by: str = "error"

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        if self.n_batches + 1 < self.last:
            return super().compute(trees)
        if self.by == "error":
            raise DeviceLost(f"{self.name}: CUDA error: unspecified launch failure")
        if self.by == "fault":
            raise KeyError("layers.7")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


class Holding(Small):
    """Computes when it is told to: `begun` says that a batch has come, `go` lets it on."""

    def __init__(self) -> None:
        super().__init__("holding")
        self.begun, self.go = threading.Event(), threading.Event()

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        self.begun.set()
        while not self.go.wait(0.01):  # as a reply is made: of many short steps
            pass
        return super().compute(trees)


def small(name: str = "small", most: int = 10**9, at_once: int = 10**9) -> Small:
    return Small(name, most, at_once)


def dying(last: int, by: str = "error", name: str = "dying", at_once: int = 10**9) -> Small:
    return Dying(name, at_once=at_once, last=last, by=by)


class Sleeping(Small):
    """Never ends by itself."""

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        time.sleep(10**6)
        return super().compute(trees)


def telling() -> Small:
    """Says how it computes."""
    return Small(setup={"dtype": "bfloat16"})


def sleeping() -> Small:
    return Sleeping()


def unloadable(kind: str) -> Small:
    if kind == "room":
        raise NoRoom("7 GB of 6 GB")
    if kind == "extra":
        raise MissingExtra("torch is needed")
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "input":
        raise BadInput("/models/x: no weights")
    raise RuntimeError("no such layer")


def pid_teller(file: Path) -> Small:
    """Writes down in which process it was made."""
    file.write_text(str(os.getpid()))
    return Small("teller")


making = partial


def ids_in(batch: Batch) -> list[Ids]:
    return [tree.beginning + tree.branch(call) for tree in batch.trees for call in tree.calls]
