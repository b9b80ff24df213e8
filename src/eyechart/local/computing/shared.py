"""Batches in the shared way: what calls have in common is computed once, and all calls together.

In: trees of ready calls. Out: an outcome for each call. Three levels: the beginnings, pictures
included; each call's own end of the prompt; the texts of a likelihood, or the tokens of a reply one
after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import torch
from torch import Tensor

from eyechart.local.computing.answering import Heard, Reply, answer_of, not_finite
from eyechart.local.computing.forward import Place, Rows, begin, go_on, inputs_of, select
from eyechart.local.computing.loading import Loaded
from eyechart.local.computing.memory import MOST_PLACES, Memory, Need
from eyechart.local.computing.reading import Reading
from eyechart.local.computing.writing import write
from eyechart.local.pieces import Ids, Outcome, Ready, Tree

EXPECTED_REPLY = 512
"""Tokens for which room is kept while a reply is written, where it may become longer."""


@dataclass(slots=True)
class Work:
    """A call on its way. `row`: of its tree's beginning. `branch`: the rest of its prompt.

    `before`, `prompt`: log-probabilities of the prompt's own tokens, shared ones and the rest.
    `told`: of the words, or of the first token of each text; `further`: of its other tokens.
    `place`, `last`: where the logits of a reply's first token are read, and these.
    """

    call: Ready
    row: int
    branch: Ids
    before: list[float]
    further: list[list[float]]
    prompt: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    place: int = -1
    last: Tensor | None = None
    reply: Reply | None = None

    @property
    def wants(self) -> str:
        """`text`, `next_word` or `likelihood`."""
        return self.call.request.want.name

    @property
    def goes_on(self) -> bool:
        """Whether there is something to compute after its prompt."""
        return self.wants == "text" or any(len(target) > 1 for target in self.call.targets)

    def ask_end(self, reading: Reading, place: Place) -> None:
        """Ask for what comes after the prompt, whose last token is computed at this place."""
        if self.wants == "text":
            self.place = reading.keep(*place)
        else:
            reading.ask(*place, tuple(target[0] for target in self.call.targets), self.told)


class SharedWay:
    """Computes trees on a loaded model."""

    def __init__(self, loaded: Loaded, memory: Memory) -> None:
        self._loaded, self._memory = loaded, memory

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """An outcome for each call, in the order of the trees and of the calls in each."""
        outcomes: dict[int, list[Outcome]] = {}
        for part in _alike(trees):
            works = self._computed([trees[i] for i in part])
            for row, own in groupby(works, key=lambda work: work.row):
                outcomes[part[row]] = [self._outcome(work) for work in own]
        return [outcome for i in range(len(trees)) for outcome in outcomes[i]]

    def _outcome(self, work: Work) -> Outcome:
        if work.wants == "text" and work.reply is None:
            return not_finite(self._loaded)
        told = work.told
        prompt: list[float] = []
        if work.wants == "likelihood":
            told = [sum(more, first) for first, more in zip(told, work.further, strict=True)]
            prompt = work.before + work.prompt
        return answer_of(self._loaded, work.call, Heard(told, prompt, work.reply))

    def _computed(self, trees: Sequence[Tree]) -> list[Work]:
        """Level 1, and what follows from it."""
        reading = Reading()
        works = [work for row, tree in enumerate(trees) for work in self._works(row, tree, reading)]
        straight = [work for work in works if not work.branch]
        with self._memory.measured(sum(tree.n_shared for tree in trees)):
            logits, rows = begin(
                self._loaded,
                [tree.beginning for tree in trees],
                self._inputs(trees),
                reading.places,
                kept=any(work.branch or work.goes_on for work in works),
            )
            _read(reading, logits, straight)
        if rows is not None:
            self._branches([work for work in works if work.branch], rows)
            waiting = [work for work in straight if work.goes_on]
            for group in self._groups(waiting, rows):
                self._finish(group, select(rows, [work.row for work in group]))
        return works

    def _works(self, row: int, tree: Tree, reading: Reading) -> list[Work]:
        """The calls of a tree, and what is to be read of its beginning."""
        before: list[float] = []
        works = []
        for call in tree.calls:
            branch = tree.branch(call)
            work = Work(call, row, branch, before, [[] for _ in call.targets])
            if work.wants == "likelihood" and branch:
                self._ask_prompt(reading, (row, tree.n_shared - 1), branch[:1], work.prompt)
            if not branch:
                work.ask_end(reading, (row, tree.n_shared - 1))
            works.append(work)
        if any(work.wants == "likelihood" for work in works):
            self._ask_prompt(reading, (row, 0), tree.beginning[1:], before)
        return works

    def _ask_prompt(self, reading: Reading, place: Place, ids: Ids, into: list[float]) -> None:
        """Ask for the prompt's own tokens that follow a place; those of pictures are not its."""
        row, column = place
        for at, token in enumerate(ids, column):
            if token not in self._loaded.pictures:
                reading.ask(row, at, (token,), into)

    def _inputs(self, trees: Sequence[Tree]) -> dict[str, Tensor]:
        firsts = [tree.calls[0] for tree in trees]
        rows = [
            {name: ids[: tree.n_shared] for name, ids in first.rows.items()}
            for tree, first in zip(trees, firsts, strict=True)
        ]
        return inputs_of(self._loaded, rows, [first.seen for first in firsts if first.seen])

    def _groups(self, works: Sequence[Work], rows: Rows) -> list[list[Work]]:
        return self._memory.groups(works, [_need(work, rows) for work in works])

    def _branches(self, works: Sequence[Work], rows: Rows) -> None:
        """Level 2: each call's own end of the prompt, after its tree's beginning."""
        works = sorted(works, key=lambda work: rows.lengths[work.row] + len(work.branch))
        for group in self._groups(works, rows):
            own, reading = select(rows, [work.row for work in group]), Reading()
            for row, work in enumerate(group):
                if work.wants == "likelihood":
                    self._ask_prompt(reading, (row, 0), work.branch[1:], work.prompt)
                work.ask_end(reading, (row, len(work.branch) - 1))
            branches = [work.branch for work in group]
            _read(reading, go_on(self._loaded, own, branches, reading.places), group)
            self._finish(group, own)

    def _finish(self, works: Sequence[Work], rows: Rows) -> None:
        """Level 3: texts whose likelihood is wanted, and replies. `rows`: one for each call."""
        targets = [
            (row, target[:-1], target[1:], into)
            for row, work in enumerate(works)
            if work.wants == "likelihood"
            for target, into in zip(work.call.targets, work.further, strict=True)
            if len(target) > 1
        ]
        needs = [Need(rows.lengths[row] + len(fed), len(fed), len(fed)) for row, fed, *_ in targets]
        for group in self._memory.groups(targets, needs):
            reading = Reading()
            for at, (_, _, wanted, into) in enumerate(group):
                for column, token in enumerate(wanted):
                    reading.ask(at, column, (token,), into)
            own = select(rows, [row for row, *_ in group])
            reading.answer(go_on(self._loaded, own, [fed for _, fed, *_ in group], reading.places))
        self._write([(row, work) for row, work in enumerate(works) if work.last is not None], rows)

    def _write(self, texts: Sequence[tuple[int, Work]], rows: Rows) -> None:
        if not texts:
            return
        logits = torch.stack([work.last for _, work in texts if work.last is not None])
        own = select(rows, [row for row, _ in texts])
        replies = write(self._loaded, own, logits, [work.call for _, work in texts])
        for (_, work), reply in zip(texts, replies, strict=True):
            work.reply = reply


def _read(reading: Reading, logits: Tensor, works: Sequence[Work]) -> None:
    reading.answer(logits)
    for work in works:
        if work.place >= 0:
            work.last = logits[work.place].float()


def _need(work: Work, rows: Rows) -> Need:
    n_new = min(work.call.n_new or EXPECTED_REPLY, EXPECTED_REPLY) if work.wants == "text" else 0
    n_read = len(work.branch) if work.wants == "likelihood" else 1
    return Need(rows.lengths[work.row] + len(work.branch) + n_new, max(1, len(work.branch)), n_read)


def _alike(trees: Sequence[Tree]) -> list[list[int]]:
    """The trees in parts that one step can begin: with the same inputs, and not too much to read.

    The trees are named by their places.
    """
    kinds: dict[frozenset[str], list[list[int]]] = {}
    n_places: dict[frozenset[str], int] = {}
    for i, tree in enumerate(trees):
        seen = tree.calls[0].seen
        kind = frozenset([*tree.calls[0].rows, *(seen.arrays if seen else ())])
        wants = {call.request.want.name for call in tree.calls}
        n_read = tree.n_shared if "likelihood" in wants else 1
        n_places[kind] = n_places.get(kind, 0) + n_read
        parts = kinds.setdefault(kind, [[]])
        if parts[-1] and n_places[kind] > MOST_PLACES:
            parts.append([])
            n_places[kind] = n_read
        parts[-1].append(i)
    return [part for parts in kinds.values() for part in parts]
