"""How figures look, and how they become SVG and PNG bytes, the same on every run.

In: matplotlib `Figure`s (no pyplot, no global state). Out: text and bytes without dates. The words
in SVG stay words; colours are Okabe and Ito's, which colour-blind readers tell apart
(https://jfly.uni-koeln.de/color/).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK = "#CC79A7", "#56B4E9", "#222222"
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = "osD^vPX"
RUST = "#b3450a"
"""Vermilion dark enough for words on white (contrast above 4.5)."""
INK, SOFT, FAINT = "#1c2127", "#5c6670", "#d9dee3"
SVG_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "eyechart",
    "savefig.dpi": 160,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One finished figure: the text of its SVG and the bytes of its PNG."""

    name: str
    svg: str
    png: bytes


@contextmanager
def style() -> Iterator[None]:
    """Inside, matplotlib draws in the report's style; foreign scripts may lack a glyph in PNG."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def finished(name: str, figure: Figure) -> Drawing:
    """The figure as SVG and PNG, laid out once. Call inside `style()`."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    return Drawing(name, svg_of(figure), _bytes(figure, "png"))


def svg_of(figure: Figure) -> str:
    """The figure as SVG text. Call inside `style()`."""
    text = _bytes(figure, "svg").decode("utf-8").replace("'DejaVu Sans', sans-serif", SVG_FONTS)
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)


def inline(svg: str, *, prefix: str, label: str) -> str:
    """SVG for the inside of an HTML page: no prolog, ids made unique, a name for screen readers.

    `label` must already be escaped for HTML.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"\s*<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}', body)
    body = re.sub(r'(xlink:href=")#', rf"\g<1>#{prefix}", body)
    body = body.replace("url(#", f"url(#{prefix}")
    body = re.sub(r' (?:width|height)="[\d.]+pt"', "", body, count=2)
    return body.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def quiet(axes: Axes) -> None:
    """Only what carries meaning: two soft spines, soft ticks, a faint grid."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=SOFT, length=0, labelsize=8)
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _bytes(figure: Figure, form: str) -> bytes:
    out = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    figure.savefig(out, format=form, metadata=metadata, facecolor="white")
    return out.getvalue()
