"""The Ray cluster that a run is on: joined where there is one, else started on this machine.

In: an address. Out: Ray, ready and quiet, for as long as the run lasts. Computes nothing there.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from eyechart.errors import BadInput, MissingExtra

LOCAL = "local"
ANSWERS_S = 10.0
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # what Ray's C++ says of itself; its log files keep the rest
}
LOGGERS = ("ray", "ray.data")


@contextmanager
def joined(address: str = "") -> Iterator[Any]:
    """Ray as a module, connected; one that was started here ends with the run.

    `address`: as for `ray.init`; "" is the cluster that this process has joined already, else that
    of RAY_ADDRESS, else one that is started on this machine with all its cores and GPUs.

    Raises MissingExtra where Ray is not installed, BadInput where nobody answers at the address.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f'--on ray needs {error.name}, which is not installed: pip install "eyechart[ray]"'
        ) from None
    is_ours = not ray.is_initialized()
    with _quiet(ray):
        if is_ours:
            _join(ray, address or os.environ.get("RAY_ADDRESS") or LOCAL)
        try:
            yield ray
        finally:
            if is_ours:
                ray.shutdown()


def resources(ray: Any) -> Mapping[str, float]:
    """How many CPUs and GPUs the cluster has now, used or not."""
    found = ray.cluster_resources()
    return {name: float(found.get(name, 0.0)) for name in ("CPU", "GPU")}


def _join(ray: Any, address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        if host and "/" not in host and port.isdigit():  # Ray itself would try for many minutes
            socket.create_connection((host, int(port)), timeout=ANSWERS_S).close()
        ray.init(
            address=address,
            include_dashboard=False if address == LOCAL else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(
            f"no Ray cluster can be joined at {address!r} ({told}); start one there (ray start "
            "--head), or leave out the address and RAY_ADDRESS to start one on this machine"
        ) from error


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Ray Data's own bars and its words of progress stay off the terminal."""
    context = ray.data.DataContext.get_current()
    before = (context.enable_progress_bars, context.print_on_execution_start)
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    context.enable_progress_bars = context.print_on_execution_start = False
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        context.enable_progress_bars, context.print_on_execution_start = before
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
