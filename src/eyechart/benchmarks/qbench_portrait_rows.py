"""One row of Q-Bench-Portrait's data: its item, or everything that is wrong with it.

In: a row by the spellings below (a column map has made the others ours), and its embedded picture
or the folders where the one that it names may lie. Out: an `Item` that fits the taxonomy of the
paper, or problems. Of columns that are none of these an item folder's are facets; others are named.

The data set is not public: the spellings are those that such releases use, the values those of the
paper (Wu et al. 2026, arXiv 2601.18346).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from eyechart.benchmarks.qbench_portrait_answers import (
    RIGHT_ANSWER,
    answer_of,
    is_empty,
    lacking,
    options_of,
    unfit,
)
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    DATASETS,
    DIMENSIONS,
    FACETS,
    SCOPES,
    SOURCES,
)
from eyechart.listed_records import BadField, picture_named
from eyechart.records import LETTERS, Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row

_SECOND_IMAGES = ("secondfilename", "image2", "imgpath2", "imagepath2")
_Read = TypeVar("_Read")


@lru_cache(4096)
def _compact(text: str) -> str:
    """What two spellings of one name share: its letters and digits.

    >>> _compact("Question Type") == _compact("question_type")
    True
    """
    return "".join(c for c in text.casefold() if c.isalnum())


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "item id", "question id", "qid"),
    "image": ("image", "file name", "image path", "img path", "image name", "image file", "img"),
    "kind": ("kind", "question type", "question kind", "qtype", "type"),
    "question": ("question", "question text", "query"),
    "options": ("options", "candidates", "choices"),
    "answer": (
        *("answer", "answers", "correct answer", "correct answers", "correct ans"),
        *("correct choice", "correct option", "ground truth", "gt"),
        *("reference answer", "reference"),
    ),
    "image_source": ("image source", "image type", "source"),
    "source_dataset": ("source dataset", "source data set", "dataset", "data set", "dataset name"),
    "dimension": ("dimension", "quality dimension"),
    "concern": ("concern", "sub dimension", "quality concern", "sub category", "subcategory"),
    "scope": ("scope", "question scope", "question focus", "focus", "level"),
    "licence": ("licence", "license"),
}
"""Our name of each column, and the spellings that are read, the first that a row has; capitals,
blanks and signs make no difference."""
NAMES = (*COLUMNS, "file_name", "answers", "source")
"""The names that a column map may give."""
NEEDED = ("image", "kind", "question", "answer", *FACETS)

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "kind": tuple(CODES),
    "image_source": tuple(SOURCES),
    "source_dataset": tuple(DATASETS),
    "dimension": tuple(DIMENSIONS),
    "concern": tuple(concern for concerns in DIMENSIONS.values() for concern in concerns),
    "scope": SCOPES,
}
_ALSO: Mapping[str, Sequence[str]] = {
    "single": ("SC", "single choice", "single choice question", "single choice questions"),
    "multiple": ("MC", "multiple choice", "multiple choice question", "multiple choice questions"),
    "true_false": ("TF", "true or false", "true false question", "true false questions"),
    "open": ("OE", "open ended", "open ended question", "open ended questions"),
    "Technical": ("tech", "technical distortion", "technical distortions"),
    "AIGC": ("AIGC-specific", "AIGC-specific distortions", "AIGC distortions"),
    "Aesthetics": ("aes", "aesthetic"),
    "Color": ("colour",),
    "Artifacts": ("artifact", "artefact", "artefacts"),
    "Semantics": ("semantic",),
    **{scope: (f"{scope} level", f"{scope} question") for scope in SCOPES},
    **{name: (re.sub(r"-?\d+k$", "", name, flags=re.I),) for name in DATASETS},
    **{
        code: (code[:-1], words, words[:-1], words.removesuffix(" images"))
        for code, words in SOURCES.items()
    },
    # No "AI": it is an artistic image in the paper and a generated one to anybody else.
    "AIs": ("artistic images", "artistic image", "artistic"),
}
"""Other spellings of the values."""
_VALUES = {
    column: {_compact(text): name for name in names for text in (name, *_ALSO.get(name, ()))}
    for column, names in _KNOWN.items()
}
_DIMENSION_OF = {concern: name for name, concerns in DIMENSIONS.items() for concern in concerns}

EXPECTED: Mapping[str, str] = {
    "image": "the name of an image, or an embedded one",
    "kind": "one of " + ", ".join(f"{kind} ({code})" for kind, code in CODES.items()),
    "question": "a text",
    "answer": RIGHT_ANSWER,
    "image_source": "one of " + ", ".join(f"{code} ({what})" for code, what in SOURCES.items()),
    **{facet: "one of " + ", ".join(_KNOWN[facet]) for facet in FACETS if facet != "image_source"},
}
"""What is expected in the columns that every row needs."""


def missing(column: str) -> str:
    """What is expected of a row that has nothing in a needed column."""
    return lacking(EXPECTED[column])


@dataclass(frozen=True, slots=True)
class Named:
    """A row's `values` by our names, and those of its `others` columns; neither has empty ones."""

    values: dict[str, Any]
    others: dict[str, Any]


def named(values: Mapping[str, Any]) -> Named:
    """A row by our names; `source` is the image source if nothing else is.

    >>> named({"Question Type": "SC", "source": "NIs", "Candidates": ["a", "b"], "mood": ""}).values
    {'kind': 'SC', 'options': ['a', 'b'], 'image_source': 'NIs'}
    """
    there: dict[str, str] = {}
    for column, value in values.items():
        if not is_empty(value):
            there.setdefault(_compact(column), column)
    read = {
        ours: there[spelling]
        for ours, texts in COLUMNS.items()
        if (spelling := next((s for s in map(_compact, texts) if s in there), None))
    }
    if "source" in there and there["source"] not in read.values():
        read["source"] = there["source"]
    found = {ours: values[column] for ours, column in read.items()}
    used = set(read.values())
    if "options" not in found and (lettered := _lettered_columns(there)):
        found["options"] = [values[column] for column in lettered]
        used.update(lettered)
    return Named(found, {c: values[c] for c in values if c not in used and not is_empty(values[c])})


def _lettered_columns(there: Mapping[str, str]) -> list[str]:
    """The columns of options: A, B, C, D; or option_1 to option_4, or option0 to option3."""
    for before in ("", "option", "choice", "candidate"):
        for first, marks in ((0, LETTERS.lower()), (0, "0123456789"), (1, "0123456789")):
            names = [before + mark for mark in marks[first:]]
            n = next(n for n, name in enumerate([*names, ""]) if name not in there)
            if n > 1:
                return [there[name] for name in names[:n]]
    return []


class _Flaws(list[BadField]):
    """What is wrong with a row."""

    def tried(self, read: Callable[..., _Read], *args: Any) -> _Read | None:
        """What `read` makes of these; None, and one flaw more, where it cannot."""
        try:
            return read(*args)
        except BadField as flaw:
            self.append(flaw)
            return None


@dataclass(frozen=True, slots=True)
class PortraitRow:
    """What came of a row: its item, or everything that is wrong with it (exactly one of the two).

    `where` names the item too. `name`: its id, "" where it cannot be told. `picture`: its image,
    None where it has none. `facets`: those that could be read. `others`: columns that none of ours
    is.
    """

    where: str
    name: str
    picture: Picture | None
    item: Item | None
    problems: tuple[RowProblem, ...]
    facets: Mapping[str, str]
    others: tuple[str, ...]


def portrait_row(
    row: Row, folders: Sequence[Path] = (), *, with_others: bool = False
) -> PortraitRow:
    """The item of a row. `folders`: where the image that it names is looked for, in order.

    `with_others`: columns that are none of ours are further facets.
    """
    there = named(row.values)
    flaws, values = _Flaws(), there.values
    picture = flaws.tried(_picture, row, values, folders)
    name = flaws.tried(_id, row, values) or ""
    said = {column: flaws.tried(_spelt, values, column) for column in _KNOWN}
    flaws += _disagreements(said)
    question = flaws.tried(_question, values)
    options = flaws.tried(options_of, values, said["kind"])
    if said["kind"] in ("single", "multiple"):
        flaws += unfit(options)
    answer = None if options is None else flaws.tried(answer_of, values, said["kind"], options)
    asked = {"id": name, "question": question, "options": options, "answer": answer}
    told = {column: values.get(column) for column in ("source", "licence")}
    further = {**there.others, "answers": None} if with_others else {}
    picture = picture and replace(picture, name=picture.name or name)
    pictures = (picture,) if picture else ()
    read = item_of_row(Row({**further, **asked, **told, **said}, row.where, pictures))
    where = f"{row.where} (item {name})" if name else row.where
    problems = [RowProblem(where, flaw.field, flaw.expected) for flaw in flaws]
    if isinstance(read, RowProblem) and not flaws:
        problems.append(read)
    return PortraitRow(
        where=where,
        name=name,
        picture=picture,
        item=read if isinstance(read, Item) and not flaws else None,
        problems=tuple(problems),
        facets={facet: value for facet in FACETS if (value := said[facet])},
        others=tuple(there.others),
    )


def _picture(row: Row, values: Mapping[str, Any], folders: Sequence[Path]) -> Picture:
    """The one image: embedded, or the file that the row names."""
    name = values.get("image")
    others = [column for column in row.values if _compact(column) in _SECOND_IMAGES]
    n_images = max(len(row.images), 1) + sum(row.values[column] is not None for column in others)
    if n_images > 1:
        raise BadField("image", f"one image, not {n_images}")
    if row.images:
        (picture,) = row.images
        return replace(picture, name=picture.name or (name if isinstance(name, str) else ""))
    if name is None:
        raise BadField("image", missing("image"))
    return picture_named(name, folders, field="image")


def _id(row: Row, values: Mapping[str, Any]) -> str:
    """The row's own id, else the name of its image, else its place."""
    shown = values.get("image")
    shown = shown if isinstance(shown, str) else "".join(p.name for p in row.images[:1])
    own = values.get("id", shown or Path(row.where).name)
    if isinstance(own, bool) or not isinstance(own, (str, int)):
        raise BadField("id", f"a text, not {own!r:.80}")
    return str(own)


def _question(values: Mapping[str, Any]) -> str:
    text = values.get("question")
    if text is None:
        raise BadField("question", missing("question"))
    if not isinstance(text, str):
        raise BadField("question", f"a text, not {text!r:.80}")
    return text.strip()


def _spelt(values: Mapping[str, Any], column: str) -> str:
    """Our name of the value in a column that has but a few."""
    value = values.get(column)
    if value is None:
        raise BadField(column, missing(column))
    known = _VALUES[column]
    text = _compact(value) if isinstance(value, str) else ""
    if text not in known:
        near = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
        nearest = f"; did you mean {known[near[0]]}?" if near else ""
        raise BadField(column, f"{EXPECTED[column]}, not {value!r:.80}{nearest}")
    return known[text]


def _disagreements(said: Mapping[str, str | None]) -> Iterator[BadField]:
    """Where two facets of an item cannot both be right."""
    source, dataset = said["image_source"], said["source_dataset"]
    dimension, concern = said["dimension"], said["concern"]
    if source and dataset and DATASETS[dataset][0] != source:
        fitting = ", ".join(name for name, (home, _) in DATASETS.items() if home == source)
        told = f"not {dataset}, which is of {DATASETS[dataset][0]}"
        yield BadField("source_dataset", f"one of {source} ({fitting}), {told}")
    if dimension and concern and concern not in DIMENSIONS[dimension]:
        told = f"not {concern}, which is of {_DIMENSION_OF[concern]}"
        yield BadField(
            "concern", f"one of {dimension} ({', '.join(DIMENSIONS[dimension])}), {told}"
        )
    if dimension == "AIGC" and source not in (None, "AGIs"):
        told = f"AIGC is of AI-generated images (AGIs) alone, and this one is of {source}"
        yield BadField("dimension", f"Technical or Aesthetics: {told}")
