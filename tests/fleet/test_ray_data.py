"""A fleet of two workers on a local Ray cluster of two CPUs: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray")

import ray
from tests.fleet.asked_for import question
from tests.pictures import photo, saved

from eyechart import plugins
from eyechart.asking import AskSettings, Budget, CallLog, ask
from eyechart.backends.guess import Guess
from eyechart.errors import BadInput, Fatal
from eyechart.fleet.importing import import_responses
from eyechart.fleet.ray_data import (
    Crew,
    Ledger,
    RaySettings,
    ask_on_ray,
    check_all_there,
    crew_for,
    lost,
)
from eyechart.fleet.request_rows import read_requests, write_requests
from eyechart.fleet.response_table import read_responses
from eyechart.fleet.shares import Parts
from eyechart.records import TEXT, Picture, Sampling, likelihood, next_word

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray[.]")
TWO = RaySettings(workers=2, batch_size=4)
N = 20
BACKEND = """
import os
from pathlib import Path

from eyechart.asking.backend import Answer, Backend, BackendPlugin
from eyechart.errors import Fatal, Refused

HERE = Path(__file__).parent

class Mine(Backend):
    model, revision, wants, continues, logged = "mine", "1", frozenset({"text"}), False, True

    async def answer(self, call):
        item = call.request.item_id
        with (HERE / "asked").open("a") as file:
            file.write(item + "\\n")
        BEHAVIOUR
        return Answer(text=item, finish="stop")

    async def close(self):
        pass

BACKEND = BackendPlugin("mine", "answers with the item's name", "", lambda address: Mine())
"""
KILLED_ONCE = """if item == "item-7" and not (HERE / "killed").exists():
            (HERE / "killed").touch()
            os.kill(os.getpid(), 9)"""


@pytest.fixture
def requests(tmp_path: Path, cluster: None) -> str:
    """Twenty questions about two photographs."""
    shown = [Picture(data=saved(photo(), "PNG"), name=f"{i}.png") for i in range(2)]
    write_requests(tmp_path / "requests.parquet", (question(n, shown[n // 10]) for n in range(N)))
    return str(tmp_path / "requests.parquet")


def backend(folder: Path, behaviour: str = "pass") -> str:
    """The address of a backend that notes what it is asked, and then does this."""
    (folder / "mine.py").write_text(BACKEND.replace("BEHAVIOUR", behaviour))
    return str(folder / "mine.py")


def rows_in(out: Path) -> list[tuple[int, str | None, str | None]]:
    """Number, text and failure of each row of each part, whether it counts or not."""
    parts = [pq.read_table(part).to_pylist() for part in out.glob("part-*.parquet")]
    return sorted((row["n"], row["text"], row["failure"]) for part in parts for row in part)


def asked_items(folder: Path) -> Counter[str]:
    return Counter((folder / "asked").read_text().split())


ALL = [(n, f"item-{n}", None) for n in range(N)]


def test_a_worker_is_killed_and_nothing_is_lost_or_doubled(requests: str, tmp_path: Path) -> None:
    """The answers come into the call log, where an ordinary run finds every one."""
    model, out = backend(tmp_path, KILLED_ONCE), tmp_path / "out"
    asked = ask_on_ray(Path(requests).as_uri(), model, out.as_uri(), settings=TWO)
    assert (tmp_path / "killed").exists()
    assert (asked.n_requests, asked.n_asked, asked.n_failed) == (N, N, 0)
    assert rows_in(out) == ALL
    items = asked_items(tmp_path)
    assert set(items.values()) <= {1, 2}
    assert {item for item, n in items.items() if n > 1} <= {f"item-{n}" for n in range(4, 8)}
    assert import_responses(out, tmp_path).n_new == N
    with CallLog(tmp_path / "calls.sqlite") as log:
        found = list(ask(read_requests(requests), plugins.open_model(model), log=log))
    assert sorted(one.text or "" for one in found) == sorted(f"item-{n}" for n in range(N))
    assert asked_items(tmp_path) == items
    assert ray.is_initialized(), "a cluster that was joined stays up"
    assert ray.data.DataContext.get_current().print_on_execution_start


def test_what_a_lost_worker_had_written_is_not_asked_again(requests: str, tmp_path: Path) -> None:
    """One share holds all; its first part was written before the worker was lost."""
    from eyechart.fleet import share_worker

    killed = KILLED_ONCE.replace("item-7", "item-19")
    model, settings = backend(tmp_path, killed), RaySettings(ask=AskSettings(concurrency=1))
    many = [question(n) for n in range(2 * share_worker.PART_ROWS)]
    many[300] = question(19)
    many[19] = question(1000)
    write_requests(tmp_path / "many.parquet", many)
    asked = ask_on_ray(str(tmp_path / "many.parquet"), model, tmp_path / "out", settings=settings)
    assert (asked.n_asked, asked.n_failed) == (len(many), 0)
    assert Counter(n for n, _, _ in rows_in(tmp_path / "out")) == Counter(range(len(many)))
    assert sum(n - 1 for n in asked_items(tmp_path).values()) <= share_worker.PART_ROWS


def test_asked_again_a_fleet_answers_only_what_is_missing(requests: str, tmp_path: Path) -> None:
    """Failures are rows, are asked again, and an answer then counts before them."""
    refusing = 'if item == "item-3" and not (HERE / "well").exists(): raise Refused("too blurred")'
    model, out = backend(tmp_path, refusing), tmp_path / "out"
    first = ask_on_ray(requests, model, out, settings=TWO)
    assert (first.n_asked, first.n_failed, first.why) == (N - 1, 1, "too blurred (1 times)")
    assert (3, None, "refused") in rows_in(out)
    (tmp_path / "well").touch()
    second = ask_on_ray(requests, model, out, settings=TWO)
    assert (second.n_before, second.n_asked, second.n_failed) == (N - 1, 1, 0)
    assert sorted((one.n, one.response.text) for one in read_responses(out)) == [
        (n, f"item-{n}") for n in range(N)
    ]
    (tmp_path / "asked").unlink()
    third = ask_on_ray(requests, model, out, settings=TWO)
    assert (third.n_before, third.n_asked) == (N, 0)
    assert not (tmp_path / "asked").exists()


def test_what_no_request_survives_stops_the_run_with_its_own_words(
    requests: str, tmp_path: Path
) -> None:
    """What was answered is kept, of the share that it was in too."""
    fatal, out = 'if item == "item-9": raise Fatal("the key is wrong")', tmp_path / "out"
    one = RaySettings(workers=1, batch_size=4, ask=AskSettings(concurrency=1))
    with pytest.raises(Fatal, match=r"^the key is wrong$"):
        ask_on_ray(requests, backend(tmp_path, fatal), out, settings=one)
    kept = rows_in(out)
    assert kept[:9] == ALL[:9] and set(kept) <= set(ALL)


@pytest.mark.slow
def test_requests_that_kill_every_worker_end_the_run(requests: str, tmp_path: Path) -> None:
    killed = 'if item == "item-7": os.kill(os.getpid(), 9)'
    with pytest.raises(Fatal, match="5 workers were lost over the requests 4 to 7, as if killed"):
        ask_on_ray(requests, backend(tmp_path, killed), tmp_path / "out", settings=TWO)
    assert not {4, 5, 6, 7} & {n for n, _, _ in rows_in(tmp_path / "out")}


LOCAL_AND_KILLED_ONCE = """
import os
from pathlib import Path

from eyechart.asking.backend import BackendPlugin
from eyechart.backends.transformers import Transformers, find_checkpoint, read_address

HERE = Path(__file__).parent

class Mine(Transformers):
    async def answer(self, call):
        answer = await super().answer(call)
        if call.request.item_id == "item-5" and not (HERE / "killed").exists():
            (HERE / "killed").touch()
            os.kill(os.getpid(), 9)
        return answer

def opened(address):
    return Mine(find_checkpoint(read_address(f"hf:{HERE / 'tiny'}")))

BACKEND = BackendPlugin("mine", "a tiny model", "", opened)
"""


def test_workers_with_a_model_of_their_own_answer_as_one_machine_does(
    tmp_path: Path, cluster: None
) -> None:
    """One of them is killed on the way: nothing is lost or doubled."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.local.tiny_models import save_qwen3_vl

    save_qwen3_vl(tmp_path / "tiny")
    (tmp_path / "mine.py").write_text(LOCAL_AND_KILLED_ONCE)
    shown = [Picture(data=saved(photo(), "PNG"), name=f"{i}.png") for i in range(2)]
    wants = [next_word("good", "poor"), likelihood("good .", "poor ."), TEXT]
    asking = [
        replace(question(n, shown[n // 5]), want=wants[n % 3], sampling=Sampling(max_tokens=4))
        for n in range(10)
    ]
    write_requests(tmp_path / "requests.parquet", asking)
    settings = RaySettings(workers=2, gpus=0.0, batch_size=5)
    table, model = tmp_path / "requests.parquet", str(tmp_path / "mine.py")
    asked = ask_on_ray(table, model, tmp_path / "out", settings=settings)
    assert (tmp_path / "killed").exists()
    assert (asked.n_asked, asked.n_failed) == (10, 0)
    assert [n for n, _, _ in rows_in(tmp_path / "out")] == list(range(10))
    alone = {one.item_id: one for one in ask(asking, plugins.open_model(model))}
    for one in read_responses(tmp_path / "out"):
        same = alone[one.response.item_id]
        assert (one.response.key, one.response.text) == (same.key, same.text)
        assert one.response.logprobs == pytest.approx(same.logprobs, abs=1e-4)


def test_a_fleet_has_no_budget() -> None:
    with pytest.raises(BadInput, match="a budget cannot be kept by many workers at once"):
        RaySettings(AskSettings(budget=Budget(calls=5)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"workers": 0}, "expected workers of at least 1, not 0"),
        ({"batch_size": 0}, "expected batch_size of at least 1, not 0"),
        ({"gpus": -1.0}, "expected cpus and gpus of 0 or more, not 1.0 and -1.0"),
    ],
)
def test_settings_that_no_fleet_can_have_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        RaySettings(**settings)


class OnThisMachine(Guess):
    window = 256


def test_a_fleet_has_as_many_workers_as_there_is_room_for() -> None:
    """A service has one, which has many calls on their way: it is others who pay for more."""
    settings, local = RaySettings(), OnThisMachine()
    assert crew_for(settings, local, CPU=8, GPU=0) == Crew(8, 1.0, 0.0)
    assert crew_for(settings, local, CPU=64, GPU=8) == Crew(8, 1.0, 1.0)
    assert crew_for(settings, Guess(), CPU=64, GPU=8) == Crew(1, 1.0, 0.0)
    assert crew_for(RaySettings(workers=3), Guess(), CPU=2) == Crew(3, 1.0, 0.0)
    assert crew_for(RaySettings(gpus=2.0), local, CPU=64, GPU=8) == Crew(4, 1.0, 2.0)
    assert crew_for(RaySettings(cpus=4.0), local, CPU=2) == Crew(1, 4.0, 0.0)


def test_a_failure_of_ours_is_told_in_a_line_without_rays_pages() -> None:
    pages = (
        "ray::MapWorker()\n  File x\nKeyError: 'n'\n\nray.exceptions.UserCodeException: UDF failed"
    )
    assert "a worker failed (KeyError: 'n'). What was answered" in str(lost(ValueError(pages)))
    assert "a worker failed (OSError). What" in str(lost(OSError()))


def test_responses_that_are_not_seen_here_are_missed(tmp_path: Path) -> None:
    """As where each machine of a fleet writes into a folder of its own."""
    with pytest.raises(Fatal, match="2 of 2 responses are not there as seen from this machine"):
        check_all_there(Parts(str(tmp_path), 1), 2)


def test_a_try_is_numbered_from_one() -> None:
    ledger = Ledger()
    assert [ledger.begin(share) for share in (0, 0, 7)] == [1, 2, 1]
