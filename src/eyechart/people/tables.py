"""Tables about people: what they reach, how far they agree, the ceiling that this implies.

In: people's answers as sheets. Out: `records.Table`s, and notes that a reader must see. All
intervals are over items; none says how other people would have answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from eyechart.metrics.agreement import mean_kappa, shared_items
from eyechart.metrics.krippendorff import Level, alpha_estimate
from eyechart.people.figures import ceiling, equal_answers, highest_correlation, share
from eyechart.people.pairs import pairs_table
from eyechart.people.reach import reach_table
from eyechart.people.sheets import Sheet, raters_of
from eyechart.records import JUDGED_KINDS, Column, Estimate, Kind, Line, Table
from eyechart.report.formatting import KIND_LABELS, heading, listed, plural, whole

LEVELS: dict[Kind, Level] = {"open": "ordinal", "describe": "ordinal", "rate": "interval"}
AGREEMENT_NOTE = (
    "Of questions that two people or more answered. Alpha and kappa are 1 for full agreement and 0 "
    "for that of chance. Each pair of people counts by the questions that both answered."
)
EQUAL_NOTE = "Equal answers: the share of pairs of people who gave the same one."
CHOICE_NOTE = (
    "For single and multiple choice neither is the plain coefficient: chance is that of each "
    "question's own options, all equally likely (as in Bennett's S, and in kappa by Brennan and "
    "Prediger), because option B of one question has nothing in common with option B of the next."
)
VERDICT_NOTE = "Alpha takes verdicts as ranks; kappa squares their differences."
RATING_NOTE = "Alpha takes ratings as distances; kappa squares their differences."
CEILING_NOTE = (
    "What a model that always gives people's commonest answer has in common with one person lies "
    "between two figures. At least: how often a person's answer is the most frequent one of the "
    "others (its share where several are), which is not always the commonest where these are few. "
    "At most: the square root of the share of equal answers, because an answer that a share p of "
    "all people give makes p² of their pairs equal (or the first figure, where few questions make "
    "it the higher one). Against a key that several "
    "people agreed on more can be reached, as by the majority vote."
)
VERDICT_CEILING = (
    "Of open answers the verdicts are compared: the figures are those of a judge who always gives "
    "the commonest verdict."
)
RATING_CEILING = (
    "Highest correlation: what a perfect prediction of people's common opinion would have with the "
    "mean ratings of these people; the square root of the reliability of these means."
)


def people_tables(sheets: Sequence[Sheet]) -> tuple[Table, ...]:
    """What people reach; how far they agree, in all and in pairs; the ceiling that this sets.

    The first is of questions with a right answer or a verdict; the others of the kinds of question
    of which two people or more answered one. A table without lines is left out, which
    `people_notes` tells.
    """
    shared = [sheet for sheet in sheets if _is_shared(sheet)]
    found = (reach_table(sheets), _agreement(shared), pairs_table(shared), _ceiling(shared))
    return tuple(table for table in found if table.lines)


def people_notes(sheets: Sequence[Sheet], *, n_items: int, n_earlier: int) -> tuple[str, ...]:
    """Sentences that a reader must see: who answered how much, and what is undefined.

    `n_items`: of the whole set. `n_earlier`: answers that later rounds replaced.
    """
    if not sheets:
        return ("People answered none of these items.",)
    return tuple(_notes(sheets, n_items, n_earlier))


def _notes(sheets: Sequence[Sheet], n_items: int, n_earlier: int) -> Iterator[str]:
    n_answered = sum(len(sheet.items) for sheet in sheets)
    n_answers = sum(int((~np.isnan(sheet.values)).sum()) for sheet in sheets)
    people = plural(len(raters_of(sheets)), "person", "people")
    yield (
        f"{people} answered {whole(n_answered)} of {plural(n_items, 'item')}; "
        f"an item that was answered has {n_answers / n_answered:.1f} answers on average."
    )
    if n_earlier:
        earlier = plural(n_earlier, "earlier answer")
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
    told = [AGREEMENT_NOTE, *_further(sheets, EQUAL_NOTE, VERDICT_NOTE, RATING_NOTE)]
    return _filled(
        Table(
            name="people-agreement",
            title="How far people agree",
            columns=(
                Column("people", "count"),
                Column("equal answers", "percent"),
                Column("Krippendorff's alpha", digits=2),
                Column("mean kappa of pairs", digits=2),
            ),
            lines=tuple(_line(sheet, *_agreed(sheet)) for sheet in sheets),
            note=" ".join([*told, *_coefficients(sheets)]),
            label="Questions",
        )
    )


def _coefficients(sheets: Sequence[Sheet]) -> Iterator[str]:
    """Which coefficients alpha and kappa are for which kinds."""
    plain = [KIND_LABELS[sheet.kind] for sheet in sheets if sheet.n_options is None]
    if plain:
        yield f"For {listed(plain)} alpha is Krippendorff's and kappa Cohen's, as they stand."
    if len(plain) < len(sheets):
        yield CHOICE_NOTE


def _agreed(sheet: Sheet) -> Iterator[Estimate | None]:
    n_people = int((~np.isnan(sheet.values)).any(axis=1).sum())
    yield Estimate(float(n_people), None, None, n_people)
    is_opinion = sheet.kind == "rate"
    yield None if is_opinion else share(equal_answers(sheet.values), sheet.clusters)
    level = LEVELS.get(sheet.kind, "nominal")
    yield alpha_estimate(sheet.choices, level, n_options=sheet.n_options, clusters=sheet.clusters)
    yield mean_kappa(sheet.choices, n_options=sheet.n_options, clusters=sheet.clusters)


def _ceiling(sheets: Sequence[Sheet]) -> Table:
    return _filled(
        Table(
            name="people-ceiling",
            title="The ceiling that people's disagreement sets",
            columns=(
                Column("at least", "percent"),
                Column("at most", "percent"),
                Column("highest correlation", digits=2),
            ),
            lines=tuple(_line(sheet, *_highest(sheet)) for sheet in sheets),
            note=" ".join(_further(sheets, CEILING_NOTE, VERDICT_CEILING, RATING_CEILING)),
            label="Questions",
        )
    )


def _highest(sheet: Sheet) -> tuple[Estimate | None, ...]:
    if sheet.kind == "rate":
        return None, None, highest_correlation(sheet.values, sheet.clusters)
    found = ceiling(sheet.values, sheet.clusters)
    return found.at_least, found.at_most, None


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
