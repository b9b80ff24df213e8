"""The embedded models in every way in which a question is asked, through the whole flow."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
from PIL import Image

from eyechart import plugins
from eyechart.asking import ask
from eyechart.asking.budget import Budget
from eyechart.asking.engine import AskSettings
from eyechart.backends.signal_answers import CANNOT_TELL
from eyechart.parse import parse_single, parse_verdict
from eyechart.photographs import bundled_photographs, read_pixels
from eyechart.prompts import (
    ALSO,
    SINGLE_FORMS,
    PromptForm,
    answer_requests,
    judge_requests,
    rotated,
)
from eyechart.records import Item, Kind, Picture, Request, Response, Score
from eyechart.rubrics import Rubric
from eyechart.scores import Scoring, score_responses

NOISE = ("Gaussian blur", "Random noise", "Overexposure")
WAYS = ("correct.circular", "correct.blind")
LIKELIHOODS = tuple(f"correct.likelihood-{loss}" for loss in ("prompt", "mean", "sum"))
BUDGET = AskSettings(budget=Budget(tokens=10**9))  # kept only where every answer counts its tokens


def noisy() -> Picture:
    pixels = read_pixels(bundled_photographs()[3])
    grain = np.random.default_rng(1).normal(0, 60, pixels.shape)
    data = io.BytesIO()
    Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(data, "PNG")
    return Picture(data=data.getvalue(), name="noisy.png")


PICTURE = noisy()


def question(
    options: tuple[str, ...] = NOISE, kind: Kind = "single", answer: str = "Random noise"
) -> Item:
    return Item("7", kind, "What degrades this image most?", (PICTURE,), options, answer=answer)


def all_responses(model: str, requests: Iterable[Request]) -> list[Response]:
    return list(ask(requests, plugins.open_model(model), settings=BUDGET))


def responses(model: str, requests: Iterable[Request]) -> dict[str, Response]:
    """The responses by variant."""
    return {response.variant: response for response in all_responses(model, requests)}


def scores(model: str, item: Item, **form: object) -> dict[str, Score]:
    """The scores by name, of an item asked in all ways."""
    requests = answer_requests([item], form=PromptForm(also=ALSO, **form))  # type: ignore[arg-type]
    found = responses(model, requests)
    return {s.name: s for s in score_responses([item], found.values(), Scoring(also=ALSO))}


@pytest.mark.parametrize("form", SINGLE_FORMS)
def test_signal_is_right_in_every_form_rotation_and_likelihood_but_not_blind(form: str) -> None:
    found = scores("signal", question(), single=form)
    assert found["correct"].extracted == "B"
    assert [found[name].value for name in ("correct", "correct.circular")] == [1.0, 1.0]
    assert [found[name].value for name in LIKELIHOODS] == [1.0, 1.0, 1.0]
    assert (found["correct.blind"].value, found["correct.blind"].why) == (None, "unparsed")


def test_signal_says_that_it_cannot_tell_where_it_sees_nothing() -> None:
    for item in (question(), question(("No", "Yes"), answer="Yes"), question((), "true_false")):
        found = responses("signal", answer_requests([item], form=PromptForm(also=("blind",))))
        assert found["blind"].text == CANNOT_TELL


def test_signal_chooses_the_same_one_of_equals_in_whatever_order_they_come() -> None:
    item = question(("A grainy picture", "Random noise", "Noisy shadows", "Overexposure"))
    chosen = set()
    for by in range(4):
        turned = rotated(item, by)
        (reply,) = responses("signal", answer_requests([turned])).values()
        place = parse_single(reply.text or "", turned.options).value
        assert place is not None
        chosen.add(turned.options[place])
    assert chosen == {"A grainy picture"}


def test_signal_tells_no_likelihood_where_its_meters_cannot_tell() -> None:
    found = scores("signal", question(("Wood", "Steel"), answer="Wood"))
    for name in LIKELIHOODS:
        assert (found[name].value, found[name].why) == (None, "unparsed")


@pytest.mark.parametrize("form", SINGLE_FORMS)
def test_guess_chooses_every_option_in_every_form(form: str) -> None:
    item = question()
    (request,) = answer_requests([item], form=PromptForm(single=form))
    drawn = [Request("7", "answer", request.turns, draw=draw) for draw in range(60)]
    places = Counter(
        parse_single(response.text or "", item.options).value
        for response in all_responses("guess", drawn)
    )
    assert set(places) == {0, 1, 2}
    assert min(places.values()) > 5


def test_guess_is_scored_in_every_way() -> None:
    found = scores("guess", question())
    for name in ("correct", *WAYS, *LIKELIHOODS):
        assert found[name].value in (0.0, 1.0)
    assert len({found[name].extracted for name in LIKELIHOODS}) == 1


def test_guess_finds_each_text_the_likeliest_now_and_then() -> None:
    requests = answer_requests([question()], form=PromptForm(also=("likelihood",)))
    *_, likely = requests
    drawn = [
        Request("7", "answer", likely.turns, want=likely.want, draw=draw) for draw in range(60)
    ]
    best = Counter(
        max(range(3), key=lambda i: response.logprobs[i] or -99.0)
        for response in all_responses("guess", drawn)
    )
    assert set(best) == {0, 1, 2}
    assert min(best.values()) > 5


@pytest.mark.parametrize("model", ["guess", "signal"])
@pytest.mark.parametrize("rate", ["begun", "one-word"])
def test_ratings_are_scored_by_every_strategy(model: str, rate: str) -> None:
    item = Item("7", "rate", "Rate the quality of the image.", (PICTURE,))
    strategies = ("softmax", "word-sets", "argmax", "five-level", "number", "sampling")
    form = PromptForm(rate=rate, strategies=strategies, n_samples=4)
    found = all_responses(model, answer_requests([item], form=form))
    for score in score_responses([item], found, Scoring(strategies=strategies)):
        assert score.value is not None
        assert 0.0 <= score.value <= (0.5 if model == "signal" else 1.0)


@pytest.mark.parametrize("template", ["judge_choice", "judge_completeness", "judge_relevance"])
def test_guess_judges_with_every_score_that_it_may_give_and_no_other(template: str) -> None:
    most = 1 if template == "judge_choice" else 2
    item = question()
    reply = Response("7", "answer", 0, "", "m", text="Score: 0, 1 or 2\nScore: 0, 1, 2 or 3")
    rubrics = {"single": (Rubric("correct.judged", template, most),)}
    (request, *_) = judge_requests({"7": item}, [reply], rubrics=rubrics)
    drawn = [Request("7", "judge", request.turns, draw=draw) for draw in range(60)]
    given = {
        parse_verdict(response.text or "", 0, most).value
        for response in all_responses("guess", drawn)
    }
    assert given == set(range(most + 1))
