"""What an error of torch means for a batch: no room on the device, a device that is lost, or else.

In: an exception. Out: `NoRoom`, `DeviceLost`, or None for one that says nothing of the device.
Frees nothing and tries nothing again. Imports no torch: its errors are known by what they say.
"""

from __future__ import annotations

from eyechart.local.pieces import DeviceLost, NoRoom

NO_ROOM = (
    "out of memory",  # torch.OutOfMemoryError, and CUDA's own "CUDA error: out of memory"
    "can't allocate memory",  # torch on a CPU
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
LOST = (
    "CUDA error",
    "device-side assert",
    "illegal memory access",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "uncorrectable ECC error",
)


def fault_of(error: BaseException, device: str) -> NoRoom | DeviceLost | None:
    """What an error of a device's means.

    >>> fault_of(RuntimeError("CUDA error: device-side assert triggered"), "cuda:0")
    DeviceLost('cuda:0: CUDA error: device-side assert triggered')
    >>> fault_of(ValueError("no such column"), "cpu") is None
    True
    """
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or any(word in said for word in NO_ROOM):
        return NoRoom(f"{device}: {first_line(error)}")
    if any(word in said for word in LOST):
        return DeviceLost(f"{device}: {first_line(error)}")
    return None


def first_line(error: BaseException) -> str:
    """The first line of what an error says, at most 300 characters; its type where it is mute.

    >>> first_line(MemoryError())
    'MemoryError'
    """
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
