"""What people's answers imply: simulated people of whom the truth is known, and worked examples."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from math import nan

import numpy as np
import pytest
from tests.people.answered import OPTIONS, entry, of, question, said, tables

from eyechart.items import ItemSet
from eyechart.people.figures import Ceiling, ceiling, highest_correlation, leave_one_out
from eyechart.records import Estimate, Rating

Shares = Callable[[int, np.random.Generator], np.ndarray]


def knowing(share_known: float, *, n_items: int, n_raters: int) -> tuple[ItemSet, list[Rating]]:
    """Single choice, answered by people who know the answer with a probability or else guess."""
    rng = np.random.default_rng(0)
    keys = rng.integers(1, 5, n_items)
    knows = rng.random((n_items, n_raters)) < share_known
    given = np.where(knows, keys[:, None], rng.integers(1, 5, (n_items, n_raters)))
    items = [question(str(i), "single", OPTIONS[key - 1]) for i, key in enumerate(keys)]
    return of(*items), [r for i, row in enumerate(given) for r in said(str(i), *map(float, row))]


def theory_of_leaving_one_out(right: float, n_raters: int) -> float:
    """How often an answer is the most frequent of the others', over all that these may say."""
    chances = [right, *[(1 - right) / 3] * 3]
    total = 0.0
    for others in itertools.product(range(4), repeat=n_raters - 1):
        counts = Counter(others)
        most = [c for c in counts if counts[c] == max(counts.values())]
        total += np.prod([chances[c] for c in others]) * np.mean([chances[c] for c in most])
    return float(total)


@pytest.mark.parametrize("share_known", [0.3, 0.8])
def test_people_who_know_or_guess_agree_and_reach_as_theory_says(share_known: float) -> None:
    found = tables(*knowing(share_known, n_items=6000, n_raters=5))
    right = share_known + (1 - share_known) / 4
    kind = "Single choice"
    agreement, ceiling = found["people-agreement"], found["people-ceiling"]
    assert entry(found["people-reach"], "Mean person", kind).value == pytest.approx(right, abs=0.01)
    for column in ("Krippendorff's alpha", "mean kappa of pairs"):
        alpha = entry(agreement, kind, column)
        assert alpha.value == pytest.approx(share_known**2, abs=0.02)
        assert alpha.n == 6000 and alpha.low is not None and alpha.high is not None
        assert alpha.high - alpha.low < 0.06
    equal = share_known**2 + (1 - share_known**2) / 4
    assert entry(agreement, kind, "equal answers").value == pytest.approx(equal, abs=0.02)
    assert entry(ceiling, kind, "at least").value == pytest.approx(
        theory_of_leaving_one_out(right, 5), abs=0.01
    )
    assert entry(ceiling, kind, "at most").value == pytest.approx(equal**0.5, abs=0.01)


def test_a_ceiling_shares_ties_and_needs_two_people() -> None:
    found = leave_one_out([[1, 1, 1, 2], [1, 1, 2, nan], [1, 2, 3, nan], [1, 2, 4, nan]])
    # all agree; each sees 1 against 2 of the others; each sees three others that differ; one alone
    assert found[:3].tolist() == [1.0, 0.0, 0.0] and np.isnan(found[3])
    assert leave_one_out([[1], [1], [2]]).tolist() == [pytest.approx((0.5 + 0.5 + 0) / 3)]


def of_unequal_ease(n_items: int, rng: np.random.Generator) -> np.ndarray:
    """The share of people who give each of four answers [items, answers]: some are easy."""
    return rng.dirichlet([2.0, 0.5, 0.3, 0.2], n_items)


def of_equal_ease(n_items: int, rng: np.random.Generator) -> np.ndarray:
    """As `of_unequal_ease`: nine in ten are right about every item."""
    return np.tile([0.9, 0.1 / 3, 0.1 / 3, 0.1 / 3], (n_items, 1))


def drawn(shares: np.ndarray, n_raters: int, rng: np.random.Generator) -> np.ndarray:
    """What raters answer to each item, by chance alone [raters, items]: 1 to 4."""
    at = rng.random((n_raters, len(shares)))
    return 1.0 + (at[:, :, None] > shares.cumsum(axis=1)[None, :, :-1]).sum(axis=2)


@pytest.mark.parametrize("ease", [of_equal_ease, of_unequal_ease])
@pytest.mark.parametrize("n_raters", [2, 3, 5])
def test_the_ceiling_is_between_its_two_figures(n_raters: int, ease: Shares) -> None:
    rng = np.random.default_rng(7)
    shares = ease(20_000, rng)
    answers = drawn(shares, n_raters, rng)
    truth = shares.max(axis=1).mean()
    found = ceiling(answers, [str(i) for i in range(len(shares))])
    at_least, at_most = found.at_least, found.at_most
    assert at_most.value == pytest.approx(np.sqrt((shares**2).sum(axis=1).mean()), abs=0.005)
    assert at_least.value is not None and at_most.value is not None
    assert at_least.value < truth + 0.003 and truth < at_most.value + 0.003
    assert (answers == 1).mean() < at_most.value + 0.003, "people themselves are below it"
    if ease is of_equal_ease:
        assert at_most.value == pytest.approx(0.902, abs=0.005)
        assert at_least.value == pytest.approx(theory_of_leaving_one_out(0.9, n_raters), abs=0.01)


@pytest.mark.parametrize("ease", [of_equal_ease, of_unequal_ease])
@pytest.mark.parametrize("n_raters", [2, 3, 5])
def test_their_intervals_together_hold_the_ceiling(n_raters: int, ease: Shares) -> None:
    held = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        answers = drawn(shares := ease(60, rng), n_raters, rng)
        found = ceiling(answers, [str(i) for i in range(60)])
        assert found.at_least.low is not None and found.at_most.high is not None
        held.append(found.at_least.low <= shares.max(axis=1).mean() <= found.at_most.high)
    assert np.mean(held) >= 0.95


def test_the_ceiling_by_hand() -> None:
    # 1 of 3 pairs, 3 of 3, the only pair; one rater alone has no pair
    answers = [[1, 2, 4, 1], [1, 2, 4, nan], [3, 2, nan, nan]]
    found = ceiling(answers, "abcd")
    assert found.at_most.value == pytest.approx(((1 / 3 + 1 + 1) / 3) ** 0.5)
    assert found.at_least.value == pytest.approx((1 / 3 + 1 + 1) / 3)
    assert found.at_least.n == found.at_most.n == 3
    nothing = Estimate(None, None, None, 0)
    assert ceiling([[1, nan], [nan, 1]], "ab") == Ceiling(nothing, nothing)


def test_chance_in_few_questions_never_turns_the_ceiling_around() -> None:
    # four of five alike everywhere: 0.8 of them are right about the others, 0.6 of pairs alike
    found = ceiling([[1, 1], [1, 1], [1, 1], [1, 1], [2, 2]], "ab")
    assert found.at_least.value == found.at_most.value == pytest.approx(0.8)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        found = ceiling(drawn(of_equal_ease(24, rng), 4, rng), [str(i) for i in range(24)])
        below, above = found.at_least, found.at_most
        assert below.value is not None and above.value is not None
        assert below.high is not None and above.high is not None
        assert below.value <= above.value and below.high <= above.high


@pytest.mark.parametrize(("n_raters", "noise"), [(3, 2.0), (8, 1.0)])
def test_the_highest_correlation_is_what_knowing_the_true_opinion_reaches(
    n_raters: int, noise: float
) -> None:
    rng = np.random.default_rng(1)
    truth, leniency = rng.normal(size=20_000), rng.normal(0, 3, (n_raters, 1))
    ratings = 50 + 10 * (truth + leniency + rng.normal(0, noise, (n_raters, 20_000)))
    reached = float(np.corrcoef(truth, ratings.mean(axis=0))[0, 1])
    theory = (1 / (1 + noise**2 / n_raters)) ** 0.5
    found = highest_correlation(ratings)
    assert reached == pytest.approx(theory, abs=0.01)
    assert found.value == pytest.approx(theory, abs=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < theory < found.high


def test_it_is_that_of_cronbachs_alpha_where_all_rate_all() -> None:
    ratings = np.random.default_rng(2).normal(size=(4, 30)) + np.arange(30) / 10
    parts = ratings.var(axis=1, ddof=1).sum()
    cronbach = 4 / 3 * (1 - parts / ratings.sum(axis=0).var(ddof=1))
    assert highest_correlation(ratings).value == pytest.approx(cronbach**0.5)


def test_missing_ratings_leave_the_ceiling_where_it_is() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=3000)
    ratings = truth + rng.normal(0, 1, (12, 3000)) + rng.normal(0, 0.5, (12, 1))
    ratings[rng.random(ratings.shape) < 0.5] = nan
    shared = (~np.isnan(ratings)).sum(axis=0) > 1
    reached = np.corrcoef(truth[shared], np.nanmean(ratings[:, shared], axis=0))[0, 1]
    assert highest_correlation(ratings).value == pytest.approx(reached, abs=0.01)


def test_its_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    theory, covered = (1 / (1 + 1 / 4)) ** 0.5, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = highest_correlation(rng.normal(size=60) + rng.normal(size=(4, 60)))
        assert found.low is not None and found.high is not None
        covered.append(found.low <= theory <= found.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_the_highest_correlation_is_undefined_or_0_without_a_common_opinion() -> None:
    assert highest_correlation([[1, 2, nan], [nan, 3, 4]]) == Estimate(None, None, None, 1)
    assert highest_correlation([[5, 5, 5], [5, 5, 5]]) == Estimate(None, None, None, 3)
    assert highest_correlation(np.empty((0, 0))) == Estimate(None, None, None, 0)
    assert highest_correlation([[1, 2, 3, 5], [5, 3, 2, 2]]).value == 0
