"""The backend against a real server on loopback: its answers, its keys, its life."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Iterator
from typing import Any

import pytest
from tests.backends.calling import SECRET, ask, ask_address, call, error_of
from tests.endpoint import (
    Behaviour,
    answers,
    drops,
    echoes_key,
    fails,
    gives_words,
    reply,
    sends,
    sends_text,
    serve,
)

from eyechart.asking.backend import Answer, Call
from eyechart.backends.openai_address import read_address
from eyechart.backends.openai_http import BACKEND, OpenAIHTTP, open_address
from eyechart.errors import CallError, Refused
from eyechart.images import Encoded
from eyechart.records import Picture, Request, Turn, Usage, next_word


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own environment holds stays out of these tests."""
    for name in ("OPENAI_API_KEY", "EYECHART_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


# --- answers --------------------------------------------------------------------------------------


def test_a_call_with_pictures_arrives_whole_and_is_answered() -> None:
    turns = (Turn("user", (Picture(data=b""), "or", Picture(data=b""), "?")),)
    images = (
        Encoded(b"\xff" * 2_000_001, "", "image/jpeg", "JPEG", 1, 1),
        Encoded(b"png", "", "image/png", "PNG", 1, 1),
    )
    with serve(answers("B")) as endpoint:
        [answer] = ask(endpoint, Call(Request("1", "answer", turns), images), key=SECRET)
    assert answer == Answer("B", finish="stop", usage=Usage(100, 2))
    [seen] = endpoint.requests
    assert seen.pictures == [images[0].data, images[1].data]
    assert seen.media_types == ["image/jpeg", "image/png"]
    assert seen.body["model"] == "eyes"
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in seen.headers


def test_many_calls_at_once_get_their_own_answers() -> None:
    async def run(backend: OpenAIHTTP) -> list[Answer]:
        try:
            calls = [call(f"question {i}", n_bytes=300_000) for i in range(100)]
            return await asyncio.gather(*[backend.answer(one) for one in calls])
        finally:
            await backend.close()

    async def echo(request: Any, seen: Any) -> Any:
        return await answers(seen.parts[-1]["text"])(request, seen)

    with serve(echo) as endpoint:
        got = asyncio.run(run(OpenAIHTTP(read_address(endpoint.address, {}))))
    assert [answer.text for answer in got] == [f"question {i}" for i in range(100)]


def test_next_word_reads_the_returned_list() -> None:
    with serve(gives_words(_good=-0.25, Good=-9.0, _fine=-11.5)) as endpoint:
        [answer] = ask(endpoint, call(want=next_word("good", "poor"), begun="The quality is"))
    good, poor = answer.logprobs
    assert good == pytest.approx(-0.2498, abs=1e-3)
    assert poor is None
    assert answer.bound == pytest.approx(-11.5 + math.log(6))
    assert endpoint.requests[0].body["messages"][-1]["content"] == "The quality is"


def test_no_logprobs_is_refused_with_what_to_do() -> None:
    error = error_of(answers("good"), asked=call(want=next_word("good", "poor")))
    assert isinstance(error, Refused)
    assert "returned no logprobs: this server does not give word probabilities; use" in str(error)


def test_an_empty_and_a_cut_off_answer_are_answers() -> None:
    with serve(answers(""), answers("", finish="length"), answers("so far", finish="length")) as e:
        got = ask(e, call(), call(), call())
    assert [(answer.text, answer.finish) for answer in got] == [
        ("", "stop"),
        ("", "length"),
        ("so far", "length"),
    ]


def test_a_server_that_closes_after_each_answer_does_no_harm() -> None:
    with serve(sends(reply("A"), headers={"Connection": "close"})) as endpoint:
        assert len(ask(endpoint, call(), call(), call())) == 3


# --- keys -----------------------------------------------------------------------------------------


def all_troubles() -> Iterator[Behaviour]:
    told = f"you sent Bearer {SECRET}"
    yield from [echoes_key(), sends_text(told), sends({"x": told}), sends({"error": told})]
    yield from [fails(status, told) for status in (400, 404, 429, 500)]
    yield from [fails(400, "x" * (290 - len(told)) + told), fails(401, told, code=SECRET)]
    yield sends({}, status=307, headers={"Location": f"http://{SECRET}@other.org"})
    yield sends({"detail": [{"loc": [SECRET], "msg": SECRET}]}, status=422)
    yield drops(5)


@pytest.mark.parametrize("behaviour", list(all_troubles()))
def test_the_key_is_in_no_error(behaviour: Behaviour) -> None:
    error: BaseException | None = error_of(behaviour, key=SECRET)
    while error is not None:
        assert SECRET not in f"{error!r} {error} {error.args}"
        assert SECRET[:8] not in str(error)
        error = error.__cause__


def test_the_key_is_in_no_name_and_no_answer() -> None:
    with serve(answers(f"Your key is {SECRET}.")) as endpoint:
        [answer] = ask(endpoint, key=SECRET)
        backend = open_address(endpoint.address.replace("//", f"//{SECRET}@"))
    assert answer.text == "Your key is ***."
    assert SECRET not in f"{backend!r} {backend} {backend.model} {backend.revision}"
    assert backend.model == endpoint.address


# --- the plug-in ----------------------------------------------------------------------------------


def test_the_plug_in_opens_any_address(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = BACKEND.open(BACKEND.example)
    assert (backend.model, backend.continues, backend.logged) == (BACKEND.example, True, True)
    assert sorted(backend.wants) == ["likelihood", "next_word", "text"]
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    backend = BACKEND.open("anthropic:claude")
    assert (backend.model, backend.continues) == ("anthropic:claude", False)
    assert sorted(backend.wants) == ["text"]


def test_only_a_server_of_ones_own_may_tell_likelihoods(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    known = ("openai:gpt", "openrouter:a/b", "ollama:llava", "https://api.openai.com/v1#gpt")
    for address in known:
        assert "likelihood" not in BACKEND.open(address).wants
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert "likelihood" in BACKEND.open("openai:gpt").wants


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(answers("by proxy")) as proxy, serve(answers("direct")) as endpoint:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert ask_address("http://far.invalid/v1#eyes").text == "by proxy"
        assert ask_address(endpoint.address).text == "direct"


def test_nothing_is_left_open() -> None:
    with serve(fails(401), drops(0), answers()) as endpoint:
        for _ in range(2):
            with pytest.raises(CallError):
                ask(endpoint, call(n_bytes=5_000_000))
        ask(endpoint, call(n_bytes=5_000_000))
    gc.collect()  # what was left open would warn here, and a warning is an error
    assert [len(seen.pictures[0]) for seen in endpoint.requests] == [5_000_000] * 3
