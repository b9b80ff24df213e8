"""A compiled model gives the numbers of the plain one, tree by tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from tests.local.plain_road import QUESTIONS, Bench, asked, picture
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.local.pieces import LocalOptions
from eyechart.records import likelihood, next_word

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler for inductor")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    torch.compiler.reset()


@compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler's own making
@pytest.mark.parametrize("save", [save_idefics3, save_qwen3_vl])
def test_a_compiled_model_agrees_with_the_plain_one(save, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = save(tmp_path)
    plain, compiled = Bench(folder), Bench(folder, LocalOptions(compiled=True))
    assert compiled.device.way.name == "shared"
    shown = [picture(0), picture(1, 48, 80)]
    for want in (
        next_word("good", "poor"),
        likelihood("good", "The quality is fair"),
        asked().want,
    ):
        requests = [asked(s, q, want=want) for s in shown for q in QUESTIONS]
        for one, other in zip(compiled.answers(requests), plain.answers(requests), strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
            assert one.text == other.text
