"""Prompts: the very words that a model is shown."""

from __future__ import annotations

from typing import Any

import pytest

from eyechart.errors import UnknownName
from eyechart.prompts import (
    ORDINALS,
    SINGLE_FORMS,
    Judging,
    PromptForm,
    answer_requests,
    digests,
    fill,
    judge_requests,
)
from eyechart.records import Item, Kind, Picture, Request, Response, likelihood, next_word
from eyechart.rows import MAX_IMAGES
from eyechart.rubrics import Rubric

PICTURE = Picture(data=b"x", name="a.png")


def item_of(kind: Kind, question: str = "What is wrong?", n_images: int = 1) -> Item:
    options = ("Blur", "Noise") if kind in ("single", "multiple") else ()
    answer = "It is blurred." if kind in ("open", "describe") else None
    return Item("1", kind, question, (PICTURE,) * n_images, options, answer)


def request_for(item: Item, form: PromptForm | None = None) -> Request:
    (request,) = answer_requests([item], form=form)
    return request


GOLDEN: dict[Kind, str] = {
    "single": "What is wrong?\n\nA. Blur\nB. Noise\n\n"
    "Answer with the letter of the right option alone.",
    "multiple": "What is wrong?\n\nA. Blur\nB. Noise\n\nOne or more options may be right. "
    "Answer with the letters of all that apply, separated by commas.",
    "true_false": "Is the following statement true or false?\n\nWhat is wrong?\n\n"
    "Answer True or False.",
    "open": "What is wrong?\n\nAnswer in one or two sentences.",
    "describe": "What is wrong?",
    "rate": "What is wrong?",
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_each_kind_is_asked_in_these_words_after_its_picture(kind: Kind) -> None:
    (turn,) = request_for(item_of(kind)).turns
    assert turn.role == "user"
    assert turn.parts == (PICTURE, GOLDEN[kind])


def test_several_pictures_are_named_in_order() -> None:
    (turn,) = request_for(item_of("single", n_images=2)).turns
    assert turn.parts[:4] == ("First image:", PICTURE, "Second image:", PICTURE)


def test_every_picture_that_a_row_may_have_has_a_name() -> None:
    assert len(ORDINALS) == MAX_IMAGES


def test_a_reply_to_an_item_that_is_not_there_is_not_judged() -> None:
    stray = Response("gone", "answer", 0, "k", "m", text="Blurry")
    assert not list(judge_requests({"1": item_of("open")}, [stray]))


def test_a_rating_begins_the_answer_and_wants_the_next_word() -> None:
    request = request_for(item_of("rate"))
    assert request.begun == "The quality of the image is"
    assert request.want == next_word("good", "poor")


def test_a_model_that_cannot_go_on_is_asked_for_one_word() -> None:
    request = request_for(item_of("rate"), PromptForm(rate="one-word"))
    assert request.begun == ""
    assert request.want == next_word("good", "poor")
    assert str(request.turns[0].parts[1]).endswith("Answer with one word: good or poor.")


def test_dollar_signs_and_braces_in_texts_stay_as_they_are() -> None:
    question = "Is $question {x} %s $$ right?"
    assert question in str(request_for(item_of("open", question)).turns[0].parts[1])
    reply = fill("judge_open", question="q", reference="r", reply="$reference")
    assert "$reference" in reply


def test_a_judge_sees_question_reference_and_reply_as_often_as_it_draws() -> None:
    item = item_of("open")
    response = Response("1", "answer", 0, "k", "m", text="Blurry & noisy")
    requests = list(judge_requests({"1": item}, [response], judging=Judging(n_draws=3)))
    assert [(r.role, r.draw) for r in requests] == [("judge", 0), ("judge", 1), ("judge", 2)]
    text = str(requests[0].turns[0].parts[0])
    assert "What is wrong?" in text
    assert "It is blurred." in text
    assert "<<<\nBlurry & noisy\n>>>" in text
    assert not requests[0].pictures


def test_failed_empty_and_closed_replies_are_not_judged() -> None:
    items = {"1": item_of("open"), "2": item_of("single")}
    responses = [
        Response("1", "answer", 0, "k", "m", text=None),
        Response("1", "judge", 0, "k", "m", text="Score: 2"),
        Response("2", "answer", 0, "k", "m", text="A"),
    ]
    assert not list(judge_requests(items, responses))


def test_every_template_has_a_version_and_a_digest() -> None:
    told = digests()
    assert "single" in told
    for name, digest in told.items():
        assert digest.startswith("version "), name
        assert "sha256 " in digest


def test_an_unknown_rating_prompt_offers_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match="no rating prompt is called 'begin'; did you mean 'begun'"
    ):
        PromptForm(rate="begin")


FORMS = {
    "paper": "What is wrong? Choose between one of the following options: A. Blur B. Noise",
    "llava": "What is wrong?\nChoose between one of the options as follows:\nA. Blur\nB. Noise",
    "letter-suffix": "What is wrong?\nA. Blur\nB. Noise\n"
    "Answer with the option's letter from the given choices directly.",
    "letter-prefix": "What is wrong?\n"
    "Answer with the option's letter from the given choices directly.\nA. Blur\nB. Noise",
    "vlmevalkit": "Question: What is wrong?\nOptions:\nA. Blur\nB. Noise\n"
    "Please select the correct answer from the options above.",
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_in_circulation_is_asked_in_these_words(form: str) -> None:
    (turn,) = request_for(item_of("single"), PromptForm(form)).turns
    assert turn.parts == (PICTURE, FORMS[form])


def test_every_form_is_among_the_golden_ones() -> None:
    assert set(SINGLE_FORMS) == {"eyechart", *FORMS}


def variants_of(item: Item, form: PromptForm) -> dict[tuple[str, int], Request]:
    return {(r.variant, r.draw): r for r in answer_requests([item], form=form)}


def test_a_question_is_turned_once_for_each_further_option() -> None:
    item = Item("1", "single", "?", (PICTURE,), ("a", "b", "c"), "b")
    found = variants_of(item, PromptForm(also=("rotations",)))
    assert [variant for variant, _ in found] == ["", "rotation 1", "rotation 2"]
    assert "A. b\nB. c\nC. a" in str(found["rotation 1", 0].turns[0].parts[1])
    statement = variants_of(item_of("true_false"), PromptForm(also=("rotations",)))
    assert [variant for variant, _ in statement] == [""]


def test_the_blind_question_is_the_plain_one_without_its_picture() -> None:
    found = variants_of(item_of("single"), PromptForm(also=("blind",)))
    plain, blind = found["", 0].turns[0].parts, found["blind", 0].turns[0].parts
    assert plain == (PICTURE, *blind)
    opened = variants_of(item_of("open"), PromptForm(also=("blind", "likelihood", "rotations")))
    assert [variant for variant, _ in opened] == [""]


def test_the_likelihood_of_each_option_is_asked_without_listing_them() -> None:
    request = variants_of(item_of("single"), PromptForm(also=("likelihood",)))["likelihood", 0]
    assert request.want == likelihood("Blur", "Noise")
    told = str(request.turns[0].parts[1])
    assert told == "What is wrong?\nChoose between one of the options as follows:"


def test_strategies_that_share_a_prompt_share_a_request() -> None:
    how = ("softmax", "softmax:high/low", "argmax", "word-sets", "five-level", "number")
    found = variants_of(item_of("rate"), PromptForm(strategies=how))
    assert [variant for variant, _ in found] == ["", "five-level", "number"]
    assert found["", 0].want.words == ("good", "poor", "high", "low", "fine", "bad")
    assert found["five-level", 0].want.words == ("excellent", "good", "fair", "poor", "bad")
    assert found["five-level", 0].begun == "The quality of the image is"
    assert found["number", 0].want.name == "text"


def test_samples_are_so_many_draws_at_temperature_1() -> None:
    found = variants_of(item_of("rate"), PromptForm(strategies=("sampling",), n_samples=3))
    assert [draw for _, draw in found] == [0, 1, 2]
    assert {request.sampling.temperature for request in found.values()} == {1.0}


def test_a_judge_is_asked_by_every_rubric_and_only_about_the_plain_reply() -> None:
    item = Item("1", "single", "Sharp?", (PICTURE,), ("Yes", "No"), "No")
    rubrics = {"single": (Rubric("correct.judged", "judge_choice", most=1, rule="votes"),)}
    replies = [
        Response("1", "answer", 0, "k", "m", text="B. No"),
        Response("1", "answer", 0, "k", "m", text="A", variant="blind"),
    ]
    (request,) = judge_requests({"1": item}, replies, rubrics=rubrics, judging=Judging(n_draws=1))
    text = str(request.turns[0].parts[0])
    assert request.variant == "judged"
    assert "A. Yes\nB. No" in text
    assert not request.pictures


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"single": "papr"}, "no prompt form is called 'papr'; did you mean 'paper'"),
        ({"also": ("blnd",)}, "no way of asking is called 'blnd'; did you mean 'blind'"),
    ],
)
def test_an_unknown_form_offers_the_nearest(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        PromptForm(**wrong)


def test_the_one_word_question_names_the_words_that_are_read() -> None:
    form = PromptForm(rate="one-word", strategies=("softmax:high/low",))
    request = request_for(item_of("rate"), form)
    assert str(request.turns[0].parts[1]).endswith("Answer with one word: high or low.")
    assert request.want == next_word("high", "low")
