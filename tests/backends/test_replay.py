"""Runs given again: the same questions get the same answers, and nothing else gets any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from eyechart import plugins
from eyechart.asking import ask
from eyechart.asking.backend import Backend
from eyechart.backends.scripted import Scripted
from eyechart.errors import BadInput
from eyechart.items import Card
from eyechart.prompts import ALSO, PromptForm, answer_requests, judge_requests
from eyechart.records import Item, Picture, Request, Response
from eyechart.run_folder import JudgeInfo, ResponseWriter, RunInfo, write_info
from eyechart.run_settings import RunSettings, fitted


@pytest.fixture
def items(png: bytes) -> dict[str, Item]:
    shown = (Picture(data=png, name="a.png"),)
    kinds = [
        Item("1", "single", "What is wrong?", shown, ("Blur", "Noise"), "Blur"),
        Item("2", "open", "What is wrong?", shown, answer="It is blurred."),
        Item("3", "rate", "Rate the quality of the image.", shown),
    ]
    return {item.id: item for item in kinds}


def run(folder: Path, items: dict[str, Item], form: str) -> list[Response]:
    """A run of a scripted model and judge, laid down in a folder."""
    ways = PromptForm(rate=form, also=ALSO)
    answers = asked(answer_requests(items.values(), form=ways), Scripted("A"))
    judge = Scripted("Score: 2", model="a judge", revision="7")
    responses = [*answers, *asked(judge_requests(items, answers), judge)]
    folder.mkdir()
    identity = {"rating prompt": form}
    write_info(
        folder, RunInfo("x", "scripted", "", "2026", identity, Card("x"), (JudgeInfo("a judge"),))
    )
    with ResponseWriter(folder) as writer:
        for response in responses:
            writer.add(response)
    return responses


def asked(requests: Iterable[Request], backend: Backend) -> list[Response]:
    responses = [replace(response, seconds=0.0) for response in ask(requests, backend)]
    return sorted(responses, key=lambda r: (r.item_id, r.variant, r.draw))


@pytest.mark.parametrize("form", ["begun", "one-word"])
def test_a_replay_asks_as_the_run_asked_and_answers_the_same(
    tmp_path: Path, items: dict[str, Item], form: str
) -> None:
    before = [r for r in run(tmp_path / "run", items, form) if r.role == "answer"]
    backend = plugins.open_model(f"replay:{tmp_path / 'run'}")
    assert backend.continues == (form == "begun")
    wanted = RunSettings(form=PromptForm(also=ALSO))
    settings = fitted(wanted, backend, items.values(), plugins.GENERAL_RULES)
    again = asked(answer_requests(items.values(), form=settings.form), backend)
    assert again == before
    assert [r.likelihood is not None for r in again if r.variant == "likelihood"] == [True]
    assert all(response.failure is None for response in again)


def test_a_judge_is_replayed_by_an_address_of_its_own(
    tmp_path: Path, items: dict[str, Item]
) -> None:
    responses = run(tmp_path / "run", items, "begun")
    answers = [r for r in responses if r.role == "answer"]
    judge = plugins.open_model(f"replay:{tmp_path / 'run'}#judge")
    assert (judge.model, judge.revision) == ("a judge", "7")
    verdicts = asked(judge_requests(items, answers), judge)
    assert verdicts == [r for r in responses if r.role == "judge"]
    assert {verdict.text for verdict in verdicts} == {"Score: 2"}


def test_what_the_run_never_asked_is_refused_with_what_to_do(
    tmp_path: Path, items: dict[str, Item]
) -> None:
    answers = [r for r in run(tmp_path / "run", items, "begun") if r.role == "answer"]
    address = f"replay:{tmp_path / 'run'}"
    for response in asked(judge_requests(items, answers), plugins.open_model(address)):
        assert response.failure is not None
        assert f"{address} never asked this (item 2, key" in response.failure.message
        assert "(a judge as RUN#judge), or ask the model itself" in response.failure.message


def test_a_folder_without_answers_or_without_a_run_cannot_be_replayed(
    tmp_path: Path, items: dict[str, Item]
) -> None:
    with pytest.raises(BadInput, match=r"no responses\.jsonl in .*; expected a run folder"):
        plugins.open_model(f"replay:{tmp_path}")
    run(tmp_path / "run", {"1": items["1"]}, "begun")
    with pytest.raises(BadInput, match="run#judge: no judges to replay; expected a finished run"):
        plugins.open_model(f"replay:{tmp_path / 'run'}#judge")
    (tmp_path / "run" / "run.json").unlink()
    with pytest.raises(BadInput, match=r"not a run folder: no run\.json"):
        plugins.open_model(f"replay:{tmp_path / 'run'}")
