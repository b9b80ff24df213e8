"""What every benchmark must hold; a new one is tested by being there."""

from __future__ import annotations

import pytest
from tests.benchmarks.samples import SAMPLES

from eyechart import plugins
from eyechart.asking import ask
from eyechart.asking.backend import Answer
from eyechart.backends.scripted import Scripted
from eyechart.benchmarks import Benchmark, Findings, Told
from eyechart.items import ItemSet
from eyechart.prompts import LETTERS, Judging, PromptForm, answer_requests, judge_requests
from eyechart.records import CLOSED_KINDS, Item, Response
from eyechart.scores import Scoring, score_responses

NAMES = plugins.names("benchmarks")


@pytest.fixture(scope="module", params=NAMES)
def benchmark(request: pytest.FixtureRequest) -> Benchmark:
    return plugins.benchmark(request.param)


@pytest.fixture(scope="module")
def item_set(benchmark: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> ItemSet:
    folder = tmp_path_factory.mktemp(benchmark.name)
    return benchmark.items(SAMPLES[benchmark.name](folder))


def test_every_benchmark_has_a_sample_of_its_data() -> None:
    assert sorted(SAMPLES) == NAMES


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
    closed = [i for i in item_set.items if i.kind in CLOSED_KINDS]
    if not closed:
        pytest.skip("nothing here is right or wrong")
    perfect = {item.id: perfect_reply(item) for item in closed}
    scores = score_responses(closed, responses_of(ItemSet(item_set.card, tuple(closed)), perfect))
    assert {score.value for score in scores} == {1.0}


def test_a_mute_model_is_unscored_throughout(item_set: ItemSet) -> None:
    mute = Scripted(lambda request: Answer(text="", logprobs=(None,) * len(request.want.words)))
    responses = list(ask(answer_requests(item_set.items), mute))
    scores = score_responses(item_set.items, responses)
    assert {score.value for score in scores} == {None}
    assert all(score.why for score in scores)


def test_a_perfect_judge_gives_a_perfect_verdict(benchmark: Benchmark, item_set: ItemSet) -> None:
    items = {item.id: item for item in item_set.items if item.kind != "rate"}
    answers = responses_of(
        ItemSet(item_set.card, tuple(items.values())),
        {name: perfect_reply(item) for name, item in items.items()},
    )
    rubrics = benchmark.rubrics
    once = Judging(n_draws=1)
    requests = list(judge_requests(items, answers, rubrics=rubrics, judging=once))
    most = {rubric.variant: rubric.most for mine in rubrics.values() for rubric in mine}
    judge = Scripted(lambda request: f"Score: {most[request.variant]}", model="judge")
    scoring = Scoring(rubrics, {"judge": 1})
    verdicts = list(ask(requests, judge))
    scores = score_responses(list(items.values()), [*answers, *verdicts], scoring)
    assert {score.value for score in scores} <= {1.0}


def test_every_rubric_has_a_template_that_holds_the_reply(
    benchmark: Benchmark, item_set: ItemSet
) -> None:
    item = next((i for i in item_set.items if i.kind in benchmark.rubrics), None)
    if item is None:
        pytest.skip("no item here needs a judge")
    reply = Response(item.id, "answer", 0, "k", "m", text="a reply with $dollars")
    for request in judge_requests({item.id: item}, [reply], rubrics=benchmark.rubrics):
        assert "a reply with $dollars" in str(request.turns[0].parts[0])
        assert not request.pictures


def test_what_a_benchmark_leaves_open_is_filled_in_and_asked(
    benchmark: Benchmark, item_set: ItemSet
) -> None:
    form = PromptForm(benchmark.form, strategies=benchmark.strategies)
    asked = {request.item_id for request in answer_requests(item_set.items, form=form)}
    assert asked == {item.id for item in item_set.items}


def test_tables_and_lead_are_made_of_a_mute_run_too(
    benchmark: Benchmark, item_set: ItemSet
) -> None:
    scores = score_responses(item_set.items, [])
    findings = Findings(item_set, [], scores, "m", (), benchmark.strategies)
    told = benchmark.tell(findings) if benchmark.tell else Told()
    assert isinstance(told.lead, str)
    for table in told.tables:
        assert table.lines, table.name
        for line in table.lines:
            assert len(line.entries) == len(table.columns), (table.name, line.label)
