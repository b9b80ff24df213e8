"""Calling a model behind a test server: what the tests of the HTTP backend share."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.endpoint import Behaviour, Endpoint, serve

from eyechart.asking.backend import Answer, Call
from eyechart.backends.openai_address import read_address
from eyechart.backends.openai_http import OpenAIHTTP
from eyechart.errors import CallError
from eyechart.images import Encoded
from eyechart.records import Picture, Request, Turn

SECRET = "sk-very-secret-1234"


def call(text: str = "Is it sharp?", n_bytes: int = 0, **more: Any) -> Call:
    images = (Encoded(bytes(n_bytes), "0" * 64, "image/jpeg", "JPEG", 4, 3),) if n_bytes else ()
    parts: tuple[str | Picture, ...] = (*[Picture(data=b"")] * len(images), text)
    return Call(Request("item-7", "answer", (Turn("user", parts),), **more), images)


def ask(endpoint: Endpoint, *calls: Call, key: str = "") -> list[Answer]:
    """The answers to the calls, one after the other, over one backend."""
    address = endpoint.address.replace("//", f"//{key}@") if key else endpoint.address
    backend = OpenAIHTTP(read_address(address, {}))

    async def run() -> list[Answer]:
        try:
            return [await backend.answer(one) for one in calls or (call(),)]
        finally:
            await backend.close()

    return asyncio.run(run())


def error_of(*behaviours: Behaviour, asked: Call | None = None, key: str = "") -> CallError:
    """The error of one call to a server that behaves like this."""
    with serve(*behaviours) as endpoint, pytest.raises(CallError) as caught:
        ask(endpoint, asked or call(), key=key)
    assert str(caught.value).startswith(f"{endpoint.address}")
    return caught.value


def ask_address(address: str) -> Answer:
    """The answer of the model at an address."""

    async def run() -> Answer:
        backend = OpenAIHTTP(read_address(address, {}))
        try:
            return await backend.answer(call())
        finally:
            await backend.close()

    return asyncio.run(run())
