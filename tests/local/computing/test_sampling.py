"""Draws: as probable as the model says, the same for the same seed, cut where asked."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

import torch

from eyechart.local.computing.sampling import GREEDY, Dice, Drawing, drawing_of, next_tokens
from eyechart.records import Sampling

SHARES = (0.05, 0.4, 0.25, 0.2, 0.1)
LOGITS = torch.tensor([[math.log(share) for share in SHARES]]) + 3.0
N = 4000


def drawn(drawing: Drawing, logits: torch.Tensor = LOGITS) -> list[float]:
    """How often each token comes, in N throws of one pair of dice."""
    dice = Dice(drawing, seed=1)
    found = next_tokens(logits.expand(N, -1), [dice] * N)
    return [found.count(token) / N for token in range(logits.shape[-1])]


def near(found: list[float], shares: list[float]) -> bool:
    """Within four standard errors."""
    return all(
        abs(f - s) <= 4 * math.sqrt(s * (1 - s) / N) for f, s in zip(found, shares, strict=True)
    )


def test_tokens_come_as_often_as_they_are_probable() -> None:
    assert near(drawn(Drawing(1.0)), list(SHARES))


def test_a_temperature_flattens_or_sharpens() -> None:
    for heat in (0.5, 2.0):
        raised = [share ** (1 / heat) for share in SHARES]
        assert near(drawn(Drawing(heat)), [share / sum(raised) for share in raised])


def test_top_k_leaves_the_likeliest_tokens() -> None:
    assert near(drawn(Drawing(1.0, top_k=2)), [0, 0.4 / 0.65, 0.25 / 0.65, 0, 0])


def test_top_p_leaves_the_fewest_tokens_that_hold_so_much() -> None:
    assert near(drawn(Drawing(1.0, top_p=0.6)), [0, 0.4 / 0.65, 0.25 / 0.65, 0, 0])
    assert drawn(Drawing(1.0, top_p=0.01)) == [0, 1, 0, 0, 0]


def test_top_p_counts_what_top_k_has_left() -> None:
    assert drawn(Drawing(1.0, top_p=0.6, top_k=2))[1:3] == [1, 0]


def test_a_temperature_of_zero_takes_the_likeliest_and_throws_no_dice() -> None:
    dice = Dice(GREEDY, seed=0)
    assert next_tokens(LOGITS, [dice]) == [1]
    assert dice.throw() == Dice(GREEDY, seed=0).throw()


def test_a_row_is_drawn_the_same_beside_any_others() -> None:
    ways = [GREEDY, Drawing(1.0), Drawing(0.7, 0.8, 3), Drawing(5.0)]
    rows = torch.randn(4, 50, generator=torch.Generator().manual_seed(0))
    together = next_tokens(rows, [Dice(way, i) for i, way in enumerate(ways)])
    assert together == [next_tokens(rows[i : i + 1], [Dice(ways[i], i)])[0] for i in range(4)]


def test_a_half_precision_row_of_equal_tokens_draws_each_of_them() -> None:
    found = drawn(Drawing(1.0), torch.zeros(1, 4, dtype=torch.bfloat16))
    assert near(found, [0.25] * 4)


def test_scores_that_are_no_numbers_harm_no_other_row() -> None:
    rows = torch.cat([torch.full_like(LOGITS, torch.nan), LOGITS])
    dice = [Dice(Drawing(1.0), 0), Dice(Drawing(1.0), 1)]
    assert next_tokens(rows, dice)[1] == next_tokens(LOGITS, [Dice(Drawing(1.0), 1)])[0]


def test_a_request_that_names_a_temperature_takes_no_limit_of_the_checkpoint() -> None:
    own = Drawing(0.7, 0.8, 20)
    assert drawing_of(Sampling(temperature=0.9), own) == Drawing(0.9, 1.0, 0)
    assert drawing_of(Sampling(temperature=0.9, top_p=0.5), own) == Drawing(0.9, 0.5, 0)
    assert drawing_of(Sampling(temperature=None), own) == own
    assert drawing_of(Sampling(temperature=None), GREEDY) == GREEDY
