"""Q-Bench's A2 table, published rows beside ours, and two that say what the judges are worth.

In: a run's findings. Out: `records.Table`s. The published rows are in `published/description.csv`.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from importlib.resources import files
from statistics import median

import numpy as np

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_description_data import N_PAIRS, N_SINGLE
from eyechart.benchmarks.qbench_description_grades import (
    DIMENSIONS,
    MOST,
    Draws,
    Grades,
    Group,
    grades_of,
    groups_of,
    mean_score,
    mean_share,
    mean_sum,
)
from eyechart.items import cluster_of
from eyechart.metrics.agreement import equal_shares, kappa_estimate, spreads
from eyechart.metrics.intervals import mean, proportion
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
DRAWS_NOTE = (
    "How far the draws of one judge on the same description differ: their standard deviation (in "
    "points of 0 to 2) and the share of pairs of draws that are equal, each the mean over "
    "descriptions with two draws or more."
)
JUDGES_NOTE = (
    "Two judges on the same descriptions. Kappa (quadratic weights) and equal verdicts are those "
    "of the medians of their draws; the difference is that of their mean verdicts, in points of "
    "0 to 2, the first judge's less the second's."
)
# The standard deviation (n - 1) of verdicts is largest for two draws, 0 and 2.
MOST_SPREAD = MOST / math.sqrt(2)


def tables(findings: Findings) -> tuple[Table, ...]:
    """The paper's table for single images and for pairs, then how far judges agree.

    A line for each judge, and the published ones where the items are as many as Q-Bench's and all
    have golden texts. Empty where nothing has been judged; the second part is left out where
    each judge was asked once, the third where there is one judge.
    """
    graded = [grades_of(findings, judge) for judge in findings.judges]
    if not any(verdicts for grades in graded for verdicts in grades.verdicts.values()):
        return ()
    clusters = {
        item.id: cluster_of(item, findings.item_set.card) for item in findings.item_set.items
    }
    everything = Group("all", clusters)
    found = [_scores(findings.model, group, graded) for group in groups_of(findings.item_set)]
    found += [_draws_table(graded, everything), _judges_table(graded, everything)]
    return tuple(table for table in found if table.lines)


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


def _draws_table(graded: Sequence[Grades], everything: Group) -> Table:
    lines = []
    for dimension, grades in itertools.product(DIMENSIONS, graded):
        drawn = {name: d for name, d in grades.verdicts[dimension].items() if len(d) > 1}
        if drawn:
            label = f"{grades.judge}: {dimension}"
            lines.append(Line(label, _steadiness(drawn, everything)))
    columns = (Column("spread"), Column("equal draws", "percent"))
    title = "Judges: how far the draws of one differ"
    return Table("judge-draws", title, columns, tuple(lines), DRAWS_NOTE, label="Judge")


def _steadiness(drawn: dict[str, Draws], everything: Group) -> tuple[Estimate, ...]:
    most = max(map(len, drawn.values()))
    draws = np.array([(*each, *[math.nan] * (most - len(each))) for each in drawn.values()])
    clusters = [everything.cluster_of[name] for name in drawn]
    return (
        mean(spreads(draws), clusters, within=(0.0, MOST_SPREAD)),
        mean(equal_shares(draws), clusters, within=(0.0, 1.0)),
    )


def _judges_table(graded: Sequence[Grades], everything: Group) -> Table:
    lines = []
    for dimension in DIMENSIONS:
        for first, second in itertools.combinations(graded, 2):
            a, b = first.verdicts[dimension], second.verdicts[dimension]
            shared = [name for name in a if name in b]
            if shared:
                label = f"{first.judge} and {second.judge}: {dimension}"
                clusters = [everything.cluster_of[name] for name in shared]
                pairs = [(a[name], b[name]) for name in shared]
                lines.append(Line(label, _agreement(pairs, clusters)))
    columns = (
        Column("weighted kappa"),
        Column("equal verdicts", "percent"),
        Column("difference"),
    )
    title = "Judges: how far two of them agree"
    return Table("judge-agreement", title, columns, tuple(lines), JUDGES_NOTE, label="Judges")


def _agreement(
    pairs: Sequence[tuple[Draws, Draws]], clusters: Sequence[str]
) -> tuple[Estimate, ...]:
    a = [median(first) for first, _ in pairs]
    b = [median(second) for _, second in pairs]
    apart = [sum(first) / len(first) - sum(second) / len(second) for first, second in pairs]
    return (
        kappa_estimate(a, b, clusters),
        proportion([float(x == y) for x, y in zip(a, b, strict=True)], clusters),
        mean(apart, clusters, within=(-MOST, MOST)),
    )
