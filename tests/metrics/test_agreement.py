"""Agreement: a published table, figures worked by hand, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.errors import BadInput
from eyechart.metrics.agreement import percent_agreement, weighted_kappa

# Fleiss, Cohen and Everitt 1969, Psychol. Bull. 72: 323-327, the table of 100 patients.
TABLE = [[53, 5, 2], [11, 14, 5], [1, 6, 3]]
PAIRS = [(i, j) for i in range(3) for j in range(3) for _ in range(TABLE[i][j])]
RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30)


def test_kappa_of_a_published_table() -> None:
    a, b = np.array(PAIRS).T
    # unweighted (.70 - .475) / .525 as published; the others by hand from the same margins
    assert weighted_kappa(a, b, weights="none") == pytest.approx(0.429, abs=5e-4)
    assert weighted_kappa(a, b, weights="linear") == pytest.approx((0.835 - 0.675) / 0.325)
    assert weighted_kappa(a, b) == pytest.approx((0.9025 - 0.775) / 0.225)


@given(RATINGS)
def test_kappa_does_not_care_who_is_first_and_is_1_for_equals(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = weighted_kappa(a, b), weighted_kappa(b, a)
    assert (one is None) == (other is None)
    if one is not None:
        assert one == pytest.approx(other) and -1 - 1e-9 <= one <= 1
    assert weighted_kappa(a, a) == (1 if len(set(a)) > 1 else None)


@given(RATINGS, st.integers(1, 9), st.integers(-9, 9))
def test_kappa_does_not_change_with_the_unit(
    pairs: list[tuple[int, int]], factor: int, shift: int
) -> None:
    a, b = np.array(pairs, float).reshape(-1, 2).T
    moved = weighted_kappa(a * factor + shift, b * factor + shift)
    assert moved == (None if (same := weighted_kappa(a, b)) is None else pytest.approx(same))


def test_agreement_is_undefined_without_anything_to_compare() -> None:
    assert weighted_kappa([], []) is None
    assert weighted_kappa([1, 1], [1, 1]) is None
    assert percent_agreement(np.zeros((0, 3))) is None
    assert percent_agreement([[1], [2]]) is None
    assert percent_agreement([[1, np.nan], [np.nan, np.nan]]) is None


def test_percent_agreement_by_hand() -> None:
    # 1 of 3 pairs, 3 of 3, and the only pair
    draws = [[2, 2, 1], [0, 0, 0], [1, np.nan, 1]]
    assert percent_agreement(draws) == pytest.approx((1 / 3 + 1 + 1) / 3)


def test_bad_ratings_are_named() -> None:
    with pytest.raises(BadInput, match="weights is 'cubic', expected one of none, linear"):
        weighted_kappa([1], [1], weights="cubic")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="draws: expected an array of 2 dimensions, got 1"):
        percent_agreement([1, 2])
    with pytest.raises(BadInput, match=r"draws\[0, 1\] is"):
        percent_agreement([[1, np.inf]])
