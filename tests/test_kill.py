"""A run that is killed with SIGKILL again and again until it is done pays for nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.conftest import photograph
from tests.endpoint import hangs, serve

N_ITEMS = 120
MOST_ROUNDS = 60


def item_folder(folder: Path) -> Path:
    folder.mkdir()
    photograph().save(folder / "a.png")
    rows = [
        {
            "id": f"item-{i}",
            "file_name": "a.png",
            "kind": "single",
            "question": f"Question {i}: what is wrong?",
            "options": ["Blur", "Noise"],
            "answer": "Blur",
        }
        for i in range(N_ITEMS)
    ]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def committed(log: Path) -> int:
    if not log.is_file():
        return 0
    try:
        with closing(sqlite3.connect(log, timeout=30)) as db:
            return int(db.execute("SELECT COUNT(*) FROM calls").fetchone()[0])
    except sqlite3.OperationalError:  # killed before the tables were made
        return 0


def test_each_question_is_answered_exactly_once_however_often_the_run_is_killed(
    tmp_path: Path,
) -> None:
    items = item_folder(tmp_path / "items")
    log = tmp_path / "runs" / "calls.sqlite"
    chance = random.Random(0)
    with serve(hangs(0.03)) as endpoint:
        command = [sys.executable, "-m", "eyechart.cli", "run", str(items)]
        command += ["--model", endpoint.address, "--out", str(tmp_path / "run")]
        command += ["--concurrency", "4", "--workspace", str(tmp_path / "runs")]
        n_kills = n_lost = 0
        for _ in range(MOST_ROUNDS):
            before, asked_before = committed(log), len(endpoint.requests)
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            goal = before + chance.randrange(1, 25)
            while process.poll() is None and committed(log) < goal:
                time.sleep(0.01)
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            n_kills += 1
            n_lost += len(endpoint.requests) - asked_before - (committed(log) - before)
        assert process.returncode == 0
    assert n_kills >= 5
    assert committed(log) == N_ITEMS
    lines = (tmp_path / "run" / "responses.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert sorted(row["item_id"] for row in rows) == sorted(f"item-{i}" for i in range(N_ITEMS))
    assert len({row["key"] for row in rows}) == N_ITEMS
    assert not any("failure" in row for row in rows)
    # What was asked but not yet committed at a kill, at most a full set of calls, is asked again.
    assert len(endpoint.requests) == N_ITEMS + n_lost
    assert n_lost <= 4 * n_kills


def test_what_was_committed_before_a_kill_is_never_asked_again(tmp_path: Path) -> None:
    items = item_folder(tmp_path / "items")
    log = tmp_path / "runs" / "calls.sqlite"
    with serve(hangs(0.02)) as endpoint:
        command = [sys.executable, "-m", "eyechart.cli", "run", str(items)]
        command += ["--model", endpoint.address, "--out", str(tmp_path / "run")]
        command += ["--concurrency", "4", "--workspace", str(tmp_path / "runs")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while committed(log) < 30 and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with closing(sqlite3.connect(log)) as db:
            texts = [row[0] for row in db.execute("SELECT question FROM calls")]
        n_before = len(endpoint.requests)
        subprocess.run(command, check=True, capture_output=True)
        asked_after = {
            seen.parts[-1]["text"].split(":")[0] for seen in endpoint.requests[n_before:]
        }
    done = {json.loads(text)[3][0][-1].split(":")[0] for text in texts}
    assert len(done) >= 30
    assert not done & asked_after
