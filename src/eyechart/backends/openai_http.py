"""Any service that speaks OpenAI's chat completions: vLLM, SGLang, Ollama, llama.cpp, vendors.

In: a `Call`. Out: an `Answer`, or one of the three errors. One HTTP request per call, but for
likelihoods one per text, after each other: retrying, pacing and remembering are the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from eyechart.asking.backend import Answer, Backend, BackendPlugin, Call
from eyechart.backends.openai_address import EXAMPLE, Endpoint, read_address
from eyechart.backends.openai_faults import (
    Reply,
    fault_of_connection,
    fault_of_page,
    fault_of_reply,
)
from eyechart.backends.openai_likelihood import Told, begun_with, likelihoods, read_told
from eyechart.backends.openai_wire import Body, compose, error_inside, missing_in, read_reply
from eyechart.backends.openai_words import fewer_words, next_words
from eyechart.errors import Refused
from eyechart.records import Request

T = TypeVar("T")
CONNECT_S = 10.0
MAX_REPLY_BYTES = 32 * 2**20  # unpacked; an answer of a million words is a quarter of it
UNREADABLE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)
SECRET_LENGTH = 8  # local servers are given words such as EMPTY, which an answer may hold


class OpenAIHTTP(Backend):
    """A model behind an endpoint. How long a call may take is the engine's to say."""

    revision = ""
    logged = True

    def __init__(self, endpoint: Endpoint) -> None:
        self.model = endpoint.name
        self.continues = endpoint.vendor.continues
        wants = {"text": True, "next_word": endpoint.vendor.n_top > 0}
        wants["likelihood"] = endpoint.vendor.lists_prompt
        self.wants = frozenset(name for name, able in wants.items() if able)
        self._endpoint = endpoint
        self._proxy = _proxy(endpoint.url)
        self._session: aiohttp.ClientSession | None = None
        self._told_so_far: dict[tuple[Request, tuple[str, ...]], list[Told]] = {}

    def __repr__(self) -> str:
        return f"OpenAIHTTP({self.model!r})"

    async def answer(self, call: Call) -> Answer:
        """The model's answer. Raises Transient, Refused or Fatal, with the endpoint's words."""
        if call.request.want.name == "likelihood":
            return await self._likelihoods(call)
        return await self._ask(call, partial(self._read, call=call))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _likelihoods(self, call: Call) -> Answer:
        """One call for each text; those that were answered are kept for another try."""
        question = (call.request, tuple(image.sha256 for image in call.images))
        told = self._told_so_far.setdefault(question, [])
        for text in call.request.want.words[len(told) :]:
            read = partial(read_told, text=text, endpoint=self._endpoint)
            told.append(await self._ask(begun_with(call, text), read))
        del self._told_so_far[question]
        return likelihoods(told, self._endpoint, has_pictures=bool(call.images))

    def _read(self, content: dict[str, Any], call: Call) -> Answer:
        choice, want = content["choices"][0], call.request.want
        answer = read_reply(choice, content.get("usage"))
        if want.name != "next_word":
            return answer
        found = next_words(choice, want.words, self._endpoint)
        return replace(answer, logprobs=found.logprobs, bound=found.bound)

    async def _ask(self, call: Call, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the reply's JSON."""
        body, n_top = compose(call, self._endpoint), self._endpoint.vendor.n_top
        try:
            reply = await self._post(body)
        except (aiohttp.ClientError, OSError) as error:
            raise fault_of_connection(error, self._endpoint) from None
        try:
            fewer = fewer_words(reply, n_top) if call.request.want.name == "next_word" else 0
            if fewer:
                self._list_at_most(fewer)
                return await self._ask(call, read)
            return read(self._content(reply, body, call))
        except UNREADABLE as error:  # a reply holds whatever its sender likes: no list is complete
            wanted = f"a body that cannot be read, {type(error).__name__},"
            raise fault_of_page(reply, self._endpoint, wanted) from None

    def _list_at_most(self, n_top: int) -> None:
        """From now on ask for no more next words than the endpoint lists."""
        vendor = self._endpoint.vendor
        vendor = replace(vendor, n_top=min(n_top, vendor.n_top))
        self._endpoint = replace(self._endpoint, vendor=vendor)

    async def _post(self, body: Body) -> Reply:
        if self._session is None:
            self._session = self._connect()
        async with self._session.post(
            self._endpoint.url,
            data=body.chunks(),
            headers={"Content-Length": str(body.n_bytes)},
            proxy=self._proxy,
            allow_redirects=False,
        ) as response:
            text = (await self._whole(response)).decode("utf-8", "replace")
            if len(self._endpoint.key) >= SECRET_LENGTH:
                text = self._endpoint.hide(text)
            return Reply(response.status, response.headers, text)

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked. Raises Refused where it is longer than any answer."""
        data = bytearray()
        async for piece in response.content.iter_any():
            data += piece
            if len(data) > MAX_REPLY_BYTES:
                raise Refused(
                    f"{self.model}: HTTP {response.status} with a reply of more than "
                    f"{MAX_REPLY_BYTES >> 20} MiB, which was not read to its end. Is something "
                    "other than the model's server answering at this address?"
                )
        return bytes(data)

    def _connect(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S),
            headers=headers,
        )

    def _content(self, reply: Reply, body: Body, call: Call) -> dict[str, Any]:
        """The reply's JSON, which holds an answer. Raises what a reply without one means."""
        if not 200 <= reply.status < 300:
            raise fault_of_reply(reply, self._endpoint, body=body, request=call.request)
        try:
            content = json.loads(reply.text)
            error = error_inside(content)
        except ValueError:
            raise fault_of_page(reply, self._endpoint, "a body that is not JSON") from None
        except RecursionError:
            raise fault_of_page(reply, self._endpoint, "JSON nested too deeply") from None
        if error:
            told = Reply(reply.status, reply.headers, error)
            raise fault_of_reply(told, self._endpoint, body=body, request=call.request)
        missing = missing_in(content)
        if missing:
            raise fault_of_page(reply, self._endpoint, f"JSON without {missing}")
        return cast(dict[str, Any], content)


def open_address(address: str) -> OpenAIHTTP:
    """The model at an address. Raises BadInput (see `openai_address.read_address`)."""
    return OpenAIHTTP(read_address(address))


def _proxy(url: str) -> str | None:
    """The proxy of the environment. aiohttp's own trust_env would read ~/.netrc for keys too."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


BACKEND = BackendPlugin(
    name="openai_http",
    summary="any OpenAI-compatible endpoint: vLLM, SGLang, Ollama, llama.cpp, OpenAI, …",
    example=EXAMPLE,
    open=open_address,
)
