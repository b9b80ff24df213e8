"""Ray's vLLM stage: what it is given and what is read of it. vLLM itself needs a GPU, and no test
runs it: made answers of its form pass through Ray's own stages.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")
pytest.importorskip("pydantic")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import ray
from tests.fleet.made_vllm import answered, made_engine
from tests.local.tiny_models import save_idefics3, save_qwen3_vl
from tests.pictures import photo, saved

from eyechart import plugins
from eyechart.asking import AskSettings, CallLog
from eyechart.asking.intake import Intake
from eyechart.errors import BadInput, Fatal, MissingExtra
from eyechart.fleet import ray_vllm
from eyechart.fleet.answer_folder import Asked
from eyechart.fleet.importing import import_responses
from eyechart.fleet.one_response import Placed
from eyechart.fleet.request_rows import Numbered, read_requests, write_requests
from eyechart.fleet.response_table import read_responses
from eyechart.fleet.share_worker import Task, account_of
from eyechart.fleet.shares import Parts
from eyechart.fleet.vllm_rows import ERROR, Awaited, RowWriter, answer_in, awaited_in
from eyechart.local.checkpoint.address import read_address
from eyechart.local.checkpoint.finding import find_checkpoint
from eyechart.records import (
    Failure,
    Picture,
    Request,
    Response,
    Sampling,
    Turn,
    Usage,
    next_word,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray[.]"),
    # Ray's own classes are written for pydantic 1.
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
]
SHOWN = Picture(data=saved(photo(), "PNG"), name="a.png")
ASK = AskSettings()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a tiny Qwen3-VL."""
    return f"hf:{save_qwen3_vl(tmp_path_factory.mktemp('models') / 'tiny')}"


def question(n: int, **more: Any) -> Request:
    turns = (Turn("user", (SHOWN, f"Is the image {n} good ?")),)
    return Request(f"item-{n}", "answer", turns, **more)


def writer(model: str) -> RowWriter:
    return RowWriter(find_checkpoint(read_address(model)), plugins.open_model(model))


def rows_of(model: str, *requests: Request) -> list[dict[str, Any]]:
    return list(writer(model).rows(Numbered(n, one) for n, one in enumerate(requests)))


def tokenizer(model: str) -> Any:
    from eyechart.local.checkpoint.processors import load_processor

    return load_processor(Path(model.removeprefix("hf:"))).tokenizer


def test_vllm_is_given_the_tokens_of_the_models_own_prompt(model: str) -> None:
    """A picture has one token there, which vLLM itself makes as many as it needs."""
    (row,) = rows_of(model, question(0, begun="The quality is"))
    text = tokenizer(model).decode(row["tokenized_prompt"])
    assert text == (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Is the image 0 good ?"
        "<|im_end|>\n<|im_start|>assistant\nThe quality is"
    )
    (picture,) = row["multimodal_data"]["image"]
    assert (picture.mode, picture.size, row[ERROR]) == ("RGB", (48, 32), "")


def test_a_tokenizers_own_first_token_is_not_doubled(tmp_path: Path) -> None:
    model = f"hf:{save_idefics3(tmp_path / 'tiny')}"
    (row,) = rows_of(model, question(0))
    first = tokenizer(model).convert_tokens_to_ids("<|begin_of_text|>")
    assert row["tokenized_prompt"].count(first) == 1


def test_vllm_is_told_how_to_draw(model: str) -> None:
    """The checkpoint's own way where the request leaves it open, as the `hf:` backend does it."""
    hot, own, plain = rows_of(
        model,
        question(0, sampling=Sampling(0.5, 0.9, 7)),
        question(1, sampling=Sampling(None, None, None)),
        question(2),
    )
    names = ("temperature", "top_p", "top_k", "max_tokens")
    told = [[row["sampling_params"][name] for name in names] for row in (hot, own, plain)]
    assert told == [[0.5, 0.9, 0, 7], [0.7, 0.8, 20, None], [0.0, 1.0, 0, 4096]]
    assert all(row["sampling_params"]["logprob_token_ids"] is None for row in (hot, own, plain))


def test_each_draw_has_a_seed_of_its_own(model: str) -> None:
    rows = rows_of(model, *[question(0, draw=draw) for draw in (0, 1, 0)])
    seeds = [row["sampling_params"]["seed"] for row in rows]
    assert seeds[0] == seeds[2] != seeds[1] and all(0 <= seed < 2**31 for seed in seeds)


def test_next_words_are_asked_for_by_the_tokens_that_they_are(model: str) -> None:
    (row,) = rows_of(model, question(0, begun="It is", want=next_word("good", "poor")))
    params = row["sampling_params"]
    words = tokenizer(model).convert_ids_to_tokens(params["logprob_token_ids"])
    assert (params["max_tokens"], params["temperature"], words) == (1, 0.0, ["Ġgood", "Ġpoor"])


def test_a_request_that_cannot_be_sent_passes_by_the_model(model: str) -> None:
    torn = Picture(data=b"no picture", name="torn.png")
    turns = (Turn("user", (torn, "Is it good ?")),)
    words = question(1, want=next_word("excellent", "excels"))
    unseen, split = rows_of(model, Request("7", "answer", turns), words)
    assert [row["multimodal_data"] for row in (unseen, split)] == [None, None]
    failures = [answer_in(row).response.failure for row in (unseen, split)]
    assert [failure.kind for failure in failures if failure] == ["image", "refused"]
    assert "torn.png" in str(unseen[ERROR]) and "'excellent'" in str(split[ERROR])


PLACED = Placed(3, Response("7", "answer", 0, "ab", "hf:tiny", "1"))


def test_a_reply_is_read_with_its_reasoning_apart() -> None:
    """The prompt may have opened the reasoning already, which the reply then only closes."""
    awaited = Awaited(PLACED, opened="<think>", ends=frozenset({6}))
    placed = answer_in(answered(awaited, generated_text="It looks sharp.</think>Good."))
    response = placed.response
    assert (placed.n, response.text, response.reasoning) == (3, "Good.", "It looks sharp.")
    assert (response.finish, response.usage, response.seconds) == ("stop", Usage(9, 3), 0.5)
    assert placed.origin.at


def test_a_reply_that_ends_without_the_turns_end_was_cut_off() -> None:
    assert answer_in(answered(Awaited(PLACED))).response.finish == "length"


@pytest.mark.parametrize("name", [int, str])
def test_words_are_read_from_the_list_of_their_tokens(name: type) -> None:
    """Arrow makes names of numbers, and fills up with None what other rows have."""
    entry = {"logprob": -1.5, "rank": 2, "decoded_token": " good"}
    listed = [{name(40): entry, name(41): {**entry, "logprob": -2.5}, name(42): None}]
    response = answer_in(answered(Awaited(PLACED, words=(41, 40)), logprobs=listed)).response
    assert (response.logprobs, response.text, response.finish) == ((-2.5, -1.5), None, "stop")
    assert response.usage == Usage(9, 0)


@pytest.mark.parametrize("listed", [None, [], [None], [{40: {"logprob": float("-inf")}}]])
def test_words_that_vllm_does_not_tell_are_a_failure(listed: Any) -> None:
    response = answer_in(answered(Awaited(PLACED, words=(40,)), logprobs=listed)).response
    assert response.failure and "hf:tiny: vLLM told no log-probability" in response.failure.message


def test_what_is_awaited_survives_the_way() -> None:
    failed = Placed(1, Response("7", "judge", 2, "", "m", failure=Failure("image", "torn")))
    for awaited in (Awaited(PLACED, (4,), "<think>", frozenset({5})), Awaited(failed)):
        assert awaited_in(awaited.as_text()) == awaited


def test_vllm_is_used_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = ray_vllm.is_used
    assert not tried(None, "hf:a/b", ASK, has_gpu=True)
    with pytest.raises(MissingExtra, match="vLLM is not installed"):
        tried(True, "hf:a/b", ASK, has_gpu=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert tried(None, "hf:a/b", ASK, has_gpu=True)
    assert not tried(False, "hf:a/b", ASK, has_gpu=True)
    assert not tried(None, "guess", ASK, has_gpu=True)
    assert not tried(None, "hf:a/b", ASK, has_gpu=False)
    with pytest.raises(BadInput, match="a limit of pixels is for the hf: backend to keep"):
        tried(True, "hf:a/b", AskSettings(max_pixels=10**6), has_gpu=True)


def test_likelihoods_stay_with_our_own_backend() -> None:
    assert ray_vllm.roads(False) == [("text", "next_word", "likelihood")]
    assert ray_vllm.roads(True) == [("text", "next_word"), ("likelihood",)]


def test_an_engine_loads_the_weights_that_our_own_backend_loads(model: str, tmp_path: Path) -> None:
    address = read_address(model)
    settings = ray_vllm.engine_settings(address, find_checkpoint(address))
    assert settings == {
        "dtype": "float32",
        "logprobs_mode": "raw_logprobs",
        "trust_remote_code": False,
        "load_format": "safetensors",
    }
    halved = read_address(f"{model}?dtype=bfloat16")
    assert ray_vllm.engine_settings(halved, find_checkpoint(halved))["dtype"] == "bfloat16"


def test_requests_pass_through_rays_own_stages_into_the_call_log(
    model: str, tmp_path: Path, cluster: None
) -> None:
    """With the very keys that our own backend asks by, which then finds all but what failed."""
    words, two = next_word("good", "poor"), Turn("user", (SHOWN, SHOWN, "Which is good ?"))
    torn = Turn("user", (Picture(data=b"torn", name="torn.png"), "Is it good ?"))
    write_requests(
        tmp_path / "requests.parquet",
        [
            question(0),
            question(1, want=words, begun="It is"),
            Request("two", "answer", (two,)),
            Request("torn", "answer", (torn,)),
            question(4, draw=1),
        ],
    )
    backend, address = plugins.open_model(model), read_address(model)
    asked = Asked("", 5, backend.model, backend.revision)
    table, parts = str(tmp_path / "requests.parquet"), Parts(str(tmp_path / "out"), 1)
    task = Task(table, model, asked, parts, ASK, str(tmp_path))
    processor = ray_vllm.engine(address, find_checkpoint(address), n_engines=1)
    stage = processor.get_stage_by_name("vLLMEngineStage")
    assert stage.map_batches_kwargs["num_gpus"] == 1
    assert stage.fn_constructor_kwargs["engine_kwargs"]["dtype"] == "float32"
    stage.fn = made_engine()
    shares = [{"number": 0, "groups": [0], "wanted": [0, 1, 2, 3, 4]}]
    data = ray.data.from_items(shares, override_num_blocks=1)
    rows = list(ray_vllm.through(processor, data, task).iter_rows())
    accounts = [account_of(row) for row in rows]
    assert sum(one.n_asked for one in accounts) == 3 and sum(one.n_failed for one in accounts) == 2

    found = {one.n: one.response for one in read_responses(tmp_path / "out")}
    assert [found[n].text for n in (0, 4)] == ["Good.", "Good."]
    assert len(found[1].logprobs) == 2
    assert found[2].failure and "at most 1 image" in found[2].failure.message
    assert found[3].failure and "torn.png" in found[3].failure.message
    imported = import_responses(tmp_path / "out", tmp_path)
    assert (imported.n_new, imported.n_failed, imported.n_refused) == (3, 2, 0)
    with CallLog(tmp_path / "calls.sqlite") as log:
        chunk = Intake(iter(read_requests(table)), backend, log).next_chunk()
    assert chunk is not None and chunk.n_found == 3


def test_what_no_prompt_survives_ends_the_run(model: str, tmp_path: Path) -> None:
    asked = Asked("", 1, "another", "")
    task = Task("none", model, asked, Parts(str(tmp_path), 1), ASK, str(tmp_path))
    (row,) = ray_vllm.PromptWriter(task)({"number": 0, "groups": [0], "wanted": [0]})
    written = ray_vllm.write_answers({name: [value] for name, value in row.items()}, task.parts)
    *_, told = [account_of({"account": one}) for one in written["account"]]
    with pytest.raises(Fatal, match="the run was begun with 'another'"):
        told.check()
