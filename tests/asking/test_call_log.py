"""The call log: what it keeps, what it refuses, and what a killed process leaves behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from eyechart.asking.backend import Answer
from eyechart.asking.call_log import Answered, CallLog, Logged, Question
from eyechart.errors import BadInput
from eyechart.records import Failure, Usage


def question(name: str, *, role: str = "answer", model: str = "m") -> Question:
    return Question(name.encode().ljust(32), name, model, "1", role)


def test_what_is_added_is_found_again_field_for_field(tmp_path: Path) -> None:
    answer = Answer("Yes.", "I think so.", (-0.5, None), -9.0, "stop", Usage(10, 2))
    with CallLog(tmp_path / "calls.sqlite") as log:
        log.add([Answered(question("a"), Logged(answer, 1.5))])
    with CallLog(tmp_path / "calls.sqlite") as log:
        found = log.find([question("a").key, question("b").key])
    assert found == {question("a").key: Logged(answer, 1.5)}


def test_the_first_answer_stays(tmp_path: Path) -> None:
    with CallLog(tmp_path / "calls.sqlite") as log:
        log.add([Answered(question("a"), Logged(Answer("first"), 1.0))])
        log.add([Answered(question("a"), Logged(Answer("second"), 1.0))])
        assert log.find([question("a").key])[question("a").key].answer.text == "first"


def test_the_summary_counts_by_model_and_role(tmp_path: Path) -> None:
    with CallLog(tmp_path / "calls.sqlite") as log:
        log.add(
            Answered(question(f"{role}{i}", role=role), Logged(Answer("x", usage=Usage(3, 1)), 0.5))
            for role in ("answer", "judge")
            for i in range(2)
        )
        log.add_failures([(question("f", role="judge"), Failure("refused", "no"))])
        rows = log.summary()
    assert [(r.role, r.n_answered, r.n_failed, r.tokens_in, r.seconds) for r in rows] == [
        ("answer", 2, 0, 6, 1.0),
        ("judge", 2, 1, 6, 1.0),
    ]


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite").write_text("this is not a database, not at all " * 50)
    with pytest.raises(BadInput, match=r"calls\.sqlite: cannot be used as.*--workspace"):
        CallLog(tmp_path / "calls.sqlite")


def test_a_log_of_a_newer_eyechart_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(BadInput, match=r"written by a newer eyechart .log version 99"):
        CallLog(tmp_path / "calls.sqlite")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be used as the call log"):
        CallLog(tmp_path / "file" / "calls.sqlite")


KILLED = """
import sys
from eyechart.asking.backend import Answer
from eyechart.asking.call_log import Answered, CallLog, Logged, Question
log = CallLog(sys.argv[1])
for i in range(10**6):
    key = str(i).encode().ljust(32)
    log.add([Answered(Question(key, "q", "m", "", "answer"), Logged(Answer("x"), 0.0))])
    print(i, flush=True)
"""


def test_a_killed_process_leaves_every_committed_answer(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 200:
            os.kill(process.pid, signal.SIGKILL)
            break
    committed = 201 + sum(1 for _ in process.stdout)
    process.wait()
    process.stdout.close()
    with CallLog(path) as log:
        assert committed <= log.summary()[0].n_answered <= committed + 1
