"""Batches in the shared way: what calls have in common is computed once, and all calls together.

In: trees of ready calls. Out: an outcome for each call. Three levels: the beginnings, pictures
included; each call's own end of the prompt; the texts of a likelihood, or the tokens of a reply one
after the other. A batch is computed in parts of a step each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby

import torch
from torch import Tensor

from eyechart.local.computing.answering import Heard, Reply, answer_of, not_finite
from eyechart.local.computing.feeding import Feeder, Inputs
from eyechart.local.computing.forward import Place, Rows, begin, go_on, select
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
        self._loaded, self._memory, self._feeder = loaded, memory, Feeder(loaded)

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """An outcome for each call, in the order of the trees and of the calls in each."""
        places = self._parts(trees)
        parts = [[trees[i] for i in part] for part in places]
        outcomes: dict[int, list[Outcome]] = {}
        with closing(self._feeder.each(parts)) as fed:
            for part, own_places, inputs in zip(parts, places, fed, strict=True):
                works = self._computed(part, inputs)
                for row, own in groupby(works, key=lambda work: work.row):
                    outcomes[own_places[row]] = [self._outcome(work) for work in own]
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

    def _parts(self, trees: Sequence[Tree]) -> list[list[int]]:
        """The trees in parts that one step can begin, each tree by its place.

        Those of a part have the same inputs and about the same length, longest first, fit a step
        with their pads, and have not too much to read.
        """
        most, parts = self._memory.step_tokens(), list[list[int]]()
        kinds = [_kind(tree) for tree in trees]
        n_read = [self._n_read(tree) for tree in trees]
        for kind in dict.fromkeys(kinds):
            alike = [i for i in range(len(trees)) if kinds[i] == kind]
            part: list[int] = []
            for i in sorted(alike, key=lambda i: -trees[i].n_shared):
                fits = (len(part) + 1) * trees[(part or [i])[0]].n_shared <= most
                if part and not (fits and n_read[i] + sum(n_read[j] for j in part) <= MOST_PLACES):
                    parts.append(part)
                    part = []
                part.append(i)
            parts.append(part)
        return parts

    def _n_read(self, tree: Tree) -> int:
        """Places of a beginning whose logits are wanted."""
        if all(call.request.want.name != "likelihood" for call in tree.calls):
            return 1
        return 1 + sum(token not in self._loaded.pictures for token in tree.beginning[1:])

    def _computed(self, trees: Sequence[Tree], inputs: Inputs) -> list[Work]:
        """Level 1, and what follows from it. Empties `inputs` when they have been used."""
        reading = Reading()
        works = [work for row, tree in enumerate(trees) for work in self._works(row, tree, reading)]
        kept = any(work.branch or work.goes_on for work in works)
        beginnings = [tree.beginning for tree in trees]
        n_tokens = len(trees) * max(map(len, beginnings))
        n_bytes = sum(tensor.nbytes for tensor in inputs.values())
        with self._memory.measured(n_tokens, kept=kept, n_bytes=n_bytes):
            logits, rows = begin(self._loaded, beginnings, inputs, reading.places, kept=kept)
            _read(reading, logits, [work for work in works if not work.branch])
        inputs.clear()
        del logits
        if rows is not None:
            self._go_on(works, rows)
        return works

    def _go_on(self, works: Sequence[Work], rows: Rows) -> None:
        """What comes after the beginnings, in groups that fit; `rows` are let go with the last."""
        by_length = sorted(works, key=lambda work: rows.lengths[work.row] + len(work.branch))
        groups = self._groups([work for work in by_length if work.branch], rows)
        groups += self._groups([w for w in works if not w.branch and w.goes_on], rows)
        for group in groups:
            own = select(rows, [work.row for work in group], last=group is groups[-1])
            if group[0].branch:
                self._branches(group, own)
            self._finish(group, own)

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

    def _groups(self, works: Sequence[Work], rows: Rows) -> list[list[Work]]:
        return self._memory.groups(works, [_need(work, rows) for work in works])

    def _branches(self, works: Sequence[Work], rows: Rows) -> None:
        """Level 2: each call's own end of the prompt. `rows`: one for each call."""
        reading = Reading()
        for row, work in enumerate(works):
            if work.wants == "likelihood":
                self._ask_prompt(reading, (row, 0), work.branch[1:], work.prompt)
            work.ask_end(reading, (row, len(work.branch) - 1))
        branches = [work.branch for work in works]
        _read(reading, go_on(self._loaded, rows, branches, reading.places), works)

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
        calls = [work.call for _, work in texts]
        # No name for the rows: whoever writes lets go of them as they grow.
        replies = write(
            self._loaded, select(rows, [row for row, _ in texts], last=True), logits, calls
        )
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


def _kind(tree: Tree) -> frozenset[str]:
    """The names of a tree's inputs."""
    first = tree.calls[0]
    return frozenset([*first.rows, *(first.seen.arrays if first.seen else ())])
