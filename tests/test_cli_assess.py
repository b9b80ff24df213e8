"""`eyechart assess` as people use it: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.assessment.results import records, write
from typer.testing import CliRunner, Result

from eyechart.cli import app

QUICK = ("--resamples", "40")


def assess(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["assess", *map(str, words)])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    words = ("good", "poor", "high", "low")
    return [
        write(tmp_path / "idefics" / f"{stem}.json", records(40, seed=seed, words=words))
        for seed, stem in enumerate(("agi", "koniq"))
    ]


@pytest.mark.parametrize("command", ["replay", "strategies"])
def test_each_command_has_help_with_an_example(command: str) -> None:
    told = assess(command, "--help")
    assert told.exit_code == 0
    assert f"Example: eyechart assess {command}" in told.stdout


def test_replay_prints_every_figure_beside_the_published_ones(files: list[Path]) -> None:
    told = assess("replay", *files, *QUICK)
    assert told.exit_code == 0
    assert "softmax:good/poor@100" in told.stdout
    for text in ("SRCC", "KRCC", "PLCC fitted", "RMSE", "distinct", "average of 2", "0.562/0.622"):
        assert text in told.stdout
    assert "Note: AGIQA-3K: 40 of 2,982 images" in told.stdout


def test_a_narrow_terminal_cuts_no_number_off(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from eyechart import printing

    monkeypatch.setattr(printing, "WIDE", 80)
    told = assess("replay", *files, *QUICK)
    assert "0.562/0.622" in told.stdout
    assert told.stdout.count("PLCC fitted") == 1
    assert max(len(line) for line in told.stdout.splitlines() if "Note" not in line) <= 80


def test_json_is_a_list_and_nothing_else(files: list[Path]) -> None:
    told = assess("replay", *files, "--strategies", "softmax,argmax", "--json", *QUICK)
    rows = json.loads(told.stdout)
    assert [(row["database"], row["strategy"]) for row in rows] == [
        ("AGIQA-3K", "softmax:good/poor@100"),
        ("AGIQA-3K", "argmax:good/poor"),
        ("KonIQ-10k", "softmax:good/poor@100"),
        ("KonIQ-10k", "argmax:good/poor"),
    ]
    assert rows[0]["published_srcc"] == 0.562
    assert {"model", "n", "n_records", "n_duplicates", "n_distinct", "srcc_low"} <= set(rows[0])


def test_words_and_temperature_choose_how_ratings_are_read(files: list[Path]) -> None:
    told = assess(
        "replay", *files, "--words", "high/low", "--softmax-temperature", "1", "--json", *QUICK
    )
    assert {row["strategy"] for row in json.loads(told.stdout)} == {"softmax:high/low@1"}


def test_scores_and_database_can_be_given_apart(tmp_path: Path) -> None:
    rows = records(30)
    scores = tmp_path / "mos.csv"
    lines = [f"{row['img_path']},{row['gt_score']}" for row in rows]
    scores.write_text("\n".join(["file_name,mos", *lines]))
    bare = [{key: value for key, value in row.items() if key != "gt_score"} for row in rows]
    file = write(tmp_path / "idefics.json", bare)
    told = assess("replay", file, "--mos", scores, "--database", "livec", "--json", *QUICK)
    (found,) = json.loads(told.stdout)
    assert (found["model"], found["database"], found["n"]) == ("idefics", "LIVE-itw", 30)


def test_repeats_are_dropped_when_asked(tmp_path: Path) -> None:
    rows = records(30)
    file = write(tmp_path / "idefics" / "agi.json", [*rows, rows[0]])
    (kept,) = json.loads(assess("replay", file, "--json", *QUICK).stdout)
    (dropped,) = json.loads(assess("replay", file, "--unique", "--json", *QUICK).stdout)
    assert (kept["n"], kept["n_duplicates"]) == (31, 1)
    assert (dropped["n"], dropped["n_duplicates"]) == (30, 1)


def test_a_folder_gets_a_report_with_the_tables(files: list[Path], tmp_path: Path) -> None:
    told = assess("replay", *files, "--out", tmp_path / "out", "--json", *QUICK)
    json.loads(told.stdout)
    assert f"Wrote {tmp_path / 'out' / 'report.html'}" in told.stderr
    page = (tmp_path / "out" / "report.html").read_text()
    assert "0.562" in page
    names = {file.name for file in (tmp_path / "out" / "tables").iterdir()}
    assert {"assessment-srcc.csv", "assessment-plcc.tex", "assessment-detail.csv"} <= names


def test_strategies_answers_in_a_sentence_and_prints_what_it_rests_on(
    files: list[Path], tmp_path: Path
) -> None:
    told = assess("strategies", *files, "--out", tmp_path / "out", *QUICK)
    assert told.exit_code == 0
    assert "softmax:good/poor@100 across 2 model-database pairs" in told.stdout
    for text in ("softmax:high/low@100", "weights fitted", "AGIQA-3K → KonIQ-10k", "reference"):
        assert text in told.stdout
    assert (tmp_path / "out" / "tables" / "strategies-across.csv").is_file()


def test_strategies_can_be_named_and_told_as_json(files: list[Path]) -> None:
    told = assess(
        "strategies", files[0], "--strategies", "argmax", "--words", "high/low", "--json", *QUICK
    )
    rows = json.loads(told.stdout)
    within = {row["strategy"] for row in rows if row["kind"] == "within"}
    assert within == {"softmax:high/low@100", "argmax:high/low"}


def test_any_temperature_can_be_compared_with(files: list[Path]) -> None:
    told = assess("strategies", files[0], "--softmax-temperature", "50", "--json", *QUICK)
    assert {row["reference"] for row in json.loads(told.stdout)} == {"softmax:good/poor@50"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replay", "nowhere.json"], "eyechart: nowhere.json: cannot be read"),
        (["replay", "{file}", "--words", "good"], "as many good words as poor ones"),
        (["replay", "{file}", "--words", "fine/bad"], "no logit_fine"),
        (["replay", "{file}", "--strategies", "number"], "reads replies in words"),
        (["strategies", "{file}", "--strategies", "softmax"], "there is no strategy but"),
        (["replay", "{folder}"], "eyechart assess strategies {folder}"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    words: list[str], told: str, files: list[Path]
) -> None:
    places = {"file": files[0], "folder": files[0].parent}
    found = assess(*[word.format(**places) for word in words])
    assert found.exit_code == 2
    assert told.format(**places) in found.stderr
    assert "Traceback" not in found.stderr


def test_a_run_folder_is_not_written_over(tmp_path: Path, files: list[Path]) -> None:
    (tmp_path / "run.json").write_text("{}")
    told = assess("replay", files[0], "--out", tmp_path, *QUICK)
    assert told.exit_code == 2
    assert "holds a run and its report; choose another folder with --out" in told.stderr
    assert not (tmp_path / "report.html").exists()
