"""The same closed questions asked or scored in other ways, side by side with the plain figure.

In: items with scores named `correct` and `correct.WAY`. Out: the table `other-ways`, none where
there is but one way. An unscored reply counts as wrong; one that a judge owes is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.agreement import weighted_kappa
from eyechart.metrics.intervals import UNDEFINED, proportion
from eyechart.metrics.jackknife import CORRELATION_BOUNDS, interval_of, jackknife
from eyechart.metrics.paired import paired_difference
from eyechart.records import CLOSED_KINDS, Column, Estimate, Line, Score, Table
from eyechart.report.formatting import heading, number, plural, whole
from eyechart.report.naming import WAYS, way_in_words, way_of
from eyechart.report.samples import chance_of

PLAIN, BLIND, JUDGED = "correct", "correct.blind", "correct.judged"
COLUMNS = (
    Column("accuracy", "percent"),
    Column("unscored", "count"),
    Column("difference", "percent"),
)
AGREEMENT = (Column("agreement", "percent"), Column("kappa"))
NOTE = (
    "An unscored reply counts as wrong. The difference is that to the questions as asked, over the "
    "same items, with its paired 95 % interval."
)
GAIN_NOTE = "The gain over the blind run is what the picture adds: as asked, less blind."
JUDGED_NOTE = (
    "Replies that the judge has not graded are left out. Agreement (in %, and Cohen's kappa beyond "
    "chance) is that of the judge with the rules, over replies that both could score."
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking or scoring: its score for each item (by id) that was asked so."""

    name: str
    judge: str
    scores: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """One way beside the plain one, item by item; `plain` and `other` count unscored as wrong."""

    plain: list[float]
    other: list[float]
    clusters: list[str]


def variant_tables(item_set: ItemSet, scores: Iterable[Score]) -> tuple[Table, ...]:
    """The table of every way in which closed questions were asked; none for a single way.

    `scores`: those of every judge; each judge's verdicts are a way of their own.
    """
    closed = {i.id for i in item_set.items if i.kind in CLOSED_KINDS and i.answer is not None}
    plain, *others = _ways(score for score in scores if score.item_id in closed)
    if not others or not plain.scores:
        return ()
    cluster = {item.id: cluster_of(item, item_set.card) for item in item_set.items}
    is_judged = any(way.name == JUDGED for way in others)
    lines = [
        line for way in (plain, *others) for line in _lines(plain, way, cluster, judged=is_judged)
    ]
    columns = (*COLUMNS, *(AGREEMENT if is_judged else ()))
    title = "Asked in other ways"
    note = _note(item_set, plain, others)
    return (Table("other-ways", title, columns, tuple(lines), note, "Way"),)


def _ways(scores: Iterable[Score]) -> list[Way]:
    """The plain way, then the others: those known here in their order, each judge apart."""
    found: dict[tuple[str, str], dict[str, Score]] = {(PLAIN, ""): {}}
    for score in scores:
        if score.name == PLAIN or score.name.startswith(f"{PLAIN}."):
            found.setdefault((score.name, score.judge), {})[score.item_id] = score
    ways = [Way(name, judge, mine) for (name, judge), mine in found.items()]
    place = {way: i for i, way in enumerate(WAYS)}
    return sorted(ways, key=lambda way: place.get(way_of(way.name), len(place)))


def _lines(plain: Way, way: Way, cluster: Mapping[str, str], *, judged: bool) -> list[Line]:
    pairs = _paired(plain, way, cluster)
    unscored = sum(score.value is None for score in way.scores.values())
    n = len(way.scores)
    entries: list[Estimate | str | None] = [
        proportion(pairs.other, pairs.clusters),
        Estimate(float(unscored), None, None, n),
        "" if way is plain else _difference(pairs.other, pairs.plain, pairs.clusters),
    ]
    if judged:
        is_judge = way.name == JUDGED
        entries += _agreement(plain, way, cluster) if is_judge else ["", ""]
    lines = [Line(_label(way), tuple(entries))]
    if way.name == BLIND:
        gain = _difference(pairs.plain, pairs.other, pairs.clusters)
        lines.append(Line("Gain over the blind run", ("", "", gain, *[""] * (2 * judged))))
    return lines


def _label(way: Way) -> str:
    return f"As judged by {way.judge}" if way.judge else heading(way_in_words(way.name))


def _paired(plain: Way, way: Way, cluster: Mapping[str, str]) -> _Pairs:
    """The items that the way has, less those that a judge owes."""
    ids = [id for id, score in way.scores.items() if score.why != "unjudged"]
    return _Pairs(
        [_counted(plain.scores.get(id)) for id in ids],
        [_counted(way.scores[id]) for id in ids],
        [cluster[id] for id in ids],
    )


def _counted(score: Score | None) -> float:
    return (score.value if score else None) or 0.0


def _difference(a: list[float], b: list[float], clusters: list[str]) -> Estimate:
    return paired_difference(a, b, clusters) if clusters else UNDEFINED


def _agreement(plain: Way, way: Way, cluster: Mapping[str, str]) -> list[Estimate | str | None]:
    """The share of verdicts that are those of the rules, and Cohen's kappa."""
    both = [
        (mine.value, score.value, cluster[id])
        for id, score in way.scores.items()
        if score.value is not None
        and (mine := plain.scores.get(id)) is not None
        and mine.value is not None
    ]
    rules, judge = [a for a, _, _ in both], [b for _, b, _ in both]
    clusters = [c for _, _, c in both]
    if not both:
        return [None, None]
    same = proportion([a == b for a, b, _ in both], clusters)
    return [same, interval_of(jackknife(_kappa, [rules, judge], clusters), CORRELATION_BOUNDS)]


def _kappa(a: ArrayLike, b: ArrayLike) -> float | None:
    return weighted_kappa(a, b, weights="none")


def _note(item_set: ItemSet, plain: Way, others: Sequence[Way]) -> str:
    names = {way.name for way in others}
    chances = [chance_of(item) for item in item_set.items if item.id in plain.scores]
    known = [chance for chance in chances if chance is not None]
    guessing = ""
    if known and len(known) == len(chances):
        guessing = f"Guessing gives {number(sum(known) / len(known))} %."
    gain = " ".join([GAIN_NOTE, *_declined(others)]) if BLIND in names else ""
    judged = JUDGED_NOTE if JUDGED in names else ""
    return " ".join(filter(None, (NOTE, guessing, gain, judged)))


def _declined(ways: Sequence[Way]) -> Iterator[str]:
    """How many blind replies widen the gain because they choose nothing."""
    blind = next(way for way in ways if way.name == BLIND)
    lost = sum(score.value is None for score in blind.scores.values())
    if lost:
        yield (
            f"{whole(lost)} of {plural(len(blind.scores), 'blind reply', 'blind replies')} could "
            "not be scored, such as those that decline because there is no picture: as they count "
            "as wrong, the gain is larger by what they would have guessed right."
        )
