"""Every way to get no answer from a real server on loopback, and what is said about it."""

from __future__ import annotations

import asyncio
import gzip
import socket
from contextlib import closing, suppress
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from aiohttp import web
from tests.backends.calling import SECRET, ask_address, call, error_of
from tests.endpoint import (
    Behaviour,
    Seen,
    answers,
    busy,
    drops,
    fails,
    sends,
    sends_text,
)

from eyechart.asking.backend import Answer
from eyechart.backends import openai_http
from eyechart.backends.openai_address import read_address
from eyechart.backends.openai_http import MAX_REPLY_BYTES, UNREADABLE, OpenAIHTTP
from eyechart.errors import CallError, Fatal, Refused, Transient
from eyechart.records import Sampling, next_word

A_RATING = call(want=next_word("good"), begun="It is", sampling=Sampling(0.0, 0.9, 9))
NESTED = "[" * 100_000
FAR_ZONE = "Wed, 21 Oct 2015 07:28:00 -9999999999999999"
NO_REASON = {"choices": [{"message": {"role": "assistant", "content": None}}]}

# --- errors that stop the run ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_key_stops_the_run_and_its_origin_is_named(status: int) -> None:
    error = error_of(fails(status, "bad key", code="invalid_api_key"), key=SECRET)
    assert isinstance(error, Fatal)
    assert f"HTTP {status} (error invalid_api_key): bad key. The key came from the address" in str(
        error
    )
    error = error_of(fails(status))
    assert "No key was sent: set EYECHART_API_KEY, or write http://KEY@HOST" in str(error)


@pytest.mark.parametrize(
    "behaviour",
    [
        fails(404, "The model `eyes` does not exist.", code="model_not_found"),
        fails(400, "eyes is not a valid model ID"),
        sends({"detail": "Not Found"}, status=404),
        sends_text("<html>404</html>", status=404),
        fails(405, "Method Not Allowed"),
    ],
)
def test_no_such_model_or_place_stops_the_run(behaviour: Behaviour) -> None:
    error = error_of(behaviour)
    assert isinstance(error, Fatal)
    assert "Is 'eyes' the model's name there, and http://127.0.0.1" in str(error)


def test_an_empty_account_stops_the_run_though_it_is_a_429() -> None:
    for behaviour in (fails(429, "quota", code="insufficient_quota"), fails(402, "no credits")):
        error = error_of(behaviour)
        assert isinstance(error, Fatal)
        assert "The account has nothing left to spend" in str(error)


def test_a_redirect_stops_the_run_and_names_where_to() -> None:
    error = error_of(sends({}, status=307, headers={"Location": "https://other.org/v1"}))
    assert isinstance(error, Fatal)
    assert "The address leads to https://other.org/v1: use the one that answers" in str(error)


@pytest.mark.parametrize(
    ("behaviour", "advice"),
    [
        (
            fails(400, "Unsupported value", param="temperature", code="unsupported_value"),
            "It rejects 'temperature': run with --temperature default",
        ),
        (
            fails(400, "Unsupported parameter: 'max_tokens' is not supported with this model."),
            "It rejects 'max_tokens': run with another --max-tokens",
        ),
        (
            sends({"detail": [{"loc": ["body", "top_p"], "msg": "no", "input": {}}]}, status=422),
            "It rejects 'top_p': run with top_p unset",
        ),
    ],
)
def test_a_rejected_setting_stops_the_run_with_what_to_change(
    behaviour: Behaviour, advice: str
) -> None:
    error = error_of(behaviour, asked=A_RATING)
    assert isinstance(error, Fatal)
    assert advice in str(error)


# --- errors of one request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "advice"),
    [
        (
            fails(400, "logprobs are not available for this model"),
            "It rejects 'logprobs': this model gives no word probabilities",
        ),
        (
            fails(400, "must be at most 5", param="top_logprobs"),
            "It rejects 'top_logprobs': this model gives no word probabilities",
        ),
        (
            sends({"object": "error", "message": "extra: continue_final_message"}, status=400),
            "It rejects 'continue_final_message': this server cannot go on from a begun answer",
        ),
        (
            fails(422, "no such field", param="add_generation_prompt"),
            "It rejects 'add_generation_prompt': this server cannot go on from a begun answer",
        ),
    ],
)
def test_a_rejected_setting_that_only_ratings_carry_fails_ratings_only(
    behaviour: Behaviour, advice: str
) -> None:
    error = error_of(behaviour, asked=A_RATING)
    assert isinstance(error, Refused)
    assert advice in str(error)


def test_a_setting_that_nobody_chose_stops_no_run() -> None:
    """A rating is read without any sampling, whatever --temperature says."""
    plain = call(want=next_word("good"), begun="It is", sampling=Sampling(None, None))
    error = error_of(fails(400, "Unsupported value", param="temperature"), asked=plain)
    assert isinstance(error, Refused)
    assert "It rejects 'temperature': this model gives no word probabilities" in str(error)


@pytest.mark.parametrize("status", [400, 413, 415, 422, 501])
def test_a_refused_request_is_refused_with_the_servers_words(status: int) -> None:
    error = error_of(fails(status, "image too small"))
    assert isinstance(error, Refused)
    assert f"HTTP {status}: image too small" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 2048 tokens; max_tokens asks for more",
        "could not read: What is its colour temperature?",
        "bad image " + "x" * 300 + " temperature",
    ],
)
def test_a_setting_that_is_only_mentioned_does_not_stop_the_run(message: str) -> None:
    error = error_of(fails(400, message), asked=call("What is its colour temperature?"))
    assert isinstance(error, Refused)


def test_flagged_input_fails_its_own_item_only() -> None:
    error = error_of(fails(403, "Your input was flagged by moderation"))
    assert isinstance(error, Refused)


def test_a_long_and_wild_message_is_cut_and_cleaned() -> None:
    error = error_of(fails(400, "a\n\tb \x1b[31m" + "long " * 500))
    assert "a b [31mlong long" in str(error)
    assert "\x1b" not in str(error)
    assert str(error).endswith("…")
    assert len(str(error)) < 450


# --- errors that may pass -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 520, 529])
def test_a_servers_trouble_may_pass(status: int) -> None:
    error = error_of(fails(status, "oops", headers={"Retry-After": "3"}))
    assert isinstance(error, Transient)
    assert (error.after_s, error.throttled, error.unreachable) == (3.0, False, False)
    assert f"HTTP {status}: oops" in str(error)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"Retry-After": "0.5"}, 0.5, 0.5),
        ({"Retry-After": "-7"}, 0, 0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25, 0.25),
        ({"Retry-After": formatdate(time() + 3600, usegmt=True)}, 3000, 3600),
        ({"Retry-After": formatdate(time() - 3600, usegmt=True)}, 0, 0),
    ],
)
def test_being_asked_to_slow_down_says_how_long(
    headers: dict[str, str], low: float, high: float
) -> None:
    error = error_of(fails(429, "slow down", headers=headers))
    assert isinstance(error, Transient)
    assert error.throttled
    assert error.after_s is not None
    assert low <= error.after_s <= high


def test_being_asked_to_slow_down_without_a_time_has_none() -> None:
    for behaviour in (busy(), busy("soon"), busy("nan"), busy("inf"), busy(FAR_ZONE)):
        error = error_of(behaviour)
        assert isinstance(error, Transient)
        assert (error.throttled, error.after_s) == (True, None)


@pytest.mark.parametrize("n_bytes", [0, 10])
def test_a_dropped_connection_may_pass(n_bytes: int) -> None:
    error = error_of(drops(n_bytes))
    assert isinstance(error, Transient)
    assert not error.unreachable
    assert "the connection broke before the answer was whole" in str(error)


def test_a_server_that_refuses_before_all_has_come_is_heard() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = b'{"error": "too large"}'
        writer.write(b"HTTP/1.1 413 No\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        with suppress(ConnectionError):  # the client may leave at once
            while await reader.read(2**16):
                pass
        writer.close()
        await writer.wait_closed()
        left.set()

    async def run() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            backend = OpenAIHTTP(read_address(f"http://127.0.0.1:{port}/v1#eyes", {}))
            try:
                await backend.answer(call(n_bytes=9_000_000))
            finally:
                await backend.close()
                await left.wait()

    left = asyncio.Event()
    with pytest.raises(Refused, match="HTTP 413: too large"):
        asyncio.run(run())


def test_nobody_there_is_unreachable() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for host in (f"127.0.0.1:{port}", f"nowhere.invalid:{port}"):
        with pytest.raises(Transient, match="cannot connect") as caught:
            ask_address(f"http://{host}/v1#eyes")
        assert caught.value.unreachable


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (sends_text("<html>Sign in</html>"), "a body that is not JSON (text/html"),
        (sends_text('{"choices": [{"mess', "application/json"), "a body that is not JSON"),
        (sends_text(""), "a body that is not JSON"),
        (sends({"ok": True}), 'JSON without choices (application/json; charset=utf-8): \'{"ok"'),
        (sends([1]), "JSON without choices"),
        (sends({"choices": []}), "JSON without choices"),
        (sends({"choices": ["A"]}), "JSON without choices"),
        (sends({"choices": [{}]}), "JSON without a message"),
        (sends({"choices": [{"message": "A", "finish_reason": "stop"}]}), "JSON without a message"),
        (answers(7), "JSON without a readable text"),
        (sends(NO_REASON), "JSON without a text or a reason of stopping"),
        (answers("so far", finish="error"), "JSON without a whole answer (finish_reason 'error')"),
        (answers("so far", finish="abort"), "JSON without a whole answer (finish_reason 'abort')"),
        (sends_text(NESTED, "application/json"), "JSON nested too deeply (application/json"),
    ],
)
def test_a_page_in_place_of_an_answer_may_pass(behaviour: Behaviour, said: str) -> None:
    error = error_of(behaviour)
    assert isinstance(error, Transient)
    assert f"HTTP 200 with {said}" in str(error)
    assert "Is something other than the model's server answering" in str(error)


def test_an_error_nested_without_end_is_still_an_error() -> None:
    assert isinstance(error_of(sends_text(NESTED, status=500)), Transient)
    assert isinstance(error_of(sends_text(NESTED, status=400)), Refused)
    said = error_of(fails(400, "no", param=["x"], code=None, type=[1]))
    assert "HTTP 400: no" in str(said)


@pytest.mark.parametrize(
    "code", ["²", "٤٠٠", "4" * 5000, "9" * 4000, "200", "307", int("9" * 4000)]
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_code_that_is_no_status_is_only_shown(code: str | int, status: int) -> None:
    error = error_of(sends({"error": {"message": "no", "code": code}}, status=status))
    assert isinstance(error, Transient)
    assert f"(error {str(code)[:200]}" in str(error)
    assert len(str(error)) < 700


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_a_reply_that_nobody_foresaw_may_pass(
    trouble: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Answer:
        raise trouble("odd")

    monkeypatch.setattr(openai_http, "read_reply", fail)
    error = error_of(answers("A"))
    assert isinstance(error, Transient)
    assert f"HTTP 200 with a body that cannot be read, {trouble.__name__}, (application" in str(
        error
    )


@pytest.mark.parametrize("status", [200, 500])
def test_a_reply_longer_than_any_answer_is_refused_and_not_read_to_its_end(status: int) -> None:
    packed = gzip.compress(b" " * (MAX_REPLY_BYTES + 1), 1)

    async def floods(request: web.Request, seen: Seen) -> web.StreamResponse:
        return web.Response(body=packed, status=status, headers={"Content-Encoding": "gzip"})

    error = error_of(floods)
    assert isinstance(error, Refused)
    assert f"HTTP {status} with a reply of more than 32 MiB, which was not read" in str(error)


# --- proxies --------------------------------------------------------------------------------------


def error_by_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch, scheme: str) -> CallError:
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(CallError) as caught:
        ask_address(f"{scheme}://far.invalid/v1#eyes")
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    return caught.value


def test_a_proxy_that_wants_another_password_is_told_without_the_one_it_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            proxy = f"http://me:{SECRET}@127.0.0.1:{port}"
            error = await asyncio.to_thread(error_by_proxy, proxy, monkeypatch, "https")
            assert isinstance(error, Fatal)
            assert "the proxy says HTTP 407: Who are you. Check the proxy's user" in str(error)

    asyncio.run(run())


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "proxy", [f"me:{SECRET}@", f"http://me:{SECRET}@", f"me:a/{SECRET}@", f"http://{SECRET} @"]
)
def test_a_proxys_password_is_in_no_error(
    proxy: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("127.0.0.1:1", ":99999", "[::1", ""):
        error_by_proxy(f"{proxy}{place}", monkeypatch, scheme)


@pytest.mark.parametrize("n_deep", range(900, 1000, 3))
def test_an_error_nested_almost_without_end_is_an_error_too(n_deep: int) -> None:
    text = '{"choices":[{"error":' + '{"message":' * n_deep + "1" + "}" * (n_deep + 1) + "]}"
    assert isinstance(error_of(sends_text(text, "application/json")), Transient)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "slow", "code": 429}, Transient),
        ({"message": "overloaded"}, Transient),
        ("broken", Transient),
        ({"message": "slow", "type": "rate_limit_error"}, Transient),
        ({"message": "bad image", "code": 400}, Refused),
        ({"message": "bad key", "code": "invalid_api_key"}, Fatal),
        ({"message": "gone", "code": "model_not_found"}, Fatal),
    ],
)
def test_an_error_in_a_200_counts_as_that_error(error: Any, expected: type[CallError]) -> None:
    assert isinstance(error_of(sends({"error": error})), expected)
    assert isinstance(error_of(sends({"choices": [{"error": error}]})), expected)
