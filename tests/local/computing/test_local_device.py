"""What a device computes is what transformers computes for one whole prompt by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import numpy as np
import torch
from tests.local.plain_road import QUESTIONS, Bench, asked, one_tree, picture
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.asking.backend import Answer
from eyechart.local.computing import shared
from eyechart.local.pieces import DeviceLost, LocalOptions, NoRoom, Refusal
from eyechart.local.scheduling.trees import planted
from eyechart.records import Request, Sampling, likelihood, next_word

SAVED: dict[str, Callable[[Path], Path]] = {"idefics3": save_idefics3, "qwen3_vl": save_qwen3_vl}
WORDS = next_word("good", "poor")
TEXTS = likelihood("good", "poor", "The quality is excellent", "A")
LAST = asked("Now the last of them?")
WITHIN = 1e-4  # of float32; 1e-6 was measured
WITHIN_HALF = 0.01  # of bfloat16; 0.002 was measured, 0.013 with 36 layers


@pytest.fixture(scope="module", params=SAVED)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(SAVED[request.param](tmp_path_factory.mktemp(request.param)))


def crowd(want: Any) -> list[Request]:
    """Questions about one picture, about others, about two at once, and about none."""
    first, second, third = picture(0), picture(1, 48, 80), picture(2, 90, 40)
    return [
        *[asked(first, question, want=want) for question in QUESTIONS],
        *[asked(shown, QUESTIONS[1], want=want) for shown in (second, third)],
        asked(first, "The one before, or this?", second, want=want),
        asked("Is blue a colour?", want=want),
        asked(third, QUESTIONS[0], want=want, begun="The quality of the image is"),
    ]


def close(one: tuple[float | None, ...], other: tuple[float | None, ...], within: float) -> bool:
    return len(one) == len(other) and all(
        a is not None and b is not None and abs(a - b) <= within
        for a, b in zip(one, other, strict=True)
    )


def log_odds(answer: Answer) -> float:
    good, poor = answer.logprobs
    assert good is not None and poor is not None
    return good - poor


def plain_words(bench: Bench, request: Request) -> tuple[float, ...]:
    last = bench.plain_scores(request)[-1]
    return tuple(float(last[target[0]]) for target in bench.ready(request).targets)


def test_a_tiny_model_is_computed_in_the_shared_way(bench: Bench) -> None:
    assert (bench.device.way.name, bench.device.way.reason) == ("shared", "")
    assert bench.device.setup == {
        "dtype": "float32",
        "attention": "sdpa",
        "computed": "in batches",
    }


def test_next_words_are_those_of_the_plain_road_in_any_company(bench: Bench) -> None:
    requests = crowd(WORDS)
    together = bench.answers(requests)
    for request, answer in zip(requests, together, strict=True):
        assert close(answer.logprobs, plain_words(bench, request), WITHIN)
        assert close(answer.logprobs, bench.alone(request).logprobs, WITHIN)
    n_tokens = len(bench.ready(requests[0]).ids)
    assert together[0].finish == "stop"
    assert (together[0].usage.tokens_in, together[0].usage.tokens_out) == (n_tokens, 0)


def test_likelihoods_are_sums_over_the_tokens_of_whole_sequences(bench: Bench) -> None:
    requests = crowd(TEXTS)
    for request, answer in zip(requests, bench.answers(requests), strict=True):
        call = bench.ready(request)
        sums = []
        for target in call.targets:
            scores, end = bench.plain_scores(request, target), len(call.ids)
            sums.append(sum(float(scores[end - 1 + i, t]) for i, t in enumerate(target)))
        assert close(answer.logprobs, tuple(sums), WITHIN)
        assert answer.likelihood is not None
        assert answer.likelihood.n_tokens == tuple(map(len, call.targets))
        assert max(answer.likelihood.n_tokens) > min(answer.likelihood.n_tokens) == 1


def test_the_prompts_own_likelihood_leaves_out_pictures_and_the_first_token(bench: Bench) -> None:
    requests = crowd(TEXTS)
    shown = bench.processor.image_token_id
    for request, answer in zip(requests, bench.answers(requests), strict=True):
        ids, scores = bench.ready(request).ids, bench.plain_scores(request)
        own = [i for i in range(1, len(ids)) if ids[i] != shown]
        told = answer.likelihood
        assert told is not None and told.prompt is not None
        assert told.n_prompt == len(own)
        expected = sum(float(scores[i - 1, ids[i]]) for i in own)
        assert math.isclose(told.prompt, expected, abs_tol=WITHIN)


def test_greedy_replies_are_those_of_generate_in_any_company(bench: Bench) -> None:
    requests = crowd(asked().want)
    for request, answer in zip(requests, bench.answers(requests), strict=True):
        ids = bench.plain_reply(request)
        said = bench.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        assert answer.text == said
        assert answer.usage.tokens_out == len(ids)


def test_all_wants_fit_in_one_batch(bench: Bench) -> None:
    shown = picture(0)
    requests = [asked(shown, QUESTIONS[i % 3], want=w) for i, w in enumerate([WORDS, TEXTS] * 2)]
    requests += [asked(shown, QUESTIONS[0]), asked("Is it?", want=TEXTS), asked("What?")]
    for request, answer in zip(requests, bench.answers(requests), strict=True):
        own = bench.alone(request)
        assert close(answer.logprobs, own.logprobs, WITHIN)
        assert (answer.text, answer.finish) == (own.text, own.finish)


def test_a_batch_of_few_tokens_is_computed_in_parts_with_the_same_numbers(bench: Bench) -> None:
    small = Bench(bench.folder, LocalOptions(batch_tokens=1))
    assert small.device.tokens_at_once() == 1
    for want in (WORDS, TEXTS):
        requests = crowd(want)
        pairs = zip(small.answers(requests), bench.answers(requests), strict=True)
        assert all(close(one.logprobs, other.logprobs, WITHIN) for one, other in pairs)


def test_parts_of_a_batch_give_the_same_answers_in_the_same_order(bench: Bench) -> None:
    small = Bench(bench.folder, LocalOptions(batch_tokens=250))
    requests = [one for want in (WORDS, TEXTS, asked().want) for one in crowd(want)[3:]]
    steps: list[int] = []
    with hooked(small, steps.append):
        parted = small.answers(requests)
    assert 1 in steps and 1 < max(steps) < len(requests)
    for one, other in zip(parted, bench.answers(requests), strict=True):
        assert close(one.logprobs, other.logprobs, WITHIN)
        assert (one.text, one.finish, one.usage) == (other.text, other.finish, other.usage)


def test_places_of_pictures_are_not_read_and_make_no_further_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [asked(picture(i, 128, 128), "Sharp?", want=TEXTS) for i in range(3)]
    calls = [bench.ready(request) for request in requests]
    n_texts = sum(token != bench.processor.image_token_id for token in calls[0].ids)
    assert 3 * n_texts < 2 * len(calls[0].ids)
    monkeypatch.setattr(shared, "MOST_PLACES", 3 * n_texts)
    steps: list[int] = []
    with hooked(bench, steps.append):
        bench.device.compute([one_tree(call) for call in calls])
    assert steps[0] == 3


def test_draws_are_the_same_alone_and_in_any_batch(bench: Bench) -> None:
    def drawn(draw: int, shown: int) -> Request:
        request = asked(picture(shown), QUESTIONS[draw % 3], draw=draw)
        return replace(request, sampling=Sampling(temperature=1.5, max_tokens=8))

    requests = [drawn(draw, shown) for draw in range(5) for shown in range(2)]
    together = [answer.text for answer in bench.answers(requests)]
    assert together == [bench.alone(request).text for request in requests]
    assert len(set(together)) == len(together)


def test_without_a_temperature_the_checkpoint_says_how_to_draw(bench: Bench) -> None:
    request = replace(asked(picture(0), "?"), sampling=Sampling(temperature=None, max_tokens=8))
    greedy = bench.alone(replace(request, sampling=Sampling(temperature=0.0, max_tokens=8)))
    assert bench.alone(request).text != greedy.text


@pytest.fixture
def ending(bench: Bench, tmp_path: Path) -> Iterator[Bench]:
    """The same checkpoint, whose turns end with the third token of its own reply to `LAST`."""
    for file in bench.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    third = bench.plain_reply(LAST)[2]
    file = tmp_path / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"eos_token_id": [third]}))
    yield Bench(tmp_path)


def test_a_reply_stops_at_the_turns_end(bench: Bench, ending: Bench) -> None:
    ids = bench.plain_reply(LAST)
    n_before = ids.index(ids[2])
    said = bench.processor.tokenizer.decode(ids[:n_before], skip_special_tokens=True).strip()
    answer = ending.alone(LAST)
    assert (answer.text, answer.finish) == (said, "stop")
    assert answer.usage.tokens_out == n_before + 1


def test_a_reply_that_grows_too_long_is_cut_off(bench: Bench) -> None:
    answer = bench.alone(LAST)
    assert (answer.finish, answer.usage.tokens_out) == ("length", 12)


def test_a_reply_of_any_length_ends_with_the_context(bench: Bench) -> None:
    request = replace(asked("Go on."), sampling=Sampling(max_tokens=None))
    call = bench.ready(request)
    long = replace(call, ids=call.ids * (2040 // len(call.ids)))
    rows = {name: row * (2040 // len(call.ids)) for name, row in call.rows.items()}
    answer = bench.device.compute([one_tree(replace(long, rows=rows))])[0]
    assert isinstance(answer, Answer) and answer.finish == "length"
    assert answer.usage.tokens_out == 2048 - len(long.ids)


def test_reasoning_is_kept_apart_also_where_the_prompt_opened_it(bench: Bench) -> None:
    cut_off = bench.alone(asked(picture(0), QUESTIONS[0], begun="<think>"))
    plain = bench.alone(asked(picture(0), QUESTIONS[0], begun="I think"))
    assert cut_off.text == "" and cut_off.reasoning
    assert plain.text and plain.reasoning is None


def test_log_odds_in_bfloat16_are_the_same_alone_and_in_any_batch_within_rounding(
    bench: Bench,
) -> None:
    half = Bench(bench.folder, LocalOptions(dtype="bfloat16"))
    requests = [*crowd(WORDS), *crowd(TEXTS)]
    for request, answer in zip(requests, half.answers(requests), strict=True):
        if request.want == WORDS:
            assert abs(log_odds(answer) - log_odds(half.alone(request))) <= WITHIN_HALF


def test_bfloat16_agrees_with_itself_within_rounding(bench: Bench) -> None:
    half = Bench(bench.folder, LocalOptions(dtype="bfloat16"))
    assert half.device.way.name == "shared"
    requests = crowd(WORDS)
    for request, answer in zip(requests, half.answers(requests), strict=True):
        assert close(answer.logprobs, half.alone(request).logprobs, WITHIN_HALF)
        assert close(answer.logprobs, plain_words(half, request), WITHIN_HALF)


# --- what goes wrong ----------------------------------------------------------------------------


Hook = Callable[[int], None]


@contextmanager
def hooked(bench: Bench, hook: Hook) -> Iterator[None]:
    """Around the model's first layer: `hook` gets the number of sequences at every step."""
    assert bench.device.loaded is not None
    layer = bench.device.loaded.model.get_decoder().layers[0]
    handle = layer.register_forward_pre_hook(lambda _layer, args: hook(args[0].shape[0]))
    try:
        yield
    finally:
        handle.remove()


def test_a_batch_without_room_answers_nothing_and_harms_no_other(bench: Bench) -> None:
    small = Bench(bench.folder)

    def greedy(n_rows: int) -> None:
        if n_rows > 1:
            torch.empty(2**50)

    trees = [one_tree(small.ready(request)) for request in crowd(WORDS)]
    with hooked(small, greedy):
        with pytest.raises(NoRoom, match="can't allocate memory: you tried to allocate"):
            small.device.compute(trees[3:5])
        assert len(small.device.compute(trees[3:4])) == 1
    assert len(small.device.compute(trees[3:5])) == 2


def test_a_device_that_falls_is_lost(bench: Bench) -> None:
    def fall(n_rows: int) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCompile with ...")

    other = Bench(bench.folder)
    other.device.name = "cuda:99"  # which computes nothing on any machine
    with (
        hooked(other, fall),
        pytest.raises(DeviceLost, match=r"^cuda:99: CUDA error: device-side assert triggered$"),
    ):
        other.device.compute([one_tree(other.ready(asked("?", want=WORDS)))])


def test_a_call_that_the_model_fails_at_is_refused_and_the_others_are_answered(
    bench: Bench,
) -> None:
    good = [bench.ready(request) for request in crowd(WORDS)[:5]]
    seen = good[3].seen
    assert seen is not None
    wrong = {name: array[:-1] for name, array in seen.arrays.items()}
    bad = replace(good[3], seen=replace(seen, key="other", arrays=wrong))
    trees = planted([*good, bad])
    outcomes = bench.device.compute(trees)
    calls = [call for tree in trees for call in tree.calls]
    for call, outcome in zip(calls, outcomes, strict=True):
        if call is bad:
            assert isinstance(outcome, Refusal)
            assert "the model failed at this prompt and its pictures" in outcome.message
        else:
            assert isinstance(outcome, Answer)


def test_a_call_whose_inputs_cannot_be_made_is_refused_and_no_other_is_lost(bench: Bench) -> None:
    small = Bench(bench.folder, LocalOptions(batch_tokens=1))
    good = [small.ready(request) for request in crowd(WORDS)[3:7]]
    seen = good[0].seen
    assert seen is not None
    wrong = {name: np.array([None]) for name in seen.arrays}
    bad = replace(good[0], seen=replace(seen, key="other", arrays=wrong))
    outcomes = small.device.compute([one_tree(call) for call in [*good[:2], bad, *good[2:]]])
    refused = outcomes.pop(2)
    assert isinstance(refused, Refusal)
    assert "(TypeError: can't convert np.ndarray of type numpy.object_" in refused.message
    for call, outcome in zip(good, outcomes, strict=True):
        (own,) = bench.device.compute([one_tree(call)])
        assert isinstance(outcome, Answer) and isinstance(own, Answer)
        assert close(outcome.logprobs, own.logprobs, WITHIN)


def test_numbers_that_are_none_are_refused_in_words(bench: Bench) -> None:
    broken = Bench(bench.folder)
    requests = [asked("?", want=want) for want in (WORDS, TEXTS, asked().want)]
    trees = [one_tree(bench.ready(request)) for request in requests]
    assert broken.device.loaded is not None
    broken.device.loaded.model.get_output_embeddings().weight.data.fill_(math.nan)
    for outcome in broken.device.compute(trees):
        assert isinstance(outcome, Refusal)
        assert "no numbers (nan or infinite) in float32; ask again with" in outcome.message


def test_a_closed_device_is_lost(bench: Bench) -> None:
    other = Bench(bench.folder)
    tree = one_tree(other.ready(asked("?", want=WORDS)))
    other.device.close()
    with pytest.raises(DeviceLost, match="cpu was closed"):
        other.device.compute([tree])
