"""The figure of ratings: a model's rating of each image against people's mean opinion score.

In: a report's entries. Out: `Cloud`s, one per database, and their figures: one for the run folder,
small SVGs for a page. Only the score `rating` is drawn; those of further strategies are in tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eyechart.metrics.arrays import Floats
from eyechart.metrics.logistic import Logistic, fit_logistic
from eyechart.metrics.srcc import srcc
from eyechart.report.drawing import BLUE, FAINT, INK, SOFT, VERMILION, quiet, style, svg_of
from eyechart.report.entries import Entry
from eyechart.report.formatting import facet_value, number, one_line, whole

MOST_PANELS = 8
MOST_SHAPES = 1500
BESIDE_OTHERS, ALONE = (3.1, 2.75), (4.4, 3.1)
"""A panel's width and height in inches."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The rated images of one database ("" where items name none): arrays [images].

    `srcc`: None where it is undefined; `curve`: None where none can be fitted.
    """

    database: str
    ratings: Floats
    mos: Floats
    srcc: float | None
    curve: Logistic | None

    @property
    def told(self) -> str:
        """What stands above its points."""
        return f"SRCC {number(self.srcc, percent=False)}, n = {whole(self.mos.size)}"


def clouds_of(entries: Iterable[Entry]) -> tuple[Cloud, ...]:
    """A cloud for each database with a rating beside a mean opinion score, as they first appear."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        item = entry.item
        rating = next((score.value for score in entry.scores if score.name == "rating"), None)
        if item.kind == "rate" and item.mos is not None and rating is not None:
            pairs.setdefault(str(item.facets.get("database", "")), []).append((rating, item.mos))
    return tuple(_cloud(database, np.array(found)) for database, found in pairs.items())


def ratings_caption(clouds: Sequence[Cloud]) -> str:
    """What the figure shows, and how many databases it leaves out."""
    left_out = f" The first {MOST_PANELS} of {len(clouds)} databases are drawn."
    return (
        "Each point is an image. The curve is the logistic function of four parameters that comes "
        "nearest to people's scores; SRCC is the rank correlation."
        f"{left_out if len(clouds) > MOST_PANELS else ''}"
    )


def ratings_panels(clouds: Sequence[Cloud], model: str) -> tuple[tuple[str, str], ...]:
    """Per database its name with SRCC and n, and a small SVG: what a page lays out by itself."""
    panels = []
    with style():
        for cloud in clouds[:MOST_PANELS]:
            figure = Figure(figsize=_size(clouds), layout="constrained")
            draw_cloud(figure.subplots(), cloud, model, as_picture=_are_many(clouds))
            panels.append((f"{_name(cloud)}: {cloud.told}".removeprefix(": "), svg_of(figure)))
    return tuple(panels)


def ratings_figure(clouds: Sequence[Cloud], model: str) -> Figure:
    """A panel per database, for the run folder. Call inside `style()`."""
    drawn = clouds[:MOST_PANELS]
    n_columns = next(
        n
        for n in (1, 2, 3, 4)
        if n * math.ceil(len(drawn) / n) >= len(drawn) and n * n >= len(drawn) - 1
    )
    n_rows = math.ceil(len(drawn) / n_columns)
    width, height = _size(clouds)
    figure = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, cloud in zip(grid.flat, drawn, strict=False):
        draw_cloud(axes, cloud, model, as_picture=_are_many(clouds))
    for axes in grid.flat[len(drawn) :]:
        axes.set_visible(False)
    return figure


def draw_cloud(axes: Axes, cloud: Cloud, model: str, *, as_picture: bool) -> None:
    """One database's points and curve. `as_picture`: its points are pixels also in SVG."""
    quiet(axes)
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    size = min(1.0, (400 / cloud.mos.size) ** 0.25)
    axes.plot(
        cloud.ratings,
        cloud.mos,
        "o",
        color=BLUE,
        markersize=max(1.8, 4 * size),
        markeredgewidth=0,
        alpha=max(0.12, 0.5 * size**2),
        rasterized=as_picture,
    )
    if cloud.curve is not None:
        xs = np.linspace(cloud.ratings.min(), cloud.ratings.max(), 100)
        axes.plot(xs, cloud.curve(xs), color=VERMILION, linewidth=1.8)
    axes.set_xlabel(one_line(f"{model}'s rating", 44), color=SOFT, fontsize=8)
    axes.set_ylabel("people's mean opinion score", color=SOFT, fontsize=8)
    axes.set_title(_name(cloud), loc="left", fontsize=9.5, color=INK, weight="bold", pad=17)
    axes.annotate(
        cloud.told,
        (0, 1),
        xytext=(0, 4.5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=VERMILION,
    )


def _cloud(database: str, pairs: Floats) -> Cloud:
    ratings, mos = pairs.T
    return Cloud(database, ratings, mos, srcc(ratings, mos), fit_logistic(ratings, mos))


def _name(cloud: Cloud) -> str:
    return one_line(facet_value("database", cloud.database), 40)


def _size(clouds: Sequence[Cloud]) -> tuple[float, float]:
    return BESIDE_OTHERS if len(clouds) > 1 else ALONE


def _are_many(clouds: Sequence[Cloud]) -> bool:
    """So many points that as shapes they would make a page heavy."""
    return sum(cloud.mos.size for cloud in clouds) > MOST_SHAPES
