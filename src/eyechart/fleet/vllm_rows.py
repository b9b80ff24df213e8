"""Requests as rows of Ray's vLLM stage, and that stage's rows as responses.

In: requests and the checkpoint that answers them; out: rows with the prompt's tokens, its pictures
and how to sample, as `vLLMEngineStage` of Ray 2.60 takes them. In: the rows that it gives; out:
responses, with the keys of the `hf:` backend. Computes no model and needs no vLLM.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from eyechart.asking.backend import Backend, Call
from eyechart.asking.intake import Intake, Job
from eyechart.errors import BadPicture, Refused
from eyechart.fleet.logged_calls import Origin, sent
from eyechart.fleet.marking import Marked, marked
from eyechart.fleet.one_response import Placed, response_of_row, row_of_response
from eyechart.fleet.request_rows import Numbered
from eyechart.local.checkpoint.settings_files import read_settings
from eyechart.local.pieces import Checkpoint, Ids
from eyechart.parse import strip_reasoning
from eyechart.records import Failure, Response, Sampling, Usage

ERROR = "__inference_error__"
"""Ray's column: a row that says something there passes by the model."""
MOST_SEED = 2**31
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Awaited:
    """What must be known of a request to read vLLM's answer to it; it travels with the row.

    `placed`: the response, still without an answer, or with its failure. `words`: the token of each
    wanted next word. `opened`: the tag with which the prompt opens the reply's reasoning. `ends`:
    tokens that end a turn.
    """

    placed: Placed
    words: Ids = ()
    opened: str = ""
    ends: frozenset[int] = field(default_factory=frozenset)

    def as_text(self) -> str:
        """JSON, which any fleet can carry."""
        row = row_of_response(self.placed)
        return json.dumps([row, self.words, self.opened, sorted(self.ends)])


def awaited_in(text: str) -> Awaited:
    """The same again."""
    row, words, opened, ends = json.loads(text)
    placed = response_of_row(row, "a row of vLLM's stage")
    return Awaited(placed, tuple(words), opened, frozenset(ends))


class RowWriter:
    """Writes requests as rows, each prompt as the `hf:` backend writes it.

    Loads the checkpoint's processor. Raises Fatal where it has no chat template that takes
    pictures.
    """

    def __init__(self, checkpoint: Checkpoint, backend: Backend) -> None:
        from eyechart.local.checkpoint.processors import load_processor
        from eyechart.local.preparing.chats import Chat
        from eyechart.local.preparing.targets import Targets

        self._processor, self._backend = load_processor(checkpoint.folder), backend
        self._chat = Chat(self._processor, checkpoint.name)
        self._targets = Targets(self._processor.tokenizer)
        where, folder = str(checkpoint.folder), checkpoint.folder
        self._defaults = read_settings(where, folder, "generation_config.json")
        self._ends = _tokens(
            self._defaults.get("eos_token_id"), self._processor.tokenizer.eos_token_id
        )

    def rows(self, requests: Iterable[Numbered]) -> Iterator[Row]:
        """A row for each request; one that cannot be sent carries its failure past the model."""
        intake = Intake(marked(iter(requests)), self._backend, None)
        while (chunk := intake.next_chunk()) is not None:
            for response in chunk.ready:
                yield _failed(_plain(response, Origin()))
            for job in chunk.jobs:
                placed = _placed(job)
                try:
                    yield self._row(job, placed)
                except (Refused, BadPicture) as error:
                    failure = Failure("refused", str(error))
                    response = replace(placed.response, failure=failure)
                    yield _failed(replace(placed, response=response))

    def _row(self, job: Job, placed: Placed) -> Row:
        from eyechart.local.computing.answering import OPENED
        from eyechart.local.preparing.decoding import decoded
        from eyechart.local.preparing.roads import tokenised

        request = job.call.request
        text = self._chat.rendered(request)
        ids = tokenised(self._processor, text)
        targets = self._targets.after(text, ids, request.begun, request.want)
        words = tuple(target[0] for target in targets)
        opened = next((tag for tag in OPENED if text.rstrip().endswith(tag)), "")
        pictures = [decoded(image) for image in job.call.images]
        return {
            "awaited": Awaited(placed, words, opened, self._ends).as_text(),
            "tokenized_prompt": list(ids),
            "multimodal_data": {"image": pictures} if pictures else None,
            "sampling_params": sampling_params(job, words, self._defaults),
            ERROR: "",
        }


def sampling_params(job: Job, words: Ids, defaults: Mapping[str, Any]) -> Row:
    """What vLLM's `SamplingParams` are made of; the same names for every request, as Arrow wants.

    `words`: tokens whose log-probabilities are wanted, () where a text is. `defaults`: the
    checkpoint's generation_config.json, in force where the request does not say how to draw.
    """
    how = Sampling(temperature=0.0, max_tokens=1) if words else job.call.request.sampling
    heat, top_p, top_k = how.temperature, how.top_p, 0
    if heat is None:
        draws = bool(defaults.get("do_sample"))
        heat = float(defaults.get("temperature") or 1.0) if draws else 0.0
        top_k = int(defaults.get("top_k", 50) or 0) if draws else 0
        top_p = top_p or (defaults.get("top_p") if draws else None)
    return {
        "temperature": heat,
        "top_p": 1.0 if top_p is None else float(top_p),
        "top_k": top_k,
        "max_tokens": how.max_tokens,  # None is as many as the context has room for
        "seed": int.from_bytes(job.question.key[:8], "big") % MOST_SEED,
        "logprob_token_ids": list(dict.fromkeys(words)) or None,
    }


def answer_in(row: Mapping[str, Any]) -> Placed:
    """The response in a row that comes from vLLM's stage, or a failure that says why there is none.

    >>> placed = Placed(0, Response("7", "answer", 0, "ab", "hf:mine"))
    >>> row = {"awaited": Awaited(placed).as_text(), ERROR: "ValueError: too long"}
    >>> answer_in(row).response.failure.message
    'hf:mine: vLLM did not answer (ValueError: too long)'
    """
    awaited, told = awaited_in(str(row["awaited"])), row.get(ERROR)
    response = awaited.placed.response
    if response.failure is not None:
        return awaited.placed
    if isinstance(told, str) and told:
        why = f"{response.model}: vLLM did not answer ({told[:300]})"
        return _as(awaited, replace(response, failure=Failure("refused", why)))
    usage = Usage(int(row["num_input_tokens"]), int(row["num_generated_tokens"]))
    response = replace(response, seconds=float(row.get("time_taken_llm") or 0.0), usage=usage)
    if awaited.words:
        return _as(awaited, _with_words(response, awaited.words, row.get("logprobs")))
    return _as(awaited, _with_text(response, awaited, row))


def _with_text(response: Response, awaited: Awaited, row: Mapping[str, Any]) -> Response:
    parts = strip_reasoning(awaited.opened + str(row["generated_text"]))
    tokens = [int(token) for token in row["generated_tokens"]]
    ended = bool(tokens) and tokens[-1] in awaited.ends
    return replace(
        response,
        text=parts.answer,
        reasoning=parts.reasoning or None,
        finish="stop" if ended else "length",
    )


def _with_words(response: Response, words: Ids, logprobs: Any) -> Response:
    """The log-probability of each word, from vLLM's list for the one token that it wrote."""
    steps = [] if logprobs is None else list(logprobs)
    told = {} if not steps or steps[0] is None else dict(steps[0])
    found = [_logprob(told.get(word, told.get(str(word)))) for word in words]
    if not all(map(math.isfinite, found)):
        why = (
            f"{response.model}: vLLM told no log-probability for {found.count(math.nan) or 'some'} "
            "of the wanted words; it must know logprob_token_ids (0.29 does). Or ask with --no-vllm"
        )
        return replace(response, failure=Failure("refused", why))
    usage = replace(response.usage, tokens_out=0)
    return replace(response, logprobs=tuple(found), finish="stop", usage=usage)


def _logprob(entry: Any) -> float:
    value = entry.get("logprob") if isinstance(entry, Mapping) else None
    return math.nan if value is None else min(0.0, float(value))


def _as(awaited: Awaited, response: Response) -> Placed:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return replace(awaited.placed, response=response, origin=replace(awaited.placed.origin, at=now))


def _failed(placed: Placed) -> Row:
    failure = placed.response.failure
    told = failure.message if failure is not None else ""
    return {
        "awaited": Awaited(placed).as_text(),
        "tokenized_prompt": None,
        "multimodal_data": None,
        "sampling_params": None,
        ERROR: told or "failed",
    }


def _plain(response: Response, origin: Origin) -> Placed:
    marked_id = cast(Marked, response.item_id)
    return Placed(marked_id.n, replace(response, item_id=str(marked_id)), origin)


def _placed(job: Job) -> Placed:
    request, question = job.call.request, job.question
    response = Response(
        item_id=request.item_id,
        role=request.role,
        draw=request.draw,
        key=question.key.hex(),
        model=question.model,
        revision=question.revision,
        variant=request.variant,
    )
    return _plain(response, Origin(question.text, _sent(job.call)))


def _sent(call: Call) -> tuple[Any, ...]:
    return tuple({image.sha256: sent(image) for image in call.images}.values())


def _tokens(*told: Any) -> frozenset[int]:
    found = [one if isinstance(one, list) else [one] for one in told if one is not None]
    return frozenset(int(token) for tokens in found for token in tokens)
