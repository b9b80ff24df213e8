"""The answers of an earlier run, given again without a model.

In: a request that the run asked. Out: the answer that it got. Address: `replay:RUN`, a run folder,
for the answers of its model; `replay:RUN#judge` for the verdicts of its judge.
What the run never asked is refused, never made up.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.asking.key import canonical, digests_of, key_of
from eyechart.errors import BadInput, Refused
from eyechart.records import Response, Role
from eyechart.run_folder import read_info, read_responses

JUDGE_MARK = "#judge"
LOCAL = "hf:"  # models that keep a limit of pixels themselves, which is part of the key


class Replay(Backend):
    """A backend that repeats what one run was answered in one role. Nothing is logged again.

    `continues`: whether the run's ratings were asked with a begun answer. `where`: its address.
    """

    wants = frozenset({"text", "next_word", "likelihood"})
    logged = False

    def __init__(
        self, responses: Iterable[Response], where: str, *, role: Role, continues: bool
    ) -> None:
        kept = [r for r in responses if r.failure is None and r.role == role]
        if not kept:
            raise BadInput(f"{where}: no {role}s to replay; expected a finished run that has some")
        self.model, self.revision = kept[0].model, kept[0].revision
        self.continues = continues
        self._answers = {r.key: r for r in kept}
        self.resizes = self.model.startswith(LOCAL)
        self._where = where

    async def answer(self, call: Call) -> Answer:
        """The recorded answer. Raises Refused where the run has none."""
        key = key_of(canonical(call.request, self.model, self.revision, digests_of(call))).hex()
        recorded = self._answers.get(key)
        if recorded is None:
            raise Refused(
                f"{self._where} never asked this (item {call.request.item_id}, key {key[:12]}…); "
                f"replay the same benchmark with the same settings (a judge as RUN{JUDGE_MARK}), "
                "or ask the model itself"
            )
        return Answer(
            text=recorded.text,
            reasoning=recorded.reasoning,
            logprobs=recorded.logprobs,
            bound=recorded.bound,
            finish=recorded.finish,
            usage=recorded.usage,
            likelihood=recorded.likelihood,
        )

    async def close(self) -> None:
        """Nothing to let go of."""


def _open(address: str) -> Replay:
    place = address.partition(":")[2]
    folder = Path(place.removesuffix(JUDGE_MARK))
    if not (folder / "responses.jsonl").is_file():
        raise BadInput(f"{address}: no responses.jsonl in {folder}; expected a run folder")
    role: Role = "judge" if place.endswith(JUDGE_MARK) else "answer"
    continues = read_info(folder).identity.get("rating prompt") != "one-word"
    return Replay(read_responses(folder), address, role=role, continues=continues)


BACKEND = BackendPlugin(
    name="replay",
    summary="the answers of an earlier run, without a model",
    example="replay:runs/snellen-signal-20260101-120000",
    open=_open,
)
