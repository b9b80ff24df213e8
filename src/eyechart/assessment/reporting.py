"""Reports of `eyechart assess`: the same pages as a run's, made of tables alone.

In: replayed rows or a study, and the files they came from. Out: a `Report`, and its files written.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from eyechart.assessment.replay import Replayed, averages, notes_of
from eyechart.assessment.study import Study
from eyechart.assessment.study_tables import answer, study_tables
from eyechart.assessment.tables import detail, leaderboards, protocol_of
from eyechart.items import sha256_of
from eyechart.metrics.correlations import Correlations
from eyechart.records import Report
from eyechart.report import write_report
from eyechart.report.formatting import listed, number, span
from eyechart.report.write import refuse_run_folder
from eyechart.strategies import Strategy

BENCHMARK = "qbench-assessment"
PACKAGES = ("eyechart", "numpy", "scipy")


def replay_report(rows: Sequence[Replayed], files: Sequence[Path]) -> Report:
    """The report of published results read again: the leaderboard's tables, then every figure."""
    return Report(
        title="Published ratings, read again",
        benchmark=BENCHMARK,
        model=_models([row.model for row in rows]),
        headline=headline_of(rows),
        cells=(),
        counts=_counts([row.figures for row in rows]),
        notes=notes_of(rows),
        provenance=_provenance(files),
        tables=(*leaderboards(rows), detail(rows)),
    )


def study_report(study: Study, files: Sequence[Path]) -> Report:
    """The report of a comparison of strategies: the answer, then the tables that it rests on."""
    return Report(
        title="Ways of reading ratings, compared on the same images",
        benchmark=BENCHMARK,
        model=_models([row.model for row in study.within]),
        headline=answer(study),
        cells=(),
        counts=_counts([row.figures for row in study.within]),
        notes=study.notes,
        provenance=_provenance(files),
        tables=study_tables(study),
    )


def write(report: Report, folder: Path) -> Path:
    """Write the report's files; returns the path of the page.

    Raises BadInput where it cannot, and where the folder holds a run.
    """
    refuse_run_folder(folder)
    return write_report(report, (), folder)


def headline_of(rows: Sequence[Replayed]) -> str:
    """How well each model's ratings, by its first strategy, follow people's; "" without rows."""
    firsts: dict[str, Strategy] = {}
    for row in rows:
        firsts.setdefault(row.model, row.strategy)
    means = {(mean.model, mean.strategy): mean for mean in averages(rows)}
    sentences = []
    for model, how in firsts.items():
        mine = [row for row in rows if (row.model, row.strategy) == (model, how)]
        mean = means.get((model, how))
        found = mean.figures if mean else mine[0].figures
        names = listed([row.database.name for row in mine])
        over = f"the mean over {names}" if mean else names
        sentences.append(f"{model}, {over}: {_told(found)}, by {protocol_of(how)}.")
    return " ".join(sentences)


def _told(figures: Correlations) -> str:
    """SRCC and PLCC with their intervals, in words."""
    parts = []
    for name in ("srcc", "plcc"):
        found = figures.estimates[name]
        if found.value is not None:
            known = found.low is not None and found.high is not None
            interval = span(found.low, found.high, percent=False)
            aside = f" (95 % interval {interval})" if known else ""
            parts.append(f"{name.upper()} {number(found.value, percent=False)}{aside}")
    return listed(parts) or "no correlation is defined"


def _counts(several: Sequence[Correlations]) -> dict[str, int]:
    """Ratings read, each by every strategy; none of them is unscored."""
    n = sum(figures.n for figures in several)
    return {"n_items": n, "n_scored": n}


def _models(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _provenance(files: Sequence[Path]) -> dict[str, str]:
    digests = {str(file): f"sha256 {sha256_of(file)}" for file in files if file.is_file()}
    return {**digests, **{package: version(package) for package in PACKAGES}}
