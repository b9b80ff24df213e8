"""The leaderboards of Q-Bench's perception: our rows beside the published ones.

In: items with their scores. Out: a table for each set and split, with exactly the leaderboard's
columns. Likelihood ("PPL") has tables of its own: its published rows stand beside no others.
Published rows lie in `published/perception.csv`, each with its source.

Where two versions of the repository's leaderboard differ, the figure that a whole number of the
column's questions can give was kept: the version of 30 October 2023 repeats a figure of `dev` in
two cells of `test` (InstructBLIP-T5, LLaMA-Adapter-V2). A-Bench's page heads eleven columns and
prints thirteen figures; the ninth and the last are read as those of its two parts.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_rows import (
    A_BENCH,
    CONCERNS,
    Q_BENCH,
    Q_BENCH2,
    QUESTION_TYPES,
    SETS,
)
from eyechart.items import cluster_of
from eyechart.metrics.intervals import proportion
from eyechart.records import Column, Estimate, Item, Line, Score, Table
from eyechart.report.formatting import plural

OVERALL = "overall"
CATEGORIES: Mapping[str, str] = {
    "major": "major",
    "minor": "minor",
    "attr": "attribute",
    "n": "noun as adjective",
    "noun": "noun as adjective",
    "comp": "composition",
    "number": "number",
    "term": "term",
    "contra": "contradiction",
    "tech": "technical",
    "aest": "aesthetic",
    "gener": "generative",
}
"""A-Bench's columns by how a step of a category begins (`part1 -> bag_of_words -> attribute`)."""
PARTS = {"part1": "semantics", "part2": "quality"}
_QUALITY = ("technical", "aesthetic", "generative")
_SEMANTICS = tuple(name for name in dict.fromkeys(CATEGORIES.values()) if name not in _QUALITY)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    Q_BENCH.name: (*QUESTION_TYPES, *CONCERNS, OVERALL),
    Q_BENCH2.name: (*QUESTION_TYPES, *CONCERNS[:2], "compare", "joint", OVERALL),
    A_BENCH.name: (*_SEMANTICS, "semantics", *_QUALITY, "quality", OVERALL),
}


def _counts(name: str, *numbers: int) -> Mapping[str, int]:
    return dict(zip(COLUMNS[name], numbers, strict=True))


COUNTS: Mapping[tuple[str, str], Mapping[str, int]] = {
    ("Q-Bench", "dev"): _counts("Q-Bench", 550, 452, 493, 514, 432, 304, 245, 1495),
    ("Q-Bench", "test"): _counts("Q-Bench", 548, 461, 486, 520, 419, 292, 264, 1495),
    ("Q-Bench2", "dev"): _counts("Q-Bench2", 397, 292, 312, 679, 322, 821, 180, 1000),
    ("Q-Bench2", "test"): _counts("Q-Bench2", 415, 295, 289, 710, 289, 774, 225, 999),
}
"""Questions by column. The totals are published; the others are what the published rows imply, and
may be off by one (those of the pairs' `dev` add up to 1,001)."""
N_A_BENCH = 2864


@dataclass(frozen=True, slots=True)
class Published:
    """One published row. `split`: "" where it is of both. `protocol`: `choice` or `likelihood`.

    `figures`: fractions by column; a column that was not published is absent.
    """

    set: str
    split: str
    protocol: str
    model: str
    source: str
    figures: Mapping[str, float] = field(default_factory=dict)


@cache
def published_rows() -> tuple[Published, ...]:
    """Every published row, in the order in which they are shown."""
    file = resources.files("eyechart.benchmarks") / "published" / "perception.csv"
    own = ("set", "split", "protocol", "model", "source")
    with file.open(encoding="utf-8") as lines:
        return tuple(
            Published(
                **{name: row.pop(name) for name in own},
                figures={name: float(text) for name, text in row.items() if text},
            )
            for row in csv.DictReader(lines)
        )


def columns_of(item: Item) -> frozenset[str]:
    """The leaderboard columns that an item counts in.

    >>> item = Item("1", "single", "?", (), facets={"set": "A-Bench", "category": "part2 -> other"})
    >>> sorted(columns_of(item))
    ['other', 'overall', 'quality']
    """
    if item.facets.get("set") != A_BENCH.name:
        facets = (item.facets.get(name) for name in ("question_type", "concern", "comparison"))
        return frozenset({OVERALL, *(str(value) for value in facets if value is not None)})
    steps = [step.strip().lower() for step in str(item.facets.get("category", "")).split("->")]
    known = [CATEGORIES[stem] for step in steps if (stem := _stem(step))]
    part = [PARTS[steps[0]]] if steps[0] in PARTS else []
    return frozenset({OVERALL, known[0] if known else steps[-1], *part})


def _stem(step: str) -> str:
    """How a step begins, as a key of CATEGORIES; "" where it is none of them."""
    word = step.replace("-", "_").split("_")[0].rstrip(".")
    return next((s for s in CATEGORIES if word == s or (len(s) > 1 and word.startswith(s))), "")


def leaderboards(findings: Findings) -> tuple[Table, ...]:
    """A table for each set and split that there is, and one more where likelihoods were read."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in findings.item_set.items:
        key = (str(item.facets.get("set", "")), str(item.facets.get("split", "")))
        if key[0] in SETS and item.kind == "single":
            groups.setdefault(key, []).append(item)
    names = list(dict.fromkeys((score.name, score.judge) for score in findings.scores))
    tables = []
    for (which, split), items in groups.items():
        for protocol in ("choice", "likelihood"):
            ways = [way for way in names if _protocol(way[0]) == protocol]
            if ways:
                tables.append(_table(findings, items, _Board(which, split, protocol, ways)))
    return tuple(tables)


def _protocol(score: str) -> str:
    name, _, variant = score.partition(".")
    if name != "correct":
        return ""
    return "likelihood" if variant.startswith("likelihood") else "choice"


@dataclass(frozen=True, slots=True)
class _Board:
    """What a table is of. `ways`: the scores that get a row, each with its judge."""

    set: str
    split: str
    protocol: str
    ways: Sequence[tuple[str, str]]


def _table(findings: Findings, items: Sequence[Item], board: _Board) -> Table:
    columns = _columns(board.set, items)
    ours = [_own_line(findings, items, way, columns) for way in _in_order(board.ways)]
    theirs = [
        _published_line(row, columns)
        for row in published_rows()
        if (row.set, row.protocol) == (board.set, board.protocol) and row.split in ("", board.split)
    ]
    likelihood = board.protocol == "likelihood"
    suffix = "-likelihood" if likelihood else ""
    by = ", by likelihood (PPL)" if likelihood else ""
    return Table(
        f"{SETS[board.set].slug}-{board.split}{suffix}",
        f"{board.set}, perception, {board.split}{by}: the share answered right",
        tuple(Column(name, "fraction") for name in columns),
        (*ours, *theirs),
        _note(findings, items, board),
    )


def _columns(which: str, items: Sequence[Item]) -> tuple[str, ...]:
    """The leaderboard's; categories that A-Bench's page does not head come before the total."""
    known = COLUMNS[which]
    unknown = {name for item in items for name in columns_of(item)} - set(known)
    return (*known[:-1], *sorted(unknown), known[-1])


def _in_order(ways: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    first = ("correct", "correct.judged", "correct.circular", "correct.blind")
    return sorted(ways, key=lambda w: first.index(w[0]) if w[0] in first else len(first))


def _own_line(
    findings: Findings, items: Sequence[Item], way: tuple[str, str], columns: Sequence[str]
) -> Line:
    """Unscored items count as wrong; what a judge owes, or is withheld, does not count at all."""
    values = {
        score.item_id: score.value or 0.0
        for score in findings.scores
        if (score.name, score.judge) == way and score.why != "unjudged"
    }
    counted = [item for item in items if item.answer is not None and item.id in values]
    entries: list[Estimate | None] = []
    for column in columns:
        inside = [item for item in counted if column in columns_of(item)]
        clusters = [cluster_of(item, findings.item_set.card) for item in inside]
        share = [values[item.id] for item in inside]
        entries.append(proportion(share, clusters) if inside else None)
    return Line(_label(findings.model, way), tuple(entries))


def _label(model: str, way: tuple[str, str]) -> str:
    name, judge = way
    variant = name.partition(".")[2]
    if variant == "judged":
        return f"{model}, judged by {judge}"
    if variant.startswith("likelihood-"):
        return f"{model}, {variant.removeprefix('likelihood-')} likelihood"
    return f"{model}, {variant}" if variant else model


def _published_line(row: Published, columns: Sequence[str]) -> Line:
    counts = COUNTS.get((row.set, row.split), {})
    entries = tuple(
        Estimate(row.figures[name], None, None, counts.get(name, 0))
        if name in row.figures
        else None
        for name in columns
    )
    return Line(row.model, entries, published=True, source=row.source)


_PROTOCOL_NOTES = {
    "choice": (
        "Published rows were matched by a GPT judge in five rounds; a row of ours is matched by "
        "rules unless it names a judge."
    ),
    "likelihood": (
        "No options in the prompt. Published rows take the candidate with the smallest loss over "
        "prompt and answer together, which is ours by prompt likelihood."
    ),
}
_VARIANT_NOTES = {
    "correct.circular": "Circular: right in every rotation of the options.",
    "correct.blind": "Blind: asked without the image.",
}


def _note(findings: Findings, items: Sequence[Item], board: _Board) -> str:
    told = [_PROTOCOL_NOTES[board.protocol] if board.set != A_BENCH.name else ""]
    told += [_VARIANT_NOTES[name] for name, _ in _in_order(board.ways) if name in _VARIANT_NOTES]
    ids = {item.id for item in items if item.answer is not None}
    if len(ids) < len(items):
        n = len(items) - len(ids)
        told.append(f"The answers of {n:,} of {len(items):,} questions are withheld.")
    missing = [s for s in findings.scores if s.item_id in ids and s.value is None]
    owed = [score for score in missing if score.why == "unjudged"]
    unscored = [score for score in missing if score.why != "unjudged"]
    told.append(_counted(findings, unscored, board, "Unscored, and counted as wrong"))
    told.append(_counted(findings, owed, board, "Not judged, and left out"))
    told += count_notes(_of_the_same_rows(findings, items, board))
    return " ".join(text for text in told if text)


def _of_the_same_rows(findings: Findings, items: Sequence[Item], board: _Board) -> Sequence[Item]:
    """The questions that the published rows are of: A-Bench's are of both splits together."""
    if board.set != A_BENCH.name:
        return items
    return [i for i in findings.item_set.items if i.facets.get("set") == A_BENCH.name]


def _counted(findings: Findings, scores: Sequence[Score], board: _Board, what: str) -> str:
    """How many of these scores each row has, in words; "" where none has any."""
    counts = Counter((score.name, score.judge) for score in scores)
    listed = [
        f"{counts[way]:,} ({_label(findings.model, way)})"
        for way in _in_order(board.ways)
        if counts[way]
    ]
    return f"{what}: {', '.join(listed)}." if listed else ""


def count_notes(items: Sequence[Item]) -> tuple[str, ...]:
    """Sentences on where the questions are not as many as published."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for item in items:
        key = (str(item.facets.get("set", "")), str(item.facets.get("split", "")))
        found.setdefault(key, Counter()).update(columns_of(item))
    notes = [_count_note(key, counts) for key, counts in found.items() if key in COUNTS]
    n_a_bench = sum(c[OVERALL] for (name, _), c in found.items() if name == A_BENCH.name)
    if 0 < n_a_bench != N_A_BENCH:
        told = (
            f"A-Bench: {plural(n_a_bench, 'question')}, where {N_A_BENCH:,} are published in all."
        )
        notes.append(told)
    return tuple(note for note in notes if note)


def _count_note(key: tuple[str, str], counts: Counter[str]) -> str:
    published, name = COUNTS[key], " ".join(key)
    n, of = counts[OVERALL], published[OVERALL]
    if n != of:
        return (
            f"{name}: {plural(n, 'question')}, where {of:,} are published; figures of other "
            "questions do not compare with published ones."
        )
    odd = [
        f"{counts[column]:,} on {column} (not {published[column]:,})"
        for column in published
        if abs(counts[column] - published[column]) > 1
    ]
    return f"{name}: not as published rows imply: {', '.join(odd)}." if odd else ""
