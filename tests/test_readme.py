"""The first command of the README, word for word, where nothing but Python is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIRST_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADLINE = re.compile(r"signal answers \d+\.\d % of [\d,]+ questions right")
NO_INDEX = re.compile(r"connect|resol|unreachable|timed out|no matching distribution", re.I)
KEPT_OUT = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "EYECHART_WORKSPACE"}


def environment(venv: Path) -> dict[str, str]:
    """As after `source activate`, and without a path to this checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in KEPT_OUT}
    path = os.pathsep.join([str(venv / "bin"), kept.get("PATH", "")])
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(venv)}


def told_by(
    *command: str | Path, cwd: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project as a clone has it: the files that git knows or would add, no build leftovers."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone of the repository (git lists no files here)")
    folder = tmp_path / "clone"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A fresh virtual environment; skips where its pip reaches no package index."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    found = environment(venv)
    words = ["--no-deps", "--retries", "0", "--timeout", "20", "--dest", tmp_path / "probe"]
    probe = told_by("python3", "-m", "pip", "download", *words, "jinja2", cwd=tmp_path, env=found)
    if probe.returncode and NO_INDEX.search(probe.stdout + probe.stderr):
        pytest.skip("pip cannot reach a package index from here")
    assert not probe.returncode, probe.stderr
    return found


@pytest.mark.slow
def test_the_first_command_of_the_readme_installs_eyechart_and_writes_a_report(
    clone: Path, env: dict[str, str]
) -> None:
    block = FIRST_BLOCK.search((clone / "README.md").read_text("utf-8"))
    assert block
    told = told_by("bash", "-euo", "pipefail", "-c", block[1], cwd=clone, env=env)
    assert told.returncode == 0, told.stdout + told.stderr
    page = (clone / "eyechart-demo" / "report.html").read_text("utf-8")
    for text in (told.stdout, page):  # lines may be broken, blanks may forbid it
        assert HEADLINE.search(" ".join(text.split()))
