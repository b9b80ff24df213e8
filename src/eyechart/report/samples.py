"""What each metric is computed from: one row per item that the metric is about.

In: items and their scores. Out: `Sample`s by metric name, and the `Cell` of any part of a sample.
An unscored item stays in its sample as a row without a value; what it counts as, `counted` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics import Metric
from eyechart.metrics.arrays import Floats
from eyechart.metrics.intervals import UNDEFINED, mean, proportion, share_of_marks
from eyechart.metrics.jackknife import metric_estimate
from eyechart.metrics.srcc import METRIC as SRCC
from eyechart.records import CLOSED_KINDS, JUDGED_KINDS, Cell, Item, Score
from eyechart.report.counting import of_first_judge


@dataclass(frozen=True, slots=True)
class Scale:
    """On whose scale people rated an image: of a database, or a half of one; "" where it has none.

    The mean over several is that over databases, of each the mean over its halves.
    """

    database: str = ""
    half: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One item in a sample: `value` None where it is unscored, `why` the reason then.

    `chance`: how likely a guess is right. `target`: what a rating should follow, on this `scale`.
    """

    position: int
    value: float | None
    cluster: str
    chance: float | None = None
    target: float | None = None
    why: str = ""
    scale: Scale = Scale()


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of one metric, in the order of the items."""

    metric: str
    rows: tuple[Row, ...]

    def part(self, positions: Iterable[int]) -> Sample:
        """Only the items at these positions."""
        wanted = set(positions)
        return Sample(self.metric, tuple(row for row in self.rows if row.position in wanted))


def chance_of(item: Item) -> float | None:
    """How likely a uniform guess is right; None for kinds that are not chosen from options.

    >>> chance_of(Item("1", "single", "", (), options=("a", "b", "c", "d")))
    0.25
    """
    if item.kind == "true_false":
        return 0.5
    if item.kind == "single" and item.options:
        return 1 / len(item.options)
    if item.kind == "multiple" and item.options:
        return 1 / ((1 << len(item.options)) - 1)
    return None


def scale_of(item: Item) -> Scale:
    """The item's scale, by its facets `database` and `half`.

    >>> scale_of(Item("1", "rate", "", (), facets={"database": "CGIQA-6K", "half": "first"}))
    Scale(database='CGIQA-6K', half='first')
    """
    return Scale(*(str(item.facets.get(name, "")) for name in ("database", "half")))


def samples_of(item_set: ItemSet, scores: Iterable[Score]) -> tuple[Sample, ...]:
    """Accuracy, the judge's verdict, rank correlation of ratings, then any further score's mean.

    Of several judges the first one counts. Scores with a dot in their name are left to tables.
    """
    by_name: dict[str, dict[str, Score]] = {"correct": {}, "verdict": {}, "rating": {}}
    for score in of_first_judge(scores):
        if "." not in score.name:
            by_name.setdefault(score.name, {})[score.item_id] = score
    samples = [
        _accuracy(item_set, by_name.pop("correct")),
        _verdict(item_set, by_name.pop("verdict")),
        *_ratings(item_set, by_name.pop("rating")),
        *(_further(item_set, name, found) for name, found in sorted(by_name.items())),
    ]
    return tuple(sample for sample in samples if sample.rows)


def overall_of(samples: Iterable[Sample]) -> Sample | None:
    """Every question's mark, closed and open ones in one sample.

    None where there are not both, or no open one has a verdict.
    """
    found = {sample.metric: sample for sample in samples}
    if not {"accuracy", "verdict"} <= found.keys():
        return None
    if all(row.value is None for row in found["verdict"].rows):
        return None
    rows = (*found["accuracy"].rows, *found["verdict"].rows)
    return Sample("overall", tuple(sorted(rows, key=lambda row: row.position)))


def marks_of(item_set: ItemSet, scores: Iterable[Score]) -> Floats:
    """A run's marks [items], 0 to 1: right or wrong, or a verdict; unscored counts as 0.

    NaN where there is none yet (a judge owes it), or can be none (the answer is withheld; a
    rating).
    """
    marks = np.full(len(item_set.items), np.nan)
    for sample in samples_of(item_set, scores):
        if sample.metric in ("accuracy", "verdict"):
            for row, value in zip(sample.rows, counted(sample), strict=True):
                marks[row.position] = np.nan if value is None else value
    return marks


def counted(sample: Sample) -> list[float | None]:
    """What each row counts as, in order; None where it is left out.

    A reply that is missing, failed, was refused or not understood counts as 0 in accuracy and in
    the judge's verdict, so that silence is no way to a better figure, and in the overall mean of
    both. A verdict that the judge owes is left out, and where it owes all of them nothing else
    counts either. In other metrics all unscored rows are left out.
    """
    rows = sample.rows
    if sample.metric == "accuracy":
        return [row.value or 0.0 for row in rows]
    if sample.metric == "overall":
        return [None if _owed(row) else row.value or 0.0 for row in rows]
    nothing_judged = all(row.value is None for row in rows)
    if sample.metric != "verdict" or (nothing_judged and any(map(_owed, rows))):
        return [row.value for row in rows]
    return [None if _owed(row) else row.value or 0.0 for row in rows]


def is_pooled(sample: Sample) -> bool:
    """Ratings on several scales in one sample: a correlation over them means nothing."""
    several = len({row.scale for row in sample.rows}) > 1
    return several and sample.metric == "srcc_mos"


def cell_of(sample: Sample, facet: str = "", value: str = "") -> Cell:
    """The sample's metric with its interval, bounds and chance; undefined without scored rows."""
    if sample.metric == "accuracy":
        return _accuracy_cell(sample, facet, value)
    if sample.metric.startswith("srcc_"):
        return _metric_cell(sample, SRCC, sample.metric, facet=facet, value=value)
    return _mean_cell(sample, facet, value)


def further_cells(sample: Sample, metrics: Iterable[Metric]) -> list[Cell]:
    """The cells over all items for what other metrics find in the sample.

    Metrics of pairs are of ratings and people's scores (`plcc_mos`, ...); metrics of values are of
    right and wrong answers, where unscored is wrong.
    """
    if sample.metric == "srcc_mos":
        pairs = [m for m in metrics if m.needs == "pairs" and m.name != SRCC.name]
        return [_metric_cell(sample, metric, f"{metric.name}_mos") for metric in pairs]
    if sample.metric == "accuracy":
        values = [m for m in metrics if m.needs == "values" and m.name != "accuracy"]
        return [_metric_cell(sample, metric, metric.name) for metric in values]
    return []


def _row(
    item_set: ItemSet,
    position: int,
    scores: Mapping[str, Score],
    *,
    target: float | None = None,
) -> Row:
    item = item_set.items[position]
    score = scores.get(item.id)
    return Row(
        position,
        score.value if score else None,
        cluster_of(item, item_set.card),
        chance=chance_of(item),
        target=target,
        why=(score.why if score else None) or "missing",
        scale=scale_of(item),
    )


def _accuracy(item_set: ItemSet, scores: Mapping[str, Score]) -> Sample:
    """Every closed question with an answer on file; those withheld cannot be graded."""
    rows = [
        _row(item_set, position, scores)
        for position, item in enumerate(item_set.items)
        if item.kind in CLOSED_KINDS and item.answer is not None
    ]
    return Sample("accuracy", tuple(rows))


def _verdict(item_set: ItemSet, scores: Mapping[str, Score]) -> Sample:
    """Every question for a judge, if a judge was asked at all."""
    judged = [p for p, item in enumerate(item_set.items) if item.kind in JUDGED_KINDS]
    return Sample("verdict", tuple(_row(item_set, p, scores) for p in judged if scores))


def _further(item_set: ItemSet, name: str, scores: Mapping[str, Score]) -> Sample:
    about = [p for p, item in enumerate(item_set.items) if item.id in scores]
    return Sample(name, tuple(_row(item_set, p, scores) for p in about))


def _ratings(item_set: ItemSet, scores: Mapping[str, Score]) -> tuple[Sample, Sample]:
    """Ratings against people's scores where there are any, else against the distortion's level."""
    people, severity = [], []
    for position, item in enumerate(item_set.items):
        level = item.facets.get("severity_level")
        if item.kind == "rate" and item.mos is not None:
            people.append(_row(item_set, position, scores, target=item.mos))
        elif item.kind == "rate" and isinstance(level, int | float):
            severity.append(_row(item_set, position, scores, target=-float(level)))
    return Sample("srcc_mos", tuple(people)), Sample("srcc_level", tuple(severity))


def _accuracy_cell(sample: Sample, facet: str, value: str) -> Cell:
    rows = sample.rows
    chances = [row.chance for row in rows if row.chance is not None]
    clusters = [row.cluster for row in rows]
    return Cell(
        facet,
        value,
        sample.metric,
        proportion([row.value or 0.0 for row in rows], clusters) if rows else UNDEFINED,
        n_unscored=sum(_why(sample).values()),
        bounds=_bounds(rows),
        chance=sum(chances) / len(rows) if rows and len(chances) == len(rows) else None,
        why=_why(sample),
    )


def _mean_cell(sample: Sample, facet: str, value: str) -> Cell:
    pairs = [(v, row.cluster) for v, row in zip(counted(sample), sample.rows, strict=True)]
    scored = [(v, cluster) for v, cluster in pairs if v is not None]
    values, clusters = [v for v, _ in scored], [cluster for _, cluster in scored]
    is_share = sample.metric in ("verdict", "overall")
    return Cell(
        facet,
        value,
        sample.metric,
        share_of_marks(values, clusters) if is_share else mean(values, clusters),
        n_unscored=sum(_why(sample).values()),
        bounds=_bounds(sample.rows) if is_share else None,
        why=_why(sample),
    )


def _metric_cell(
    sample: Sample, metric: Metric, name: str, *, facet: str = "", value: str = ""
) -> Cell:
    pairs = list(zip(counted(sample), sample.rows, strict=True))
    columns = [[v for v, _ in pairs if v is not None]]
    if metric.needs == "pairs":
        columns.append([row.target or 0.0 for v, row in pairs if v is not None])
    clusters = [row.cluster for v, row in pairs if v is not None]
    return Cell(
        facet,
        value,
        name,
        metric_estimate(metric, columns, clusters),
        n_unscored=sum(_why(sample).values()),
        why=_why(sample),
    )


def _owed(row: Row) -> bool:
    return row.value is None and row.why == "unjudged"


def _why(sample: Sample) -> dict[str, int]:
    return dict(sorted(Counter(row.why for row in sample.rows if row.value is None).items()))


def _bounds(rows: Sequence[Row]) -> tuple[float, float] | None:
    """The mean with every unscored row at 0 and at 1; None without rows."""
    if not rows:
        return None
    total = sum(row.value or 0.0 for row in rows)
    n_unscored = sum(row.value is None for row in rows)
    return total / len(rows), (total + n_unscored) / len(rows)
