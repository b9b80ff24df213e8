"""From what went wrong at an endpoint to the error that says what to do about it.

In: a status, headers and a body, or the client library's exception. Out: `Transient` (try again),
`Refused` (this request never) or `Fatal` (no request), as text without any key. Raises nothing.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from eyechart.backends.openai_address import ANY_KEY, HIDDEN, Endpoint
from eyechart.backends.openai_limits import KEEPS_BEGUN, lifts, lifts_for_all, refuses_begun
from eyechart.backends.openai_wire import PLAIN, Body
from eyechart.errors import CallError, Fatal, Refused, Transient
from eyechart.records import Request

MAX_CHARACTERS = 300
MAX_CLEANED = 20 * MAX_CHARACTERS
HTTP_ERROR = re.compile(r"[45][0-9][0-9]")
CREDENTIALS = re.compile(r".*@", re.S)  # a password may hold anything, blanks too
NO_MODEL = re.compile(r"model\b.{0,80}\b(not found|does not exist)|not a valid model", re.I | re.S)
TOO_LONG = re.compile(r"context (length|window)|too (long|large)", re.I)
STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "model_not_found": 404,
    "invalid_request_error": 400,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
}
NO_WORDS = (
    "this model gives no word probabilities: leave out ratings with --kinds, or read them in words "
    "with --strategies number"
)
NO_BEGUN = (
    "this server cannot go on from a begun answer: run with --rating-prompt one-word, or "
    f"{KEEPS_BEGUN}"
)
ADVICE = {
    "temperature": "run with --temperature default",
    "top_p": "run with top_p unset",
    "max_tokens": "run with another --max-tokens",
    "max_completion_tokens": "run with another --max-tokens",
    "logprobs": NO_WORDS,
    "top_logprobs": NO_WORDS,
    "continue_final_message": NO_BEGUN,
    "add_generation_prompt": NO_BEGUN,
}
OF_RATINGS = {"logprobs", "top_logprobs", "continue_final_message", "add_generation_prompt"}
"""Settings that only requests for a rating carry: all others can still be answered."""
OF_LIKELIHOODS = {"prompt_logprobs", "continue_final_message", "add_generation_prompt"}
NO_LIKELIHOOD = (
    "returns no prompt log-probabilities, which the likelihood variant needs; vLLM does, SGLang's "
    "chat completions do not; leave out `likelihood` from --also"
)
NO_BEGUN_LIKELIHOOD = (
    "cannot go on from a begun answer, which the likelihood variant needs: leave out `likelihood` "
    f"from --also, or {KEEPS_BEGUN}"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, read to its end. `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an endpoint says in its error body. `code`: the words or number it files it under."""

    message: str
    code: str = ""
    parameter: str = ""


def fault_of_reply(reply: Reply, endpoint: Endpoint, *, body: Body, request: Request) -> CallError:
    """The error for a reply that is no answer, by its status and by what its body says."""
    said = complaint(reply.text)
    status = reply.status
    if status < 300:
        known = STATUS_OF_CODE.get(said.code, status)
        status = int(said.code) if HTTP_ERROR.fullmatch(said.code) else known
    code = clean(said.code, endpoint)
    shown = f"HTTP {reply.status}" + (f" (error {code})" if code else "")
    where = f"{endpoint.name}: {shown}: {clean(said.message, endpoint)}"
    fatal = _fatal(status, said, endpoint)
    if 300 <= status < 400:
        place = clean(reply.headers.get("Location", "elsewhere"), endpoint)
        fatal = f"The address leads to {place}: use the one that answers"
    if fatal:
        return Fatal(_advised(where, fatal))
    if status in (400, 422):
        return _fault_of_request(where, said, body=body, request=request)
    if status == 429:
        return Transient(where, after_s=_after_s(reply.headers), throttled=True)
    if status in (408, 409, 425) or status < 400 or (status >= 500 and status != 501):
        return Transient(where, after_s=_after_s(reply.headers))
    return Refused(where)


def _fault_of_request(where: str, said: Complaint, *, body: Body, request: Request) -> CallError:
    """The error for a request that the endpoint cannot take: for all of them, or for this one."""
    for_all = lifts_for_all(said.message)
    if for_all:
        return Fatal(_advised(where, for_all))
    advice = lifts(said.message, len(request.pictures))
    setting = "" if advice else _rejected(said, body=body, request=request)
    if setting in OF_LIKELIHOODS and request.want.name == "likelihood":
        lacks = NO_LIKELIHOOD if setting == "prompt_logprobs" else NO_BEGUN_LIKELIHOOD
        return Fatal(_advised(where, f"It rejects {setting!r}, so it {lacks}"))
    if not setting:
        return Refused(_advised(where, advice))
    unasked = setting in PLAIN and getattr(request.sampling, setting) is None
    error = Refused if setting in OF_RATINGS or unasked else Fatal
    change = NO_WORDS if unasked else ADVICE[setting]
    return error(_advised(where, f"It rejects {setting!r}: {change}"))


def _advised(where: str, advice: str) -> str:
    return f"{where.rstrip('.')}. {advice}" if advice else where


def fault_of_page(reply: Reply, endpoint: Endpoint, wanted: str) -> Transient:
    """The error for a reply with status 200 that is no reply of a model, such as a proxy's page."""
    kind = clean(reply.headers.get("Content-Type", "no content type"), endpoint)
    begin = clean(reply.text, endpoint)[:80]
    return Transient(
        f"{endpoint.name}: HTTP {reply.status} with {wanted} ({kind}): {begin!r}. Is something "
        "other than the model's server answering at this address?"
    )


def fault_of_connection(error: Exception, endpoint: Endpoint) -> CallError:
    """The error for a connection that was not made, or was lost; without a proxy's password."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _fault_of_proxy(error, endpoint)
    said = clean(CREDENTIALS.sub(f"{HIDDEN}@", str(error)) or type(error).__name__, endpoint)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Fatal(f"{endpoint.name}: no secure connection: {said}. Is it the right host?")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Transient(f"{endpoint.name}: cannot connect: {said}", unreachable=True)
    if isinstance(error, aiohttp.InvalidURL):
        return Fatal(f"{endpoint.name}: not an address that can be asked: {said}")
    return Transient(f"{endpoint.name}: the connection broke before the answer was whole: {said}")


def _fault_of_proxy(error: aiohttp.ClientHttpProxyError, endpoint: Endpoint) -> CallError:
    """`str(error)` holds the proxy's URL with its password."""
    said = CREDENTIALS.sub(f"{HIDDEN}@", error.message)
    where = f"{endpoint.name}: the proxy says HTTP {error.status}: {clean(said, endpoint)}"
    if error.status == 407:
        return Fatal(f"{where}. Check the proxy's user and password in the environment")
    return Transient(where)


def no_logprobs(endpoint: Endpoint) -> Refused:
    """The error for a reply without the log-probabilities that were asked for."""
    return Refused(
        f"{endpoint.name} returned no logprobs: this server does not give word probabilities; use "
        "one that does (vLLM, SGLang, llama.cpp, OpenAI), or read ratings in words with "
        "--strategies number"
    )


def no_prompt_logprobs(endpoint: Endpoint) -> Fatal:
    """The error for a reply without the prompt's log-probabilities that were asked for."""
    return Fatal(f"{endpoint.name} {NO_LIKELIHOOD}")


def complaint(text: str) -> Complaint:
    """What an error body says: OpenAI's, FastAPI's and Google's forms, else the text itself.

    >>> complaint('{"error": {"message": "slow down", "code": 429}}')
    Complaint(message='slow down', code='429', parameter='')
    """
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: nested without end
        return Complaint(text)
    body = body[0] if isinstance(body, list) and body else body
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return Complaint(error if isinstance(error, str) else text)
    message = error.get("message") or _detail(error.get("detail")) or text
    code, parameter = error.get("code") or error.get("type"), error.get("param")
    return Complaint(
        message if isinstance(message, str) else text,
        str(code) if isinstance(code, str | int) else "",
        parameter if isinstance(parameter, str) else "",
    )


def _detail(detail: Any) -> str:
    """FastAPI's `detail`: a text, or a list of places and messages, each with all of its input."""
    if isinstance(detail, str):
        return detail
    parts = [part for part in detail if isinstance(part, dict)] if isinstance(detail, list) else []
    return "; ".join(f"{part.get('loc')}: {part.get('msg')}" for part in parts)


def clean(text: str, endpoint: Endpoint) -> str:
    """An endpoint's words for people: without the key, on one line, printable, cut short."""
    words = " ".join(endpoint.hide(text)[:MAX_CLEANED].split())
    printable = "".join(letter for letter in words if letter.isprintable())
    return printable if len(printable) <= MAX_CHARACTERS else f"{printable[:MAX_CHARACTERS]}…"


def _fatal(status: int, said: Complaint, endpoint: Endpoint) -> str:
    """What to do where no request can be answered, "" elsewhere."""
    if status == 403 and "flagged" in said.message.lower():
        return ""
    if status in (401, 403):
        if not endpoint.key:
            variable = endpoint.vendor.key_name or ANY_KEY
            return f"No key was sent: set {variable}, or write http://KEY@HOST/v1#MODEL"
        return f"The key came from {endpoint.key_from}: check it, and what it may be used for"
    if status == 402 or said.code == "insufficient_quota":
        return "The account has nothing left to spend; top it up, then run the same command again"
    if status in (404, 405) or (status < 500 and _names_no_model(said)):
        return f"Is {endpoint.model!r} the model's name there, and {endpoint.url} the right place?"
    return ""


def _names_no_model(said: Complaint) -> bool:
    return said.code == "model_not_found" or bool(NO_MODEL.search(said.message[:MAX_CHARACTERS]))


def _rejected(said: Complaint, *, body: Body, request: Request) -> str:
    """The setting that the endpoint rejects, "" where it rejects none."""
    if TOO_LONG.search(said.message):
        return ""
    if request.begun and refuses_begun(said.message):
        return "continue_final_message"
    asked = " ".join(p for turn in request.turns for p in turn.parts if isinstance(p, str)).lower()
    begin = said.message[:MAX_CHARACTERS]
    for name in sorted(body.fields, key=len, reverse=True):
        # A name that the question itself contains proves nothing: servers quote questions.
        quoted = name not in asked and re.search(rf"\b{name}\b", begin)
        if name == said.parameter or (quoted and not said.parameter):
            return name
    return ""


def _after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from Retry-After (seconds or an HTTP date) or retry-after-ms."""
    for name, unit in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = headers.get(name, "").strip()
        try:
            after_s = float(value) * unit
        except ValueError:
            after_s = _until_s(value)
        if math.isfinite(after_s):
            return max(0.0, after_s)
    return None


def _until_s(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError, TypeError):
        return math.nan
