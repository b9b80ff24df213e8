"""Multiple choice by option: how near a choice of several comes to the right one.

In: items with their plain `correct` scores. Out: the tables `multiple-choice` and
`multiple-choice-by-size`, beside what choosing without looking would give. Which options were
chosen is read from the letters on file; no reply is parsed here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.intervals import mean, proportion
from eyechart.records import LETTERS, Column, Estimate, Item, Line, Score, Table
from eyechart.report.formatting import plural

UNIT = (0.0, 1.0)
EXACT, JACCARD = Column("exact set", "percent"), Column("Jaccard", "percent")
COLUMNS = (
    EXACT,
    Column("per option", "percent"),
    Column("precision", "percent"),
    Column("recall", "percent"),
    JACCARD,
)
NOTE = (
    "Exact set: all right options and no other, the figure that counts. Per option: the share of a "
    "question's options that are rightly chosen or rightly left. Precision: the share of the "
    "options chosen that are right. Recall: the share of the right ones that are chosen. Jaccard: "
    "options right and chosen, of those right or chosen. Each is the mean over questions. A random "
    "set is any one but the empty, each as likely."
)
SIZE_NOTE = (
    "The same questions by how many of their options are right; a reply that could not be scored "
    "counts as 0."
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How many options a question has, and how many of them are right."""

    n_right: int
    n_options: int


@dataclass(frozen=True, slots=True)
class OptionMarks:
    """How good one choice is, each 0 to 1; `precision` is None where nothing is chosen."""

    exact: float
    per_option: float
    precision: float | None
    recall: float
    jaccard: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with what became of it; `is_scored`: the reply chose something."""

    shape: Shape
    marks: OptionMarks
    cluster: str
    is_scored: bool


SILENT = OptionMarks(0.0, 0.0, None, 0.0, 0.0)


def option_choice_tables(item_set: ItemSet, scores: Iterable[Score]) -> tuple[Table, ...]:
    """The two tables of multiple choice; none where no such reply is on file by its letters.

    An unscored reply counts as 0 in all but precision, which is of replies that chose something. A
    scored one whose letters are not on file is left out and counted in the note. The second table
    is left out where every question has as many right options.
    """
    plain = {score.item_id: score for score in scores if score.name == "correct"}
    choices = [
        _choice(right, item, plain.get(item.id), cluster_of(item, item_set.card))
        for item in item_set.items
        if (right := _right(item))
    ]
    known = [choice for choice in choices if choice is not None]
    if not any(choice.is_scored for choice in known):
        return ()
    note = " ".join(filter(None, (NOTE, _unscored(known), _left_out(len(choices) - len(known)))))
    shapes = [choice.shape for choice in known]
    every = [option_marks(s.n_right, s.n_options - s.n_right, s) for s in shapes]
    lines = (
        Line("As answered", _figures(known)),
        Line("Every option", _expected(every)),
        Line("A random set", _expected([guessed(shape) for shape in shapes])),
    )
    title = "Multiple choice, by option"
    return (Table("multiple-choice", title, COLUMNS, lines, note, "Choice"), *_by_size(known))


def option_marks(n_hits: int, n_wrong: int, shape: Shape) -> OptionMarks:
    """The marks of a choice of `n_hits` right options and `n_wrong` others.

    >>> option_marks(1, 1, Shape(2, 4))
    OptionMarks(exact=0.0, per_option=0.5, precision=0.5, recall=0.5, jaccard=0.3333333333333333)
    """
    n_right, n_options = shape.n_right, shape.n_options
    n_chosen = n_hits + n_wrong
    return OptionMarks(
        exact=float(n_hits == n_right and not n_wrong),
        per_option=1 - (n_right - n_hits + n_wrong) / n_options,
        precision=n_hits / n_chosen if n_chosen else None,
        recall=n_hits / n_right,
        jaccard=n_hits / (n_right + n_wrong),
    )


@cache
def guessed(shape: Shape) -> OptionMarks:
    """The expected marks of a non-empty set drawn uniformly, over all that there are.

    Subsets of as many right and as many other options have the same marks and are counted together.

    >>> round(1 / guessed(Shape(2, 4)).exact)
    15
    """
    n_others = shape.n_options - shape.n_right
    sums = [0.0] * len(COLUMNS)
    for hits in range(shape.n_right + 1):
        for wrong in range(n_others + 1):
            if hits + wrong:
                n_sets = math.comb(shape.n_right, hits) * math.comb(n_others, wrong)
                each = _listed(option_marks(hits, wrong, shape))
                sums = [
                    total + n_sets * (mark or 0.0) for total, mark in zip(sums, each, strict=True)
                ]
    n_all = (1 << shape.n_options) - 1
    return OptionMarks(*(total / n_all for total in sums))


def _right(item: Item) -> frozenset[int]:
    """The right options of a multiple choice; none where they are not on file."""
    answer = item.answer if item.kind == "multiple" and isinstance(item.answer, tuple) else ()
    if not set(answer) <= set(item.options):
        return frozenset()
    return frozenset(i for i, option in enumerate(item.options) if option in answer)


def _choice(right: frozenset[int], item: Item, score: Score | None, cluster: str) -> Choice | None:
    """None where a scored reply's letters are not on file."""
    shape = Shape(len(right), len(item.options))
    if score is None or score.value is None:
        return Choice(shape, SILENT, cluster, is_scored=False)
    chosen = _chosen(item, score.extracted)
    if not chosen:
        return None
    marks = option_marks(len(chosen & right), len(chosen - right), shape)
    return Choice(shape, dataclasses.replace(marks, exact=score.value), cluster, is_scored=True)


def _chosen(item: Item, extracted: str) -> set[int]:
    """The options of letters such as "A, C"; none where it is anything else."""
    known = LETTERS[: len(item.options)]
    letters = [letter.strip() for letter in extracted.split(",")]
    if all(letter in tuple(known) for letter in letters):
        return {known.index(letter) for letter in letters}
    return set()


def _figures(choices: Sequence[Choice]) -> tuple[Estimate, ...]:
    """Each mean with its interval; that of the exact set is Wilson's, as of every accuracy."""
    clusters = [choice.cluster for choice in choices]
    columns = list(zip(*(_listed(choice.marks) for choice in choices), strict=True))
    exact = proportion([choice.marks.exact for choice in choices], clusters)
    return (exact, *(_mean(column, clusters) for column in columns[1:]))


def _mean(marks: Sequence[float | None], clusters: Sequence[str]) -> Estimate:
    """Over those that are defined."""
    known = [(m, cluster) for m, cluster in zip(marks, clusters, strict=True) if m is not None]
    return mean([m for m, _ in known], [cluster for _, cluster in known], within=UNIT)


def _expected(marks: Sequence[OptionMarks]) -> tuple[Estimate, ...]:
    """What a way of choosing gives on these questions: exact, without an interval."""
    columns = zip(*map(_listed, marks), strict=True)
    n = len(marks)
    return tuple(
        Estimate(math.fsum(mark or 0.0 for mark in column) / n, None, None, n) for column in columns
    )


def _by_size(choices: Sequence[Choice]) -> Iterator[Table]:
    sizes = sorted({choice.shape.n_right for choice in choices})
    if len(sizes) < 2:
        return
    lines = []
    for size in sizes:
        there = [choice for choice in choices if choice.shape.n_right == size]
        exact, *_, jaccard = _figures(there)
        lines.append(Line(plural(size, "right option"), (exact, jaccard)))
    title = "Multiple choice, by how many options are right"
    yield Table(
        "multiple-choice-by-size", title, (EXACT, JACCARD), tuple(lines), SIZE_NOTE, "Questions"
    )


def _unscored(choices: Sequence[Choice]) -> str:
    """How many replies choose nothing, and what they count as; "" where there are none."""
    n = sum(not choice.is_scored for choice in choices)
    if not n:
        return ""
    return (
        f"{plural(n, 'reply', 'replies')} could not be scored and {'counts' if n == 1 else 'count'}"
        " as 0; precision is of replies that chose something."
    )


def _left_out(n: int) -> str:
    """How many scored replies are not told; "" where there are none."""
    if not n:
        return ""
    told = plural(n, "scored reply", "scored replies")
    return f"{told} {'is' if n == 1 else 'are'} left out: the letters chosen are not on file."


def _listed(marks: OptionMarks) -> tuple[float | None, ...]:
    """In the order of the columns."""
    return (marks.exact, marks.per_option, marks.precision, marks.recall, marks.jaccard)
