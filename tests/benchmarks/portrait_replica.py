"""A replica of Q-Bench-Portrait: items in the published numbers, and replies for each model.

In: the published figures. Out: 2,765 items with images of their own, and replies and verdicts in
words, from which every published figure comes out to the printed digit. The same every time, with
one release of SciPy.

What the paper fixes (arXiv 2601.18346). The items of every subset of Tables 3 to 6, and those of
every source data set (Table 2). The half marks of each model in each subset: one whole number alone
fits the printed digits. The random guess row, (0.25 SC + 0.5 TF) / (SC + TF): it tells the share of
true/false among the single choice and true/false of each subset to within 0.0002.

What it leaves open and is chosen here. How many items each cell has (image source, concern, kind
and scope at once): first each source with its dimension, and each concern, gets numbers of
questions by kind that give the random guess row and are close to independence (within 5 % of the
least sum of distances, each over the root of the expected number); then the cells are what
independence within these numbers gives, rounded up or down. All 25 models fit this one table. The
half marks of a model in a cell: as if what source, concern, kind and scope do to its accuracy
multiplied, adjusted to its published figures, rounded up or down. Within a cell, which items are
right: those with the most ease, half of it the item's own and half the model's. Source data sets:
dealt out within their image source. All texts, images, options, keys and wrong answers are made up.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from tests.benchmarks.portrait_half_marks import half_marks

from eyechart.benchmarks.qbench_portrait_published import BASELINE, Published, published_rows
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    COUNTS,
    DATASETS,
    DIMENSIONS,
    OVERALL,
    SCOPES,
    SOURCES,
    subsets_of,
)
from eyechart.items import Card, ItemSet, write_items
from eyechart.records import LETTERS, Item, Kind, Picture, Response

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
JUDGE = "the judge"
N_DRAWS = 3
PLACES = ("face", "hair", "hands", "background")
"""Whose quality the four options of a question are about."""
SIDES = tuple(key for key in COUNTS if key.partition("/")[0] in SOURCES and "/" in key)
CONCERNS = {concern: name for name, concerns in DIMENSIONS.items() for concern in concerns}
PARTS = (*SIDES, *CONCERNS)
"""Two ways to part all items: by source and dimension, and by concern."""
HALF_A_DIGIT = 0.005


@dataclass(frozen=True, slots=True)
class Cell:
    """Items that are alike in every facet but the source data set."""

    source: str
    concern: str
    kind: Kind
    scope: str

    @property
    def side(self) -> str:
        return f"{self.source}/{CONCERNS[self.concern]}"

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(subsets_of(self.item()))

    @property
    def most(self) -> int:
        """The most marks of an item, counted in those that it can have: 0 or 1, or 0, 1 or 2."""
        return 2 if self.kind == "open" else 1

    def item(self) -> Item:
        facets = {
            "image_source": self.source,
            "dimension": CONCERNS[self.concern],
            "concern": self.concern,
            "scope": self.scope,
        }
        return Item("", self.kind, "", (), facets=facets)


CELLS = tuple(
    Cell(source, concern, kind, scope)
    for source in SOURCES
    for concern, dimension in CONCERNS.items()
    if f"{source}/{dimension}" in COUNTS
    for kind in CODES
    for scope in SCOPES
)


ROWS = {row.model: row for row in published_rows()}
MODELS = tuple(row.model for row in ROWS.values() if row.group != BASELINE)
(GUESSING,) = (row for row in ROWS.values() if row.group == BASELINE)


# --- how many items each cell has ----------------------------------------------------------------


@cache
def joint_table() -> Mapping[Cell, int]:
    """How many items each cell has."""
    by_part = _kinds_by_part()
    expected = []
    for cell in CELLS:
        within = sum(by_part[other, cell.kind] for other in DIMENSIONS[CONCERNS[cell.concern]])
        both = by_part[cell.side, cell.kind] * by_part[cell.concern, cell.kind] / within
        code = CODES[cell.kind]
        expected.append(both * COUNTS[f"{code}/{cell.scope}"] / COUNTS[code])
    by_scope = {(s, kind): COUNTS[f"{CODES[kind]}/{s}"] for kind in CODES for s in SCOPES}
    totals = by_part | by_scope
    sets = [
        [kind == cell.kind and part in (cell.side, cell.concern, cell.scope) for cell in CELLS]
        for part, kind in totals
    ]
    wanted = np.array(list(totals.values()), float)
    found = _whole(np.array(expected), np.array(sets, float), wanted)
    return dict(zip(CELLS, map(int, found), strict=True))


def _kinds_by_part() -> dict[tuple[str, Kind], int]:
    """How many questions of each kind each part has, so that guessing gives the published row."""
    n = np.outer([COUNTS[part] for part in PARTS], [COUNTS[code] for code in CODES.values()])
    expected = n.ravel() / COUNTS[OVERALL]
    rows, low, high = _demands()
    each, nothing = np.eye(len(expected)), np.zeros_like(rows)
    found = milp(  # the numbers, then the distance of each from what is expected
        np.r_[np.zeros(len(expected)), 1 / np.sqrt(expected)],
        constraints=[
            LinearConstraint(np.c_[rows, nothing], low, high),
            LinearConstraint(np.c_[each, -each], -np.inf, expected),
            LinearConstraint(np.c_[each, each], expected, np.inf),
        ],
        integrality=np.r_[np.ones(len(expected)), np.zeros(len(expected))],
        options={"mip_rel_gap": 0.05},
    )
    numbers = np.rint(_solved(found)[: len(expected)]).astype(int)
    return dict(zip(product(PARTS, CODES), map(int, numbers), strict=True))


def _demands() -> tuple[Floats, Floats, Floats]:
    """What the numbers by part and kind must meet: weights [demands, numbers], least, greatest."""
    parts = dict(zip(PARTS, np.eye(len(PARTS)), strict=True))
    unions = {
        key: np.array([float(key in part.split("/")) for part in PARTS])
        for key in (*SOURCES, *DIMENSIONS)
    }
    every = sum(unions[name] for name in DIMENSIONS)
    found: list[tuple[Floats, float, float]] = []
    for part, members in parts.items():
        found.append((np.outer(members, np.ones(4)), COUNTS[part], COUNTS[part]))
    for code, one in zip(CODES.values(), np.eye(4), strict=True):
        found.append((np.outer(every, one), COUNTS[code], COUNTS[code]))
        for name, concerns in DIMENSIONS.items():
            between = unions[name] - sum(parts[concern] for concern in concerns)
            found.append((np.outer(between, one), 0, 0))
    for key, members in (parts | unions).items():
        for side in (-1, 1):  # 25 SC + 50 TF is within half a digit of the figure, times SC + TF
            edge = 100 * GUESSING.figures[key] + side * (HALF_A_DIGIT - 1e-6)
            kinds = side * np.array([25 - edge, 0, 50 - edge, 0])
            found.append((np.outer(members, kinds), -np.inf, 0))
    rows, low, high = zip(*found, strict=True)
    return np.array([row.ravel() for row in rows]), np.array(low), np.array(high)


def _whole(expected: Floats, sets: Floats, totals: Floats, most: Floats | float = np.inf) -> Whole:
    """Whole numbers up to `most` with these totals over these sets, each next to its expectation.

    The expectations are first adjusted to the totals (least squares, relative to their size).
    """
    for _ in range(50):
        off = totals - sets @ expected
        if np.abs(off).max() < 1e-6:
            break
        steps = np.linalg.lstsq((sets * expected) @ sets.T, off, rcond=None)[0]
        expected = np.clip(expected + expected * (sets.T @ steps), 0, most)
    low, high = np.floor(expected + 1e-6), np.ceil(expected - 1e-6)
    found = milp(
        1 - 2 * (expected - low),
        constraints=LinearConstraint(csr_array(sets), totals, totals),
        integrality=np.ones(len(expected)),
        bounds=Bounds(low, high),
        options={"mip_rel_gap": 0.5},
    )
    return np.rint(_solved(found)).astype(int)


def _solved(found: object) -> Floats:
    x = getattr(found, "x", None)
    if x is None:
        raise ArithmeticError(f"no table meets all the totals: {getattr(found, 'message', '')}")
    return np.asarray(x, float)


# --- the items -----------------------------------------------------------------------------------


@cache
def bare_items() -> tuple[Item, ...]:
    """The items without images, in an order that mixes all facets."""
    rng = Random("items")
    cells = [cell for cell, n in joint_table().items() for _ in range(n)]
    rng.shuffle(cells)
    decks: dict[str, list[str]] = {source: [] for source in SOURCES}
    for name, (source, n) in DATASETS.items():
        decks[source] += [name] * n
    for deck in decks.values():
        rng.shuffle(deck)
    return tuple(_item(i, cell, decks[cell.source].pop()) for i, cell in enumerate(cells, 1))


def _item(number: int, cell: Cell, dataset: str) -> Item:
    what = cell.concern.lower()
    options = tuple(f"{what} of the {place}" for place in PLACES)
    right = tuple(options[i] for i in _right_of(number))
    asked: dict[Kind, tuple[str, tuple[str, ...], str | tuple[str, ...] | bool]] = {
        "single": ("What stands out most?", options, options[number % 4]),
        "multiple": ("Which of these stand out?", options, right),
        "true_false": (f"The {what} stands out.", (), number % 2 == 0),
        "open": (f"How does the {what} stand out?", (), f"The {what} of the face is strong."),
    }
    question, options, answer = asked[cell.kind]
    bare = cell.item()
    return replace(
        bare,
        id=f"portrait-{number:04}",
        question=f"Portrait {number}. {question}",
        options=options,
        answer=answer,
        facets={**bare.facets, "source_dataset": dataset},
    )


SUBSETS = tuple(chosen for n in range(1, 5) for chosen in combinations(range(4), n))


def _right_of(number: int) -> tuple[int, ...]:
    """Which of several options are right: all fifteen possible answers in turn."""
    return SUBSETS[number % len(SUBSETS)]


def replica_items(folder: Path) -> ItemSet:
    """The items with their images, written as an item folder."""
    (folder / "images").mkdir(parents=True)
    items = []
    for number, item in enumerate(bare_items(), 1):
        file = folder / "images" / f"{item.id}.png"
        file.write_bytes(_png(number))
        items.append(replace(item, images=(Picture(file, name=file.name),)))
    card = Card("portrait-replica", title="Replica", version="1", benchmark="qbench-portrait")
    return ItemSet(write_items(folder, items, card), tuple(items))


def _png(number: int, side: int = 16) -> bytes:
    """A small image in a colour of its own."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    row = b"\0" + bytes([number // 256, number % 256, 128]) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(row * side, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


# --- the models ----------------------------------------------------------------------------------


@cache
def marks_by_cell(model: str) -> Mapping[Cell, int]:
    """The marks of a published model in each cell: whole ones, of open questions half ones."""
    row = ROWS[model]
    totals = np.array([half_marks(row, key) for key in COUNTS], float)
    numbers = np.array([n * cell.most for cell, n in joint_table().items()], float)
    shares = np.array([_share(row, cell) for cell in CELLS])
    marks = _whole(shares * numbers, _half_marks_by_subset(), totals, numbers)
    return dict(zip(CELLS, map(int, marks), strict=True))


@cache
def _half_marks_by_subset() -> Floats:
    """How many half marks a mark in each cell (column) adds to each subset (row)."""
    keys = [cell.keys for cell in CELLS]
    inside = np.array([[float(key in mine) for mine in keys] for key in COUNTS])
    by_cell: Floats = inside * np.array([2 / cell.most for cell in CELLS])
    return by_cell


def _share(row: Published, cell: Cell) -> float:
    """The accuracy in a cell if what source, concern, kind and scope do to it multiplied."""
    of = row.figures
    dimension = CONCERNS[cell.concern]
    asked = of[f"{CODES[cell.kind]}/{cell.scope}"]
    return min(1.0, asked * of[cell.concern] * of[cell.side] / of[dimension] / of[OVERALL])


@cache
def worth_of(model: str) -> Mapping[str, int]:
    """What each item is worth to a published model: 0 or 1, of open ones the verdict, 0 to 2."""
    ease, rng = Random("ease"), Random(model)
    ranked = sorted(bare_items(), key=lambda item: -(ease.random() + rng.random()))
    members: dict[frozenset[str], list[Item]] = {}
    for item in ranked:
        members.setdefault(frozenset(subsets_of(item)), []).append(item)
    found: dict[str, int] = {}
    for cell, marks in marks_by_cell(model).items():
        mine = members.get(cell.keys, [])
        for item, worth in zip(mine, _dealt(marks, len(mine), cell.most), strict=True):
            found[item.id] = worth
    return found


def _dealt(marks: int, n_items: int, most: int) -> Sequence[int]:
    """So many marks over so many items; of open questions some twos, ones and zeros."""
    n_twos = max(marks - n_items, marks // 3) if most == 2 else 0
    n_ones = marks - 2 * n_twos
    return [2] * n_twos + [1] * n_ones + [0] * (n_items - n_twos - n_ones)


# --- what they say -------------------------------------------------------------------------------


def replies(model: str) -> dict[str, str]:
    """A published model's replies by item, as the scripted backend reads them."""
    worth = worth_of(model)
    return {
        item.id: _reply(item, number, worth[item.id]) for number, item in enumerate(bare_items(), 1)
    }


def judge_replies(model: str) -> dict[str, str]:
    """The judge's replies to a published model's open answers, by item."""
    worth = worth_of(model)
    return {item.id: f"Score: {worth[item.id]}" for item in bare_items() if item.kind == "open"}


def responses(model: str) -> list[Response]:
    """A published model's replies as responses, with three verdicts on each open answer.

    Of every other open answer the verdicts differ, and two of the three agree.
    """
    given = judge_replies(model)
    said = [_response(key, text, model) for key, text in replies(model).items()]
    for number, (key, text) in enumerate(given.items()):
        odd = f"Score: {1 if text.endswith('2') else 2}"
        texts = [text, odd if number % 2 else text, text]
        said += [
            replace(_response(key, t, JUDGE), role="judge", draw=i) for i, t in enumerate(texts)
        ]
    return said


def _response(item_id: str, text: str, model: str) -> Response:
    return Response(item_id, "answer", 0, "", model, text=text, finish="stop")


def _reply(item: Item, number: int, worth: int) -> str:
    if item.kind == "open":
        return ("Nothing stands out.", "It is strong somewhere.", str(item.answer))[worth]
    if item.kind == "true_false":
        said = bool(item.answer) == bool(worth)
        return (f"{said}", f"{said}.", f"The statement is {str(said).lower()}.")[number % 3]
    if item.kind == "single":
        off = 0 if worth else 1 + number // 4 % 3
        return _one_of(item, (number + off) % 4, number)
    off = 0 if worth else 1 + number // 15 % 14
    return _several_of(item, _right_of(number + off), number)


def _one_of(item: Item, place: int, number: int) -> str:
    letter, text = LETTERS[place], item.options[place]
    forms = (letter, f"{letter}.", f"{letter}. {text}", f"({letter})", f"The answer is {letter}.")
    return forms[number % len(forms)]


def _several_of(item: Item, places: Sequence[int], number: int) -> str:
    letters = [LETTERS[place] for place in places]
    lines = [f"{LETTERS[place]}. {item.options[place]}" for place in places]
    return (", ".join(letters), " and ".join(letters), "\n".join(lines))[number // 15 % 3]
