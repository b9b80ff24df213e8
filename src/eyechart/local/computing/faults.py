"""What an error of torch means for a batch: no room on the device, a device that is lost, or else.

In: an exception. Out: `NoRoom`, `DeviceLost`, or None for one that says nothing of the device.
Frees nothing and tries nothing again. Whether a GPU is lost its errors do not say reliably (some
"CUDA error"s are a call's own fault), so it is asked to compute a little.
"""

from __future__ import annotations

from collections.abc import Callable

from eyechart.local.pieces import DeviceLost, NoRoom
from eyechart.local.quiet import first_line

NO_ROOM = (
    "out of memory",  # torch.OutOfMemoryError, and CUDA's own "CUDA error: out of memory"
    "can't allocate memory",  # torch on a CPU
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def touch(device: str) -> None:
    """Compute a little on a device. Raises what torch raises where it computes nothing any more."""
    import torch

    torch.ones(1, device=device).add_(1)
    torch.cuda.synchronize(device)


def fault_of(
    error: BaseException, device: str, touch: Callable[[str], None] = touch
) -> NoRoom | DeviceLost | None:
    """What an error of a device's means. `touch`: raises where the device is lost.

    >>> fault_of(MemoryError("no 2 GB"), "cpu")
    NoRoom('cpu: no 2 GB')
    >>> fault_of(ValueError("no such column"), "cpu") is None
    True
    """
    if _tells_no_room(error):
        return NoRoom(f"{device}: {first_line(error)}")
    if device.startswith("cuda"):
        try:
            touch(device)
        except Exception as other:
            if not _tells_no_room(other):
                return DeviceLost(f"{device}: {first_line(error)}")
    return None


def _tells_no_room(error: BaseException) -> bool:
    said = f"{type(error).__name__}: {error}"
    return isinstance(error, MemoryError) or any(word in said for word in NO_ROOM)
