"""What errors of torch and its libraries mean for a batch."""

from __future__ import annotations

import pytest

from eyechart.local.computing.faults import fault_of
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
        (RuntimeError("CUDA error: invalid configuration argument"), type(None)),
        (ValueError("Image features and image tokens do not match"), type(None)),
    ],
)
def test_on_a_device_that_computes_errors_are_known_by_what_they_say(
    error: Exception, kind: type
) -> None:
    assert isinstance(fault_of(error, "cuda:1", touch=works), kind)
    assert isinstance(fault_of(error, "cpu"), kind)


@pytest.mark.parametrize(
    "said",
    ["CUDA error: an illegal memory access was encountered", "cuDNN error: INTERNAL_ERROR", "?"],
)
def test_a_gpu_that_computes_nothing_any_more_is_lost_whatever_the_error_says(said: str) -> None:
    assert isinstance(fault_of(RuntimeError(said), "cuda:1", touch=fails), DeviceLost)


def test_a_gpu_that_is_only_full_is_not_lost() -> None:
    assert fault_of(ValueError("no such column"), "cuda:1", touch=full) is None


def works(device: str) -> None:
    pass


def fails(device: str) -> None:
    raise RuntimeError(f"{device}: CUDA error: unspecified launch failure")


def full(device: str) -> None:
    raise RuntimeError(OUT)


def test_a_fault_names_its_device_and_the_first_line() -> None:
    error = RuntimeError("CUDA error: device-side assert triggered\nmore")
    fault = fault_of(error, "cuda:1", touch=fails)
    assert str(fault) == "cuda:1: CUDA error: device-side assert triggered"
