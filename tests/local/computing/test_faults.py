"""What errors of torch and its libraries mean for a batch."""

from __future__ import annotations

import pytest

from eyechart.local.computing.faults import fault_of, first_line
from eyechart.local.pieces import DeviceLost, NoRoom

OUT = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.1 GiB"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError(OUT), NoRoom),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be"), NoRoom),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] can't allocate memory"),
            NoRoom,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublas`"), NoRoom),
        (MemoryError(), NoRoom),
        (RuntimeError("CUDA error: device-side assert triggered"), DeviceLost),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), DeviceLost),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when"), DeviceLost),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), DeviceLost),
        (ValueError("Image features and image tokens do not match"), type(None)),
        (IndexError("index 5 is out of bounds"), type(None)),
    ],
)
def test_errors_are_known_by_what_they_say(error: Exception, kind: type) -> None:
    assert isinstance(fault_of(error, "cuda:1"), kind)


def test_a_fault_names_its_device_and_the_first_line() -> None:
    fault = fault_of(RuntimeError("CUDA error: device-side assert triggered\nmore"), "cuda:1")
    assert str(fault) == "cuda:1: CUDA error: device-side assert triggered"
    assert first_line(ValueError("x" * 400)) == "x" * 300
