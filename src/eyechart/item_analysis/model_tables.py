"""The tables of models: how able each is, and which are alike.

In: a `ResponseTable`, its `Figures` and `Alike`. Out: `records.Table`s. Of more than 12 models only
the most and the least alike are told, not every pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from eyechart.item_analysis.alike import Alike
from eyechart.item_analysis.answers import Ints, ResponseTable
from eyechart.item_analysis.figures import Figures
from eyechart.metrics.arrays import Floats
from eyechart.metrics.intervals import Z
from eyechart.metrics.item_response import ItemResponses
from eyechart.records import Column, Estimate, Line, Table

MOST_IN_MATRIX = 12
ABILITY_NOTE = (
    "Ability in a two-parameter logistic model of all items: these models' mean is 0 and their "
    "standard deviation 1. Intervals take what is found of the items as known: somewhat narrow."
)
KAPPA_NOTE = (
    "Cohen's kappa of being right (more than half of the marks) or not: 1 where both are right on "
    "the very same items, 0 where they agree as often as by chance."
)
WRONG_NOTE = (
    "the share of equal answers among items that both answered wrong, where several wrong answers "
    "were to be had and both could be read."
)


def ability_tables(answers: ResponseTable, figures: Figures) -> tuple[Table, ...]:
    """The models by ability; none where no item responses were fitted."""
    responses = figures.responses
    if responses is None:
        return ()
    columns = (
        Column("ability", digits=2),
        Column("standard error", digits=3),
        Column("accuracy", "percent"),
    )
    lines = [
        Line(answers.models[i], _ability(answers, figures, responses, int(i)))
        for i in np.argsort(-responses.ability, kind="stable")
    ]
    title = "Ability of each model"
    return (Table("model-abilities", title, columns, tuple(lines), ABILITY_NOTE),)


def _ability(
    answers: ResponseTable, figures: Figures, responses: ItemResponses, place: int
) -> tuple[Estimate | None, ...]:
    n = int((~np.isnan(answers.marks[place])).sum())
    value, error = float(responses.ability[place]), float(responses.ability_se[place])
    if not n:
        return (None, None, None)
    return (
        Estimate(value, value - Z * error, value + Z * error, n),
        Estimate(error, None, None, n),
        Estimate(float(figures.accuracy[place]), None, None, n),
    )


def agreement_tables(models: Sequence[str], found: Alike) -> tuple[Table, ...]:
    """Every pair of up to 12 models; of more, for each its most and its least alike."""
    if len(models) < 2:
        return ()
    if len(models) > MOST_IN_MATRIX:
        return (_summary(models, found),)
    right = _matrix(found.kappa, found.n_both)
    wrong = _matrix(found.same_wrong, found.n_wrong)
    return (
        _table("model-agreement", "Right on the same items", models, (right, KAPPA_NOTE)),
        _table("model-same-wrong", "Wrong in the same way", models, (wrong, f"T{WRONG_NOTE[1:]}")),
    )


Cells = Callable[[int, int], Estimate | str | None]


def _matrix(values: Floats, n: Ints) -> Cells:
    return lambda i, j: "" if i == j else _estimate(values[i, j], n[i, j])


def _estimate(value: float, n: int) -> Estimate | None:
    return None if np.isnan(value) else Estimate(float(value), None, None, int(n))


def _table(name: str, title: str, models: Sequence[str], told: tuple[Cells, str]) -> Table:
    cell, note = told
    percent = name == "model-same-wrong"
    columns = [Column(model, "percent") if percent else Column(model, digits=2) for model in models]
    places = range(len(models))
    lines = [Line(models[i], tuple(cell(i, j) for j in places)) for i in places]
    return Table(name, title, tuple(columns), tuple(lines), note)


def _summary(models: Sequence[str], found: Alike) -> Table:
    columns = []
    for which in ("most alike", "least alike"):
        columns += [Column(which), Column(f"kappa, {which}", digits=2)]
        columns.append(Column(f"same wrong answer, {which}", "percent"))
    lines = [Line(model, _ends(models, found, i)) for i, model in enumerate(models)]
    title = "The most and the least alike of each model"
    note = (
        f"{KAPPA_NOTE} Alike by kappa. Same wrong answer: {WRONG_NOTE[0].lower()}{WRONG_NOTE[1:]}"
    )
    return Table("model-agreement", title, tuple(columns), tuple(lines), note)


def _ends(models: Sequence[str], found: Alike, place: int) -> tuple[Estimate | str | None, ...]:
    """The other model with the highest kappa, then the one with the lowest; dashes without any."""
    others = [j for j in range(len(models)) if j != place and not np.isnan(found.kappa[place, j])]
    if not others:
        return (None,) * 6
    by_kappa = sorted(others, key=lambda j: -found.kappa[place, j])
    entries: list[Estimate | str | None] = []
    for j in (by_kappa[0], by_kappa[-1]):
        entries += [models[j], _estimate(found.kappa[place, j], found.n_both[place, j])]
        entries.append(_estimate(found.same_wrong[place, j], found.n_wrong[place, j]))
    return tuple(entries)
