"""What a prompt asks, for the embedded models: the question, the options, the form of the reply.

The text of a prompt comes in, in any of the forms in circulation; an `Ask` leaves. Nothing is
answered here, and no picture is seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eyechart.records import LETTERS, Likelihood


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, its options in order, and how to reply.

    `several`: more than one option may be right. `in_words`: the reply is an option's own text, as
    of a statement that is true or false; else its letter. `in_number`: a number from 0 to 100.
    """

    question: str
    options: tuple[str, ...] = ()
    several: bool = False
    in_words: bool = False
    in_number: bool = False


_OPTION = re.compile(r"^\s*\(?([A-Z])[.)]\s+(\S.*)$")
_ON_ONE_LINE = re.compile(r":\s+A\. (?=.* B\. )")
_ONE_WORD = re.compile(r"answer with one word: ([^.]+)", re.I)
_NUMBER = re.compile(r"one number from 0\b.*\bto 100\b", re.I)
_STATEMENT = re.compile(r"true or false", re.I)
_SEVERAL = re.compile(r"all that apply|one or more options|letters of all", re.I)
_INSTRUCTION = re.compile(
    r"true or false|^answer (?:with|in|true)|^one or more options|^(?:first|second|third) image:$"
    r"|^options:$",
    re.I,
)
_ANNOUNCED = re.compile(
    r"choose between one of the (?:following options|options as follows)\b:?"
    r"|please select the correct answer from the options above\.?|^question:",
    re.I,
)


def read_ask(text: str) -> Ask:
    r"""The parts of a prompt; options are lettered, on a line each or on one line after a colon.

    >>> ask = read_ask("What is wrong?\n\nA. Blur\nB. Noise\n\nAnswer with the letter alone.")
    >>> ask.question, ask.options
    ('What is wrong?', ('Blur', 'Noise'))
    """
    options: list[str] = []
    question: list[str] = []
    for line in _lines(text):
        found = _OPTION.match(line)
        if found and found[1] == LETTERS[len(options) :][:1]:
            options.append(found[2].strip())
        elif not _INSTRUCTION.search(line):
            question.append(_ANNOUNCED.sub("", line).strip())
    words = () if options else _words(text)
    return Ask(
        question=" ".join(part for part in question if part),
        options=words or tuple(options),
        several=bool(_SEVERAL.search(text)),
        in_words=bool(words),
        in_number=not options and bool(_NUMBER.search(text)),
    )


def one_token_each(texts: Sequence[str]) -> Likelihood:
    """The lengths of texts for a model without a tokenizer: each is one token, as is the prompt.

    The prompt is certain, so that all three losses of likelihood prefer the same text.
    """
    return Likelihood((1,) * len(texts), prompt=0.0, n_prompt=1)


def _lines(text: str) -> list[str]:
    """The lines that are not blank, options on lines of their own."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [part for line in lines for part in _apart(line)]


def _apart(line: str) -> list[str]:
    begin = _ON_ONE_LINE.search(line)
    if begin is None:
        return [line]
    parts, rest = [line[: begin.start() + 1]], line[begin.end() - 3 :]
    for letter in LETTERS[1:]:
        option, mark, after = rest.partition(f" {letter}. ")
        if not mark:
            break
        parts.append(option)
        rest = f"{mark.strip()} {after}"
    return [*parts, rest]


def _words(text: str) -> tuple[str, ...]:
    """The words of which one is the reply."""
    found = _ONE_WORD.search(text)
    if found:
        return tuple(word.strip() for word in re.split(r",| or ", found[1]) if word.strip())
    return ("True", "False") if _STATEMENT.search(text) else ()
