"""One row of Q-Bench-Portrait's data: its item, or everything that is wrong with it.

In: a row by the spellings below (a column map has made the others ours), and its embedded picture
or the folders where the one that it names may lie. Out: an `Item` that fits the taxonomy of the
paper, or problems. Columns that are none of these are left out.

The data set is not public: the spellings are those that such releases use, the values those of the
paper (Wu et al. 2026, arXiv 2601.18346). Right answers are options or their letters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

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

N_OPTIONS = 4
_LETTERED = re.compile(r"\(?([A-Z])[).:]\s*(\S.*)", re.DOTALL)
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
    "answer": "what is right: an option or its letter, True or False, or a reference text",
    "image_source": "one of " + ", ".join(f"{code} ({what})" for code, what in SOURCES.items()),
    **{facet: "one of " + ", ".join(_KNOWN[facet]) for facet in FACETS if facet != "image_source"},
}

"""What is expected in the columns that every row needs."""


def missing(column: str) -> str:
    """What is expected of a row that has nothing in a needed column."""
    return f"{EXPECTED[column]}; the row has none"


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row by our names, without what is empty; `source` is the image source if nothing else is.

    >>> named({"Question Type": "SC", "source": "NIs", "Candidates": ["a", "b"], "mood": ""})
    {'kind': 'SC', 'options': ['a', 'b'], 'image_source': 'NIs'}
    """
    there: dict[str, Any] = {}
    for column, value in values.items():
        if value is not None and not (isinstance(value, str) and not value.strip()):
            there.setdefault(_compact(column), value)
    found = {
        ours: there[spelling]
        for ours, texts in COLUMNS.items()
        if (spelling := next((s for s in map(_compact, texts) if s in there), None))
    }
    if "options" not in found and (listed := _lettered_columns(there)):
        found["options"] = listed
    if "source" in there and any(_compact(s) in there for s in COLUMNS["image_source"][:-1]):
        found["source"] = there["source"]
    return found


def _lettered_columns(there: Mapping[str, Any]) -> list[Any]:
    """The options of columns such as A, B, C, D, or option_1 to option_4, or option0 to option3."""
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
    None where it has none.
    """

    where: str
    name: str
    picture: Picture | None
    item: Item | None
    problems: tuple[RowProblem, ...] = ()


def portrait_row(row: Row, folders: Sequence[Path] = ()) -> PortraitRow:
    """The item of a row. `folders`: where the image that it names is looked for, in order."""
    flaws, values = _Flaws(), named(row.values)
    picture = flaws.tried(_picture, row, values, folders)
    name = flaws.tried(_id, row, values) or ""
    said = {column: flaws.tried(_spelt, values, column) for column in _KNOWN}
    flaws += _disagreements(said)
    question = flaws.tried(_question, values)
    options = flaws.tried(_options, values, said["kind"])
    if said["kind"] in ("single", "multiple"):
        flaws += _unfit(options)
    answer = None if options is None else flaws.tried(_answer, values, said["kind"], options)
    asked = {"id": name, "question": question, "options": options, "answer": answer}
    told = {column: values.get(column) for column in ("source", "licence")}
    picture = picture and replace(picture, name=picture.name or name)
    pictures = (picture,) if picture else ()
    read = item_of_row(Row({**asked, **told, **said}, row.where, pictures))
    where = f"{row.where} (item {name})" if name else row.where
    if isinstance(read, Item) and not flaws:
        return PortraitRow(where, name, picture, read)
    wrong = [RowProblem(where, flaw.field, flaw.expected) for flaw in flaws]
    left = [read] if isinstance(read, RowProblem) and not wrong else []
    return PortraitRow(where, name, picture, None, (*wrong, *left))


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


# --- options and answers ------------------------------------------------------------------------


def _options(values: Mapping[str, Any], kind: str | None) -> tuple[str, ...]:
    """The options, without their own letters before them; () for a question without."""
    given = values.get("options")
    if kind not in ("single", "multiple") and not (kind == "true_false" and given):
        return ()
    if isinstance(given, dict):
        letters = {str(key).strip().upper(): text for key, text in given.items()}
        given = [letters[key] for key in LETTERS[: len(letters)] if key in letters]
    texts = list(given) if isinstance(given, (list, tuple)) else []
    while texts and texts[-1] in (None, ""):
        texts.pop()
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        told = f"not {values.get('options')!r:.120}" if given else "the row has none"
        raise BadField("options", f"a list of texts, or a text for each letter; {told}")
    return _without_letters([text.strip() for text in texts])


def _without_letters(options: Sequence[str]) -> tuple[str, ...]:
    """The options as they are, or bare where each begins with its own letter ("A. Blur")."""
    found = [_LETTERED.fullmatch(option) for option in options]
    bare = [
        match[2]
        for match, letter in zip(found, LETTERS, strict=False)
        if match and match[1] == letter
    ]
    return tuple(bare if len(bare) == len(options) else options)


def _unfit(options: Sequence[str] | None) -> Iterator[BadField]:
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


def _answer(
    values: Mapping[str, Any], kind: str | None, options: tuple[str, ...]
) -> str | tuple[str, ...] | bool | None:
    answer = values.get("answer")
    if answer is None:
        raise BadField("answer", missing("answer"))
    if kind is None:
        return None
    if isinstance(answer, (list, tuple)) and len(answer) == 1 and kind != "multiple":
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
        raise BadField("answer", "at least one right option; the row has none")
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
