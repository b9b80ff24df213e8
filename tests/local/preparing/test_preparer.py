"""Calls made ready: worker processes, one making for each picture, bounded memory, sudden ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.local.tiny_processors import asked, load_stubborn, shown

from eyechart.asking.backend import Call
from eyechart.errors import CallError, Fatal, Refused
from eyechart.images import Encoded
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.children import running
from eyechart.local.pieces import Checkpoint, LocalOptions, Ready
from eyechart.local.preparing import hands
from eyechart.local.preparing import preparer as preparing
from eyechart.local.preparing.preparer import Preparer, n_workers
from eyechart.records import next_word

MIB = 2**20


def dying_at_its_picture(parent: int, folder: Path) -> Any:
    """A processor that kills its process at a picture 40 pixels wide, as the kernel may."""
    processor = load_processor(folder)
    if os.getpid() == parent:
        return processor
    kind = type(processor.image_processor)

    def process_image(self: Any, image: Any, **settings: Any) -> Any:
        if image.width == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return kind.process_image(self, image, **settings)

    processor.image_processor.__class__ = type("Dying", (kind,), {"process_image": process_image})
    return processor


def failing_in_workers(parent: int, folder: Path) -> Any:
    if os.getpid() != parent:
        raise OSError("no such disk")
    return load_processor(folder)


@contextmanager
def preparer(folder: Path, workers: int = 0, **settings: Any) -> Iterator[Preparer]:
    made = Preparer(Checkpoint(folder, "hf:tiny", "r1"), workers, **settings)
    try:
        yield made
    finally:
        made.close()
        assert not running()


async def ready(made: Preparer, call: Call) -> Ready:
    async with made.ready(call) as one:
        return one


async def outcome(made: Preparer, call: Call) -> Ready | CallError:
    try:
        return await ready(made, call)
    except CallError as error:
        return error


def outcomes(made: Preparer, *calls: Call) -> list[Ready | CallError]:
    async def story() -> list[Ready | CallError]:
        return await asyncio.gather(*(outcome(made, call) for call in calls))

    return asyncio.run(story())


def same(one: Ready, other: Ready) -> bool:
    assert one.seen is not None and other.seen is not None
    alike = one.seen.arrays.keys() == other.seen.arrays.keys() and all(
        np.array_equal(one.seen.arrays[name], other.seen.arrays[name]) for name in one.seen.arrays
    )
    return alike and replace(one, seen=None) == replace(other, seen=None)


def questions(image: Encoded, n: int) -> list[Call]:
    return [asked(image, f"Is it {i}?", begun="It is", want=next_word("A", "B")) for i in range(n)]


def test_worker_processes_make_what_one_thread_makes(qwen_folder: Path) -> None:
    calls = [*questions(shown(1), 2), asked(shown(2), shown(3, 50, 90), "Which?"), asked("Hm?")]
    with preparer(qwen_folder) as alone, preparer(qwen_folder, workers=2) as many:
        for one, other in zip(outcomes(alone, *calls), outcomes(many, *calls), strict=True):
            assert isinstance(one, Ready) and isinstance(other, Ready)
            assert one.seen is other.seen is None or same(one, other)


def counted(n_made: list[Any]) -> Callable[[Path], Any]:
    """A load of processors that count the pictures they make."""

    def load(folder: Path) -> Any:
        processor = load_processor(folder)
        kind = type(processor.image_processor)

        def process_image(self: Any, image: Any, **settings: Any) -> Any:
            n_made.append(image)
            return kind.process_image(self, image, **settings)

        counting = type("Counting", (kind,), {"process_image": process_image})
        processor.image_processor.__class__ = counting
        return processor

    return load


def test_a_picture_is_made_once_for_all_its_questions(qwen_folder: Path) -> None:
    n_made: list[Any] = []
    with preparer(qwen_folder, load=counted(n_made)) as made:
        n_made.clear()
        first, *others = outcomes(made, *questions(shown(1), 5))
        outcomes(made, *questions(shown(1), 2))  # a while later
    assert len(n_made) == 1
    assert isinstance(first, Ready) and all(isinstance(other, Ready) for other in others)
    assert all(isinstance(o, Ready) and o.seen is first.seen for o in others)


def test_another_limit_makes_another_picture(qwen_folder: Path) -> None:
    call = asked(shown(1), "Is it?")
    with preparer(qwen_folder) as made:
        calls = [replace(call, max_pixels=limit) for limit in (None, 2000, 1000)]
        found = [one.seen for one in outcomes(made, *calls) if isinstance(one, Ready)]
    lengths = [len(seen.arrays["pixel_values"]) for seen in found if seen is not None]
    assert len(lengths) == 3 and lengths == sorted(set(lengths), reverse=True)


def test_pictures_that_were_made_smaller_are_counted_once_each(qwen_folder: Path) -> None:
    large = [shown(seed, 640, 480, "JPEG") for seed in (1, 2)]
    calls = [*questions(large[0], 3), asked(large[1], shown(3), "Which?"), asked("Hm?")]
    with preparer(qwen_folder) as made:
        assert "pictures" not in made.setup
        outcomes(made, *calls)
        assert made.setup["pictures"] == "2 decoded at 1/2 of their size"


def test_a_stubborn_processor_is_asked_for_every_prompt(idefics_folder: Path) -> None:
    with preparer(idefics_folder, load=load_stubborn) as made:
        one, other = outcomes(made, *questions(shown(1), 2))
        assert "pictures anew for every prompt" in made.setup["image processor"]
    assert isinstance(one, Ready) and isinstance(other, Ready)
    assert one.ids != other.ids and one.seen is not None and other.seen is not None
    assert one.seen.key == other.seen.key  # so that a device still shares them


def test_pictures_ahead_are_bounded_by_their_bytes(qwen_folder: Path) -> None:
    """Sixty-four pictures of 36 KiB each are wanted, and only as many made as there is room for."""
    calls = [asked(shown(seed), "Is it?") for seed in range(64)]

    async def story(made: Preparer) -> int:
        async with AsyncExitStack() as held:
            entering = [
                asyncio.create_task(held.enter_async_context(made.ready(call))) for call in calls
            ]
            await asyncio.wait(entering, timeout=3, return_when=asyncio.FIRST_EXCEPTION)
            n_ready = sum(task.done() for task in entering)
            for task in entering:
                task.cancel()
            await asyncio.gather(*entering, return_exceptions=True)
            return n_ready

    with preparer(qwen_folder, most_bytes=MIB // 4) as made:
        assert 0 < asyncio.run(story(made)) <= 8


def test_all_are_made_in_little_room_where_each_is_left_in_turn(qwen_folder: Path) -> None:
    calls = [asked(shown(seed), "Is it?") for seed in range(12)]
    with preparer(qwen_folder, most_bytes=1) as made:
        assert all(isinstance(one, Ready) for one in outcomes(made, *calls))


def test_a_damaged_picture_is_refused_and_the_others_are_made(qwen_folder: Path) -> None:
    good = shown(1)
    bad = Encoded(good.data[:300], "ab" * 32, "image/png", "PNG", 96, 64)
    calls = [asked(bad, "Is it?", item="q7"), asked(good, "Is it?"), asked(bad, "So?", item="q8")]
    with preparer(qwen_folder) as made:
        one, two, three = outcomes(made, *calls)
    assert isinstance(two, Ready) and isinstance(one, Refused) and isinstance(three, Refused)
    assert str(one).startswith("hf:tiny: item 'q7': picture abababababab (PNG): truncated PNG")
    assert str(three).startswith("hf:tiny: item 'q8': ")


def within(story: Awaitable[Any], seconds: float = 120) -> Any:
    """What a story comes to; TimeoutError where it waits for ever."""

    async def bounded() -> Any:
        return await asyncio.wait_for(story, seconds)

    return asyncio.run(bounded())


def test_a_killed_worker_is_replaced_and_its_picture_made_again(qwen_folder: Path) -> None:
    async def story(made: Preparer) -> list[Ready]:
        first = await ready(made, asked(shown(1), "Is it?"))
        (worker,) = running()
        os.kill(worker.pid, signal.SIGSTOP)  # it has the next one in its hand, and dies of it
        going = asyncio.create_task(ready(made, asked(shown(2), "Is it?")))
        await asyncio.sleep(0.1)
        os.kill(worker.pid, signal.SIGKILL)
        second = await going
        (other,) = running()
        assert other.pid != worker.pid
        return [first, second]

    with preparer(qwen_folder, workers=1) as made:
        assert len(within(story(made))) == 2


def test_a_picture_that_kills_two_workers_is_refused_and_hurts_no_other(qwen_folder: Path) -> None:
    calls = [asked(shown(seed), "Is it?") for seed in range(4)]
    calls.insert(1, asked(shown(9, 40, 60), "Is it?", item="q7"))
    with preparer(qwen_folder, workers=2, load=partial(dying_at_its_picture, os.getpid())) as made:
        found = outcomes(made, *calls)
    assert [isinstance(one, Ready) for one in found] == [True, False, True, True, True]
    assert str(found[1]).startswith(
        "hf:tiny: item 'q7': the worker process that makes pictures ended 2 times (exit code -9)"
    )
    assert f"{shown(9, 40, 60).sha256[:12]} (PNG)" in str(found[1])
    assert "--max-pixels" in str(found[1]) and "?workers=1" in str(found[1])


def test_workers_that_cannot_load_the_processor_end_the_run(qwen_folder: Path) -> None:
    with preparer(qwen_folder, workers=1, load=partial(failing_in_workers, os.getpid())) as made:
        (found,) = outcomes(made, asked(shown(1), "Is it?"))
    assert isinstance(found, Fatal)
    assert "cannot load the model's processor (OSError: no such disk)" in str(found)
    assert "?workers=0" in str(found)


def test_a_worker_that_says_nothing_is_taken_for_dead(
    qwen_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "MOST_S", 0.05)
    monkeypatch.setattr(hands, "STOP_S", 0.05)
    with preparer(qwen_folder, workers=1) as made:
        (found,) = outcomes(made, asked(shown(1), "Is it?"))
    assert isinstance(found, Refused) and "ended 2 times (silent for 0.05 s)" in str(found)


def test_closing_ends_workers_that_are_at_work(qwen_folder: Path) -> None:
    async def story(made: Preparer) -> None:
        await ready(made, asked(shown(1), "Is it?"))
        (worker,) = running()
        os.kill(worker.pid, signal.SIGSTOP)
        going = asyncio.create_task(ready(made, asked(shown(2), "Is it?")))
        await asyncio.sleep(0.1)
        made.close()
        with pytest.raises(asyncio.CancelledError):
            await going

    with preparer(qwen_folder, workers=1) as made:
        within(story(made))


def test_a_prompt_that_is_too_long_for_the_config_is_refused(qwen_folder: Path) -> None:
    with preparer(qwen_folder) as made:
        (found,) = outcomes(made, asked("Is it? " * 1000))
    assert isinstance(found, Refused) and "at most 2048" in str(found)


def test_beside_a_gpu_workers_leave_a_core_to_it() -> None:
    assert n_workers(["cpu"]) == 0
    assert 1 <= n_workers(["cuda:0"]) <= 8


def test_more_devices_are_fed_by_more_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_n_cores", lambda: 100)
    assert [n_workers(["cuda:0"] * n) for n in (1, 2, 8)] == [8, 16, 64]
    monkeypatch.setattr(preparing, "_n_cores", lambda: 12)
    assert [n_workers(["cuda:0"] * n) for n in (1, 2, 8)] == [8, 10, 4]


def test_more_devices_have_more_pictures_ahead(
    qwen_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "AHEAD_BYTES", MIB)
    options = LocalOptions(devices=("cpu", "cpu", "cpu"))
    made = Preparer(Checkpoint(qwen_folder, "hf:tiny", "r1", options), 0)
    assert made.most_bytes == 3 * MIB
    made.close()


def test_the_image_processor_is_told(qwen_folder: Path) -> None:
    with preparer(qwen_folder) as made:
        told = made.setup["image processor"]
    assert told.startswith("Qwen2VLImageProcessor") and told.endswith(", pictures once")
