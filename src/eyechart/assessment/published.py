"""The figures that Q-Bench published for A3, with their source, as they were printed.

In: `published.csv` of this package. Out: `Published` rows by model, database and strategy.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from eyechart.strategies import Strategy, strategy

AVERAGE = "average"
SOURCE = (
    "Wu et al. 2023, arXiv 2309.14181, A3: github.com/Q-Future/Q-Bench, "
    "leaderboards/IQA_outputs/eval.ipynb at 3c609eb"
)


@dataclass(frozen=True, slots=True)
class Published:
    """One published cell: both correlations, in [-1, 1]; None where it was printed as NaN.

    `database`: a database's name, or `average` for the plain mean over the seven. `strategy`: how
    the ratings were read, as `eyechart.strategies` writes it.
    """

    model: str
    database: str
    strategy: str
    srcc: float | None
    plcc: float | None


@cache
def published_rows() -> tuple[Published, ...]:
    """Every published cell, in the order of the publication.

    >>> published_rows()[0]
    Published(model='clip_vit_l14', database='SPAQ', strategy='softmax:good/poor@100', \
srcc=0.385, plcc=0.389)
    """
    text = files("eyechart.assessment").joinpath("published.csv").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Published(
            row["model"],
            row["database"],
            row["strategy"],
            _number(row["srcc"]),
            _number(row["plcc"]),
        )
        for row in csv.DictReader(lines)
    )


def published(model: str, database: str, strategy: str) -> Published | None:
    """What was published for a model on a database, read so; None where nothing was.

    >>> published("Qwen_VL", "KonIQ-10k", "softmax:good/poor@100").srcc
    0.47
    """
    wanted = _plain(model)
    return next(
        (
            row
            for row in published_rows()
            if (_plain(row.model), row.database, row.strategy) == (wanted, database, strategy)
        ),
        None,
    )


def official_strategy(model: str) -> str:
    """How the leaderboard read this model's ratings; "" for a model that is not on it.

    >>> official_strategy("instructblip_t5")
    'softmax:high/low@100'
    """
    rows = (row for row in published_rows() if row.database == AVERAGE)
    return next((row.strategy for row in rows if _plain(row.model) == _plain(model)), "")


def beside(how: Strategy, *, any_temperature: bool) -> tuple[Published, ...]:
    """The published cells of all models that ratings read like this may stand beside.

    They were read by the same strategy and words; beside good and poor also stand the models that
    the leaderboard read by others. `any_temperature`: of which rank correlation does not depend.

    >>> from eyechart.strategies import strategy
    >>> [len({row.model for row in beside(strategy(spec), any_temperature=False)})
    ...  for spec in ("softmax@100", "softmax@1", "softmax:high/low@100", "argmax", "number")]
    [15, 0, 1, 15, 0]
    """
    own_words = strategy(how.name).words
    found = []
    for row in published_rows():
        theirs = strategy(row.strategy)
        is_official = theirs.words == strategy(official_strategy(row.model)).words
        alike = theirs.name == how.name and how.words in (own_words, theirs.words)
        warm = any_temperature or theirs.temperature == how.temperature
        if is_official and alike and warm:
            found.append(row)
    return tuple(found)


def _plain(model: str) -> str:
    return model.lower().replace("_", "-")


def _number(text: str) -> float | None:
    return float(text) if text else None
