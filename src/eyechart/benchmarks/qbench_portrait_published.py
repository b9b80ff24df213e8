"""Q-Bench-Portrait's published figures: 25 models and random guessing, as they were printed.

In: `published/portrait.csv`, percentages by subset. Out: a row for each model, with fractions.
Computes no figure of its own.

Wu et al. 2026, arXiv 2601.18346: Tables 3 to 6. Figures that two tables print (those of a whole
image source, in Tables 3 and 5) agree and are kept once.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

SOURCE = "Wu et al. 2026, arXiv 2601.18346, Tables 3-6"
BASELINE = "baseline"


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
