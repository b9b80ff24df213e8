"""Prompts: the very words that a model is shown."""

from __future__ import annotations

import pytest

from eyechart.errors import UnknownName
from eyechart.prompts import (
    ORDINALS,
    Judging,
    PromptForm,
    answer_requests,
    digests,
    fill,
    judge_requests,
)
from eyechart.records import Item, Kind, Picture, Request, Response, next_word
from eyechart.rows import MAX_IMAGES

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
