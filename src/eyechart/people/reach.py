"""The table of what people reach: the mean person, the majority vote, the best person.

In: sheets. Out: a `records.Table`, without lines where no question has a right answer. All
intervals are over questions; none says how other people would have answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.metrics.agreement import means
from eyechart.metrics.arrays import Floats
from eyechart.people.figures import best_person, majority_vote, share
from eyechart.people.sheets import Sheet
from eyechart.records import Column, Estimate, Kind, Line, Table
from eyechart.report.formatting import KIND_LABELS, heading

INTERVALS = "Intervals are over questions: other people may do better or worse."
NOTE = (
    "Mean person: the mean over questions of the share of people who are right, or of their "
    "verdicts halved. Majority vote: the most frequent answer; where several are, the mean of what "
    "they count. Best person: the one with the highest mean over all these questions, among those "
    "who answered at least half as many as who answered most: the same person in each column, over "
    "what this person answered; being the best one here makes the figure somewhat too high. "
    + INTERVALS
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A column: the sheets whose questions it is of."""

    name: str
    sheets: tuple[Sheet, ...]


def reach_table(sheets: Sequence[Sheet]) -> Table:
    """What people reach, a column for each kind of question and for all together."""
    marked = tuple(sheet for sheet in sheets if not np.isnan(sheet.marks).all())
    parts = tuple(_parts(marked))
    several = bool(marked) and len(marked[0].raters) > 1
    return Table(
        name="people-reach",
        title="What people reach",
        columns=tuple(Column(part.name, "percent") for part in parts),
        lines=tuple(_lines(marked, parts)),
        note=NOTE if several else INTERVALS,
        label="People",
    )


def _parts(sheets: tuple[Sheet, ...]) -> Iterator[_Part]:
    for sheet in sheets:
        yield _Part(heading(KIND_LABELS[sheet.kind]), (sheet,))
    closed = tuple(sheet for sheet in sheets if sheet.is_closed)
    if 1 < len(closed) < len(sheets):
        yield _Part("All closed questions", closed)
    if len(sheets) > 1:
        yield _Part("All", sheets)


def _lines(sheets: Sequence[Sheet], parts: Sequence[_Part]) -> Iterator[Line]:
    if not sheets:
        return
    marks = {sheet.kind: sheet.marks for sheet in sheets}
    by_line = {"Mean person": {kind: means(mine, axis=0) for kind, mine in marks.items()}}
    if len(sheets[0].raters) > 1:
        by_line["Majority vote"] = {
            s.kind: majority_vote(s.values, marks[s.kind]) for s in sheets if s.is_closed
        }
        best = best_person(np.hstack(list(marks.values())))
        by_line["Best person"] = {kind: mine[best] for kind, mine in marks.items()}
    for label, by_kind in by_line.items():
        yield Line(label, tuple(_entry(part.sheets, by_kind) for part in parts), ranked=False)


def _entry(sheets: Sequence[Sheet], by_kind: dict[Kind, Floats]) -> Estimate | None:
    """None where a kind has no figure: open answers have no majority."""
    if any(sheet.kind not in by_kind for sheet in sheets):
        return None
    values = np.concatenate([by_kind[sheet.kind] for sheet in sheets])
    return share(values, [cluster for sheet in sheets for cluster in sheet.clusters])
