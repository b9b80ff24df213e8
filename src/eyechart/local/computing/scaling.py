"""The sums of `collating.Scale` on the device where the model is.

In: a tensor of pixels. Out: the values that the model takes. A quarter of the bytes travel to the
device where pixels travel as whole numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from eyechart.local.preparing.collating import Scale


def scaled(pixels: Tensor, scale: Scale, dtype: torch.dtype) -> Tensor:
    """The model's values of pixels in `dtype`, on the tensor's own device; computed in float32.

    Floats are scaled already and only change their dtype.
    """
    if pixels.dtype != torch.uint8:
        return pixels.to(dtype)
    gain = torch.from_numpy(scale.gain).to(pixels.device)
    offset = torch.from_numpy(scale.offset).to(pixels.device)
    return (pixels.to(torch.float32) * gain).add_(offset).to(dtype)
