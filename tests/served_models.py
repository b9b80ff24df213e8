"""vLLM and SGLang on loopback: what their own sources say they do with a chat completion.

    with serve(served(VLLM(max_model_len=2048))) as endpoint:
        open_model(endpoint.address)

The flags are theirs, by their names. What is checked, in which order, and every error body is that
of the file named beside it. Of vllm-project/vllm: entrypoints/openai/chat_completion/protocol.py
(002032ee) and serving.py (006c49d4), sampling_params.py (00388f65), config/model.py (18ec6629),
renderers/params.py (017638d7; the words of its length check are those of 0.25.1 and later),
multimodal/processing/context.py, entrypoints/serve/exception_handling (ba638200, 4da14a5c) and
entrypoints/serve/utils/api_utils.py (its words as public logs quote them). Of sgl-project/sglang,
under python/sglang/srt: entrypoints/openai/serving_chat.py (002897c2), protocol.py (004c82e0) and
serving_base.py (c5695a4b), managers/tokenizer_manager.py, layers/sampler.py (584f55d1).

The model behind is made up: `LOGITS` come next whatever it is asked, and each token of a prompt has
the log-probability `surprise`.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from tests.endpoint import Behaviour, Seen

Json = Any
MODEL = "eyes"
PICTURE = "<|image_pad|>"
PICTURE_TOKENS = 64  # of a small picture: Qwen3-VL looks at 65536 pixels or more, 1024 for each
THOUGHT = "<think>Look at the edges.</think>"
FILLERS = {f" w{i}": -1.0 - i / 10 for i in range(40)}
LOGITS = {" good": 6.0, " fair": 4.5, " poor": 4.0, " high": 3.0, " low": 2.0, **FILLERS}
GENERATION_CONFIG = {"temperature": 0.7, "top_p": 0.8}  # the checkpoint's, for what is not sent
ASSISTANT = "<|im_start|>assistant\n"
END = "<|im_end|>"
_ROLES = ("system", "user", "assistant")


class Rejected(Exception):
    """A request that the server will not take. `body`: its error, as the server sends it."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


@dataclass(frozen=True)
class VLLM:
    """`vllm serve` with these flags. `template`: whether it keeps a begun answer, see `_prompt`."""

    max_logprobs: int = 20
    logprobs_mode: str = "raw_logprobs"
    limit_mm_per_prompt: int = 999
    max_model_len: int = 262144
    reasoning_parser: bool = False
    thinks: bool = False
    template: str = "keeps"

    def answer(self, body: Mapping[str, Json]) -> Json:
        """The reply. Raises Rejected, in the order of `OpenAIServingChat` in serving.py."""
        self._validate(body)
        if body.get("model") != MODEL:  # serving.py, _check_model
            raise _vllm(
                f"The model `{body.get('model')}` does not exist.", "NotFoundError", "model"
            )
        n_new = self._length(body)
        tokens = _tokens(self._rendered(body))
        logprobs = self._listed(body)
        n_new = min(n_new, self.max_model_len - len(tokens))  # api_utils.py, get_max_tokens
        message, finish = _said(self.thinks, n_new, "reasoning" if self.reasoning_parser else "")
        reply = _reply(message, finish, len(tokens))
        reply["choices"][0]["logprobs"] = logprobs
        reply["prompt_logprobs"] = None  # chat_completion/protocol.py: there, and null if not asked
        if body.get("prompt_logprobs") is not None:
            reply["prompt_logprobs"] = [None, *map(self._of_prompt, tokens[1:])]
        return reply

    def _validate(self, body: Mapping[str, Json]) -> None:
        """chat_completion/protocol.py; fields that it does not know are let through."""
        if (body.get("top_logprobs") or 0) > 0 and not body.get("logprobs"):
            raise _invalid(
                "when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs"
            )
        if body.get("continue_final_message") and body.get("add_generation_prompt"):
            raise _invalid(
                "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
                "body",
            )

    def _length(self, body: Mapping[str, Json]) -> int:
        """renderers/params.py, TokenizeParams."""
        name = "max_tokens" if "max_tokens" in body else "max_completion_tokens"
        n_new = body.get(name) or 0
        if n_new > self.max_model_len:
            raise _vllm(
                f"{name}={n_new} cannot be greater than max_model_len=max_total_tokens="
                f"{self.max_model_len}. Please request fewer output tokens.",
                parameter=name,
            )
        return n_new or self.max_model_len

    def _rendered(self, body: Mapping[str, Json]) -> str:
        n_pictures = _count_pictures(body)
        if n_pictures > self.limit_mm_per_prompt:  # multimodal/processing/context.py
            said = f"At most {self.limit_mm_per_prompt} image(s) may be provided in one prompt."
            more = " Set `--limit-mm-per-prompt` to increase this limit."
            raise _vllm(said + more, parameter="image")
        prompt = self._prompt(body)
        n_asked = body.get("max_tokens") or 0
        n_text = len(_tokens(prompt))
        if n_text > self.max_model_len - n_asked:  # renderers/params.py, _token_len_check
            # Only so much is tokenised as is needed to see that it is too long.
            n_seen = self.max_model_len - n_asked + 1
            raise _vllm(
                f"This model's maximum context length is {self.max_model_len} tokens. However, you "
                f"requested {n_asked} output tokens and your prompt contains at least {n_seen} "
                f"input tokens, for a total of at least {n_seen + n_asked} tokens. Please reduce "
                "the length of the input prompt or the number of requested output tokens. "
                f"(parameter=input_tokens, value={n_seen})",
                parameter="input_tokens",
            )
        prompt = prompt.replace(PICTURE, PICTURE * PICTURE_TOKENS)
        if len(_tokens(prompt)) >= self.max_model_len:  # api_utils.py, get_max_tokens
            raise _vllm(
                f"Input length ({len(_tokens(prompt))}) exceeds model's maximum context length "
                f"({self.max_model_len})."
            )
        return prompt

    def _prompt(self, body: Mapping[str, Json]) -> str:
        """transformers' apply_chat_template; what a template raises becomes a 400 (hf.py)."""
        messages = body["messages"]
        begun = bool(body.get("continue_final_message"))
        if begun and body.get("add_generation_prompt", True):
            raise _vllm(
                "continue_final_message and add_generation_prompt are not compatible. Use "
                "continue_final_message when you want the model to continue the final message, and "
                "add_generation_prompt when you want to add a header that will prompt it to start "
                "a new assistant message instead."
            )
        if begun and self.template == "drops":
            raise _vllm(
                "continue_final_message is set but the final message does not appear in the chat "
                "after applying the chat template! This can happen if the chat template deletes "
                "portions of the final message. Please verify the chat template and final message "
                "in your chat to ensure they are compatible."
            )
        _check_last(messages, self.template)
        return _render(messages, begun=begun) + ("" if begun else ASSISTANT)

    def _listed(self, body: Mapping[str, Json]) -> Json:
        """sampling_params.py, _validate_logprobs; serving.py, _create_chat_logprobs."""
        if not body.get("logprobs"):
            return None
        n_listed = body.get("top_logprobs") or 0
        if n_listed > self.max_logprobs:
            raise _vllm(
                f"Requested sample logprobs of {n_listed}, which is greater than max allowed: "
                f"{self.max_logprobs} (parameter=logprobs, value={n_listed})",
                parameter="logprobs",
            )
        told = self._of_next({**GENERATION_CONFIG, **body})
        ranked = sorted(told, key=lambda token: -told[token])
        drawn = ranked[0] if body.get("temperature") == 0 else " w39"
        order = [drawn, *(token for token in ranked[:n_listed] if token != drawn)]
        return _as_list(drawn, {token: told[token] for token in order[:n_listed]}, told[drawn])

    def _of_next(self, sampling: Mapping[str, Json]) -> dict[str, float]:
        """config/model.py, logprobs_mode."""
        temperature = (sampling["temperature"] or 1.0) if "processed" in self.logprobs_mode else 1.0
        scaled = {token: logit / temperature for token, logit in LOGITS.items()}
        return scaled if self.logprobs_mode.endswith("logits") else _normal(scaled)

    def _of_prompt(self, token: str) -> Json:
        raised = 20.0 if self.logprobs_mode.endswith("logits") else 0.0
        about = {"logprob": surprise(token) + raised, "rank": 1, "decoded_token": token}
        return {str(zlib.crc32(token.encode())): about}


@dataclass(frozen=True)
class SGLang:
    """`python -m sglang.launch_server` with these flags."""

    limit_mm_data_per_request: int | None = None
    context_length: int = 262144
    reasoning_parser: bool = False
    enable_multimodal: bool = True
    thinks: bool = False
    template: str = "keeps"

    def answer(self, body: Mapping[str, Json]) -> Json:
        """The reply. Raises Rejected, in the order of `OpenAIServingChat` in serving_chat.py.

        Fields that `ChatCompletionRequest` in protocol.py does not have are ignored, among them
        `add_generation_prompt` and `prompt_logprobs`. No name of a model is checked.
        """
        n_new = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        if n_new > self.context_length:  # _validate_request
            raise _sglang(
                f"max_completion_tokens is too large: {n_new}."
                f"This model supports at most {self.context_length} completion tokens."
            )
        tokens = _tokens(self._prompt(body))
        self._check(len(tokens), n_new, _count_pictures(body))
        field_name = "reasoning_content" if self.reasoning_parser else ""
        message, finish = _said(self.thinks, n_new or 9999, field_name)
        reply = _reply(message, finish, len(tokens))
        reply["choices"][0]["logprobs"] = self._listed(body) if body.get("logprobs") else None
        return reply

    def _prompt(self, body: Mapping[str, Json]) -> str:
        """_handle_last_assistant_message, _apply_jinja_template."""
        messages, begun = list(body["messages"]), ""
        if messages[-1]["role"] == "assistant":
            said = messages.pop()["content"]
            if body.get("continue_final_message"):
                begun = said
            else:
                messages.append({"role": "user", "content": said})
        _check_roles(messages)
        shown = PICTURE * PICTURE_TOKENS if self.enable_multimodal else ""
        return (_render(messages) + ASSISTANT + begun).replace(PICTURE, shown)

    def _check(self, n_tokens: int, n_new: int, n_pictures: int) -> None:
        """tokenizer_manager.py, _validate_mm_limits and _validate_one_request."""
        limit = self.limit_mm_data_per_request
        if limit is not None and n_pictures > limit:
            raise _sglang(f"Image count {n_pictures} exceeds limit {limit} per request.")
        if n_tokens >= self.context_length:
            raise _sglang(
                f"The input ({n_tokens} tokens) is longer than the model's context length "
                f"({self.context_length} tokens)."
            )
        if n_tokens + n_new > self.context_length:
            raise _sglang(
                "Requested token count exceeds the model's maximum context length of "
                f"{self.context_length} tokens. You requested a total of {n_tokens + n_new} "
                f"tokens: {n_tokens} tokens from the input messages and {n_new} tokens for the "
                "completion. Please reduce the number of tokens in the input messages or the "
                "completion to fit within the limit."
            )

    def _listed(self, body: Mapping[str, Json]) -> Json:
        """layers/sampler.py: scaled by the temperature, which is 1 for a greedy request."""
        temperature = {**GENERATION_CONFIG, **body}["temperature"] or 1.0
        told = _normal({token: logit / temperature for token, logit in LOGITS.items()})
        ranked = sorted(told, key=lambda token: -told[token])[: body.get("top_logprobs") or 0]
        return _as_list(" good", {token: told[token] for token in ranked}, told[" good"])


def served(server: VLLM | SGLang) -> Behaviour:
    """A behaviour for `tests.endpoint.serve`: this server, for every request that comes."""

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        try:
            return web.json_response(server.answer(seen.body))
        except Rejected as error:
            return web.json_response(error.body, status=error.status)

    return behave


def surprise(token: str) -> float:
    """The log-probability of a prompt's token, from -2 to -0.25."""
    return -(1 + zlib.crc32(token.encode()) % 8) / 4


def next_logprobs() -> dict[str, float]:
    """The model's own log-probabilities of the next token."""
    return _normal(LOGITS)


def _vllm(message: str, kind: str = "BadRequestError", parameter: str | None = None) -> Rejected:
    """exception_handling/error_response.py."""
    code = 404 if kind == "NotFoundError" else 400
    return Rejected(
        code, {"error": {"message": message, "type": kind, "param": parameter, "code": code}}
    )


def _invalid(message: str, parameter: str) -> Rejected:
    """exception_handling/handlers/validation.py."""
    told = {"type": "value_error", "loc": "body", "msg": f"Value error, {message}"}
    return _vllm(f"1 validation error:\n  {told}", "Bad Request", parameter)


def _sglang(message: str) -> Rejected:
    """serving_base.py, create_error_response: the error itself is the body."""
    error = {"object": "error", "message": message, "type": "BadRequestError", "param": None}
    return Rejected(400, {**error, "code": 400})


def _check_last(messages: list[Json], template: str) -> None:
    """What Gemma's template raises of an assistant's turn where a user's is due."""
    if template == "alternates" and messages[-1]["role"] == "assistant":
        raise _vllm("Conversation roles must alternate user/assistant/user/assistant/...")
    _check_roles(messages)


def _check_roles(messages: list[Json]) -> None:
    if not all(message["role"] in _ROLES for message in messages):
        raise ValueError(f"not a role in {messages!r}")


def _render(messages: list[Json], *, begun: bool = False) -> str:
    """Qwen's template: a turn each, the last one open where it is begun."""
    turns = [
        f"<|im_start|>{message['role']}\n{_content(message['content'])}" for message in messages
    ]
    return f"{END}\n".join(turns) + ("" if begun else f"{END}\n")


def _content(content: Json) -> str:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return "".join(part["text"] if part["type"] == "text" else _picture(part) for part in parts)


def _picture(part: Json) -> str:
    """The place of a picture, which has to be a data URL that decodes."""
    head, _, data = part["image_url"]["url"].partition(";base64,")
    if part["type"] != "image_url" or not head.startswith("data:image/"):
        raise ValueError(f"no picture: {head}")
    base64.b64decode(data, validate=True)
    return PICTURE


def _count_pictures(body: Mapping[str, Json]) -> int:
    contents = [m["content"] for m in body["messages"] if isinstance(m["content"], list)]
    return sum(part["type"] == "image_url" for parts in contents for part in parts)


def _tokens(text: str) -> list[str]:
    return re.findall(r"<[^>]*>|\n| ?[^\s<]+|\s", text)


def _said(thinks: bool, n_new: int, reasoning_field: str) -> tuple[Json, str]:
    """The message and why it ended: "A", after a thought where the model thinks."""
    tokens = _tokens((THOUGHT if thinks else "") + "A")
    text, finish = "".join(tokens[:n_new]), "stop" if len(tokens) <= n_new else "length"
    message: Json = {"role": "assistant", "content": text}
    if reasoning_field and thinks:
        thought, _, answer = text.removeprefix("<think>").partition("</think>")
        message |= {reasoning_field: thought, "content": answer or None}
    return message, finish


def _reply(message: Json, finish: str, n_prompt: int) -> Json:
    usage = {"prompt_tokens": n_prompt, "completion_tokens": 1, "total_tokens": n_prompt + 1}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage}


def _as_list(drawn: str, top: Mapping[str, float], logprob: float) -> Json:
    listed = [{"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in top.items()]
    first = {"token": drawn, "logprob": logprob, "bytes": list(drawn.encode())}
    return {"content": [{**first, "top_logprobs": listed}]}


def _normal(logits: Mapping[str, float]) -> dict[str, float]:
    total = math.log(math.fsum(math.exp(logit) for logit in logits.values()))
    return {token: logit - total for token, logit in logits.items()}
