"""Comparing runs: which items are the same, what silence counts as, and who comes out ahead."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.conftest import photograph

from eyechart import RunSettings, compare, evaluate
from eyechart.backends.scripted import Scripted
from eyechart.comparing import pairs_of
from eyechart.errors import BadInput
from eyechart.report.comparison import Pair
from eyechart.report.samples import Row, Sample


def items(folder: Path, *, colours: dict[str, str], mos: float | None = None) -> Path:
    """An item folder with a question about each picture; a picture is one colour."""
    folder.mkdir()
    rows = []
    for name, colour in colours.items():
        picture = photograph()
        picture.paste(colour, (0, 0, 8, 8))
        picture.save(folder / f"{name}.png")
        rows.append(
            {
                "id": name,
                "file_name": f"{name}.png",
                "kind": "single",
                "question": "What is wrong?",
                "options": ["Blur", "Noise"],
                "answer": "Blur",
                "mos": mos,
            }
        )
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def run(item_folder: Path, name: str, reply: str) -> Path:
    out = item_folder.parent / name
    settings = RunSettings(workspace=item_folder.parent / f"workspace of {name}")
    return evaluate(item_folder, Scripted(reply), out=out, settings=settings).folder


def test_runs_on_the_same_items_are_compared_item_by_item(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue"})
    found = compare([run(folder, "one", "A"), run(folder, "two", "B")])
    (pair,) = found.pairs
    assert (pair.difference.value, pair.only_a_right, pair.only_b_right) == (1.0, 2, 0)
    assert pair.p_holm == pair.p_mcnemar == 0.5


def test_items_of_one_name_with_another_picture_are_not_the_same(tmp_path: Path) -> None:
    old = items(tmp_path / "old", colours={"a": "red", "b": "blue"})
    new = items(tmp_path / "new", colours={"a": "red", "b": "green"})
    found = compare([run(old, "one", "A"), run(new, "two", "A")])
    assert found.n_items == 1
    assert found.notes == ("1 items are not in all runs and are left out.",)


def test_items_with_another_opinion_score_are_not_the_same(tmp_path: Path) -> None:
    low = items(tmp_path / "low", colours={"a": "red"}, mos=1.0)
    high = items(tmp_path / "high", colours={"a": "red"}, mos=2.0)
    with pytest.raises(BadInput, match="with the same question, pictures and answer; compare runs"):
        compare([run(low, "one", "A"), run(high, "two", "A")])


def test_silence_on_open_questions_counts_against_a_model_and_a_silent_judge_does_not() -> None:
    steady = verdicts(0.5, 0.5, 0.5, 0.5)
    declining = verdicts(1.0, 1.0, "refused", "unparsed")
    pair = compared(steady, declining)
    assert (pair.difference.value, pair.n) == (0.0, 4)
    pair = compared(steady, verdicts(1.0, 1.0, "unjudged", "unjudged"))
    assert (pair.difference.value, pair.n) == (-0.5, 2)


def test_where_nothing_was_judged_the_refusals_alone_are_no_verdict() -> None:
    pair = compared(verdicts(0.5, 0.5), verdicts("refused", "unjudged"))
    assert (pair.difference.value, pair.n) == (None, 0)


def test_ratings_are_compared_on_the_items_that_both_rated() -> None:
    good = ratings([i / 40 for i in range(40)])
    poor = ratings([None if i < 4 else (i * 7 % 40) / 40 for i in range(40)])
    pair = compared(good, poor)
    assert pair.n == 36
    assert pair.difference.value is not None and pair.difference.value > 0.5
    assert pair.difference.low is not None and pair.difference.low > 0


def test_three_runs_make_three_pairs_corrected_together() -> None:
    samples = [
        Sample("accuracy", tuple(Row(i, float(i < n), str(i)) for i in range(40)))
        for n in (10, 30, 40)
    ]
    pairs = pairs_of(["a", "b", "c"], [{"accuracy": sample} for sample in samples])
    assert [(pair.a, pair.b) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all((pair.p_holm or 0) >= (pair.p_mcnemar or 0) for pair in pairs)


def test_runs_of_withheld_answers_have_nothing_to_compare(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red"})
    rows = folder / "metadata.jsonl"
    rows.write_text(rows.read_text().replace('"answer": "Blur"', '"answer": null'))
    with pytest.raises(BadInput, match="nothing to compare: no item of all of these runs has"):
        compare([run(folder, "one", "A"), run(folder, "two", "B")])


def test_a_metric_that_one_run_lacks_makes_no_pair() -> None:
    assert pairs_of(["a", "b"], [{"verdict": verdicts(1.0)}, {}]) == ()


def compared(a: Sample, b: Sample) -> Pair:
    (pair,) = pairs_of(["a", "b"], [{a.metric: a}, {b.metric: b}])
    return pair


def verdicts(*values: float | str) -> Sample:
    rows = [
        Row(i, None, str(i), why=value) if isinstance(value, str) else Row(i, value, str(i))
        for i, value in enumerate(values)
    ]
    return Sample("verdict", tuple(rows))


def ratings(values: list[float | None]) -> Sample:
    rows = [Row(i, value, str(i), target=float(i)) for i, value in enumerate(values)]
    return Sample("srcc_mos", tuple(dataclasses.replace(row, why="failed") for row in rows))
