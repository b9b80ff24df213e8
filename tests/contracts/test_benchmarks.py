"""What every benchmark must hold; a new one is tested by being there."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyechart import plugins
from eyechart.asking import ask
from eyechart.asking.backend import Answer
from eyechart.backends.scripted import Scripted
from eyechart.benchmarks import Source
from eyechart.items import ItemSet
from eyechart.prompts import LETTERS, answer_requests, judge_requests
from eyechart.records import Item, Request, Response
from eyechart.scores import score_responses

NAMES = plugins.names("benchmarks")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module", params=NAMES)
def item_set(request: pytest.FixtureRequest, workspace: Path) -> ItemSet:
    return plugins.benchmark(request.param).items(Source(None, workspace, max_photos=2))


def perfect_reply(item: Item) -> str:
    if isinstance(item.answer, bool):
        return str(item.answer)
    if isinstance(item.answer, tuple):
        return ", ".join(LETTERS[item.options.index(option)] for option in item.answer)
    return LETTERS[item.options.index(str(item.answer))] if item.options else str(item.answer)


def responses_of(item_set: ItemSet, reply: dict[str, str]) -> list[Response]:
    return list(ask(answer_requests(item_set.items), Scripted(reply)))


def test_there_are_benchmarks() -> None:
    assert "snellen" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_complete(name: str) -> None:
    benchmark = plugins.benchmark(name)
    assert benchmark.name == name
    for text in (benchmark.title, benchmark.version, benchmark.summary, benchmark.licence):
        assert text.strip()
    assert benchmark.citation.strip()


def test_ids_are_unique_and_answers_are_among_the_options(item_set: ItemSet) -> None:
    assert len({item.id for item in item_set.items}) == len(item_set.items)
    for item in item_set.items:
        answers = item.answer if isinstance(item.answer, tuple) else (item.answer,)
        if item.kind in ("single", "multiple"):
            assert set(answers) <= set(item.options), item.id
        if item.kind == "true_false":
            assert isinstance(item.answer, bool), item.id


def test_a_perfect_model_gets_everything_right(item_set: ItemSet) -> None:
    closed = [i for i in item_set.items if i.kind in ("single", "multiple", "true_false")]
    perfect = {item.id: perfect_reply(item) for item in closed}
    scores = score_responses(closed, responses_of(ItemSet(item_set.card, tuple(closed)), perfect))
    assert {score.value for score in scores} == {1.0}


def test_a_mute_model_is_unscored_throughout(item_set: ItemSet) -> None:
    mute = Scripted(lambda request: Answer(text="", logprobs=(None,) * len(request.want.words)))
    responses = list(ask(answer_requests(item_set.items), mute))
    scores = score_responses(item_set.items, responses)
    assert {score.value for score in scores} == {None}
    assert all(score.why for score in scores)


def test_a_perfect_judge_gives_a_perfect_verdict(item_set: ItemSet) -> None:
    judged = {i.id: i for i in item_set.items if i.kind in ("open", "describe")}
    answers = responses_of(
        ItemSet(item_set.card, tuple(judged.values())),
        {name: perfect_reply(item) for name, item in judged.items()},
    )
    requests: list[Request] = list(judge_requests(judged, answers))
    verdicts = list(ask(requests, Scripted("Score: 2")))
    scores = score_responses(list(judged.values()), [*answers, *verdicts])
    assert {score.value for score in scores} <= {1.0}
