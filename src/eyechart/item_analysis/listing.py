"""Every item with all that is known of it, as CSV.

In: a `ResponseTable` and its `Figures`. Out: a text, one row for each item, safe to open in a
spreadsheet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eyechart.item_analysis.answers import NO_CHOICE, Ints, ResponseTable
from eyechart.item_analysis.figures import Figures
from eyechart.item_analysis.options import options_told, pictures_told, texts_of
from eyechart.metrics.arrays import Floats
from eyechart.records import Item
from eyechart.report.facets import value_of
from eyechart.report.formatting import one_line
from eyechart.report.printed import MOST_TEXT, Printed, csv_text, exact

Columns = dict[str, Sequence[str]]


def items_csv(answers: ResponseTable, figures: Figures) -> str:
    """One row for each item; empty where a figure is undefined or the flag cannot be set.

    Columns: `id`, `kind`, `image`, each facet, the question with its options and key, what models
    made of it and the flags.
    """
    columns: Columns = {
        "id": [item.id for item in answers.items],
        "kind": [item.kind for item in answers.items],
        "image": [pictures_told(item) for item in answers.items],
    }
    own = _of_models(answers, figures) | _flags(answers, figures)
    for facet in _facets(answers.items):
        name = f"facet {facet}" if facet in own or facet in columns else facet
        columns[name] = [value_of(item, facet) for item in answers.items]
    columns |= own
    rows = tuple(zip(*columns.values(), strict=True))
    return csv_text(Printed("items", "", (), (), tuple(columns), rows))


def _facets(items: Sequence[Item]) -> list[str]:
    """The names of all facets, in the order in which items have them, and the source if any."""
    names = dict.fromkeys(name for item in items for name in item.facets)
    return list(names | dict.fromkeys(["source"] if any(item.source for item in items) else []))


def _of_models(answers: ResponseTable, figures: Figures) -> Columns:
    items, responses = answers.items, figures.responses
    nothing = np.full(len(items), np.nan)
    people = {} if np.isnan(answers.people).all() else {"people_right": _numbers(answers.people)}
    return {
        "question": [item.question for item in items],
        "options": [options_told(item) for item in items],
        "key": [
            answers.key(place) or one_line(str(item.answer or ""), MOST_TEXT)
            for place, item in enumerate(items)
        ],
        "key_text": _texts(answers, answers.keys),
        "most_chosen": _options(answers, figures.most_chosen),
        "most_chosen_text": _texts(answers, figures.most_chosen),
        "n_models": [str(n) for n in figures.n_models],
        "share_right": _numbers(figures.share_right),
        **people,
        "item_rest": _numbers(figures.item_rest),
        "difficulty": _numbers(responses.difficulty if responses else nothing),
        "difficulty_se": _numbers(responses.difficulty_se if responses else nothing),
        "discrimination": _numbers(responses.discrimination if responses else nothing),
        "discrimination_se": _numbers(responses.discrimination_se if responses else nothing),
    }


def _flags(answers: ResponseTable, figures: Figures) -> Columns:
    blind = zip(figures.blind.asked, figures.blind.by_all, strict=True)
    closed = answers.keys != NO_CHOICE
    return {
        "missed_by_all": [_yes_or_no(flag) for flag in figures.missed],
        "right_blind_by_all": [_yes_or_no(flag) if asked else "" for asked, flag in blind],
        "strong_agree_on": _options(answers, figures.strong_choice),
        "likely_wrong_key": [
            _yes_or_no(flag) if figures.has_strong and can else ""
            for can, flag in zip(closed, figures.wrong_key, strict=True)
        ],
    }


def _options(answers: ResponseTable, places: Ints) -> list[str]:
    return [answers.option(int(place)) for place in places]


def _texts(answers: ResponseTable, places: Ints) -> list[str]:
    """The texts of what is chosen; empty where that is its own text, as True."""
    options = _options(answers, places)
    return [texts_of(item, told) for item, told in zip(answers.items, options, strict=True)]


def _numbers(values: Floats) -> list[str]:
    return [exact(None if np.isnan(value) else float(value)) for value in values]


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"
