"""Q-Bench-Portrait's published figures: as printed, and the half marks that they imply."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from tests.benchmarks.portrait_half_marks import half_marks

from eyechart.benchmarks.qbench_portrait_published import Published, published_rows
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    COUNTS,
    DIMENSIONS,
    OVERALL,
    SCOPES,
    SOURCES,
)

MODELS = [row for row in published_rows() if row.group != "baseline"]


def test_every_figure_is_the_one_that_the_paper_prints(shared: Path) -> None:
    """1,175 figures of 25 models, and 41 of the random guess; those printed twice agree."""
    rows = {row.model: row for row in published_rows()}
    n_seen: Counter[str] = Counter()
    for number in (3, 4, 5, 6):
        with (shared / f"reference/portrait/table{number}.csv").open(encoding="utf-8") as lines:
            for printed in csv.DictReader(lines):
                row, group = rows[printed.pop("model")], printed.pop("group")
                assert row.group == group
                for column, text in printed.items():
                    key = column.removesuffix(".Overall").replace(".", "/")
                    figure = row.figures.get(key)
                    assert text == ("" if figure is None else f"{100 * figure:.2f}"), (row, key)
                    n_seen[row.group] += bool(text)
    assert n_seen["open"] + n_seen["closed"] == 1175
    assert n_seen["baseline"] == 41


def test_the_rows_are_of_one_baseline_and_25_models() -> None:
    assert Counter(row.group for row in published_rows()) == {
        "baseline": 1,
        "open": 20,
        "closed": 5,
    }
    assert len({row.model for row in published_rows()}) == 26
    assert all(set(row.figures) == set(COUNTS) for row in MODELS)


def test_every_figure_is_a_whole_number_of_half_marks_and_only_one() -> None:
    """Over closed questions of whole marks: an even number of half ones."""
    for row in MODELS:
        for key, n in COUNTS.items():
            marks = half_marks(row, key)
            assert marks is not None, (row.model, key)
            assert f"{100 * marks / (2 * n):.2f}" == f"{100 * row.figures[key]:.2f}"
            assert marks % 2 == 0 or key.partition("/")[0] not in ("SC", "MC", "TF")
    assert all(50 / n > 0.01 for n in COUNTS.values()), "else two numbers would print alike"


def test_the_half_marks_of_parts_add_up_to_those_of_the_whole() -> None:
    wholes: dict[str, list[list[str]]] = {
        OVERALL: [list(SOURCES), list(DIMENSIONS), list(CODES.values())],
        **{name: [list(concerns)] for name, concerns in DIMENSIONS.items()},
        **{code: [[f"{code}/{scope}" for scope in SCOPES]] for code in CODES.values()},
    }
    for name in (*SOURCES, *DIMENSIONS):
        wholes.setdefault(name, []).append(
            [key for key in COUNTS if name in key.split("/") and "/" in key]
        )
    for row in MODELS:
        for whole, partitions in wholes.items():
            for parts in partitions:
                total = sum(half_marks(row, part) or 0 for part in parts)
                assert total == half_marks(row, whole), (row.model, whole)


def test_guessing_is_what_is_expected_of_single_choice_and_true_or_false() -> None:
    guessing = published_rows()[0]
    n_single, n_truth = COUNTS["SC"], COUNTS["TF"]
    overall = (0.25 * n_single + 0.5 * n_truth) / (n_single + n_truth)
    assert guessing.figures[OVERALL] == pytest.approx(overall, abs=0.00005)
    assert not {"MC", "OE", "MC/Global", "OE/Local"} & guessing.figures.keys()


def test_what_no_number_of_marks_gives_has_none() -> None:
    row = Published("a model", "open", {"TF": 0.5119, "SC": 0.4067, "NIs": 0.3600})
    assert half_marks(row, "TF") == 2 * 279
    assert half_marks(row, "SC") is None, "40.67 % of 848 are 344.9 questions"
    assert half_marks(row, "NIs") is None, "36.00 % of 1,476 are 1,062.7 half marks"
    assert half_marks(row, "MC") is None, "a dash"
    assert half_marks(published_rows()[0], "TF") is None, "what is expected was not marked"


def test_a_half_may_have_been_rounded_up_or_down() -> None:
    """165 half marks of 176 questions are 46.875 %."""
    for figure in (0.4687, 0.4688):
        assert half_marks(Published("a model", "open", {"Exposure": figure}), "Exposure") == 165
