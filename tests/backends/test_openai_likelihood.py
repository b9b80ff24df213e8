"""How likely whole texts are, from what a server tells of its prompts."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from tests.backends.calling import ask, call, error_of
from tests.endpoint import Seen, answers, fails, render, reply, sends, serve, tells_prompts

from eyechart.asking import AskSettings, Patience
from eyechart.asking import ask as run
from eyechart.asking.backend import Answer
from eyechart.backends.openai_http import open_address
from eyechart.backends.openai_wire import Json
from eyechart.errors import Fatal, Refused, Transient
from eyechart.prompts import PromptForm, answer_requests
from eyechart.records import Item, Likelihood, Sampling, Usage, likelihood
from eyechart.scores import Scoring, score_responses

TEXTS = ("A little blurry", "Noise", "Too dark")
QUESTION = "What is wrong?"
PROMPT_TOKENS = ["<user>", "What", " is", " wrong?", "<end>", "<assistant>"]  # after <start>


def asked(*texts: str, n_bytes: int = 0, **more: Any) -> Any:
    return call(QUESTION, n_bytes, want=likelihood(*(texts or TEXTS)), **more)


def answer(behaviour: Any, request: Any) -> Answer:
    with serve(behaviour) as endpoint:
        [found] = ask(endpoint, request)
    return found


# --- what is told ---------------------------------------------------------------------------------


def test_each_text_is_one_request_with_the_text_as_the_begun_answer() -> None:
    with serve(tells_prompts()) as endpoint:
        ask(endpoint, asked(n_bytes=30, sampling=Sampling(0.7, 0.9, 512)))
    bodies = [seen.body for seen in endpoint.requests]
    assert [body["messages"][-1]["content"] for body in bodies] == list(TEXTS)
    for body in bodies:
        assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
        assert (body["prompt_logprobs"], body["max_tokens"], body["temperature"]) == (0, 1, 0.0)
    assert [len(seen.pictures[0]) for seen in endpoint.requests] == [30] * 3


def test_sums_and_lengths_are_those_of_the_answers_own_tokens() -> None:
    told = {"A": -1.0, " little": -0.25, " blurry": -0.5, "Noise": -2.0, "Too": -3.0, " dark": -0.5}
    found = answer(tells_prompts(lambda token: told.get(token, -0.125)), asked())
    assert found.logprobs == (-1.75, -2.0, -3.5)
    n_prompt = len(PROMPT_TOKENS)
    assert found.likelihood == Likelihood((3, 1, 2), -0.125 * n_prompt, n_prompt)
    assert found.usage == Usage(300, 6)


def test_blanks_around_a_text_are_no_part_of_it() -> None:
    with serve(tells_prompts()) as endpoint:
        [found] = ask(endpoint, asked(" Blur", "Noise "))
    assert [seen.body["messages"][-1]["content"] for seen in endpoint.requests] == ["Blur", "Noise"]
    assert found.logprobs == (-0.5, -0.5)


def test_texts_that_begin_alike_keep_the_tokens_that_they_share() -> None:
    found = answer(tells_prompts(lambda _: -1.0), asked("The first image", "The second image"))
    assert found.logprobs == (-3.0, -3.0)
    assert found.likelihood == Likelihood((3, 3), -6.0, 6)


def test_tokens_that_stand_for_a_picture_are_not_the_prompts_words() -> None:
    def surprise(token: str) -> float:
        return -30.0 if token == "<picture>" else -1.0

    found = answer(tells_prompts(surprise), asked("Blur", "Noise", n_bytes=30))
    assert found.likelihood == Likelihood((1, 1), -6.0, 6)


def test_an_answer_that_is_begun_already_goes_on_with_the_text() -> None:
    request = asked("Blur", "Noise", begun="The fault is")
    with serve(tells_prompts(lambda _: -1.0)) as endpoint:
        [found] = ask(endpoint, request)
    assert endpoint.requests[0].body["messages"][-1]["content"] == "The fault is Blur"
    assert found.likelihood == Likelihood((1, 1), -9.0, 9)


def test_blanks_may_be_tokens_or_missing_from_them() -> None:
    def apart(text: str) -> list[str]:
        return re.findall(r"<[^>]*>|\S+?(?=[\s<]|$)|\s", text)

    def without(text: str) -> list[str]:
        return [token.strip() for token in apart(text) if token.strip()]

    def marked(text: str) -> list[str]:
        return [f"\u2581{token}" for token in without(text)]

    for tokenize, n_tokens in ((apart, (5, 1, 3)), (without, (3, 1, 2)), (marked, (3, 1, 2))):
        found = answer(tells_prompts(tokenize=tokenize), asked())
        assert found.likelihood is not None
        assert found.likelihood.n_tokens == n_tokens


def test_a_character_of_several_tokens_is_found_whole() -> None:
    def bytewise(text: str) -> list[str]:
        return [
            "\ufffd" if part in "é模" else part
            for token in re.findall(r"<[^>]*>|\s?[!-~]+?(?=[\s<é模]|$)|é|模|\s", text)
            for part in ([token] * 2 if token in "é模" else [token])
        ]

    found = answer(tells_prompts(tokenize=bytewise), asked("Voilé", "épais", "模"))
    assert found.likelihood is not None
    assert found.likelihood.n_tokens == (3, 3, 2)


def test_the_likeliest_option_is_scored_by_all_three_losses() -> None:
    item = Item("7", "single", QUESTION, (), TEXTS, "Noise")
    requests = answer_requests([item], form=PromptForm(also=("likelihood",)))
    with serve(tells_prompts(lambda token: -0.25 if token == "Noise" else -2.0)) as endpoint:
        responses = list(run(requests, open_address(endpoint.address)))
    found = {s.name: s for s in score_responses([item], responses, Scoring(also=("likelihood",)))}
    for loss in ("prompt", "mean", "sum"):
        assert found[f"correct.likelihood-{loss}"].value == 1.0


def test_of_tokens_listed_beside_each_other_the_first_is_the_prompts_own() -> None:
    async def behave(request: Any, seen: Seen) -> Any:
        content = reply("x")
        tokens = re.findall(r"<[^>]*>|\s*[^\s<]+", render(seen))
        content["prompt_logprobs"] = [None] + [
            {
                f"{token}": {"logprob": -2.0, "rank": 9, "decoded_token": token},
                "other": {"logprob": -0.1, "rank": 1, "decoded_token": " other"},
            }
            for token in tokens[1:]
        ]
        return await sends(content)(request, seen)

    assert answer(behave, asked("Blur", "Noise")).logprobs == (-2.0, -2.0)


# --- what is not told -----------------------------------------------------------------------------


def test_a_text_with_a_token_that_is_not_told_has_no_likelihood() -> None:
    def surprise(token: str) -> float:
        return -9999.0 if token == " dark" else -1.0

    found = answer(tells_prompts(surprise), asked())
    assert found.logprobs == (-3.0, -1.0, None)
    assert found.likelihood == Likelihood((3, 1, 2), -6.0, 6)


def test_a_prompt_with_a_token_that_is_not_told_has_no_likelihood_but_the_answers_have() -> None:
    def surprise(token: str) -> float:
        return -9999.0 if token == "<assistant>" else -1.0

    found = answer(tells_prompts(surprise), asked())
    assert found.logprobs == (-3.0, -1.0, -2.0)
    assert found.likelihood == Likelihood((3, 1, 2), None, None)


def test_usage_is_unknown_where_one_reply_does_not_count() -> None:
    async def uncounted(request: Any, seen: Seen) -> Any:
        response: Any = await tells_prompts()(request, seen)
        content = json.loads(response.text)
        del content["usage"]
        return await sends(content)(request, seen)

    with serve(tells_prompts(), uncounted) as endpoint:
        [found] = ask(endpoint, asked("Blur", "Noise"))
    assert found.usage == Usage(None, None)


@pytest.mark.parametrize("prompt_logprobs", ["absent", None, [], [None], [None, None], {"1": {}}])
def test_an_endpoint_that_tells_nothing_of_prompts_stops_the_run(prompt_logprobs: Json) -> None:
    content = reply("x")
    if prompt_logprobs != "absent":
        content["prompt_logprobs"] = prompt_logprobs
    error = error_of(sends(content), asked=asked())
    assert isinstance(error, Fatal)
    assert str(error).endswith(
        "returns no prompt log-probabilities, which the likelihood variant needs; vLLM does, "
        "SGLang's chat completions do not; leave out `likelihood` from --also"
    )


@pytest.mark.parametrize(
    ("status", "message", "setting", "lacks"),
    [
        (
            400,
            "extra fields not permitted: prompt_logprobs",
            "prompt_logprobs",
            "returns no prompt log-probabilities, which the likelihood variant needs",
        ),
        (
            422,
            "unknown: continue_final_message",
            "continue_final_message",
            "cannot go on from a begun answer, which the likelihood variant needs: leave out",
        ),
    ],
)
def test_an_endpoint_that_rejects_the_question_stops_the_run(
    status: int, message: str, setting: str, lacks: str
) -> None:
    error = error_of(fails(status, message), asked=asked())
    assert isinstance(error, Fatal)
    assert f"It rejects {setting!r}, so it {lacks}" in str(error)


def test_other_failures_are_what_they_always_are() -> None:
    assert isinstance(error_of(fails(503), asked=asked()), Transient)
    assert isinstance(error_of(answers("so far", finish="error"), asked=asked()), Transient)
    assert isinstance(error_of(fails(400, "image too small"), asked=asked()), Refused)
    content = {**reply("x"), "prompt_logprobs": [None, {"7": "text"}]}
    error = error_of(sends(content), asked=asked())
    assert isinstance(error, Transient)
    assert "a body that cannot be read" in str(error)


@pytest.mark.parametrize("value", [math.nan, -math.inf, math.inf, 3.5])
def test_what_is_no_log_probability_is_refused(value: float) -> None:
    error = error_of(tells_prompts(lambda t: value if t == "Noise" else -1.0), asked=asked())
    assert isinstance(error, Refused)
    assert f"gives {value} as the log-probability of 'Noise'" in str(error)


# --- prompts that do not end with the answer ------------------------------------------------------


def merged(text: str) -> list[str]:
    """A tokenizer that joins the answer to the template before it."""
    return re.findall(r"<assistant>[^\s<]*|<[^>]*>|\s*[^\s<]+", text)


@pytest.mark.parametrize(
    "behaviour",
    [
        tells_prompts(end="<end>"),
        tells_prompts(end="\n"),
        tells_prompts(end="."),
        tells_prompts(tokenize=merged),
    ],
)
def test_an_answer_that_cannot_be_told_from_the_prompt_is_refused(behaviour: Any) -> None:
    error = error_of(behaviour, asked=asked())
    assert isinstance(error, Refused)
    assert "which is not the answer 'A little blurry' alone. Either the server does" in str(error)


def test_texts_whose_prompts_differ_cannot_be_compared() -> None:
    def changing(text: str) -> list[str]:
        plain = re.findall(r"<[^>]*>|\s*[^\s<]+", text)
        return [f"{token}!" if "Noise" in text and token == "What" else token for token in plain]

    error = error_of(tells_prompts(tokenize=changing), asked=asked())
    assert isinstance(error, Refused)
    assert "the prompt before the answer 'Noise' is not the one before 'A little" in str(error)


def test_a_server_that_contradicts_itself_about_the_prompt_is_not_believed() -> None:
    sure, unsure = tells_prompts(lambda _: -1.0), tells_prompts(lambda _: -2.0)
    said = r"-2\.00 and -1\.00 per token in two replies"
    with serve(sure, unsure) as endpoint, pytest.raises(Refused, match=said) as caught:
        ask(endpoint, asked("Blur", "Noise"))
    assert "--no-enable-prefix-caching" in str(caught.value)


def test_texts_that_were_answered_before_a_failure_are_not_asked_again() -> None:
    item = Item("1", "single", QUESTION, (), TEXTS, TEXTS[0])
    form = PromptForm(also=("likelihood",))
    (request,) = [r for r in answer_requests([item], form=form) if r.variant]
    settings = AskSettings(patience=Patience(3, backoff_s=0.0))
    with serve(tells_prompts(), fails(503), tells_prompts()) as endpoint:
        [response] = run([request], open_address(endpoint.address), settings=settings)
    assert response.failure is None
    assert len(response.logprobs) == len(TEXTS)
    asked_for = [seen.body["messages"][-1]["content"] for seen in endpoint.requests]
    assert asked_for == [TEXTS[0], TEXTS[1], TEXTS[1], TEXTS[2]]
