"""From items, responses and scores to a `Report`: what was found, before it has a form.

In: an item set, what came back, the scores, and what only the run knows (`RunFacts`). Out: one
`Report`. Pure: nothing is read or written; the curves come ready-made from the metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from eyechart.items import ItemSet
from eyechart.metrics import Metric
from eyechart.records import CLOSED_KINDS, Cell, Chart, Curve, Report, Response, Score, Table
from eyechart.report.bias import bias_tables
from eyechart.report.counting import counts_of, of_first_judge, owed
from eyechart.report.facets import Facet, Order, facets_of
from eyechart.report.formatting import plural
from eyechart.report.headline import Found, headline
from eyechart.report.judges import judge_tables
from eyechart.report.option_choices import option_choice_tables
from eyechart.report.samples import (
    Sample,
    cell_of,
    further_cells,
    is_pooled,
    overall_of,
    samples_of,
)
from eyechart.report.variants import variant_tables
from eyechart.rubrics import GENERAL, Rubrics


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a report tells of a run beyond its scores.

    `judges`: the judge models' names, the one whose verdicts count first; none without a judge.
    `notes`: sentences that a reader must see. `metrics`: those told over all items beside accuracy
    and the rank correlation, where they fit. `provenance`: every version, digest and setting, in
    the order printed. `tables`, `charts`: the benchmark's own. `lead`: sentences of the benchmark
    that open the headline in place of the general ones, "" for those. `max_unjudged`: the share of
    the replies asked about (0 to 1) that a judge may owe before the headline opens with it.
    `overall`: the benchmark's figure is the mean mark over closed and open questions together.
    `order`: of facets and their values, where the benchmark has one.
    `rubrics`: what the judges were asked.
    """

    title: str
    benchmark: str
    model: str
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    judges: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    tables: tuple[Table, ...] = ()
    lead: str = ""
    overall: bool = False
    order: Order = field(default_factory=dict)
    max_unjudged: float = 0.05
    charts: tuple[Chart, ...] = ()
    rubrics: Rubrics = field(default_factory=lambda: GENERAL)


def build_report(
    item_set: ItemSet, responses: Sequence[Response], scores: Sequence[Score], facts: RunFacts
) -> Report:
    """The report of a run: a headline in words, a cell per metric and facet value, and counts.

    An unscored closed question counts as wrong in accuracy, with bounds beside it, and an open one
    as 0 in the verdict's mean. A reply that was not judged is left out of that mean; without a
    judge there is no verdict at all.
    Undefined values are None.
    """
    every = tuple(scores)
    scores = of_first_judge(every, facts.judges)
    cells = cells_of(item_set, scores, facts)
    lost = sum(map(_is_lost_elsewhere, scores))
    counts = counts_of(item_set, scores)
    found = Found(facts.model, cells, facts.curves, counts, owed(scores), lost)
    return Report(
        title=facts.title,
        benchmark=facts.benchmark,
        model=facts.model,
        headline=headline(
            found,
            judge="".join(facts.judges[:1]),
            lead=facts.lead,
            max_unjudged=facts.max_unjudged,
        ),
        cells=cells,
        curves=facts.curves,
        counts=found.counts,
        notes=(*facts.notes, *_notes(item_set, responses)),
        provenance=facts.provenance,
        tables=(
            *facts.tables,
            *option_choice_tables(item_set, scores),
            *judge_tables(item_set, every, facts.judges, facts.rubrics),
            *variant_tables(item_set, every),
            *bias_tables(item_set, scores),
        ),
        charts=facts.charts,
    )


def cells_of(item_set: ItemSet, scores: Sequence[Score], facts: RunFacts) -> tuple[Cell, ...]:
    """Every metric of a run over all items and by facet; of several judges the first one counts."""
    found = samples_of(item_set, of_first_judge(scores, facts.judges))
    samples = [sample for sample in found if facts.judges or not _waits(sample)]
    overall = overall_of(samples) if facts.overall else None
    return _cells([overall, *samples] if overall else samples, item_set, facts)


def _is_lost_elsewhere(score: Score) -> bool:
    """A score with a name after the dot that failed, or a rating that could not be read.

    What a model declines to answer blind is a result, not a loss; what a judge owes is told apart.
    """
    family, _, name = score.name.partition(".")
    if score.value is not None or not name or score.judge:
        return False
    return score.why == "failed" or (family == "rating" and score.why == "unparsed")


def _waits(sample: Sample) -> bool:
    """A verdict that no reply has yet."""
    return sample.metric == "verdict" and all(row.value is None for row in sample.rows)


def _cells(samples: Sequence[Sample], item_set: ItemSet, facts: RunFacts) -> tuple[Cell, ...]:
    """Every sample over all items (but no correlation over several scales) and by facet.

    A mean over all questions alone goes by facet: accuracy and verdicts are parts of it.
    What people's ratings come to over all items and by database is left to a benchmark's tables.
    """
    facets = facets_of(item_set.items, facts.order)
    cells: list[Cell] = []
    has_overall = any(sample.metric == "overall" for sample in samples)
    for sample in samples:
        in_tables = sample.metric == "srcc_mos" and bool(facts.tables)
        if not is_pooled(sample) and not in_tables:
            cells.append(cell_of(sample))
            cells.extend(further_cells(sample, facts.metrics))
        in_overall = has_overall and sample.metric in ("accuracy", "verdict")
        for facet in () if in_overall else facets:
            if not (in_tables and facet.name == "database"):
                cells.extend(_facet_cells(sample, facet))
    return tuple(cells)


def _facet_cells(sample: Sample, facet: Facet) -> list[Cell]:
    """The cells of a facet's values that the sample has; none where they would say nothing.

    A value whose ratings are on several scales has none.
    """
    parts = [(v, sample.part(m)) for v, m in zip(facet.values, facet.members, strict=True)]
    there = [(v, part) for v, part in parts if part.rows]
    if len(there) < 2:
        return []
    cells = [cell_of(part, facet.name, v) for v, part in there if not is_pooled(part)]
    return cells if any(cell.estimate.value is not None for cell in cells) else []


def _notes(item_set: ItemSet, responses: Iterable[Response]) -> list[str]:
    notes = []
    withheld = sum(i.kind in CLOSED_KINDS and i.answer is None for i in item_set.items)
    if withheld:
        has = plural(withheld, "question has", "questions have")
        notes.append(f"{has} no right answer on file; accuracy leaves them out.")
    cut = sum(r.role == "answer" and r.finish == "length" for r in responses)
    if cut:
        were = plural(cut, "reply was", "replies were")
        notes.append(f"{were} cut off at the token limit before the model had finished.")
    return notes
