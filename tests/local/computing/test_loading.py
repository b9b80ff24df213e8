"""Weights are loaded whole or not at all, and errors say what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file, save_file
from tests.local.tiny_models import save_idefics3

from eyechart.errors import BadInput, Fatal
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.computing.loading import Loaded, load_model
from eyechart.local.computing.sampling import GREEDY, Drawing
from eyechart.local.pieces import Checkpoint, LocalOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_idefics3(tmp_path)


def loaded(folder: Path, device: str = "cpu", **options: Any) -> Loaded:
    checkpoint = Checkpoint(folder, "hf:tiny", "0", LocalOptions(**options))
    return load_model(checkpoint, device, load_processor(folder))


def rewrite(file: Path, **values: Any) -> None:
    told = json.loads(file.read_text()) | values
    file.write_text(json.dumps({name: value for name, value in told.items() if value is not None}))


def test_a_model_is_loaded_to_compute_in_the_checkpoints_own_dtype_or_the_chosen_one(
    folder: Path,
) -> None:
    own, half = loaded(folder), loaded(folder, dtype="bfloat16")
    assert (own.dtype, half.dtype) == (torch.float32, torch.bfloat16)
    assert not own.model.training
    assert not any(weight.requires_grad for weight in own.model.parameters())
    assert own.context == 2048


def test_turns_end_as_the_checkpoint_and_its_tokenizer_say(folder: Path) -> None:
    rewrite(folder / "generation_config.json", eos_token_id=[7, 8])
    tokenizer = load_processor(folder).tokenizer
    assert loaded(folder).ends == {7, 8, tokenizer.eos_token_id}


def test_draws_have_the_checkpoints_defaults_where_it_samples(folder: Path) -> None:
    file = folder / "generation_config.json"
    assert loaded(folder).defaults == Drawing(0.7, 0.8, 20)
    rewrite(file, temperature=None, top_p=None, top_k=None)
    assert loaded(folder).defaults == Drawing(1.0, 1.0, 50)
    rewrite(file, do_sample=False)
    assert loaded(folder).defaults == GREEDY


def test_nothing_is_shown_on_the_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded(folder)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    file = folder / "model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file, metadata={"format": "pt"})


def test_missing_weights_are_not_made_up(folder: Path) -> None:
    change_weights(folder, lambda weights: weights.pop("lm_head.weight"))
    with pytest.raises(
        BadInput, match=r"1 weights that the model needs are not in the .*\(lm_head\.weight\)"
    ):
        loaded(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    def shorten(weights: dict[str, torch.Tensor]) -> None:
        weights["lm_head.weight"] = weights["lm_head.weight"][:-1].clone()

    change_weights(folder, shorten)
    with pytest.raises(BadInput, match=r"or have another shape \(lm_head\.weight\)"):
        loaded(folder)


def test_a_damaged_weights_file_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(BadInput, match="Is it one, whole, and known to this version"):
        loaded(folder)


def test_pickled_weights_are_loaded_only_where_they_are_allowed(folder: Path) -> None:
    file = folder / "model.safetensors"
    torch.save(load_file(file), folder / "pytorch_model.bin")
    file.unlink()
    with pytest.raises(BadInput, match="cannot load it as a model"):
        loaded(folder)
    assert loaded(folder, pickles=True).dtype == torch.float32


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta"])
def test_a_device_that_is_not_there_is_refused(folder: Path, device: str) -> None:
    with pytest.raises(BadInput, match=f"there is no device {device!r}"):
        loaded(folder, device)


def test_an_encoder_decoder_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"is_encoder_decoder": True}))
    with pytest.raises(BadInput, match=r"\(an encoder-decoder\), which is not supported"):
        loaded(folder)


def test_a_model_of_texts_alone_is_refused(folder: Path) -> None:
    processor = load_processor(folder)
    rewrite(folder / "config.json", model_type="llama")
    checkpoint = Checkpoint(folder, "hf:tiny", "0")
    with pytest.raises(BadInput, match="a llama model takes no pictures"):
        load_model(checkpoint, "cpu", processor)


def test_no_memory_for_the_weights_ends_the_run(folder: Path) -> None:
    processor = load_processor(folder)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["vocab_size"] = 2**40
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(Fatal, match=r"hf:tiny cannot be loaded: cpu: .*Free memory on cpu"):
        load_model(Checkpoint(folder, "hf:tiny", "0"), "cpu", processor)
