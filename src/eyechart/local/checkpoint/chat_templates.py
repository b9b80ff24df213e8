"""A checkpoint's chat template: which it is, and whether it has a place for pictures.

In: a folder. Out: the template's text, or an error. Written as transformers finds and renders it;
the prompts themselves are made with the model's processor, elsewhere.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from eyechart.errors import BadInput
from eyechart.local.checkpoint.settings_files import MORE_TEMPLATES, again, read_settings

JINJA = "chat_template.jinja"
WITH_TEMPLATE = ("processor_config.json", "chat_template.json", JINJA, "tokenizer_config.json")
"""Where a template may be, the processor's before the tokenizer's."""
_TEXT = {"type": "text", "text": "What is this?"}
_PICTURE = {"type": "image"}
_TRAINING = re.compile(r"\{%-?\s*(end)?generation\s*-?%\}")  # marks what is learned from
_WRITTEN_OUT = ("'type': 'image'", '"type": "image"')


def read_template(where: str, folder: Path) -> str | None:
    """The text of the chat template; None where there is none, or several and no default."""
    for name in WITH_TEMPLATE:
        if name == JINJA:
            told = _jinja(where, folder)
        else:
            told = _default(read_settings(where, folder, name).get("chat_template"))
        if told is not None:
            return told
    return None


def check_template(where: str, folder: Path) -> None:
    """Raises BadInput where there is no chat template, or one that leaves pictures out.

    A template that cannot be tried without the model's own library is let pass.
    """
    template = read_template(where, folder)
    if template is None:
        raise BadInput(
            f"{where}: no chat template, so this is no model to talk to; expected {JINJA}, or "
            f"chat_template in {', '.join(n for n in WITH_TEMPLATE if n != JINJA)}. Choose an "
            f"instruct version, or {again('chat template')}"
        )
    if leaves_pictures_out(template, _special_tokens(where, folder)):
        raise BadInput(
            f"{where}: its chat template leaves pictures out: a message with a picture reads as "
            'one without; expected a template that writes a place for {"type": "image"}; '
            f"{again('chat template')}"
        )


def leaves_pictures_out(template: str, special: dict[str, str]) -> bool:
    """Whether a picture in a message changes nothing of what a template writes.

    `special`: the tokenizer's tokens by name (`bos_token`, ...). False where it cannot be tried.

    >>> leaves_pictures_out("{% for m in messages %}{{ m.content }}{% endfor %}", {})
    True
    """
    with_picture = _rendered(template, [_PICTURE, _TEXT], special)
    if with_picture is None:
        return _rendered(template, _TEXT["text"], special) is not None
    without = _rendered(template, [_TEXT], special)
    if without is None:
        return False
    raw = any(written in with_picture for written in _WRITTEN_OUT)
    return raw or with_picture.split() == without.split()


def _jinja(where: str, folder: Path) -> str | None:
    for file in (folder / JINJA, folder / MORE_TEMPLATES / "default.jinja"):
        try:
            return file.read_text("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise BadInput(f"{where}: {file.name} cannot be read ({error}); {again()}") from None
    return None


def _default(told: object) -> str | None:
    """One template, or that called "default" of several: `[{"name": …, "template": …}]`."""
    if isinstance(told, list):
        told = {entry.get("name"): entry.get("template") for entry in told}
    if isinstance(told, dict):
        told = told.get("default")
    return told if isinstance(told, str) else None


def _special_tokens(where: str, folder: Path) -> dict[str, str]:
    found = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in read_settings(where, folder, name).items():
            token = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(token, str):
                found[key] = token
    return found


def _rendered(template: str, content: object, special: dict[str, str]) -> str | None:
    """What a template writes of one message, None where it cannot."""
    told = {
        **special,
        "messages": [{"role": "user", "content": content}],
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
    }
    try:
        return _environment().from_string(_TRAINING.sub("", template)).render(told)
    except Exception:  # a stranger's template may raise anything
        return None


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    made.filters["tojson"] = _to_json
    made.globals |= {"raise_exception": _raise, "strftime_now": lambda form: form}
    return made


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> str:
    raise TemplateError(message)
