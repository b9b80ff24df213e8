"""From ready calls to trees: which calls are computed together, and how far they are the same.

In: ready calls. Out: trees that hold each of them once. Calls that show the same pictures after the
same text share at least those; calls of texts alone share what pays. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eyechart.local.pieces import Ids, Ready, Tree

FEWEST_SHARED = 32
"""Texts share beginnings of at least so many tokens: the turn's opening words are not worth it."""


def planted(calls: Sequence[Ready]) -> list[Tree]:
    """Trees that hold every call once, ordered by their first calls; calls keep their order.

    Calls of the same pictures after the same tokens make one tree, which shares their longest
    common beginning. Calls without pictures are parted so that the most tokens are saved. A call
    that shares with no other, or would keep no token of its own, is a tree of one.

    >>> from eyechart.local.pieces import Seen
    >>> from eyechart.records import Request
    >>> seen = Seen("photo", {}, ("<image>",))
    >>> calls = [Ready(Request("1", "answer", ()), (7, 7, 8, n), seen, n_pinned=2) for n in (1, 2)]
    >>> [(tree.beginning, [tree.branch(call) for call in tree.calls]) for tree in planted(calls)]
    [((7, 7, 8), [(1,), (2,)])]
    """
    groups: dict[tuple[str, Ids] | None, list[int]] = {}
    for place, call in enumerate(calls):
        key = None if call.seen is None else (call.seen.key, call.ids[: call.n_pinned])
        groups.setdefault(key, []).append(place)
    parts: list[list[int]] = []
    for key, places in groups.items():
        part = _parted_texts if key is None else _parted_pictures
        parts += part(calls, places)
    return [_tree([calls[place] for place in sorted(part)]) for part in sorted(parts, key=min)]


def _parted_pictures(calls: Sequence[Ready], places: list[int]) -> list[list[int]]:
    """All in one part, but for those whose prompt ends with the last picture."""
    together = [place for place in places if len(calls[place].ids) > calls[place].n_pinned > 0]
    alone = set(places) - set(together)
    return [*([together] if together else []), *([place] for place in alone)]


@dataclass(slots=True)
class _Part:
    """Neighbours in the sorted list, `first` to `last`, and how they are best parted."""

    first: int
    last: int
    parts: list[list[int]]
    n_saved: int = 0


def _parted_texts(calls: Sequence[Ready], places: list[int]) -> list[list[int]]:
    """The parts that save the most tokens, of those that a common beginning marks off.

    Sorted by tokens, calls of a common beginning are neighbours. Neighbours are joined from the
    longest common beginning to the shortest; what is joined shares this one, or stays as it was.
    """
    order = sorted(places, key=lambda place: calls[place].ids)
    shared = [_n_shared(calls[a].ids, calls[b].ids) for a, b in pairwise(order)]
    part_of = {i: _Part(i, i, [[place]]) for i, place in enumerate(order)}
    for i in sorted(range(len(shared)), key=lambda i: -shared[i]):
        if shared[i] < FEWEST_SHARED:
            break
        left, right = part_of[i], part_of[i + 1]
        joined = _Part(left.first, right.last, left.parts + right.parts)
        joined.n_saved = left.n_saved + right.n_saved
        n_saved = (joined.last - joined.first) * shared[i]
        if n_saved >= joined.n_saved:
            joined.parts, joined.n_saved = [order[joined.first : joined.last + 1]], n_saved
        part_of[joined.first] = part_of[joined.last] = joined
    return _outermost(part_of, len(order))


def _outermost(part_of: dict[int, _Part], n: int) -> list[list[int]]:
    parts, i = [], 0
    while i < n:
        parts += part_of[i].parts
        i = part_of[i].last + 1
    return parts


def _tree(calls: list[Ready]) -> Tree:
    if len(calls) == 1:
        return Tree((calls[0],), len(calls[0].ids))
    ids = [call.ids for call in calls]
    least, most = min(ids), max(ids)  # of sorted lists the ends differ first
    return Tree(tuple(calls), min(_n_shared(least, most), min(map(len, ids)) - 1))


def _n_shared(a: Ids, b: Ids) -> int:
    """The longest common beginning that leaves each at least one token of its own."""
    low, high = 0, min(len(a), len(b)) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return max(0, low)
