"""The backend from end to end: tiny checkpoints, the real engine, real processes that die."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.asking import AskSettings, CallLog, ask
from eyechart.backends.transformers import BACKEND, Transformers, open_address
from eyechart.errors import BadInput, Fatal, MissingExtra
from eyechart.local.checkpoint.address import LocalAddress
from eyechart.local.checkpoint.finding import find_checkpoint
from eyechart.local.children import running
from eyechart.local.computing.local_device import LocalDevice
from eyechart.local.pieces import LocalOptions, NoRoom, Outcome, Tree
from eyechart.local.scheduling import crews
from eyechart.records import TEXT, Picture, Request, Response, Sampling, Turn, likelihood, next_word

LONG_S = 60.0
WANTS = (next_word("good", "poor"), likelihood("good image .", "poor"), TEXT)
SAVES = {"idefics3": save_idefics3, "qwen3_vl": save_qwen3_vl}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: save(root / name) for name, save in SAVES.items()}


@pytest.fixture
def folder(folders: dict[str, Path]) -> Path:
    return folders["qwen3_vl"]


@pytest.fixture(autouse=True)
def nothing_stays_loaded() -> Iterator[None]:
    yield
    until(lambda: not computing() and not running())


def opened(folder: Path, *devices: str) -> Transformers:
    """On these devices; several on the one CPU of a test, which an address does not allow."""
    options = LocalOptions(devices=devices or ("cpu",), workers=0)
    return Transformers(find_checkpoint(LocalAddress(str(folder), is_folder=True, options=options)))


def photo(n: int) -> Picture:
    file = BytesIO()
    Image.new("RGB", (64 + 16 * (n % 3), 48), (40 * n % 256, 90, 120)).save(file, "PNG")
    return Picture(data=file.getvalue(), name=f"{n}.png")


def questions(n_photos: int, n_each: int = 3, *, max_tokens: int = 4) -> list[Request]:
    """Some about each photo, of all wants in turn."""
    return [
        Request(
            f"{p}/{q}",
            "answer",
            (Turn("user", (photo(p), f"The quality {q} of the image is")),),
            sampling=Sampling(max_tokens=max_tokens),
            want=WANTS[q % len(WANTS)],
        )
        for p in range(n_photos)
        for q in range(n_each)
    ]


def asked(backend: Transformers, requests: list[Request]) -> dict[str, Response]:
    responses = list(ask(requests, backend))
    assert len(responses) == len(requests)
    return {response.item_id: response for response in responses}


def computing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cpu"]


def until(condition: object) -> None:
    end = time.monotonic() + LONG_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("name", SAVES)
def test_all_three_wants_are_met(folders: dict[str, Path], name: str) -> None:
    backend = opened(folders[name])
    told = asked(backend, questions(3))
    assert not [response.failure for response in told.values() if response.failure]
    for p in range(3):
        word, whole, text = (told[f"{p}/{q}"] for q in range(3))
        assert len(word.logprobs) == len(whole.logprobs) == 2
        assert all(value is not None and value < 0 for value in word.logprobs + whole.logprobs)
        assert whole.likelihood is not None
        assert text.text is not None
        assert text.usage.tokens_in
    assert {"torch", "transformers", "devices", "image processor"} <= backend.setup.keys()
    assert backend.setup["devices"] == "cpu"


def test_the_numbers_do_not_depend_on_who_is_asked_beside(folder: Path) -> None:
    requests = questions(4)
    together = asked(opened(folder), requests)
    one_at_a_time = opened(folder)
    settings = AskSettings(concurrency=1)
    alone = {r.item_id: r for r in ask(requests, one_at_a_time, settings=settings)}
    for name, response in together.items():
        assert response.logprobs == pytest.approx(alone[name].logprobs, abs=1e-4)
        assert response.text == alone[name].text


def test_it_says_what_it_is(folder: Path) -> None:
    backend = open_address(f"hf:{folder}?devices=cpu")
    assert repr(backend) == "Transformers('hf:qwen3_vl')"
    assert backend.revision == find_checkpoint(LocalAddress(str(folder), is_folder=True)).revision
    assert backend.wants == {"text", "next_word", "likelihood"}
    assert backend.continues
    assert backend.logged
    assert backend.resizes
    assert backend.window == 256
    assert opened(folder, "cuda:0", "cuda:1").window == 512
    assert BACKEND.open is open_address


def test_opening_an_address_imports_neither_torch_nor_transformers(folder: Path) -> None:
    code = (
        "import sys; from eyechart.backends.transformers import open_address; "
        f"open_address('hf:{folder}'); print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False False"


def test_a_folder_without_a_model_is_refused_on_opening(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"config\.json"):
        open_address(f"hf:{tmp_path}")


def test_asked_again_it_is_still_loaded_also_as_its_own_judge(folder: Path) -> None:
    backend = opened(folder)
    asked(backend, questions(1))
    (thread,) = computing()
    asked(backend, questions(2))
    judge = opened(folder)
    asked(judge, questions(2))
    assert computing() == [thread]
    del backend
    asked(judge, questions(3))
    assert computing() == [thread]


def test_another_model_gets_its_room(folders: dict[str, Path]) -> None:
    first, second = (opened(folder) for folder in folders.values())
    asked(first, questions(1))
    (thread,) = computing()
    asked(second, questions(1))
    assert not thread.is_alive()
    assert len(computing()) == 1
    asked(first, questions(2))


def test_a_device_that_is_not_there_ends_the_run_with_words(folder: Path) -> None:
    with pytest.raises(BadInput, match="there is no device 'cuda:7'"):
        asked(opened(folder, "cuda:7"), questions(2))


def test_a_picture_that_is_damaged_fails_alone(folder: Path) -> None:
    data = photo(1).data or b""
    broken = Picture(data=data[: len(data) - 30], name="broken.png")
    damaged = Request("x", "answer", (Turn("user", (broken, "sharp")),), want=WANTS[0])
    told = asked(opened(folder), [*questions(2), damaged])
    failed = [name for name, response in told.items() if response.failure]
    assert failed == ["x"]


def test_a_prompt_beyond_the_context_fails_alone(folder: Path) -> None:
    long = Request("x", "answer", (Turn("user", ("good " * 3000,)),), want=WANTS[0])
    told = asked(opened(folder), [*questions(2), long])
    failure = told["x"].failure
    assert failure is not None
    assert failure.kind == "refused"
    assert "takes at most 2048" in failure.message
    assert not told["0/0"].failure


def test_a_run_that_is_stopped_leaves_the_model_ready_for_the_next(folder: Path) -> None:
    backend = opened(folder)
    responses = ask(questions(20, max_tokens=30), backend, settings=AskSettings(concurrency=4))
    next(responses)
    responses.close()
    told = asked(backend, questions(3))
    assert not [response.failure for response in told.values() if response.failure]


class Cramped(LocalDevice):
    """A model on a device with little memory."""

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        if sum(tree.n_tokens for tree in trees) > 60:
            raise NoRoom("60 tokens are the most")
        return super().compute(trees)


def test_a_device_without_room_answers_in_smaller_batches_and_refuses_what_never_fits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = questions(4)
    long = Request("x", "answer", (Turn("user", ("good " * 80,)),), want=WANTS[0])
    roomy = asked(opened(folder), requests)
    monkeypatch.setattr(crews, "load", Cramped)
    (tmp := folder.parent / "cramped").mkdir()
    told = asked(opened(save_qwen3_vl(tmp)), [*requests, long])
    failure = told.pop("x").failure
    assert failure is not None
    assert failure.message.startswith("item 'x': cpu has no memory for this request even alone")
    for name, response in told.items():
        assert response.logprobs == pytest.approx(roomy[name].logprobs, abs=1e-4)
        assert response.text == roomy[name].text


def test_a_library_that_cannot_be_loaded_is_told_to_every_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened(folder)
    monkeypatch.setitem(sys.modules, "torch", None)
    said = r"torch is installed but cannot be loaded \(ModuleNotFoundError: .*install it anew: pip"
    with pytest.raises(MissingExtra, match=said):
        asked(backend, questions(2))


def test_the_program_may_end_while_a_device_computes(folder: Path) -> None:
    code = f"""
import contextlib, sys, threading, time
from eyechart.asking import ask
from eyechart.errors import Fatal
from eyechart.plugins import open_model
from eyechart.records import Request, Sampling, Turn
turns, sampling = (Turn("user", ("good",)),), Sampling(max_tokens=1900)
requests = [Request(str(n), "answer", turns, sampling=sampling, draw=n) for n in range(40)]
responses = ask(requests, open_model("hf:{folder}?devices=cpu"))
def wait():
    with contextlib.suppress(Fatal):
        next(responses)
threading.Thread(target=wait, daemon=True).start()
while "cpu" not in [thread.name for thread in threading.enumerate()]:
    time.sleep(0.01)
time.sleep(2)
sys.exit(7)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (7, "")


def test_a_device_process_killed_in_the_middle_loses_nothing(folder: Path) -> None:
    backend, requests = opened(folder, "cpu", "cpu"), questions(30, max_tokens=8)
    told: dict[str, Response] = {}
    for response in ask(requests, backend, settings=AskSettings(concurrency=24)):
        if not told:
            running()[0].kill()
        assert response.item_id not in told
        told[response.item_id] = response
    assert told.keys() == {request.item_id for request in requests}
    assert not [response.failure for response in told.values() if response.failure]
    assert "cpu: its process was killed (SIGKILL)" in backend.setup["restarted devices"]
    alone = asked(opened(folder), requests)
    for name, response in told.items():
        assert response.logprobs == pytest.approx(alone[name].logprobs, abs=1e-4)
        assert response.text == alone[name].text


def test_with_every_device_lost_the_answers_are_kept_and_another_run_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    requests = questions(16, max_tokens=8)
    settings = AskSettings(concurrency=8)
    n_answered, over = 0, threading.Event()

    def kill_all() -> None:
        """Those that are started anew too."""
        while not over.wait(0.02):
            for process in running():
                process.kill()

    killer = threading.Thread(target=kill_all)
    with CallLog(tmp_path / "calls.sqlite") as log:
        with pytest.raises(Fatal, match="no device is left to compute on: cpu: its process was"):
            for _ in ask(requests, opened(folder, "cpu", "cpu"), log=log, settings=settings):
                n_answered += 1
                if n_answered == 1:
                    killer.start()
        over.set()
        killer.join()
        assert 0 < n_answered < len(requests)
        responses = list(ask(requests, opened(folder), log=log))
    assert len({response.item_id for response in responses}) == len(requests)
    assert not [response.failure for response in responses if response.failure]
