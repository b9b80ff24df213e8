"""The same rules on a GPU, and those that only a GPU can break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import numpy as np
import torch
from tests.local.plain_road import QUESTIONS, Bench, asked, picture
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.local.computing import memory
from eyechart.local.computing.feeding import _pinned
from eyechart.local.computing.local_device import LocalDevice
from eyechart.local.pieces import LocalOptions, NoRoom, Tree
from eyechart.local.scheduling.trees import planted
from eyechart.records import TEXT, Request, Want, likelihood, next_word

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

GPU = "cuda:0"
SAVED: dict[str, Callable[[Path], Path]] = {"idefics3": save_idefics3, "qwen3_vl": save_qwen3_vl}
WORDS = next_word("good", "poor")
TEXTS = likelihood("good", "The quality is excellent")
WITHIN = {"float32": 1e-3, "bfloat16": 0.02}  # of one token's log-probability


class _OnGpu:
    """A model that takes its inputs from the CPU."""

    def __init__(self, model: Any) -> None:
        self._model, self.dtype = model, model.dtype

    def __call__(self, **inputs: torch.Tensor) -> Any:
        return self._model(**{name: value.to(GPU) for name, value in inputs.items()})

    def generate(self, **given: Any) -> Any:
        moved = {n: v.to(GPU) if isinstance(v, torch.Tensor) else v for n, v in given.items()}
        return self._model.generate(**moved)


class GpuBench(Bench):
    """Our device and the plain road, both on the GPU."""

    @cached_property
    def device(self) -> LocalDevice:
        return LocalDevice(self.checkpoint, GPU)

    @cached_property
    def model(self) -> Any:
        return _OnGpu(super().model.to(GPU))


@pytest.fixture(autouse=True)
def whole_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both roads compute float32 in full."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(scope="module", params=SAVED)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SAVED[request.param](tmp_path_factory.mktemp(request.param))


def crowd(want: Want) -> list[Request]:
    first, second = picture(0), picture(1, 48, 80)
    return [
        *[asked(first, question, want=want) for question in QUESTIONS],
        asked(second, QUESTIONS[1], want=want),
        asked(first, "The one before, or this?", second, want=want),
        asked("Is blue a colour?", want=want),
    ]


def trees_of(bench: Bench, n_pictures: int) -> list[Tree]:
    requests = [asked(picture(i), QUESTIONS[0], want=WORDS) for i in range(n_pictures)]
    return planted([bench.ready(request) for request in requests])


@pytest.mark.parametrize("dtype", WITHIN)
def test_a_gpus_answers_are_those_of_the_plain_road(folder: Path, dtype: str) -> None:
    bench = GpuBench(folder, LocalOptions(dtype=dtype))
    assert bench.device.way.name == "shared"
    assert bench.device.setup["dtype"] == dtype
    for want in (WORDS, TEXTS):
        requests = crowd(want)
        for request, answer in zip(requests, bench.answers(requests), strict=True):
            call = bench.ready(request)
            for target, told in zip(call.targets, answer.logprobs, strict=True):
                scores, end = bench.plain_scores(request, target), len(call.ids)
                expected = sum(float(scores[end - 1 + i, t]) for i, t in enumerate(target))
                assert told == pytest.approx(expected, abs=WITHIN[dtype] * len(target))


def test_a_gpus_greedy_replies_are_those_of_generate(folder: Path) -> None:
    bench = GpuBench(folder, LocalOptions(dtype="float32"))
    requests = crowd(TEXT)
    for request, answer in zip(requests, bench.answers(requests), strict=True):
        ids = bench.plain_reply(request)
        assert (
            answer.text == bench.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        )


def test_inputs_that_come_while_a_part_is_computed_are_the_right_ones(folder: Path) -> None:
    parted = GpuBench(folder, LocalOptions(dtype="float32", batch_tokens=200))
    whole = GpuBench(folder, LocalOptions(dtype="float32"))
    requests = [asked(picture(i), QUESTIONS[i % 3], want=WORDS) for i in range(24)]
    expected = whole.answers(requests)
    for _ in range(3):
        for one, other in zip(parted.answers(requests), expected, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=WITHIN["float32"])


def test_a_gpu_takes_a_few_steps_at_once(folder: Path) -> None:
    asked_for = GpuBench(folder, LocalOptions(batch_tokens=100))
    assert asked_for.device.tokens_at_once() == 400
    by_memory = GpuBench(folder).device.tokens_at_once()
    assert 4 <= by_memory <= 4 * memory.MOST_TOKENS["cuda"]


def test_weights_and_pinned_memory_are_where_they_should_be(folder: Path) -> None:
    loaded = GpuBench(folder).device.loaded
    assert loaded is not None
    assert {weight.device for weight in loaded.model.parameters()} == {torch.device(GPU)}
    assert torch.from_numpy(_pinned((3, 2), np.dtype(np.uint8))).is_pinned()


@pytest.fixture
def narrow() -> Iterator[Callable[[], None]]:
    """Leaves 64 MB more than is taken now, until the test ends."""

    def squeeze() -> None:
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(GPU).total_memory
        taken = torch.cuda.memory_reserved(GPU) + 64 * 2**20
        torch.cuda.set_per_process_memory_fraction(taken / total, GPU)

    yield squeeze
    torch.cuda.set_per_process_memory_fraction(1.0, GPU)


def test_a_gpu_without_room_says_so_and_goes_on(folder: Path, narrow: Callable[[], None]) -> None:
    bench = GpuBench(folder)
    trees = trees_of(bench, 3)
    assert bench.device.loaded is not None
    layer = bench.device.loaded.model.get_decoder().layers[0]

    def greedy(_layer: Any, _args: Any) -> None:
        torch.empty(2**30, dtype=torch.uint8, device=GPU)

    narrow()
    hook = layer.register_forward_pre_hook(greedy)
    try:
        with pytest.raises(NoRoom, match=r"cuda:0: CUDA out of memory"):
            bench.device.compute(trees)
    finally:
        hook.remove()
    assert len(bench.device.compute(trees)) == 3
