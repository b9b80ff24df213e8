"""What the judges' verdicts on descriptions come to, for one judge and dimension at a time.

In: a run's findings. Out: `Grades` (the verdicts of a judge) and means with intervals over a
`Group` of items. A description that is missing counts as one verdict of 0 in each dimension; one
that was not judged is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from eyechart.benchmarks import Findings
from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.intervals import mean
from eyechart.records import Estimate, Item

DIMENSIONS = ("completeness", "preciseness", "relevance")
MOST = 2
Draws = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The single images (`single`) or the pairs (`pairs`) of a set.

    `cluster_of`: by item id. `n_golden`: how many of the items have a golden text.
    """

    name: str
    cluster_of: Mapping[str, str]
    n_golden: int

    @property
    def n_items(self) -> int:
        """How many images, or pairs, there are to describe."""
        return len(self.cluster_of)


@dataclass(frozen=True, slots=True)
class Grades:
    """What one judge said, by dimension and item id.

    `verdicts`: its draws, each 0, 1 or 2. `missing`: items without a description to judge.
    `unjudged`: items whose description it gave no verdict on.
    """

    judge: str
    verdicts: Mapping[str, Mapping[str, Draws]]
    missing: Mapping[str, frozenset[str]]
    unjudged: Mapping[str, frozenset[str]]

    def counted(self, group: Group, dimension: str) -> dict[str, Draws]:
        """What enters the means: the draws by item id, a 0 for each missing description.

        Empty where the judge gave no verdict at all: failures alone tell nothing.
        """
        verdicts, missing = self.verdicts[dimension], self.missing[dimension]
        if not any(name in verdicts for name in group.cluster_of):
            return {}
        return {
            name: verdicts.get(name, (0.0,))
            for name in group.cluster_of
            if name in verdicts or name in missing
        }


def grades_of(findings: Findings, judge: str) -> Grades:
    """The verdicts of one judge in each dimension."""
    verdicts: dict[str, dict[str, Draws]] = {name: {} for name in DIMENSIONS}
    missing: dict[str, set[str]] = {name: set() for name in DIMENSIONS}
    unjudged: dict[str, set[str]] = {name: set() for name in DIMENSIONS}
    for score in findings.scores:
        stem, _, dimension = score.name.partition(".")
        if stem != "verdict" or dimension not in DIMENSIONS or score.judge != judge:
            continue
        if score.value is not None:
            verdicts[dimension][score.item_id] = score.draws or (MOST * score.value,)
        else:
            where = unjudged if score.why == "unjudged" else missing
            where[dimension].add(score.item_id)
    return Grades(judge, verdicts, _frozen(missing), _frozen(unjudged))


def groups_of(item_set: ItemSet) -> tuple[Group, ...]:
    """The single images and the pairs of a set; a group without items is left out."""
    groups = (
        _group(item_set, "single", lambda item: len(item.images) < 2),
        _group(item_set, "pairs", lambda item: len(item.images) > 1),
    )
    return tuple(group for group in groups if group.cluster_of)


def mean_score(
    group: Group, grades: Grades, dimension: str, *, among: Collection[str] | None = None
) -> Estimate | None:
    """The mean verdict in a dimension, 0 to 2; None where the judge gave none.

    `among`: ids of the items to take it over, None for all that were graded.
    """
    counted = grades.counted(group, dimension)
    kept = {name: draws for name, draws in counted.items() if among is None or name in among}
    return mean_of(group, kept, _middle, MOST)


def mean_share(group: Group, grades: Grades, dimension: str, verdict: int) -> Estimate | None:
    """The share of one verdict among the draws, each description counting the same."""

    def share(draws: Draws) -> float:
        return draws.count(verdict) / len(draws)

    return mean_of(group, grades.counted(group, dimension), share, 1)


def graded_in_all(group: Group, grades: Grades) -> tuple[str, ...]:
    """The ids of the items that count in every dimension, those of which the sum is taken."""
    counted = [grades.counted(group, dimension) for dimension in DIMENSIONS]
    return tuple(name for name in group.cluster_of if all(name in each for each in counted))


def mean_sum(group: Group, grades: Grades) -> Estimate | None:
    """The mean sum over the dimensions, 0 to 6, of the descriptions that have all of them."""
    counted = [grades.counted(group, dimension) for dimension in DIMENSIONS]
    sums = {
        name: (sum(_middle(each[name]) for each in counted),)
        for name in graded_in_all(group, grades)
    }
    return mean_of(group, sums, _middle, MOST * len(DIMENSIONS))


def mean_of(
    group: Group,
    draws: Mapping[str, Draws],
    statistic: Callable[[Draws], float],
    most: float,
) -> Estimate | None:
    """The mean over items of a statistic of their draws, which lies in 0 to `most`."""
    if not draws:
        return None
    values = [statistic(each) for each in draws.values()]
    return mean(values, [group.cluster_of[name] for name in draws], within=(0.0, most))


def _middle(draws: Sequence[float]) -> float:
    return sum(draws) / len(draws)


def _group(item_set: ItemSet, name: str, belongs: Callable[[Item], bool]) -> Group:
    items = [item for item in item_set.items if belongs(item)]
    clusters = {item.id: cluster_of(item, item_set.card) for item in items}
    return Group(name, clusters, sum(item.answer is not None for item in items))


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(found) for name, found in sets.items()}
