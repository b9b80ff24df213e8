"""What replies mean: a table of them, and rules that hold for any text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.parse import (
    Parsed,
    parse_multiple,
    parse_single,
    parse_true_false,
    parse_verdict,
    strip_reasoning,
)
from eyechart.replies.naming import LETTERS

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "parse_cases.jsonl").read_text("utf-8").splitlines()
]
OPTIONS = ["Blur", "Noise", "JPEG compression", "Overexposure"]


def read(kind: str, reply: str, options: list[str]) -> Parsed[Any]:
    if kind == "single":
        return parse_single(reply, options)
    if kind == "multiple":
        return parse_multiple(reply, options)
    return parse_true_false(reply) if kind == "true_false" else parse_verdict(reply)


def meaning(kind: str, parsed: Parsed[Any]) -> str:
    if parsed.value is None:
        return str(parsed.why)
    if kind in ("single", "multiple"):
        indices = [parsed.value] if kind == "single" else parsed.value
        return "".join(LETTERS[i] for i in indices)
    return str(parsed.value)


@pytest.mark.parametrize("case", CASES, ids=[f"{c['kind']}: {c['reply'][:40]!r}" for c in CASES])
def test_the_reply_means_what_the_table_says(case: dict[str, Any]) -> None:
    parsed = read(case["kind"], case["reply"], case.get("options", []))
    assert meaning(case["kind"], parsed) == case["means"], parsed


def test_the_table_is_long_enough_to_be_worth_its_name() -> None:
    assert len(CASES) >= 500
    assert {case["means"] for case in CASES} >= {"unparsed", "refused", "A", "B", "True", "2"}


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=6))
def test_no_text_makes_a_parser_raise_and_an_unscored_reply_has_no_value(
    reply: str, options: list[str]
) -> None:
    for kind in ("single", "multiple", "true_false", "verdict"):
        parsed = read(kind, reply, options)
        assert (parsed.value is None) == (parsed.why is not None) == bool(parsed.detail)
    single, several = parse_single(reply, options), parse_multiple(reply, options)
    assert single.value is None or 0 <= single.value < len(options)
    assert several.value is None or list(several.value) == sorted({*several.value})
    assert several.value is None or several.value


WORDS = st.lists(
    st.sampled_from(
        ["a", "the", "not", "no", "very", "B", "or", "and", "blurry", "sharp", ".", ","]
    )
)


@given(
    WORDS.map(" ".join), st.lists(st.sampled_from(["blurry", "sharp", "very blurry"]), max_size=4)
)
def test_replies_made_of_awkward_words_do_not_raise(reply: str, options: list[str]) -> None:
    for kind in ("single", "multiple", "true_false", "verdict"):
        read(kind, reply, options)


@given(st.lists(st.text(min_size=1, max_size=30), min_size=2, max_size=8), st.data())
def test_a_letter_with_its_own_text_is_that_option(options: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(options) - 1))
    reply = f"{LETTERS[index]}. {options[index]}"
    assert parse_single(reply, options).value == index
    assert parse_multiple(reply, options).value == (index,)


@given(st.integers(0, 7), st.sampled_from(["{}", "({})", "{}.", "{})", "**{}**", "Answer: {}"]))
def test_a_letter_alone_is_that_option_or_beyond_them(index: int, form: str) -> None:
    parsed = parse_single(form.format(LETTERS[index]), OPTIONS)
    assert parsed.value == (index if index < len(OPTIONS) else None)


LONG = {
    "letters": "A " * 50_000,
    "listed letters": "A, " * 33_000,
    "letters with stops": "A. " * 33_000,
    "denials": "not " * 25_000,
    "stars": "**" * 50_000,
    "brackets": "(" * 100_000,
    "spaces": "A" + " " * 99_998 + "B",
    "spaces before a number": "Score" + " " * 99_990 + "1",
    "newlines": "B\n" * 50_000,
    "texts": "JPEG compression " * 5_900,
    "texts in lines": "JPEG compression\n" * 5_900,
    "second thoughts": "B. Wait, " * 11_000,
    "closing tags": "</think>B" * 11_000,
    "opening tags": "<think>" * 14_000,
    "open boxes": "\\boxed{A" * 12_000,
    "boxes": "\\boxed{A} " * 10_000,
    "markers": "the answer is " * 7_000,
    "questions": "B? " * 33_000,
    "verdicts": "it is not true " * 6_600,
    "scores": "Score: 1 " * 11_000,
    "digits": "1" * 100_000,
    "refusals": "I can't see " * 8_000,
    "dots": "." * 19_000 + "x",
    "ellipses": "…" * 100_000 + "x",
    "mixed marks": ".!?;" * 4_900 + "x",
    "letters that unfold": "\ufdfa" * 100_000 + "x",
}


@pytest.mark.parametrize("shape", LONG)
@pytest.mark.parametrize("kind", ["single", "multiple", "true_false", "verdict"])
def test_a_reply_of_100000_characters_is_read_to_its_end(kind: str, shape: str) -> None:
    parsed = read(kind, LONG[shape], OPTIONS)
    assert (parsed.value is None) == (parsed.why is not None)


@pytest.mark.parametrize("marks", [".", "..", "...", "…", "?!", "!;"])
def test_a_sentence_ends_at_any_run_of_marks(marks: str) -> None:
    assert parse_single(f"It is soft{marks} Noise{marks} So it is{marks}", OPTIONS).value == 1


@pytest.mark.parametrize("sure", ["Answer: B", "**B**", "\\boxed{B}", "The answer is (B)."])
@pytest.mark.parametrize("padding", [100, 30_000])
def test_a_final_answer_counts_after_a_chain_of_any_length(sure: str, padding: int) -> None:
    reply = "The sky is dark here. " * (padding // 22) + "\n\n" + sure
    assert parse_single(reply, OPTIONS).value == 1


def test_unscored_replies_say_why_in_words() -> None:
    def told(reply: str) -> str:
        return parse_single(reply, OPTIONS).detail

    assert told("") == "the reply is empty"
    assert told("<think>Hm") == "the reasoning was cut off before an answer"
    assert told("A dog") == "names no option"
    assert told("A or B") == "names A and B where one option is wanted"
    assert told("E") == "names E, but there are only 4 options"
    assert told("B. Blur") == "letter B and the text beside it name different options"
    assert told("Anything but B, so C") == "names exceptions"
    assert told("A: 0.1, B: 0.9") == "goes through the options"
    assert told("A. No, it is C.") == "changes its answer"
    assert told("I cannot see the image.") == "declines to answer: 'I cannot see the image'"
    assert parse_multiple("A or B", OPTIONS).detail == "names alternatives and does not decide"
    assert told("B. Noise: no") == "denies B, the option it begins with"
    assert parse_multiple("Options:\nA. Blur\nB. Haze", OPTIONS).detail == "repeats the options"
    assert parse_multiple("Options B to D", OPTIONS).detail == "names a range of options"
    assert parse_multiple("High", ["high.", "HIGH"]).detail == "fits more than one option"
    assert parse_true_false("Maybe").detail == "says neither true nor false"
    assert parse_true_false("It is neither true nor false").detail == "says both true and false"
    assert parse_verdict("3").detail == "says 3, which is not one of 0, 1, 2"
    assert parse_verdict("Score: 8/10").detail == "says 8 out of 10, expected out of 2"
    assert parse_verdict("Score: 1. Score: 2").detail == "gives several scores: 1, 2"
    assert parse_verdict("fine").detail == "gives no score"
    assert parse_verdict("I can't judge this answer").why == "refused"


def test_a_verdict_keeps_to_the_range_it_is_given() -> None:
    assert parse_verdict("Score: 4", low=1, high=5).value == 4
    assert parse_verdict("Score: 4/5", low=1, high=5).value == 4
    assert parse_verdict("Score: 0", low=1, high=5).value is None
    assert [parse_verdict(f"Score: {n}", high=1).value for n in (0, 1, 2)] == [0, 1, None]
    assert parse_verdict("Score: 0 or 1", high=1).detail == "gives several scores: 0, 1"


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("B", "B", ""),
        ("<think>soft</think>B", "B", "soft"),
        ("<think>soft</think>\n\nB", "B", "soft"),
        ("soft</think>B", "B", "soft"),
        ("<think>soft", "", "soft"),
        ("B <think>soft", "B", "soft"),
        ("<think>a<think>b</think>c</think>B", "B", "abc"),
        ("◁think▷soft◁/think▷B", "B", "soft"),
        ("<thinking>one</thinking>B<thinking>two</thinking>", "B", "onetwo"),
        ("[THINK]soft[/THINK]B", "B", "soft"),
    ],
)
def test_thinking_is_parted_from_the_answer(text: str, answer: str, reasoning: str) -> None:
    stripped = strip_reasoning(text)
    assert (stripped.answer, stripped.reasoning) == (answer, reasoning)


@given(st.text(max_size=100))
def test_a_reply_without_thinking_is_all_answer(text: str) -> None:
    if not any(mark in text for mark in "<◁["):
        assert strip_reasoning(text).answer == text.strip()
