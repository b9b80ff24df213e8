"""The window: ready calls that wait for a device, and the batches that devices take out of it.

In: calls, from any thread, each with a function that is told what came of it. Out: batches. Knows
nothing of models; it never computes and never drops a call that somebody still waits for.

Which batch is next: the tree of the oldest call, then trees of the nearest length while the tokens
fit. Requests come ordered by their pictures, so a group (the calls of the same pictures) that may
still grow is left for last: one of which calls are still being prepared, and the newest. Trees in
which a text is wanted go with each other, for they are decoded for long; next words and likelihoods
go together. A reply's words are not counted: they come one at a time, and a device keeps room for
them by itself. Devices that wait at the same time share what there is. Calls over which a device
was lost come last, each alone, so that all others are answered and one alone is to blame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from eyechart.errors import EyechartError, Fatal
from eyechart.local.pieces import Outcome, Ready, Refusal, Tree
from eyechart.local.scheduling.trees import planted

Done = Callable[[Outcome | EyechartError], None]

PATIENCE_S = 0.02
"""How long a device that could begin waits for calls that are being prepared."""
MOST_PADDING = 0.25
"""A tree joins a batch if at most this part of its tokens is then padding."""


@dataclass(eq=False, slots=True)
class Place:
    """A call's place in a window: on its way, then waiting, then computed. `group`: its pictures.

    `number` counts up: the oldest call has the lowest. `left`: nobody waits for it any more.
    `n_lost`: devices that were lost while they computed it.
    """

    group: str
    number: int
    ready: Ready | None = None
    done: Done | None = None
    left: bool = False
    n_lost: int = 0

    def tell(self, outcome: Outcome | EyechartError) -> None:
        """Say what came of the call, unless nobody waits for it."""
        if self.done is not None and not self.left:
            self.done(outcome)


@dataclass(frozen=True, slots=True)
class Batch:
    """Trees that a device computes at once. `places`: of their calls, in the same order."""

    trees: tuple[Tree, ...]
    places: tuple[Place, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens that it takes: padded beginnings, branches and targets."""
        return _Load(self.trees).n_tokens

    @property
    def writes(self) -> bool:
        """Whether replies are written, not only words measured."""
        return any(map(_wants_text, self.trees))

    def is_wanted(self) -> bool:
        """Whether somebody waits for one of its calls."""
        return not all(place.left for place in self.places)

    def halves(self) -> tuple[Batch, Batch] | None:
        """Two batches of half the trees; a tree alone makes two; a call alone None."""
        if len(self.trees) > 1:
            middle = len(self.trees) // 2
            cut = sum(len(tree.calls) for tree in self.trees[:middle])
            return (
                Batch(self.trees[:middle], self.places[:cut]),
                Batch(self.trees[middle:], self.places[cut:]),
            )
        middle = len(self.places) // 2
        if not middle:
            return None
        return _batch(self.places[:middle]), _batch(self.places[middle:])

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Tell every call what came of it. Raises ValueError unless there is one for each."""
        if len(outcomes) != len(self.places):
            raise ValueError(f"{len(outcomes)} outcomes for {len(self.places)} calls")
        for place, outcome in zip(self.places, outcomes, strict=True):
            place.tell(outcome)


@dataclass(slots=True)
class _Group:
    """The calls of the same pictures: how many are on their way, and those that wait."""

    n_on_way: int = 0
    waiting: dict[int, Place] = field(default_factory=dict)

    @property
    def n_tokens(self) -> int:
        """About as many as its trees will take: pictures once."""
        calls = [place.ready for place in self.waiting.values() if place.ready is not None]
        pinned = max((call.n_pinned for call in calls), default=0)
        return pinned + sum(len(call.ids) - call.n_pinned for call in calls)


class Window:
    """Ready calls that wait for a device. Safe to use from many threads.

    `patience_s`: seconds that a device which could begin waits for calls that are on their way.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._changed = threading.Condition()
        self._groups: dict[str, _Group] = {}
        self._suspects: dict[int, Place] = {}
        self._newest = ""
        self._n_expected = self._n_on_way = self._n_waiting = self._n_idle = 0
        self._patience_s = patience_s
        self._ended: EyechartError | None = None

    @property
    def ended(self) -> EyechartError | None:
        """Why nothing is computed any more, None while it is."""
        return self._ended

    @property
    def n_idle(self) -> int:
        """Devices that wait for a batch."""
        return self._n_idle

    @property
    def n_waiting(self) -> int:
        """Calls that wait for a device."""
        return self._n_waiting

    def expect(self, group: str = "") -> Place:
        """A place for a call that is being prepared; `add` or `leave` must follow.

        `group` names its pictures, "" for a call without any.
        """
        with self._changed:
            self._n_expected += 1
            self._n_on_way += 1
            self._newest = group
            self._groups.setdefault(group, _Group()).n_on_way += 1
            return Place(group, self._n_expected)

    def add(self, place: Place, ready: Ready, done: Done) -> None:
        """The call of this place is ready: let it wait. `done` is called once, from any thread.

        A place that was left is not taken again.
        """
        with self._changed:
            if place.left:
                return
            self._arrived(place)
            place.ready, place.done = ready, done
            if self._ended is None:
                self._wait(place)
                return
        place.tell(self._ended)

    def leave(self, place: Place) -> None:
        """Nobody waits for this call any more; one that is being computed is then ignored."""
        with self._changed:
            if place.left:
                return
            place.left = True
            if place.ready is None:
                self._arrived(place)
                self._changed.notify_all()
            else:
                waiting = self._groups.get(place.group, _Group()).waiting
                if waiting.pop(place.number, None) or self._suspects.pop(place.number, None):
                    self._n_waiting -= 1
            self._forget(place.group)

    def next_batch(self, most_tokens: int, most_of_replies: int | None = None) -> Batch | None:
        """Wait for calls and take a batch of them; None where nothing is computed any more.

        `most_tokens`: what it may hold (see `Batch.n_tokens`), `most_of_replies` where replies are
        written, if that is less. A tree that alone holds more still goes, alone.
        """
        with self._changed:
            self._n_idle += 1
            try:
                while True:
                    self._changed.wait_for(lambda: self._ended or self._n_waiting)
                    self._changed.wait_for(lambda: self._may_go(most_tokens), self._patience_s)
                    if self._ended is not None:
                        return None
                    if self._n_waiting:  # else another device took them
                        return self._take(most_tokens, most_of_replies or most_tokens)
            finally:
                self._n_idle -= 1

    def put_back(self, batch: Batch) -> None:
        """Let the calls of a batch that was not computed wait again, in their old order."""
        with self._changed:
            if self._ended is None:
                for place in batch.places:
                    if not place.left:
                        self._wait(place)
                return
        for place in batch.places:
            place.tell(self._ended)

    def blame(self, batch: Batch, why: str) -> None:
        """A device was lost over this batch: its calls wait again, each to be computed alone.

        One over which a second device is lost is refused. `why`: what was said of the loss.
        """
        for place in batch.places:
            place.n_lost += 1
            if place.n_lost > 1:
                place.tell(_too_dangerous(why))
        self.put_back(Batch((), tuple(place for place in batch.places if place.n_lost < 2)))

    def fail(self, error: EyechartError) -> None:
        """Nothing is computed any more: tell all calls that wait, and all that come."""
        with self._changed:
            self._ended = self._ended or error
            places = [p for group in self._groups.values() for p in group.waiting.values()]
            places += self._suspects.values()
            self._groups = {name: _Group(g.n_on_way) for name, g in self._groups.items()}
            self._suspects = {}
            self._n_waiting = 0
            self._changed.notify_all()
        for place in places:
            place.tell(self._ended)

    def close(self) -> None:
        """End it; a call that still waits is told so."""
        self.fail(Fatal("the model was closed before it answered; ask again"))

    # --- with the lock held ---------------------------------------------------------------------

    def _wait(self, place: Place) -> None:
        if place.n_lost:
            self._suspects[place.number] = place
        else:
            self._groups.setdefault(place.group, _Group()).waiting[place.number] = place
        self._n_waiting += 1
        self._changed.notify_all()

    def _arrived(self, place: Place) -> None:
        self._groups[place.group].n_on_way -= 1
        self._n_on_way -= 1

    def _forget(self, name: str) -> None:
        group = self._groups.get(name)
        if group is not None and not group.n_on_way and not group.waiting:
            del self._groups[name]

    def _settled(self) -> list[_Group]:
        """Groups with calls that wait and none to come. Those of texts have nothing to wait for."""
        return [
            group
            for name, group in self._groups.items()
            if group.waiting and (not name or (not group.n_on_way and name != self._newest))
        ]

    def _may_go(self, most_tokens: int) -> bool:
        """Whether waiting longer would not help."""
        if self._ended is not None or not self._n_waiting or not self._n_on_way:
            return True
        n_tokens = sum(group.n_tokens for group in self._settled())
        return n_tokens >= most_tokens * self._n_idle

    def _take(self, most_tokens: int, most_of_replies: int) -> Batch:
        groups = self._settled() or [group for group in self._groups.values() if group.waiting]
        if not groups:
            self._n_waiting -= 1
            return _batch([self._suspects.pop(min(self._suspects))])
        whole = _batch([place for group in groups for place in group.waiting.values()])
        if _wants_text(_first(whole)):
            most_tokens = min(most_tokens, most_of_replies)
        if self._n_idle > 1:
            most_tokens = min(most_tokens, -(-whole.n_tokens // self._n_idle))
        batch = _chosen(whole, most_tokens)
        for place in batch.places:
            del self._groups[place.group].waiting[place.number]
            self._forget(place.group)
        self._n_waiting -= len(batch.places)
        return batch


class _Load:
    """What trees computed at once take. Beginnings are padded to the longest of them."""

    def __init__(self, trees: Iterable[Tree]) -> None:
        self._n_rows = self._longest = self._n_shared = self._n_more = 0
        for tree in trees:
            self.add(tree)

    @property
    def n_tokens(self) -> int:
        return self._n_rows * self._longest + self._n_more

    def takes(self, tree: Tree, most_tokens: int) -> bool:
        """Whether a tree may join: the tokens fit, and not too many of them are padding."""
        beginnings = (self._n_rows + 1) * max(self._longest, tree.n_shared)
        padding = beginnings - self._n_shared - tree.n_shared
        n_tokens = beginnings + self._n_more + _n_more(tree)
        return n_tokens <= most_tokens and padding <= MOST_PADDING * n_tokens

    def add(self, tree: Tree) -> None:
        self._n_rows += 1
        self._longest = max(self._longest, tree.n_shared)
        self._n_shared += tree.n_shared
        self._n_more += _n_more(tree)


def _chosen(whole: Batch, most_tokens: int) -> Batch:
    """Of all trees the one of the oldest call, and what goes well with it."""
    places = {id(tree): place for tree, place in _with_places(whole)}
    first = _first(whole)
    kin = [t for t in whole.trees if t is not first and _wants_text(t) == _wants_text(first)]
    load, chosen = _Load([first]), [first]
    for tree in sorted(kin, key=lambda tree: abs(tree.n_shared - first.n_shared)):
        if load.takes(tree, most_tokens):
            load.add(tree)
            chosen.append(tree)
    return Batch(tuple(chosen), tuple(place for tree in chosen for place in places[id(tree)]))


def _first(whole: Batch) -> Tree:
    """The tree of the oldest call."""
    return min(_with_places(whole), key=lambda pair: min(p.number for p in pair[1]))[0]


def _with_places(batch: Batch) -> Iterable[tuple[Tree, Sequence[Place]]]:
    start = 0
    for tree in batch.trees:
        yield tree, batch.places[start : start + len(tree.calls)]
        start += len(tree.calls)


def _batch(places: Iterable[Place]) -> Batch:
    """All these calls as trees, the oldest first."""
    ordered = sorted(places, key=lambda place: place.number)
    by_call: dict[int, list[Place]] = {}
    for place in ordered:
        by_call.setdefault(id(place.ready), []).append(place)
    trees = planted([place.ready for place in ordered if place.ready is not None])
    calls = [call for tree in trees for call in tree.calls]
    return Batch(tuple(trees), tuple(by_call[id(call)].pop(0) for call in calls))


def _too_dangerous(why: str) -> Refusal:
    return Refusal(
        f"two devices were lost while they computed it, the second one with it alone ({why}); it "
        "is left out and the others go on. Look at its pictures and its text, or ask it by itself "
        "on another device (?devices=cpu)"
    )


def _wants_text(tree: Tree) -> bool:
    return any(call.request.want.name == "text" for call in tree.calls)


def _n_more(tree: Tree) -> int:
    """Tokens beyond the shared ones: branches and targets. Of replies the device takes care."""
    return tree.n_tokens - tree.n_shared
