"""What one worker of a fleet does with its shares, without any fleet."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.fleet.asked_for import question

from eyechart.asking import AskSettings
from eyechart.errors import BadInput, EyechartError, Fatal, MissingExtra, UnknownName
from eyechart.fleet import share_worker
from eyechart.fleet.answer_folder import Asked
from eyechart.fleet.request_rows import write_requests
from eyechart.fleet.response_table import read_responses
from eyechart.fleet.share_worker import (
    MOST_TRIES,
    Account,
    ShareWorker,
    Task,
    account_of,
    stopped_by,
)
from eyechart.fleet.shares import Parts, Share
from eyechart.records import Request, Turn, next_word

MUTE = """
from eyechart.asking.backend import Backend, BackendPlugin

class Mute(Backend):
    model, revision, wants, continues, logged = "mute", "", frozenset({"text"}), False, True

    async def close(self):
        pass

BACKEND = BackendPlugin("mute", "says nothing", "", lambda address: Mute())
"""
GUESS = Asked("", 4, "guess", "3")
ROW = {"number": 0, "groups": [0], "wanted": [0, 1, 2, 3]}


def task_in(folder: Path, *, model: str = "guess", asked: Asked = GUESS) -> Task:
    """A worker's task about four questions in this folder."""
    table = folder / "requests.parquet"
    if not table.exists():
        write_requests(table, [question(n) for n in range(4)])
    return Task(str(table), model, asked, Parts(str(folder / "out"), 1), AskSettings(), str(folder))


def account(task: Task, *, n_try: int = 1) -> Account:
    return account_of(ShareWorker(task, lambda share: n_try)(ROW))


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a worker goes to its run's folder


def test_a_share_begun_again_goes_on_behind_what_was_written(tmp_path: Path) -> None:
    """The worker before it wrote a part of two; its account counts what both have asked."""
    task = task_in(tmp_path)
    written = ShareWorker(task, lambda share: 1)({**ROW, "wanted": [1, 2]})
    assert account_of(written).n_asked == 2
    assert account(task) == Account(n_asked=4)
    assert account(task) == Account(n_asked=4)
    parts = sorted((tmp_path / "out").glob("part-*.parquet"))
    assert sorted(pq.read_table(part)["n"].to_pylist() for part in parts) == [[0, 3], [1, 2]]


def test_answers_are_written_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_worker, "PART_ROWS", 3)
    assert account(task_in(tmp_path)) == Account(n_asked=4)
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 2


def test_answers_say_what_was_asked_as_the_call_log_keeps_it(tmp_path: Path) -> None:
    account(task_in(tmp_path))
    one = next(iter(read_responses(tmp_path / "out")))
    assert one.origin.question.startswith('[1,"guess","3",')
    assert one.origin.at


def test_a_share_over_which_workers_are_lost_ends_the_run(tmp_path: Path) -> None:
    told = account(task_in(tmp_path), n_try=MOST_TRIES + 1)
    with pytest.raises(Fatal, match="5 workers were lost over the requests 0 to 3, as if killed"):
        told.check()


def test_a_worker_with_another_model_than_the_others_is_found_out(tmp_path: Path) -> None:
    other = Asked("", 4, "guess", "2")
    with pytest.raises(Fatal, match=r"this is 'guess', revision '3'; the run was .*'2'"):
        account(task_in(tmp_path, asked=other)).check()


def test_a_want_that_a_model_has_not_is_told_as_on_one_machine(tmp_path: Path) -> None:
    (tmp_path / "mute.py").write_text(MUTE)
    wanting = Request("7", "answer", (Turn("user", ("Is it",)),), want=next_word("good", "poor"))
    write_requests(tmp_path / "requests.parquet", [wanting])
    told = account(task_in(tmp_path, model="./mute.py", asked=Asked("", 1, "mute", "")))
    with pytest.raises(BadInput, match="item 7: mute cannot give 'next_word', only text"):
        told.check()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadInput("a"), BadInput),
        (MissingExtra("a"), MissingExtra),
        (Fatal("a"), Fatal),
        (UnknownName("model", "x", []), EyechartError),
    ],
)
def test_an_error_arrives_as_what_it_was(error: EyechartError, kind: type[EyechartError]) -> None:
    with pytest.raises(EyechartError) as caught:
        account_of(stopped_by(error).as_row()).check()
    assert (type(caught.value), str(caught.value)) == (kind, str(error))


def test_a_folder_that_is_not_on_this_machine_changes_nothing(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    ShareWorker(
        Task(task.requests, "guess", GUESS, task.parts, task.ask, "/none/such"), lambda share: 1
    )
    assert Path.cwd() == tmp_path


def test_a_share_is_read_from_a_row_of_any_numbers() -> None:
    row = {"number": "3", "groups": (0.0,), "wanted": [5]}
    assert share_worker.share_in(row) == Share(3, (0,), (5,))
