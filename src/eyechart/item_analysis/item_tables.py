"""The tables of items: how many are flagged, overall and by facet, and which ones come first.

In: `Answers` and `Figures`. Out: `records.Table`s, each short enough for a page. Computes no figure
of an item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Answers, Bools, key_of
from eyechart.item_analysis.figures import Figures
from eyechart.metrics.arrays import Floats
from eyechart.metrics.intervals import Z
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.facets import facets_of
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
LUCK_NOTE = "By luck: how many it would be if every model guessed by itself."
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
FITTED_NOTE = "Difficulty: in standard deviations of the models' abilities, from their mean."


def all_of(models: Sequence[str]) -> str:
    """Whom a flag is about: "all 26 models", or the name of the only one.

    >>> all_of(["m"]), all_of(["m", "n"])
    ('m', 'all 2 models')
    """
    return models[0] if len(models) == 1 else f"all {len(models)} models"


def counts_table(answers: Answers, figures: Figures) -> Table:
    """How many items have each flag."""
    n, everyone, blind = len(answers.items), all_of(answers.models), figures.blind
    flags: list[tuple[str, Bools, Floats | None]] = [
        (f"Missed by {everyone}", figures.missed, None),
        (f"Right by {everyone}", figures.share_right == 1, None),
    ]
    if figures.has_strong:
        flags.append(("Key that all strong models contradict", figures.wrong_key, None))
    if answers.blind_models:
        told = f"Right without the picture by {all_of(answers.blind_models)}"
        flags.append((told, blind.by_all, blind.all_by_luck))
    if len(answers.blind_models) > 1:
        told = f"Right without the picture by any of {len(answers.blind_models)} models"
        flags.append((told, blind.by_any, blind.any_by_luck))
    columns = [Column("items", "count"), Column("share", "percent")]
    rows: list[list[Estimate | str | None]] = [
        [_count(int(flag.sum()), n), Estimate(float(flag.mean()), None, None, n)]
        for _, flag, _ in flags
    ]
    if answers.blind_models:
        columns.append(Column("by luck", digits=1))
        for row, (_, _, luck) in zip(rows, flags, strict=True):
            row.append("" if luck is None else Estimate(float(luck.sum()), None, None, n))
    lines = (Line(name, tuple(row)) for (name, _, _), row in zip(flags, rows, strict=True))
    title = f"Items worth a look, of {whole(n)}"
    note = f"{COUNTED_NOTE} {LUCK_NOTE}" if answers.blind_models else COUNTED_NOTE
    return Table("items-flagged", title, tuple(columns), tuple(lines), note, "Items")


def facet_table(answers: Answers, figures: Figures) -> Table:
    """The share right and the number of flagged items for each value of each facet."""
    flags = {"missed by all": figures.missed}
    if figures.has_strong:
        flags["likely wrong key"] = figures.wrong_key
    if answers.blind_models:
        flags["right blind"] = figures.blind.by_all
    lines = []
    for facet in facets_of(answers.items):
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


def list_tables(answers: Answers, figures: Figures) -> Iterator[Table]:
    """The first items of each list: missed by all, with a likely wrong key, right blind."""
    most = figures.counts.max(axis=1, initial=0)
    on_strong = np.array(
        [0 if c == NO_CHOICE else figures.counts[i, c] for i, c in enumerate(figures.strong_choice)]
    )
    last = np.where(answers.has_several_wrong, 0, len(answers.models) + 1)
    blind = answers.blind_models
    yield from _listed(
        answers,
        figures,
        name="items-likely-wrong-keys",
        title="Keys that all strong models contradict",
        order=_ordered(figures.wrong_key, last - on_strong),
    )
    yield from _listed(
        answers,
        figures,
        name="items-missed",
        title=f"Items missed by {all_of(answers.models)}",
        order=_ordered(figures.missed, -most),
    )
    yield from _listed(
        answers,
        figures,
        name="items-right-blind",
        title=f"Items answered right without the picture by {all_of(blind)}" if blind else "",
        order=_ordered(figures.blind.by_all, figures.blind.all_by_luck),
    )


def chosen_in_words(answers: Answers, figures: Figures, place: int) -> str:
    """How many models chose what, the four most frequent first: "C ×20; A, B ×4"."""
    counts = figures.counts[place]
    order = [option for option in np.argsort(-counts, kind="stable") if counts[option]]
    told = [f"{answers.options[option]} ×{counts[option]}" for option in order[:MOST_CHOICES]]
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
    answers: Answers, figures: Figures, *, name: str, title: str, order: Sequence[int]
) -> Iterator[Table]:
    """The table of the first items; none where there is no item."""
    if not order:
        return
    cells = _cells(answers, figures)
    lines = [
        Line(
            one_line(answers.items[place].id, MOST_KEY),
            tuple(told(place) for told in cells.values()),
        )
        for place in order[:MOST_LISTED]
    ]
    more = len(order) - MOST_LISTED
    rest = f"The first {MOST_LISTED} of {plural(len(order), 'item')}." if more > 0 else ""
    strong = STRONG_NOTE if name == "items-likely-wrong-keys" else ""
    related = "" if np.isnan(figures.item_rest).all() else RELATED_NOTE
    fitted = FITTED_NOTE if figures.responses else ""
    note = " ".join(filter(None, (rest, strong, related, fitted)))
    yield Table(name, title, tuple(cells), tuple(lines), note, "Item")


def _cells(
    answers: Answers, figures: Figures
) -> dict[Column, Callable[[int], Estimate | str | None]]:
    """The columns of a list, and what each says of the item at a place."""
    items, responses = answers.items, figures.responses
    cells: dict[Column, Callable[[int], Estimate | str | None]] = {
        Column("question"): lambda i: one_line(items[i].question, MOST_QUESTION),
        Column("kind"): lambda i: KIND_LABELS[items[i].kind],
        Column("key"): lambda i: _key(answers, i),
        Column("models chose"): lambda i: chosen_in_words(answers, figures, i),
        Column("share right", "percent"): lambda i: figure(figures.share_right[i]),
    }
    if not np.isnan(figures.item_rest).all():
        cells[Column("item-rest", digits=2)] = lambda i: figure(figures.item_rest[i])
    if responses is not None:
        cells[Column("difficulty", digits=1)] = lambda i: figure(
            responses.difficulty[i], Z * responses.difficulty_se[i]
        )
    if not np.isnan(answers.people).all():
        cells[Column("people", "percent")] = lambda i: figure(answers.people[i])
    return cells


def _key(answers: Answers, place: int) -> str:
    """The right answer; a single choice's with its text, since that is what is looked at."""
    item, key = answers.items[place], key_of(answers.items[place])
    text = item.answer if isinstance(item.answer, str) else ""
    return one_line(f"{key} {text}".strip() if key else text, MOST_KEY)
