"""Comparing runs: which items are the same, what silence counts as, and who comes out ahead."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import photograph

from eyechart import RunSettings, compare, evaluate
from eyechart.backends.scripted import Scripted
from eyechart.comparing import pairs_of
from eyechart.errors import BadInput
from eyechart.items import Card
from eyechart.prompts import Judging
from eyechart.records import FacetValue, Item, Picture, Score
from eyechart.report.comparison import Pair
from eyechart.report.samples import Row, Sample
from eyechart.run_folder import JudgeInfo, RunInfo, write_info, write_items, write_scores


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
    assert found.notes == ("1 item is not in all runs and left out.",)


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


def test_halves_are_correlated_apart_then_averaged_and_databases_after_them(
    tmp_path: Path,
) -> None:
    """One half is ranked right and one wrong: the database counts 0 beside another's 1."""
    halves = {"first": 1.0, "second": -1.0}
    parts = [({"database": "CGIQA-6K", "half": half}, sign) for half, sign in halves.items()]
    parts.append(({"database": "SPAQ"}, 1.0))
    found = compare([rated(tmp_path / name, info(name), parts) for name in ("one", "two")])
    cells = {(cell.facet, cell.value): cell.estimate.value for cell in found.runs[0].cells}
    assert cells["", ""] == pytest.approx(0.5)
    assert cells["database", "CGIQA-6K"] == pytest.approx(0.0)
    assert cells["database", "SPAQ"] == pytest.approx(1.0)
    assert [pair.n for pair in found.pairs] == [24]


def test_one_database_of_two_halves_is_their_mean(tmp_path: Path) -> None:
    """Both halves are ranked right, on scales that make all images together look unrelated."""
    parts = [({"database": "CGIQA-6K", "half": half}, 1.0) for half in ("first", "second")]
    runs = [rated(tmp_path / name, info(name), parts) for name in ("one", "two")]
    (overall,) = [cell for cell in compare(runs).runs[0].cells if not cell.facet]
    assert overall.estimate.value == 1.0


def test_every_difference_in_how_was_asked_is_a_note(tmp_path: Path) -> None:
    one = rated(tmp_path / "one", info("m1", strategies=("softmax:good/poor@100",)))
    other = rated(
        tmp_path / "other",
        info("m2", {"rating prompt": "one-word"}, strategies=("argmax:good/poor",)),
    )
    same = rated(tmp_path / "same", info("m3", strategies=("softmax:good/poor@100",)))
    assert compare([one, same]).notes == ()
    assert compare([one, other]).notes == (
        "The runs differ in the rating prompt: begun (m1); one-word (m2).",
        "The runs differ in how ratings are read: softmax:good/poor@100 (m1); "
        "argmax:good/poor (m2).",
    )


def test_another_prompt_or_judge_is_a_note_too(tmp_path: Path) -> None:
    items = [
        Item("a", "single", "?", (Picture(name="a"),), ("x", "y"), "x"),
        Item("b", "open", "?", (Picture(name="b"),), answer="x"),
    ]
    scores = [Score("a", "correct", 1.0), Score("b", "verdict", 1.0, judge="j")]
    infos = [
        info("m1", {"choice prompt": "llava"}, judges=(JudgeInfo("j", n_draws=5),)),
        info("m2", {"choice prompt": "paper"}, judges=(JudgeInfo("j", n_draws=1),)),
        info("m3", {"choice prompt": "paper"}),
    ]
    runs = [made(tmp_path / one.model, one, items, scores) for one in infos]
    assert compare(runs).notes == (
        "The runs differ in the prompt of single choice: llava (m1); paper (m2, m3).",
        "The runs differ in the judge that counts: j with 5 verdicts on each reply (m1); "
        "j with 1 verdict on each reply (m2); none (m3).",
    )


def test_ratings_in_words_are_not_put_beside_those_from_probabilities(tmp_path: Path) -> None:
    one = rated(tmp_path / "one", info("m1"))
    other = rated(tmp_path / "other", info("m2", strategies=("number",)))
    with pytest.raises(
        BadInput,
        match=r"m2 rates in words \(number\) and m1 by probabilities \(softmax.*"
        "run one of them again with the other's --strategies",
    ):
        compare([one, other])
    same = rated(tmp_path / "same", info("m3", strategies=("number",)))
    assert len(compare([other, same]).pairs) == 1


def info(
    model: str, identity: dict[str, str] | None = None, **values: tuple[object, ...]
) -> RunInfo:
    asked = {"rating prompt": "begun", **(identity or {})}
    known = RunInfo("demo", model, "", "2026-01-01", asked, Card("demo"))
    return dataclasses.replace(known, **values)  # type: ignore[arg-type]


def made(folder: Path, about: RunInfo, items: list[Item], scores: list[Score]) -> Path:
    """A run folder of these items and scores, asked of nobody."""
    folder.mkdir(exist_ok=True)
    write_info(folder, about)
    write_items(folder, items)
    write_scores(folder, scores)
    return folder


def rated(
    folder: Path,
    about: RunInfo,
    parts: Sequence[tuple[dict[str, FacetValue], float]] = (({}, 1.0),),
) -> Path:
    """Eight rated images for each part; its scale starts higher and its ratings lower.

    The number with a part is 1 where ratings follow people's scores, -1 where they go against them.
    """
    items, scores = [], []
    for n, (facets, sign) in enumerate(parts):
        for i in range(8):
            name = f"{n}-{i}"
            picture = Picture(name=name, sha256=name, path=folder / name)
            items.append(Item(name, "rate", "?", (picture,), mos=10.0 * n + i, facets=facets))
            scores.append(Score(name, "rating", 0.5 - 0.1 * n + sign * i / 100))
    return made(folder, about, items, scores)


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


def test_people_are_one_more_side_and_have_tables_of_their_own(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue", "c": "green"})
    answers = tmp_path / "answers.csv"
    answers.write_text("item_id,rater,value\na,anna,A\na,ben,B\nb,anna,A\nb,ben,A\nother,ben,A\n")
    found = compare([run(folder, "one", "B")], people=answers, out=tmp_path / "comparison")
    assert [one.name for one in found.runs] == ["scripted", "People (2 raters)"]
    (pair,) = found.pairs
    assert (pair.difference.value, pair.n, pair.p_mcnemar) == (-0.75, 2, None)
    assert found.n_items == 3
    assert found.runs[0].cells[0].estimate.n == 3 and found.runs[1].cells[0].estimate.n == 2
    assert any(note.startswith("1 answer of people") for note in found.notes)
    assert {"people-reach", "people-agreement", "people-ceiling"} <= {t.name for t in found.tables}
    assert "People (2 raters)" in (tmp_path / "comparison" / "compare.html").read_text()


def test_people_who_only_rated_images_are_no_side(tmp_path: Path) -> None:
    folder = tmp_path / "rated"
    folder.mkdir()
    photograph().save(folder / "a.png")
    (folder / "metadata.jsonl").write_text('{"id": "a", "file_name": "a.png", "mos": 3.0}\n')
    settings = RunSettings(workspace=tmp_path)
    rated = evaluate(folder, "signal", out=tmp_path / "run", settings=settings).folder
    answers = tmp_path / "answers.csv"
    answers.write_text("item_id,rater,value\na,anna,3\n")
    with pytest.raises(BadInput, match="people rated images here, which is neither right nor"):
        compare([rated], people=answers)


def test_every_item_is_told_with_what_the_models_made_of_it(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue"})
    found = compare([run(folder, "one", "B"), run(folder, "two", "B")], out=tmp_path / "comparison")
    flagged = next(table for table in found.tables if table.name == "items-flagged")
    assert flagged.note.startswith("Of 2 items 2 are missed by both models")
    rows = (tmp_path / "comparison" / "items.csv").read_text().splitlines()
    assert len(rows) == 3 and rows[0].startswith("id,kind")


def test_what_people_did_not_answer_still_counts_between_models(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue", "c": "green"})
    answers = tmp_path / "answers.csv"
    answers.write_text("item_id,rater,value\nc,anna,A\n")
    found = compare([run(folder, "one", "A"), run(folder, "two", "B")], people=answers)
    assert [(pair.n, pair.difference.value) for pair in found.pairs] == [
        (3, 1.0),
        (1, 0.0),
        (1, -1.0),
    ]


def test_published_models_cannot_be_chosen_where_there_are_none(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue"})
    both = [run(folder, "one", "A"), run(folder, "two", "B")]
    with pytest.raises(BadInput, match="items: no figures of published models; leave out --chosen"):
        compare(both, chosen=["Grok-4"])


def open_and_closed(folder: Path) -> Path:
    """Q-Bench-Portrait's rules over a closed question and two open ones."""
    folder.mkdir()
    rows = []
    for name in ("a", "b", "c"):
        photograph(ord(name)).save(folder / f"{name}.png")
        row = {"id": name, "file_name": f"{name}.png", "question": "It is blurred."}
        row |= {"image_source": "NIs", "source_dataset": "AVA", "scope": "Global"}
        row |= {"dimension": "Technical", "concern": "Blur"}
        kind = {"kind": "true_false", "answer": "True"} if name == "a" else {"kind": "open"}
        rows.append({**row, **kind, **({} if name == "a" else {"answer": "Much."})})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "card.json").write_text('{"name": "few", "benchmark": "qbench-portrait"}')
    return folder


def judged(item_folder: Path, name: str, said: str, verdict: int) -> Path:
    """A run that says the same to the closed question, and earns the same for every open one."""
    for role, text in {name: said, f"judge of {name}": f"Score: {verdict}"}.items():
        (item_folder.parent / f"{role}.json").write_text(json.dumps({"": text}))
    settings = RunSettings(
        workspace=item_folder.parent / f"workspace of {name}",
        judges=(f"scripted:{item_folder.parent / f'judge of {name}.json'}",),
        judging=Judging(n_draws=1),
    )
    script = f"scripted:{item_folder.parent / f'{name}.json'}"
    out = item_folder.parent / f"run {name}"
    return evaluate(item_folder, script, out=out, settings=settings).folder


def test_a_benchmark_of_all_questions_together_is_compared_by_their_mean_mark(
    tmp_path: Path,
) -> None:
    folder = open_and_closed(tmp_path / "items")
    one = judged(folder, "one", "True", 1)
    found = compare([one, judged(folder, "two", "False", 2)])
    assert found.metric == "overall"
    overall = [run.overall("overall") for run in found.runs]
    assert [round(cell.estimate.value or 0, 3) for cell in overall if cell] == [0.667, 0.667]
    assert [pair.metric for pair in found.pairs] == ["overall", "accuracy", "verdict"]
    assert [pair.difference.value for pair in found.pairs] == [0.0, 1.0, -0.5]
    assert "share the first place of 2 runs: 66.67 % each over all 3 questions" in found.lead


def test_without_a_judge_for_every_run_closed_questions_alone_are_compared(tmp_path: Path) -> None:
    folder = open_and_closed(tmp_path / "items")
    alone = run(folder, "alone", "True")
    found = compare([judged(folder, "one", "True", 1), alone])
    assert found.metric == "accuracy" and found.lead == ""


def test_a_folder_given_twice_is_refused(tmp_path: Path) -> None:
    one = run(items(tmp_path / "items", colours={"a": "red"}), "one", "A")
    with pytest.raises(BadInput, match=r"one: given twice; expected different run folders"):
        compare([one, tmp_path / "workspace of one" / ".." / "one"])


def test_runs_of_one_model_in_folders_of_one_name_are_numbered(tmp_path: Path) -> None:
    folder = items(tmp_path / "items", colours={"a": "red", "b": "blue"})
    settings = RunSettings(workspace=tmp_path / "workspace")
    for place in ("x", "y"):
        evaluate(folder, Scripted("A"), out=tmp_path / place / "run", settings=settings)
    found = compare([tmp_path / "x" / "run", tmp_path / "y" / "run"])
    assert [one.name for one in found.runs] == ["scripted (run) 1", "scripted (run) 2"]
    assert len(found.provenance) == 2


def test_people_who_answered_no_open_question_stand_beside_the_mean_over_all(
    tmp_path: Path,
) -> None:
    folder = open_and_closed(tmp_path / "items")
    answers = tmp_path / "answers.csv"
    answers.write_text("item_id,rater,value\na,anna,True\n")
    found = compare([judged(folder, "one", "True", 1)], people=answers)
    assert found.metric == "overall"
    cells = [run.overall("overall") for run in found.runs]
    assert [(cell.estimate.value, cell.estimate.n) for cell in cells if cell][1] == (1.0, 1)


def test_different_judges_are_told_in_the_first_sentences(tmp_path: Path) -> None:
    folder = open_and_closed(tmp_path / "items")
    found = compare([judged(folder, "one", "True", 1), judged(folder, "two", "False", 2)])
    assert found.lead.endswith("Their open answers were graded by different judges.")
    alone = run(folder, "alone", "True")
    other = compare([judged(folder, "three", "True", 1), alone])
    assert other.notes[1].startswith("scripted has no verdict on any open question: closed")


def test_runs_of_closed_questions_alone_lack_no_verdict(tmp_path: Path) -> None:
    folder = open_and_closed(tmp_path / "items")
    settings = RunSettings(workspace=tmp_path / "workspace", kinds=("true_false",))
    both = [
        evaluate(folder, Scripted(reply), out=tmp_path / reply, settings=settings).folder
        for reply in ("True", "False")
    ]
    found = compare(both)
    assert found.metric == "accuracy"
    assert not any("no verdict" in note for note in found.notes)
