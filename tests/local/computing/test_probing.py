"""A model is computed in the shared way only where that gives the numbers of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from tests.local.hybrid_model import save_qwen3_5
from tests.local.plain_road import QUESTIONS, Bench, asked, picture
from tests.local.tiny_models import save_idefics3

from eyechart.asking.backend import Answer
from eyechart.errors import Fatal
from eyechart.local.computing import probing
from eyechart.local.computing.alone import AloneWay
from eyechart.local.computing.faults import fault_of
from eyechart.local.computing.probing import Compute, Way, apart, chosen_way
from eyechart.local.pieces import DeviceLost, Outcome, Refusal, Tree
from eyechart.records import Sampling, likelihood, next_word

WITHIN = 1e-4


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(save_qwen3_5(tmp_path_factory.mktemp("hybrid")))


def test_a_model_that_keeps_other_states_is_computed_call_by_call(hybrid: Bench) -> None:
    assert hybrid.device.way.name == "alone"
    assert "it fails at a small picture (IndexError" in hybrid.device.way.reason
    assert hybrid.device.setup["computed"] == f"call by call: {hybrid.device.way.reason}"


def test_calls_alone_have_the_next_words_of_the_plain_road(hybrid: Bench) -> None:
    request = asked(picture(0), QUESTIONS[0], want=next_word("good", "poor"))
    last = hybrid.plain_scores(request)[-1]
    expected = [float(last[target[0]]) for target in hybrid.ready(request).targets]
    assert hybrid.alone(request).logprobs == pytest.approx(expected, abs=WITHIN)


def test_calls_alone_have_the_likelihoods_of_the_plain_road(hybrid: Bench) -> None:
    request = asked(picture(0), QUESTIONS[0], want=likelihood("A", "It is fair"))
    call, answer = hybrid.ready(request), hybrid.alone(request)
    ids, n = call.ids, len(call.ids)
    scores = [hybrid.plain_scores(request, target) for target in call.targets]
    expected = [
        sum(float(own[n - 1 + i, token]) for i, token in enumerate(target))
        for own, target in zip(scores, call.targets, strict=True)
    ]
    assert answer.logprobs == pytest.approx(expected, abs=WITHIN)
    texts = [i for i in range(1, n) if ids[i] != hybrid.processor.image_token_id]
    assert answer.likelihood is not None
    assert answer.likelihood.n_prompt == len(texts)
    prompt = sum(float(scores[0][i - 1, ids[i]]) for i in texts)
    assert answer.likelihood.prompt == pytest.approx(prompt, abs=WITHIN)


def test_calls_alone_have_the_replies_of_generate(hybrid: Bench) -> None:
    requests = [asked(picture(0), QUESTIONS[0]), asked("What is blue?")]
    for request, answer in zip(requests, hybrid.answers(requests), strict=True):
        ids = hybrid.plain_reply(request)
        said = hybrid.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        assert (answer.text, answer.finish) == (said, "length")
        assert answer.usage.tokens_out == len(ids)


def test_of_calls_alone_only_the_places_that_are_read_get_logits(hybrid: Bench) -> None:
    assert hybrid.device.loaded is not None
    seen: list[int] = []
    head = hybrid.device.loaded.model.get_output_embeddings()
    hook = head.register_forward_hook(lambda _head, args, _out: seen.append(len(args[0])))
    try:
        hybrid.alone(asked(picture(0), QUESTIONS[0], want=next_word("good", "poor")))
        assert seen == [1]
        answer = hybrid.alone(asked(picture(0), QUESTIONS[0], want=likelihood("A", "fine")))
    finally:
        hook.remove()
    told = answer.likelihood
    assert told is not None
    assert seen[1:] == [told.n_prompt + told.n_tokens[0], told.n_tokens[1]]


def test_both_ways_draw_the_same_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    bench = Bench(save_idefics3(tmp_path_factory.mktemp("idefics3")))
    assert bench.device.loaded is not None
    alone = AloneWay(bench.device.loaded)
    for heat in (None, 1.5):
        how = Sampling(temperature=heat, max_tokens=8)
        request = replace(asked(picture(0), QUESTIONS[0]), sampling=how)
        call = bench.ready(request)
        with torch.inference_mode():
            (outcome,) = alone.compute([Tree((call,), len(call.ids))])
        assert outcome == bench.alone(request)


def test_a_call_alone_whose_numbers_are_none_is_refused(hybrid: Bench) -> None:
    broken = Bench(hybrid.folder)
    assert broken.device.loaded is not None
    broken.device.loaded.model.get_output_embeddings().weight.data.fill_(torch.nan)
    calls = [broken.ready(asked("?", want=want)) for want in (next_word("A"), asked().want)]
    for outcome in broken.device.compute([Tree((call,), len(call.ids)) for call in calls]):
        assert isinstance(outcome, Refusal) and "no numbers" in outcome.message


# --- the choice ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(save_idefics3(tmp_path_factory.mktemp("idefics3")))


def chosen(bench: Bench, shared: Compute, alone: Compute) -> Way:
    assert bench.device.loaded is not None
    with torch.inference_mode():
        return chosen_way(bench.device.loaded, bench.prompter, shared, alone)


def bent(compute: Compute) -> Compute:
    """A way whose numbers are a little off."""

    def off(trees: Sequence[Tree]) -> list[Outcome]:
        outcomes = compute(trees)
        answers = [one for one in outcomes if isinstance(one, Answer)]
        return [replace(a, logprobs=tuple(1.01 * (v or 0) for v in a.logprobs)) for a in answers]

    return off


def test_other_numbers_are_no_way(plain: Bench) -> None:
    right, wrong = plain.device.compute, bent(plain.device.compute)
    assert chosen(plain, right, wrong) == Way("shared")
    way = chosen(plain, wrong, right)
    assert way.name == "alone"
    assert "of their spread apart from those that transformers computes" in way.reason
    with pytest.raises(Fatal, match="this model cannot be computed here: its log-probabilities"):
        chosen(plain, wrong, wrong)


def test_numbers_that_are_none_are_no_way(plain: Bench) -> None:
    def refusing(trees: Sequence[Tree]) -> list[Outcome]:
        return [Refusal("") for tree in trees for _ in tree.calls]

    way = chosen(plain, refusing, plain.device.compute)
    assert way == Way("alone", "it computes what is no number")


def test_no_memory_for_a_small_picture_ends_the_run(plain: Bench) -> None:
    def greedy(trees: Sequence[Tree]) -> list[Outcome]:
        torch.empty(2**50)
        return []

    with pytest.raises(Fatal, match="no memory even for one small picture"):
        chosen(plain, greedy, plain.device.compute)


def test_a_device_that_falls_at_a_small_picture_is_lost(
    plain: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def falling(trees: Sequence[Tree]) -> list[Outcome]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    # The name of a device that computes nothing on any machine.
    monkeypatch.setattr(probing, "fault_of", lambda error, _device: fault_of(error, "cuda:99"))
    with pytest.raises(DeviceLost, match="illegal memory access"):
        chosen(plain, falling, plain.device.compute)


def test_how_far_numbers_are_apart_is_a_share_of_how_much_they_vary() -> None:
    assert apart([-1.0, -3.0], [-1.1, -2.9]) == pytest.approx(0.1)
