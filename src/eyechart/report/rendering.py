"""How pages are made: the templates of this folder, all text escaped, one file, no network.

In: a template's name and its values. Out: HTML text. Every text is made printable, then escaped;
a Content-Security-Policy lets the page run its own script (by hash) and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from eyechart.report.drawing import inline
from eyechart.report.formatting import glued, heading, printable, whole, words

FOLDER = Path(__file__).parent


def rendered(template: str, values: Mapping[str, object], *, script: str = "") -> str:
    """The page as HTML text. `script`: a file of this folder that the page runs, "" for none."""
    code = _text(script) if script else ""
    frame = {"css": Markup(_text("style.css")), "script": Markup(code), "policy": _policy(code)}
    return _environment().get_template(template).render({**values, **frame})


def svg_markup(svg: str, *, prefix: str, label: str) -> Markup:
    """A figure for the inside of a page; `label` is told to screen readers."""
    return Markup(inline(svg, prefix=prefix, label=str(escape(printable(label)))))


def coded(text: str) -> Markup:
    """Text for a page, what stands between backticks set as code.

    >>> coded("Run `a < b`.")
    Markup('Run <code>a &lt; b</code>.')
    """
    *pairs, last = printable(text).split("`")
    if len(pairs) % 2:
        return escape(printable(text))
    marks = [Markup("<code>{}</code>" if i % 2 else "{}").format(p) for i, p in enumerate(pairs)]
    return Markup("").join([*marks, escape(last)])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(whole=whole, words=words, heading=heading, glued=glued, coded=coded)
    return environment


def _finalized(value: object) -> object:
    """Texts from models and files are made printable; markup made here passes as it is."""
    return printable(value) if type(value) is str else value


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _policy(code: str) -> str:
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    script = f"'sha256-{digest}'" if code else "'none'"
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {script}; "
        "base-uri 'none'; form-action 'none'"
    )
