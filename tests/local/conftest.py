"""Tiny checkpoints, written once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3-VL checkpoint: patches of 8 pixels, 256 to 16384 pixels, 256 of them a token."""
    pytest.importorskip("transformers")
    from tests.local.tiny_models import save_qwen3_vl

    return save_qwen3_vl(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session")
def idefics_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Idefics3 checkpoint: brought to 64 pixels a side, tiles of 32, 4 tokens each."""
    pytest.importorskip("transformers")
    from tests.local.tiny_models import save_idefics3

    return save_idefics3(tmp_path_factory.mktemp("idefics"))
