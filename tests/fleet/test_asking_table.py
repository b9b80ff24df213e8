"""Asking a table here: everything once, nothing lost, and a folder of answers of one thing only."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.endpoint import hangs, serve
from tests.fleet.asked_for import PICTURES, question
from tests.pictures import photo, saved

from eyechart.asking import AskSettings, Budget, Patience
from eyechart.asking.planning import Plan
from eyechart.backends.scripted import Scripted
from eyechart.errors import BadInput, Fatal, Refused, Transient
from eyechart.fleet import asking_table
from eyechart.fleet.answer_folder import AskedTable
from eyechart.fleet.asking_table import ask_table, plan_table
from eyechart.fleet.logged_calls import Sent, is_key_of
from eyechart.fleet.request_rows import write_requests
from eyechart.fleet.response_table import read_responses
from eyechart.records import Failure, Picture, Request, Response, Usage, likelihood, next_word
from eyechart.run_folder import opened
from eyechart.stages import Stage


def echo(request: Request) -> str:
    """The model says the last words that it was told."""
    return str(request.turns[-1].parts[-1])


def test_each_request_has_its_own_response_with_all_that_the_log_keeps(tmp_path: Path) -> None:
    table, out = tmp_path / "r.parquet", tmp_path / "out"
    asked = [
        question(0, PICTURES[0], PICTURES[1]),
        dataclasses.replace(question(1), want=next_word("good", "poor")),
        dataclasses.replace(question(2, PICTURES[0]), want=likelihood("a b", "c")),
    ]
    write_requests(table, asked)
    done = ask_table(table, Scripted(echo, revision="7"), out, workspace=tmp_path / "runs")
    assert done == AskedTable(str(out), 3, n_asked=3, notes=done.notes)
    assert done.notes == ("1 times a picture was not sent as it is: TIFF to PNG, losslessly.",)
    told = {one.n: one for one in read_responses(out)}
    assert [told[n].response.item_id for n in range(3)] == ["item-0", "item-1", "item-2"]
    assert type(told[0].response.item_id) is str
    assert told[0].response.text == "Question 0?"
    assert told[0].response.usage == Usage(0, 2)
    assert len(told[1].response.logprobs) == 2
    assert told[2].response.likelihood is not None
    for one in told.values():
        assert is_key_of(one.response.key, one.origin.question)
        assert one.origin.at.endswith("+00:00")
    png, tiff = told[0].origin.pictures
    assert png == Sent(PICTURES[0].sha256 or "", "PNG", 48, 32, len(PICTURES[0].data or b""))
    assert (tiff.format, tiff.changed) == ("PNG", "TIFF to PNG, losslessly")


def test_a_second_run_asks_only_what_has_no_answer_in_the_folder(tmp_path: Path) -> None:
    def moody(request: Request) -> str:
        if request.item_id == "item-3" and is_first:
            raise Refused("not today")
        return echo(request)

    table, out = tmp_path / "r.parquet", tmp_path / "out"
    write_requests(table, [question(n) for n in range(6)])
    is_first = True
    first = ask_table(table, Scripted(moody), out, workspace=tmp_path / "one")
    assert (first.n_asked, first.n_failed, first.why) == (5, 1, "not today (1 times)")
    is_first = False
    again = ask_table(table, Scripted(moody), out, workspace=tmp_path / "other")
    assert (again.n_before, again.n_asked, again.n_found, again.n_failed) == (5, 1, 0, 0)
    told = list(read_responses(out))
    assert sorted(one.n for one in told) == list(range(6))
    assert all(one.response.text == f"Question {one.n}?" for one in told)


def test_what_the_log_holds_is_not_asked_for_another_folder(tmp_path: Path) -> None:
    table = tmp_path / "r.parquet"
    write_requests(table, [question(n) for n in range(6)])
    ask_table(table, Scripted(echo), tmp_path / "a", workspace=tmp_path / "runs")
    done = ask_table(table, Scripted(echo), tmp_path / "b", workspace=tmp_path / "runs")
    assert (done.n_asked, done.n_found) == (0, 6)
    first, second = (sorted(read_responses(tmp_path / out), key=lambda p: p.n) for out in "ab")
    assert first == second


def test_requests_that_differ_in_nothing_but_their_words_keep_their_own_answers(
    tmp_path: Path,
) -> None:
    def later_first(request: Request) -> str:
        time.sleep(0.001 * random.Random(echo(request)).randrange(5))
        return echo(request)

    same = [dataclasses.replace(question(n), item_id="x") for n in range(40)]
    write_requests(tmp_path / "r.parquet", [*same, *same])
    ask_table(tmp_path / "r.parquet", Scripted(later_first), tmp_path / "out", workspace=tmp_path)
    told = {one.n: one.response.text for one in read_responses(tmp_path / "out")}
    assert told == {n: f"Question {n % 40}?" for n in range(80)}


def test_a_folder_holds_the_answers_of_one_model_to_one_table(tmp_path: Path) -> None:
    table, out = tmp_path / "r.parquet", tmp_path / "out"
    write_requests(table, [question(n) for n in range(2)])
    ask_table(table, Scripted(echo), out, workspace=tmp_path)
    with pytest.raises(BadInput) as caught:
        ask_table(table, Scripted(echo, model="b"), out, workspace=tmp_path)
    assert str(caught.value) == (
        f"{out}: holds the answers to something else (model 'scripted', now 'b'); name another "
        "folder with --out"
    )
    small = AskSettings(max_pixels=100)
    with pytest.raises(BadInput, match=r"\(max_pixels nothing, now 100\)"):
        ask_table(table, Scripted(echo), out, settings=small, workspace=tmp_path)
    write_requests(table, [question(n) for n in range(3)])
    with pytest.raises(BadInput, match=r"\(requests '\w+, now '\w+, n_requests 2, now 3\)"):
        ask_table(table, Scripted(echo), out, workspace=tmp_path)
    (out / "asked.json").write_text("[]")
    with pytest.raises(BadInput, match=r"asked\.json: expected a JSON object, not \[\]; name"):
        ask_table(table, Scripted(echo), out, workspace=tmp_path)
    (out / "asked.json").write_text("{")
    with pytest.raises(BadInput, match=r"asked\.json: not readable \(.*\); name another folder"):
        ask_table(table, Scripted(echo), out, workspace=tmp_path)
    (out / "asked.json").unlink()
    with pytest.raises(BadInput, match=r"holds part-\d+-\w+\.parquet, but no asked\.json that say"):
        ask_table(table, Scripted(echo), out, workspace=tmp_path)


def test_two_runs_do_not_work_in_one_folder_at_once(tmp_path: Path) -> None:
    write_requests(tmp_path / "r.parquet", [question(0)])
    with opened(tmp_path / "out"), pytest.raises(BadInput, match="another eyechart is at work in"):
        ask_table(tmp_path / "r.parquet", Scripted(""), tmp_path / "out", workspace=tmp_path)


def test_a_table_that_cannot_be_read_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"r\.parquet: no such file"):
        ask_table(tmp_path / "r.parquet", Scripted(""), tmp_path / "out", workspace=tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_where_the_run_must_stop_what_was_answered_is_kept(tmp_path: Path) -> None:
    def falls(request: Request) -> str:
        if request.item_id == "item-5":
            raise Fatal("the model fell")
        return echo(request)

    table, out = tmp_path / "r.parquet", tmp_path / "out"
    write_requests(table, [question(n) for n in range(8)])
    one_by_one = AskSettings(concurrency=1)
    with pytest.raises(Fatal, match="the model fell"):
        ask_table(table, Scripted(falls), out, settings=one_by_one, workspace=tmp_path)
    assert sorted(one.n for one in read_responses(out)) == [0, 1, 2, 3, 4]
    done = ask_table(table, Scripted(echo), out, settings=one_by_one, workspace=tmp_path)
    assert (done.n_before, done.n_asked) == (5, 3)


def test_failures_are_rows_and_the_budget_is_kept(tmp_path: Path) -> None:
    def busy(request: Request) -> str:
        raise Transient("busy")

    table = tmp_path / "r.parquet"
    write_requests(table, [question(0), question(1, Picture(data=b"x", name="x.png"))])
    once = AskSettings(patience=Patience(1))
    ask_table(table, Scripted(busy), tmp_path / "a", settings=once, workspace=tmp_path)
    kinds = {one.n: one.response.failure for one in read_responses(tmp_path / "a")}
    assert kinds[0] == Failure("transient", "busy")
    assert kinds[1] and kinds[1].kind == "image" and "x.png: not an image" in kinds[1].message
    none = AskSettings(budget=Budget(calls=0))
    done = ask_table(table, Scripted(echo), tmp_path / "b", settings=none, workspace=tmp_path)
    assert done.n_failed == 2
    kinds = {one.n: one.response.failure for one in read_responses(tmp_path / "b")}
    assert kinds[0] and kinds[0].kind == "budget"


def test_parts_are_written_as_the_answers_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_table, "PART_ROWS", 10)
    write_requests(tmp_path / "r.parquet", [question(n) for n in range(35)])
    out = "memory://asked/out"
    ask_table(tmp_path / "r.parquet", Scripted(echo), out, workspace=tmp_path)
    assert sorted(one.n for one in read_responses(out)) == list(range(35))
    fs = __import__("fsspec").filesystem("memory")
    names = [name.rpartition("/")[2] for name in fs.ls("/asked/out", detail=False)]
    assert len(names) == 5 and "asked.json" in names
    again = ask_table(tmp_path / "r.parquet", Scripted(echo), out, workspace=tmp_path / "w")
    assert (again.n_before, again.n_asked) == (35, 0)


def test_whoever_watches_sees_the_responses_pass(tmp_path: Path) -> None:
    stages: list[tuple[str, int]] = []

    def watch(responses: Iterator[Response], stage: Stage) -> Iterator[Response]:
        stages.append((stage.name, stage.n_requests))
        yield from responses

    write_requests(tmp_path / "r.parquet", [question(n) for n in range(3)])
    ask_table(
        tmp_path / "r.parquet", Scripted(echo), tmp_path / "out", workspace=tmp_path, watch=watch
    )
    assert stages == [("asking", 3)]


def test_a_plan_counts_without_asking_or_writing(tmp_path: Path) -> None:
    table, out = tmp_path / "r.parquet", tmp_path / "out"
    blank = Picture(data=saved(photo(), "PNG"), name="a.png")
    asked = [question(0, blank), question(0, blank), question(1, Picture(data=b"x", name="x"))]
    write_requests(table, [*asked, dataclasses.replace(question(2), want=likelihood("a", "b"))])
    plan = plan_table(table, "guess", out, workspace=tmp_path / "runs")
    n_bytes = len(blank.data or b"")
    counts = Plan(3, n_failed=1, n_bytes=n_bytes, n_tokens=8192)
    assert plan == asking_table.TablePlan("guess", 0, counts)
    assert not out.exists()
    ask_table(table, "guess", out, workspace=tmp_path / "runs")
    assert plan_table(table, "guess", out, workspace=tmp_path / "x").n_before == 3
    other = plan_table(table, "guess", tmp_path / "other", workspace=tmp_path / "runs").plan
    assert (other.n_calls, other.n_found, other.n_failed) == (0, 3, 1)


def test_however_often_it_is_killed_each_request_is_answered_once(tmp_path: Path) -> None:
    n_requests, chance = 120, random.Random(0)
    table, out, n_kills = tmp_path / "r.parquet", tmp_path / "out", 0
    write_requests(table, [question(n, PICTURES[0]) for n in range(n_requests)])
    program = (
        "import sys\nfrom pathlib import Path\nfrom eyechart.asking import AskSettings\n"
        "from eyechart.fleet import asking_table\nasking_table.PART_ROWS = 7\n"
        "asking_table.ask_table(*sys.argv[1:4], settings=AskSettings(concurrency=4), "
        "workspace=Path(sys.argv[4]))"
    )
    with serve(hangs(0.02)) as endpoint:
        words = [str(table), endpoint.address, str(out), str(tmp_path / "runs")]
        for _ in range(60):
            goal = len(endpoint.requests) + chance.randrange(5, 40)
            process = subprocess.Popen([sys.executable, "-c", program, *words])
            while process.poll() is None and len(endpoint.requests) < goal:
                time.sleep(0.01)
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            n_kills += 1
        assert process.returncode == 0
        asked = Counter(seen.parts[-1]["text"] for seen in endpoint.requests)
    assert n_kills >= 3
    told = list(read_responses(out))
    assert sorted(one.n for one in told) == list(range(n_requests))
    assert all(one.response.failure is None and one.origin.question for one in told)
    assert set(asked) == {f"Question {n}?" for n in range(n_requests)}
    # Only what was on its way at a kill, at most a full set of calls, is asked again.
    assert asked.total() <= n_requests + 4 * n_kills
    assert not list(out.glob(".part-*"))
