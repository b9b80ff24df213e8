"""What a model's answer takes in operations, and how many a device does: the ceiling of any way.

In: a model's config, tokens and patches; a device. Out: operations (a multiplication and an
addition are two), and operations a second of plain matrix products. Norms, activations and
softmax, which no device counts among its products, are left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import linear
from torch.utils.flop_counter import FlopCounterMode

BLOCK_S = 0.25
N_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """What one prompt holds: its tokens, and the patches of its picture."""

    n_tokens: int
    n_patches: int


def needed(config: Any, size: Size) -> float:
    """Operations that the next word takes: each token sees those before it; one place is read."""
    seen = size.n_tokens * (size.n_tokens + 1) / 2
    return _vision(config, size) + _language(config, size, seen) + _head(config, 1)


def published(config: Any, size: Size) -> float:
    """Operations of the published way as counters count them: all pairs of tokens, all logits."""
    seen = float(size.n_tokens**2)
    return _vision(config, size) + _language(config, size, seen) + _head(config, size.n_tokens)


def measured(model: Any, inputs: dict[str, Tensor]) -> float:
    """Operations of one call of the model, as torch counts those that it sees."""
    counter = FlopCounterMode(display=False)
    # Torch counts the products of this kernel on every device, of the faster ones only on some.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), counter:
        model(**inputs)
    return float(counter.get_total_flops())


def _vision(config: Any, size: Size) -> float:
    vision, n = config.vision_config, size.n_patches
    width = vision.hidden_size
    n_values = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    layer = 2 * n * (4 * width**2 + 2 * width * vision.intermediate_size) + 4 * n**2 * width
    merged = width * vision.spatial_merge_size**2
    n_merged = n // vision.spatial_merge_size**2
    merger = 2 * n_merged * (merged**2 + merged * vision.out_hidden_size)
    n_mergers = 1 + len(vision.deepstack_visual_indexes)
    return float(2 * n * n_values * width + vision.depth * layer + n_mergers * merger)


def _language(config: Any, size: Size, n_seen: float) -> float:
    """`n_seen`: pairs of a token and one that it sees."""
    text = config.text_config
    queries = text.num_attention_heads * text.head_dim
    keys = text.num_key_value_heads * text.head_dim
    weights = text.hidden_size * (2 * queries + 2 * keys + 3 * text.intermediate_size)
    return float(text.num_hidden_layers * (2 * size.n_tokens * weights + 4 * n_seen * queries))


def _head(config: Any, n_places: int) -> float:
    return float(2 * n_places * config.text_config.hidden_size * config.text_config.vocab_size)


def product_rate(
    device: torch.device, dtype: torch.dtype, products: Sequence[tuple[int, int, int]]
) -> float:
    """Operations a second of plain matrix products: the best of some (rows, columns, inner)."""
    with torch.inference_mode():
        return max(_rate(device, dtype, sizes) for sizes in products)


def _rate(device: torch.device, dtype: torch.dtype, sizes: tuple[int, int, int]) -> float:
    n_rows, n_columns, n_inner = sizes
    left = torch.randn(n_rows, n_inner, device=device, dtype=dtype)
    right = torch.randn(n_columns, n_inner, device=device, dtype=dtype)
    took = _seconds(device, left, right, 3) / 3
    n_times = max(1, round(BLOCK_S / took))
    best = min(_seconds(device, left, right, n_times) for _ in range(N_BLOCKS)) / n_times
    return 2.0 * n_rows * n_columns * n_inner / best


def _seconds(device: torch.device, left: Tensor, right: Tensor, n_times: int) -> float:
    synchronise(device)
    start = time.perf_counter()
    for _ in range(n_times):
        linear(left, right)
    synchronise(device)
    return time.perf_counter() - start


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Others:
    """How many cores other processes kept busy since this was made; None where nobody tells.

    A model on a CPU waits at barriers, so one core taken by others can cost it a hundredfold.
    Worker processes of our own count as others until they have ended.
    """

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.perf_counter(), _busy_s(), _own_s()

    def cores(self) -> float | None:
        """On average, at least 0."""
        now = _busy_s()
        if now is None or self._busy is None:
            return None
        took = time.perf_counter() - self._start
        return max(0.0, (now - self._busy - (_own_s() - self._own)) / took)


def _busy_s() -> float | None:
    """Seconds that all cores worked, those included that the host gave to other machines."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, hard, soft, steal = map(int, fields)
    return (user + nice + system + hard + soft + steal) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
