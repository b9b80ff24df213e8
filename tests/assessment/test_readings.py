"""Ratings of many images at once are those of `strategies`, image by image."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.assessment.readings import read_ratings
from eyechart.errors import BadInput
from eyechart.strategies import log_odds, rating_of, strategy

SPECS = [
    "softmax",
    "softmax:high/low@1",
    "softmax:excellent+good/poor+bad@7",
    "word-sets",
    "argmax",
    "argmax:high/low",
    "five-level",
    "five-level@100",
]
WORDS = ("excellent", "good", "high", "fine", "fair", "poor", "low", "bad")


def logits(n: int = 200) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {word: rng.normal(15, 4, n).astype(np.float16).astype(float) for word in WORDS}


@pytest.mark.parametrize("spec", SPECS)
def test_a_column_of_ratings_is_each_images_rating(spec: str) -> None:
    how, columns = strategy(spec), logits()
    found = read_ratings(how, columns)
    for at in range(200):
        row = {word: float(column[at]) for word, column in columns.items()}
        assert found.ratings[at] == pytest.approx(rating_of(how, row), abs=1e-12)
        odds = log_odds(how, row)
        if odds is not None and how.name != "argmax":
            assert found.ranks[at] == pytest.approx(odds, abs=1e-12)


@pytest.mark.parametrize("spec", SPECS)
def test_ranks_are_in_the_order_of_the_ratings(spec: str) -> None:
    found = read_ratings(strategy(spec), logits())
    order = np.argsort(found.ranks, kind="stable")
    assert (np.diff(found.ratings[order]) >= 0).all()


@pytest.mark.parametrize("spec", ["softmax@1", "five-level"])
def test_ranks_tell_apart_what_the_softmax_rounds_to_the_same(spec: str) -> None:
    columns = {word: np.zeros(2) for word in WORDS}
    columns["good"] = columns["excellent"] = np.array([800.0, 900.0])
    found = read_ratings(strategy(spec), columns)
    assert found.ratings[0] == found.ratings[1]
    if spec == "softmax@1":
        assert found.ranks[0] < found.ranks[1]


@pytest.mark.parametrize("spec", ["number", "sampling"])
def test_strategies_that_read_words_find_none_in_logits(spec: str) -> None:
    with pytest.raises(BadInput, match=r"reads replies in words.*choose softmax"):
        read_ratings(strategy(spec), logits())
