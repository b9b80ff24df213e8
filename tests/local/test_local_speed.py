"""The benchmark of local models: its counts are torch's, and it runs from start to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from bench.local_counting import Size, measured, needed, published  # noqa: E402
from tests.local.tiny_models import save_qwen3_vl  # noqa: E402
from transformers import Qwen3VLForConditionalGeneration  # noqa: E402

ROOT = Path(__file__).parents[2]
SIZE = Size(n_tokens=11, n_patches=16)


@pytest.fixture
def model(tmp_path: Path) -> object:
    folder = save_qwen3_vl(tmp_path / "tiny")
    return Qwen3VLForConditionalGeneration.from_pretrained(folder).eval()


def test_the_operations_that_the_config_tells_are_those_that_torch_counts(model) -> None:
    ids = [20, 21, *[model.config.image_token_id] * 4, 22, 23, 24, 25, 26]
    kinds = [int(i == model.config.image_token_id) for i in ids]
    inputs = {
        "input_ids": torch.tensor([ids]),
        "mm_token_type_ids": torch.tensor([kinds]),
        "pixel_values": torch.zeros(16, 3 * 2 * 8 * 8),
        "image_grid_thw": torch.tensor([[1, 4, 4]]),
    }
    assert measured(model, inputs) == published(model.config, SIZE)


def test_the_next_word_needs_one_place_of_the_head_and_half_of_the_pairs(model) -> None:
    text = model.config.text_config
    places = SIZE.n_tokens - 1
    head = 2 * places * text.hidden_size * text.vocab_size
    pairs = SIZE.n_tokens**2 - SIZE.n_tokens * (SIZE.n_tokens + 1) / 2
    unseen = 4 * pairs * text.num_hidden_layers * text.num_attention_heads * text.head_dim
    assert published(model.config, SIZE) - needed(model.config, SIZE) == head + unseen


@pytest.mark.slow
def test_it_measures_both_ways_questions_and_where_the_time_goes(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    few = "--size tiny --device cpu --images 2 --repeats 1 --megapixels 0.1 --questions 1 --profile"
    said = subprocess.run(
        [sys.executable, "-m", "bench.local_speed", *few.split(), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert "(a) published" in said.stdout and "ours beside the published way" in said.stdout
    (found,) = json.loads(out.read_text())["results"]
    assert {"(a) published", "model alone", "(b) ours", "16 questions"} <= found["ms"].keys()
    assert found["apart"] < 0.1 and found["operations"] < found["all_operations"]
    assert found["profile"]["vision tower"] > 0
