"""Joining a cluster, and starting one where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.fleet.asked_for import question

from eyechart.errors import BadInput, MissingExtra
from eyechart.fleet import ray_cluster
from eyechart.fleet.request_rows import write_requests
from eyechart.fleet.response_table import read_responses

ALONE = """
from eyechart.fleet.ray_data import ask_on_ray
import ray
asked = ask_on_ray("requests.parquet", "guess", "out")
assert not ray.is_initialized()
print(asked.n_asked)
"""


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(MissingExtra, match=r'--on ray needs ray, .* pip install "eyechart\[ray\]"'),
        ray_cluster.joined(),
    ):
        pass


class Nobody:
    """Ray, where nobody answers."""

    def init(self, **settings: object) -> None:
        raise ConnectionError(f"no answer from {settings['address']}\nand more")


def test_an_address_where_nobody_answers_is_refused() -> None:
    told = r"no Ray cluster can be joined at 'there' \(no answer from there\); start one there"
    with pytest.raises(BadInput, match=told):
        ray_cluster._join(Nobody(), "there")


def test_a_port_where_nobody_listens_is_refused_at_once() -> None:
    told = r"no Ray cluster can be joined at '127.0.0.1:1' \(.*Connection refused\); start one"
    with pytest.raises(BadInput, match=told):
        ray_cluster._join(Nobody(), "127.0.0.1:1")


@pytest.mark.slow
def test_where_there_is_no_cluster_one_is_started_for_the_run(tmp_path: Path) -> None:
    """In a process of its own; of Ray one line is seen, which says that it is quiet."""
    pytest.importorskip("ray")
    write_requests(tmp_path / "requests.parquet", [question(n) for n in range(8)])
    run = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "8\n"
    assert [line for line in run.stderr.splitlines() if "RAY_BACKEND_LOG_LEVEL" not in line] == []
    assert len(list(read_responses(tmp_path / "out"))) == 8
