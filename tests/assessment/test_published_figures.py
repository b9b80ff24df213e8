"""The published figures in the package are whole and agree with themselves."""

from __future__ import annotations

from collections import Counter

import pytest

from eyechart.assessment.databases import DATABASES
from eyechart.assessment.published import (
    AVERAGE,
    official_rows,
    official_strategy,
    published,
    published_rows,
)

NAMES = [database.name for database in DATABASES]


def test_the_leaderboard_has_fifteen_models_on_seven_databases_and_their_mean() -> None:
    rows = official_rows()
    assert len({row.model for row in rows}) == 15
    assert set(Counter(row.model for row in rows).values()) == {8}
    assert [row.database for row in rows[:8]] == [*NAMES, AVERAGE]


@pytest.mark.parametrize("strategy", ["softmax", "argmax"])
def test_the_published_mean_is_the_mean_of_the_published_cells(strategy: str) -> None:
    """Within what rounding to three digits leaves open; undefined where a cell is."""
    for mean in published_rows():
        if mean.database == AVERAGE and mean.strategy.startswith(strategy):
            cells = [published(mean.model, name, mean.strategy) for name in NAMES]
            for metric in ("srcc", "plcc"):
                values = [getattr(cell, metric) for cell in cells]
                if None in values:
                    assert getattr(mean, metric) is None
                else:
                    assert getattr(mean, metric) == pytest.approx(sum(values) / 7, abs=0.0011)


def test_one_model_was_read_by_other_words() -> None:
    others = {row.model for row in official_rows() if row.strategy != "softmax:good/poor@100"}
    assert others == {"instructblip_t5"}
    assert official_strategy("my own model") == ""


def test_a_model_is_found_with_hyphens_or_underscores() -> None:
    found = published("qwen_vl", "AGIQA-3K", "softmax:good/poor@100")
    assert found is not None
    assert (found.srcc, found.plcc) == (0.617, 0.686)


def test_what_was_printed_as_nan_is_undefined() -> None:
    found = published("minigpt4_13b", "KADID-10K", "argmax:good/poor")
    assert found is not None
    assert (found.srcc, found.plcc) == (None, None)
