"""The answers of an earlier run, given again without a model.

In: a request that the run asked. Out: the answer that it got. Address: `replay:RUN`, a run folder.
What the run never asked is refused, never made up.
"""

from __future__ import annotations

from pathlib import Path

from eyechart.asking.backend import Answer, BackendPlugin, Call
from eyechart.asking.key import canonical, key_of
from eyechart.errors import BadInput, Refused
from eyechart.records import Response
from eyechart.run_folder import read_responses


class Replay:
    """A backend that repeats the responses of one run. Its answers are not logged again."""

    wants = frozenset({"text", "next_word", "likelihood"})
    continues = True
    logged = False

    def __init__(self, responses: list[Response], where: str) -> None:
        kept = [r for r in responses if r.failure is None and r.role == "answer"]
        if not kept:
            raise BadInput(f"{where}: no answered responses to replay; expected a finished run")
        self.model, self.revision = kept[0].model, kept[0].revision
        self._answers = {r.key: r for r in kept}
        self._where = where

    async def answer(self, call: Call) -> Answer:
        """The recorded answer. Raises Refused where the run has none."""
        digests = [image.sha256 for image in call.images]
        key = key_of(canonical(call.request, self.model, self.revision, digests)).hex()
        recorded = self._answers.get(key)
        if recorded is None:
            raise Refused(
                f"{self._where} never asked this (item {call.request.item_id}, key {key[:12]}…); "
                "replay the same benchmark with the same settings, or ask the model itself"
            )
        return Answer(
            text=recorded.text,
            reasoning=recorded.reasoning,
            logprobs=recorded.logprobs,
            bound=recorded.bound,
            finish=recorded.finish,
            usage=recorded.usage,
        )

    async def close(self) -> None:
        """Nothing to let go of."""


def _open(address: str) -> Replay:
    folder = Path(address.partition(":")[2])
    if not (folder / "responses.jsonl").is_file():
        raise BadInput(f"{address}: no responses.jsonl in {folder}; expected a run folder")
    return Replay(list(read_responses(folder)), str(folder))


BACKEND = BackendPlugin(
    name="replay",
    summary="the answers of an earlier run, without a model",
    example="replay:runs/snellen-signal-20260101-120000",
    open=_open,
)
