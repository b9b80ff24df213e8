"""One item as a plain row of a table, and back: the schema of `metadata.jsonl` in one place.

In: a row (a dictionary) and its pictures. Out: an `Item`, or a `RowProblem` that says what is
wrong with it. Reads and writes no files.

The columns have one type each, as Arrow needs: `answer` is text (`True`/`False` too) and multiple
choice has `answers`, a list. On reading, a list or a JSON true/false in `answer` does as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from eyechart.records import KINDS, FacetValue, Item, Kind, Picture

RATE_QUESTION = "Rate the quality of the image."
OWN_COLUMNS = frozenset(
    ["id", "kind", "question", "options", "answer", "answers", "mos", "source", "licence", "images"]
)
MAX_IMAGES = 8
TRUTH = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row: where it is, which field, and what was expected there."""

    where: str
    field: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: expected {self.expected}"


class _Bad(Exception):
    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, expected)
        self.field, self.expected = field, expected


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: its values by column, where it stands, and its pictures in order."""

    values: Mapping[str, Any]
    where: str
    images: tuple[Picture, ...] = ()


def item_of_row(row: Row) -> Item | RowProblem:
    """The item that a row holds, or what is wrong with the row."""
    values = {column: value for column, value in row.values.items() if value is not None}
    try:
        if len(row.images) > MAX_IMAGES:
            raise _Bad("images", f"at most {MAX_IMAGES} of them, not {len(row.images)}")
        kind = _kind(values)
        options = _options(values, kind)
        return Item(
            id=_text(values, "id", needed=True),
            kind=kind,
            question=_question(values, kind),
            images=row.images,
            options=options,
            answer=_answer(values, kind, options),
            facets=_facets(values),
            source=_text(values, "source"),
            licence=_text(values, "licence"),
            mos=_number(values, "mos"),
        )
    except _Bad as bad:
        name = values.get("id")
        where = f"{row.where} (item {name})" if name is not None else row.where
        return RowProblem(where, bad.field, bad.expected)


def row_of_item(item: Item, facets: Iterable[str] = ()) -> dict[str, Any]:
    """The row of an item without its id and files; `facets` lists columns that must be there."""
    several = list(item.answer) if isinstance(item.answer, tuple) else None
    answer = None if isinstance(item.answer, tuple) else item.answer
    return {
        "kind": item.kind,
        "question": item.question,
        "options": list(item.options) or None,
        "answer": str(answer) if isinstance(answer, bool) else answer,
        "answers": several,
        "mos": item.mos,
        "source": item.source,
        "licence": item.licence,
        **dict.fromkeys(facets),
        **item.facets,
    }


def misfit(values: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> str:
    """The first value that has none of its types, in words; "" where all fit or are absent.

    >>> misfit({"n_items": True}, {"n_items": (int,)})
    'n_items: expected int, not True'
    """
    for name, kinds in types.items():
        value = values.get(name)
        fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        if name in values and not fits:
            expected = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
            return f"{name}: expected {expected}, not {value!r:.80}"
    return ""


def _kind(values: Mapping[str, Any]) -> Kind:
    default = "rate" if "mos" in values and "question" not in values else None
    kind = values.get("kind", default)
    if kind not in KINDS:
        raise _Bad("kind", f"one of {', '.join(KINDS)}, not {kind!r}")
    return cast(Kind, kind)


def _question(values: Mapping[str, Any], kind: Kind) -> str:
    if kind == "rate":
        return _text(values, "question") or RATE_QUESTION
    return _text(values, "question", needed=True)


def _options(values: Mapping[str, Any], kind: Kind) -> tuple[str, ...]:
    options = values.get("options") or ()
    if kind not in ("single", "multiple"):
        return ()
    if not isinstance(options, (list, tuple)) or not all(isinstance(o, str) for o in options):
        raise _Bad("options", f"a list of texts, not {options!r}")
    if not 2 <= len(options) <= 26:
        raise _Bad("options", f"2 to 26 of them, not {len(options)}")
    if len(set(options)) < len(options):
        raise _Bad("options", f"texts that differ, not {options!r}")
    return tuple(options)


def _answer(
    values: Mapping[str, Any], kind: Kind, options: tuple[str, ...]
) -> str | tuple[str, ...] | bool | None:
    answer = values.get("answers") if kind == "multiple" else None
    answer = values.get("answer") if answer is None else answer
    if answer is None or kind == "rate":
        return None
    if kind == "true_false":
        truth = answer if isinstance(answer, bool) else TRUTH.get(str(answer).strip().lower())
        if truth is None:
            raise _Bad("answer", f"true or false, not {answer!r}")
        return truth
    if kind == "multiple":
        return _several(answer, options)
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, str):
        raise _Bad("answer", f"a text, not {answer!r}")
    if kind == "single" and answer not in options:
        raise _Bad("answer", f"one of the options {list(options)!r}, not {answer!r}")
    return answer


def _several(answer: Any, options: tuple[str, ...]) -> tuple[str, ...]:
    answers = [answer] if isinstance(answer, str) else answer
    if not isinstance(answers, (list, tuple)) or not answers:
        raise _Bad("answers", f"a list of at least one option, not {answer!r}")
    for one in answers:
        if one not in options:
            raise _Bad("answers", f"only options of {list(options)!r}, not {one!r}")
    if len(set(answers)) < len(answers):
        raise _Bad("answers", f"each option once, not {answers!r}")
    return tuple(option for option in options if option in answers)


def _facets(values: Mapping[str, Any]) -> dict[str, FacetValue]:
    facets = {column: value for column, value in values.items() if column not in OWN_COLUMNS}
    for column, value in facets.items():
        if not isinstance(value, (str, int, float, bool)):
            raise _Bad(column, f"a text, a number or true/false, not {value!r}")
        if isinstance(value, int) and not _is_finite(value):
            raise _Bad(column, "a number below 1.8e308 in size")
    return facets


def _text(values: Mapping[str, Any], column: str, *, needed: bool = False) -> str:
    value = values.get(column, "")
    if isinstance(value, int) and column == "id":
        value = str(value)
    if not isinstance(value, str) or (needed and not value.strip()):
        raise _Bad(column, f"a text, not {value!r}")
    if column == "id" and any("\ud800" <= character <= "\udfff" for character in value):
        raise _Bad(column, f"a text of whole characters, not {value!r}")
    return value


def _number(values: Mapping[str, Any], column: str) -> float | None:
    value = values.get(column)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
        raise _Bad(column, f"a finite number, not {value!r:.80}")
    return float(value)


def _is_finite(number: float) -> bool:
    """Whether it is finite as a float; a whole number of 400 digits is not."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
