"""Strategies: how a rating is read from words, numbers and samples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.errors import BadInput, UnknownName
from eyechart.strategies import (
    LEVELS,
    STRATEGIES,
    log_odds,
    number_in,
    rating_of,
    strategy,
    vote_in,
)

LOGIT = st.floats(-50, 50)
ALL_WORDS = sorted({word for how in STRATEGIES.values() for word in how.words})


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_written_in_full_is_the_same_strategy(name: str) -> None:
    assert strategy(strategy(name).spec) == strategy(name)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("softmx", "no scoring strategy is called 'softmx'; did you mean 'softmax'"),
        ("softmax:good", "as many good words as poor ones"),
        ("softmax:good+fine/poor", "as many good words as poor ones"),
        ("number:good/poor", "as many good words as poor ones"),
        ("softmax@1e400", "expected a temperature above 0"),
        ("softmax@0", "expected a temperature above 0"),
        ("argmax@2", "expected a temperature above 0, on softmax"),
        ("softmax:", "expected NAME, NAME:WORDS or NAME:WORDS@TEMPERATURE"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused_with_an_example(spec: str, message: str) -> None:
    with pytest.raises((BadInput, UnknownName), match=message):
        strategy(spec)


@given(st.dictionaries(st.just("x"), LOGIT), st.lists(LOGIT, min_size=10, max_size=10), LOGIT)
def test_ratings_depend_on_differences_of_logits_alone(
    _: dict[str, float], values: list[float], shift: float
) -> None:
    logits = dict(zip(ALL_WORDS, values, strict=False))
    moved = {word: value + shift for word, value in logits.items()}
    for how in STRATEGIES.values():
        if how.words and how.name != "argmax":
            assert rating_of(how, logits) == pytest.approx(rating_of(how, moved), abs=1e-9)


@given(st.lists(LOGIT, min_size=5, max_size=5))
def test_the_five_levels_are_their_weights_under_the_softmax(values: list[float]) -> None:
    """An independent reading of Q-Align's equation, with its weights 1, .75, .5, .25, 0."""
    logits = dict(zip(LEVELS, values, strict=True))
    shares = [math.exp(value) for value in values]
    expected = sum(s * w for s, w in zip(shares, (1, 0.75, 0.5, 0.25, 0), strict=True))
    assert rating_of(strategy("five-level"), logits) == pytest.approx(expected / sum(shares))


def test_a_missing_word_leaves_the_rating_undefined() -> None:
    assert rating_of(strategy("softmax"), {"good": 1.0}) is None
    assert log_odds(strategy("word-sets"), {"good": 1.0, "poor": 0.0}) is None


def test_the_word_sets_add_logits_before_they_compare() -> None:
    logits = {"good": 3.0, "high": 2.0, "fine": 1.0, "poor": 1.0, "low": 1.0, "bad": 1.0}
    assert log_odds(strategy("word-sets"), logits) == 3.0
    assert rating_of(strategy("word-sets@1"), logits) == pytest.approx(1 / (1 + math.exp(-3)))


@pytest.mark.parametrize(
    ("reply", "value", "problem"),
    [
        ("72", 0.72, ""),
        ("Quality: 72.5", 0.725, ""),
        ("8/10", 0.8, ""),
        ("7 out of 10", 0.7, ""),
        ("100", 1.0, ""),
        ("0", 0.0, ""),
        ("about 70 to 80", None, "several numbers"),
        ("120", None, "120 is outside 0 to 100"),
        ("fine", None, "names no number"),
        ("0.8", None, "between 0 and 1"),
        ("On a scale from 0 to 100, I would give it 72.", 0.72, ""),
        ("3/0", None, "names no number"),
        ("-5", None, "outside"),
    ],
)
def test_a_number_in_words_is_read_or_refused(
    reply: str, value: float | None, problem: str
) -> None:
    found, why = number_in(reply)
    assert found == value
    assert problem in why


@pytest.mark.parametrize(
    ("reply", "vote"),
    [
        ("Good", 1.0),
        ("The quality is poor.", 0.0),
        ("not good", None),
        ("It isn't poor", None),
        ("good and poor", None),
        ("", None),
    ],
)
def test_a_sample_votes_only_where_it_is_plain(reply: str, vote: float | None) -> None:
    assert vote_in(strategy("sampling"), reply) == vote


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    value, problem = number_in(text)
    assert (value is None) == bool(problem)
    assert vote_in(strategy("sampling"), text) in (None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("spec", "reply", "vote"),
    [
        ("sampling:Good/Poor", "good", 1.0),
        ("sampling:very good/very poor", "It is very poor.", 0.0),
        ("sampling:schön/hässlich", "Schön!", 1.0),
    ],
)
def test_any_words_can_be_voted_for(spec: str, reply: str, vote: float) -> None:
    assert vote_in(strategy(spec), reply) == vote


@pytest.mark.parametrize("spec", ["softmax@1e-06", "softmax@1e9"])
def test_a_temperature_may_have_an_exponent(spec: str) -> None:
    assert strategy(strategy(spec).spec) == strategy(spec)
