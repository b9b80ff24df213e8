"""From items, responses and scores to a `Report`: what was found, before it has a form.

In: an item set, what came back, the scores, and what only the run knows (`RunFacts`). Out: one
`Report`. Pure: nothing is read or written; the curves come ready-made from the metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from eyechart.items import ItemSet
from eyechart.metrics import Metric
from eyechart.records import CLOSED_KINDS, Cell, Curve, Report, Response, Score
from eyechart.report.facets import Facet, facets_of
from eyechart.report.formatting import plural
from eyechart.report.headline import headline
from eyechart.report.samples import Sample, cell_of, further_cells, samples_of


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a report tells of a run beyond its scores.

    `judge`: the judge model's name, "" without one. `notes`: sentences that a reader must see.
    `metrics`: those told over all items beside accuracy and the rank correlation, where they fit.
    `provenance`: every version, digest and setting, in the order printed.
    """

    title: str
    benchmark: str
    model: str
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    judge: str = ""
    metrics: tuple[Metric, ...] = ()


def build_report(
    item_set: ItemSet, responses: Sequence[Response], scores: Sequence[Score], facts: RunFacts
) -> Report:
    """The report of a run: a headline in words, a cell per metric and facet value, and counts.

    An unscored closed question counts as wrong in accuracy, with bounds beside it, and an open one
    as 0 in the verdict's mean. A reply that was not judged is left out of that mean; without a
    judge there is no verdict at all.
    Undefined values are None.
    """
    samples = [s for s in samples_of(item_set, scores) if facts.judge or not _waits(s)]
    cells = _cells(samples, facets_of(item_set.items), facts.metrics)
    counts = _counts(item_set, scores)
    return Report(
        title=facts.title,
        benchmark=facts.benchmark,
        model=facts.model,
        headline=headline(facts.model, cells, facts.curves, counts=counts, judge=facts.judge),
        cells=cells,
        curves=facts.curves,
        counts=counts,
        notes=(*facts.notes, *_notes(item_set, responses)),
        provenance=facts.provenance,
    )


def _waits(sample: Sample) -> bool:
    """A verdict that no reply has yet."""
    return sample.metric == "verdict" and all(row.value is None for row in sample.rows)


def _cells(
    samples: Iterable[Sample], facets: Sequence[Facet], metrics: Sequence[Metric]
) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for sample in samples:
        cells.append(cell_of(sample))
        cells.extend(further_cells(sample, metrics))
        for facet in facets:
            cells.extend(_facet_cells(sample, facet))
    return tuple(cells)


def _facet_cells(sample: Sample, facet: Facet) -> list[Cell]:
    """The cells of a facet's values that the sample has; none where they would say nothing."""
    parts = [(v, sample.part(m)) for v, m in zip(facet.values, facet.members, strict=True)]
    there = [(value, part) for value, part in parts if part.rows]
    if len(there) < 2:
        return []
    cells = [cell_of(part, facet.name, value) for value, part in there]
    return cells if any(cell.estimate.value is not None for cell in cells) else []


def _counts(item_set: ItemSet, scores: Iterable[Score]) -> dict[str, int]:
    """Items, scored items, and unscored ones by reason; `missing` has no row in the scores."""
    scored: set[str] = set()
    why: dict[str, str] = {}
    for score in scores:
        if score.value is not None:
            scored.add(score.item_id)
        else:
            why.setdefault(score.item_id, score.why or "missing")
    ids = [item.id for item in item_set.items]
    reasons = Counter(why.get(id, "missing") for id in ids if id not in scored)
    n_scored = sum(id in scored for id in ids)
    return {"n_items": len(ids), "n_scored": n_scored, **dict(sorted(reasons.items()))}


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
