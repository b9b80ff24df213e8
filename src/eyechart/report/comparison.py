"""What a comparison of runs shows, before it has a form.

In: nothing; these are records that `eyechart.compare` fills. Out: a headline in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eyechart.records import Cell, Chart, Curve, Estimate, Table
from eyechart.report.formatting import (
    p_value,
    plural,
    shown,
    shown_interval,
    signed,
    signed_span,
    whole,
)
from eyechart.report.metric_names import metric_named

MOST_PAIRS = 21
"""As many as seven runs make."""
TESTS_NOTE = (
    "McNemar's test and Holm's correction treat the items as independent, also where several show "
    "one photograph; the intervals do not. A difference is called clear where its interval leaves "
    "out 0."
)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run's side of a comparison, over the items that all runs share.

    `cells`: overall (facet "") and by facet, as in a `Report`. `curves`: where it has any.
    `people`: it is people's answers, which are no run.
    """

    name: str
    model: str
    cells: tuple[Cell, ...]
    curves: tuple[Curve, ...] = ()
    people: bool = False

    def overall(self, metric: str) -> Cell | None:
        """The cell of a metric over all shared items, None where the run has none."""
        return next((c for c in self.cells if not c.facet and c.metric == metric), None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs on the same items: `difference` is a minus b, with its paired interval.

    `only_a_right`, `only_b_right`: items that one got right and the other did not; None for metrics
    that are not right or wrong. `p_mcnemar`: exact McNemar; `p_holm`: after Holm's correction.
    """

    a: str
    b: str
    metric: str
    difference: Estimate
    n: int
    only_a_right: int | None = None
    only_b_right: int | None = None
    p_mcnemar: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs beside each other. `n_items`: that they share. `metric`: what they are ranked by.

    `lead`: the benchmark's own sentences, which open the headline in place of the general ones.
    `tables`, `charts`: the benchmark's own, and what is said of its items. `files`: further files
    to write beside the page, their text by name.
    """

    title: str
    benchmark: str
    runs: tuple[RunResult, ...]
    pairs: tuple[Pair, ...]
    n_items: int
    metric: str = "accuracy"
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    lead: str = ""

    @property
    def tested(self) -> tuple[Pair, ...]:
        """The pairs that share scored items: all but those about answers that nobody judged."""
        return tuple(pair for pair in self.pairs if pair.n)

    @property
    def has_ranked(self) -> bool:
        """The benchmark has tables laid out as papers do, which then come before the pairs."""
        return any(table.ranked for table in self.tables)


@dataclass(frozen=True, slots=True)
class PairList:
    """Pairs by one metric under one heading, "" where there is but one list.

    `best`: the run from which all are counted, "" where they are of any two.
    """

    heading: str
    pairs: tuple[Pair, ...]
    best: str = ""

    @property
    def is_tested(self) -> bool:
        """Some have a test beside their interval."""
        return any(pair.p_mcnemar is not None for pair in self.pairs)

    @property
    def note(self) -> str:
        """What the intervals of many pairs do not heed; "" for a single pair."""
        heeded = "; Holm's p is" if self.is_tested else ""
        told = f"Each interval is for its pair alone, not corrected for being one of many{heeded}."
        return told if len(self.pairs) > 1 else ""


def pair_lists(comparison: Comparison) -> tuple[PairList, ...]:
    """The pairs with a test or an interval, metric by metric, that of the comparison first.

    Where they are many, those of the best run come before the others; they are counted from it, the
    next best first: a difference above 0 is its lead.
    """
    by_metric = _by_metric(comparison)
    order = [run for run, _ in ranked(comparison)]
    if not order or max(map(len, by_metric.values()), default=0) <= MOST_PAIRS:
        return tuple(PairList(label, pairs) for label, pairs in by_metric.items())
    best = next((run.name for run in order if not run.people), order[0].name)
    heading = f"{best} and each other {_sides(comparison)}"
    lists = [
        PairList(_headed(label, heading), _of_best(best, order, pairs), best)
        for label, pairs in by_metric.items()
    ]
    for label, pairs in by_metric.items():
        others = tuple(pair for pair in pairs if best not in (pair.a, pair.b))
        lists.append(PairList(_headed(label, plural(len(others), "other pair")), others))
    return tuple(one for one in lists if one.pairs)


def _by_metric(comparison: Comparison) -> dict[str, tuple[Pair, ...]]:
    """The pairs under the label of their metric, "" where all have one."""
    found: dict[str, list[Pair]] = {comparison.metric: []}
    for pair in comparison.tested:
        found.setdefault(pair.metric, []).append(pair)
    found = {metric: pairs for metric, pairs in found.items() if pairs}
    several = len(found) > 1
    return {metric_named(m).label if several else "": tuple(pairs) for m, pairs in found.items()}


def _of_best(best: str, order: Sequence[RunResult], pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Those of the best run, counted from it, the other sides in their order."""
    rank = {run.name: place for place, run in enumerate(order)}
    mine = [pair if pair.a == best else turned(pair) for pair in pairs if best in (pair.a, pair.b)]
    return tuple(sorted(mine, key=lambda pair: rank.get(pair.b, len(rank))))


def _headed(label: str, heading: str) -> str:
    return f"{label}: {heading}" if label else heading


def ranked(comparison: Comparison) -> list[tuple[RunResult, Cell]]:
    """The runs that have the metric, the best first, those without a value last."""
    rows = [(run, run.overall(comparison.metric)) for run in comparison.runs]
    known = [(run, cell) for run, cell in rows if cell is not None]
    return sorted(known, key=lambda row: _negated(row[1].estimate.value))


def comparison_headline(comparison: Comparison) -> str:
    """Which run is best, by how much over the next, and whether that interval leaves out 0.

    Then how far it is from people, where they are a side. In the words of the benchmark where it
    has its own (`Comparison.lead`).
    """
    if comparison.lead:
        return comparison.lead
    rows = [(run, cell) for run, cell in ranked(comparison) if cell.estimate.value is not None]
    runs = [row for row in rows if not row[0].people]
    people = [row for row in rows if row[0].people]
    if len(rows) < 2 or not runs:
        return f"{plural(len(runs), 'run')} with a value; two or more are needed to compare."
    found = [_first(comparison, runs), *_next(comparison, runs)]
    return " ".join([*found, *(_beside_people(comparison, runs[0], one) for one in people)])


def _first(comparison: Comparison, runs: Sequence[tuple[RunResult, Cell]]) -> str:
    """The best run's figure, and of how many it is the best."""
    (best, cell), metric = runs[0], metric_named(comparison.metric)
    label = metric.label.lower() if metric.percent else metric.label
    place = (
        f"comes first of {plural(len(runs), 'run')}: {label}" if runs[1:] else f"reaches {label}"
    )
    over = _over(comparison, cell, shared=bool(runs[1:]))
    return f"{best.name} {place} {_value(cell)} (95 % interval {shown_interval(cell)}), {over}."


def _over(comparison: Comparison, cell: Cell, *, shared: bool) -> str:
    """What a figure is of: all items, the closed questions among them, or fewer for this run."""
    n, items = cell.estimate.n, plural(comparison.n_items, "item")
    if n == comparison.n_items:
        return f"on the {items} that all share" if shared else f"on {items}"
    if cell.metric == "accuracy":
        closed = plural(n, "closed question")
        return f"over the {closed} that all share" if shared else f"over {closed}"
    return f"over {whole(n)} of the {items}{' that all share' if shared else ''}"


def _next(comparison: Comparison, runs: Sequence[tuple[RunResult, Cell]]) -> Iterator[str]:
    """The best run's lead over the next, where there is one."""
    if len(runs) < 2:
        return
    (best, _), (second, cell) = runs[:2]
    pair = _pair(comparison, best.name, second.name)
    if pair is None:
        yield f"Next is {second.name} with {_value(cell)}."
    else:
        yield f"Its lead over {second.name} is {_told(pair)}."


def _beside_people(
    comparison: Comparison, run: tuple[RunResult, Cell], people: tuple[RunResult, Cell]
) -> str:
    """What people reach, and their lead over the best run, on the items that both have."""
    (best, best_cell), (them, cell) = run, people
    n = plural(cell.estimate.n, "item")
    over = f" on the {n} that they answered" if cell.estimate.n != best_cell.estimate.n else ""
    told = f"{them.name} reach {_value(cell)} ({shown_interval(cell)}){over}"
    pair = _pair(comparison, them.name, best.name)
    return f"{told}; the gap from them to {best.name} is {_told(pair)}." if pair else f"{told}."


def _value(cell: Cell) -> str:
    return f"{shown(cell)} %" if metric_named(cell.metric).percent else shown(cell)


def _told(pair: Pair) -> str:
    """A difference with its interval and test, and whether it is clear."""
    percent = metric_named(pair.metric).percent
    p = pair.p_holm if pair.p_holm is not None else pair.p_mcnemar
    tested = f", p {p_value(p) if p < 0.0005 else '= ' + p_value(p)}" if p is not None else ""
    low, high = pair.difference.low, pair.difference.high
    apart = low is not None and high is not None and (low > 0 or high < 0)
    gap = f"{signed(pair.difference.value, percent=percent)}{' points' if percent else ''}"
    interval = signed_span(pair.difference, percent=percent)
    return f"{gap} ({interval}{tested}): {'a' if apart else 'not a'} clear difference"


def _sides(comparison: Comparison) -> str:
    """What a best run is compared with."""
    return "run, and people" if any(run.people for run in comparison.runs) else "run"


def _pair(comparison: Comparison, a: str, b: str) -> Pair | None:
    """The pair of a and b, turned around where it was counted from b."""
    for pair in comparison.pairs:
        if pair.metric == comparison.metric and (pair.a, pair.b) == (a, b):
            return pair
        if pair.metric == comparison.metric and (pair.a, pair.b) == (b, a):
            return turned(pair)
    return None


def turned(pair: Pair) -> Pair:
    """The same pair, counted from b."""
    d = pair.difference
    return Pair(
        pair.b,
        pair.a,
        pair.metric,
        Estimate(_minus(d.value), _minus(d.high), _minus(d.low), d.n),
        pair.n,
        pair.only_b_right,
        pair.only_a_right,
        pair.p_mcnemar,
        pair.p_holm,
    )


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _negated(value: float | None) -> float:
    return float("inf") if value is None else -value
