"""From replies to scores: right, wrong, or unscored with its reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.records import Failure, Item, Kind, Picture, Response, Score
from eyechart.scores import score_responses

ANSWERS: dict[Kind, object] = {
    "single": "Blur",
    "multiple": ("Blur", "Noise"),
    "true_false": False,
    "open": "It is blurred.",
    "describe": "It is blurred.",
    "rate": None,
}


def item_of(kind: Kind) -> Item:
    options = ("Noise", "Blur", "Banding") if kind in ("single", "multiple") else ()
    answer = ANSWERS[kind]
    return Item("1", kind, "?", (Picture(name="a"),), options, answer)  # type: ignore[arg-type]


def reply(text: str | None = None, **more: object) -> Response:
    return Response("1", "answer", 0, "k", "m", text=text, **more)  # type: ignore[arg-type]


def verdict(text: str, draw: int = 0) -> Response:
    return Response("1", "judge", draw, "k", "j", text=text)


def score(kind: Kind, *responses: Response) -> Score:
    (one,) = score_responses([item_of(kind)], responses)
    return one


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("single", "B", 1.0),
        ("single", "A. Noise", 0.0),
        ("multiple", "A, B", 1.0),
        ("multiple", "B and A", 1.0),
        ("multiple", "A", 0.0),
        ("multiple", "A, B, C", 0.0),
        ("true_false", "False.", 1.0),
        ("true_false", "Yes", 0.0),
    ],
)
def test_all_and_only_the_right_options_are_right(kind: Kind, text: str, value: float) -> None:
    assert score(kind, reply(text)).value == value
    assert score(kind, reply(text)).name == "correct"


@pytest.mark.parametrize(
    ("responses", "why", "detail"),
    [
        ([], "failed", "not asked"),
        ([reply(failure=Failure("transient", "HTTP 500"))], "failed", "HTTP 500"),
        ([reply("")], "unparsed", "said nothing"),
        ([reply("", finish="length")], "unparsed", "cut off before any answer"),
        ([reply("Let me think about A and B", finish="length")], "unparsed", "cut off"),
        ([reply("I'm sorry, I cannot help with that.")], "refused", ""),
        ([reply("No.", finish="content_filter")], "refused", "content filter"),
        ([reply("Either A or B.")], "unparsed", ""),
    ],
)
def test_an_unscored_item_says_why(responses: list[Response], why: str, detail: str) -> None:
    one = score("single", *responses)
    assert one.value is None
    assert one.why == why
    assert detail in one.detail


def test_a_withheld_answer_leaves_the_item_unjudged() -> None:
    item = Item("1", "single", "?", (), ("Blur", "Noise"), None)
    (one,) = score_responses([item], [reply("A")])
    assert (one.value, one.why, one.detail) == (None, "unjudged", "the right answer is withheld")


def test_verdicts_are_averaged_and_halved() -> None:
    one = score("open", reply("Blurry"), *(verdict(f"Score: {2 - n}", n) for n in (0, 1, 2)))
    assert (one.name, one.value, one.extracted) == ("verdict", 0.5, "2 1 0")


def test_a_judge_that_fails_leaves_the_item_unjudged_never_zero() -> None:
    none = score("open", reply("Blurry"))
    assert (none.value, none.why) == (None, "unjudged")
    most_lost = [verdict("Score: 2", 0), verdict("Score: 7", 1), verdict("who knows", 2)]
    lost = score("open", reply("Blurry"), *most_lost)
    assert (lost.value, lost.why) == (None, "unjudged")
    assert "2 of 3 verdicts missing" in lost.detail


def test_a_rating_is_the_softmax_share_of_good() -> None:
    one = score("rate", reply(logprobs=(-1.0, -2.0)))
    assert one.value == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert one.extracted == "log-odds 1.0000"


def test_a_word_outside_the_returned_list_is_unscored_with_a_bound() -> None:
    one = score("rate", reply(logprobs=(-0.1, None), bound=-5.0))
    assert (one.value, one.why) == (None, "unparsed")
    assert "'poor' is not among the next words returned; the rating is at least 0.99" in one.detail
    other = score("rate", reply(logprobs=(None, -0.1), bound=-5.0))
    assert (
        "'good' is not among the next words returned; the rating is at most 0.007" in other.detail
    )
    assert "neither word" in score("rate", reply(logprobs=(None, None), bound=-5.0)).detail


@given(st.floats(-1e4, 0), st.floats(-1e4, 0))
def test_a_rating_is_between_0_and_1_and_grows_with_the_log_odds(good: float, poor: float) -> None:
    value = score("rate", reply(logprobs=(good, poor))).value
    assert value is not None
    assert 0 <= value <= 1
    assert (value >= 0.5) == (good >= poor) or math.isclose(value, 0.5)


@given(st.sampled_from(list(ANSWERS)), st.text(max_size=80))
def test_no_reply_at_all_breaks_the_scoring(kind: Kind, text: str) -> None:
    one = score(kind, reply(text))
    assert (one.value is None) == (one.why is not None)
