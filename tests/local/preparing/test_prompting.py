"""From calls to ready calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.local.tiny_processors import asked, load_stubborn, other_processors, shown
from tokenizers import pre_tokenizers

from eyechart.asking.backend import Call
from eyechart.errors import Fatal, Refused
from eyechart.images import Encoded
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.pieces import Ready
from eyechart.local.preparing import prompting
from eyechart.local.preparing.decoding import decoded
from eyechart.local.preparing.pictures import Eye
from eyechart.local.preparing.prompting import Prompter
from eyechart.local.preparing.roads import whole_inputs
from eyechart.records import likelihood, next_word

NAME = "hf:tiny"
FOLDERS = ("qwen_folder", "idefics_folder")


@pytest.fixture(params=FOLDERS)
def processor(request: pytest.FixtureRequest) -> Any:
    return load_processor(request.getfixturevalue(request.param))


def ready(prompter: Prompter, processor: Any, call: Call) -> Ready:
    eye = Eye(processor, prompter.road)
    if prompter.road.way == "written":
        return prompter.ready(call, eye.see(call.images) if call.images else None)
    return prompter.ready_whole(call, eye.see_whole(call.images, prompter.rendered(call.request)))


def test_a_ready_call_has_the_processors_own_tokens_and_rows(processor: Any) -> None:
    prompter = Prompter(processor, NAME)
    for call in (
        asked(shown(1), "Is it sharp?"),
        asked(shown(1), "or ", shown(2, 40, 90), "?", begun="The first is", want=next_word("A")),
        asked("Is this <image> or <|image_pad|>?"),
    ):
        made = ready(prompter, processor, call)
        text = prompter.rendered(call.request)
        own = whole_inputs(processor, text, [decoded(image) for image in call.images])
        assert made.ids == own.ids and made.rows == own.rows
        assert made.request is call.request


def test_every_family_has_its_own_tokens_and_rows(idefics_folder: Path) -> None:
    for processor in other_processors(idefics_folder).values():
        prompter = Prompter(processor, NAME)
        call = asked(shown(1, 90, 30), "or ", shown(2), "?", begun="It is", want=next_word("A"))
        made = ready(prompter, processor, call)
        text = prompter.rendered(call.request)
        own = whole_inputs(processor, text, [decoded(image) for image in call.images])
        assert made.ids == own.ids and made.rows == own.rows
        assert processor.tokenizer.decode(made.targets[0]) == " A"


def questions(image: Encoded) -> list[Call]:
    """Of one picture, which begin in all ways; the last one's prompt ends with the picture."""
    texts = ("Is it?", "Is it so?", " Is it?", "\nIs it?", "\n\n is", "1.", ".", "é", "\u0301e")
    want = next_word("A", "B")
    return [*(asked(image, text, begun="It is", want=want) for text in texts), asked(image)]


def check_own(processor: Any, prompter: Prompter, call: Call) -> None:
    made = ready(prompter, processor, call)
    text = prompter.rendered(call.request)
    own = whole_inputs(processor, text, [decoded(image) for image in call.images])
    assert made.ids == own.ids and made.rows == own.rows
    assert [processor.tokenizer.decode(t) for t in made.targets] in ([" A", " B"], [])


def test_all_questions_of_a_picture_have_the_processors_own_tokens(
    processor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompting, "MOST_KEPT", 1)
    prompter = Prompter(processor, NAME)
    assert prompter.road.splits
    for call in questions(shown(1)) * 2 + questions(shown(2, 40, 90)):
        check_own(processor, prompter, call)


def test_a_template_that_ends_with_a_picture_has_the_processors_own_tokens(
    processor: Any,
) -> None:
    processor.chat_template = processor.chat_template.partition("{% if add_gen")[0].replace(
        "<|im_end|>\n" if "<|im_end|>" in processor.chat_template else "<end_of_utterance>\n", ""
    )
    processor.chat_template = processor.chat_template.replace("<|vision_end|>", "")
    prompter = Prompter(processor, NAME)
    assert prompter.rendered(asked(shown(1)).request).endswith(processor.image_token)
    check_own(processor, prompter, asked(shown(1)))


def test_a_tokenizer_that_treats_a_texts_start_in_another_way_gets_whole_prompts(
    processor: Any,
) -> None:
    """As those of SentencePiece, which put a blank before the first word alone."""
    inner = processor.tokenizer.backend_tokenizer
    first = pre_tokenizers.Metaspace(replacement="A", prepend_scheme="first")
    inner.pre_tokenizer = pre_tokenizers.Sequence([first, inner.pre_tokenizer])
    prompter = Prompter(processor, NAME)
    assert prompter.road.way == "written" and not prompter.road.splits
    for call in (asked(shown(1), text) for text in ("Is it?", " Is it?")):
        check_own(processor, prompter, call)


def test_pictures_pin_all_tokens_up_to_their_last(processor: Any) -> None:
    prompter = Prompter(processor, NAME)
    made = ready(prompter, processor, asked("Of ", shown(1), "and ", shown(2), "which?"))
    rest = processor.tokenizer.decode(made.ids[made.n_pinned :])
    assert made.ids[made.n_pinned - 1] == processor.image_token_id
    assert "which?" in rest and "and" not in rest
    assert ready(prompter, processor, asked("Is it?")).n_pinned == 0


def test_a_whole_prompt_is_pinned_where_pictures_cannot_be_told(qwen_folder: Path) -> None:
    processor = load_stubborn(qwen_folder)
    prompter = Prompter(processor, NAME)
    call = asked(shown(1), "Is it?")
    whole = Eye(processor, prompter.road).see_whole(call.images, prompter.rendered(call.request))
    picture = processor.image_token_id
    unknown = replace(whole, ids=tuple(9 if token == picture else token for token in whole.ids))
    assert prompter.ready_whole(call, unknown).n_pinned == len(whole.ids)


def test_a_stubborn_processors_calls_are_ready_too(qwen_folder: Path) -> None:
    processor = load_stubborn(qwen_folder)
    prompter = Prompter(processor, NAME)
    call = asked(shown(1), "Is it?", begun="It is", want=likelihood("good", "poor"))
    made = ready(prompter, processor, call)
    told = processor.tokenizer.decode(made.ids)
    assert told.startswith("Well. ") and told.endswith("It is")
    assert [processor.tokenizer.decode(target) for target in made.targets] == [" good", " poor"]
    assert made.seen is not None and made.rows.keys() == {"mm_token_type_ids"}
    assert ready(prompter, processor, asked("Is it?")).seen is None


def test_a_seed_is_of_what_is_asked_and_of_the_draw(processor: Any) -> None:
    prompter = Prompter(processor, NAME)
    calls = [
        asked(shown(1), "Is it?"),
        asked(shown(1), "Is it?", draw=1),
        asked(shown(2), "Is it?"),
        asked(shown(1), "Is it so?"),
    ]
    seeds = [ready(prompter, processor, call).seed for call in calls]
    assert len(set(seeds)) == 4 and all(0 <= seed < 2**63 for seed in seeds)
    other_item = asked(shown(1), "Is it?", item="2")
    assert ready(Prompter(processor, NAME), processor, other_item).seed == seeds[0]


@pytest.mark.parametrize(
    ("want", "more"), [(next_word("A"), 1), (likelihood("A B C D"), 4), (None, 1)]
)
def test_a_prompt_over_the_context_is_refused_with_its_numbers(
    qwen_folder: Path, want: Any, more: int
) -> None:
    processor = load_processor(qwen_folder)
    call = asked(shown(1, 64, 64), "Is it?", begun="It is", item="q7")
    if want is not None:
        call = replace(call, request=replace(call.request, want=want))
    n = len(ready(Prompter(processor, NAME), processor, call).ids)
    assert ready(Prompter(processor, NAME, n + more), processor, call)
    with pytest.raises(Refused) as caught:
        ready(Prompter(processor, NAME, n + more - 1), processor, call)
    assert str(caught.value) == (
        f"hf:tiny: item 'q7': its prompt has {n} tokens, 16 of them for pictures, and {more} more "
        f"must follow, but the model takes at most {n + more - 1}. Make the pictures smaller with "
        "--max-pixels, or the prompt shorter"
    )


def test_a_word_that_is_not_one_token_is_told_of_its_item(processor: Any) -> None:
    call = asked("Is it?", begun="It is", want=next_word("excellent", "excessive"), item="q7")
    with pytest.raises(Refused, match=r"^hf:tiny: item 'q7': the tokenizer splits 'excellent'"):
        ready(Prompter(processor, NAME), processor, call)


def test_a_processor_that_takes_nothing_is_fatal(qwen_folder: Path) -> None:
    processor = load_processor(qwen_folder)
    processor.image_processor.size = None
    with pytest.raises(
        Fatal, match=r"cannot take even a made picture and question \(.*Is its fold"
    ):
        Prompter(processor, NAME)


def test_a_processor_that_takes_one_picture_is_tried_with_one(qwen_folder: Path) -> None:
    processor = load_processor(qwen_folder)
    kind = type(processor)

    def call(self: Any, images: Any = None, **given: Any) -> Any:
        if images is not None and len(images[0]) > 1:
            raise ValueError("one picture at a time")
        return kind.__call__(self, images=images, **given)

    processor.__class__ = type("Single", (kind,), {"__call__": call})
    assert Prompter(processor, NAME).road.way == "written"
