"""What every backend and every metric must hold; a new one is tested by being there."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import numpy as np
import pytest

from eyechart import plugins
from eyechart.asking.backend import Backend, Call
from eyechart.errors import BadInput, UnknownName
from eyechart.images import encode
from eyechart.records import Picture, Request, Turn, likelihood, next_word

WANTS = {"text", "next_word", "likelihood"}
EMBEDDED = ["guess", "signal"]


@pytest.mark.parametrize("name", plugins.names("backends"))
def test_a_backend_says_what_it_is(name: str) -> None:
    plugin = plugins.backend(name)
    assert plugin.name == name
    assert plugin.summary.strip()
    assert plugin.example.strip()


def test_the_named_backends_are_there() -> None:
    assert {"openai_http", "guess", "signal", "scripted", "replay"} <= set(
        plugins.names("backends")
    )


def answer(backend: Backend, request: Request) -> object:
    async def story() -> object:
        try:
            images = tuple(encode(picture) for picture in request.pictures)
            return await backend.answer(Call(request, images))
        finally:
            await backend.close()

    return asyncio.run(story())


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_model_answers_the_same_twice_and_meets_its_wants(
    name: str, png: bytes
) -> None:
    turns = (Turn("user", (Picture(data=png, name="a.png"), "Is it sharp?\n\nA. Yes\nB. No")),)
    for want in (None, next_word("good", "poor"), likelihood("It is good.", "It is poor.")):
        request = (
            Request("1", "answer", turns, want=want) if want else Request("1", "answer", turns)
        )
        assert answer(plugins.open_model(name), request) == answer(
            plugins.open_model(name), request
        )
    assert plugins.open_model(name).wants <= WANTS


@pytest.mark.parametrize("name", EMBEDDED)
def test_log_probabilities_are_not_above_zero(name: str, png: bytes) -> None:
    turns = (Turn("user", (Picture(data=png, name="a.png"), "Rate the quality of the image.")),)
    request = Request("1", "answer", turns, want=next_word("good", "poor"))
    told = answer(plugins.open_model(name), request)
    logprobs = [p for p in told.logprobs if p is not None]  # type: ignore[attr-defined]
    assert len(logprobs) == 2
    assert all(p <= 0 and not math.isnan(p) for p in logprobs)


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_a_metric_keeps_its_bounds_and_knows_when_it_is_undefined(name: str) -> None:
    metric = plugins.metric(name)
    assert metric.name == name
    assert metric.source.strip()
    rng = np.random.default_rng(0)
    low, high = metric.bounds
    for _ in range(20):
        a, b = rng.random(30), rng.random(30)
        value = metric.compute(a, b) if metric.needs == "pairs" else metric.compute(a)
        assert value is not None
        assert low <= value <= high
    nothing = np.array([])
    empty = metric.compute(nothing, nothing) if metric.needs == "pairs" else metric.compute(nothing)
    assert empty is None


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("benchmark", "snelen", "snellen"),
        ("backend", "signl", "signal"),
        ("metric", "scrr", "srcc"),
    ],
)
def test_an_unknown_name_offers_the_nearest(kind: str, name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"no {kind} is called '{name}'; did you mean '{near}'"):
        getattr(plugins, kind)(name)


@pytest.mark.parametrize("key", ["sk-secret", "sk-secret:m", "AIza" + "secret" * 6])
def test_a_key_in_place_of_a_models_address_is_not_shown(key: str) -> None:
    with pytest.raises(BadInput, match="this is no model's address, it looks like a key") as caught:
        plugins.open_model(key)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def", r"cannot be loaded \(SyntaxError: invalid syntax"),
        ("1 / 0", r"cannot be loaded \(ZeroDivisionError: division by zero\); mend the file"),
        ("import nowhere_at_all", r"cannot be loaded \(ModuleNotFoundError: No module named"),
        ("x = 1", "expected a constant BACKEND in this file"),
    ],
)
def test_a_plug_in_file_that_cannot_be_used_is_named(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(BadInput, match=rf"mine\.py: {said}"):
        plugins.open_model(str(file))


def test_an_unknown_model_address_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'openai'"):
        plugins.open_model("opnai:gpt-5.2")


@pytest.mark.parametrize("address", ["/models/mine", "./mine", "Qwen/Qwen3-VL-8B-Instruct"])
def test_a_checkpoint_without_its_scheme_is_told_how_to_write_it(address: str) -> None:
    with pytest.raises(BadInput, match="write hf: before it"):
        plugins.open_model(address)


def test_a_scheme_in_capitals_is_told_in_small_letters() -> None:
    with pytest.raises(UnknownName, match="did you mean 'hf'"):
        plugins.open_model("HF:/models/mine")
