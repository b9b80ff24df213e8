"""The content key: what enters it and what does not."""

from __future__ import annotations

import dataclasses

import pytest

from eyechart.asking.key import canonical, key_of
from eyechart.records import TEXT, Picture, Request, Sampling, Turn, next_word

PICTURE = Picture(data=b"x", name="a.png")
REQUEST = Request("1", "answer", (Turn("user", (PICTURE, "Is it sharp?")),))


def key(request: Request, model: str = "m", revision: str = "1", digest: str = "d") -> bytes:
    return key_of(canonical(request, model, revision, [digest]))


@pytest.mark.parametrize(
    "change",
    [
        {"turns": (Turn("user", (PICTURE, "Is it blurred?")),)},
        {"turns": (Turn("user", ("Is it sharp?", PICTURE)),)},
        {"turns": (Turn("system", (PICTURE, "Is it sharp?")),)},
        {"begun": "It is"},
        {"sampling": Sampling(temperature=1.0)},
        {"sampling": Sampling(max_tokens=7)},
        {"want": next_word("good", "poor")},
        {"draw": 1},
    ],
)
def test_whatever_changes_the_question_changes_the_key(change: dict[str, object]) -> None:
    assert key(dataclasses.replace(REQUEST, **change)) != key(REQUEST)  # type: ignore[arg-type]


def test_model_revision_and_picture_enter_the_key() -> None:
    keys = {key(REQUEST), key(REQUEST, "n"), key(REQUEST, "m", "2"), key(REQUEST, "m", "1", "e")}
    assert len(keys) == 4


@pytest.mark.parametrize("change", [{"item_id": "2"}, {"role": "judge"}])
def test_item_and_role_do_not_enter_the_key(change: dict[str, object]) -> None:
    assert key(dataclasses.replace(REQUEST, **change)) == key(REQUEST)  # type: ignore[arg-type]


def test_the_name_of_the_file_does_not_enter_the_key() -> None:
    renamed = Turn("user", (Picture(data=b"x", name="b.png"), "Is it sharp?"))
    assert key(dataclasses.replace(REQUEST, turns=(renamed,))) == key(REQUEST)


def test_the_form_of_the_key_is_fixed() -> None:
    """A change here orphans every call log there is: raise FORM and say so in the CHANGELOG."""
    assert REQUEST.want == TEXT
    expected = '[1,"m","1",[["user",["d"],"Is it sharp?"]],"",[0.0,null,4096],["text"],0]'
    assert canonical(REQUEST, "m", "1", ["d"]) == expected
