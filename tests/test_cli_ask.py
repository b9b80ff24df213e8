"""The commands about tables, as people use them: write requests, ask them, import the answers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.endpoint import hangs, serve
from tests.fleet.asked_for import item_folder
from tests.test_cli import eyechart


@pytest.fixture
def items(tmp_path: Path) -> Path:
    return item_folder(tmp_path / "items")


@pytest.mark.parametrize("command", ["requests", "ask", "calls", "calls import"])
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    told = eyechart(*command.split(), "--help", cwd=tmp_path)
    assert told.returncode == 0
    assert f"Example: eyechart {command}" in told.stdout


def test_a_table_is_written_asked_and_imported_and_the_run_asks_nothing(
    items: Path, tmp_path: Path
) -> None:
    model = ("--model", "guess")
    told = eyechart("requests", items, *model, "--also", "rotations", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (0, "Wrote 12 requests to requests.parquet\n")

    ask = ("ask", "requests.parquet", *model, "--out", "answers", "--workspace", "there")
    told = eyechart(*ask, "--dry-run", cwd=tmp_path)
    assert "Would ask 12 calls of guess: 0.5 MB of pictures; 0 are answered already" in told.stdout
    assert not (tmp_path / "answers").exists()
    told = eyechart(*ask, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "Answered 12 of 12 requests in answers (asked 12, from the log 0, " in told.stdout
    told = eyechart(*ask, cwd=tmp_path)
    assert "(asked 0, from the log 0, there before 12, failed 0)" in told.stdout

    told = eyechart("calls", "import", "answers", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "Imported 12 answers into runs/calls.sqlite (known already 0, " in told.stdout
    told = eyechart("calls", cwd=tmp_path)
    assert "12 answered calls in runs/calls.sqlite" in told.stdout
    told = eyechart("run", items, *model, "--also", "rotations", cwd=tmp_path)
    assert "asked 0, from the log 12, failed 0" in told.stdout


def test_what_is_left_out_failed_or_refused_is_told_and_exits_1(
    items: Path, tmp_path: Path
) -> None:
    (items / "1.png").unlink()
    told = eyechart("requests", items, "--model", "guess", cwd=tmp_path)
    assert told.returncode == 1
    assert told.stdout == (
        "Wrote 4 requests to requests.parquet\n"
        "Left out 4 requests that cannot be asked, the first: item item-1: 1.png: "
        "no such file; put it back or mend its name in the items\n"
    )
    (items / "1.png").write_bytes(b"no image")
    eyechart("requests", items, "--model", "guess", cwd=tmp_path)
    told = eyechart("ask", "requests.parquet", "--model", "guess", "--out", "out", cwd=tmp_path)
    assert told.returncode == 1
    assert "Most frequent failure: " in told.stdout and "not an image" in told.stdout
    assert (
        "Answered 4 of 8 requests in out (asked 4, from the log 0, there before 0, failed 4)"
        in (told.stdout)
    )
    (part,) = (tmp_path / "out").glob("part-*.parquet")
    table = pq.read_table(part)
    column = table.schema.names.index("model")
    pq.write_table(table.set_column(column, "model", [["other"] * 8]), part)
    told = eyechart("calls", "import", "out", "--workspace", "home", cwd=tmp_path)
    assert told.returncode == 1
    assert "model: 'other', revision '3' was not asked, but 'guess', revision '3'" in told.stdout
    assert "Imported 0 answers into home/calls.sqlite (known already 0, without an answer 4, " in (
        told.stdout
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", "r.parquet", "--model", "guess", "--out", "o"], "r.parquet: no such file"),
        (
            ["ask", "r.parquet", "--model", "guess", "--out", "o", "--on", "rey"],
            "no place to ask is called 'rey'; did you mean 'ray'?",
        ),
        (
            ["ask", "r.parquet", "--model", "guess", "--out", "o", "--workers", "2"],
            "--workers and --vllm are of a fleet: add --on ray, or leave them out",
        ),
        (["requests", "snelen", "--model", "guess"], "no benchmark is called 'snelen'"),
        (["calls", "import", "nowhere"], "nowhere: no such file or folder"),
        (["calls", "imprt"], "imprt"),
    ],
)
def test_what_cannot_start_says_why_and_exits_2(
    words: list[str], message: str, tmp_path: Path
) -> None:
    told = eyechart(*words, cwd=tmp_path)
    assert told.returncode == 2
    assert message in told.stderr
    assert "Traceback" not in told.stderr


def test_ctrl_c_keeps_what_was_answered_and_the_same_command_goes_on(
    items: Path, tmp_path: Path
) -> None:
    with serve(hangs(0.2)) as endpoint:
        words = ("ask", "requests.parquet", "--model", endpoint.address, "--out", "out")
        words = (*words, "--concurrency", "1")
        eyechart("requests", items, "--model", endpoint.address, "--kinds", "single,true_false",
            "--also", "rotations", cwd=tmp_path)  # fmt: skip
        command = [sys.executable, "-m", "eyechart.cli", *words]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while len(endpoint.requests) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 130, said
        assert "the same command goes on from here" in said
        n_before = len(endpoint.requests)
        assert n_before < 6
        told = eyechart(*words, cwd=tmp_path)
        assert told.returncode == 0, told.stderr
        assert f"Answered 6 of 6 requests in out (asked {6 - n_before}, " in told.stdout
        assert len(endpoint.requests) == 6
    asked = json.loads((tmp_path / "out" / "asked.json").read_text())
    assert asked["n_requests"] == 6
