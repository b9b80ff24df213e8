"""What the steps of the local road hand on to each other. Holds data only; imports no torch.

In a tree every sequence is `beginning + branch`, and for each target of a likelihood
`beginning + branch + target`: the beginning is computed once, each branch once, each target once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from eyechart.asking.backend import Answer
from eyechart.records import Request

Ids = tuple[int, ...]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What an address says after its question mark; the defaults are what most people want.

    `dtype`: of the weights ("float32", "bfloat16", "float16"), "" as the checkpoint says; it is
    part of the model's name, since it changes the numbers. `devices`: such as `("cuda:0",)` or
    `("cpu",)`, one model on each; () is every GPU there is, else the CPU. `attention`: "" is flash
    attention where it is installed, else sdpa. `workers`: processes that decode and resize
    pictures, None as many as fit the device. `batch_tokens`: most tokens computed at once, None
    bounded by free memory. `pickles`: weights that are pickles may be loaded. `compiled`:
    torch.compile the model's norms and MLPs (minutes at the start).
    """

    dtype: str = ""
    devices: tuple[str, ...] = ()
    attention: str = ""
    workers: int | None = None
    batch_tokens: int | None = None
    pickles: bool = False
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's folder on disk, checked by its files alone. `name`, `revision`: as in the key.

    `name`: `hf:ORG/NAME` or `hf:FOLDER_NAME`, with `?dtype=…` where it was chosen. `revision`: the
    commit on the hub, or of a local folder the digest of all that decides an answer.
    """

    folder: Path
    name: str
    revision: str
    options: LocalOptions = LocalOptions()


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures of a call as a model's processor made them.

    `arrays`: the model's inputs by name (`pixel_values`, `image_grid_thw`, ...), the first axis as
    the model wants it when several calls are joined end to end. Values of pixels may still be
    uint8, to be scaled on the device. `written`: what stands in the prompt for each picture, in the
    order shown (a text with one picture token for each place that the picture takes).
    `key`: the pictures' digests and limits, with blanks between; equal keys, equal arrays. `notes`:
    what was done to each picture before the processor got it, "" where it was only decoded.
    """

    key: str
    arrays: Arrays
    written: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that a device can compute.

    `ids`: the prompt's tokens, pictures' places and begun answer included. `rows`: what else the
    model wants for each token (`mm_token_type_ids`, ...), each as long as `ids`. `n_pinned`: tokens
    up to the last one that stands for a picture, 0 where there is none: a shared beginning holds at
    least these. `targets`: of next_word the one token of each word, of likelihood the tokens of
    each text; () where a text is wanted. `seed`: fixes what is sampled.
    """

    request: Request
    ids: Ids
    seen: Seen | None = None
    rows: Mapping[str, Ids] = field(default_factory=dict)
    n_pinned: int = 0
    targets: tuple[Ids, ...] = ()
    seed: int = 0

    @property
    def n_new(self) -> int:
        """Tokens that the call may add to its prompt: its longest target, or what it may say."""
        if self.request.want.name == "text":
            return self.request.sampling.max_tokens or 0
        return max((len(target) for target in self.targets), default=0)


@dataclass(frozen=True, slots=True)
class Tree:
    """Ready calls that share their pictures and `n_shared` first tokens, of which each has more.

    A tree of one call shares the whole of its prompt: `n_shared` is then the length of its `ids`.
    """

    calls: tuple[Ready, ...]
    n_shared: int

    @property
    def beginning(self) -> Ids:
        """The shared tokens."""
        return self.calls[0].ids[: self.n_shared]

    def branch(self, call: Ready) -> Ids:
        """The tokens of a call's prompt after the shared ones; () for a tree of one."""
        return call.ids[self.n_shared :]

    @property
    def n_tokens(self) -> int:
        """Tokens that are computed for it, new ones not counted."""
        targets = sum(len(target) for call in self.calls for target in call.targets[1:])
        return self.n_shared + sum(len(c.ids) - self.n_shared for c in self.calls) + targets


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one call cannot be computed, in words for people; the others of its batch can."""

    message: str


Outcome = Answer | Refusal


class NoRoom(Exception):
    """A device's memory does not hold this batch; nothing of it was answered. Try half of it."""


class DeviceLost(Exception):
    """A device computes nothing any more (CUDA fell, its process died); the text says why."""


class Device(Protocol):
    """One model on one device. Calls come from one thread at a time.

    `setup`: how it computes, in words by name (see `eyechart.asking.backend.Backend`).
    """

    name: str
    setup: Mapping[str, str]

    def tokens_at_once(self) -> int:
        """Most tokens that a batch should hold now, by free memory; at least 1."""
        ...

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """What came of each call, in the order of the trees and of the calls in each.

        Raises NoRoom and DeviceLost.
        """
        ...

    def close(self) -> None:
        """Let go of the memory."""
        ...
