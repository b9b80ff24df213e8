"""torch.compile for the parts of a model that many small kernels make slow: norms and MLPs.

In: a loaded model, changed in place. Attention stays as it is: it has kernels of its own, and what
holds it is compiled anew for every form of cache, mask and number of pictures (a tiny model's two
halves were, until torch gave up at the eighth form). So all steps of a tree are served.
"""

from __future__ import annotations

from typing import Any

import torch

from eyechart.local.computing.loading import Loaded

PARTS = ("RMSNorm", "MLP")
"""How transformers ends the names of the classes that are compiled."""
MOST_FORMS = 64
"""Numbers of axes, rows and heads that a part is compiled for, each once; torch's own is 8."""


def compile_parts(loaded: Loaded) -> None:
    """Compile the model's norms and MLPs for any number of tokens, at the first steps.

    The layers share their programs (13 were made for a tiny Qwen3-VL's trees and replies), so a
    deep model takes hardly longer than a shallow one.
    """
    config: Any = torch._dynamo.config
    config.recompile_limit = max(config.recompile_limit, MOST_FORMS)
    for part in loaded.model.modules():
        if type(part).__name__.endswith(PARTS):
            part.compile(dynamic=True)
