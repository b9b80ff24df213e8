"""A compiled model gives the numbers of the plain one, at every step of a tree."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from tests.local.plain_road import QUESTIONS, Bench, asked, picture
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.local.pieces import LocalOptions
from eyechart.records import likelihood, next_word

WANTS = (next_word("good", "poor"), likelihood("good", "The quality is fair"), asked().want)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler needs g++")
@pytest.mark.parametrize("save", [save_idefics3, save_qwen3_vl])
def test_a_compiled_model_agrees_with_the_plain_one(
    save: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = save(tmp_path)
    plain, compiled = Bench(folder), Bench(folder, LocalOptions(compiled=True))
    assert compiled.device.way.name == "shared"
    shown = [picture(0), picture(1, 48, 80)]
    for want in WANTS:
        requests = [asked(one, question, want=want) for one in shown for question in QUESTIONS]
        for one, other in zip(compiled.answers(requests), plain.answers(requests), strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
            assert one.text == other.text
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 1
