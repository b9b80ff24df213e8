"""Q-Bench's description (A2): a model describes one image or two, a judge grades what it wrote.

In: images, with golden texts where the user has them; then the judges' verdicts. Out: items, the
paper's table, how far the judges can be relied on, and a headline. Asks no model.

Each description is graded 0, 1 or 2 for completeness and preciseness against the golden text, and
for relevance without it. Golden texts were never released.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from eyechart.benchmarks import Benchmark, Findings, Told
from eyechart.benchmarks.qbench_description_data import CITATION, NAME, TITLE, VERSION, items
from eyechart.benchmarks.qbench_description_grades import (
    DIMENSIONS,
    MOST,
    Grades,
    Group,
    graded_in_all,
    grades_of,
    groups_of,
    mean_score,
    mean_sum,
)
from eyechart.benchmarks.qbench_description_tables import N_PUBLISHED, WHAT, tables
from eyechart.items import ItemSet
from eyechart.records import Estimate
from eyechart.report.formatting import listed
from eyechart.rubrics import GENERAL, Rubric

MOST_SUM = MOST * len(DIMENSIONS)


def tell(findings: Findings) -> Told:
    """The paper's table and what the judges are worth, under a sentence with the sum."""
    return Told(lead(findings), tables(findings), notes=tuple(_notes(findings.item_set)))


def lead(findings: Findings) -> str:
    """What the first judge's verdicts come to, a sentence for single images and one for pairs.

    "" where it has given none.
    """
    if not findings.judges:
        return ""
    grades = grades_of(findings, findings.judges[0])
    groups = groups_of(findings.item_set)
    told = [_sentence(findings.model, group, grades, alone=len(groups) == 1) for group in groups]
    return " ".join(filter(None, told))


def _sentence(model: str, group: Group, grades: Grades, *, alone: bool) -> str:
    scores = {
        dimension: score
        for dimension in DIMENSIONS
        if (score := mean_score(group, grades, dimension)) is not None
    }
    if not scores:
        return ""
    single = "descriptions" if alone else "descriptions of single images"
    what = f"{model}'s {'descriptions of pairs' if group.name == 'pairs' else single}"
    total = mean_sum(group, grades)
    if total is None:
        earned = listed([f"{_earned(score, MOST)} for {name}" for name, score in scores.items()])
        return (
            f"{what} earn {earned}, judged by {grades.judge}{_why_not_all(group, grades, scores)}."
        )
    whole = graded_in_all(group, grades)
    summed = {name: mean_score(group, grades, name, among=whole) for name in scores}
    parts = ", ".join(f"{name} {score.value:.2f}" for name, score in summed.items() if score)
    over = f" over the {total.n} of {group.n_items} that have all three"
    return (
        f"{what} earn {_earned(total, MOST_SUM)}{over if total.n < group.n_items else ''}: {parts},"
        f" judged by {grades.judge}{_over_more(group, scores, total.n)}."
    )


def _over_more(group: Group, scores: Mapping[str, Estimate], n: int) -> str:
    """The dimensions that were judged of more descriptions than the sum is of."""
    more = [
        f"{name} of {'all ' if score.n == group.n_items else ''}{score.n}: {score.value:.2f}"
        for name, score in scores.items()
        if score.n > n
    ]
    return f"; {', '.join(more)}" if more else ""


def _why_not_all(group: Group, grades: Grades, scores: Collection[str]) -> str:
    """What to say where completeness was never asked for: those items have no golden text."""
    asked = grades.unjudged["completeness"] | grades.missing["completeness"]
    if "completeness" in scores or asked & group.cluster_of.keys():
        return ""
    return "; without golden texts only relevance can be judged"


def _earned(found: Estimate, most: int) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.2f} of {most}"
    return f"{found.value:.2f} of {most} (95 % interval {found.low:.2f}–{found.high:.2f})"


def _notes(asked: ItemSet) -> Iterator[str]:
    """Where the items differ from Q-Bench's, and what cannot be judged of them."""
    groups = groups_of(asked)
    for group in groups:
        n, published = group.n_items, N_PUBLISHED[group.name]
        if n != published:
            yield f"Q-Bench describes {published} {WHAT[group.name]}; these are {n}."
    n_items, n_golden = len(asked.items), sum(group.n_golden for group in groups)
    if n_golden < n_items:
        which = f"{n_items - n_golden} of {n_items} items lack" if n_golden else "No item has"
        yield (
            f"{which} a golden text, and only relevance is judged there. Q-Bench's golden texts "
            "were never released: bring your own as `golden` in a JSON list, or as `answer` in an "
            "item folder."
        )


def _rubrics(dimensions: Sequence[str]) -> tuple[Rubric, ...]:
    return tuple(
        Rubric(f"verdict.{name}", f"judge_{name}", MOST, needs_answer=name != "relevance")
        for name in dimensions
    )


BENCHMARK = Benchmark(
    name=NAME,
    title=TITLE,
    version=VERSION,
    summary="Descriptions of images and pairs, judged complete, precise and relevant; your data.",
    licence="the images' own; Q-Bench's are not included",
    citation=CITATION,
    items=items,
    rubrics={**GENERAL, "describe": _rubrics(DIMENSIONS)},
    tell=tell,
)
