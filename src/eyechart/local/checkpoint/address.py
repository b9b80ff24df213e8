"""From what a person typed to a model on this machine: where it lies and how to run it.

In: `hf:ORG/NAME[@REVISION][?OPTIONS]` or `hf:FOLDER[?OPTIONS]`. Out: a `LocalAddress`. Looks at no
file and asks no hub: whether there is such a model is for `checkpoints`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eyechart.errors import BadInput
from eyechart.local.pieces import LocalOptions

SCHEME = "hf:"
EXAMPLE = "hf:Qwen/Qwen3-VL-8B-Instruct?dtype=bfloat16&devices=cuda:0,cuda:1"
FORMS = "hf:ORG/NAME, hf:ORG/NAME@REVISION or hf:/path/to/folder"
DTYPES = ("float32", "bfloat16", "float16")
ATTENTIONS = ("sdpa", "eager", "flash_attention_2", "flash_attention_3")
"""Those that are code of libraries installed here; transformers would fetch others from the hub."""
YES_NO = {"yes": True, "no": False}
_PART = r"[\w][\w.-]*"
_HUB = re.compile(rf"(?P<source>{_PART}/{_PART})(@(?P<revision>[^\s@?]+))?", re.ASCII)
_FOLDER = re.compile(r"(/|~/|\.\.?/).*|~|\.\.?", re.S)
_DEVICE = re.compile(r"cpu|cuda(:\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """Where a model lies. `source`: a folder's path as it was typed, or ORG/NAME on the hub.

    `revision`: a branch, tag or commit on the hub, "" for the newest of `main`, and for a folder.

    >>> str(LocalAddress("Qwen/Qwen3-VL-8B-Instruct", "main"))
    'hf:Qwen/Qwen3-VL-8B-Instruct@main'
    """

    source: str
    revision: str = ""
    is_folder: bool = False
    options: LocalOptions = LocalOptions()

    def __str__(self) -> str:
        """The address without its options."""
        return f"{SCHEME}{self.source}{f'@{self.revision}' if self.revision else ''}"


def read_address(address: str) -> LocalAddress:
    """The model that an address means. A folder begins with `/`, `./`, `../` or `~/`.

    Raises BadInput for another form, an option that there is not, and a value that it cannot have.

    >>> read_address("hf:/models/mine?devices=cpu").options.devices
    ('cpu',)
    >>> read_address("hf:Qwen/Qwen3-VL-8B-Instruct@main").revision
    'main'
    """
    place, asked, text = address.removeprefix(SCHEME).partition("?")
    options = _options(address, text) if asked else LocalOptions()
    if _FOLDER.fullmatch(place):
        return LocalAddress(place, is_folder=True, options=options)
    found = _HUB.fullmatch(place)
    if found is None or not address.startswith(SCHEME):
        raise BadInput(
            f"{address}: expected {FORMS}, and for a folder beside you hf:./FOLDER; for example "
            f"{EXAMPLE}"
        )
    return LocalAddress(found["source"], found["revision"] or "", options=options)


def _options(address: str, text: str) -> LocalOptions:
    told: dict[str, Any] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if name not in _READERS:
            raise _bad(address, f"there is no option {name!r}")
        if name in told:
            raise _bad(address, f"the option {name!r} is given twice")
        told[name] = _value(address, name, value)
    return LocalOptions(**told)


def _value(address: str, name: str, value: str) -> Any:
    read, expected = _READERS[name]
    try:
        return read(value)
    except (ValueError, KeyError):
        raise _bad(address, f"{name}={value}: expected {expected}") from None


def _bad(address: str, what: str) -> BadInput:
    return BadInput(f"{address}: {what}. Known options: {', '.join(_READERS)}; such as {EXAMPLE}")


def _one_of(known: tuple[str, ...]) -> tuple[Callable[[str], Any], str]:
    return (lambda value: known[known.index(value)]), f"one of {', '.join(known)}"


def _devices(value: str) -> tuple[str, ...]:
    devices = tuple(value.split(","))
    gpus = [name for name in devices if name != "cpu"]
    if len(set(gpus)) < len(gpus) or not all(_DEVICE.fullmatch(name) for name in devices):
        raise ValueError(value)
    return devices


def _at_least(least: int) -> tuple[Callable[[str], Any], str]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and int(value) >= least):
            raise ValueError(value)
        return int(value)

    return read, f"a whole number of at least {least}"


_SWITCH = (YES_NO.__getitem__, "yes or no")
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "dtype": _one_of(DTYPES),
    "devices": (_devices, "devices, each GPU once, such as cpu, or cuda:0,cuda:1"),
    "attention": _one_of(ATTENTIONS),
    "workers": _at_least(0),
    "batch_tokens": _at_least(1),
    "pickles": _SWITCH,
    "compiled": _SWITCH,
}
"""How each option's value is read, and what is expected of it."""
