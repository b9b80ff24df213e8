"""The place of a run among Q-Bench-Portrait's published models, and the sentence that tells it.

In: published rows and the marks of runs. Out: overall figures with their ranks and the intervals of
both, best first; a table of them; the report's lead. Marks nothing.

Runs are resampled together, question by question. Of published models only figures are known: each
is drawn by itself, from a normal distribution about its overall figure with the variance that its
figures by kind imply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eyechart.benchmarks.qbench_portrait_marks import Marks, Mask, Questions, figure_of
from eyechart.benchmarks.qbench_portrait_published import BASELINE, SOURCE, Published
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS, OVERALL
from eyechart.metrics.arrays import Floats
from eyechart.metrics.bootstrap import bootstrap_means
from eyechart.metrics.intervals import UNDEFINED, wilson
from eyechart.metrics.paired import paired_difference
from eyechart.metrics.ranks import rank_intervals
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import listed, plural, signed, signed_span, span, whole

N_DRAWS = 2000
SEED = 0
DIGITS = 4
NOTE = (
    "Ranks with 95 % intervals, 1 for the best; figures that are printed alike share one. Of "
    "published models there are no marks by question: each is drawn by itself, with the variance "
    "that its figures by kind imply (for open questions the largest that their mean allows), which "
    "makes the ranks' intervals wider than a comparison on the same questions would."
)


@dataclass(frozen=True, slots=True)
class Place:
    """A model's overall figure, a fraction, and its rank among all that have one.

    `rank`: None for a run whose figures do not compare with published ones.
    """

    label: str
    overall: Estimate
    rank: Estimate | None
    published: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A run among others: its figure over the questions that all of them have marks of."""

    run: Marks
    overall: Estimate

    @property
    def printed(self) -> float:
        """The figure as it is printed, by which runs are ordered; 0 without one."""
        return round(self.overall.value or 0.0, DIGITS)


def published_figure(row: Published, key: str) -> Estimate | None:
    """A published figure, with Wilson's interval for its questions; None where there is none.

    Guessing has neither interval nor n: it is what is expected, not what was seen.
    """
    value, n = row.figures.get(key), COUNTS[key]
    if value is None:
        return None
    if row.group == BASELINE:
        return Estimate(value, None, None, 0)
    return replace(wilson(value * n, n), value=value)


def places_of(
    published: Sequence[Published], runs: Sequence[Marks], questions: Questions
) -> tuple[Place, ...]:
    """Every published model and every run, best first, those without a rank last.

    Neither guessing nor people have a place.
    """
    models = [row for row in published if row.group != BASELINE]
    ranked = [run for run in runs if run.ranked]
    found = [Place(row.model, _overall(row), None, published=True) for row in models]
    found += [Place(run.label, _overall(run), None, published=False) for run in ranked]
    values = np.round([place.overall.value or 0.0 for place in found], DIGITS)
    draws = np.vstack([_drawn(models), _resampled(ranked, questions)])
    ranks = rank_intervals(values, draws, n_items=COUNTS[OVERALL])
    placed = [replace(place, rank=rank) for place, rank in zip(found, ranks, strict=True)]
    others = [
        Place(run.label, _overall(run), None, published=False)
        for run in runs
        if not run.ranked and not run.people
    ]
    return (*sorted(placed, key=_best_first), *sorted(others, key=_best_first))


def places_table(places: Sequence[Place]) -> Table:
    """The places as a table, figures over their intervals."""
    return Table(
        name="places",
        title="Places by the overall figure",
        columns=(Column("overall", "percent", 2), Column("rank", "count")),
        lines=tuple(
            Line(
                place.label,
                (place.overall, place.rank),
                published=place.published,
                source=SOURCE if place.published else "",
                ranked=place.rank is not None,
            )
            for place in places
        ),
        note=NOTE,
    )


def lead_of(run: Marks, places: Sequence[Place], questions: Questions) -> str:
    """A run's overall figure and its place, in one or two sentences; "" without a figure."""
    overall = _overall(run)
    if overall.value is None:
        return ""
    within = span(overall.low, overall.high)
    interval = f" (95 % interval {within})" if overall.low is not None else ""
    score = f"{run.model} scores {100 * overall.value:.2f} % over {_over(run, questions)}{interval}"
    rank = next((p.rank for p in places if p.label == run.label and not p.published), None)
    if rank is not None:
        return f"{score}: {_told(rank, places)}."
    n_open = questions.counts["OE"]
    waiting = f"; the {whole(n_open)} open {'ones wait' if n_open > 1 else 'one waits'} for a judge"
    return f"{score}{waiting if run.waits else ''}. {_why_unranked(run, questions)}"


def best_first(runs: Sequence[Marks], questions: Questions) -> tuple[Standing, ...]:
    """Runs by what they reach over the questions that all of them have marks of, the best first.

    Those that reach the same stay in their order, as all do where they share no such question.
    """
    shared = _shared(runs)
    found = [Standing(run, figure_of(run.values, questions, shared) or UNDEFINED) for run in runs]
    return tuple(sorted(found, key=lambda one: -one.printed))


def lead_of_all(runs: Sequence[Marks], questions: Questions) -> str:
    """Which of several runs comes first and its lead over the next, or which share the first place.

    All over the questions that all of them have marks of. "" where there are none, or where some
    are over closed questions only and others are not: these do not compare.
    """
    found = best_first(runs, questions)
    best, second = found[:2]
    if best.overall.value is None or len({run.waits for run in runs}) > 1:
        return ""
    over = _over_shared(runs, best.overall.n, questions)
    of_runs, parts = plural(len(runs), "run"), _parts(runs)
    if second.printed == best.printed:
        equal = [one for one in found if one.printed == best.printed]
        names = listed([one.run.model for one in equal])
        figure = f"{100 * best.overall.value:.2f} % each"
        return f"{names} share the first place of {of_runs}: {figure} {over}{_spans(equal)}.{parts}"
    gap = _gap(best.run, second.run, questions, _shared(runs))
    return (
        f"{best.run.model} comes first of {of_runs}: {100 * best.overall.value:.2f} % "
        f"{over}{_spans([best])}. Its lead over {second.run.model} is "
        f"{_measured(gap)}{_verdict(gap)}.{parts}"
    )


def gap_to_people(runs: Sequence[Marks], people: Sequence[Marks], questions: Questions) -> str:
    """What people and the best run reach, and the gap, over the questions that both have marks of.

    The best run is that of `lead_of_all`. The intervals are over questions: of other people they
    say nothing. "" without such questions.
    """
    if not runs or not people:
        return ""
    them, best = people[0], best_first(runs, questions)[0].run
    both = _shared([them, best])
    theirs, ours = (figure_of(one.values, questions, both) for one in (them, best))
    if theirs is None or ours is None:
        return ""
    gap = _gap(them, best, questions, both)
    verdict = _verdict(gap)
    return (
        f"On the {plural(theirs.n, 'question')} that both have marks of, {them.model} reach "
        f"{_percent(theirs)} and {best.model} {_percent(ours)}; the gap from them to {best.model} "
        f"is {_measured(gap)}{verdict and f'{verdict} for these people'}."
    )


def _shared(runs: Sequence[Marks]) -> Mask:
    """Which questions all of these have marks of, booleans [items]."""
    return np.asarray(~np.isnan([run.values for run in runs]).any(axis=0), bool)


def _over_shared(runs: Sequence[Marks], n: int, questions: Questions) -> str:
    """Over which of the questions several runs are compared, `n` that all have marks of."""
    counts, waits = questions.counts, runs[0].waits
    what = "closed question" if waits else "question"
    if n < counts[OVERALL] - (counts["OE"] if waits else 0):
        return f"over the {plural(n, what)} that all have marks of"
    return f"over {'the' if waits else 'all'} {plural(n, what)}"


def _parts(runs: Sequence[Marks]) -> str:
    """Which runs are judged in part, a sentence to follow others; "" where none is."""
    names = [run.model for run in runs if run.in_part]
    have = "have" if len(names) > 1 else "has"
    only = "verdicts on only a part of the open questions (OE in part)"
    return f" {listed(names)} {have} {only}." if names else ""


def _spans(standings: Sequence[Standing]) -> str:
    """The intervals of equal figures in brackets, those alike once; "" where they have none."""
    known = [one.overall for one in standings if one.overall.low is not None]
    spans = list(dict.fromkeys(span(one.low, one.high) for one in known))
    return f" (95 % interval{'s' * (len(spans) > 1)} {listed(spans)})" if spans else ""


def _gap(a: Marks, b: Marks, questions: Questions, within: Mask) -> Estimate:
    """The paired difference over some of the questions, all of which both have marks of."""
    codes = None if questions.clusters is None else questions.clusters[within].tolist()
    return paired_difference(a.values[within], b.values[within], codes)


def _percent(figure: Estimate) -> str:
    """A figure with its interval where it has one, in words."""
    interval = f" ({span(figure.low, figure.high)})" if figure.low is not None else ""
    return f"{100 * (figure.value or 0.0):.2f} %{interval}"


def _measured(gap: Estimate) -> str:
    interval = f" ({signed_span(gap)})" if gap.low is not None else ""
    return f"{signed(gap.value)} points{interval}"


def _verdict(gap: Estimate) -> str:
    """Whether a difference is clear, to follow it; "" where it has no interval."""
    if gap.low is None or gap.high is None:
        return ""
    clear = gap.low > 0 or gap.high < 0
    return ": a clear difference" if clear else ": not a clear difference"


def _over(run: Marks, questions: Questions) -> str:
    """Which questions the overall figure is of."""
    n, n_asked = _overall(run).n, questions.counts[OVERALL]
    if run.waits:
        return f"the {plural(n, 'closed question')}"
    if n < n_asked:
        return f"{whole(n)} of {plural(n_asked, 'question')}"
    return f"all {plural(n, 'question')}" if n > 1 else "1 question"


def _told(rank: Estimate, places: Sequence[Place]) -> str:
    low, high = int(rank.low or 0), int(rank.high or 0)
    n_ranked = sum(place.rank is not None for place in places)
    n_published = sum(place.published for place in places)
    within = f"{low}–{high}" if low < high else str(low)
    return (
        f"rank {int(rank.value or 0)} of {n_ranked} ({within}) beside the {n_published} published "
        "models"
    )


def _why_unranked(run: Marks, questions: Questions) -> str:
    if not questions.as_published:
        return "The published figures are of other questions, so it has no rank among them."
    missing = "those" if run.waits else "the questions left out"
    return f"Without {missing} it has no rank beside the published models."


def _best_first(place: Place) -> float:
    return -(place.overall.value or 0.0)


def _overall(one: Published | Marks) -> Estimate:
    if isinstance(one, Marks):
        return one.figures[OVERALL] or UNDEFINED
    return published_figure(one, OVERALL) or UNDEFINED


def _drawn(models: Sequence[Published]) -> Floats:
    """Draws of published overall figures, each by itself, [models, draws]."""
    shares = [[row.figures[code] for code in CODES.values()] for row in models]
    n = np.array([COUNTS[code] for code in CODES.values()])
    by_kind = np.array(shares, float).reshape(-1, len(n))
    errors = np.sqrt((n * by_kind * (1 - by_kind)).sum(axis=1)) / n.sum()
    overall = np.array([row.figures[OVERALL] for row in models], float)
    noise = np.random.default_rng(SEED + 1).standard_normal((len(models), N_DRAWS))
    return np.asarray(overall[:, None] + errors[:, None] * noise, float)


def _resampled(runs: Sequence[Marks], questions: Questions) -> Floats:
    """The overall figures of runs in each resample of the questions, [runs, draws].

    The same resamples for all, each run over the questions that it has marks of.
    """
    if not runs:
        return np.empty((0, N_DRAWS))
    values = np.array([run.values for run in runs])
    known = ~np.isnan(values)
    sums = np.vstack([np.where(known, values, 0), known])
    means = bootstrap_means(sums, clusters=questions.clusters, n_resamples=N_DRAWS, seed=SEED)[0]
    return np.asarray(means[: len(runs)] / means[len(runs) :], float)
