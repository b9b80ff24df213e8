"""The replica of Q-Bench-Portrait: all published figures come out of replies in words."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.benchmarks.portrait_replica import (
    GUESSING,
    JUDGE,
    MODELS,
    N_DRAWS,
    ROWS,
    bare_items,
    joint_table,
    judge_replies,
    replica_items,
    replies,
    responses,
    worth_of,
)

from eyechart import RunSettings, evaluate
from eyechart.benchmarks import Findings, Source
from eyechart.benchmarks.qbench_portrait import BENCHMARK
from eyechart.benchmarks.qbench_portrait_marks import questions_of, random_guess
from eyechart.benchmarks.qbench_portrait_tables import tell_all
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    COUNTS,
    DATASETS,
    FACETS,
    SOURCES,
    TABLES,
    subsets_of,
)
from eyechart.items import Card, ItemSet
from eyechart.prompts import Judging
from eyechart.records import Kind, Response
from eyechart.report.greying import GREY_MARK
from eyechart.report.own_tables import worded
from eyechart.run import load_items
from eyechart.scores import Scoring, score_responses

Figures = dict[tuple[str, str], str]


def item_set() -> ItemSet:
    return ItemSet(Card("replica", benchmark=BENCHMARK.name), bare_items())


def heard(model: str, said: Sequence[Response]) -> Findings:
    scoring = Scoring(BENCHMARK.rubrics, {JUDGE: N_DRAWS})
    scores = score_responses(bare_items(), said, scoring)
    return Findings(item_set(), said, scores, model, (JUDGE,))


def as_published(model: str) -> Figures:
    figures = ROWS[model].figures
    return {
        (table, key): f"{100 * figures[key]:.2f}"
        for table, columns in TABLES.items()
        for _, _, key in columns
    }


def measured_by(findings: Sequence[Findings]) -> dict[str, Figures]:
    """The figures of each of these models that the benchmark's four tables show."""
    found: dict[str, Figures] = {one.model: {} for one in findings}
    for table in map(worded, tell_all(findings, ()).tables):
        for line in table.lines:
            if table.name in TABLES and not line.published:
                for (_, _, key), cell in zip(TABLES[table.name], line.cells, strict=True):
                    found[line.label][table.name, key] = cell.value.rstrip(GREY_MARK)
    return found


def in_csv(file: Path, model: str) -> Figures:
    """A model's own figures in a table's CSV, as percentages; of its six digits no more is lost."""
    with file.open(encoding="utf-8") as lines:
        (row,) = (r for r in csv.DictReader(lines) if (r["model"], r["published"]) == (model, "no"))
    found = {}
    for group, name, key in TABLES[file.stem]:
        column = f"{group}: {name}" if group else name
        n_halves = 2 * int(row[f"{column} n"])
        marks = round(float(row[column]) * n_halves)
        assert marks / n_halves == pytest.approx(float(row[column]), abs=1e-6)
        found[file.stem, key] = f"{100 * marks / n_halves:.2f}"
    return found


def test_it_has_the_published_counts_in_every_subset_at_once() -> None:
    assert sum(joint_table().values()) == len(bare_items()) == 2765
    assert Counter(key for item in bare_items() for key in subsets_of(item)) == COUNTS
    sources = Counter(
        (item.facets["source_dataset"], item.facets["image_source"]) for item in bare_items()
    )
    assert sources == {(name, source): n for name, (source, n) in DATASETS.items()}


def test_its_items_mix_all_facets() -> None:
    """Where a facet's values have items at all, they have them of every kind and scope."""
    assert all(set(item.facets) == set(FACETS) for item in bare_items())
    for facet, values in (("image_source", SOURCES), ("source_dataset", DATASETS)):
        for value in values:
            mine = [item for item in bare_items() if item.facets[facet] == value]
            assert len({(item.kind, item.facets["scope"]) for item in mine}) >= 7, value
    answers = [item.answer for item in bare_items() if item.kind == "multiple"]
    assert {len(answer) for answer in answers if isinstance(answer, tuple)} == {1, 2, 3, 4}


def test_guessing_gives_the_published_row() -> None:
    guess = random_guess(questions_of([Findings(item_set(), (), (), "nobody")]))
    for key, figure in GUESSING.figures.items():
        estimate = guess[key]
        assert estimate is not None and estimate.value is not None
        assert f"{100 * estimate.value:.2f}" == f"{100 * figure:.2f}", key


def test_all_1175_published_figures_come_out_to_the_printed_digit() -> None:
    findings = [heard(model, responses(model)) for model in MODELS]
    assert all(score.value is not None for one in findings for score in one.scores)
    measured = measured_by(findings)
    assert sum(map(len, measured.values())) == 1175
    for model in MODELS:
        assert measured[model] == as_published(model), model


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("single", "Both A and B."),
        ("multiple", "Option E"),
        ("true_false", "Hard to say."),
        ("open", "Score: 1"),
    ],
)
def test_one_reply_that_changes_shows_in_its_subsets_and_in_no_others(
    kind: Kind, text: str
) -> None:
    """A right answer becomes one that cannot be read; a verdict of 2 becomes 1."""
    model, is_open = MODELS[-1], kind == "open"
    worth = worth_of(model)
    most = 2 if is_open else 1
    item = next(one for one in bare_items() if one.kind == kind and worth[one.id] == most)
    changed = (item.id, "judge" if is_open else "answer")
    said = [
        replace(r, text=text) if (r.item_id, r.role) == changed else r for r in responses(model)
    ]
    measured, published = measured_by([heard(model, said)])[model], as_published(model)
    off = {key for (table, key), figure in measured.items() if published[table, key] != figure}
    assert off == subsets_of(item)


def test_the_benchmark_reads_it_without_a_complaint(tmp_path: Path) -> None:
    written = replica_items(tmp_path / "replica")
    read = BENCHMARK.items(Source(None, tmp_path, data=(str(tmp_path / "replica"),)))
    assert [(i.id, i.kind, i.answer, i.facets) for i in read.items] == [
        (i.id, i.kind, i.answer, i.facets) for i in written.items
    ]
    assert len({item.images[0].path for item in read.items}) == 2765
    assert read.card.notes == written.card.notes


def test_the_benchmark_finds_nothing_wrong_with_it_as_an_item_folder(tmp_path: Path) -> None:
    written = replica_items(tmp_path / "replica")
    name, read = load_items(tmp_path / "replica", RunSettings())
    assert (name, len(read.items)) == (written.card.name, 2765)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "by_name"),
    [("Qwen3-VL (32B)", True), ("DeepSeek-VL (7B)", False), ("Gemini-2.5-Pro", True)],
)
def test_a_run_from_end_to_end_writes_the_published_figures(
    model: str, tmp_path: Path, *, by_name: bool
) -> None:
    """The data are given to the benchmark by its name, or are run as the item folder they are."""
    folder = tmp_path / "replica"
    replica_items(folder)
    (tmp_path / "model.json").write_text(json.dumps(replies(model)))
    (tmp_path / "judge.json").write_text(json.dumps(judge_replies(model)))
    settings = RunSettings(
        judges=(f"scripted:{tmp_path / 'judge.json'}",),
        judging=Judging(n_draws=N_DRAWS),
        workspace=tmp_path / "runs",
        data=(str(folder),) if by_name else (),
    )
    address = f"scripted:{tmp_path / 'model.json'}"
    benchmark = BENCHMARK.name if by_name else folder
    outcome = evaluate(benchmark, address, out=tmp_path / "run", settings=settings)
    assert outcome.n_failed == 0
    measured: Figures = {}
    for table in TABLES:
        measured |= in_csv(outcome.folder / f"tables/{table}.csv", address)
    assert measured == as_published(model)
