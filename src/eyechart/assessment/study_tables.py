"""What a comparison of strategies found, as tables and in a sentence.

In: a `Study`. Out: `records.Table`s and text. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from eyechart.assessment.study import CHOSEN, FITTED, Across, Overall, Study, Within
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import listed, plural, signed, signed_span

WITHIN_NOTE = (
    "Differences are in the same images and the same resamples of them, with 95 % intervals. A "
    "temperature alone changes PLCC, never SRCC."
)
ACROSS_NOTE = (
    "Made on one database, tested on another: the strategy with the highest SRCC there, and ridge "
    "regression of people's scores on the words' logits (both standardised, penalty 1). Intervals "
    "are of the images tested on; what was made is taken as it is."
)
OVERALL_NOTE = (
    "The plain mean of the differences in SRCC over pairs of a model and a database. Intervals "
    "speak of these models and databases, on other images of the same kinds. Those of this table "
    "hold for each strategy alone; those of the sentence above are widened for the number compared "
    "(Bonferroni)."
)


def study_tables(study: Study) -> tuple[Table, ...]:
    """The mean gains, then every pair, then what was carried from one database to another."""
    tables = [_overall(study), _within(study)]
    if study.across:
        tables.append(_across(study))
    return tuple(tables)


def answer(study: Study) -> str:
    """Which strategy is best, in a few sentences; that none is, where no interval is above 0."""
    reference = study.reference.spec
    n_pairs = len({(row.model, row.database) for row in study.within})
    sentences = [_best(study.overall, reference, n_pairs)]
    sentences += [_carried(one, reference) for one in study.carried if one.srcc.value is not None]
    return " ".join(sentence for sentence in sentences if sentence)


def _best(found: Sequence[Overall], reference: str, n_pairs: int) -> str:
    """The best strategy over all pairs; else the clear ones where their words are on file."""
    everywhere = [one for one in found if one.n_pairs == n_pairs]
    clear = [one for one in found if (one.one_of_many.low or 0) > 0]
    pairs = plural(n_pairs, "model-database pair")
    if (best := next((one for one in everywhere if one in clear), None)) is not None:
        return f"Across {pairs}, {best.name} beats {reference} by {_gained(best)}."
    told = f"No strategy clearly beats {reference} across {pairs}"
    if everywhere:
        nearest = f"the nearest, {everywhere[0].name}, differs by {_gained(everywhere[0])}"
        told = f"{told}: of those that every pair allows {nearest}"
    parts = [f"{one.name} by {_gained(one)} on {one.n_pairs} of them" for one in clear]
    beaten = f" On the pairs that have its words it is beaten by {listed(parts)}." if parts else ""
    return f"{told}.{beaten}"


def _carried(one: Overall, reference: str) -> str:
    """What became on other databases of what was made on one."""
    low, high = one.one_of_many.low, one.one_of_many.high
    made = {
        CHOSEN: "choosing the strategy that was best on the first",
        FITTED: "fitting weights to people's scores of the first",
    }[one.name]
    verdict = "is not clearly better or worse than"
    if low is not None and low > 0:
        verdict = "is better than"
    if high is not None and high < 0:
        verdict = "is worse than"
    return (
        f"From one database to another, {made} {verdict} {reference}: {_gained(one)}, over "
        f"{plural(one.n_pairs, 'such step')}."
    )


def _gained(one: Overall) -> str:
    gain = f"{signed(one.srcc.value, percent=False)} SRCC"
    if one.one_of_many.low is None:
        return gain
    of = f", for {one.n_compared} comparisons" if one.n_compared > 1 else ""
    return f"{gain} (95 % interval {signed_span(one.one_of_many, percent=False)}{of})"


def _overall(study: Study) -> Table:
    rows = [*study.overall, *study.carried]
    return Table(
        name="strategies",
        title=f"Mean difference in SRCC to {study.reference.spec}",
        columns=(
            Column("difference in SRCC"),
            Column("pairs", "count"),
            Column("undefined", "count"),
        ),
        lines=tuple(Line(_named(one), _overall_entries(one)) for one in rows),
        note=OVERALL_NOTE,
        label="Strategy",
    )


def _named(one: Overall) -> str:
    return f"{one.name}, carried to another database" if one.name in (CHOSEN, FITTED) else one.name


def _overall_entries(one: Overall) -> tuple[Estimate, ...]:
    counts = (one.n_pairs, one.n_undefined)
    return (one.srcc, *(Estimate(float(n), None, None, n) for n in counts))


def _within(study: Study) -> Table:
    return Table(
        name="strategies-within",
        title=f"Each strategy on each database, beside {study.reference.spec}",
        columns=tuple(
            map(Column, ("SRCC", "PLCC", "PLCC fitted", "difference in SRCC", "difference in PLCC"))
        ),
        lines=tuple(
            Line(f"{row.model}, {row.database}, {row.strategy.spec}", _entries(row, study))
            for row in study.within
        ),
        note=WITHIN_NOTE,
        label="Model, database, strategy",
    )


def _entries(row: Within, study: Study) -> tuple[Estimate | str, ...]:
    found = row.figures.estimates
    mine = (found["srcc"], found["plcc"], found["plcc_fitted"])
    if row.strategy == study.reference:
        return (*mine, "reference", "reference")
    return (*mine, row.srcc.estimate, row.plcc.estimate)


def _across(study: Study) -> Table:
    return Table(
        name="strategies-across",
        title="Made on one database, tested on another",
        columns=(Column("rule"), Column("SRCC"), Column("difference in SRCC")),
        lines=tuple(Line(_step(row), _across_entries(row)) for row in study.across),
        note=ACROSS_NOTE,
        label="Model, made on → tested on",
    )


def _step(row: Across) -> str:
    return f"{row.model}, {row.made_on} → {row.tested_on}, {row.rule}"


def _across_entries(row: Across) -> tuple[Estimate | str, ...]:
    return (row.told, row.figures.estimates["srcc"], row.srcc.estimate)
