"""What the list of items tells: replies by variant, verdicts by judge, scores in words."""

from __future__ import annotations

import pytest

from eyechart.records import Failure, Item, Likelihood, Response, Role, Score
from eyechart.report.entries import Entry, status_of
from eyechart.report.readings import asides_of, in_words, readings_of
from eyechart.report.replies import replies_of, verdicts_of

SINGLE = Item("1", "single", "?", (), ("a", "b"), "a")
DESCRIBED = Item("1", "describe", "?", (), answer="It is noisy.")


def said(text: str, variant: str = "", *, draw: int = 0, judge: str = "") -> Response:
    role: Role = "judge" if judge else "answer"
    return Response("1", role, draw, "k", judge or "m", text=text, variant=variant)


def test_the_plain_reply_comes_first_and_the_others_name_their_way() -> None:
    replies = replies_of([said("B", "rotation 1"), said("A"), said("C", "blind")])
    assert [(reply.who, reply.is_other) for reply in replies] == [
        *(("m", False), ("rotation 1", True), ("blind", True))
    ]


def test_draws_are_numbered_where_one_way_has_several() -> None:
    replies = replies_of([said("A"), said("good", "sampling"), said("poor", "sampling", draw=1)])
    assert [reply.who for reply in replies] == ["m", "sampling, draw 1", "sampling, draw 2"]


def test_without_a_plain_reply_none_is_folded_away() -> None:
    (reply,) = replies_of([said("72", "number")])
    assert (reply.who, reply.is_other) == ("m, number", False)


def test_likelihoods_are_called_so() -> None:
    response = Response(
        "1", "answer", 0, "k", "m", logprobs=(-1.5, None), likelihood=Likelihood((2, 3))
    )
    assert replies_of([response])[0].text.text == "log-likelihoods −1.500, –"


def test_verdicts_are_grouped_by_judge_and_rubric() -> None:
    responses = [
        said("Score: 2", variant, draw=draw, judge=judge)
        for judge in ("a", "b")
        for draw in (0, 1)
        for variant in ("completeness", "relevance")
    ]
    one, other = verdicts_of(responses)
    assert (one.judge, other.judge, one.n_replies) == ("a", "b", 4)
    assert [(rubric, len(replies)) for rubric, replies in one.by_rubric] == [
        *(("completeness", 2), ("relevance", 2))
    ]
    (votes,) = verdicts_of([said("Score: 1", "judged", judge="a")])
    assert [rubric for rubric, _ in votes.by_rubric] == [""]


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score("1", "correct.circular", 1.0), "right in every rotation: yes"),
        (Score("1", "correct.circular", 0.0, extracted="A B"), "right in every rotation: no (A B)"),
        (Score("1", "correct.blind", 0.0, extracted="B"), "blind: wrong (B)"),
        (Score("1", "correct.blind", None, "refused", detail="no"), "blind: refused: no"),
        (Score("1", "correct.likelihood-sum", 1.0), "likelihood, sum: right"),
        (Score("1", "correct.judged", 1.0, judge="a", draws=(1, 0)), "by a: right (votes 1 0)"),
        (Score("1", "verdict.completeness", 0.75, draws=(1, 2)), "completeness 1.5 of 2 (1 2)"),
        (Score("1", "verdict.relevance", 1.0, judge="a", draws=(2,)), "relevance 2 of 2"),
        (Score("1", "rating.softmax:high/low@100", 0.61234), "softmax:high/low@100 0.612"),
    ],
)
def test_a_score_with_a_dot_is_told_in_words(score: Score, words: str) -> None:
    assert in_words(score) == words


def test_verdicts_of_several_judges_are_told_apart() -> None:
    scores = [
        Score("1", f"verdict.{name}", 1.0, judge=judge) for name in ("x", "y") for judge in "ab"
    ]
    found = asides_of(scores, [])
    assert [(aside.heading, aside.parts) for aside in found] == [
        ("Verdict by a", ("x 2 of 2", "y 2 of 2")),
        ("Verdict by b", ("x 2 of 2", "y 2 of 2")),
    ]
    plain = [Score("1", "verdict", 0.5, judge=judge) for judge in "ab"]
    assert [reading.judge for reading in readings_of(plain, [])] == ["a", "b"]
    assert [reading.judge for reading in readings_of(plain[:1], [])] == [""]


def test_one_reason_for_every_rubric_is_told_once() -> None:
    waiting = [Score("1", f"verdict.{name}", None, "unjudged", detail="no judge") for name in "xy"]
    assert asides_of(waiting, [])[0].parts == ("not judged: no judge",)
    other = Score("1", "verdict.z", None, "failed")
    assert asides_of([waiting[0], other], [])[0].parts == (
        *("x: not judged: no judge", "z: failed"),
    )


def test_what_a_failed_reply_says_is_not_said_again() -> None:
    failure = Failure("image", "a.png: truncated")
    lost = Response("1", "answer", 0, "", "m", failure=failure, variant="blind")
    scores = [Score("1", "correct.blind", None, "failed", detail="a.png: truncated")]
    assert asides_of(scores, [lost])[0].parts == ("blind: failed",)


def test_the_status_goes_by_the_plain_score() -> None:
    blind = Score("1", "correct.blind", 1.0)
    assert status_of(Entry(SINGLE, (), (Score("1", "correct", 0.0), blind))) == "wrong"
    assert (
        status_of(Entry(SINGLE, (), (Score("1", "correct", None, "failed"), blind))) == "unscored"
    )


def test_without_a_plain_verdict_the_status_goes_by_the_mean_of_the_first_judge() -> None:
    def entry(*values: float) -> Entry:
        scores = [Score("1", f"verdict.{i}", v, judge="a") for i, v in enumerate(values)]
        others = [Score("1", f"verdict.{i}", 0.0, judge="b") for i in range(3)]
        return Entry(DESCRIBED, (), (*scores, *others))

    assert status_of(entry(1.0, 1.0, 1.0)) == "right"
    assert status_of(entry(1.0, 0.5, 0.0)) == "partly"
    assert status_of(entry(0.0, 0.0, 0.0)) == "wrong"


def test_an_item_whose_answer_is_withheld_is_called_so() -> None:
    item = Item("1", "single", "?", (), ("a", "b"))
    entry = Entry(item, (), (Score("1", "correct", None, "unjudged"),))
    assert status_of(entry) == "withheld"
