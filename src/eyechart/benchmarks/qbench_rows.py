"""Q-Bench's questions about perception, in every form in which they are published.

In: a file or a folder. Out: where each question stands, with its item or what is wrong with it.
A form is told by its content: Parquet as on the hub (Q-Bench-HF, Q-Bench2-HF, A-Bench-HF), the raw
JSON of single images, the raw JSON lines of pairs, or an item folder. The split is read from a
file's name, or else is `dev` where an answer stands and `test` where it is withheld.

Codes. A question's type 0, 1, 2 is yes-or-no, what, how; its concern 0, 1, 2, 3 is distortion,
others, in-context distortion, in-context others (the maintainers, Q-Future/Q-Bench issue 8).
For pairs the codes of the concern are documented nowhere. They are INFERRED here as distortion and
others compared (0, 1), then distortion and others of both jointly (2, 3): by likeness to those of
single images, and as the one example that is quoted (0: "Compared to the first image, how is the
clarity of the second image?") has it. Where they are wrong, the counts that published rows imply
are missed, and the items' notes say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.items import Located, read_items
from eyechart.listed_records import BadField, Record, image_folders, pictures_named, records_in
from eyechart.records import LETTERS, Item, Picture
from eyechart.rows import Row, RowProblem, item_of_row

QUESTION_TYPES = ("yes-or-no", "what", "how")
CONCERNS = ("distortion", "others", "in-context distortion", "in-context others")
PAIR_CONCERNS = (
    ("distortion", "compare"),
    ("others", "compare"),
    ("distortion", "joint"),
    ("others", "joint"),
)
ROWS_FILE = "metadata.jsonl"
_TYPE_NAMES = {"yesno": 0, "yes-or-no": 0, "yes/no": 0, "what": 1, "how": 2}
_PADS = (None, "", "N/A")
_SPLIT = re.compile(r"(?<![a-z])(dev|val|validation|test)(?![a-z])")


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """One of the published sets. `name` is the value of the facet `set`; `slug` begins the ids."""

    name: str
    slug: str
    page: str
    licence: str
    citation: str
    n_images: int = 1


Q_BENCH = QuestionSet(
    "Q-Bench",
    "q-bench",
    "https://huggingface.co/datasets/teowu/LLVisionQA-QBench",
    "CC-BY-NC-SA-4.0",
    "Wu et al. 2024, Q-Bench, ICLR, arXiv 2309.14181",
)
Q_BENCH2 = QuestionSet(
    "Q-Bench2",
    "q-bench2",
    "https://huggingface.co/datasets/q-future/q-bench2",
    "MIT",
    "Zhang et al. 2024, Q-Bench+, arXiv 2402.07116",
    n_images=2,
)
A_BENCH = QuestionSet(
    "A-Bench",
    "a-bench",
    "https://huggingface.co/datasets/q-future/A-Bench",
    "CC-BY-4.0",
    "Zhang et al. 2025, A-Bench, ICLR, arXiv 2406.03070",
)
SETS: Mapping[str, QuestionSet] = {one.name: one for one in (Q_BENCH, Q_BENCH2, A_BENCH)}


def question_files(path: Path) -> tuple[Path, ...]:
    """The files of questions that a path stands for, in order; a file is taken as it is.

    Raises BadInput where a folder holds none.
    """
    if path.is_file():
        return (path,)
    if (path / ROWS_FILE).is_file():
        return (path / ROWS_FILE,)
    tables = sorted(path.rglob("*.parquet"))
    lists = [] if tables else sorted([*path.glob("*.json"), *path.glob("*.jsonl")])
    files = tuple(tables or [file for file in lists if _is_raw(file)])
    if not files:
        raise BadInput(
            f"{path}: no questions of Q-Bench here; expected Parquet files as on the hub, "
            "llvisionqa_dev.json or llvisionqa_test.json, q-bench2-a1-dev.jsonl, or an item folder"
        )
    return files


def questions_in(file: Path, photos: Path | None = None) -> Iterator[Located]:
    """Where each question of a file stands, with its item or what is wrong with it.

    `photos`: where images are looked for first. Raises BadInput for a file that is none of the
    forms, or is broken.
    """
    if file.name == ROWS_FILE:
        yield from ((f"{file.parent}", item) for item in read_items(file.parent).items)
    elif file.suffix == ".parquet":
        yield from _of_table(file)
    else:
        yield from _of_list(file, photos)


def _of_table(file: Path) -> Iterator[Located]:
    from eyechart.parquet import parquet_columns, parquet_rows

    columns = parquet_columns(file)
    if "kind" in columns:
        yield from ((f"{file}", item) for item in read_items(file).items)
        return
    which = _set_of(columns)
    if which is None:
        raise BadInput(
            f"{file}: not a table of Q-Bench; expected the columns question, option0, option1, "
            "correct_choice and question_type (or category, for A-Bench), and image (or image1 and "
            f"image2, for pairs), not {', '.join(columns)}"
        )
    split = _split_of(file)
    for row in parquet_rows([file]):
        yield row.where, row if isinstance(row, RowProblem) else _hub_item(row, which, split)


def _set_of(columns: Sequence[str]) -> QuestionSet | None:
    if not {"question", "option0", "option1"} <= set(columns):
        return None
    if {"image1", "image2"} <= set(columns):
        return Q_BENCH2
    if "category" in columns:
        return A_BENCH
    return Q_BENCH if "question_type" in columns else None


def _hub_item(row: Row, which: QuestionSet, split: str) -> Item | RowProblem:
    values = row.values
    fields = {"options": "option0 to option3", "answer": "correct_choice"}
    try:
        if len(row.images) != which.n_images:
            raise BadField("image", f"{which.n_images} of them, not {len(row.images)}")
        if values.get("id") is None:
            raise BadField("id", "a number or a text")
        options = _hub_options(values)
        answer = _lettered(options, values.get("correct_choice"))
        split = split or ("test" if answer is None else "dev")
        name = f"{which.slug}-{split}-{values['id']}"
        pictures = tuple(
            replace(picture, name=picture.name or (f"{name}-{n}" if len(row.images) > 1 else name))
            for n, picture in enumerate(row.images, start=1)
        )
        codes = (("question_type", "question_concern"), values)
        facets = {"set": which.name, "split": split, **_facets(which, *codes)}
        asked = {"id": name, "question": values.get("question"), "options": options}
        return _item({**asked, "answer": answer, **facets}, row.where, pictures, fields)
    except BadField as odd:
        return RowProblem(row.where, odd.field, odd.expected)


def _hub_options(values: Mapping[str, Any]) -> list[Any]:
    """The options without what pads them to four."""
    options = [values[f"option{n}"] for n in range(len(LETTERS)) if f"option{n}" in values]
    while options and options[-1] in _PADS:
        options.pop()
    return options


def _of_list(file: Path, photos: Path | None) -> Iterator[Located]:
    split = _split_of(file)
    folders = image_folders(file, photos)
    for number, (where, record) in enumerate(records_in(file)):
        if isinstance(record, RowProblem):
            yield where, record
            continue
        try:
            yield where, _raw_item(record, where, f"{split}-{number}", folders)
        except BadField as odd:
            yield where, RowProblem(where, odd.field, odd.expected)


def _is_raw(file: Path) -> bool:
    """Whether the first record is a question with candidates (other lists may lie beside).

    A file with a published name is read in any case, so that what is wrong with it is told.
    """
    if _PUBLISHED_NAME.search(file.name.lower()):
        return True
    try:
        _, record = next(records_in(file), ("", None))
    except BadInput:
        return False
    return isinstance(record, dict) and "img_path" in record and bool(_CANDIDATES & record.keys())


_CANDIDATES = {"candidates", "answers"}
_PUBLISHED_NAME = re.compile(r"llvisionqa|q-?bench2?[-_]a1")


def _raw_item(record: Record, where: str, name: str, folders: Sequence[Path]) -> Item | RowProblem:
    """`name`: the split (maybe empty) and the record's number from 0, joined by a hyphen."""
    pictures = pictures_named(record.get("img_path"), folders)
    which = Q_BENCH2 if len(pictures) == 2 else A_BENCH if "category" in record else Q_BENCH
    options = record.get("candidates", record.get("answers"))
    answer = _raw_answer(record, options)
    split, _, number = name.rpartition("-")
    split = split or ("test" if answer is None else "dev")
    facets = {"set": which.name, "split": split, **_facets(which, ("type", "concern"), record)}
    asked = {"id": f"{which.slug}-{split}-{number}", "question": record.get("question")}
    values = {**asked, "options": options, "answer": answer, **facets}
    fields = {
        "options": "candidates" if "candidates" in record else "answers",
        "answer": "correct_ans",
    }
    return _item({**values, "img_path": record["img_path"]}, where, pictures, fields)


def _raw_answer(record: Mapping[str, Any], options: Any) -> Any:
    """The right candidate's text, None where it is withheld; the two ways to give it must agree."""
    text, letter = record.get("correct_ans"), record.get("correct_choice")
    named = _lettered(options, letter) if isinstance(options, list) else None
    if text in _PADS:
        return named
    if named is not None and named != text:
        raise BadField("correct_choice", f"the letter of correct_ans ({text!r}), not {letter!r}")
    return text


def _lettered(options: Sequence[Any], letter: Any) -> Any:
    """The option that a letter names, None where the answer is withheld."""
    if letter in _PADS or len(options) < 2:
        return None
    place = LETTERS.find(str(letter).strip().upper() or "?")
    if len(str(letter).strip()) != 1 or not 0 <= place < len(options):
        last = LETTERS[min(len(options), len(LETTERS)) - 1]
        expected = f"a letter from A to {last}, or nothing where it is withheld, not {letter!r}"
        raise BadField("correct_choice", expected)
    return options[place]


def _facets(
    which: QuestionSet, names: tuple[str, str], values: Mapping[str, Any]
) -> dict[str, str]:
    """What the leaderboard breaks down by. `names`: of the columns of the two codes."""
    if which is A_BENCH:
        category = values.get("category")
        if not isinstance(category, str) or not category.strip():
            raise BadField("category", f"a text such as 'part2 -> technical', not {category!r}")
        return {"category": category}
    kind = QUESTION_TYPES[_code(values, names[0], QUESTION_TYPES, _TYPE_NAMES)]
    if which is Q_BENCH2:
        pairs = tuple(" and ".join(pair) for pair in PAIR_CONCERNS)
        concern, comparison = PAIR_CONCERNS[_code(values, names[1], pairs)]
        return {"question_type": kind, "concern": concern, "comparison": comparison}
    return {"question_type": kind, "concern": CONCERNS[_code(values, names[1], CONCERNS)]}


def _code(
    values: Mapping[str, Any],
    field: str,
    meanings: Sequence[str],
    names: Mapping[str, int] | None = None,
) -> int:
    value = values.get(field)
    code = (names or {}).get(value.strip().lower(), value) if isinstance(value, str) else value
    if isinstance(code, str) and code.strip().isdecimal():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool) or not 0 <= code < len(meanings):
        known = ", ".join(f"{n} ({meaning})" for n, meaning in enumerate(meanings))
        raise BadField(field, f"one of {known}, not {value!r}")
    return code


def _item(
    values: Mapping[str, Any],
    where: str,
    pictures: tuple[Picture, ...],
    fields: Mapping[str, str],
) -> Item | RowProblem:
    """The item of these values. `fields`: what the file calls a field that may be wrong."""
    which = SETS[values["set"]]
    row = {"kind": "single", "source": which.page, "licence": which.licence, **values}
    read = item_of_row(Row(row, where, pictures))
    if isinstance(read, RowProblem):
        return replace(read, field=fields.get(read.field, read.field))
    return read


def _split_of(file: Path) -> str:
    """`dev` or `test` as the file's name says, or its folder's; "" where neither does."""
    for text in (file.stem.lower(), file.parent.name.lower()):
        if found := _SPLIT.search(text):
            return "test" if found[1] == "test" else "dev"
    return ""
