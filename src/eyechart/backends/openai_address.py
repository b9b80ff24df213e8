"""From a model's address to its endpoint: where to post, what to call it, which key to send.

In: an address and the environment. Out: an `Endpoint`. Nothing is sent here, and no message that
leaves here holds a key.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from eyechart.errors import BadInput

EXAMPLE = "http://localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct"
ANY_KEY = "EYECHART_API_KEY"
HIDDEN = "***"
_PLACE_IN_MODEL = re.compile(r"@.*(?:#|:\d*/|/v1/?\Z)", re.S)  # then the first # is the key's own


@dataclass(frozen=True, slots=True)
class Vendor:
    """What is special about a service. `key_name`: the variable of its key, "" where it has none.

    `n_top`: most next words that it lists; 0 where it gives no log-probabilities. `continues`: it
    can go on from a begun answer. `lists_prompt`: it may tell how likely a prompt's tokens are.
    """

    base: str = ""
    key_name: str = ""
    n_top: int = 20
    continues: bool = False
    lists_prompt: bool = False
    length_name: str = "max_tokens"


VENDORS = {
    "openai": Vendor(
        "https://api.openai.com/v1", "OPENAI_API_KEY", length_name="max_completion_tokens"
    ),
    "openrouter": Vendor("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "google": Vendor("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "xai": Vendor("https://api.x.ai/v1", "XAI_API_KEY", n_top=8),
    "mistral": Vendor("https://api.mistral.ai/v1", "MISTRAL_API_KEY", n_top=0),
    "alibaba": Vendor(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", n_top=5
    ),
    "anthropic": Vendor("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", n_top=0),
    "ollama": Vendor("http://localhost:11434/v1", continues=True),
}
ANY_SERVER = Vendor(continues=True, lists_prompt=True)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an OpenAI-compatible service.

    `url`: where calls are posted. `name`: the address without any credential. `model`: what the
    service calls it. `key_from`: where the key was found, "" where there is none.
    """

    url: str
    name: str
    model: str
    vendor: Vendor = ANY_SERVER
    key: str = field(default="", repr=False)
    key_from: str = ""

    def hide(self, text: str) -> str:
        """The text with the key, should it occur there, replaced by ***.

        >>> Endpoint("", "", "", key="sk-12").hide("no such key: sk-12")
        'no such key: ***'
        """
        return text.replace(self.key, HIDDEN) if self.key else text


def read_address(address: str, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The endpoint of `VENDOR:MODEL` or `http(s)://[KEY@]HOST[:PORT]/v1#MODEL`.

    `openai:` goes to OPENAI_BASE_URL where that is set. Raises BadInput (no model, not a URL, no
    key for a service that needs one).

    >>> read_address("http://me:secret@localhost:8000/v1/#m", {}).name
    'http://localhost:8000/v1#m'
    """
    prefix, _, model = address.partition(":")
    if prefix in ("http", "https"):
        return _at_url(address, environ)
    if prefix not in VENDORS or not model.strip():
        raise BadInput(
            f"{without_key(address)!r} is no address of a model; expected "
            f"{'|'.join(VENDORS)}:MODEL or a URL such as {EXAMPLE}"
        )
    base = environ.get("OPENAI_BASE_URL", "").strip().rstrip("/")
    if prefix == "openai" and base and base != VENDORS[prefix].base:
        try:
            return _at_url(f"{base}#{model}", environ, key_name=VENDORS[prefix].key_name)
        except BadInput as error:
            raise BadInput(f"OPENAI_BASE_URL: {error}") from None
    return _at_vendor(address, model, VENDORS[prefix], environ)


def without_key(address: str) -> str:
    """The address for people: what may be a key is hidden, before an `@` or after a `?`.

    >>> without_key("http://secret@localhost/v1#m@1"), without_key("http://localhost/v1?key=1#m")
    ('http://***@localhost/v1#m@1', 'http://localhost/v1?***')
    """
    place, _, model = address.partition("#")
    end = len(address) if _PLACE_IN_MODEL.search(model) else len(place)
    before, at, rest = address[:end].rpartition("@")
    scheme = "".join(before.partition("//")[:2]) if "//" in before else ""
    if "?" in before:  # the @ may be the key's own: nothing tells where a key ends
        return f"{scheme}{HIDDEN}"
    shown = f"{scheme}{HIDDEN}@{rest}{address[end:]}" if at else address
    known, query, _ = shown.partition("?")
    return f"{known}?{HIDDEN}" if query else shown


def _at_vendor(address: str, model: str, vendor: Vendor, environ: Mapping[str, str]) -> Endpoint:
    key = _key(vendor.key_name, environ)
    if vendor.key_name and not key:
        raise BadInput(f"{address} needs a key: set the environment variable {vendor.key_name}")
    url = f"{vendor.base}/chat/completions"
    return Endpoint(url, address, model, vendor, key, vendor.key_name if key else "")


def _at_url(address: str, environ: Mapping[str, str], *, key_name: str = "") -> Endpoint:
    """`key_name`: a variable whose key is meant for this URL, besides EYECHART_API_KEY."""
    place, _, model = address.partition("#")
    parts = _split(place.rstrip("/"), address)
    if not model.strip():
        raise BadInput(f"{without_key(address)!r} names no model; add one after #: {EXAMPLE}")
    host = parts.netloc.rpartition("@")[2]
    base = f"{parts.scheme}://{host}{parts.path.removesuffix('/chat/completions')}"
    vendor = next((v for v in VENDORS.values() if v.base == base), ANY_SERVER)
    key, key_from = unquote(parts.password or parts.username or ""), "the address"
    local = "OPENAI_API_KEY" if _is_loopback(parts.hostname or "") else ""
    for name in (ANY_KEY, key_name, vendor.key_name, local):
        if not key:
            key, key_from = _key(name, environ), name
    if not _sendable(key):
        raise BadInput(f"{without_key(address)!r}: its key holds characters that no key has")
    url, name = f"{base}/chat/completions", f"{base}#{model}"
    return Endpoint(url, name, model, vendor, key, key_from if key else "")


def _key(name: str, environ: Mapping[str, str]) -> str:
    key = environ.get(name, "").strip()
    if not _sendable(key):
        raise BadInput(f"{name} holds characters that no key has; set it to the key alone")
    return key


def _sendable(key: str) -> bool:
    """Fit for an HTTP header: a key that is not would show up in the client library's error."""
    return key.isascii() and all(letter.isprintable() and letter != " " for letter in key)


def _split(place: str, address: str) -> SplitResult:
    shown = without_key(address)
    try:
        parts = urlsplit(place)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadInput(f"{shown!r} is no URL of a model; expected one such as {EXAMPLE}")
    model = address.partition("#")[2]
    if "@" in parts.path or parts.query or _PLACE_IN_MODEL.search(model):
        raise BadInput(
            f"{shown!r} has a query, or a key with '/', '?' or '#' in it; write such characters of "
            f"a key as %2F, %3F, %23, or put the key into {ANY_KEY}"
        )
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
