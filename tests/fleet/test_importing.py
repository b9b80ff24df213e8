"""Importing answers: the call log holds them once, and a run then asks nothing."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.fleet.asked_for import PICTURES, item_folder, question

from eyechart.backends.scripted import Scripted
from eyechart.errors import BadInput
from eyechart.fleet.asking_table import ask_table
from eyechart.fleet.benchmark_requests import write_benchmark
from eyechart.fleet.importing import Imported, import_responses
from eyechart.fleet.logged_calls import inquiry_of, is_key_of
from eyechart.fleet.one_response import Placed
from eyechart.fleet.request_rows import write_requests
from eyechart.fleet.response_table import read_responses, write_part
from eyechart.prompts import PromptForm
from eyechart.records import Failure, Request, Sampling, Usage, likelihood
from eyechart.run import evaluate
from eyechart.run_settings import RunSettings

WAYS = PromptForm(also=("rotations", "blind", "likelihood"), strategies=("softmax", "number"))


def rows(log: Path, table: str = "calls") -> list[Any]:
    with closing(sqlite3.connect(log)) as db:
        return sorted(db.execute(f"SELECT * FROM {table}").fetchall())


def report_of(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "report.json").read_text())
    del report["provenance"]["started"]
    return dict(report)


@pytest.mark.parametrize("model", ["guess", "signal", "scripted"])
def test_what_a_fleet_answered_is_not_asked_again_and_gives_the_same_report(
    model: str, tmp_path: Path
) -> None:
    items = item_folder(tmp_path / "items")
    if model == "scripted":
        (tmp_path / "replies.json").write_text(json.dumps({"": "A", "item-2": "True"}))
        model = f"scripted:{tmp_path / 'replies.json'}"
    form = PromptForm() if model == "signal" else WAYS
    here, there = tmp_path / "here", tmp_path / "there"
    settings = RunSettings(form=form, sampling=Sampling(max_tokens=99), workspace=here)
    usual = evaluate(items, model, out=tmp_path / "usual", settings=settings)

    written = write_benchmark(items, model, tmp_path / "r.parquet", settings=settings)
    assert written.n_requests == usual.n_asked + usual.n_found
    done = ask_table(tmp_path / "r.parquet", model, tmp_path / "out", workspace=there)
    assert done.n_failed == 0
    home = tmp_path / "home"
    imported = import_responses(tmp_path / "out", home)
    assert imported.n_new + imported.n_known == written.n_requests
    settings = dataclasses.replace(settings, workspace=home)
    again = evaluate(items, model, out=tmp_path / "again", settings=settings)
    assert (again.n_asked, again.n_failed) == (0, 0)
    assert report_of(tmp_path / "again") == report_of(tmp_path / "usual")
    assert rows(home / "calls.sqlite") == rows(there / "calls.sqlite")
    pictures = rows(home / "calls.sqlite", "pictures")
    assert pictures == rows(here / "calls.sqlite", "pictures")


def asked(folder: Path, n_requests: int = 6) -> Path:
    """A folder of responses of the model `scripted`, one of which has no answer."""

    def reply(request: Request) -> str:
        from eyechart.errors import Refused

        if request.item_id == "item-5":
            raise Refused("not this one")
        return "good"

    requests = [question(n, PICTURES[n % 2]) for n in range(n_requests)]
    requests[2] = dataclasses.replace(requests[2], want=likelihood("good", "poor"))
    write_requests(folder / "r.parquet", requests)
    ask_table(folder / "r.parquet", Scripted(reply), folder / "out", workspace=folder / "asked")
    return folder / "out"


def test_importing_again_doubles_nothing_and_known_answers_stay(tmp_path: Path) -> None:
    out, home = asked(tmp_path), tmp_path / "home"
    assert import_responses(out, home) == Imported(n_new=5, n_failed=1)
    before = rows(home / "calls.sqlite")
    assert import_responses(out, home) == Imported(n_known=5, n_failed=1)
    twice = tmp_path / "twice"
    for one in read_responses(out):
        changed = dataclasses.replace(one.response, text="poor")
        write_part(twice, [dataclasses.replace(one, response=changed)] * 2)
    assert import_responses(twice, home) == Imported(n_known=5, n_failed=1)
    assert rows(home / "calls.sqlite") == before
    assert rows(home / "calls.sqlite", "failures") == []


def test_one_answer_to_two_requests_is_one_call(tmp_path: Path) -> None:
    out = asked(tmp_path)
    first = next(read_responses(out))
    both = [first, dataclasses.replace(first, n=77)]
    write_part(tmp_path / "both", both)
    assert import_responses(tmp_path / "both", tmp_path / "home") == Imported(n_new=1, n_known=1)


Change = Callable[[Placed], Placed]


def response(**fields: Any) -> Change:
    return lambda one: dataclasses.replace(
        one, response=dataclasses.replace(one.response, **fields)
    )


def origin(text: str) -> Change:
    return lambda one: dataclasses.replace(
        one, origin=dataclasses.replace(one.origin, question=text)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (response(key="ab" * 32), "key: 'abababababab'… is not the digest of the row's question"),
        (response(key="no hex"), "key: 'no hex'… is not the digest of the row's question"),
        (
            response(model="b"),
            "model: 'b', revision '' was not asked, but 'scripted', revision ''",
        ),
        (
            response(revision="2"),
            "model: 'scripted', revision '2' was not asked, but 'scripted', revision ''",
        ),
        (response(logprobs=(0.0,)), "logprobs: expected 0, as were asked for, not 1"),
        (response(text=None), "text: expected the reply, not null"),
        (response(bound=0.5), "logprobs: expected finite numbers of at most 0, not [0.5]"),
        (response(seconds=math.nan), "seconds, tokens: expected numbers of at least 0, not nan s"),
        (response(usage=Usage(-1, 2)), "seconds, tokens: expected numbers of at least 0, not "),
        (origin(""), "question: expected the canonical text of what was asked, not ''"),
        (origin("[2]"), "question: expected the canonical text of what was asked, not '[2]'"),
        (origin('[1,"m","",[[3,[4]]],"",[],["text"],0]'), "question: expected the canonical text"),
    ],
)
def test_a_row_that_is_not_what_it_says_is_refused_in_words(
    change: Change, message: str, tmp_path: Path
) -> None:
    first, *others = list(read_responses(asked(tmp_path)))
    write_part(tmp_path / "bad", [change(first), *others])
    imported = import_responses(tmp_path / "bad", tmp_path / "home")
    assert (imported.n_new, imported.n_failed, imported.n_refused) == (4, 1, 1)
    (told,) = imported.refusals
    assert f": row 1: item {first.response.item_id}: {message}" in told
    assert len(rows(tmp_path / "home" / "calls.sqlite")) == 4


def test_only_the_first_refusals_are_told(tmp_path: Path) -> None:
    bad = [response(key="")(one) for one in read_responses(asked(tmp_path, 30))]
    write_part(tmp_path / "bad", bad)
    imported = import_responses(tmp_path / "bad", tmp_path / "home")
    assert (imported.n_new, imported.n_refused, len(imported.refusals)) == (0, 29, 5)


def test_half_characters_in_a_question_do_not_hinder_the_import(tmp_path: Path) -> None:
    half = Request("1", "answer", question(1).turns + question(2).turns, begun="")
    half = dataclasses.replace(
        half, turns=(dataclasses.replace(half.turns[0], parts=("A \ud800 B",)),)
    )
    write_requests(tmp_path / "r.parquet", [half])
    ask_table(tmp_path / "r.parquet", Scripted("A"), tmp_path / "out", workspace=tmp_path / "a")
    assert import_responses(tmp_path / "out", tmp_path / "home") == Imported(n_new=1)
    again = ask_table(
        tmp_path / "r.parquet", Scripted("A"), tmp_path / "b", workspace=tmp_path / "home"
    )
    assert (again.n_asked, again.n_found) == (0, 1)


def test_a_failure_alone_is_counted_and_not_imported(tmp_path: Path) -> None:
    one = next(read_responses(asked(tmp_path)))
    failed = response(failure=Failure("refused", "no"), text=None)(one)
    write_part(tmp_path / "bad", [failed])
    assert import_responses(tmp_path / "bad", tmp_path / "home") == Imported(n_failed=1)


def test_what_is_no_response_table_makes_no_log(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        import_responses(tmp_path / "nowhere", tmp_path / "home")
    assert not (tmp_path / "home").exists()


PROGRAM = (
    "import sys\nfrom pathlib import Path\nfrom eyechart.fleet import importing\n"
    "importing.CHUNK_ROWS = 8\nimporting.import_responses(sys.argv[1], Path(sys.argv[2]))"
)


def start(*words: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, words)])


def test_a_killed_import_goes_on_and_two_at_once_do_no_harm(tmp_path: Path) -> None:
    out, home = asked(tmp_path, 2000), tmp_path / "home"
    log = home / "calls.sqlite"
    process = start(out, home)
    while process.poll() is None and not (log.is_file() and log.stat().st_size > 50_000):
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with closing(sqlite3.connect(log)) as db:
        (n_before,) = db.execute("SELECT COUNT(*) FROM calls").fetchone()
    both = [start(out, home), start(out, home)]
    assert [one.wait() for one in both] == [0, 0]
    assert n_before < 1999
    assert rows(log) == rows(tmp_path / "asked" / "calls.sqlite")
    assert import_responses(out, home).n_known == 1999


def test_the_parts_of_a_question_are_told() -> None:
    text = '[1,"m","2",[["user",["aa@100"],"x",["bb"]]],"",[0,null,1],["likelihood","a","b"],0]'
    inquiry = inquiry_of(text)
    assert inquiry and (inquiry.digests, inquiry.n_words) == (("aa", "bb"), 2)
    assert not is_key_of("00", text)
    for wrong in ("", "7", "null", "{}", '[1,2,3,[],"",[],["text"],0]', '[1,"m","",7,0,0,[],0]'):
        assert inquiry_of(wrong) is None
