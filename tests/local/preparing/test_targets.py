"""Words and texts to tokens, as the tokenizer splits them after a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import AutoTokenizer

from eyechart.errors import Refused
from eyechart.local.preparing.targets import Targets
from eyechart.records import TEXT, Want, likelihood, next_word

PROMPT = "<|im_start|>user\nRate it.<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def tokenizer(qwen_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(qwen_folder)


def targets(tokenizer: Any, begun: str, want: Want) -> list[list[str]]:
    text = PROMPT + begun
    ids = tuple(tokenizer(text)["input_ids"])
    found = Targets(tokenizer).after(text, ids, begun, want)
    return [[tokenizer.decode([token]) for token in target] for target in found]


def test_after_a_begun_answer_a_word_follows_a_blank(tokenizer: Any) -> None:
    want = next_word("good", "poor")
    assert targets(tokenizer, "The quality is", want) == [[" good"], [" poor"]]


@pytest.mark.parametrize("begun", ["", "The quality is ", "1.\n"])
def test_at_the_start_and_after_white_space_it_follows_at_once(tokenizer: Any, begun: str) -> None:
    assert targets(tokenizer, begun, next_word("A", "B")) == [["A"], ["B"]]


def test_a_text_has_all_its_tokens_and_they_spell_it(tokenizer: Any) -> None:
    want = likelihood(" The image is sharp.", "excellent")
    first, second = targets(tokenizer, "I see:", want)
    assert "".join(first) == " The image is sharp." and len(first) > 3
    assert "".join(second) == " excellent" and len(second) > 1


def test_a_text_follows_as_the_tokenizer_splits_the_whole(tokenizer: Any) -> None:
    whole = tokenizer(PROMPT + "The quality is good")["input_ids"]
    ids = tuple(tokenizer(PROMPT + "The quality is")["input_ids"])
    ((good,),) = Targets(tokenizer).after(
        PROMPT + "The quality is", ids, "The quality is", next_word("good")
    )
    assert whole == [*ids, good]


def test_a_word_of_several_tokens_is_its_first_where_that_is_its_own(tokenizer: Any) -> None:
    ((first,), _) = targets(tokenizer, "It is", next_word("excellent", "poor"))
    assert " excellent".startswith(first) and first != " excellent"


def test_a_word_that_its_first_token_does_not_tell_apart_is_refused(tokenizer: Any) -> None:
    with pytest.raises(
        Refused, match=r"splits 'excellent' \(' .*' \+ .*'t'\), and another wanted word begins"
    ):
        targets(tokenizer, "It is", next_word("excellent", "excessive"))


def test_a_word_given_twice_is_no_other_word(tokenizer: Any) -> None:
    first, second = targets(tokenizer, "It is", next_word("excellent", "excellent"))
    assert first == second


def test_a_word_of_nothing_is_refused(tokenizer: Any) -> None:
    for want in (next_word("good", " "), likelihood("")):
        with pytest.raises(Refused, match="'' has no token, so it has no probability"):
            targets(tokenizer, "It is", want)


def test_the_last_added_token_is_found_however_far_from_the_end(tokenizer: Any) -> None:
    found = Targets(tokenizer)
    want = next_word("good")
    for text in (f"{PROMPT}{'It is so. ' * 200}It is", "It is", f"{'<|image_pad|>' * 999}It is"):
        ((good,),) = found.after(text, tuple(tokenizer(text)["input_ids"]), "It is", want)
        assert tokenizer.decode([good]) == " good"


def test_a_text_to_be_written_has_no_targets(tokenizer: Any) -> None:
    assert targets(tokenizer, "", TEXT) == []


def test_what_is_found_once_is_kept_for_other_prompts_of_the_same_end(tokenizer: Any) -> None:
    found = Targets(tokenizer)
    want = next_word("good", "poor")
    ends = [f"{PROMPT.replace('Rate', word)}It is" for word in ("See", "Rate")]
    one, two = (found.after(t, tuple(tokenizer(t)["input_ids"]), "It is", want) for t in ends)
    assert one is two
