"""What the embedded models read out of a prompt, in every form in circulation."""

from __future__ import annotations

import pytest

from eyechart.backends.asked import Ask, one_token_each, read_ask
from eyechart.prompts import SINGLE_FORMS, PromptForm, answer_requests
from eyechart.records import LETTERS, Item, Likelihood

OPTIONS = ("A little blurry", "Noise, i.e. B. grain", "Too dark")


def said(item: Item, **form: object) -> list[str]:
    """What each request of an item says, without its pictures."""
    requests = answer_requests([item], form=PromptForm(**form))  # type: ignore[arg-type]
    return ["\n".join(str(part) for part in request.turns[-1].parts) for request in requests]


@pytest.mark.parametrize("form", SINGLE_FORMS)
def test_every_form_of_a_single_choice_has_the_same_question_and_options(form: str) -> None:
    options = ("A little blurry", "Noise (grain)", "Too dark")
    item = Item("1", "single", "What is wrong here?", (), options)
    [prompt] = said(item, single=form)
    assert read_ask(prompt) == Ask("What is wrong here?", options)


def test_options_on_one_line_begin_after_a_colon_and_go_on_in_order() -> None:
    line = "Is plan A. better? Choose between one of the following options:"
    assert read_ask(f"{line} A. Yes B. No: D. is C. Both").options == ("Yes", "No: D. is", "Both")
    assert read_ask("Is plan A. better than plan B. there?").options == ()
    assert read_ask("Choose: A. Only one").options == ()


def test_a_prompt_falls_into_its_parts() -> None:
    ask = read_ask(
        "First image:\nSecond image:\nWhich?\n\n(A) One\n(B) Two\n\nChoose all that apply."
    )
    assert ask.options == ("One", "Two")
    assert ask.several
    assert ask.question.startswith("Which?")
    statement = read_ask(
        "Is the following statement true or false?\n\nIt is dark.\n\nAnswer True or False."
    )
    assert statement == Ask("It is dark.", ("True", "False"), in_words=True)
    assert read_ask("B. Not the first letter").options == ()


def test_as_many_options_as_there_are_letters_are_read() -> None:
    lines = "\n".join(f"{letter}. option {letter}" for letter in LETTERS)
    assert len(read_ask(f"Which?\n{lines}\nZ. one more").options) == 26
    inline = " ".join(f"{letter}. option {letter}" for letter in LETTERS)
    assert len(read_ask(f"Which? Choose: {inline}").options) == 26


def test_the_question_without_its_options_is_the_question() -> None:
    item = Item("1", "single", "What is wrong here?", (), OPTIONS)
    plain, likely = said(item, also=("likelihood",))
    assert read_ask(likely) == Ask("What is wrong here?")
    assert read_ask(plain).options == OPTIONS


def test_ratings_in_words_and_numbers_are_told_apart() -> None:
    item = Item("1", "rate", "Rate the quality of the image.", ())
    number, sampled, *_ = said(item, strategies=("number", "sampling:fine/bad"))
    assert read_ask(number).in_number
    assert read_ask(sampled).options == ("fine", "bad")
    assert read_ask(sampled).in_words
    [levels] = said(item, strategies=("five-level",), rate="one-word")
    assert read_ask(levels).options == ("excellent", "good", "fair", "poor", "bad")


def test_without_a_tokenizer_each_text_is_one_token() -> None:
    assert one_token_each(("a b", "c")) == Likelihood((1, 1), 0.0, 1)
