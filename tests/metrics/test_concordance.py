"""Counting pairs in order: as one by one, whatever the ties and however many bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.metrics import concordance
from eyechart.metrics.concordance import Concordance

TRIPLES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=60
)


def one_by_one(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    return float(weights @ signs @ weights) / 2


@given(TRIPLES, st.sampled_from([1, 2, 3, 10]))
def test_the_count_is_that_of_the_pairs_one_by_one(
    triples: list[tuple[int, int, int]], width: int
) -> None:
    x, y, weights = np.array(triples, float).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(concordance, "_width", lambda n_items: width)
        count = Concordance(x, y).count(weights[None].astype(np.float32))
    assert count.tolist() == [one_by_one(x, y, weights)]


@pytest.mark.parametrize("n_values", [2, 30, 10**6])
def test_many_items_in_many_bins_are_counted_exactly(n_values: int) -> None:
    rng = np.random.default_rng(n_values)
    x = rng.integers(0, n_values, 2500).astype(float)
    y = x + rng.integers(-n_values, n_values, 2500)
    weights = rng.poisson(1, (70, 2500)).astype(np.float32)
    found = Concordance(x, y).count(weights)
    assert found[[0, 69]].tolist() == [one_by_one(x, y, w) for w in weights[[0, 69]].astype(float)]


def test_no_pair_is_in_order_where_one_value_is_constant() -> None:
    weights = np.ones((2, 500), np.float32)
    assert Concordance(np.zeros(500), np.arange(500.0)).count(weights).tolist() == [0, 0]
