"""Made answers in the form of Ray's stage for vLLM, for tests without a GPU."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from eyechart.fleet.vllm_rows import ERROR, Awaited, awaited_in


def answered(awaited: Awaited, **told: Any) -> dict[str, Any]:
    """A row as `vLLMEngineStage` of Ray 2.60 hands it on."""
    row = {
        "awaited": awaited.as_text(),
        "prompt": "",
        "prompt_token_ids": [1, 2, 3],
        "num_input_tokens": 9,
        "generated_tokens": [4, 5, 6],
        "generated_text": "Good.",
        "num_generated_tokens": 3,
        "embeddings": None,
        "metrics": None,
        "logprobs": None,
        "prompt_logprobs": None,
        "request_id": 0,
        "batch_uuid": "ab",
        "time_taken_llm": 0.5,
        "params": "",
        ERROR: "",
    }
    return row | told


def made_engine() -> type:
    """In the place of vLLM's engine: an answer for each row but one, in the form of its stage."""
    from ray.llm._internal.batch.stages.base import StatefulStageUDF

    class MadeEngine(StatefulStageUDF):
        def __init__(self, data_column: str, expected_input_keys: list[str], **_: Any) -> None:
            super().__init__(data_column, expected_input_keys)

        async def udf(self, batch: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
            for row in batch:
                made = answered(awaited_in(row["awaited"]))
                words = row["sampling_params"]["logprob_token_ids"]
                if words is not None:
                    made["logprobs"] = [{int(word): {"logprob": -1.0} for word in words}]
                if len(row["multimodal_data"]["image"]) > 1:
                    made[ERROR] = "ValueError: at most 1 image"
                yield made | {self.IDX_IN_BATCH_COLUMN: row[self.IDX_IN_BATCH_COLUMN]}

    return MadeEngine
