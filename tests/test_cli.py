"""The command line as people use it: what it prints, writes and exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import photograph
from tests.endpoint import answers, echoes_key, fails, hangs, serve

COMMANDS = ["list", "make", "run", "score", "report", "compare", "calls", "demo"]
KEY = "sk-secret-0123456789"


def eyechart(
    *words: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eyechart.cli", *map(str, words)]
    # The wide terminal keeps long lines whole, so that tests can match them.
    wide = {"COLUMNS": "400", "TERM": "dumb"}
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **wide, **(env or {})}, capture_output=True, text=True
    )


@pytest.fixture
def items(tmp_path: Path) -> Path:
    folder = tmp_path / "items"
    folder.mkdir()
    photograph().save(folder / "a.png")
    common = {"file_name": "a.png", "question": "What is wrong?"}
    two = ["Blur", "Noise"]
    rows = [
        {"id": "s", "kind": "single", "options": two, "answer": "Blur", **common},
        {"id": "m", "kind": "multiple", "options": two, "answer": two, **common},
        {"id": "t", "kind": "true_false", "answer": True, **common},
        {"id": "o", "kind": "open", "answer": "It is blurred.", **common},
    ]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    told = eyechart(command, "--help", cwd=tmp_path)
    assert told.returncode == 0
    assert f"Example: eyechart {command}" in told.stdout


def test_the_help_names_every_command(tmp_path: Path) -> None:
    told = eyechart("--help", cwd=tmp_path)
    for command in COMMANDS:
        assert f"  {command} " in told.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rum"], "no command is called 'rum'; did you mean 'run'"),
        (["list", "backend"], "no kind of plug-in is called 'backend'; did you mean 'backends'"),
        (["run", "snelen", "--model", "signal"], "no benchmark is called 'snelen'; did you mean"),
        (["run", "snellen", "--model", "signl"], "no backend is called 'signl'; did you mean"),
        (["run", "snellen", "--model", "signal", "--kinds", "singel"], "did you mean 'single'"),
        (["run", "snellen", "--model", "signal", "--price", "x"], "expected IN,OUT per million"),
        (
            ["run", "snellen", "--model", "signal", "--temperature", "hot"],
            "expected a number from 0",
        ),
        (["run", "snellen", "--model", "signal", "--budget-usd", "1"], "needs a price"),
        (["score", "nowhere"], "not a run folder"),
        (["report", "nowhere"], "not a run folder"),
        (["compare", "one"], "expected two or more run folders"),
        (["calls"], "no call log here"),
        (["make", "snellen", "nowhere", "--out", "x"], "nowhere"),
    ],
)
def test_what_cannot_start_says_why_and_exits_2(
    words: list[str], message: str, tmp_path: Path
) -> None:
    told = eyechart(*words, cwd=tmp_path)
    assert told.returncode == 2
    assert message in told.stderr
    assert "Traceback" not in told.stderr


def test_a_run_writes_its_folder_says_what_it_did_and_exits_0(items: Path, tmp_path: Path) -> None:
    with serve(answers("A, B")) as endpoint:
        told = eyechart("run", items, "--model", endpoint.address, "--out", "run", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "Wrote run/report.html (asked 4, from the log 0, failed 0)" in told.stdout
    for name in ("run.json", "items.jsonl", "responses.jsonl", "scores.parquet", "report.html"):
        assert (tmp_path / "run" / name).is_file(), name
    assert (tmp_path / "run" / "report.md").is_file()
    assert list((tmp_path / "run" / "tables").glob("*.csv"))
    assert list((tmp_path / "run" / "tables").glob("*.tex"))
    assert list((tmp_path / "run" / "figures").glob("*.svg"))
    assert list((tmp_path / "run" / "figures").glob("*.png"))


def test_the_same_run_again_asks_nothing(items: Path, tmp_path: Path) -> None:
    with serve(answers("A")) as endpoint:
        words = ("run", items, "--model", endpoint.address)
        eyechart(*words, "--out", "run", cwd=tmp_path)
        again = eyechart(*words, "--out", "run", cwd=tmp_path)
        other = eyechart(*words, "--out", "other", cwd=tmp_path)
        assert len(endpoint.requests) == 4
    assert "asked 0, from the log 4" in again.stdout
    assert "asked 0, from the log 4" in other.stdout


def test_a_judge_grades_open_answers_later_without_asking_the_model_again(
    items: Path, tmp_path: Path
) -> None:
    with serve(answers("A")) as endpoint, serve(answers("Score: 2")) as judge:
        eyechart("run", items, "--model", endpoint.address, "--out", "run", cwd=tmp_path)
        words = ("score", "run", "--judge", judge.address, "--judge-draws", "3")
        told = eyechart(*words, cwd=tmp_path)
        assert (len(endpoint.requests), len(judge.requests)) == (4, 3)
        calls = eyechart("calls", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "judge" in calls.stdout
    assert "answer" in calls.stdout
    assert "7 answered calls" in calls.stdout


def test_a_run_with_failures_finishes_and_exits_1(items: Path, tmp_path: Path) -> None:
    (items / "a.png").write_bytes((items / "a.png").read_bytes()[:500])
    with serve(answers("A")) as endpoint:
        told = eyechart("run", items, "--model", endpoint.address, "--out", "run", cwd=tmp_path)
        assert not endpoint.requests
    assert told.returncode == 1
    assert "failed 4" in told.stdout
    assert "a.png" in (tmp_path / "run" / "report.html").read_text()


def test_a_key_that_is_refused_stops_at_once_and_is_never_shown(
    items: Path, tmp_path: Path
) -> None:
    with serve(echoes_key()) as endpoint:
        words = ("run", items, "--model", endpoint.address, "--out", "run")
        told = eyechart(*words, cwd=tmp_path, env={"EYECHART_API_KEY": KEY})
        assert len(endpoint.requests) <= 4
    assert told.returncode == 2
    assert KEY not in told.stdout + told.stderr
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def test_a_server_that_is_down_is_told_and_exits_2(items: Path, tmp_path: Path) -> None:
    words = ("run", items, "--model", "http://127.0.0.1:9/v1#m", "--out", "run")
    told = eyechart(*words, cwd=tmp_path)
    assert told.returncode == 2
    assert "Is the server up, and the address right?" in told.stderr


def test_a_dry_run_counts_and_asks_nothing(items: Path, tmp_path: Path) -> None:
    with serve(answers("A")) as endpoint:
        words = ("run", items, "--model", endpoint.address, "--dry-run", "--price", "1,10")
        told = eyechart(*words, cwd=tmp_path)
        assert not endpoint.requests
    assert told.returncode == 0, told.stderr
    assert "Would ask 4 calls" in told.stdout
    assert "$0.16 at the price given" in told.stdout


def test_ctrl_c_keeps_what_was_answered_and_exits_130(items: Path, tmp_path: Path) -> None:
    rows = (items / "metadata.jsonl").read_text().splitlines()
    more = [rows[0].replace('"s"', f'"s{i}"').replace("wrong?", f"wrong {i}?") for i in range(400)]
    (items / "metadata.jsonl").write_text("\n".join(more))
    with serve(hangs(0.05)) as endpoint:
        command = [sys.executable, "-m", "eyechart.cli", "run", str(items), "--concurrency", "4"]
        command += ["--model", endpoint.address, "--out", "run"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while len(endpoint.requests) < 20 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        n_asked = len(endpoint.requests)
        again = eyechart(*command[3:], cwd=tmp_path)
        assert len(endpoint.requests) == 400
    assert process.returncode == 130
    assert "the same command goes on from here" in errors
    assert f"asked {400 - n_asked}, from the log {n_asked}" in again.stdout


def test_a_second_run_in_the_same_folder_is_turned_away(items: Path, tmp_path: Path) -> None:
    with serve(hangs(8.0)) as endpoint:
        words = ["run", str(items), "--model", endpoint.address, "--out", "run"]
        first = subprocess.Popen(
            [sys.executable, "-m", "eyechart.cli", *words], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        while not endpoint.requests and first.poll() is None:
            time.sleep(0.02)
        second = eyechart(*words, cwd=tmp_path)
        first.wait()
    assert second.returncode == 2
    assert "another eyechart is at work in this folder" in second.stderr
    assert first.returncode == 0


def test_a_folder_that_holds_another_run_is_not_overwritten(items: Path, tmp_path: Path) -> None:
    eyechart("run", items, "--model", "guess", "--out", "run", cwd=tmp_path)
    told = eyechart("run", items, "--model", "signal", "--out", "run", cwd=tmp_path)
    assert told.returncode == 2
    assert "holds another run (model 'guess 3', now 'signal" in told.stderr


def test_a_place_that_cannot_be_written_is_told_before_anything_is_asked(
    items: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with serve(answers("A")) as endpoint:
        words = ("run", items, "--model", endpoint.address, "--out", "file/run")
        told = eyechart(*words, cwd=tmp_path)
        assert not endpoint.requests
    assert told.returncode == 2
    assert "cannot be written to" in told.stderr
    assert "nothing was asked" in told.stderr


def test_a_replay_gives_the_same_scores_without_the_model(items: Path, tmp_path: Path) -> None:
    with serve(answers("A")) as endpoint:
        eyechart("run", items, "--model", endpoint.address, "--out", "run", cwd=tmp_path)
    told = eyechart("run", items, "--model", "replay:run", "--out", "again", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    tables = [(tmp_path / run / "tables").glob("*.csv") for run in ("run", "again")]
    for one, other in zip(*map(sorted, tables), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_two_runs_are_compared(items: Path, tmp_path: Path) -> None:
    eyechart("run", items, "--model", "guess", "--out", "a", cwd=tmp_path)
    with serve(answers("A")) as endpoint:
        eyechart("run", items, "--model", endpoint.address, "--out", "b", cwd=tmp_path)
    told = eyechart("compare", "a", "b", "--out", "both", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "Wrote both/compare.html" in told.stdout
    assert (tmp_path / "both" / "compare.md").is_file()


def test_an_endpoint_that_refuses_every_request_ends_with_failed_rows(
    items: Path, tmp_path: Path
) -> None:
    with serve(fails(422, "no pictures, please")) as endpoint:
        told = eyechart("run", items, "--model", endpoint.address, "--out", "run", cwd=tmp_path)
    assert told.returncode == 1
    assert "no pictures, please" in (tmp_path / "run" / "responses.jsonl").read_text()


def test_list_shows_every_kind_of_plug_in(tmp_path: Path) -> None:
    told = eyechart("list", cwd=tmp_path)
    for name in ("snellen", "openai_http", "signal", "srcc"):
        assert name in told.stdout


def test_a_second_ctrl_c_gives_up_the_calls_on_their_way_and_loses_no_answer(
    items: Path, tmp_path: Path
) -> None:
    rows = (items / "metadata.jsonl").read_text().splitlines()
    more = [rows[0].replace('"s"', f'"s{i}"').replace("wrong?", f"wrong {i}?") for i in range(200)]
    (items / "metadata.jsonl").write_text("\n".join(more))
    with serve(*[hangs(0.01)] * 40, hangs(600)) as endpoint:
        command = [sys.executable, "-m", "eyechart.cli", "run", str(items), "--concurrency", "4"]
        command += ["--model", endpoint.address, "--out", "run"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        while len(endpoint.requests) < 44 and process.poll() is None:
            time.sleep(0.02)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.wait(timeout=15) == 130
        n_answered = len(endpoint.answered)
    calls = eyechart("calls", cwd=tmp_path)
    assert f"{n_answered} answered calls" in calls.stdout


def test_a_terminal_that_lacks_our_signs_is_no_failure(items: Path, tmp_path: Path) -> None:
    words = ("run", items, "--model", "guess", "--out", "run")
    told = eyechart(*words, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert told.returncode == 0, told.stderr
