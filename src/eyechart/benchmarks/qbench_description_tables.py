"""Q-Bench's A2 table, published rows beside ours.

In: a run's findings. Out: `records.Table`s. The published rows are in `published/description.csv`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from importlib.resources import files

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_description_data import N_PAIRS, N_SINGLE
from eyechart.benchmarks.qbench_description_grades import (
    DIMENSIONS,
    MOST,
    Grades,
    Group,
    grades_of,
    groups_of,
    mean_score,
    mean_share,
    mean_sum,
)
from eyechart.records import Column, Estimate, Line, Table

VERDICTS = range(MOST + 1)
N_PUBLISHED = {"single": N_SINGLE, "pairs": N_PAIRS}
WHAT = {"single": "single images", "pairs": "pairs"}
COLUMNS = (
    *(
        column
        for dimension in DIMENSIONS
        for column in (
            *(Column(f"{dimension[:4]}. P{v}", "percent", digits=2) for v in VERDICTS),
            Column(dimension, digits=2),
        )
    ),
    Column("sum", digits=2),
)
NOTE = (
    "P0, P1 and P2: share of the verdicts 0, 1 and 2. Each dimension is out of 2, P1 + 2 P2; the "
    "sum is out of 6, over the descriptions that have all three. A description that is missing "
    "(failed, refused, empty) counts as 0 in each; one that was not judged is left out."
)
PUBLISHED_NOTE = (
    "Published rows were judged by a GPT model with other prompts against golden texts that were "
    "never released: near ours, not the same."
)


def tables(findings: Findings) -> tuple[Table, ...]:
    """The paper's table for single images and for pairs; empty where nothing has been judged.

    A line for each judge, and the published ones where the items are as many as Q-Bench's and all
    have golden texts.
    """
    graded = [grades_of(findings, judge) for judge in findings.judges]
    if not any(verdicts for grades in graded for verdicts in grades.verdicts.values()):
        return ()
    return tuple(_scores(findings.model, group, graded) for group in groups_of(findings.item_set))


def published(group: str) -> tuple[Line, ...]:
    """The published rows for `single` images or `pairs`, the highest sum first.

    >>> best = published("single")[1]
    >>> best.label, best.entries[-1].value
    ('InternLM-XComposer-VL (InternLM)', 4.21)
    """
    text = (files("eyechart.benchmarks") / "published" / "description.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["set"] == group]
    return tuple(
        Line(row["model"], tuple(_published(row, group)), published=True, source=row["source"])
        for row in rows
    )


def _published(row: dict[str, str], group: str) -> Iterator[Estimate | None]:
    n = N_PUBLISHED[group]
    for dimension in DIMENSIONS:
        for verdict in VERDICTS:
            share = row[f"{dimension}_p{verdict}"]
            yield Estimate(float(share) / 100, None, None, n) if share else None
        yield Estimate(float(row[dimension]), None, None, n)
    yield Estimate(float(row["sum"]), None, None, n)


def _scores(model: str, group: Group, graded: Sequence[Grades]) -> Table:
    ours = [
        Line(f"{model}, judged by {grades.judge}", tuple(_entries(group, grades)))
        for grades in graded
    ]
    left = filter(None, (_left_out(group, grades) for grades in graded))
    theirs = published(group.name) if _compares(group) else ()
    return Table(
        name="description" if group.name == "single" else f"description-{group.name}",
        title=f"Descriptions of {WHAT[group.name]} (Q-Bench A2)",
        columns=COLUMNS,
        lines=(*ours, *theirs),
        note=" ".join((NOTE, *left, PUBLISHED_NOTE if theirs else _why_alone(group))),
    )


def _compares(group: Group) -> bool:
    """Whether these may be Q-Bench's own: as many as there, each with a golden text."""
    return group.n_items == group.n_golden == N_PUBLISHED[group.name]


def _why_alone(group: Group) -> str:
    return (
        f"Published rows are left out: they are of Q-Bench's {N_PUBLISHED[group.name]} "
        f"{WHAT[group.name]}, all with golden texts; here are {group.n_items}, {group.n_golden} "
        "with one."
    )


def _entries(group: Group, grades: Grades) -> Iterator[Estimate | None]:
    for dimension in DIMENSIONS:
        for verdict in VERDICTS:
            yield mean_share(group, grades, dimension, verdict)
        yield mean_score(group, grades, dimension)
    yield mean_sum(group, grades)


def _left_out(group: Group, grades: Grades) -> str:
    """How many descriptions were missing or not judged, in words; "" where none was."""
    inside = frozenset(group.cluster_of)
    missing = len(inside & frozenset().union(*grades.missing.values()))
    unjudged = len(inside & frozenset().union(*grades.unjudged.values()))
    if not missing and not unjudged:
        return ""
    return f"{grades.judge}: {missing} missing, {unjudged} not judged or only in part."
