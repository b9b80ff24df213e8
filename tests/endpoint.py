"""A real OpenAI-compatible server on loopback that behaves, or misbehaves, as a test tells it.

    with serve(busy(0.1), answers("B")) as endpoint:      # the first call, then all others
        open_model(endpoint.address)
        ...
    endpoint.requests[0].pictures

As a process of its own: `python -m tests.endpoint --port 0 --delay 0.02 --log FILE` prints its
address and appends a line to FILE for each request that it answered.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import re
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """One request as it arrived: its parsed body and its headers (names in lower case)."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def digest(self) -> str:
        """The same for the same question: sha256 of the body with its keys sorted."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The content parts of all messages in order; plain text as a part of type text."""
        contents = [message["content"] for message in self.body["messages"]]
        lists = [c if isinstance(c, list) else [{"type": "text", "text": c}] for c in contents]
        return [part for parts in lists for part in parts]

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of every picture, in the order shown."""
        urls = [part["image_url"]["url"] for part in self.parts if part["type"] == "image_url"]
        return [base64.b64decode(url.partition(",")[2], validate=True) for url in urls]

    @property
    def media_types(self) -> list[str]:
        """The media type that each picture was sent as."""
        urls = [part["image_url"]["url"] for part in self.parts if part["type"] == "image_url"]
        return [url.removeprefix("data:").partition(";")[0] for url in urls]


Behaviour = Callable[[web.Request, Seen], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """A running server. `requests`: all that came; `answered`: digests of those answered 200."""

    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def address(self) -> str:
        """The address of the model `eyes` behind it."""
        return f"{self.url}#eyes"


def reply(text: Any = "A", *, finish: str = "stop", message: Any = None) -> dict[str, Any]:
    """A reply's JSON. `message`: further fields of the message."""
    said = {"role": "assistant", "content": text, **(message or {})}
    choice = {"index": 0, "message": said, "finish_reason": finish}
    usage = {"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102}
    return {"object": "chat.completion", "choices": [choice], "usage": usage}


def answers(text: Any = "A", *, finish: str = "stop", message: Any = None) -> Behaviour:
    """Answer with this text."""
    return sends(reply(text, finish=finish, message=message))


def gives_words(**logprobs: float) -> Behaviour:
    """Answer with these tokens and their log-probabilities as the top list; `_` is a blank."""
    words = {token.replace("_", " "): logprob for token, logprob in logprobs.items()}
    top = [{"token": token, "logprob": logprob} for token, logprob in words.items()]
    content = reply(next(iter(words)))
    content["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return sends(content)


def tells_prompts(
    surprises: Callable[[str], float] = lambda token: -0.5,
    *,
    tokenize: Callable[[str], list[str]] = lambda text: re.findall(r"<[^>]*>|\s*[^\s<]+|\s+", text),
    end: str = "",
) -> Behaviour:
    """Tell the log-probabilities of the prompt's tokens as vLLM does, in the template of `render`.

    `surprises`: a token's log-probability. `end`: what a template puts after a begun answer.
    """

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        tokens = tokenize(render(seen) + end)
        content = reply("x", finish="length")
        content["prompt_logprobs"] = [None] + [
            {
                str(zlib.crc32(token.encode())): {
                    "logprob": surprises(token),
                    "rank": 1,
                    "decoded_token": token,
                }
            }
            for token in tokens[1:]
        ]
        return await sends(content)(request, seen)

    return behave


def render(seen: Seen) -> str:
    """The prompt of a request: a small chat template, with ten tokens for each picture."""
    turns = []
    for message in seen.body["messages"]:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        said = "".join(part.get("text", "<picture>" * 10) for part in parts)
        turns.append(f"<{message['role']}>{said}")
    begun = seen.body.get("continue_final_message", False)
    return "<start>" + "<end>".join(turns) + ("" if begun else "<end><assistant>")


def sends(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Behaviour:
    """Send this JSON with this status."""
    return sends_text(json.dumps(content), "application/json", status=status, headers=headers)


def sends_text(
    text: str,
    content_type: str = "text/html",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Behaviour:
    """Send this text with this status, whatever it is."""

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type, status=status, headers=headers)

    return behave


def fails(
    status: int, message: str = "no", *, headers: dict[str, str] | None = None, **error: Any
) -> Behaviour:
    """Send an OpenAI error body; `error`: further fields of it (`code`, `param`, `type`)."""
    return sends({"error": {"message": message, **error}}, status=status, headers=headers)


def busy(retry_after: float | str | None = None) -> Behaviour:
    """Say 429, with Retry-After where given."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return fails(429, "slow down", headers=headers, code="rate_limit_exceeded")


def echoes_key() -> Behaviour:
    """Refuse with 401 and repeat the key that was sent, as careless servers do."""

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        return await fails(401, f"bad key: {seen.headers['authorization']}")(request, seen)

    return behave


def hangs(seconds: float = 3600.0) -> Behaviour:
    """Say nothing for this long, then answer."""

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await answers()(request, seen)

    return behave


def drops(after_bytes: int = 10) -> Behaviour:
    """Promise a longer body, send this many bytes of it and cut the connection (0: no headers)."""

    async def behave(request: web.Request, seen: Seen) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        if after_bytes:
            await response.prepare(request)
            await response.write(b"{" * after_bytes)
        if request.transport is not None:
            request.transport.close()
        return response

    return behave


@contextmanager
def serve(*behaviours: Behaviour, log: Path | None = None, port: int = 0) -> Iterator[Endpoint]:
    """A server in a thread. Each request meets the next behaviour; the last one stays for good."""
    endpoint, ready, stop = Endpoint(port), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        loop.run_until_complete(_run(endpoint, behaviours or (answers(),), log, ready, stop))
        loop.close()

    thread = threading.Thread(target=run, name="endpoint", daemon=True)
    thread.start()
    if not ready.wait(30):
        raise RuntimeError("the test server did not start")
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


async def _run(
    endpoint: Endpoint,
    behaviours: tuple[Behaviour, ...],
    log: Path | None,
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(await request.json(), headers)
        behave = behaviours[min(len(endpoint.requests), len(behaviours) - 1)]
        endpoint.requests.append(seen)
        response = await behave(request, seen)
        if not response.prepared:
            await response.prepare(request)
            await response.write_eof()
            if response.status == 200:
                _note(seen.digest, endpoint, log)
        return response

    app = web.Application(client_max_size=2**30)
    app.router.add_post("/v1/chat/completions", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", endpoint.port)
    await site.start()
    endpoint.port = runner.addresses[0][1]
    ready.set()
    await stop.wait()
    await runner.cleanup()


def _note(digest: str, endpoint: Endpoint, log: Path | None) -> None:
    endpoint.answered.append(digest)
    if log is not None:
        with log.open("a") as file:
            file.write(f"{digest}\n")


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--log", type=Path, help="file that gets a line per answered request")
    options = parser.parse_args()
    with serve(hangs(options.delay), log=options.log, port=options.port) as endpoint:
        print(endpoint.address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
