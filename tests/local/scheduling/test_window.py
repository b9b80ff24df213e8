"""The window: nothing lost, the oldest first, groups whole, batches of alike trees."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local.small_devices import ids_in, measured, ready

from eyechart.asking.backend import Answer
from eyechart.errors import EyechartError, Fatal
from eyechart.local.pieces import Ids, Outcome, Ready, Refusal
from eyechart.local.scheduling.window import Batch, Place, Window

LONG_S = 30.0
ALL = 10**9


def add(window: Window, call: Ready, into: list[object] | None = None) -> Place:
    place = window.expect(call.seen.key if call.seen else "")
    window.add(place, call, (into if into is not None else []).append)
    return place


def taken(window: Window, most_tokens: int = ALL) -> Batch:
    batch = window.next_batch(most_tokens)
    assert batch is not None
    return batch


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def photo(name: str, n: int, *, n_pinned: int = 2, text: bool = False) -> Ready:
    """Question number n about a photo."""
    return ready((*[ord(name)] * n_pinned, n), name, n_pinned, text=text)


def test_calls_that_wait_go_together_and_each_is_told_its_own_outcome() -> None:
    window, told = Window(), {n: list[object]() for n in range(3)}
    for n in told:
        add(window, ready((n, n)), told[n])
    batch = taken(window)
    batch.finish([Answer(text=str(ids)) for ids in ids_in(batch)])
    assert told == {n: [Answer(text=str((n, n)))] for n in range(3)}


def test_as_many_outcomes_as_calls_are_expected() -> None:
    window, told = Window(), list[object]()
    add(window, ready((1,)), told)
    with pytest.raises(ValueError, match="0 outcomes for 1 calls"):
        taken(window).finish([])
    assert told == []


def test_the_tree_of_the_oldest_call_goes_first_and_those_of_nearest_length_fill_up() -> None:
    window = Window()
    for n_tokens in (50, 10, 100, 49, 52, 51):
        add(window, ready(tuple(range(n_tokens))[::-1]))
    assert [len(ids) for ids in ids_in(taken(window, 3 * 51 + 6))] == [50, 49, 51]
    assert [len(ids) for ids in ids_in(taken(window, 199))] == [10]
    assert [len(ids) for ids in ids_in(taken(window, 199))] == [100]
    assert [len(ids) for ids in ids_in(taken(window, 199))] == [52]


def test_padding_is_counted_and_is_never_much_of_a_batch() -> None:
    window = Window()
    for n_tokens in (100, 80, 20):
        add(window, ready((n_tokens,) * n_tokens))
    batch = taken(window)
    assert [len(ids) for ids in ids_in(batch)] == [100, 80]
    assert batch.n_tokens == 200
    assert taken(window).n_tokens == 20


def test_branches_and_targets_are_counted() -> None:
    window = Window()
    for n in range(3):
        add(window, photo("a", n))
    add(window, photo("b", 0))
    assert taken(window).n_tokens == 2 + 3
    add(window, measured((1, 2), (3, 4), (5, 6, 7)))
    assert taken(window).n_tokens == 2 * 3 + 3


def test_a_tree_of_more_tokens_than_fit_still_goes_alone() -> None:
    window = Window()
    for n in range(40):
        add(window, photo("a", n))
    add(window, ready((1,)))
    assert len(taken(window, 5).places) == 40
    assert ids_in(taken(window, 5)) == [(1,)]


def test_the_group_that_came_last_is_left_for_last() -> None:
    """Its other questions may be handed over once these are answered."""
    window = Window()
    for call in (photo("a", 0), photo("b", 0), photo("a", 1)):
        add(window, call)
    assert ids_in(taken(window)) == [(98, 98, 0)]
    assert ids_in(taken(window)) == [(97, 97, 0), (97, 97, 1)]


def test_a_group_of_which_calls_are_on_their_way_waits_for_them() -> None:
    window = Window(patience_s=0)
    add(window, photo("a", 0))
    coming = window.expect("a")
    add(window, photo("b", 0))
    add(window, photo("c", 0))
    assert ids_in(taken(window)) == [(98, 98, 0)]
    window.add(coming, photo("a", 1), print)
    assert ids_in(taken(window)) == [(97, 97, 0), (97, 97, 1)]


def test_with_nothing_else_to_do_a_device_waits_a_little_for_what_is_on_its_way() -> None:
    window = Window(patience_s=LONG_S)
    add(window, photo("a", 0))
    coming = window.expect("a")
    batches: list[Batch] = []
    thread = threading.Thread(target=lambda: batches.append(taken(window)))
    thread.start()
    until(lambda: window.n_idle == 1)
    window.add(coming, photo("a", 1), print)
    thread.join(LONG_S)
    assert len(batches[0].places) == 2


def test_and_no_longer_than_its_patience() -> None:
    window = Window(patience_s=0)
    add(window, photo("a", 0))
    window.expect("a")
    assert len(taken(window).places) == 1


def test_a_full_window_is_not_waited_for() -> None:
    window = Window(patience_s=LONG_S)
    for n in range(4):
        add(window, ready((n, n)))
    window.expect("a")
    assert len(taken(window, 8).places) == 4


def test_a_call_that_will_not_come_is_not_waited_for() -> None:
    window = Window(patience_s=LONG_S)
    add(window, photo("a", 0))
    window.leave(window.expect("a"))
    assert len(taken(window).places) == 1


def test_texts_go_with_texts_and_words_with_likelihoods() -> None:
    window = Window()
    for call in (
        ready((1, 1), text=True),
        ready((2, 2)),
        ready((3, 3), text=True),
        measured((4, 4), (5,)),
    ):
        add(window, call)
    assert ids_in(taken(window)) == [(1, 1), (3, 3)]
    assert ids_in(taken(window)) == [(2, 2), (4, 4)]


def test_a_text_and_a_word_about_one_photo_still_share_it() -> None:
    window = Window()
    add(window, photo("a", 0))
    add(window, photo("a", 1, text=True))
    assert [len(tree.calls) for tree in taken(window).trees] == [2]


def test_devices_that_wait_together_share_what_there_is() -> None:
    window = Window(patience_s=LONG_S)
    coming = window.expect()
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda: sizes.append(len(taken(window).places))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    until(lambda: window.n_idle == 2)
    for n in range(10):
        add(window, ready((n, n)))
    window.leave(coming)
    for thread in threads:
        thread.join(LONG_S)
    assert sizes == [5, 5]


def test_a_call_that_nobody_waits_for_is_not_computed_and_not_told() -> None:
    window, told = Window(), list[object]()
    first, second, third = (add(window, ready((n,)), told) for n in range(3))
    window.leave(first)
    batch = taken(window)
    assert ids_in(batch) == [(1,), (2,)]
    window.leave(second)
    batch.finish([Answer(text="1"), Answer(text="2")])
    assert told == [Answer(text="2")]
    window.leave(third)


def test_a_batch_that_is_put_back_is_the_oldest_again_without_those_who_left() -> None:
    window = Window()
    places = [add(window, ready((n,))) for n in range(3)]
    batch = taken(window)
    add(window, ready((3,)))
    window.leave(places[0])
    window.put_back(batch)
    assert ids_in(taken(window, 2)) == [(1,), (2,)]
    assert ids_in(taken(window, 2)) == [(3,)]


def test_calls_over_which_a_device_was_lost_go_alone_after_all_others() -> None:
    window, told = Window(), list[object]()
    places = [add(window, photo("a", n), told) for n in range(3)]
    window.blame(taken(window), "cuda:0: lost")
    add(window, photo("b", 0))
    add(window, photo("a", 3))
    window.leave(places[1])
    assert ids_in(taken(window)) == [(98, 98, 0)]
    assert ids_in(taken(window)) == [(97, 97, 3)]
    assert ids_in(taken(window)) == [(97, 97, 0)]
    assert ids_in(taken(window)) == [(97, 97, 2)]
    assert (window.n_waiting, told) == (0, [])


def test_a_call_over_which_a_second_device_is_lost_is_refused() -> None:
    window, told = Window(), list[object]()
    add(window, ready((1,)), told)
    window.blame(taken(window), "cuda:0: lost")
    window.blame(taken(window), "cuda:1: lost too")
    assert window.n_waiting == 0
    assert told == [
        Refusal(
            "two devices were lost while they computed it, the second one with it alone (cuda:1: "
            "lost too); it is left out and the others go on. Look at its pictures and its text, "
            "or ask it by itself on another device (?devices=cpu)"
        )
    ]


def test_an_end_is_told_to_those_over_which_a_device_was_lost_too() -> None:
    window, told = Window(), list[object]()
    add(window, ready((1,)), told)
    window.blame(taken(window), "cuda:0: lost")
    window.close()
    assert told == [window.ended]


def test_a_batch_of_replies_may_have_a_bound_of_its_own() -> None:
    window = Window()
    for n in range(4):
        add(window, ready((n, n), text=True))
    for n in range(4, 8):
        add(window, ready((n, n)))
    batch = window.next_batch(8, 4)
    assert batch is not None
    assert batch.writes
    assert ids_in(batch) == [(0, 0), (1, 1)]
    assert ids_in(taken(window, 4)) == [(2, 2), (3, 3)]
    batch = window.next_batch(8, 4)
    assert batch is not None
    assert not batch.writes
    assert len(batch.places) == 4


def test_one_call_added_twice_is_two_calls() -> None:
    window, told = Window(), list[object]()
    call = ready((1, 2))
    add(window, call, told)
    add(window, call, told)
    batch = taken(window)
    batch.finish([Answer(text="x")] * len(batch.places))
    assert told == [Answer(text="x")] * 2


@pytest.mark.parametrize("how", ["fail", "close"])
def test_an_end_is_told_to_all_who_wait_and_to_all_who_come(how: str) -> None:
    window, told = Window(), list[object]()
    computing = add(window, ready((0,)), told)
    batch = taken(window)
    add(window, ready((1,)), told)
    coming = window.expect("a")
    error = Fatal("no device is left")
    if how == "fail":
        window.fail(error)
        window.fail(Fatal("too late"))
        assert window.ended is error
    else:
        window.close()
        assert "the model was closed before it answered; ask again" in str(window.ended)
    assert told == [window.ended]
    window.add(coming, photo("a", 1), told.append)
    add(window, ready((2,)), told)
    window.put_back(batch)
    assert told == [window.ended] * 4
    assert window.next_batch(ALL) is None
    window.leave(computing)
    window.leave(coming)


def test_a_device_that_waits_is_sent_home_by_the_end() -> None:
    window = Window()
    batches: list[Batch | None] = []
    thread = threading.Thread(target=lambda: batches.append(window.next_batch(ALL)))
    thread.start()
    until(lambda: window.n_idle == 1)
    window.close()
    thread.join(LONG_S)
    assert batches == [None]


def test_half_a_batch_is_half_its_trees_and_half_a_tree_half_its_calls() -> None:
    window = Window()
    for call in [photo(name, n) for name in "abc" for n in range(3)]:
        add(window, call)
    add(window, ready((1,)))
    batch = taken(window)
    halves = batch.halves()
    assert halves is not None
    assert [len(half.trees) for half in halves] == [2, 2]
    one_tree = halves[0].halves()
    assert one_tree is not None
    assert [len(half.trees) for half in one_tree] == [1, 1]
    calls = one_tree[0].halves()
    assert calls is not None
    assert [len(half.places) for half in calls] == [1, 2]
    assert calls[0].halves() is None
    assert [(tree.beginning, len(tree.calls)) for tree in calls[1].trees] == [((97, 97), 2)]


calls_of_all_kinds = st.lists(
    st.one_of(
        st.builds(
            ready,
            st.lists(st.integers(0, 1), min_size=1, max_size=40).map(tuple),
            text=st.booleans(),
        ),
        st.builds(photo, st.sampled_from("abc"), st.integers(0, 5), n_pinned=st.integers(1, 9)),
    ),
    max_size=25,
)


@given(calls_of_all_kinds, st.integers(1, 100))
def test_every_call_comes_out_once_in_batches_that_fit(calls: list[Ready], most: int) -> None:
    window = Window()
    for call in calls:
        add(window, call)
    held: Counter[Ids] = Counter()
    while sum(held.values()) < len(calls):
        batch = taken(window, most)
        assert batch.n_tokens <= most or len(batch.trees) == 1
        halves = batch.halves()
        parts = halves or (batch,)
        assert [place for part in parts for place in part.places] == list(batch.places)
        assert [place.ready for place in batch.places] == [c for t in batch.trees for c in t.calls]
        held.update(ids_in(batch))
    assert held == Counter(call.ids for call in calls)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**16))
def test_many_threads_and_devices_lose_nothing(n_calls: int, seed: int) -> None:
    """Devices put every third batch back once, some calls leave at once."""
    window, told = Window(patience_s=0.001), Counter[int]()
    lock = threading.Lock()

    def compute() -> None:
        n_taken = seed
        while (batch := window.next_batch(1 + seed % 50)) is not None:
            n_taken += 1
            if n_taken % 3 == 0:
                window.put_back(batch)
            else:
                batch.finish([Answer(text="")] * len(batch.places))

    def count(n: int) -> Callable[[Outcome | EyechartError], None]:
        def done(outcome: Outcome | EyechartError) -> None:
            assert outcome == Answer(text="")
            with lock:
                told[n] += 1

        return done

    def send(start: int) -> None:
        for n in range(start, n_calls, 2):
            place = window.expect("abc"[n % 3])
            if (n + seed) % 7 == 0:
                window.leave(place)
            else:
                window.add(place, photo("abc"[n % 3], n), count(n))

    threads = [threading.Thread(target=compute) for _ in range(3)]
    threads += [threading.Thread(target=send, args=(start,)) for start in range(2)]
    for thread in threads:
        thread.start()
    wanted = Counter(n for n in range(n_calls) if (n + seed) % 7)
    until(lambda: told == wanted)
    window.close()
    for thread in threads:
        thread.join(LONG_S)
    assert told == wanted
