"""What several tests share: small photographs, and where the project's own material lies."""

from __future__ import annotations

import io
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

hypothesis.settings.register_profile("eyechart", deadline=None)  # no test is of time
hypothesis.settings.load_profile("eyechart")
SHARED = Path(__file__).parents[2] / "shared"


def photograph(seed: int = 0, width: int = 160, height: int = 140) -> Image.Image:
    """A synthetic photograph with edges, texture and colour."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = 128 + 80 * np.sin(x / 9 + seed) * np.cos(y / 13) + 30 * ((x // 20 + y // 20) % 2)
    colour = np.stack([waves, waves[::-1], 255 - waves], axis=-1) + rng.normal(
        0, 3, (height, width, 3)
    )
    return Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))


@pytest.fixture
def png() -> bytes:
    """The bytes of one small PNG photograph."""
    data = io.BytesIO()
    photograph().save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two small photographs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(2):
        photograph(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def shared() -> Path:
    """The folder `shared` beside the project; a user's clone has none, and the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("no folder `shared` beside the project (only its makers have one)")
    return SHARED
