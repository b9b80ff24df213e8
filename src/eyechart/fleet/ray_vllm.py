"""Ray Data's own stage for vLLM: texts and next words of a model on this machine, computed by it.

In: shares of a table of requests. Out: their responses, with the very keys that the `hf:` backend
gives, so that the call log takes either for the other. Every prompt is written and tokenised as
that backend does it; vLLM is given its tokens, the pictures and how to sample.

Likelihoods of texts stay with the `hf:` backend: vLLM computes the prompt anew for each text, and
reads no cached prefix where a prompt's log-probabilities are wanted. So does all that has a limit
of pixels, which every family of models spells in its own way there.

Written for Ray 2.60 and the vLLM that it names, 0.29, by their sources. vLLM itself was never run
here: it needs a GPU. All around it is tested, with made answers of its form in Ray's own stages.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eyechart.asking import AskSettings
from eyechart.errors import BadInput, EyechartError, MissingExtra
from eyechart.fleet.one_request import WANTS as ALL
from eyechart.fleet.share_worker import PART_ROWS, Account, Task, opened, share_in, stopped_by
from eyechart.fleet.shares import Parts, read_share
from eyechart.fleet.vllm_rows import ERROR, Row, RowWriter, answer_in
from eyechart.local.checkpoint.address import SCHEME, LocalAddress, read_address
from eyechart.local.checkpoint.finding import find_checkpoint
from eyechart.local.checkpoint.settings_files import read_settings
from eyechart.local.pieces import Checkpoint

WANTS = ("text", "next_word")
"""What vLLM computes; the `hf:` backend does the rest."""
STOP = "__stop__"
BATCH_ROWS = 64
GENERATED = ("num_input_tokens", "num_generated_tokens", "generated_text", "generated_tokens")


def is_used(wished: bool | None, model: str, ask: AskSettings, *, has_gpu: bool) -> bool:
    """Whether vLLM computes what it can. `wished`: None is yes wherever it can be.

    Raises BadInput, or MissingExtra, where it is wished for and cannot be.
    """
    hindrance = _hindrance(model, ask, has_gpu=has_gpu)
    if wished and hindrance:
        raise BadInput(f"vLLM cannot be used: {hindrance}; ask with --no-vllm")
    if not importlib.util.find_spec("vllm"):
        if wished:
            raise MissingExtra(
                'vLLM is not installed: pip install "ray[llm]", or ask with --no-vllm'
            )
        return False
    return wished is not False and not hindrance


def roads(uses_vllm: bool) -> list[tuple[str, ...]]:
    """Which wants are answered together, one after the other."""
    if not uses_vllm:
        return [ALL]
    return [WANTS, tuple(want for want in ALL if want not in WANTS)]


def answered(data: Any, task: Task, *, n_engines: int) -> Any:
    """Shares (a Ray dataset) as accounts of them; their responses are written as parts."""
    address = read_address(task.model)
    processor = engine(address, find_checkpoint(address), n_engines=n_engines)
    return through(processor, data, task, n_writers=n_engines)


def through(processor: Any, data: Any, task: Task, *, n_writers: int = 1) -> Any:
    """The same, by a processor that is built already."""
    import ray.data

    rows = data.flat_map(
        PromptWriter,
        fn_constructor_args=[task],
        compute=ray.data.ActorPoolStrategy(size=n_writers),
    )
    return processor(rows).map_batches(
        write_answers, batch_size=PART_ROWS, fn_kwargs={"parts": task.parts}
    )


def engine(address: LocalAddress, checkpoint: Checkpoint, *, n_engines: int) -> Any:
    """Ray's processor, of one stage: an engine of vLLM on each of so many GPUs."""
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    config = vLLMEngineProcessorConfig(
        # A folder is on every machine; of the hub each machine fetches the same commit.
        model_source=str(checkpoint.folder) if address.is_folder else address.source,
        engine_kwargs=engine_settings(address, checkpoint),
        batch_size=BATCH_ROWS,
        concurrency=(n_engines, n_engines),
        chat_template_stage=False,
        tokenize_stage=False,
        detokenize_stage=False,
        prepare_multimodal_stage=False,
        should_continue_on_error=True,
        log_engine_metrics=False,
    )
    return build_processor(config, postprocess=slim)


def engine_settings(address: LocalAddress, checkpoint: Checkpoint) -> dict[str, Any]:
    """How each engine loads the model: the same weights as the `hf:` backend, of the same dtype.

    Left to itself vLLM would compute float32 weights in 16 bits.
    """
    config = read_settings(str(checkpoint.folder), checkpoint.folder, "config.json")
    settings: dict[str, Any] = {
        "dtype": checkpoint.options.dtype or _dtype(config),
        "logprobs_mode": "raw_logprobs",
        "trust_remote_code": False,
    }
    if not address.is_folder:
        settings |= {"revision": checkpoint.revision, "tokenizer_revision": checkpoint.revision}
    if not checkpoint.options.pickles:
        settings["load_format"] = "safetensors"
    return settings


class PromptWriter:
    """A worker that writes shares as rows for vLLM; the processor stays loaded between them."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._rows: RowWriter | None = None

    def __call__(self, row: Mapping[str, Any]) -> Iterator[Row]:
        """The rows of a share; what ends the run is told in a row of its own."""
        try:
            rows = self._rows = self._rows or self._opened()
            yield from rows.rows(read_share(self._task.requests, share_in(row)))
        except EyechartError as error:
            told = stopped_by(error).as_row()["account"]
            nothing = dict.fromkeys(["tokenized_prompt", "multimodal_data", "sampling_params"])
            yield {"awaited": STOP + told, **nothing, ERROR: str(error) or "stopped"}

    def _opened(self) -> RowWriter:
        backend = opened(self._task)
        return RowWriter(find_checkpoint(read_address(self._task.model)), backend)


def slim(row: Mapping[str, Any]) -> Row:
    """What is read of an answered row, without its prompt."""
    kept = ("awaited", *GENERATED, "logprobs", "time_taken_llm")
    return {name: row.get(name) for name in kept}


def write_answers(batch: Mapping[str, Sequence[Any]], parts: Parts) -> dict[str, list[str]]:
    """Write the responses in a batch of the processor's rows as a part; their account."""
    names = list(batch)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    stops = [row["awaited"] for row in rows if str(row["awaited"]).startswith(STOP)]
    placed = [answer_in(row) for row in rows if row["awaited"] not in stops]
    try:
        if placed:
            parts.write(0, placed)
    except EyechartError as error:
        return {"account": [stopped_by(error).as_row()["account"]]}
    failures = [one.response.failure.message for one in placed if one.response.failure]
    account = Account(
        n_asked=len(placed) - len(failures),
        n_failed=len(failures),
        why={told: failures.count(told) for told in dict.fromkeys(failures)},
    )
    return {"account": [account.as_row()["account"], *(told.removeprefix(STOP) for told in stops)]}


def _hindrance(model: str, ask: AskSettings, *, has_gpu: bool) -> str:
    """Why vLLM cannot compute it, in words; "" where nothing stands in its way."""
    if not model.startswith(SCHEME):
        return f"{model} is no model on this machine (hf:…)"
    if ask.max_pixels is not None:
        return "a limit of pixels is for the hf: backend to keep"
    return "" if has_gpu else "the cluster has no GPU for it"


def _dtype(config: Mapping[str, Any]) -> str:
    """The dtype that a checkpoint's config names, or that of its words; float32 where none is."""
    words = config.get("text_config")
    for told in (config, words if isinstance(words, dict) else {}):
        name = told.get("dtype") or told.get("torch_dtype")
        if isinstance(name, str):
            return name
    return "float32"
