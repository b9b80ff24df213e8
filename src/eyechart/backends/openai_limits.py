"""From an endpoint's words about a limit of its own to what lifts the limit.

In: the message of an error body. Out: what to do about it, "" where it speaks of no known limit.
The words are those of vLLM and SGLang, and of the chat templates that they render with
transformers. Nothing is sent here, and no error is raised.
"""

from __future__ import annotations

import re

MOST_READ = 300
"""Characters of a message that are searched: further on, servers quote what they were asked."""
LONGER_CONTEXT = (
    "serve the model with a longer context (vLLM: --max-model-len, SGLang: --context-length)"
)
KEEPS_BEGUN = (
    "serve the model with a chat template that keeps a begun answer as it is (vLLM, SGLang: "
    "--chat-template FILE)"
)
_NO_PICTURES = re.compile(r"at most 0 image\(s\)|is not a multimodal model", re.I)
_VLLM_PICTURES = re.compile(r"at most \d+ image\(s\) may be provided", re.I)
_SGLANG_PICTURES = re.compile(r"image count \d+ exceeds limit \d+ per request", re.I)
_PROMPT = re.compile(r"context (length|window)|maximum model length", re.I)
_REPLY = re.compile(
    r"max_\w*tokens=\d+\s*cannot be greater than|supports at most \d+ completion tokens", re.I
)
_WORDS = re.compile(r"logprobs of (\d+), which is greater than max allowed", re.I)
_LAST_TURN = re.compile(r"(last|final) (message|role)|roles must alternate", re.I)


def lifts(message: str, n_pictures: int) -> str:
    """What lifts the limit that one request exceeds. `n_pictures`: as many as it shows.

    >>> said = "At most 1 image(s) may be provided in one prompt."
    >>> print(lifts(said, 2))
    Start vLLM with --limit-mm-per-prompt '{"image": 2}'
    """
    said = message[:MOST_READ]
    wanted = f"'{{\"image\": {n_pictures}}}'"
    if _NO_PICTURES.search(said):
        return "The model takes no pictures as it is served here; serve one that does"
    if _VLLM_PICTURES.search(said):
        return f"Start vLLM with --limit-mm-per-prompt {wanted}"
    if _SGLANG_PICTURES.search(said):
        return f"Start SGLang with --limit-mm-data-per-request {wanted}"
    if _PROMPT.search(said):
        shrink = "Shrink the pictures with --max-pixels" if n_pictures else "Ask something shorter"
        return f"{shrink}, lower --max-tokens, or {LONGER_CONTEXT}"
    words = _WORDS.search(said)
    return f"Start vLLM with --max-logprobs {words[1]}" if words else ""


def lifts_for_all(message: str) -> str:
    """What lets the endpoint take the length of reply that every request asks for.

    >>> lifts_for_all("max_tokens=4096 cannot be greater than max_model_len=2048")[:43]
    'No reply of so many tokens fits there: run '
    """
    if not _REPLY.search(message[:MOST_READ]):
        return ""
    return (
        f"No reply of so many tokens fits there: run with a lower --max-tokens, or {LONGER_CONTEXT}"
    )


def refuses_begun(message: str) -> bool:
    """Whether a chat template will not end with the assistant's turn.

    >>> refuses_begun("Conversation roles must alternate user/assistant/user/assistant/...")
    True
    """
    return bool(_LAST_TURN.search(message[:MOST_READ]))
