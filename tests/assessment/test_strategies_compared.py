"""Strategies are compared on the same images; what is best on one database is tried on another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.assessment.results import records, write

from eyechart.assessment.figures import Gain
from eyechart.assessment.study import CHOSEN, FITTED, Study, Within, compare, records_of
from eyechart.assessment.study_tables import answer, study_tables
from eyechart.assessment.subjects import read_subjects
from eyechart.errors import BadInput
from eyechart.metrics.correlations import correlations
from eyechart.records import Estimate
from eyechart.strategies import strategy

REFERENCE = strategy("softmax:good/poor@100")
N = 60


def telling(file: Path, word: str, *, n: int = 150, seed: int = 0) -> Path:
    """Results in which the logits of one word follow people's scores and the others are noise."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for at, score in enumerate(rng.uniform(1, 5, n).tolist()):
        logits = {f"logit_{w}": rng.normal(15, 1) for w in ("good", "poor", "high", "low")}
        logits[f"logit_{word}"] += 2 * score
        rows.append({"img_path": f"{at}.jpg", "gt_score": score, **logits})
    return write(file, rows)


def test_the_strategy_whose_words_tell_is_found_to_be_best(tmp_path: Path) -> None:
    files = [
        telling(tmp_path / f"model{seed}" / "agi.json", "high", seed=seed) for seed in range(2)
    ]
    study = compare(read_subjects(files), REFERENCE, n_resamples=N)
    best = study.overall[0]
    assert best.name == "softmax:high/low@100"
    assert best.n_pairs == 2
    assert best.srcc.low is not None and best.srcc.low > 0
    told = answer(study)
    assert told.startswith(
        "Across 2 model-database pairs, softmax:high/low@100 beats softmax:good/poor@100 by +0."
    )


def test_where_none_is_better_it_is_said_that_none_is(tmp_path: Path) -> None:
    study = compare(
        read_subjects([telling(tmp_path / "model" / "agi.json", "good")]), REFERENCE, n_resamples=N
    )
    assert answer(study).startswith("No strategy clearly beats softmax:good/poor@100 across 1 ")


def test_a_strategy_that_wins_where_its_words_are_is_told_with_how_often_they_are(
    tmp_path: Path,
) -> None:
    files = [
        telling(tmp_path / "model" / "agi.json", "high"),
        write(tmp_path / "model" / "koniq.json", records(80)),
    ]
    told = answer(compare(read_subjects(files), REFERENCE, n_resamples=N))
    assert "No strategy clearly beats" in told
    assert "it is beaten by softmax:high/low@100 by +" in told
    assert "on 1 of them" in told


def test_of_ten_equally_good_strategies_one_is_seldom_said_to_be_the_best() -> None:
    """One in seven would be, if the best were taken as if it had been the only one."""
    rng = np.random.default_rng(0)
    figures = correlations([1, 2, 3], [1, 2, 3], n_resamples=2)
    hows = [strategy(f"softmax:{word}/poor") for word in "abcdefghij"]
    found, single = [], []
    for _ in range(400):
        values = rng.normal(size=11)
        draws = values[:, None] + rng.normal(size=(11, 400))
        gains = [Gain(values[i] - values[0], draws[i] - draws[0], 99) for i in range(1, 11)]
        rows = [
            Within("model", "mine", how, figures, one, one)
            for how, one in zip(hows, gains, strict=True)
        ]
        study = Study(REFERENCE, tuple(rows), ())
        found.append(answer(study).startswith("Across"))
        single.append(any((one.estimate.low or 0) > 0 for one in gains))
    assert np.mean(single) > 0.1
    assert np.mean(found) < 0.05


def test_the_sentence_says_for_how_many_strategies_its_interval_holds(tmp_path: Path) -> None:
    file = telling(tmp_path / "model" / "agi.json", "high")
    study = compare(read_subjects([file]), REFERENCE, n_resamples=N)
    n = len(study.overall)
    assert n > 1
    assert f", for {n} comparisons)" in answer(study)
    assert "widened for the number compared (Bonferroni)" in study_tables(study)[0].note
    best = study.overall[0]
    assert width(best.one_of_many) > width(best.srcc)


def test_the_reference_is_compared_with_itself_nowhere(tmp_path: Path) -> None:
    study = compare(
        read_subjects([telling(tmp_path / "model" / "agi.json", "high")]), REFERENCE, n_resamples=N
    )
    assert REFERENCE.spec not in [one.name for one in study.overall]
    within = study_tables(study)[1]
    line = next(line for line in within.lines if line.label.endswith(REFERENCE.spec))
    assert line.entries[-2:] == ("reference", "reference")


def test_a_temperature_changes_plcc_and_never_srcc(tmp_path: Path) -> None:
    study = compare(
        read_subjects([telling(tmp_path / "model" / "agi.json", "good")]), REFERENCE, n_resamples=N
    )
    row = next(row for row in study.within if row.strategy.spec == "softmax:good/poor@1")
    assert row.srcc.value == 0
    assert not np.any(row.srcc.draws)
    assert row.plcc.value != 0
    assert row.strategy.spec not in [one.name for one in study.overall]


def test_a_difference_is_narrower_than_the_figures_it_is_of(tmp_path: Path) -> None:
    """It is paired: both sides are computed in the same resamples."""
    rows = records(200, words=("good", "poor", "excellent"))
    rows = [
        {**row, "logit_excellent": row["logit_good"] + 0.1 * i % 1} for i, row in enumerate(rows)
    ]
    study = compare(
        read_subjects([write(tmp_path / "model" / "agi.json", rows)]), REFERENCE, n_resamples=200
    )
    row = next(row for row in study.within if row.strategy.spec == "softmax:excellent/poor@100")
    assert width(row.srcc.estimate) < 0.5 * width(row.figures.estimates["srcc"])


def width(estimate: Estimate) -> float:
    assert estimate.low is not None and estimate.high is not None
    return estimate.high - estimate.low


def test_what_is_best_on_one_database_is_tried_on_the_others(tmp_path: Path) -> None:
    files = [
        telling(tmp_path / "model" / "agi.json", "high", seed=1),
        telling(tmp_path / "model" / "koniq.json", "good", seed=2),
    ]
    study = compare(read_subjects(files), REFERENCE, n_resamples=N)
    steps = {(row.made_on, row.tested_on, row.rule): row for row in study.across}
    assert len(steps) == 4
    there = steps["AGIQA-3K", "KonIQ-10k", CHOSEN]
    assert there.told == "softmax:high/low@100"
    assert there.srcc.value is not None and there.srcc.value < -0.5
    back = steps["KonIQ-10k", "AGIQA-3K", CHOSEN]
    assert (back.told, back.srcc.value) == (REFERENCE.spec, 0)


def test_weights_fitted_on_one_database_hold_on_another_of_the_same_kind(tmp_path: Path) -> None:
    """Ridge regression finds the word that tells, though the reference does not read it."""
    files = [
        telling(tmp_path / "model" / f"{stem}.json", "high", seed=seed)
        for seed, stem in enumerate(("agi", "koniq"))
    ]
    study = compare(read_subjects(files), REFERENCE, n_resamples=N)
    fitted = [row for row in study.across if row.rule == FITTED]
    assert len(fitted) == 2
    for row in fitted:
        assert row.srcc.value is not None and row.srcc.value > 0.5
        assert "high +0." in row.told
    assert "From one database to another, fitting weights" in answer(study)
    carried = {one.name: one for one in study.carried}
    assert carried[FITTED].n_pairs == 2


def test_models_do_not_lend_each_other_their_weights(tmp_path: Path) -> None:
    files = [
        telling(tmp_path / "one" / "agi.json", "high"),
        telling(tmp_path / "other" / "koniq.json", "high"),
    ]
    assert not compare(read_subjects(files), REFERENCE, n_resamples=N).across


def test_an_undefined_strategy_is_counted_not_averaged(tmp_path: Path) -> None:
    always = [{**row, "logit_good": 99.0 + row["gt_score"]} for row in records(60)]
    files = [
        write(tmp_path / "model" / "agi.json", always),
        write(tmp_path / "model" / "koniq.json", records(60)),
    ]
    study = compare(read_subjects(files), REFERENCE, n_resamples=N)
    argmax = next(one for one in study.overall if one.name == "argmax:good/poor")
    assert (argmax.n_pairs, argmax.n_undefined) == (1, 1)


def test_the_strategies_named_are_the_only_ones(tmp_path: Path) -> None:
    file = telling(tmp_path / "model" / "agi.json", "high")
    wanted = (REFERENCE, strategy("argmax:high/low"))
    (subject,) = read_subjects([file], wanted)
    assert tuple(subject.readings) == wanted


def test_a_reference_whose_words_are_not_on_file_is_told_with_what_is(tmp_path: Path) -> None:
    file = write(tmp_path / "model" / "agi.json", records(30, words=("high", "low")))
    told = (
        r"no ratings by softmax:good/poor@100.*Compare with softmax:high/low@100: "
        r"--words high/low --softmax-temperature 100$"
    )
    with pytest.raises(BadInput, match=told):
        compare(read_subjects([file]), REFERENCE, n_resamples=N)


def test_words_that_no_strategy_is_known_of_are_told(tmp_path: Path) -> None:
    file = write(tmp_path / "model" / "agi.json", records(30, words=("nice", "ugly")))
    told = r"there are none\. Name two of the words on file with --words GOOD/POOR: nice, ugly"
    with pytest.raises(BadInput, match=told):
        compare(read_subjects([file]), REFERENCE, n_resamples=N)


def test_a_reference_of_other_words_is_read_where_they_are_on_file(tmp_path: Path) -> None:
    file = write(
        tmp_path / "model" / "agi.json", records(30, words=("nice", "ugly", "high", "low"))
    )
    other = strategy("softmax:nice/ugly@7")
    study = compare(read_subjects([file], reference=other), other, n_resamples=N)
    assert [one.name for one in study.overall if "high" in one.name]


def test_one_strategy_on_one_database_is_no_comparison(tmp_path: Path) -> None:
    file = write(tmp_path / "model" / "agi.json", records(30))
    with pytest.raises(BadInput, match="there is no strategy but softmax:good/poor@100"):
        compare(read_subjects([file], (REFERENCE,)), REFERENCE, n_resamples=N)


def test_a_study_is_told_in_tables_and_in_records_alike(tmp_path: Path) -> None:
    files = [
        telling(tmp_path / "model" / f"{stem}.json", "high", seed=seed, n=40)
        for seed, stem in enumerate(("agi", "koniq"))
    ]
    study = compare(read_subjects(files), REFERENCE, n_resamples=N)
    tables = study_tables(study)
    assert [table.name for table in tables] == [
        "strategies",
        "strategies-within",
        "strategies-across",
    ]
    for table in tables:
        assert all(len(line.entries) == len(table.columns) for line in table.lines)
    rows = records_of(study)
    kinds = [row["kind"] for row in rows]
    assert kinds.count("within") == len(tables[1].lines)
    assert kinds.count("across") == len(tables[2].lines)
    assert kinds.count("mean") == len(tables[0].lines)
    assert all("difference_srcc" in row for row in rows)
    assert any("40 of 2,982" in note for note in study.notes)


def test_the_published_logits_answer_the_question(shared: Path) -> None:
    """On these six, no strategy clearly beats softmax of good and poor; high and low win once."""
    folder = shared / "reference" / "qbench_a3" / "published_logits"
    subjects = read_subjects(sorted(folder.glob("*/*.json")))
    study = compare(subjects, REFERENCE, n_resamples=N)
    gains = {(row.model, row.database, row.strategy.spec): row.srcc for row in study.within}
    assert gains["instructblip_t5", "AGIQA-3K", "softmax:high/low@100"].value == pytest.approx(
        0.378 - 0.264, abs=0.002
    )
    excellent = "softmax:excellent/poor@100"
    assert (gains["qwen-vl", "AGIQA-3K", excellent].estimate.low or 0) > 0
    assert (gains["qwen-vl", "KonIQ-10k", excellent].estimate.high or 0) < 0
    assert answer(study).startswith("No strategy clearly beats softmax:good/poor@100 across 6 ")
