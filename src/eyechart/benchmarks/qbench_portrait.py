"""Q-Bench-Portrait: 2,765 questions about the quality of portraits, in four kinds.

In: the user's data, which `qbench_portrait_data` reads; then what came of asking. Out: items
checked against the paper's taxonomy, and the paper's tables and figures. Asks no model.

Wu et al. 2026, arXiv 2601.18346. The paper's judge prompt is not public: ours is an approximation,
and so are the words of the questions. Of several verdicts the most frequent counts, so that an
answer has a whole number from 0 to 2 as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping

from eyechart.benchmarks import Benchmark, Findings, Told
from eyechart.benchmarks.qbench_portrait_data import (
    CITATION,
    LICENCE,
    NAME,
    TITLE,
    VERSION,
    check,
    items,
)
from eyechart.benchmarks.qbench_portrait_tables import tell_all
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    COUNTS,
    DATASETS,
    DIMENSIONS,
    OVERALL,
    SCOPES,
    SOURCES,
)
from eyechart.rubrics import Rubric

SUMMARY = (
    "Single-choice, multiple-choice, true/false and open questions about portraits, with the "
    "paper's tables, figures and 25 published models; your data."
)


def tell(findings: Findings) -> Told:
    """The paper's tables and figures with this run in them."""
    return tell_all([findings], ())


def _sizes() -> Mapping[str, Mapping[str, int]]:
    """How many questions are published, by facet, and by the pairs of facets that the tables have.

    By scope it is the sum over the kinds; all others are `COUNTS` as they are.
    """
    by_kind = {
        f"{kind}/{scope}": COUNTS[f"{code}/{scope}"]
        for kind, code in CODES.items()
        for scope in SCOPES
    }
    concerns = [concern for concerns in DIMENSIONS.values() for concern in concerns]
    pairs = [f"{source}/{dimension}" for source in SOURCES for dimension in DIMENSIONS]
    return {
        "": {"": COUNTS[OVERALL]},
        "image_source": {source: COUNTS[source] for source in SOURCES},
        "source_dataset": {name: n for name, (_, n) in DATASETS.items()},
        "dimension": {dimension: COUNTS[dimension] for dimension in DIMENSIONS},
        "concern": {concern: COUNTS[concern] for concern in concerns},
        "kind": {kind: COUNTS[code] for kind, code in CODES.items()},
        "scope": {
            scope: sum(n for pair, n in by_kind.items() if pair.endswith(f"/{scope}"))
            for scope in SCOPES
        },
        "image_source/dimension": {pair: COUNTS[pair] for pair in pairs if pair in COUNTS},
        "kind/scope": by_kind,
    }


BENCHMARK = Benchmark(
    name=NAME,
    title=TITLE,
    version=VERSION,
    summary=SUMMARY,
    licence=LICENCE,
    citation=CITATION,
    items=items,
    rubrics={"open": (Rubric("verdict", "judge_open", rule="most_frequent"),)},
    tell=tell,
    tell_all=tell_all,
    sizes=_sizes(),
    overall=True,
    check=check,
    maps_columns=True,
)
