"""The tables of items: how many are flagged, overall and by facet, and which ones come first.

In: a `ResponseTable` and its `Figures`. Out: `records.Table`s, each short enough for a page.
Computes no figure of an item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Bools, Ints, ResponseTable
from eyechart.item_analysis.figures import Figures
from eyechart.item_analysis.options import choice_told
from eyechart.metrics.arrays import Floats
from eyechart.metrics.intervals import Z
from eyechart.metrics.item_response import ItemResponses
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.facets import Order, facets_of
from eyechart.report.formatting import (
    KIND_LABELS,
    facet_name,
    facet_value,
    heading,
    one_line,
    plural,
    whole,
)

MOST_LISTED = 25
MOST_QUESTION, MOST_KEY, MOST_CHOICES = 90, 40, 4
COUNTED_NOTE = "An unscored reply counts as wrong; a verdict that a judge owes is left out."
BLIND_NOTE = "Without the picture, by luck: how many it would be if every model guessed by itself."
TURNED_NOTE = (
    "Better models miss more often, by luck: how many it would be if every item followed its "
    "fitted curve."
)
STRONG_NOTE = (
    "Strong models are those above the median in accuracy over all items. All of them whose reply "
    "could be read, at least three, choose one same answer, and it is not the key. Questions with "
    "but one wrong answer, as true or false, come last: a hard one looks the same. Wrong keys of "
    "items that not all of these models know are not found this way."
)
RELATED_NOTE = (
    "Item-rest: the correlation, over models, of an item with all others. Below 0, better models "
    "miss it more often; of few models some do so by luck."
)
FITTED_NOTE = (
    "Difficulty: in standard deviations of the models' abilities, from their mean. Discrimination: "
    "how steeply the item tells models apart, always above 0."
)
UNPLACED_NOTE = (
    "A dash where all models miss the item, or all have it right: how hard it is, and how steeply "
    "it tells models apart, cannot be known."
)
Cell = Callable[[int], Estimate | str | None]


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list of items, by their places; `remark`: what to know of this list alone."""

    name: str
    title: str
    places: Sequence[int]
    remark: str = ""


def all_of(models: Sequence[str]) -> str:
    """Whom a flag is about: "all 26 models", "both models", or the name of the only one.

    >>> all_of(["m"]), all_of(["m", "n"])
    ('m', 'both models')
    """
    if len(models) == 2:
        return "both models"
    return models[0] if len(models) == 1 else f"all {whole(len(models))} models"


def counts_table(answers: ResponseTable, figures: Figures) -> Table:
    """How many items have each flag."""
    n, flags = len(answers.items), _flags(answers, figures)
    columns = [Column("items", "count"), Column("share", "percent")]
    rows: list[list[Estimate | str | None]] = [
        [_count(int(flag.sum()), n), Estimate(float(flag.mean()), None, None, n)]
        for _, flag, _ in flags
    ]
    if any(luck is not None for *_, luck in flags):
        columns.append(Column("by luck", digits=1))
        for row, (*_, luck) in zip(rows, flags, strict=True):
            row.append("" if luck is None else Estimate(float(luck.sum()), None, None, n))
    lines = (Line(name, tuple(row)) for (name, *_), row in zip(flags, rows, strict=True))
    blind = BLIND_NOTE if answers.blind_models else ""
    note = " ".join(filter(None, (COUNTED_NOTE, blind, TURNED_NOTE if figures.has_many else "")))
    title = f"Items worth a look, of {whole(n)}"
    return Table("items-flagged", title, tuple(columns), tuple(lines), note, "Items")


def _flags(answers: ResponseTable, figures: Figures) -> list[tuple[str, Bools, Floats | None]]:
    """Each flag in words, the items that have it, and how likely each has it by luck."""
    everyone, blind = all_of(answers.models), figures.blind
    flags: list[tuple[str, Bools, Floats | None]] = [
        (f"Missed by {everyone}", figures.missed, None),
        (f"Right by {everyone}", figures.share_right == 1, None),
    ]
    if figures.has_strong:
        flags.append(("Key that all strong models contradict", figures.wrong_key, None))
    if figures.has_many:
        flags.append(("Better models miss more often", figures.turned, figures.turned_by_luck))
    if answers.blind_models:
        told = f"Right without the picture by {all_of(answers.blind_models)}"
        flags.append((told, blind.by_all, blind.all_by_luck))
    if len(answers.blind_models) > 1:
        told = f"Right without the picture by any of {plural(len(answers.blind_models), 'model')}"
        flags.append((told, blind.by_any, blind.any_by_luck))
    return flags


def facet_table(answers: ResponseTable, figures: Figures, order: Order | None = None) -> Table:
    """The share right and the number of flagged items for each value of each facet.

    `order`: the facets that come first, and their values, as in `facets_of`.
    """
    flags = {"missed by all": figures.missed}
    if figures.has_strong:
        flags["likely wrong key"] = figures.wrong_key
    if answers.blind_models:
        flags["right blind"] = figures.blind.by_all
    lines = []
    for facet in facets_of(answers.items, order):
        for value, members in zip(facet.values, facet.members, strict=True):
            places, n = list(members), len(members)
            share = Estimate(float(figures.share_right[places].mean()), None, None, n)
            counts = (_count(int(flag[places].sum()), n) for flag in flags.values())
            name = one_line(facet_value(facet.name, value), MOST_KEY)
            group = heading(facet_name(facet.name))
            lines.append(Line(name, (_count(n, n), share, *counts), group=group))
    columns = (
        *(Column("items", "count"), Column("share right", "percent")),
        *(Column(name, "count") for name in flags),
    )
    title, label = "Flagged items by facet", "Facet"
    return Table("items-by-facet", title, columns, tuple(lines), COUNTED_NOTE, label)


def list_tables(answers: ResponseTable, figures: Figures) -> Iterator[Table]:
    """The first items of each list; no table of a list without items."""
    cells = _cells(answers, figures)
    for found in _listings(answers, figures):
        if found.places:
            yield _listed(answers, found, cells, _columns_note(figures, found.places))


def _listings(answers: ResponseTable, figures: Figures) -> Iterator[_Listing]:
    """The lists; an item whose key is likely wrong is in none but the first and the last."""
    blind, others = answers.blind_models, ~figures.wrong_key
    last = np.where(answers.has_several_wrong, 0, len(answers.models) + 1)
    yield _Listing(
        "items-likely-wrong-keys",
        "Keys that all strong models contradict",
        _ordered(figures.wrong_key, last - _on_strong(figures)),
        STRONG_NOTE,
    )
    yield _Listing(
        "items-missed",
        f"Items missed by {all_of(answers.models)}",
        _ordered(figures.missed & others, -figures.counts.max(axis=1, initial=0)),
        _doubted(figures, figures.missed),
    )
    yield _Listing(
        "items-negative-item-rest",
        "Items that better models miss more often",
        _ordered(figures.turned & others, figures.item_rest),
        " ".join(filter(None, (_doubted(figures, figures.turned), _by_luck(figures)))),
    )
    yield _Listing(
        "items-right-blind",
        f"Items answered right without the picture by {all_of(blind)}" if blind else "",
        _ordered(figures.blind.by_all, figures.blind.all_by_luck),
    )


def _on_strong(figures: Figures) -> Ints:
    """How many models choose what all strong ones do [items]."""
    chosen = figures.strong_choice
    return np.array([0 if c == NO_CHOICE else figures.counts[i, c] for i, c in enumerate(chosen)])


def _doubted(figures: Figures, flag: Bools) -> str:
    """How many flagged items stand in the list of keys instead."""
    n = int((flag & figures.wrong_key).sum())
    return f"{plural(n, 'more has', 'more have')} a likely wrong key and no line here." if n else ""


def _by_luck(figures: Figures) -> str:
    n = float(figures.turned_by_luck.sum())
    return f"By luck it would be {n:,.0f} if every item followed its fitted curve."


def chosen_in_words(answers: ResponseTable, figures: Figures, place: int) -> str:
    """How many models chose what, the four most frequent first: "C. Haze ×20; B. Noise ×4"."""
    item, counts = answers.items[place], figures.counts[place]
    order = [option for option in np.argsort(-counts, kind="stable") if counts[option]]
    told = [
        f"{choice_told(item, answers.options[option])} ×{whole(counts[option])}"
        for option in order[:MOST_CHOICES]
    ]
    return "; ".join([*told, *(["…"] if len(order) > MOST_CHOICES else [])])


def figure(value: float, half: float | None = None) -> Estimate | None:
    """A figure of one item, with its interval where half its width is known; None for NaN.

    >>> figure(0.5, 0.2)
    Estimate(value=0.5, low=0.3, high=0.7, n=0)
    """
    if np.isnan(value):
        return None
    if half is None:
        return Estimate(float(value), None, None, 0)
    return Estimate(float(value), float(value - half), float(value + half), 0)


def _count(n: int, of: int) -> Estimate:
    return Estimate(float(n), None, None, of)


def _ordered(flag: Bools, by: Floats) -> list[int]:
    """The flagged places, the lowest of `by` first, equal ones in the order of the items."""
    places = np.flatnonzero(flag)
    return [int(place) for place in places[np.argsort(by[places], kind="stable")]]


def _listed(
    answers: ResponseTable, found: _Listing, cells: dict[Column, Cell], columns_note: str
) -> Table:
    """The table of the first items of a list."""
    lines = [
        Line(
            one_line(answers.items[place].id, MOST_KEY),
            tuple(told(place) for told in cells.values()),
        )
        for place in found.places[:MOST_LISTED]
    ]
    more = len(found.places) - MOST_LISTED
    rest = f"The first {MOST_LISTED} of {plural(len(found.places), 'item')}." if more > 0 else ""
    note = " ".join(filter(None, (rest, found.remark, columns_note)))
    return Table(found.name, found.title, tuple(cells), tuple(lines), note, "Item")


def _columns_note(figures: Figures, places: Sequence[int]) -> str:
    """What the figures of a list are, and why some of the items listed lack them."""
    related = "" if np.isnan(figures.item_rest).all() else RELATED_NOTE
    fitted = FITTED_NOTE if figures.responses else ""
    lacks = fitted and not all(figures.is_placed[place] for place in places[:MOST_LISTED])
    return " ".join(filter(None, (related, fitted, UNPLACED_NOTE if lacks else "")))


def _cells(answers: ResponseTable, figures: Figures) -> dict[Column, Cell]:
    """The columns of a list, and what each says of the item at a place."""
    items = answers.items
    cells: dict[Column, Cell] = {
        Column("question"): lambda i: one_line(items[i].question, MOST_QUESTION),
        Column("kind"): lambda i: KIND_LABELS[items[i].kind],
        Column("key"): lambda i: _key(answers, i),
        Column("models chose"): lambda i: chosen_in_words(answers, figures, i),
        Column("share right", "percent"): lambda i: figure(figures.share_right[i]),
    }
    if not np.isnan(figures.item_rest).all():
        cells[Column("item-rest", digits=2)] = lambda i: figure(figures.item_rest[i])
    if figures.responses is not None:
        cells |= _fitted_cells(figures.responses, figures.is_placed)
    if not np.isnan(answers.people).all():
        cells[Column("people", "percent")] = lambda i: figure(answers.people[i])
    return cells


def _fitted_cells(found: ItemResponses, is_placed: Bools) -> dict[Column, Cell]:
    return {
        Column("difficulty", digits=1): lambda i: (
            figure(found.difficulty[i], Z * found.difficulty_se[i]) if is_placed[i] else None
        ),
        Column("discrimination", digits=2): lambda i: (
            _discrimination(found, i) if is_placed[i] else None
        ),
    }


def _discrimination(found: ItemResponses, place: int) -> Estimate | None:
    """With an interval on the scale of its logarithm, on which it is fitted."""
    value = float(found.discrimination[place])
    if np.isnan(value):
        return None
    reach = float(np.exp(Z * found.discrimination_se[place] / value))
    return Estimate(value, value / reach, value * reach, 0)


def _key(answers: ResponseTable, place: int) -> str:
    """The right answer: of options letters with their texts, of open questions the reference."""
    item, key = answers.items[place], answers.key(place)
    return choice_told(item, key) if key else one_line(str(item.answer or ""), MOST_KEY)
