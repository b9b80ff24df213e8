"""Published result files: for each image, people's score and the logits of words.

In: a file of JSON records, `{img_path, gt_score, logit_good, logit_poor, …}`, written one after the
other with nothing between (`}{`), one a line, or as a list. Out: a `ResultFile` of columns. Reads
no ratings out of the logits; see `eyechart.assessment.readings`.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eyechart.assessment.databases import Database, known, named
from eyechart.assessment.mos_files import number_of, text_of
from eyechart.errors import BadInput
from eyechart.items import MAX_PROBLEMS_SHOWN
from eyechart.metrics.arrays import Floats

LOGIT = "logit_"
EXPECTED = '{"img_path": "a.jpg", "gt_score": 3.5, "logit_good": 17.5, "logit_poor": 14.5}'
_GAP = re.compile(r"[\s,]*")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResultFile:
    """What one model said of one database.

    `names`: img_path of each image, in the file's order; `places`: where its record stands there,
    from 0. `mos` and each of `logits` (by word): [images]. `faults`: words whose logits are not all
    there, with the first record at fault.
    `n_records`: in the file; `n_repeats`: of these, records of an image that came before.
    `notes`: what a reader must know.
    """

    file: Path
    model: str
    database: Database
    names: tuple[str, ...]
    places: tuple[int, ...]
    mos: Floats
    logits: Mapping[str, Floats]
    faults: Mapping[str, str]
    n_records: int
    n_repeats: int
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words whose logits every record has."""
        return tuple(self.logits)

    def logits_of(self, words: Sequence[str]) -> dict[str, Floats]:
        """The logits of these words. Raises BadInput that names the first record without one."""
        for word in words:
            if word not in self.logits:
                raise BadInput(f"{self.file}: {self._lacks(word)}")
        return {word: self.logits[word] for word in words}

    def _lacks(self, word: str) -> str:
        fault = self.faults.get(word, f"record 1: no {LOGIT}{word}")
        there = ", ".join(LOGIT + known for known in self.logits) or "no logits"
        return (
            f"{fault}. Every record has {there}; choose among these words with --words, "
            "e.g. --words high/low"
        )


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """How result files are read.

    `database`: whose they are, "" to tell by each file's name. `mos`: people's scores by image, for
    records without their own. `unique`: leave out records of an image that came before.
    """

    database: str = ""
    mos: Mapping[str, float] = field(default_factory=dict)
    unique: bool = False


def read_result_file(file: Path, options: ResultOptions | None = None) -> ResultFile:
    """Read a file of results.

    Raises BadInput with the file and the record for what is not JSON, torn, or no number where one
    is expected; logits only when they are wanted (`logits_of`).
    """
    options = options or ResultOptions()
    if file.is_dir():
        raise BadInput(
            f"{file}: a folder; expected result files, MODEL/DATABASE.json. How a finished run was "
            f"read is compared by: eyechart assess strategies {file}"
        )
    records = _records(file)
    names = _names(file, records)
    n_repeats = len(names) - len(set(names))
    kept: Sequence[int] = range(len(names))
    if options.unique and n_repeats:
        kept = sorted({name: at for at, name in reversed([*enumerate(names)])}.values())
    scores = _scores(file, records, kept, options.mos)
    unknown = len(kept) - len(scores)
    kept = [at for at in kept if at in scores]
    model, database = _whose(file, options.database)
    notes = _notes(n_repeats, unknown, options)
    if options.mos and all("gt_score" in records[at] for at in kept):
        notes = (*notes, "--mos is not used: every record has a gt_score of its own.")
    logits, faults = _logits(records, kept)
    return ResultFile(
        file=file,
        model=model,
        database=database,
        names=tuple(names[at] for at in kept),
        places=tuple(kept),
        mos=np.array([scores[at] for at in kept]),
        logits=logits,
        faults=faults,
        n_records=len(records),
        n_repeats=n_repeats,
        notes=notes,
    )


def refuse_models_as_databases(results: Sequence[ResultFile]) -> None:
    """Raises BadInput where two unknown databases of one model hold mostly the same images."""
    unknown = [one for one in results if known(one.database.name) is None]
    for one, other in itertools.combinations(unknown, 2):
        first, second = set(one.names), set(other.names)
        if one.model == other.model and 2 * len(first & second) > min(len(first), len(second)):
            raise BadInput(
                f"{one.file} and {other.file}: taken for two databases of the model {one.model}, "
                "yet they hold the same images. If the files are named by their models, say whose "
                "images these are with --database NAME; else read them one at a time"
            )


def _whose(file: Path, database: str) -> tuple[str, Database]:
    """Model and database: `MODEL/DATABASE.json`, or `MODEL.json` where the database is told."""
    folder, stem = file.absolute().parent.name, file.stem
    if known(stem) or not database:
        return folder or stem, named(database or stem)
    return stem, named(database)


def _records(file: Path) -> list[Record]:
    text = text_of(file).strip()
    is_list = text.startswith("[")
    end = len(text) - (is_list and text.endswith("]"))
    scan = json.JSONDecoder().raw_decode
    records: list[Record] = []
    at = int(is_list)
    while (at := _after_gap(text, at)) < end:
        where = f"{file}: record {len(records) + 1}"
        try:
            record, at = scan(text, at)
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"{where}: not JSON ({error}); is the file torn? Expected {EXPECTED}"
            ) from None
        if not isinstance(record, dict):
            raise BadInput(f"{where}: expected {EXPECTED}, not {record!r:.80}")
        records.append(record)
    if is_list and end == len(text):
        raise BadInput(f"{file}: the list has no end after record {len(records)}; is it torn?")
    if not records:
        raise BadInput(f"{file}: no records in it; expected {EXPECTED} for each image")
    return records


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _names(file: Path, records: Sequence[Record]) -> list[str]:
    names = []
    for number, record in enumerate(records, start=1):
        name = record.get("img_path")
        if not isinstance(name, str) or not name:
            raise BadInput(
                f"{file}: record {number}: img_path: expected the image's file name, not {name!r}"
            )
        names.append(name)
    return names


def _scores(
    file: Path, records: Sequence[Record], kept: Sequence[int], mos: Mapping[str, float]
) -> dict[int, float]:
    """People's scores by record; a record whose image `mos` does not know is left out."""
    if not mos and all(record.get("gt_score") is None for record in records):
        raise BadInput(
            f"{file}: no record has people's score (gt_score); give the scores with --mos FILE, a "
            "CSV, JSON list or item folder"
        )
    scores: dict[int, float] = {}
    problems: list[str] = []
    for at in kept:
        value = records[at].get("gt_score")
        if value is None and mos:
            value = mos.get(records[at]["img_path"])
            if value is None:
                continue
        score = number_of(value)
        if score is None:
            problems.append(f"record {at + 1}: gt_score: expected a number, not {value!r:.80}")
        else:
            scores[at] = score
    if not problems and not scores:
        raise BadInput(f"{file}: none of its images is in the file of --mos; expected equal names")
    if problems:
        raise BadInput(f"{file}: {_told(problems)}")
    return scores


def _told(problems: Sequence[str]) -> str:
    shown = "\n".join(f"  {problem}" for problem in problems[:MAX_PROBLEMS_SHOWN])
    more = len(problems) - MAX_PROBLEMS_SHOWN
    rest = f"\n  … and {more:,} more" if more > 0 else ""
    return (
        f"{len(problems):,} records without people's score; mend them, or take the gt_score out "
        f"and give the scores with --mos FILE:\n{shown}{rest}"
    )


def _logits(
    records: Sequence[Record], kept: Sequence[int]
) -> tuple[dict[str, Floats], dict[str, str]]:
    """The logits of each word, and for a word where they are not all there what is wrong."""
    columns = dict.fromkeys(key for record in records for key in record if key.startswith(LOGIT))
    logits: dict[str, Floats] = {}
    faults: dict[str, str] = {}
    for column in columns:
        word = column.removeprefix(LOGIT)
        values = [records[at].get(column) for at in kept]
        wrong = next((n for n, value in enumerate(values) if not _is_finite(value)), None)
        if wrong is None:
            logits[word] = np.array(values, dtype=np.float64)
            continue
        where = f"record {kept[wrong] + 1}"
        told = f"{column}: expected a finite number, not {values[wrong]!r:.80}"
        faults[word] = f"{where}: {told if column in records[kept[wrong]] else f'no {column}'}"
    return logits, faults


def _is_finite(value: object) -> bool:
    return not isinstance(value, str) and number_of(value) is not None


def _notes(n_repeats: int, unknown: int, options: ResultOptions) -> tuple[str, ...]:
    notes = []
    if n_repeats and options.unique:
        notes.append(f"{n_repeats:,} records of images that came before are left out (--unique).")
    elif n_repeats:
        notes.append(
            f"{n_repeats:,} records repeat an image that came before. The published figures count "
            "them, and so do these; for the intervals they are one image. --unique drops them."
        )
    if unknown:
        notes.append(f"{unknown:,} records are left out: --mos has no score for their images.")
    return tuple(notes)
