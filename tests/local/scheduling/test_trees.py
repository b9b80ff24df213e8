"""Trees: every call once, pictures never parted, and no token lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from eyechart.local.pieces import Ids, Ready, Seen, Tree
from eyechart.local.scheduling.trees import FEWEST_SHARED, planted
from eyechart.records import Request

REQUEST = Request("1", "answer", ())
PHOTO, DRAWING = Seen("photo", {}, ("<image>",)), Seen("drawing", {}, ("<image>",))
LONG = tuple(range(100, 100 + FEWEST_SHARED))


def ready(ids: Ids, seen: Seen | None = None, n_pinned: int = 0) -> Ready:
    return Ready(REQUEST, ids, seen, n_pinned=n_pinned)


def shape(trees: list[Tree]) -> list[tuple[int, int]]:
    """How many calls, and how many tokens they share, of each tree."""
    return [(len(tree.calls), tree.n_shared) for tree in trees]


tails = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)
stems = st.sampled_from([(), LONG, LONG + LONG, LONG[:-1], (1, *LONG)])
texts = st.builds(lambda stem, tail: ready(stem + tail), stems, tails)
shown = st.builds(
    lambda seen, before, tail: ready((*before, 9, 9, *tail), seen, len(before) + 2),
    st.sampled_from([PHOTO, DRAWING]),
    st.sampled_from([(), (1,), (1, 2)]),
    st.lists(st.integers(0, 2), max_size=4).map(tuple),
)
calls_of_all_kinds = st.lists(st.one_of(texts, shown), max_size=30)


@given(calls_of_all_kinds)
def test_every_call_is_in_exactly_one_tree_and_trees_keep_the_order(calls: list[Ready]) -> None:
    trees = planted(calls)
    held = [id(call) for tree in trees for call in tree.calls]
    assert Counter(held) == Counter(map(id, calls))
    place = {id(call): i for i, call in enumerate(calls)}
    places = [[place[id(call)] for call in tree.calls] for tree in trees]
    assert all(row == sorted(row) for row in places)
    assert [row[0] for row in places] == sorted(row[0] for row in places)


@given(calls_of_all_kinds)
def test_the_shared_beginning_and_a_branch_are_the_call_and_no_branch_of_many_is_empty(
    calls: list[Ready],
) -> None:
    for tree in planted(calls):
        for call in tree.calls:
            assert tree.beginning + tree.branch(call) == call.ids
            assert bool(tree.branch(call)) == (len(tree.calls) > 1)


@given(calls_of_all_kinds)
def test_a_tree_shows_the_same_pictures_and_shares_them_whole(calls: list[Ready]) -> None:
    for tree in planted(calls):
        assert len({call.seen.key if call.seen else None for call in tree.calls}) == 1
        assert tree.n_shared >= max(call.n_pinned for call in tree.calls)


@given(calls_of_all_kinds)
def test_a_tree_shares_all_that_its_calls_have_in_common(calls: list[Ready]) -> None:
    for tree in planted(calls):
        following = {call.ids[tree.n_shared : tree.n_shared + 1] for call in tree.calls}
        has_end = any(len(tree.branch(call)) == 1 for call in tree.calls)
        assert len(tree.calls) == 1 or len(following) > 1 or has_end


@given(calls_of_all_kinds)
def test_trees_never_compute_more_tokens_than_calls_alone(calls: list[Ready]) -> None:
    assert sum(tree.n_tokens for tree in planted(calls)) <= sum(len(c.ids) for c in calls)


@given(st.lists(shown, max_size=20))
def test_the_same_pictures_after_the_same_words_are_computed_once(calls: list[Ready]) -> None:
    able = [call for call in calls if len(call.ids) > call.n_pinned]
    kinds = {(call.seen.key, call.ids[: call.n_pinned]) for call in able if call.seen}
    assert len(planted(able)) == len(kinds)


def test_questions_about_a_photo_share_it_and_the_words_that_follow() -> None:
    calls = [ready((1, 9, 9, 2, 3, n), PHOTO, 3) for n in range(4)]
    assert shape(planted(calls)) == [(4, 5)]


def test_a_photo_after_other_words_is_another_tree() -> None:
    calls = [ready((word, 9, 9, 5, 6), PHOTO, 3) for word in (1, 2)]
    assert shape(planted(calls)) == [(1, 5), (1, 5)]


def test_a_prompt_that_ends_with_its_photo_goes_alone() -> None:
    calls = [
        ready((1, 9, 9), PHOTO, 3),
        ready((1, 9, 9, 4), PHOTO, 3),
        ready((1, 9, 9, 5), PHOTO, 3),
    ]
    assert shape(planted(calls)) == [(1, 3), (2, 3)]


def test_the_same_prompt_drawn_often_is_computed_once_but_for_its_last_token() -> None:
    assert shape(planted([ready((*LONG, 5, 6))] * 3)) == [(3, len(LONG) + 1)]


def test_texts_share_only_a_beginning_that_pays() -> None:
    assert shape(planted([ready((*LONG[:-1], n)) for n in (1, 2)])) == [(1, 32), (1, 32)]
    assert shape(planted([ready((*LONG, n)) for n in (1, 2)])) == [(2, 32)]


def test_texts_are_parted_where_that_saves_more() -> None:
    """Two rubrics after the same opening: each shares its own, the opening is computed twice."""
    rubrics = [(*LONG, word, *LONG) for word in (1, 2)]
    calls = [ready((*rubric, n)) for rubric in rubrics for n in range(5)]
    assert shape(planted(calls)) == [(5, 65), (5, 65)]
    assert shape(planted(calls[4:6])) == [(2, 32)]


def test_no_calls_are_no_trees() -> None:
    assert planted([]) == []
