"""What is asked of a model served with vLLM or SGLang, with the right flags and with wrong ones."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as HTTPRequest
from urllib.request import urlopen

import pytest
from tests.conftest import photograph
from tests.endpoint import Endpoint, serve
from tests.served_models import (
    GENERATION_CONFIG,
    PICTURE_TOKENS,
    VLLM,
    SGLang,
    next_logprobs,
    served,
    surprise,
)

from eyechart.asking import AskSettings, Patience, ask
from eyechart.backends.openai_http import open_address
from eyechart.errors import Fatal
from eyechart.prompts import PromptForm, answer_requests
from eyechart.records import (
    Item,
    Picture,
    Request,
    Response,
    Sampling,
    Turn,
    Want,
    likelihood,
    next_word,
)

BOTH = [VLLM(), SGLang()]
WORDS = next_word("good", "poor", "mediocre")
SETTINGS = AskSettings(patience=Patience(1))
OWN_BOUND = sorted(next_logprobs().values())[-20] + math.log(6)  # of twenty words that are listed


def picture(seed: int = 0) -> Picture:
    data = io.BytesIO()
    photograph(seed).save(data, "JPEG")
    return Picture(data=data.getvalue(), name=f"{seed}.jpg")


def request(n_pictures: int = 1, text: str = "Is it sharp?", **more: Any) -> Request:
    shown = tuple(picture(seed) for seed in range(n_pictures))
    more.setdefault("sampling", Sampling(max_tokens=64))
    return Request(f"{n_pictures} pictures", "answer", (Turn("user", (*shown, text)),), **more)


def rating(**more: Any) -> Request:
    return request(want=WORDS, begun="The quality of the image is", **more)


def responses(server: VLLM | SGLang, *requests: Request) -> list[Response]:
    with serve(served(server)) as endpoint:
        found = list(ask(requests, open_address(endpoint.address), settings=SETTINGS))
    order = [one.item_id for one in requests]
    return sorted(found, key=lambda response: order.index(response.item_id))


def failure(server: VLLM | SGLang, asked: Request) -> str:
    """Why this request is refused; the others of a run go on."""
    fine, refused = responses(server, request(0, "Hi", want=Want("text")), asked)
    assert fine.failure is None
    assert refused.failure is not None
    assert refused.failure.kind == "refused"
    return refused.failure.message


def fatal(server: VLLM | SGLang, asked: Request) -> str:
    with pytest.raises(Fatal) as caught:
        responses(server, asked)
    return str(caught.value)


# --- the right flags ------------------------------------------------------------------------------


@pytest.mark.parametrize("server", BOTH)
@pytest.mark.parametrize("n_pictures", [0, 1, 2])
def test_a_text_is_answered_with_as_many_pictures_as_are_shown(
    server: VLLM | SGLang, n_pictures: int
) -> None:
    (none,) = responses(server, request(0))
    (found,) = responses(server, request(n_pictures))
    assert (found.text, found.finish) == ("A", "stop")
    assert found.usage.tokens_in is not None
    assert none.usage.tokens_in is not None
    assert found.usage.tokens_in - none.usage.tokens_in == PICTURE_TOKENS * n_pictures


@pytest.mark.parametrize("server", BOTH)
@pytest.mark.parametrize("how", [Sampling(), Sampling(1.5, 0.5), Sampling(None, None)])
@pytest.mark.parametrize("begun", ["The quality of the image is", ""])
def test_next_words_are_the_models_own_whatever_the_sampling(
    server: VLLM | SGLang, how: Sampling, begun: str
) -> None:
    assert GENERATION_CONFIG["temperature"] != 1  # both servers would use it for what is not sent
    (found,) = responses(server, request(want=WORDS, begun=begun, sampling=how))
    own = next_logprobs()
    assert found.logprobs == pytest.approx((own[" good"], own[" poor"], None))
    assert found.bound == pytest.approx(OWN_BOUND)


def test_vllm_tells_how_likely_whole_texts_are() -> None:
    want = likelihood("Blur", "Too dark")
    (found,) = responses(VLLM(), request(2, "What is wrong?", want=want))
    sums = (surprise("Blur"), surprise("Too") + surprise(" dark"))
    assert found.logprobs == pytest.approx(sums)
    assert found.likelihood is not None
    assert found.likelihood.n_tokens == (1, 2)


def test_sglang_tells_it_not_and_says_nothing_so_the_run_stops_with_the_reason() -> None:
    said = fatal(SGLang(), request(want=likelihood("Blur", "Too dark")))
    assert "returns no prompt log-probabilities" in said
    assert "vLLM does, SGLang's chat completions do not; leave out `likelihood`" in said


@pytest.mark.parametrize("server", BOTH)
@pytest.mark.parametrize("parser", [True, False])
def test_a_thought_is_kept_apart_with_the_reasoning_parser_and_without_it(
    server: VLLM | SGLang, parser: bool
) -> None:
    thinking = dataclasses.replace(server, thinks=True, reasoning_parser=parser)
    (found,) = responses(thinking, request())
    assert (found.text, found.reasoning) == ("A", "Look at the edges.")


@pytest.mark.parametrize("server", BOTH)
def test_a_thought_that_is_cut_short_is_no_answer(server: VLLM | SGLang) -> None:
    thinking = dataclasses.replace(server, thinks=True, reasoning_parser=True)
    (found,) = responses(thinking, request(sampling=Sampling(max_tokens=2)))
    assert (found.text, found.reasoning, found.finish) == ("", "Look", "length")


@pytest.mark.parametrize("server", BOTH)
def test_a_chart_of_every_kind_is_answered(server: VLLM | SGLang) -> None:
    items = [
        Item("1", "single", "Which flaw?", (picture(),), ("Blur", "Noise"), "Blur"),
        Item("2", "true_false", "It is dark.", (picture(),), answer=True),
        Item("3", "single", "Which one?", (picture(0), picture(1)), ("First", "Second"), "First"),
        Item("4", "rate", "Rate the quality.", (picture(),)),
    ]
    also = ("rotations", "blind", *(("likelihood",) if isinstance(server, VLLM) else ()))
    requests = list(answer_requests(items, form=PromptForm(also=also)))
    found = responses(server, *requests)
    assert len(found) == len(requests)
    assert not [response.failure for response in found if response.failure]


# --- wrong flags ----------------------------------------------------------------------------------


def test_fewer_words_are_asked_for_where_vllm_may_list_no_more() -> None:
    (found,) = responses(VLLM(max_logprobs=2), rating())
    own = next_logprobs()
    assert found.logprobs == pytest.approx((own[" good"], None, None))
    assert found.bound == pytest.approx(min(0.0, own[" fair"] + math.log(6)))


def test_where_vllm_may_list_no_words_the_flag_is_named() -> None:
    said = failure(VLLM(max_logprobs=0), rating())
    assert said.endswith("Start vLLM with --max-logprobs 20")


@pytest.mark.parametrize("want", [WORDS, likelihood("Blur", "Too dark")])
def test_logits_are_not_taken_for_log_probabilities(want: Want) -> None:
    said = failure(VLLM(logprobs_mode="raw_logits"), request(want=want))
    assert "expected a finite number of at most 0" in said
    assert said.endswith("(vLLM: --logprobs-mode raw_logprobs)")


def test_processed_log_probabilities_are_the_models_own_without_sampling() -> None:
    (found,) = responses(VLLM(logprobs_mode="processed_logprobs"), rating())
    assert found.logprobs[0] == pytest.approx(next_logprobs()[" good"])


@pytest.mark.parametrize(
    ("server", "flag"),
    [
        (VLLM(limit_mm_per_prompt=1), "Start vLLM with --limit-mm-per-prompt '{\"image\": 2}'"),
        (
            SGLang(limit_mm_data_per_request=1),
            "Start SGLang with --limit-mm-data-per-request '{\"image\": 2}'",
        ),
    ],
)
def test_two_pictures_where_one_is_allowed_name_the_flag_and_fail_alone(
    server: VLLM | SGLang, flag: str
) -> None:
    one, two = responses(server, request(1), request(2))
    assert one.text == "A"
    assert two.failure is not None
    assert two.failure.message.endswith(flag)


def test_a_model_that_is_served_without_pictures_is_told_to_be() -> None:
    said = failure(VLLM(limit_mm_per_prompt=0), request(1))
    assert said.endswith("The model takes no pictures as it is served here; serve one that does")


@pytest.mark.parametrize("server", [VLLM(max_model_len=100), SGLang(context_length=100)])
def test_pictures_longer_than_the_context_name_the_flag_and_fail_alone(
    server: VLLM | SGLang,
) -> None:
    said = failure(server, request(2, sampling=Sampling(max_tokens=8)))
    assert "context length" in said
    assert said.endswith(
        "Shrink the pictures with --max-pixels, lower --max-tokens, or serve the model with a "
        "longer context (vLLM: --max-model-len, SGLang: --context-length)"
    )


@pytest.mark.parametrize("server", [VLLM(max_model_len=100), SGLang(context_length=100)])
def test_a_text_longer_than_the_context_is_told_to_be(server: VLLM | SGLang) -> None:
    said = failure(server, request(0, "sharp " * 200))
    assert ". Ask something shorter, lower --max-tokens, or serve the model with a longer" in said


def test_a_reply_that_the_prompt_leaves_no_room_for_is_refused_by_sglang() -> None:
    said = failure(SGLang(context_length=100), request(1, sampling=Sampling(max_tokens=64)))
    assert "Requested token count exceeds the model's maximum context length of 100" in said
    assert "lower --max-tokens, or serve the model with a longer context" in said


@pytest.mark.parametrize("server", [VLLM(max_model_len=100), SGLang(context_length=100)])
def test_a_reply_longer_than_the_context_stops_the_run_for_no_request_fits(
    server: VLLM | SGLang,
) -> None:
    said = fatal(server, request(sampling=Sampling(max_tokens=4096)))
    assert "No reply of so many tokens fits there: run with a lower --max-tokens, or serve" in said


@pytest.mark.parametrize("template", ["drops", "alternates"])
def test_a_template_that_takes_no_begun_answer_fails_ratings_and_names_both_ways_out(
    template: str,
) -> None:
    said = failure(VLLM(template=template), rating())
    assert "It rejects 'continue_final_message': this server cannot go on from a begun" in said
    assert "run with --rating-prompt one-word, or serve the model with a chat template" in said
    assert said.endswith("(vLLM, SGLang: --chat-template FILE)")
    (word,) = responses(VLLM(template=template), request(want=WORDS))
    assert word.failure is None


@pytest.mark.parametrize("template", ["drops", "alternates"])
def test_a_template_that_takes_no_begun_answer_stops_likelihoods(template: str) -> None:
    said = fatal(VLLM(template=template), request(want=likelihood("Blur", "Noise")))
    assert "so it cannot go on from a begun answer, which the likelihood variant needs" in said


def test_a_name_that_is_not_served_stops_the_run_at_vllm_and_none_is_checked_by_sglang() -> None:
    for server in BOTH:
        with serve(served(server)) as endpoint:
            model = open_address(endpoint.address.replace("#eyes", "#other"))
            if isinstance(server, SGLang):
                (found,) = ask([request()], model, settings=SETTINGS)
                assert found.text == "A"
            else:
                with pytest.raises(Fatal, match=r"does not exist\. Is 'other' the model's name"):
                    list(ask([request()], model, settings=SETTINGS))


def test_sglang_leaves_out_pictures_of_a_model_it_serves_without_them() -> None:
    """Nothing in the reply tells: the how-to says to compare with `--also blind`."""
    blind, found = responses(SGLang(enable_multimodal=False), request(0), request(2))
    assert found.text == "A"
    assert found.usage.tokens_in == blind.usage.tokens_in


# --- the stand-ins themselves ---------------------------------------------------------------------


def posted(endpoint: Endpoint, **fields: Any) -> tuple[int, Any]:
    body = {"model": "eyes", "messages": [{"role": "user", "content": "Hi"}], **fields}
    headers = {"Content-Type": "application/json"}
    url = f"{endpoint.url}/chat/completions"
    try:
        with urlopen(HTTPRequest(url, json.dumps(body).encode(), headers)) as reply:
            return reply.status, json.load(reply)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


BEGUN = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "It is"}]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"top_logprobs": 5}, "when using `top_logprobs`, `logprobs` must be set to true."),
        (
            {"messages": BEGUN, "continue_final_message": True, "add_generation_prompt": True},
            "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
        ),
        (
            {"messages": BEGUN, "continue_final_message": True},
            "continue_final_message and add_generation_prompt are not compatible.",
        ),
    ],
)
def test_the_stand_in_for_vllm_refuses_what_vllm_refuses_and_ours_does_not_send_it(
    fields: dict[str, Any], said: str
) -> None:
    with serve(served(VLLM())) as endpoint:
        status, body = posted(endpoint, **fields)
    assert status == 400
    assert said in body["error"]["message"]


@pytest.mark.parametrize("server", BOTH)
def test_fields_that_a_server_does_not_know_change_nothing(server: VLLM | SGLang) -> None:
    with serve(served(server)) as endpoint:
        plain = posted(endpoint)
        assert posted(endpoint, no_such_field=True) == plain
        known = isinstance(server, VLLM)
        assert (posted(endpoint, prompt_logprobs=0) != plain) == known
