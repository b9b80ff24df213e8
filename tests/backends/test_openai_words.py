"""What a list of next words says of the wanted ones, and when it says nothing."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backends.calling import ask, call, error_of
from tests.endpoint import fails, gives_words, reply, sends_text, serve

from eyechart.backends.openai_address import Endpoint
from eyechart.backends.openai_faults import Reply
from eyechart.backends.openai_words import NextWords, fewer_words, next_words
from eyechart.errors import Refused
from eyechart.records import next_word
from eyechart.strategies import LEVELS

HERE = Endpoint("", "http://here/v1#eyes", "eyes")
A_RATING = call(want=next_word("good", "poor"), begun="The quality of the image is")


def words(**logprobs: float | None) -> dict[str, Any]:
    """A reply's choice with these tokens as the list; `_` is a blank."""
    top = [{"token": t.replace("_", " "), "logprob": p} for t, p in logprobs.items()]
    return {"logprobs": {"content": [{"top_logprobs": top}]}}


def read(choice: dict[str, Any], *wanted: str) -> NextWords:
    return next_words(choice, wanted, HERE)


def bound(lowest: float) -> float:
    """Of six spellings together, where the list ends with this log-probability."""
    return min(0.0, lowest + math.log(6))


# --- finding words --------------------------------------------------------------------------------


def test_a_word_is_found_behind_every_tokenisers_blank() -> None:
    for token in ("good", "_good", "\u0120good", "\u2581good", "Good", "_GOOD"):
        assert read(words(**{token: -0.5, "x": -9.0}), "good") == NextWords((-0.5,), bound(-9.0))


def test_the_tokens_of_one_word_add_up() -> None:
    found = read(words(good=math.log(0.5), _Good=math.log(0.25), bad=-5.0), "good", "bad")
    good, bad = found.logprobs
    assert good == pytest.approx(math.log(0.75))
    assert bad == -5.0


def test_words_that_differ_in_case_only_are_kept_apart() -> None:
    assert read(words(A=-0.1, _a=-3.0), "A", "a") == NextWords((-0.1, -3.0), bound(-3.0))


def test_a_word_outside_the_list_has_a_bound_and_no_number() -> None:
    found = read(words(good=-0.1, fine=-2.0, ok=-7.5), "good", "poor")
    assert found == NextWords((-0.1, None), bound(-7.5))


def test_twelve_words_are_read_from_one_list() -> None:
    wanted = ("good", "poor", "high", "low", "fine", "bad", "excellent", "fair", "sharp", "dull")
    wanted = (*wanted, "clean", "noisy")
    listed = {f"_{word}": -float(i + 1) for i, word in enumerate(wanted)}
    assert read(words(**listed), *wanted).logprobs == tuple(-float(i) for i in range(1, 13))


@given(st.lists(st.floats(0.001, 1.0), min_size=7, max_size=30), st.integers(1, 29))
def test_the_bound_holds_for_all_spellings_of_an_unlisted_word_together(
    weights: list[float], n_listed: int
) -> None:
    others = [f"other{i}" for i in range(len(weights) - 6)]
    names = [*others, "poor", "Poor", "POOR", "_poor", "_Poor", "_POOR"]
    logprobs = {t: math.log(w / sum(weights)) for t, w in zip(names, weights, strict=True)}
    ranked = sorted(logprobs.items(), key=lambda pair: -pair[1])
    unlisted = [p for token, p in ranked[n_listed:] if token.casefold().strip("_") == "poor"]
    found = read(words(**dict(ranked[:n_listed])), "poor")
    if len(unlisted) == 6:
        assert sum(map(math.exp, unlisted)) <= math.exp(found.bound) + 1e-9


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_a_sum_of_probabilities_never_exceeds_one(weights: list[float]) -> None:
    total = sum(weights)
    (good,) = read(
        words(**{" " * i + "good": math.log(w / total) for i, w in enumerate(weights)}), "good"
    ).logprobs
    assert good is not None
    assert -1e-9 <= good <= 0.0


# --- lists that say nothing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        {"content": [{}]},
        {"content": [{"top_logprobs": []}]},
        {"content": [{"top_logprobs": [{"token": "good"}]}]},
        {"content": [{"top_logprobs": [{"token": 7, "logprob": -1.0}]}]},
        {"content": [{"top_logprobs": [{"token": "good", "logprob": -9999.0}]}]},
    ],
)
def test_a_reply_without_a_list_is_refused(logprobs: Any) -> None:
    with pytest.raises(Refused, match="returned no logprobs: this server does not give word"):
        read({"logprobs": logprobs}, "good")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ("Infinity", "inf"),
        ("1e999", "inf"),
        ("-1e999", "-inf"),
        ("null", "None"),
        ('"-0.5"', "'-0.5'"),
        ("true", "True"),
        ("17.25", "17.25"),
        (f"-1{'0' * 400}", "-1000"),
    ],
)
@pytest.mark.parametrize("token", [" good", " the"])
def test_what_is_no_log_probability_is_refused_and_never_a_score(
    written: str, shown: str, token: str
) -> None:
    content = reply("good")
    top = [{"token": " poor", "logprob": -1.0}, {"token": token, "logprob": "HERE"}]
    content["choices"][0]["logprobs"] = {"content": [{"top_logprobs": top}]}
    text = json.dumps(content).replace('"HERE"', written)
    error = error_of(sends_text(text, "application/json"), asked=A_RATING)
    assert isinstance(error, Refused)
    assert f"gives {shown}" in str(error)
    assert f"as the log-probability of {token.strip()!r}; expected a finite number" in str(error)
    assert "--logprobs-mode raw_logprobs" in str(error)


def test_words_that_are_likelier_together_than_certain_are_no_probabilities() -> None:
    """Logits below zero pass for log-probabilities one by one."""
    said = r"lists next words whose probabilities add up to 1\.53, so these are none\. Have the"
    with pytest.raises(Refused, match=said) as caught:
        read(words(_good=-0.5, _poor=-0.75, _fair=-0.8), "good", "poor")
    assert "--logprobs-mode raw_logprobs" in str(caught.value)


def test_minus_9999_is_not_told_and_moves_no_bound() -> None:
    found = read(words(_good=-0.5, _a=-4.0, _poor=-9999.0, _the=-10000), "good", "poor")
    assert found == NextWords((-0.5, None), bound(-4.0))


def test_a_log_probability_just_above_zero_by_rounding_is_zero() -> None:
    assert read(words(_good=1e-6, _a=-20.0), "good").logprobs == (0.0,)


@given(st.recursive(st.none() | st.floats() | st.text(max_size=3), lambda inner: st.lists(inner)))
def test_whatever_is_listed_is_read_or_refused(value: Any) -> None:
    top = [{"token": "good", "logprob": value}, {"token": value, "logprob": -1.0}]
    for listed in (top, value, [value]):
        try:
            read({"logprobs": {"content": [{"top_logprobs": listed}]}}, "good")
        except Refused:
            continue


# --- words that the tokenizer splits --------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "piece"),
    [
        ("excellent", "_excell"),
        ("excellent", "\u2581Exc"),
        ("mediocre", "_medi"),
        ("acceptable", "Acce"),
    ],
)
def test_a_word_of_which_only_a_piece_is_listed_is_told_to_be_split(word: str, piece: str) -> None:
    error = error_of(
        gives_words(_good=-0.5, _poor=-2.0, **{piece: -3.0}),
        asked=call(want=next_word(word, "good", "poor"), begun="The quality of the image is"),
    )
    assert isinstance(error, Refused)
    token = piece.strip("_\u2581")
    assert f"the tokenizer splits {word!r} ({token!r} + …)" in str(error)
    assert "choose words that are one token, e.g. --strategies softmax:high/low" in str(error)


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        ({"_excellent": -3.0, "_excell": -2.0}, LEVELS),  # it is there as a whole
        ({"EXCELLENT": -3.0, "_excell": -2.0}, LEVELS),
        ({"_ex": -2.0, "_e": -2.5}, LEVELS),  # begins many words
        ({"_a": -2.0, "_an": -2.1}, ("average",)),
        ({"_excel": -2.0}, LEVELS),  # a word of its own
        ({"_super": -2.0, "_out": -2.2, "_per": -2.4}, ("superb", "outstanding", "perfect")),
        ({"_good": -2.0}, ("goodness", "good")),  # another wanted word
        ({"_excellently": -2.0, "_exceed": -2.2}, LEVELS),  # no beginning of it
        ({"_the": -2.0}, LEVELS),
    ],
)
def test_a_token_that_may_mean_something_else_raises_no_alarm(
    listed: dict[str, float], wanted: tuple[str, ...]
) -> None:
    found = read(words(**listed, x=-5.0), *wanted)
    assert len(found.logprobs) == len(wanted)


# --- how many words are listed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "n_listed"),
    [
        (fails(400, "Requested sample logprobs of 20, which is greater than max allowed: 5"), 5),
        (fails(400, "must be between 0 and 8", param="top_logprobs"), 8),
        (fails(422, "top_logprobs: Input should be less than or equal to 10"), 10),
    ],
)
def test_an_endpoint_that_lists_fewer_words_is_asked_for_fewer(refusal: Any, n_listed: int) -> None:
    with serve(refusal, gives_words(_good=-0.25, _poor=-1.5)) as endpoint:
        answers = ask(endpoint, A_RATING, A_RATING)
    assert [answer.logprobs for answer in answers] == [(-0.25, -1.5)] * 2
    asked = [seen.body["top_logprobs"] for seen in endpoint.requests]
    assert asked == [20, n_listed, n_listed]


def test_an_endpoint_that_goes_on_refusing_is_not_asked_for_ever() -> None:
    refuses = fails(400, "must be at most 5", param="top_logprobs")
    rejected = pytest.raises(Refused, match="It rejects 'top_logprobs'")
    with serve(refuses) as endpoint, rejected:
        ask(endpoint, A_RATING)
    assert [seen.body["top_logprobs"] for seen in endpoint.requests] == [20, 5]


def test_only_what_is_said_of_logprobs_counts_as_a_limit() -> None:
    for status, message in ((400, "max 5 images"), (500, "logprobs: at most 5"), (400, "logprobs")):
        assert fewer_words(Reply(status, {}, message), 20) == 0
