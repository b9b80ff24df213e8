"""What is sent of a call, and what is read from a reply."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.asking.backend import Answer, Call
from eyechart.backends.openai_address import Endpoint, Vendor, read_address
from eyechart.backends.openai_wire import (
    CHUNK_BYTES,
    compose,
    error_inside,
    missing_in,
    next_words,
    read_reply,
)
from eyechart.images import Encoded
from eyechart.records import (
    TEXT,
    Picture,
    Request,
    Sampling,
    Turn,
    Usage,
    Want,
    next_word,
)

HERE = read_address("http://localhost:8000/v1#eyes", {})
A, B = Picture(data=b"a"), Picture(data=b"b")
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
FIELDS = st.sampled_from(
    ["choices", "message", "content", "error", "finish_reason", "token", "text"]
)
ANY_JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4)
)


def image(data: bytes, media_type: str = "image/jpeg") -> Encoded:
    return Encoded(data, "0" * 64, media_type, "JPEG", 4, 3)


def call(
    *images: Encoded, turns: tuple[Turn, ...] = (), begun: str = "", want: Want = TEXT
) -> Call:
    turns = turns or (Turn("user", (*[A] * len(images), "Is it sharp?")),)
    return Call(Request("1", "answer", turns, begun=begun, want=want), images)


def sent(asked: Call, endpoint: Endpoint = HERE) -> dict[str, Any]:
    """The body as it would arrive, its length checked."""

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in body.chunks()])

    body = compose(asked, endpoint)
    data = asyncio.run(collect())
    assert len(data) == body.n_bytes
    parsed: dict[str, Any] = json.loads(data)
    return parsed


def read(choice: dict[str, Any], want: Want = TEXT, usage: Any = None) -> Answer:
    answer = read_reply(choice, usage, want)
    assert answer is not None
    return answer


def says(content: Any, **fields: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **fields}, "finish_reason": "stop"}


def words(**logprobs: float) -> dict[str, Any]:
    top = [{"token": t.replace("_", " "), "logprob": p} for t, p in logprobs.items()]
    return {"logprobs": {"content": [{"top_logprobs": top}]}}


def bound(lowest: float) -> float:
    """Of six spellings together, where the list ends with this log-probability."""
    return min(0.0, lowest + math.log(6))


# --- sending ----------------------------------------------------------------------------------


def test_texts_and_pictures_keep_their_order_and_every_byte() -> None:
    turns = (
        Turn("system", ("Look well.",)),
        Turn("user", ("First:", A, "second:", B, "Which is worse?")),
    )
    body = sent(call(image(b"\xff\xd8one"), image(b"two", "image/png"), turns=turns))
    system, user = body["messages"]
    assert system == {"role": "system", "content": "Look well."}
    assert [part.get("text") for part in user["content"]] == [
        "First:", None, "second:", None, "Which is worse?"
    ]  # fmt: skip
    urls = [p["image_url"]["url"] for p in user["content"] if p["type"] == "image_url"]
    assert urls == [
        f"data:image/jpeg;base64,{base64.b64encode(bytes([255, 216]) + b'one').decode()}",
        f"data:image/png;base64,{base64.b64encode(b'two').decode()}",
    ]


@given(st.sampled_from([0, 1, 2, 3, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2_000_000]))
def test_base64_in_pieces_is_base64(n_bytes: int) -> None:
    data = bytes(range(256)) * (n_bytes // 256 + 1)
    url = sent(call(image(data[:n_bytes])))["messages"][0]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2], validate=True) == data[:n_bytes]


@given(st.text())
def test_any_text_arrives_as_it_is(text: str) -> None:
    turns = (Turn("user", (A, text)),)
    arrived = sent(call(image(b"x"), turns=turns))["messages"][0]["content"][1]["text"]
    assert arrived == text


def test_only_the_settings_that_are_set_are_sent() -> None:
    turns = (Turn("user", ("Hi",)),)
    bare = Request("1", "answer", turns, sampling=Sampling(None, None, None))
    assert set(sent(Call(bare))) == {"model", "messages"}
    full = Request("1", "answer", turns, sampling=Sampling(0.0, 0.9, 64))
    body = sent(Call(full))
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.0, 0.9, 64)


def test_openai_itself_takes_the_length_by_its_new_name() -> None:
    openai = read_address("openai:gpt-5.2", {"OPENAI_API_KEY": "k"})
    body = sent(call(), openai)
    assert body["max_completion_tokens"] == 4096
    assert "max_tokens" not in body


def test_a_begun_answer_is_a_last_message_to_go_on_from() -> None:
    body = sent(call(begun="The quality is"))
    assert body["messages"][-1] == {"role": "assistant", "content": "The quality is"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


def test_next_word_asks_for_one_token_and_as_many_alternatives_as_the_service_lists() -> None:
    body = sent(call(want=next_word("good", "poor")))
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)
    few = Endpoint("u", "n", "m", Vendor(n_top=5))
    assert sent(call(want=next_word("good")), few)["top_logprobs"] == 5


# --- reading ----------------------------------------------------------------------------------


def test_an_answer_has_text_finish_and_usage() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    assert read(says("B"), usage=usage) == Answer("B", finish="stop", usage=Usage(9, 2))
    assert read(says("B"), usage={"prompt_tokens": None}).usage == Usage(None, None)


def test_a_list_of_text_parts_is_one_text() -> None:
    parts = [{"type": "text", "text": "B. "}, {"type": "text", "text": "Blur"}, {"type": "other"}]
    assert read(says(parts)).text == "B. Blur"


@pytest.mark.parametrize(
    "choice",
    [
        says("B", reasoning_content="It is soft."),
        says("B", reasoning="It is soft."),
        says("<think>It is soft.</think>B"),
        says("It is soft.</think>B"),
    ],
)
def test_reasoning_is_kept_apart_from_the_answer(choice: dict[str, Any]) -> None:
    answer = read(choice)
    assert (answer.text, answer.reasoning) == ("B", "It is soft.")


def test_a_refusal_is_the_text_of_a_filtered_answer() -> None:
    answer = read(says(None, refusal="I cannot look at this."))
    assert (answer.text, answer.finish) == ("I cannot look at this.", "content_filter")


@pytest.mark.parametrize("choice", [says(None), says(""), says([]), {**says(""), "message": {}}])
def test_an_empty_text_is_an_answer_where_the_reply_says_why_it_ends(
    choice: dict[str, Any],
) -> None:
    assert missing_in({"choices": [choice]}) == ""
    assert read(choice).text == ""
    assert read({**choice, "finish_reason": "length"}).finish == "length"
    assert missing_in({"choices": [{**choice, "finish_reason": None}]}) != ""


@pytest.mark.parametrize("said", [says("B"), says(None, reasoning="Hm"), says(None, refusal="No")])
def test_what_says_anything_is_an_answer_without_a_reason_of_stopping(said: dict[str, Any]) -> None:
    assert missing_in({"choices": [{"message": said["message"]}]}) == ""
    assert missing_in({"choices": [{**said, "finish_reason": {"type": "stop"}}]}) == ""


@given(ANY_JSON)
def test_whatever_comes_is_an_answer_or_lacks_something(content: Any) -> None:
    for reply in (content, {"choices": [content]}, {"choices": [{"message": content}]}):
        if not error_inside(reply) and not missing_in(reply):
            choice = reply["choices"][0]
            assert read(choice, usage=content).text is not None
            next_words({"logprobs": {"content": [{"top_logprobs": content}]}}, ["good"])


def test_a_count_of_tokens_that_cannot_be_one_is_none() -> None:
    for count in (-1, 10**30, 10**4000, "9", 1.5):
        assert read(says("B"), usage={"prompt_tokens": count}).usage == Usage(None, None)


def test_a_word_is_found_behind_every_tokenisers_blank() -> None:
    for token in ("good", "_good", "\u0120good", "\u2581good", "Good", "_GOOD"):
        assert next_words(words(**{token: -0.5, "x": -9.0}), ["good"]) == ((-0.5,), bound(-9.0))


def test_the_tokens_of_one_word_add_up() -> None:
    found = next_words(words(good=math.log(0.5), _Good=math.log(0.25), bad=-5.0), ["good", "bad"])
    assert found is not None
    good, bad = found[0]
    assert good == pytest.approx(math.log(0.75))
    assert bad == -5.0


def test_words_that_differ_in_case_only_are_kept_apart() -> None:
    assert next_words(words(A=-0.1, _a=-3.0), ["A", "a"]) == ((-0.1, -3.0), bound(-3.0))


def test_a_word_outside_the_list_has_a_bound_and_no_number() -> None:
    found = next_words(words(good=-0.1, fine=-2.0, ok=-7.5), ["good", "poor"])
    assert found == ((-0.1, None), bound(-7.5))


@given(st.lists(st.floats(0.001, 1.0), min_size=7, max_size=30), st.integers(1, 29))
def test_the_bound_holds_for_all_spellings_of_an_unlisted_word_together(
    weights: list[float], n_listed: int
) -> None:
    others = [f"other{i}" for i in range(len(weights) - 6)]
    names = [*others, "poor", "Poor", "POOR", "_poor", "_Poor", "_POOR"]
    logprobs = {t: math.log(w / sum(weights)) for t, w in zip(names, weights, strict=True)}
    ranked = sorted(logprobs.items(), key=lambda pair: -pair[1])
    unlisted = [p for token, p in ranked[n_listed:] if token.casefold().strip("_") == "poor"]
    found = next_words(words(**dict(ranked[:n_listed])), ["poor"])
    assert found is not None
    if len(unlisted) == 6:
        assert found[1] is not None
        assert sum(map(math.exp, unlisted)) <= math.exp(found[1]) + 1e-9


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_a_sum_of_probabilities_never_exceeds_one(weights: list[float]) -> None:
    total = sum(weights)
    top = {" " * i + "good": math.log(w / total) for i, w in enumerate(weights)}
    found = next_words(words(**top), ["good"])
    assert found is not None
    assert found[0][0] is not None
    assert -1e-9 <= found[0][0] <= 0.0


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        {"content": [{}]},
        {"content": [{"top_logprobs": []}]},
        {"content": [{"top_logprobs": [{"token": "good", "logprob": None}]}]},
        {"content": [{"top_logprobs": [{"token": "good", "logprob": -(10**400)}]}]},
        {"content": [{"top_logprobs": [{"token": "good", "logprob": -math.inf}]}]},
    ],
)
def test_a_reply_without_a_list_has_no_words(logprobs: Any) -> None:
    assert next_words({"logprobs": logprobs}, ["good"]) is None
    assert read_reply({**says("good"), "logprobs": logprobs}, None, next_word("good")) is None
