"""A model that follows a script, by item and by the way in which it is asked."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest

from eyechart.asking.backend import Answer, Call
from eyechart.backends.scripted import BACKEND, Scripted
from eyechart.errors import BadInput
from eyechart.records import Likelihood, Request, Turn, Want, likelihood, next_word

TEXTS = ("A little blurry", "Noise", "Too dark")


def answer(model: Scripted, item: str = "7", variant: str = "", want: Want | None = None) -> Answer:
    turns = (Turn("user", ("What is wrong here?",)),)
    request = Request(item, "answer", turns, want=want or Want("text"), variant=variant)
    return asyncio.run(model.answer(Call(request)))


@pytest.mark.parametrize(
    ("item", "variant", "expected"),
    [
        ("7", "", "plain"),
        ("7", "blind", "seven blind"),
        ("7", "rotation 1", "plain"),
        ("8", "blind", "any blind"),
        ("8", "rotation 1", "any"),
        ("8", "", "any"),
    ],
)
def test_the_reply_of_an_item_in_a_variant_goes_before_that_of_the_item_and_of_all(
    item: str, variant: str, expected: str
) -> None:
    script = {"7": "plain", "7#blind": "seven blind", "#blind": "any blind", "": "any"}
    assert answer(Scripted(script), item, variant).text == expected


def test_what_the_script_does_not_hold_is_an_empty_reply() -> None:
    assert answer(Scripted({"7#blind": "B"})).text == ""


@pytest.mark.parametrize("reply", ["B", "Noise", "B. Noise", "The answer is noise."])
def test_a_reply_makes_the_text_that_it_names_the_likely_one(reply: str) -> None:
    found = answer(Scripted(reply), want=likelihood(*TEXTS))
    assert found.likelihood == Likelihood((3, 1, 2), 4 * math.log(0.5), 4)
    assert found.logprobs == pytest.approx((3 * math.log(0.1), math.log(0.9), 2 * math.log(0.1)))
    assert found.usage.tokens_out == len(reply.split())


def test_a_longer_text_is_the_likely_one_by_every_loss() -> None:
    long = "a b c d e f g h i j k l m n o p q r s t u v w x y z"
    found = answer(Scripted(long), want=likelihood(long, "Noise"))
    chosen, other = (value or 0.0 for value in found.logprobs)
    lengths = found.likelihood
    assert lengths is not None
    assert lengths.prompt is not None
    assert lengths.n_prompt is not None
    n_long, n_other = lengths.n_tokens
    assert chosen > other
    assert chosen / n_long > other / n_other
    of_both = [
        (lengths.prompt + total) / (lengths.n_prompt + n)
        for total, n in ((chosen, n_long), (other, n_other))
    ]
    assert of_both[0] > of_both[1]


def test_a_reply_that_names_no_text_tells_no_likelihood() -> None:
    for reply in ("", "Noise or too dark", "D"):
        assert answer(Scripted(reply), want=likelihood(*TEXTS)).logprobs == (None, None, None)


def test_a_reply_is_the_likely_next_word() -> None:
    found = answer(Scripted("poor"), want=next_word("good", "poor", "fair"))
    assert found.logprobs == pytest.approx((math.log(0.05), math.log(0.9), math.log(0.05)))


def test_a_file_holds_replies_by_item_and_variant(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    file.write_text(json.dumps({"7": "A", "7#rotation 1": "B"}))
    model = BACKEND.open(f"scripted:{file}")
    assert isinstance(model, Scripted)
    assert [answer(model, variant=v).text for v in ("", "rotation 1", "blind")] == ["A", "B", "A"]


@pytest.mark.parametrize("text", ["[]", '{"7": 1}', "{", ""])
def test_a_file_that_is_no_script_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"replies\.json: expected"):
        BACKEND.open(f"scripted:{file}")
