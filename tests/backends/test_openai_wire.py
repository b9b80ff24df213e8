"""What is sent of a call, and what is read from a reply."""

from __future__ import annotations

import asyncio
import base64
import json
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
    likelihood,
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


def read(choice: dict[str, Any], usage: Any = None) -> Answer:
    return read_reply(choice, usage)


def says(content: Any, **fields: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **fields}, "finish_reason": "stop"}


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


def test_next_words_are_asked_of_ones_own_server_without_any_sampling() -> None:
    """SGLang's log-probabilities are of the tempered model, vLLM lists what was drawn first."""
    turns = (Turn("user", ("Hi",)),)
    drawn, plain = Sampling(0.7, 0.8), Sampling(None, None)
    for how in (drawn, plain):
        body = sent(Call(Request("1", "answer", turns, sampling=how, want=next_word("good"))))
        assert (body["temperature"], body["top_p"]) == (0.0, 1.0)
    openai = read_address("openai:gpt-4.1", {"OPENAI_API_KEY": "k"})
    hot = Call(Request("1", "answer", turns, sampling=drawn, want=next_word("good")))
    body = sent(hot, openai)
    assert (body["temperature"], body["top_p"]) == (0.7, 0.8)


def test_a_likelihood_asks_for_the_prompts_own_tokens_alone() -> None:
    turns = (Turn("user", ("Hi",)),)
    want = likelihood("Blur", "Noise")
    asked = Request("1", "answer", turns, begun="Blur", sampling=Sampling(None, 0.9), want=want)
    body = sent(Call(asked))
    assert (body["prompt_logprobs"], body["max_tokens"], body["temperature"]) == (0, 1, 0.0)
    assert "top_p" not in body
    assert body["messages"][-1] == {"role": "assistant", "content": "Blur"}


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


def test_a_count_of_tokens_that_cannot_be_one_is_none() -> None:
    for count in (-1, 10**30, 10**4000, "9", 1.5):
        assert read(says("B"), usage={"prompt_tokens": count}).usage == Usage(None, None)
