"""Devices at work: halved batches, lost devices, ends. Real threads, processes and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.local.small_devices import (
    Holding,
    Small,
    answer_to,
    dying,
    making,
    ready,
    sleeping,
    small,
    telling,
    unloadable,
)

from eyechart.asking.backend import Answer
from eyechart.errors import BadInput, EyechartError, Fatal, MissingExtra
from eyechart.local.pieces import DeviceLost, NoRoom, Outcome, Ready, Refusal, Tree
from eyechart.local.scheduling.devices import Crew, Post
from eyechart.local.scheduling.remote import RemoteDevice
from eyechart.local.scheduling.window import Window
from eyechart.local.stopping import check_wanted

LONG_S = 60.0
PATHS = [path for path in sys.path if path]
Told = Outcome | EyechartError


def send(window: Window, call: Ready) -> Future[Told]:
    future: Future[Told] = Future()
    place = window.expect(call.seen.key if call.seen else "")
    window.add(place, call, future.set_result)
    return future


def texts(n: int, n_tokens: int = 4) -> list[Ready]:
    return [ready((n_tokens, *range(i, i + n_tokens - 1))) for i in range(n)]


def outcomes(window: Window, calls: Sequence[Ready]) -> list[Told]:
    """What came of each call, all of them sent before the first is looked at."""
    futures = [send(window, call) for call in calls]
    return [future.result(LONG_S) for future in futures]


def answers(calls: Sequence[Ready]) -> list[Told]:
    return [Answer(text=answer_to(call.ids)) for call in calls]


def crew_of(*devices: Small | Callable[[], Small]) -> Crew:
    makes = [making(_itself, d) if isinstance(d, Small) else d for d in devices]
    return Crew([Post(f"device {i}", make) for i, make in enumerate(makes)])


def _itself(device: Small) -> Small:
    return device


def _first_that_loads(lives: list[Callable[[], Small]]) -> RemoteDevice:
    """In a process of its own, the next life of a device."""
    return RemoteDevice(lives.pop(0), "cuda:0")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


# --- room ---------------------------------------------------------------------------------------


def test_a_batch_without_room_is_halved_until_it_fits_and_nothing_is_lost() -> None:
    device = Small(most=10)
    crew = crew_of(device)
    calls = texts(50)
    assert outcomes(crew.window, calls) == answers(calls)
    assert crew.close()
    assert device.closed


def test_one_tree_without_room_is_halved_too() -> None:
    device = Small(most=8)
    crew = crew_of(device)
    calls = [ready((9, 9, 9, n), "photo", 3) for n in range(20)]
    assert outcomes(crew.window, calls) == answers(calls)
    crew.close()


def test_a_call_that_does_not_fit_even_alone_is_refused_and_the_others_are_answered() -> None:
    crew = crew_of(Small("cuda:3", most=10))
    calls = [*texts(5), ready((7,) * 11, "photo", 8), ready((8,) * 12), *texts(5)]
    told = outcomes(crew.window, calls)
    assert told[:5] + told[7:] == answers([*calls[:5], *calls[7:]])
    assert told[5] == Refusal(
        "cuda:3 has no memory for this request even alone: 11 tokens, 8 of them up to the last "
        "picture, and up to 0 new ones; let the model look at fewer pixels (--max-pixels), or use "
        "a device with more memory (?devices=)"
    )
    assert isinstance(told[6], Refusal)
    assert "12 tokens, and up to 0 new ones; shorten the text, or use a device" in told[6].message
    crew.close()


def test_a_device_that_had_no_room_gets_half_as_much_and_slowly_more_again() -> None:
    asked: list[int] = []

    class Noting(Small):
        def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
            asked.append(sum(tree.n_tokens for tree in trees))
            return super().compute(trees)

    crew = crew_of(Noting(most=100))
    for _ in range(20):
        assert outcomes(crew.window, texts(40)) == answers(texts(40))
    too_large = [n for n in asked if n > 100]
    assert 0 < len(too_large) < 5
    assert max(asked[-40:]) > 80
    crew.close()


def test_a_device_says_how_much_it_computes_at_once() -> None:
    device = Small(at_once=8)
    crew = crew_of(device)
    assert outcomes(crew.window, texts(10)) == answers(texts(10))
    assert device.n_batches >= 5
    crew.close()


def test_what_devices_say_of_how_they_compute_is_kept() -> None:
    crew = crew_of(making(small), making(RemoteDevice, making(telling), "cuda:0"))
    assert outcomes(crew.window, texts(1)) == answers(texts(1))
    until(lambda: bool(crew.setup))
    assert crew.setup == {"dtype": "bfloat16"}
    crew.close()


# --- losses -------------------------------------------------------------------------------------


def test_what_a_lost_device_held_is_computed_by_another() -> None:
    holding = Holding()
    crew = crew_of(holding, making(next, iter([dying(1)])))
    calls = texts(30)
    futures = [send(crew.window, call) for call in calls[:10]]
    assert holding.begun.wait(LONG_S)
    futures += [send(crew.window, call) for call in calls[10:]]
    until(lambda: bool(crew.lost))
    holding.go.set()
    assert [future.result(LONG_S) for future in futures] == answers(calls)
    (loss,) = crew.lost
    assert loss.startswith("dying: CUDA error: unspecified launch failure (while it computed item")
    assert "), and could not be started anew (" in loss
    crew.close()


class Poisoned(Small):
    """Is lost whenever it computes the call of one token."""

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        if any(tree.beginning == (0,) for tree in trees):
            raise DeviceLost(f"{self.name}: CUDA error: device-side assert triggered")
        return super().compute(trees)


def test_a_call_that_takes_down_devices_is_refused_and_all_others_are_answered() -> None:
    crew = crew_of(*[making(Poisoned, f"cuda:{i}") for i in range(2)])
    calls = texts(40)
    calls[20:20] = [ready((0,), item="poison")]
    told = outcomes(crew.window, calls)
    assert told[:20] + told[21:] == answers(calls[:20] + calls[21:])
    assert isinstance(told[20], Refusal)
    assert "two devices were lost while they computed it" in told[20].message
    assert outcomes(crew.window, texts(40)) == answers(texts(40))
    until(lambda: "restarted devices" in crew.setup)
    assert "(while it computed item" in crew.setup["restarted devices"]
    assert crew.close()


def test_one_of_several_devices_is_started_anew_once() -> None:
    lives = iter([dying(1), dying(2), dying(1)])
    crew = crew_of(making(next, lives), Holding())
    futures = []
    while not crew.lost:
        futures.append(send(crew.window, texts(1)[0]))
        time.sleep(0.005)
    assert len(list(lives)) == 1
    assert len(crew.lost) == 1
    crew.close(wait_s=0.01)
    assert all(future.done() for future in futures)


class Stoppable(Holding):
    """Ends early where nobody waits."""

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        self.begun.set()
        while not self.go.wait(0.01):
            check_wanted()
        return Small.compute(self, trees)


def test_a_batch_that_nobody_waits_for_is_stopped_and_the_next_is_computed() -> None:
    device, told = Stoppable(), list[Told]()
    crew = crew_of(device)
    places = [crew.window.expect() for _ in range(2)]
    for place, call in zip(places, texts(2), strict=True):
        crew.window.add(place, call, told.append)
    assert device.begun.wait(LONG_S)
    for place in places:
        crew.window.leave(place)
    until(lambda: crew.window.n_idle == 1)
    device.go.set()
    assert outcomes(crew.window, texts(3)) == answers(texts(3))
    assert (told, device.n_batches) == ([], 1)
    crew.close()


def test_parts_that_nobody_waits_for_are_not_computed() -> None:
    device = Small(most=5)
    window = Window()
    places = [window.expect() for _ in range(8)]

    def leave_all(_: Told) -> None:
        for place in places:
            window.leave(place)

    for place, call in zip(places, texts(8), strict=True):
        window.add(place, call, leave_all)
    crew = Crew([Post("device 0", making(_itself, device))], window)
    until(lambda: bool(places[0].left) and window.n_idle == 1)
    assert device.n_batches == 4  # 8 calls, 4, 2, and the first alone
    crew.close()


def test_the_program_waits_until_a_device_that_nobody_holds_is_let_go() -> None:
    code = """
import time
from eyechart.local.scheduling.devices import Crew, Post
from tests.local.small_devices import Small
class Slow(Small):
    def close(self):
        time.sleep(0.5)
        print("closed")
crew = Crew([Post("cpu", Slow)])
while not crew.window.n_idle:
    time.sleep(0.01)
del crew
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), *PATHS])}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, "closed\n", "")


def test_with_the_last_device_lost_every_call_is_told_why() -> None:
    devices = dying(1, name="cuda:0"), dying(2, name="cuda:1", at_once=8)
    crew = crew_of(*[making(next, iter([device])) for device in devices])
    told = outcomes(crew.window, texts(40))
    failed = [outcome for outcome in told if not isinstance(outcome, Answer)]
    assert len(failed) >= 30
    error = failed[0]
    assert isinstance(error, Fatal)
    assert set(map(id, failed)) == {id(error)}
    for part in (
        "no device is left to compute on",
        "cuda:0: CUDA error: unspecified launch failure",
        "cuda:1: CUDA error: unspecified launch failure",
        "What was answered is kept; mend the device or choose another",
    ):
        assert part in str(error)
    assert outcomes(crew.window, texts(1)) == [error]
    assert crew.close()


def test_an_error_that_nobody_foresaw_ends_the_run_and_names_its_line() -> None:
    crew = crew_of(making(dying, 1, "fault"))
    (error,) = {id(told): told for told in outcomes(crew.window, texts(3))}.values()
    assert isinstance(error, Fatal)
    assert "device 0: computing failed with KeyError: 'layers.7' (small_devices.py:" in str(error)
    assert "please report this" in str(error)
    crew.close()


def test_a_device_that_forgets_a_call_ends_the_run() -> None:
    class Forgetful(Small):
        def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
            return super().compute(trees)[:-1]

    crew = crew_of(Forgetful())
    (error,) = {id(told): told for told in outcomes(crew.window, texts(3))}.values()
    assert "ValueError: 2 outcomes for 3 calls" in str(error)
    crew.close()


LOADING = [
    ("room", Fatal, r"device 0: the model does not fit into its memory \(7 GB of 6 GB\)"),
    ("extra", MissingExtra, "torch is needed"),
    ("input", BadInput, "/models/x: no weights"),
    ("fault", Fatal, r"computing failed with RuntimeError: no such layer \(small_devices\.py:"),
]


@pytest.mark.parametrize(("kind", "error", "said"), LOADING)
@pytest.mark.parametrize("is_remote", [False, True])
def test_an_error_of_loading_is_told_to_every_call(
    kind: str, error: type[EyechartError], said: str, is_remote: bool
) -> None:
    make = making(unloadable, kind)
    crew = crew_of(making(RemoteDevice, make, "device 0") if is_remote else make)
    for told in outcomes(crew.window, texts(2)):
        assert isinstance(told, error)
        with pytest.raises(error, match=said):
            raise told
    assert crew.close()


# --- ends ---------------------------------------------------------------------------------------


def test_closing_waits_for_a_batch_that_is_computed() -> None:
    device = Holding()
    crew = crew_of(device)
    future = send(crew.window, texts(1)[0])
    assert device.begun.wait(LONG_S)
    threading.Timer(0.1, device.go.set).start()
    assert crew.close()
    assert future.result(0) == answers(texts(1))[0]
    assert device.closed


def test_but_only_so_long_then_its_calls_are_told_that_it_is_given_up() -> None:
    device = Holding()
    crew = crew_of(device)
    future = send(crew.window, texts(1)[0])
    assert device.begun.wait(LONG_S)
    assert crew.close(wait_s=0.01)
    assert "the model was closed before it answered" in str(future.result(0))
    assert device.closed


def test_a_crew_that_nobody_holds_goes_home() -> None:
    device = Small()
    crew = crew_of(device)
    assert outcomes(crew.window, texts(1)) == answers(texts(1))
    del crew
    until(lambda: device.closed)


# --- processes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def remote() -> RemoteDevice:
    return RemoteDevice(making(small, "cuda:1", most=50, at_once=77), "cuda:1")


def test_a_process_computes_as_the_device_in_it_does(remote: RemoteDevice) -> None:
    calls = [ready((9, 9, n), "photo", 2) for n in range(3)]
    assert remote.tokens_at_once() == 77
    tree = Tree(tuple(calls), 2)
    assert remote.compute([tree]) == answers(calls)
    with pytest.raises(NoRoom, match="too much"):
        remote.compute([tree] * 20)
    assert remote.compute([tree, tree]) == answers(calls * 2)


def test_a_process_ends_when_it_is_told_to(remote: RemoteDevice) -> None:
    pid = remote.pid
    assert pid is not None
    assert is_running(pid)
    remote.close()
    assert not is_running(pid)


def test_ctrl_c_is_left_to_the_parent() -> None:
    device = RemoteDevice(small, "cpu")
    assert device.pid is not None
    os.kill(device.pid, signal.SIGINT)
    call = texts(1)[0]
    assert device.compute([Tree((call,), 4)]) == answers([call])
    device.close()


def test_a_process_that_was_killed_is_a_lost_device() -> None:
    device = RemoteDevice(small, "cuda:0")
    assert device.pid is not None
    os.kill(device.pid, signal.SIGKILL)
    with pytest.raises(DeviceLost, match=r"cuda:0: its process was killed \(SIGKILL\); is the"):
        device.compute([Tree((texts(1)[0],), 4)])
    with pytest.raises(DeviceLost):
        device.tokens_at_once()
    device.close()
    with pytest.raises(DeviceLost, match=r"cuda:1: its process was killed \(SIGKILL\)"):
        RemoteDevice(making(unloadable, "killed"), "cuda:1")


def test_a_process_that_ends_by_itself_is_a_lost_device() -> None:
    with pytest.raises(DeviceLost, match=r"its process ended by itself \(exit code 3\); what it"):
        RemoteDevice(making(os._exit, 3), "cuda:0")  # type: ignore[arg-type]


def test_a_process_killed_in_the_middle_loses_nothing() -> None:
    crew = crew_of(
        making(
            _first_that_loads, [making(dying, 3, "signal", at_once=8), making(small, at_once=8)]
        ),
        making(RemoteDevice, making(small, at_once=8), "cuda:1"),
    )
    calls = texts(200)
    assert outcomes(crew.window, calls) == answers(calls)
    assert crew.close()


def test_a_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    code = f"""
import functools, os, pathlib, signal
from eyechart.local.scheduling.remote import RemoteDevice
from tests.local.small_devices import pid_teller
if __name__ == "__main__":
    RemoteDevice(functools.partial(pid_teller, pathlib.Path({str(tmp_path / "pid")!r})), "cpu")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    script = tmp_path / "parent.py"
    script.write_text(code)
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": root})
    assert ended.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not is_running(pid))


def test_a_process_that_is_given_up_is_killed() -> None:
    crew = crew_of(making(RemoteDevice, making(sleeping), "cuda:0"))
    future = send(crew.window, texts(1)[0])
    until(lambda: crew.window.n_idle == 0 and not future.done() and not crew.window.n_waiting)
    assert crew.close(wait_s=0.01)
    assert isinstance(future.result(0), Fatal)


def test_nothing_stays_behind() -> None:
    crew = crew_of(*[making(RemoteDevice, making(small), f"cuda:{i}") for i in range(2)])
    calls = texts(20)
    assert outcomes(crew.window, calls) == answers(calls)
    assert crew.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("device ")]
