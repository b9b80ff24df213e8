"""Q-Bench-Portrait's published figures: 25 models and random guessing, as they were printed.

In: `published/portrait.csv`, percentages by subset. Out: a row for each model, with fractions, and
the whole numbers of half marks that they imply. Computes no figure of its own.

Wu et al. 2026, arXiv 2601.18346: Tables 3 to 6. Figures that two tables print (those of a whole
image source, in Tables 3 and 5) agree and are kept once.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS

SOURCE = "Wu et al. 2026, arXiv 2601.18346, Tables 3-6"
BASELINE = "baseline"
WHOLE_CODES = frozenset(code for kind, code in CODES.items() if kind != "open")
HALF_A_DIGIT = 0.5e-4 + 1e-9
"""Half of the last digit printed, as a fraction; a little more, so that halves go either way."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published row. `group`: `baseline` (random guessing), `open` or `closed`.

    `figures`: fractions by subset, a key of `qbench_portrait_taxonomy.COUNTS`; a dash has no key.
    The baseline's are its expectation over single choice and true/false alone.
    """

    model: str
    group: str
    figures: Mapping[str, float] = field(default_factory=dict)


@cache
def published_rows() -> tuple[Published, ...]:
    """Every published row in the order of the paper, random guessing first.

    >>> len(published_rows()), published_rows()[16].model, published_rows()[16].figures["Overall"]
    (26, 'Qwen3-VL (32B)', 0.64)
    """
    file = resources.files("eyechart.benchmarks") / "published" / "portrait.csv"
    with file.open(encoding="utf-8") as lines:
        return tuple(
            Published(
                row.pop("model"),
                row.pop("group"),
                {key: float(text) / 100 for key, text in row.items() if text},
            )
            for row in csv.DictReader(lines)
        )


def half_marks(row: Published, key: str) -> int | None:
    """The whole number of half marks over a subset that a model's printed percentage implies.

    Closed questions give whole marks, so subsets of these alone have an even number. None for the
    baseline, for a dash, and where no such number comes out at the printed digits.

    >>> half_marks(published_rows()[1], "TF")  # 51.19 % of 545 questions are 279 right ones
    558
    """
    figure = row.figures.get(key)
    if figure is None or row.group == BASELINE:
        return None
    step = 2 if key.partition("/")[0] in WHOLE_CODES else 1
    most = 2 * COUNTS[key]
    found = step * round(figure * most / step)
    return found if abs(found / most - figure) <= HALF_A_DIGIT else None
