"""The published figures in the package are whole and agree with themselves."""

from __future__ import annotations

from collections import Counter

import pytest

from eyechart.assessment.databases import DATABASES
from eyechart.assessment.published import (
    AVERAGE,
    beside,
    official_strategy,
    published,
    published_rows,
)
from eyechart.strategies import strategy

NAMES = [database.name for database in DATABASES]


def test_the_leaderboard_has_fifteen_models_on_seven_databases_and_their_mean() -> None:
    rows = beside(strategy("softmax"), any_temperature=False)
    assert len({row.model for row in rows}) == 15
    assert set(Counter(row.model for row in rows).values()) == {8}
    assert [row.database for row in rows[:8]] == [*NAMES, AVERAGE]


@pytest.mark.parametrize("name", ["softmax", "argmax"])
def test_the_published_mean_is_the_mean_of_the_published_cells(name: str) -> None:
    """Within what rounding to three digits leaves open; undefined where a cell is."""
    for mean in published_rows():
        if mean.database == AVERAGE and mean.strategy.startswith(name):
            cells = [published(mean.model, each, mean.strategy) for each in NAMES]
            for metric in ("srcc", "plcc"):
                values = [getattr(cell, metric) for cell in cells]
                if None in values:
                    assert getattr(mean, metric) is None
                else:
                    assert getattr(mean, metric) == pytest.approx(sum(values) / 7, abs=0.0011)


def test_one_model_was_read_by_other_words() -> None:
    rows = beside(strategy("softmax"), any_temperature=False)
    others = {row.model for row in rows if row.strategy != "softmax:good/poor@100"}
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


@pytest.mark.parametrize(
    ("spec", "n_srcc", "n_plcc"),
    [
        ("softmax", 15, 15),
        ("softmax@1", 15, 0),
        ("softmax:high/low", 1, 1),
        ("softmax:fine/bad", 0, 0),
        ("argmax", 15, 15),
        ("word-sets", 0, 0),
        ("five-level", 0, 0),
        ("number", 0, 0),
    ],
)
def test_beside_ratings_stand_the_models_that_were_read_alike(
    spec: str, n_srcc: int, n_plcc: int
) -> None:
    """Rank correlation does not depend on the temperature."""
    for any_temperature, n in ((True, n_srcc), (False, n_plcc)):
        rows = beside(strategy(spec), any_temperature=any_temperature)
        assert len({row.model for row in rows}) == n
        assert all(row.strategy.startswith(strategy(spec).name) for row in rows)
