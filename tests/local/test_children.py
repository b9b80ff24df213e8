"""Processes beside this one: they never run the user's script, and nothing of them stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from eyechart.local.children import Child, running

LONG_S = 60.0
ROOT = Path(__file__).parents[2]


def echo(pipe: Connection) -> None:
    while True:
        try:
            pipe.send(pipe.recv())
        except EOFError:
            return


def telling_paths(pipe: Connection) -> None:
    pipe.send((sys.path, os.getppid()))


def raising(error: Exception, pipe: Connection) -> None:
    raise error


def sleeping(pipe: Connection) -> None:
    pipe.send("asleep")
    time.sleep(10**6)


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def ended(pid: int) -> bool:
    """Whether it ends before long."""
    end = time.monotonic() + LONG_S
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_running(pid)


def told_by(script: Path, text: str) -> subprocess.CompletedProcess[str]:
    """A user's script, run as users do."""
    script.write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=script.parent,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_child_speaks_until_its_pipe_is_closed() -> None:
    child = Child(echo)
    child.pipe.send("hello")
    assert child.pipe.recv() == "hello"
    assert child in running() and child.code is None
    child.pipe.close()
    assert child.end(LONG_S) == 0
    assert child not in running() and not is_running(child.pid)


def test_it_imports_from_where_its_parent_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, "/some/where else"])
    child = Child(telling_paths)
    assert child.pipe.recv() == (sys.path, os.getpid())
    assert child.end(LONG_S) == 0


def test_its_end_is_heard_and_an_error_stands_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child(partial(raising, ValueError("no such thing")))
    with pytest.raises(EOFError):
        child.pipe.recv()
    assert child.end(LONG_S) == 1
    assert "ValueError: no such thing" in capfd.readouterr().err


def test_one_that_does_not_end_in_time_is_killed() -> None:
    child = Child(sleeping)
    assert child.pipe.recv() == "asleep"
    assert child.end(0.01) == -signal.SIGKILL
    assert child.end() == -signal.SIGKILL


def test_what_cannot_be_sent_leaves_no_process() -> None:
    with pytest.raises(AttributeError, match="pickle"):
        Child(lambda pipe: None)
    assert not running()


UNGUARDED = """
import os, signal, sys
from eyechart.local.children import Child
from tests.local.test_children import sleeping
child = Child(sleeping)
child.pipe.recv()
print(child.pid, flush=True)
{end}
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", -9), ("os._exit(3)", 3)],
)
def test_a_child_at_work_does_not_outlive_its_parent(tmp_path: Path, end: str, code: int) -> None:
    told = told_by(tmp_path / "script.py", UNGUARDED.format(end=end))
    assert (told.returncode, told.stderr) == (code, "")
    assert ended(int(told.stdout))


EVALUATING = """
from pathlib import Path
print("the script runs")
import eyechart
from eyechart.records import Sampling
from eyechart.run_settings import RunSettings
settings = RunSettings(
    sampling=Sampling(max_tokens=2), limit=4, photos=Path({photos!r}), workspace=Path("workspace")
)
outcome = eyechart.evaluate("snellen", "hf:{folder}?{options}", out="run", settings=settings)
print(outcome.n_asked, outcome.n_failed)
from eyechart.local.children import running
print(*[child.pid for child in running()])
"""


@pytest.mark.parametrize("options", ["devices=cpu&workers=1", "devices=cpu,cpu&workers=0"])
def test_a_plain_script_may_evaluate_a_model_on_this_machine(
    qwen_folder: Path, photos: Path, tmp_path: Path, options: str
) -> None:
    text = EVALUATING.format(folder=qwen_folder, photos=str(photos), options=options)
    told = told_by(tmp_path / "script.py", text)
    assert told.returncode == 0, told.stderr
    *said, pids = told.stdout.splitlines()
    assert said == ["the script runs", "4 0"]  # once: no process ran it again
    assert all(ended(int(pid)) for pid in pids.split())
