"""From replies to scores: right, wrong, or unscored with its reason."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.records import Failure, Item, Kind, Likelihood, Picture, Response, Score
from eyechart.rubrics import GENERAL, Rubric
from eyechart.scores import Scoring, score_responses
from eyechart.scoring.verdicts import most_frequent

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


JUDGED = Scoring(judges={"j": 1})


def score(kind: Kind, *responses: Response) -> Score:
    scoring = JUDGED if any(r.role == "judge" for r in responses) else None
    (one,) = score_responses([item_of(kind)], responses, scoring)
    return one


def scores_by_name(
    item: Item, responses: list[Response], scoring: Scoring
) -> dict[tuple[str, str], Score]:
    found = score_responses([item], responses, scoring)
    by_name = {(score.name, score.judge): score for score in found}
    assert len(by_name) == len(found)
    return by_name


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


MAJORITY = Scoring({"open": (Rubric("verdict", "judge_open", rule="most_frequent"),)}, {"j": 1})
DRAWS = st.lists(st.integers(0, 2), min_size=1, max_size=9)


def by_majority(draws: list[int]) -> Score:
    said = [verdict(f"Score: {value}", n) for n, value in enumerate(draws)]
    (one,) = score_responses([item_of("open")], [reply("Blurry"), *said], MAJORITY)
    return one


@pytest.mark.parametrize(
    ("draws", "value"),
    [
        ([2, 1, 2, 0, 2], 2),
        ([0, 1, 1], 1),
        ([0, 0, 2, 2, 1], 0),  # 0 and 2 are as near to the mean of 1: the lower one
        ([0, 0, 2, 2, 2, 0, 1, 1, 1], 1),  # all as frequent: 1 is the mean
        ([1, 1, 2, 2, 0], 1),  # the mean of 1.2 is nearer to 1
        ([0, 2, 2, 1, 1], 1),
        ([0, 0, 1, 2, 2, 2, 0, 1, 1, 2], 2),
        ([0, 1], 0),
        ([1, 2], 1),
        ([0, 2], 0),
    ],
)
def test_the_most_frequent_verdict_counts_of_equals_the_nearest_to_the_mean_then_the_lowest(
    draws: list[int], value: int
) -> None:
    one = by_majority(draws)
    assert one.value == value / 2
    assert one.draws == tuple(map(float, draws))
    assert one.extracted == " ".join(map(str, draws))


@given(DRAWS)
def test_the_integer_majority_is_one_of_the_draws_and_none_is_more_frequent(
    draws: list[int],
) -> None:
    value = by_majority(draws).value
    assert value is not None
    assert 2 * value in draws
    assert draws.count(int(2 * value)) == max(map(draws.count, draws))


@given(DRAWS, st.randoms())
def test_the_order_of_the_draws_does_not_matter(draws: list[int], random: Random) -> None:
    shuffled = random.sample(draws, len(draws))
    assert by_majority(shuffled).value == by_majority(draws).value


@given(st.integers(0, 2), st.integers(1, 9))
def test_unanimous_draws_give_themselves(value: int, n: int) -> None:
    assert by_majority([value] * n).value == value / 2


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_the_majority_of_any_scale_is_the_first_by_frequency_nearness_and_size(
    verdicts: list[int],
) -> None:
    middle = Fraction(sum(verdicts), len(verdicts))
    ranked = sorted(set(verdicts), key=lambda v: (-verdicts.count(v), abs(v - middle), v))
    assert most_frequent(verdicts) == ranked[0]


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


ROTATED = Scoring(also=("rotations",))


@pytest.mark.parametrize(
    ("letters", "value", "why"),
    [
        (["B", "A", "C"], 1.0, None),
        (["B", "B", "C"], 0.0, None),
        (["A", "A", "C"], 0.0, None),
        (["B", "either", "C"], None, "unparsed"),
        (["B", "either", "A"], 0.0, None),
        (["B", "A"], None, "failed"),
    ],
)
def test_right_in_a_circle_is_right_in_every_rotation(
    letters: list[str], value: float | None, why: str | None
) -> None:
    variants = ["", "rotation 1", "rotation 2"]
    responses = [reply(t, variant=v) for t, v in zip(letters, variants, strict=False)]
    found = scores_by_name(item_of("single"), responses, ROTATED)
    circular = found["correct.circular", ""]
    assert (circular.value, circular.why) == (value, why)
    assert circular.extracted.split()[0] == letters[0]
    assert found["correct", ""].value == float(letters[0] == "B")


def test_a_statement_has_no_rotations_and_a_blind_run_is_scored_apart() -> None:
    scoring = Scoring(also=("rotations", "blind"))
    responses = [reply("False"), reply("True", variant="blind")]
    found = scores_by_name(item_of("true_false"), responses, scoring)
    assert {name: score.value for (name, _), score in found.items()} == {
        "correct": 1.0,
        "correct.blind": 0.0,
    }


def test_the_three_likelihoods_are_the_mean_with_the_prompt_the_mean_and_the_sum() -> None:
    """Sums -6, -5, -8 of 6, 2 and 20 tokens after a prompt of 10 tokens with -30."""
    lengths = Likelihood((6, 2, 20), -30.0, 10)
    answer = reply(logprobs=(-6.0, -5.0, -8.0), likelihood=lengths, variant="likelihood")
    found = scores_by_name(item_of("single"), [answer], Scoring(also=("likelihood",)))
    chosen = {name: score.extracted for (name, _), score in found.items()}
    assert chosen["correct.likelihood-sum"] == "Blur"  # -5
    assert chosen["correct.likelihood-mean"] == "Banding"  # 8/20 < 6/6 < 5/2
    assert chosen["correct.likelihood-prompt"] == "Banding"  # 38/30 < 36/16 < 35/12
    assert found["correct.likelihood-sum", ""].value == 1.0


@pytest.mark.parametrize(
    ("answer", "name", "detail"),
    [
        (
            reply(logprobs=(-1.0, -1.0, -2.0), likelihood=Likelihood((1, 1, 1))),
            "sum",
            "Noise, Blur",
        ),
        (
            reply(logprobs=(-1.0, -2.0, -2.0), likelihood=Likelihood((1, 1, 1))),
            "prompt",
            "own tokens",
        ),
        (reply(logprobs=(-1.0, -2.0), likelihood=Likelihood((1, 1))), "sum", "every option"),
        (reply(failure=Failure("refused", "HTTP 400")), "mean", "HTTP 400"),
    ],
)
def test_a_likelihood_that_decides_nothing_is_unscored(
    answer: Response, name: str, detail: str
) -> None:
    answer = dataclasses.replace(answer, variant="likelihood")
    found = scores_by_name(item_of("single"), [answer], Scoring(also=("likelihood",)))
    one = found[f"correct.likelihood-{name}", ""]
    assert one.value is None
    assert detail in one.detail


CHOICE = Rubric("correct.judged", "judge_choice", most=1, rule="votes")


@pytest.mark.parametrize(
    ("votes", "value"),
    [
        ("11100", 1.0),
        ("00011", 0.0),
        ("1111x", 1.0),
        ("11xxx", None),
        ("10x1x", 1.0),
        ("10xx", None),
    ],
)
def test_the_official_judge_decides_by_the_majority_of_its_votes(
    votes: str, value: float | None
) -> None:
    scoring = Scoring({**GENERAL, "single": (CHOICE,)}, {"j": len(votes)})
    said = [f"Score: {v}" if v != "x" else "hm" for v in votes]
    verdicts = [
        dataclasses.replace(verdict(text, n), variant="judged") for n, text in enumerate(said)
    ]
    found = scores_by_name(item_of("single"), [reply("B"), *verdicts], scoring)
    judged = found["correct.judged", "j"]
    assert judged.value == value
    assert found["correct", ""].value == 1.0
    if value is not None:
        assert judged.draws == tuple(float(v) for v in votes if v != "x")


def test_each_judge_and_each_rubric_has_a_score_of_its_own() -> None:
    rubrics = {
        "describe": (
            Rubric("verdict.completeness", "judge_completeness"),
            Rubric("verdict.relevance", "judge_relevance", needs_answer=False),
        )
    }
    scoring = Scoring(rubrics, {"j": 1, "k": 1})
    verdicts = [
        Response("1", "judge", 0, "k", judge, text=f"Score: {score}", variant=variant)
        for judge, variant, score in [
            ("j", "completeness", 1),
            ("k", "completeness", 2),
            ("j", "relevance", 2),
        ]
    ]
    found = scores_by_name(item_of("describe"), [reply("Blurred"), *verdicts], scoring)
    assert found["verdict.completeness", "j"].value == 0.5
    assert found["verdict.completeness", "k"].value == 1.0
    assert found["verdict.relevance", "j"].value == 1.0
    assert found["verdict.relevance", "k"].why == "unjudged"


def test_without_a_reference_only_what_needs_none_is_judged() -> None:
    rubrics = {"describe": (Rubric("verdict.relevance", "judge_relevance", needs_answer=False),)}
    item = Item("1", "describe", "?", (), (), None)
    found = score_responses([item], [reply("Blurred")], Scoring(rubrics, {"j": 1}))
    assert [(s.name, s.why) for s in found] == [("verdict.relevance", "unjudged")]


def test_each_strategy_reads_its_own_rating_from_one_reply() -> None:
    scoring = Scoring(strategies=("softmax:good/poor@100", "softmax:high/low@1", "argmax"))
    answer = reply(logprobs=(-1.0, -2.0, -4.0, -3.0))
    found = scores_by_name(item_of("rate"), [answer], scoring)
    assert found["rating", ""].value == pytest.approx(1 / (1 + math.exp(-0.01)))
    assert found["rating.softmax:high/low@1", ""].value == pytest.approx(1 / (1 + math.exp(1)))
    assert found["rating.argmax:good/poor", ""].value == 1.0


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_log_probability_that_is_no_number_is_a_failure_that_names_the_word(bad: float) -> None:
    one = score("rate", reply(logprobs=(-1.0, bad)))
    assert (one.value, one.why) == (None, "failed")
    assert "the log-probability of 'poor' is" in one.detail
    assert "expected a finite number" in one.detail


def test_ratings_in_words_are_read_as_numbers_and_as_votes() -> None:
    scoring = Scoring(strategies=("number", "sampling"))
    samples = [
        Response("1", "answer", n, "k", "m", text=text, variant="sampling")
        for n, text in enumerate(["Good.", "poor", "good", "dunno"])
    ]
    found = scores_by_name(item_of("rate"), [reply("72", variant="number"), *samples], scoring)
    assert found["rating", ""].value == 0.72
    sampled = found["rating.sampling:good/poor", ""]
    assert sampled.value == pytest.approx(2 / 3)
    assert sampled.draws == (1.0, 0.0, 1.0)
    lost = scores_by_name(item_of("rate"), samples[3:], Scoring(strategies=("sampling",)))
    assert "1 of 1 samples lost: they say neither of good, poor" in lost["rating", ""].detail
