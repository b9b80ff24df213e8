"""The embedded models find their task in a template's words: a changed word must not lose it."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from tests.conftest import photograph

from eyechart import plugins
from eyechart.asking.backend import Answer, Call
from eyechart.images import encode
from eyechart.parse import parse_multiple, parse_single, parse_true_false, parse_verdict
from eyechart.prompts import RATE_FORMS, PromptForm, answer_requests, judge_requests
from eyechart.records import KINDS, Item, Kind, Picture, Request, Response
from eyechart.scores import score_responses

FAULTS = ("Gaussian blur", "Random noise", "JPEG compression", "Overexposure")
BOTH = ("The first image", "The second image")
QUESTIONS: dict[tuple[Kind, int], tuple[str, tuple[str, ...]]] = {
    ("single", 1): ("Which of these has been done to this photograph?", FAULTS),
    ("single", 2): ("To one of them, Gaussian blur has been applied. To which one?", BOTH),
    ("multiple", 1): ("Which of these have been done? Choose all that apply.", FAULTS),
    ("multiple", 2): ("Which of these images are blurry?", BOTH),
    ("true_false", 1): ("Gaussian blur has been applied to this photograph.", ()),
    ("true_false", 2): ("The second image is sharper than the first.", ()),
    ("open", 1): ("What has been done to this photograph, and how strongly?", ()),
    ("open", 2): ("What is the difference between the two images?", ()),
    ("describe", 1): ("Describe the quality of the image in details.", ()),
    ("describe", 2): ("Compare the quality of the two images.", ()),
    ("rate", 1): ("Rate the quality of the image.", ()),
}
RIGHT = {"single": FAULTS[0], "multiple": FAULTS[:2], "true_false": True}
CLOSED = [key for key in QUESTIONS if key[0] in RIGHT]
FREE = [key for key in QUESTIONS if key[0] in ("open", "describe")]
EMBEDDED = ["guess", "signal"]


def picture(seed: int) -> Picture:
    data = io.BytesIO()
    image: Image.Image = photograph(seed)
    image.save(data, "PNG")
    return Picture(data=data.getvalue(), name=f"{seed}.png")


def item(kind: Kind, n_images: int) -> Item:
    question, options = QUESTIONS[kind, n_images]
    images = tuple(picture(seed) for seed in range(n_images))
    return Item("1", kind, question, images, options, answer=RIGHT.get(kind))


def ask(model: str, request: Request) -> Answer:
    images = tuple(encode(shown) for shown in request.pictures)
    return asyncio.run(plugins.open_model(model).answer(Call(request, images)))


def test_every_kind_of_question_is_asked_here() -> None:
    assert {kind for kind, _ in QUESTIONS} == set(KINDS)


@pytest.mark.parametrize("model", EMBEDDED)
@pytest.mark.parametrize(("kind", "n_images"), CLOSED)
def test_a_closed_question_gets_an_answer_that_parses(
    model: str, kind: Kind, n_images: int
) -> None:
    asked = item(kind, n_images)
    (request,) = answer_requests([asked])
    said = ask(model, request).text
    assert said is not None
    if kind == "single":
        assert parse_single(said, asked.options).value is not None
    elif kind == "multiple":
        assert parse_multiple(said, asked.options).value is not None
    else:
        assert parse_true_false(said).value is not None


@pytest.mark.parametrize("kind", ["single", "multiple"])
def test_the_guesser_chooses_every_option_and_several_only_where_several_may_be_right(
    kind: Kind,
) -> None:
    asked = item(kind, 1)
    found = set()
    for draw in range(200):
        (request,) = answer_requests([asked])
        request = Request(draw=draw, item_id="1", role="answer", turns=request.turns)
        parsed = parse_multiple(ask("guess", request).text or "", asked.options)
        assert parsed.value is not None
        found.add(parsed.value)
    sizes = {len(chosen) for chosen in found}
    assert sizes == ({1} if kind == "single" else {1, 2, 3, 4})
    assert {i for chosen in found for i in chosen} == {0, 1, 2, 3}


@pytest.mark.parametrize("model", EMBEDDED)
@pytest.mark.parametrize(("kind", "n_images"), FREE)
def test_a_free_question_gets_a_sentence(model: str, kind: Kind, n_images: int) -> None:
    (request,) = answer_requests([item(kind, n_images)])
    said = ask(model, request).text or ""
    assert said.endswith(".")
    assert len(said.split()) > 3


@pytest.mark.parametrize("model", EMBEDDED)
@pytest.mark.parametrize("form", RATE_FORMS)
def test_a_rating_gets_a_number(model: str, form: str) -> None:
    asked = item("rate", 1)
    (request,) = answer_requests([asked], form=PromptForm(rate=form))
    answer = ask(model, request)
    response = Response("1", "answer", 0, "", model, text=answer.text, logprobs=answer.logprobs)
    (score,) = score_responses([asked], [response])
    assert score.value is not None


@pytest.mark.parametrize("kind", ["open", "describe"])
@pytest.mark.parametrize("reply", ["It is blurred.", "A. Blur\nB. Noise", "True or False?"])
def test_the_guesser_judges_whatever_the_reply_looks_like(kind: Kind, reply: str) -> None:
    graded = Item("1", kind, "What is wrong?", (picture(0),), answer="It is soft.")
    response = Response("1", "answer", 0, "", "m", text=reply)
    for request in judge_requests({"1": graded}, [response]):
        assert parse_verdict(ask("guess", request).text or "").value is not None
