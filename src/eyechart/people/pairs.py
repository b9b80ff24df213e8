"""The table of pairs of people: kappa of each two, by kind of question.

In: sheets. Out: a `records.Table`; of more than 15 pairs only the least and the most alike ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.metrics.agreement import Places, divided, kappa_estimate, kappas
from eyechart.metrics.arrays import Floats
from eyechart.people.sheets import Sheet, raters_of
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import KIND_LABELS, heading, whole

MOST_PAIRS = 15
MOST_OF_EACH = 5
NOTE = (
    "Kappa of each two people over the items that both answered, as in the table of how far people "
    "agree; from the lowest to the highest{over_kinds}."
)
OVER_KINDS = ", as the mean over kinds of question, each by its items"
ENDS_NOTE = (
    "Of {n} pairs the {each} with the lowest kappa and the {each} with the highest are told, among "
    "those that share at least half as many items as the pair that shares most; of so many pairs "
    "the ends are partly chance."
)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of raters that share an item, from the least to the most alike.

    All [pairs]: places of the two raters, how many items they share, and their kappa, the mean over
    kinds; NaN, and last, where it is undefined.
    """

    one: Places
    other: Places
    n: Places
    kappa: Floats

    def __len__(self) -> int:
        return len(self.n)

    def at(self, places: Places) -> _Pairs:
        """Only these pairs, in this order."""
        return _Pairs(self.one[places], self.other[places], self.n[places], self.kappa[places])


def pairs_table(sheets: Sequence[Sheet]) -> Table:
    """How far each two people agree; without lines where no two have an item in common."""
    pairs = _pairs(sheets)
    shown = pairs if len(pairs) <= MOST_PAIRS else _ends(pairs)
    told = [NOTE.format(over_kinds=OVER_KINDS if len(sheets) > 1 else "")]
    if len(shown) < len(pairs):
        told.append(ENDS_NOTE.format(n=whole(len(pairs)), each=MOST_OF_EACH))
    kinds = (Column(heading(KIND_LABELS[s.kind]), digits=2, group="Kappa") for s in sheets)
    return Table(
        name="people-pairs",
        title="How far each two people agree",
        columns=(Column("person B"), Column("items shared", "count"), *kinds),
        lines=tuple(_line(sheets, shown, at) for at in range(len(shown))),
        note=" ".join(told),
        label="Person A",
    )


def _pairs(sheets: Sequence[Sheet]) -> _Pairs:
    one, other = np.triu_indices(len(raters_of(sheets)), 1)
    total, n_known, weighed = np.zeros((3, one.size))
    for sheet in sheets:
        found = kappas(sheet.choices, n_options=sheet.n_options)
        n, kappa = found.n[one, other], found.kappa[one, other]
        counted = np.where(np.isnan(kappa), 0, n)
        total, n_known = total + n, n_known + counted
        weighed = weighed + counted * np.nan_to_num(kappa)
    every = _Pairs(one, other, total.astype(np.intp), divided(weighed, n_known))
    order = np.argsort(every.kappa, kind="stable")
    return every.at(order[every.n[order] > 0])


def _ends(pairs: _Pairs) -> _Pairs:
    """The least and the most alike of the pairs that have a kappa, and not too few items."""
    known = np.flatnonzero(~np.isnan(pairs.kappa) & (2 * pairs.n >= pairs.n.max()))
    return pairs.at(np.unique([*known[:MOST_OF_EACH], *known[-MOST_OF_EACH:]]).astype(np.intp))


def _line(sheets: Sequence[Sheet], pairs: _Pairs, at: int) -> Line:
    one, other, n = int(pairs.one[at]), int(pairs.other[at]), int(pairs.n[at])
    raters = raters_of(sheets)
    entries = (_kappa(sheet, one, other) for sheet in sheets)
    shared = Estimate(float(n), None, None, n)
    return Line(raters[one], (raters[other], shared, *entries), ranked=False)


def _kappa(sheet: Sheet, one: int, other: int) -> Estimate | None:
    first, second = sheet.choices[[one, other]]
    both = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
    if not both.size:
        return None
    clusters = [sheet.clusters[at] for at in both]
    options = None if sheet.n_options is None else sheet.n_options[both]
    return kappa_estimate(first[both], second[both], clusters, n_options=options)
