"""Tables about people: what they reach, how far they agree, the ceiling that this implies.

In: items and ratings. Out: `records.Table`s, and notes that a reader must see. All intervals are
over items; none says how other people would have answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from eyechart.items import ItemSet
from eyechart.metrics.agreement import equal_shares, mean_kappa, packed, shared_items
from eyechart.metrics.krippendorff import Level, alpha_estimate
from eyechart.people.figures import highest_correlation, leave_one_out
from eyechart.people.reach import reach_table, share
from eyechart.people.sheets import Sheet, sheets_of
from eyechart.ratings import last_rounds
from eyechart.records import JUDGED_KINDS, Column, Estimate, Kind, Line, Rating, Table
from eyechart.report.formatting import KIND_LABELS, heading, listed, plural, whole

LEVELS: dict[Kind, Level] = {"open": "ordinal", "describe": "ordinal", "rate": "interval"}
AGREEMENT_NOTE = (
    "Of questions that two people or more answered. Alpha and kappa are 1 for full agreement and 0 "
    "for that of chance. Kappa is Cohen's, each pair of people counting by the questions that both "
    "answered."
)
EQUAL_NOTE = "Equal answers: the share of pairs of people who gave the same one."
CHOICE_NOTE = (
    "For single and multiple choice chance is that of each question's own options: option B of one "
    "question has nothing in common with option B of the next."
)
VERDICT_NOTE = "Alpha takes verdicts as ranks; kappa squares their differences."
RATING_NOTE = "Alpha takes ratings as distances; kappa squares their differences."
CEILING_NOTE = (
    "Agreement with the others: how often one person's answer is the most frequent one of the "
    "others (its share where several are). A model that always gives people's common answer would "
    "reach as much if one person had made the key; where few people answered it is too low."
)
VERDICT_CEILING = (
    "Of open answers the verdicts are compared: it is what a judge who knows the common verdict "
    "would reach."
)
RATING_CEILING = (
    "Highest correlation: what a perfect prediction of people's common opinion would have with the "
    "mean ratings of these people; the square root of the reliability of these means."
)


def people_tables(item_set: ItemSet, ratings: Sequence[Rating]) -> tuple[Table, ...]:
    """What people reach; how far they agree; the ceiling that their disagreement sets.

    The first is of questions with a right answer or a verdict; the others have a line for each kind
    of question of which two people or more answered one. A table without lines is left out, which
    `people_notes` tells. Raises BadInput where a value is no answer to its item.
    """
    sheets = sheets_of(item_set, ratings)
    shared = [sheet for sheet in sheets if _is_shared(sheet)]
    found = (reach_table(sheets), _agreement(shared), _ceiling(shared))
    return tuple(table for table in found if table.lines)


def people_notes(item_set: ItemSet, ratings: Sequence[Rating]) -> tuple[str, ...]:
    """Sentences that a reader must see: who answered how much, and what is undefined."""
    ids = {item.id for item in item_set.items}
    mine = [rating for rating in ratings if rating.item_id in ids]
    if not mine:
        return ("People answered none of these items.",)
    return tuple(_notes(sheets_of(item_set, mine), mine, len(item_set.items)))


def _notes(sheets: Sequence[Sheet], ratings: Sequence[Rating], n_items: int) -> Iterator[str]:
    last = last_rounds(ratings)
    n_answered = sum(len(sheet.items) for sheet in sheets)
    people = plural(len({rating.rater for rating in last}), "person", "people")
    each = len(last) / n_answered
    yield (
        f"{people} answered {whole(n_answered)} of {plural(n_items, 'item')}; "
        f"an item that was answered has {each:.1f} answers on average."
    )
    if len(last) < len(ratings):
        earlier = plural(len(ratings) - len(last), "earlier answer")
        yield f"Of several rounds the last of each person counts: {earlier} left out."
    n_withheld = sum(i.answer is None for s in sheets if s.is_closed for i in s.items)
    if n_withheld:
        questions = plural(n_withheld, "question")
        yield f"People's answers to {questions} are unjudged: the right ones are withheld."
    alone = [KIND_LABELS[sheet.kind] for sheet in sheets if not _is_shared(sheet)]
    if alone:
        yield (
            f"No item was answered by two people ({listed(alone)}): their agreement, and the "
            "ceiling that it implies, are undefined."
        )


def _is_shared(sheet: Sheet) -> bool:
    return bool(shared_items(sheet.values).any())


def _agreement(sheets: Sequence[Sheet]) -> Table:
    table = Table(
        name="people-agreement",
        title="How far people agree",
        columns=(
            Column("people", "count"),
            Column("equal answers", "percent"),
            Column("Krippendorff's alpha", digits=2),
            Column("mean kappa of pairs", digits=2),
        ),
        lines=tuple(_line(sheet, *_agreed(sheet)) for sheet in sheets),
        note=" ".join([AGREEMENT_NOTE, *_further(sheets, EQUAL_NOTE, VERDICT_NOTE, RATING_NOTE)]),
        label="Questions",
    )
    of_choices = any(sheet.n_options is not None for sheet in sheets)
    return _filled(replace(table, note=f"{table.note} {CHOICE_NOTE}") if of_choices else table)


def _agreed(sheet: Sheet) -> Iterator[Estimate | None]:
    n_people = int((~np.isnan(sheet.values)).any(axis=1).sum())
    yield Estimate(float(n_people), None, None, n_people)
    is_opinion = sheet.kind == "rate"
    yield None if is_opinion else share(equal_shares(packed(sheet.values).T), sheet.clusters)
    level = LEVELS.get(sheet.kind, "nominal")
    yield alpha_estimate(sheet.choices, level, n_options=sheet.n_options, clusters=sheet.clusters)
    yield mean_kappa(sheet.choices, n_options=sheet.n_options, clusters=sheet.clusters)


def _ceiling(sheets: Sequence[Sheet]) -> Table:
    return _filled(
        Table(
            name="people-ceiling",
            title="The ceiling that people's disagreement sets",
            columns=(
                Column("agreement with the others", "percent"),
                Column("highest correlation", digits=2),
            ),
            lines=tuple(_line(sheet, *_highest(sheet)) for sheet in sheets),
            note=" ".join(_further(sheets, CEILING_NOTE, VERDICT_CEILING, RATING_CEILING)),
            label="Questions",
        )
    )


def _highest(sheet: Sheet) -> tuple[Estimate | None, ...]:
    if sheet.kind == "rate":
        return None, highest_correlation(sheet.values, sheet.clusters)
    return share(leave_one_out(sheet.values), sheet.clusters), None


def _line(sheet: Sheet, *entries: Estimate | None) -> Line:
    return Line(heading(KIND_LABELS[sheet.kind]), entries, ranked=False)


def _filled(table: Table) -> Table:
    """The table without the columns that no line has an entry for."""
    kept = [i for i in range(len(table.columns)) if any(line.entries[i] for line in table.lines)]
    lines = (replace(one, entries=tuple(one.entries[i] for i in kept)) for one in table.lines)
    return replace(table, columns=tuple(table.columns[i] for i in kept), lines=tuple(lines))


def _further(sheets: Sequence[Sheet], answer: str, verdict: str, rating: str) -> Iterator[str]:
    """What must be said of the kinds that there are."""
    if any(sheet.kind != "rate" for sheet in sheets):
        yield answer
    if any(sheet.kind in JUDGED_KINDS for sheet in sheets):
        yield verdict
    if any(sheet.kind == "rate" for sheet in sheets):
        yield rating
