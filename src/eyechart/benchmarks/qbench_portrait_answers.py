"""The options and the right answer of a row of Q-Bench-Portrait's data, in all their forms.

In: a row by our names. Out: options without letters of their own; the right answer as an `Item` has
it; or a `BadField` that says what was expected. Knows no facet and no image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eyechart.listed_records import BadField
from eyechart.records import LETTERS

N_OPTIONS = 4
RIGHT_ANSWER = "what is right: an option or its letter, True or False, or a reference text"
_LETTERED = re.compile(r"\(?([A-Z])[).:]\s*(\S.*)", re.DOTALL)


def is_empty(value: Any) -> bool:
    """Whether a value tells nothing: null or a blank text.

    >>> is_empty(None), is_empty(" "), is_empty(0)
    (True, True, False)
    """
    return value is None or (isinstance(value, str) and not value.strip())


def lacking(expected: str) -> str:
    """What is expected of a row that has nothing of it."""
    return f"{expected}; the row has none"


def options_of(values: Mapping[str, Any], kind: str | None) -> tuple[str, ...]:
    """The options, without their own letters before them; () for a question without.

    Empty ones at the end do not count. Raises BadField where there are none, or one is no text.
    """
    given = values.get("options")
    if kind not in ("single", "multiple", "true_false"):
        return ()
    if isinstance(given, dict):
        letters = {str(key).strip().upper(): text for key, text in given.items()}
        n_letters = max(map(LETTERS.find, letters), default=-1) + 1
        given = [letters.get(letter) for letter in LETTERS[:n_letters]]
    texts = list(given) if isinstance(given, (list, tuple)) else []
    while texts and is_empty(texts[-1]):
        texts.pop()
    if kind == "true_false" and not texts and _is_blank(given):
        return ()
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        wanted, told = "a list of texts, or a text for each letter", values.get("options")
        raise BadField("options", f"{wanted}; not {told!r:.120}" if told else lacking(wanted))
    return _without_letters([text.strip() for text in texts])


def _is_blank(given: Any) -> bool:
    """Nothing is given, or a list of which nothing is left."""
    return isinstance(given, list) or is_empty(given)


def _without_letters(options: Sequence[str]) -> tuple[str, ...]:
    """The options as they are, or bare where each begins with its own letter ("A. Blur")."""
    found = [_LETTERED.fullmatch(option) for option in options]
    bare = [
        match[2]
        for match, letter in zip(found, LETTERS, strict=False)
        if match and match[1] == letter
    ]
    return tuple(bare if len(bare) == len(options) else options)


def unfit(options: Sequence[str] | None) -> Iterator[BadField]:
    """What is wrong with the options of a choice."""
    if options is None:
        return
    if len(options) != N_OPTIONS:
        yield BadField("options", f"{N_OPTIONS} options, as the paper has it, not {len(options)}")
    first: dict[str, str] = {}
    for option in options:
        if (key := _folded(option)) in first:
            yield BadField("options", f"options that differ, not {first[key]!r} and {option!r}")
        first.setdefault(key, option)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def answer_of(
    values: Mapping[str, Any], kind: str | None, options: tuple[str, ...]
) -> str | tuple[str, ...] | bool | None:
    """The right answer as an item of this kind has it; None where the kind is not known.

    Empty ones in a list do not count. Raises BadField where there is none, or it is no answer.
    """
    answer = values.get("answer")
    if answer is None:
        raise BadField("answer", lacking(RIGHT_ANSWER))
    if kind is None:
        return None
    if isinstance(answer, (list, tuple)):
        answer = [one for one in answer if not is_empty(one)]
        if len(answer) == 1 and kind != "multiple":
            (answer,) = answer
    if kind == "multiple":
        return _several(answer, options)
    if kind == "true_false":
        return _truth(answer, options)
    if not isinstance(answer, str):
        raise BadField("answer", f"a text, not {answer!r:.120}")
    if kind == "single":
        return _one(answer, options)
    return answer.strip()


def _truth(answer: Any, options: tuple[str, ...]) -> bool:
    chosen = _chosen(answer, options) if isinstance(answer, str) else None
    text = str(chosen or answer).strip().casefold() if isinstance(answer, (str, bool)) else ""
    if text not in ("true", "false"):
        raise BadField("answer", f"True or False, not {answer!r:.80}")
    return text == "true"


def _one(answer: str, options: tuple[str, ...]) -> str:
    chosen = _chosen(answer, options)
    if chosen is None:
        letters = f"its letter (A to {LETTERS[len(options) - 1]})"
        raise BadField("answer", f"one of {list(options)!r} or {letters}, not {answer!r:.120}")
    return chosen


def _several(answer: Any, options: tuple[str, ...]) -> tuple[str, ...]:
    """The right options of a multiple choice: a list, one option, or a text of several letters."""
    parts = answer if isinstance(answer, (list, tuple)) else _parts(answer, options)
    if not parts:
        raise BadField("answer", lacking("at least one right option"))
    chosen = [_one(part, options) if isinstance(part, str) else None for part in parts]
    if None in chosen:
        raise BadField("answer", f"a list of options or their letters, not {answer!r:.120}")
    if len(set(chosen)) < len(chosen):
        raise BadField("answer", f"each right option once, not {answer!r:.120}")
    return tuple(option for option in options if option in chosen)


def _parts(answer: Any, options: tuple[str, ...]) -> Sequence[Any]:
    """The options that a text names: "A, C", "AC", "Blur; Noise", or one that has commas itself."""
    if not isinstance(answer, str) or _chosen(answer, options):
        return (answer,)
    if re.fullmatch("[A-Z]{2,}", answer.strip()):
        return tuple(answer.strip())
    return [part for part in re.split(r"[,;/|&\n]|\band\b", answer) if part.strip()]


def _chosen(answer: str, options: Sequence[str]) -> str | None:
    """The option that a text is, or has the letter of ("B", "(b)", "B. Blur"); None for neither."""
    by_text = {_folded(option): option for option in reversed(options)}
    if (option := by_text.get(_folded(answer))) is not None:
        return option
    bare = _LETTERED.fullmatch(answer.strip())
    letter = bare[1] if bare else answer.strip(" ().:").upper()
    place = LETTERS.find(letter) if len(letter) == 1 else -1
    if not 0 <= place < len(options):
        return None
    return None if bare and _folded(bare[2]) != _folded(options[place]) else options[place]
