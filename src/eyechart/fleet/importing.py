"""Answers that others collected, merged into the call log of a workspace.

In: a table or folder of responses. Out: the same answers in the log, each checked against its key.
Imported twice, by two processes at once, or again after a kill, each call is there once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.fleet.logged_calls import OpenLog, Remembered, inquiry_of, is_key_of
from eyechart.fleet.one_response import Placed, response_of_row
from eyechart.fleet.response_table import response_rows
from eyechart.records import Response
from eyechart.rows import Row
from eyechart.run_settings import CALL_LOG

CHUNK_ROWS = 256
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a table: each is in one of these counts.

    `n_new`: calls that the log did not hold; `n_known`: those that it did, which stay as they were.
    `n_failed`: without an answer. `n_refused`: cannot be what they say, `refusals` the first.
    """

    n_new: int = 0
    n_known: int = 0
    n_failed: int = 0
    n_refused: int = 0
    refusals: tuple[str, ...] = ()

    def __add__(self, more: Imported) -> Imported:
        return Imported(
            self.n_new + more.n_new,
            self.n_known + more.n_known,
            self.n_failed + more.n_failed,
            self.n_refused + more.n_refused,
            (*self.refusals, *more.refusals)[:MOST_TOLD],
        )


def import_responses(path: str | Path, workspace: Path = Path("runs")) -> Imported:
    """Merge a table or folder of responses into the workspace's call log.

    Raises BadInput where it is no table of responses, or a part is damaged: what was read before is
    in the log, and the same import goes on.
    """
    rows, imported = response_rows(path), Imported()
    with OpenLog(workspace / CALL_LOG) as log:
        while chunk := list(islice(rows, CHUNK_ROWS)):
            imported += _merged(chunk, log)
    return imported


def _merged(rows: Sequence[Row], log: OpenLog) -> Imported:
    """Take in some rows, in one commit."""
    refusals, calls, n_failed = [], dict[str, Remembered](), 0
    for row in rows:
        try:
            placed = response_of_row(row.values, row.where)
        except BadInput as error:
            refusals.append(str(error))
            continue
        if placed.response.failure:
            n_failed += 1
        elif flaw := _flaw(placed):
            refusals.append(f"{row.where}: item {placed.response.item_id}: {flaw}")
        else:
            calls[placed.response.key] = Remembered(placed.response, placed.origin)
    known = log.find([bytes.fromhex(key) for key in calls])
    log.take_in(calls.values())
    n_new = len(calls) - len(known)
    n_known = len(rows) - n_failed - len(refusals) - n_new
    return Imported(n_new, n_known, n_failed, len(refusals), tuple(refusals[:MOST_TOLD]))


def _flaw(placed: Placed) -> str:
    """Why an answer cannot be what its row says, in words; "" where it can."""
    response, question = placed.response, placed.origin.question
    asked = inquiry_of(question)
    if asked is None:
        return f"question: expected the canonical text of what was asked, not {question!r:.60}"
    if not is_key_of(response.key, question):
        return f"key: {response.key[:12]!r}… is not the digest of the row's question"
    if (asked.model, asked.revision) != (response.model, response.revision):
        named = f"{response.model!r}, revision {response.revision!r}"
        return f"model: {named} was not asked, but {asked.model!r}, revision {asked.revision!r}"
    if asked.n_words != len(response.logprobs):
        return (
            f"logprobs: expected {asked.n_words}, as were asked for, not {len(response.logprobs)}"
        )
    if not asked.n_words and response.text is None:
        return "text: expected the reply, not null"
    return _wrong_number(response)


def _wrong_number(response: Response) -> str:
    """Which number is none that a call can have, "" for none."""
    bounds = () if response.bound is None else (response.bound,)
    known = [value for value in (*response.logprobs, *bounds) if value is not None]
    if not all(math.isfinite(value) and value <= 0 for value in known):
        return f"logprobs: expected finite numbers of at most 0, not {known}"
    counts = [n for n in (response.usage.tokens_in, response.usage.tokens_out) if n is not None]
    if not all(math.isfinite(n) and n >= 0 for n in (response.seconds, *counts)):
        told = f"{response.seconds} s and {counts} tokens"
        return f"seconds, tokens: expected numbers of at least 0, not {told}"
    return ""
