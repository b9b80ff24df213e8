"""One Ray cluster for all tests of fleets: it takes seconds to start."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from eyechart.fleet.ray_cluster import QUIET


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """On this machine, of two CPUs, and of a GPU, as it believes."""
    ray = pytest.importorskip("ray")
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
