"""The figure of ratings: a model's rating of each image against people's mean opinion score.

In: a report's entries. Out: `Cloud`s, one per database or half of one, and their figures: one for
the run folder, small SVGs for a page. Only the score `rating` is drawn; those of further strategies
are in tables.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from eyechart.metrics.arrays import Floats
from eyechart.metrics.logistic import Logistic, fit_logistic
from eyechart.metrics.srcc import srcc
from eyechart.report.drawing import (
    BLUE,
    FAINT,
    INK,
    SOFT,
    VERMILION,
    Drawing,
    finished,
    quiet,
    style,
    svg_of,
)
from eyechart.report.entries import Entry
from eyechart.report.formatting import facet_value, number, one_line, whole
from eyechart.report.samples import Scale, scale_of

MOST_PANELS = 8
MOST_SHAPES = 1500
PANEL, SINGLE_PANEL = (3.1, 2.75), (4.0, 2.9)
"""Width and height in inches."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The rated images on one scale (of a database, or half of one): arrays [images].

    `srcc`: None where it is undefined; `curve`: None where none can be fitted.
    """

    scale: Scale
    ratings: Floats
    mos: Floats
    srcc: float | None
    curve: Logistic | None

    @property
    def name(self) -> str:
        """The database for people, and which half of it."""
        named = [facet_value("database", self.scale.database), f"{self.scale.half} half"]
        return one_line(", ".join(named if self.scale.half else named[:1]), 40)

    @property
    def found(self) -> str:
        """What is said above the points."""
        return f"SRCC {number(self.srcc, percent=False)}, n = {whole(self.mos.size)}"


def clouds_of(entries: Iterable[Entry]) -> tuple[Cloud, ...]:
    """A cloud for each scale with a rating beside a mean opinion score, as they first appear."""
    pairs: dict[Scale, list[tuple[float, float]]] = {}
    for entry in entries:
        item = entry.item
        rating = next((score.value for score in entry.scores if score.name == "rating"), None)
        if item.kind == "rate" and item.mos is not None and rating is not None:
            pairs.setdefault(scale_of(item), []).append((rating, item.mos))
    return tuple(_cloud(scale, np.array(found)) for scale, found in pairs.items())


def ratings_caption(clouds: Sequence[Cloud]) -> str:
    """How to read the figure, and how many sets of images it leaves out."""
    told = (
        "Each point is an image. The curve is the logistic function with four parameters that "
        "comes nearest to people's scores; SRCC is the rank correlation."
    )
    left_out = f" The first {MOST_PANELS} of {len(clouds)} sets of images are drawn."
    return told + (left_out if len(clouds) > MOST_PANELS else "")


def ratings_panels(clouds: Sequence[Cloud], model: str) -> tuple[tuple[str, str], ...]:
    """Per cloud what it shows, in words, and a small SVG: what a page lays out by itself."""
    panels = []
    for cloud in clouds[:MOST_PANELS]:
        with style():
            figure = Figure(figsize=_panel_size(clouds), layout="constrained")
            draw_cloud(figure.subplots(), cloud, model, as_picture=_are_many(clouds))
            words = ", ".join(filter(None, (cloud.name, cloud.found)))
            panels.append((words, _lighter(svg_of(figure))))
    return tuple(panels)


def ratings_drawing(clouds: Sequence[Cloud], model: str) -> Drawing:
    """The figure `ratings` for the run folder, a panel per cloud; at least one cloud."""
    drawn = clouds[:MOST_PANELS]
    n_columns = len(drawn) if len(drawn) < 4 else math.ceil(len(drawn) / 2)
    n_rows = math.ceil(len(drawn) / n_columns)
    width, height = _panel_size(clouds)
    with style():
        figure = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for axes, cloud in zip(grid.flat, drawn, strict=False):
            draw_cloud(axes, cloud, model, as_picture=_are_many(clouds))
        for axes in grid.flat[len(drawn) :]:
            axes.set_visible(False)
        drawing = finished("ratings", figure)
    return Drawing(drawing.name, _lighter(drawing.svg), drawing.png)


def draw_cloud(axes: Axes, cloud: Cloud, model: str, *, as_picture: bool) -> None:
    """One cloud's points and curve. `as_picture`: the points are pixels in SVG too."""
    quiet(axes)
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    crowding = min(1.0, math.sqrt(400 / cloud.mos.size))
    (points,) = axes.plot(cloud.ratings, cloud.mos, "o", color=BLUE, rasterized=as_picture)
    points.set(markersize=max(1.8, 4 * math.sqrt(crowding)), markeredgewidth=0)
    points.set_alpha(max(0.12, 0.5 * crowding))
    if cloud.curve is not None:
        xs = np.linspace(cloud.ratings.min(), cloud.ratings.max(), 300)
        axes.plot(xs, cloud.curve(xs), color=VERMILION, linewidth=1.8)
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=6)
    axes.ticklabel_format(useOffset=False)
    axes.set_xlabel(one_line(f"{model}'s rating", 44), color=SOFT, fontsize=8)
    axes.set_ylabel("people's mean opinion score", color=SOFT, fontsize=8)
    axes.set_title(cloud.name, loc="left", fontsize=9.5, color=INK, weight="bold", pad=17)
    axes.annotate(
        cloud.found,
        (0, 1),
        xytext=(0, 4.5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=SOFT,
    )


def _cloud(scale: Scale, pairs: Floats) -> Cloud:
    ratings, mos = pairs.T
    return Cloud(scale, ratings, mos, srcc(ratings, mos), fit_logistic(ratings, mos))


def _panel_size(clouds: Sequence[Cloud]) -> tuple[float, float]:
    return PANEL if len(clouds) > 1 else SINGLE_PANEL


def _are_many(clouds: Sequence[Cloud]) -> bool:
    """So many points that they would make a page heavy as shapes."""
    return sum(cloud.mos.size for cloud in clouds) > MOST_SHAPES


def _lighter(svg: str) -> str:
    """The same, its picture of points in 32 shades: a quarter of the bytes, and it looks alike."""

    def lighter(found: re.Match[str]) -> str:
        out = io.BytesIO()
        with Image.open(io.BytesIO(base64.b64decode(found[2]))) as picture:
            shades = picture.quantize(32, method=Image.Quantize.FASTOCTREE)
            shades.save(out, "png", optimize=True)
        return f"{found[1]}{base64.b64encode(out.getvalue()).decode('ascii')}"

    return re.sub(r'(<image [^>]*?base64,)\s*([^"]+)', lighter, svg)
