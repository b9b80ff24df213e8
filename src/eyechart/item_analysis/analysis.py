"""The analysis of items as a whole: a sentence, tables, notes, and a row for every item.

In: items and the scores of runs. Out: an `Analysis`. Computes no figure itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eyechart.item_analysis.alike import alike
from eyechart.item_analysis.answers import Answered, ResponseTable, response_table
from eyechart.item_analysis.figures import (
    FEWEST_STRONG,
    FEWEST_TO_DOUBT,
    FEWEST_TO_FIT,
    Figures,
    figures_of,
)
from eyechart.item_analysis.item_tables import all_of, counts_table, facet_table, list_tables
from eyechart.item_analysis.listing import items_csv
from eyechart.item_analysis.model_tables import ability_tables, agreement_tables
from eyechart.items import ItemSet
from eyechart.records import Table
from eyechart.report.facets import Order
from eyechart.report.formatting import listed, plural, whole


@dataclass(frozen=True, slots=True)
class Analysis:
    """Where models fail. `headline`: what was found, in a sentence. `notes`: what was left out.

    `tables`: for a page. `items_csv`: the text of a file with every item and all its figures.
    """

    headline: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    items_csv: str


def analyse(
    item_set: ItemSet, answered: Sequence[Answered], *, order: Order | None = None
) -> Analysis:
    """What the runs say of the items, and of each other.

    `order`: the facets that come first, and their values, such as `Benchmark.sizes`.

    With one run only what one run can tell: what it misses, and what it answers blind. Item
    responses are fitted from five models on, keys doubted from three strong models on, and items
    that better models miss more often told from ten on.

    Raises BadInput where there is no run of a model, or no item has a mark.

    >>> from eyechart.items import Card
    >>> from eyechart.records import Item, Score
    >>> items = ItemSet(Card("x"), tuple(Item(id, "true_false", "?", (), (), True) for id in "ab"))
    >>> run = Answered("m", [Score("a", "correct", 1.0), Score("b", "correct", 0.0)])
    >>> analyse(items, [run]).headline
    'Of 2 items 1 is missed by m.'
    """
    answers = response_table(item_set, answered)
    figures = figures_of(answers)
    return Analysis(
        headline=_headline(answers, figures),
        tables=(
            counts_table(answers, figures),
            *list_tables(answers, figures),
            facet_table(answers, figures, order),
            *ability_tables(answers, figures),
            *agreement_tables(answers.models, alike(answers)),
        ),
        notes=tuple(_notes(answers, figures)),
        items_csv=items_csv(answers, figures),
    )


def _headline(answers: ResponseTable, figures: Figures) -> str:
    parts = [f"{_are(int(figures.missed.sum()))} missed by {all_of(answers.models)}"]
    if figures.has_strong:
        n = int(figures.wrong_key.sum())
        have = f"{whole(n) if n else 'none'} {'have' if n > 1 else 'has'}"
        parts.append(
            f"{have} a key that all {whole(int(figures.is_strong.sum()))} strong models contradict"
        )
    if answers.blind_models:
        told = _are(int(figures.blind.by_all.sum()))
        luck = float(figures.blind.all_by_luck.sum())
        by_luck = f"{luck:,.0f}" if luck >= 1 else "fewer than 1"
        asked = f"{all_of(answers.blind_models)}{' asked so' if len(answers.blind) > 1 else ''}"
        parts.append(
            f"{told} answered right without the picture by {asked} (by luck it would be {by_luck})"
        )
    return f"Of {plural(len(answers.items), 'item')} {listed(parts)}."


def _are(n: int) -> str:
    return f"{whole(n)} are" if n > 1 else "1 is" if n else "none is"


def _notes(answers: ResponseTable, figures: Figures) -> Iterator[str]:
    n_models = len(answers.models)
    if answers.n_left_out:
        yield (
            f"Left out: {plural(answers.n_left_out, 'item')} without a mark by any model (the "
            "answer is withheld, there is no verdict, or it is a rating)."
        )
    n_partly = int((figures.n_models < n_models).sum())
    if n_partly:
        yield (
            f"{plural(n_partly, 'item lacks', 'items lack')} the mark of at least one model. "
            "Missed by all is what at least half of the models have a mark for, each of them 0."
        )
    if figures.responses and not figures.responses.converged:
        yield "The fit of item responses did not settle: read difficulty and ability with care."
    if lacking := list(_lacking(figures)):
        are = plural(figures.n_marked, "model is", "models are")
        yield f"{are} too few for {listed(lacking)}."


def _lacking(figures: Figures) -> Iterator[str]:
    """What there are too few models for, and how many that needs."""
    if figures.responses is None:
        yield f"difficulty, discrimination and ability (from {FEWEST_TO_FIT} on)"
    if not figures.has_strong:
        yield f"likely wrong keys (from {FEWEST_STRONG} above the median in accuracy on)"
    if not figures.has_many:
        yield f"items that better models miss more often (from {FEWEST_TO_DOUBT} on)"
