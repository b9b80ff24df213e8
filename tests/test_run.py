"""Runs through the Python API: what a run folder holds, and what happens when things break."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import photograph
from tests.endpoint import fails, serve

from eyechart import RunSettings, evaluate, rescore, rewrite_report, run_folder
from eyechart.asking import AskSettings, Budget
from eyechart.backends.scripted import Scripted
from eyechart.errors import BadInput, Fatal
from eyechart.items import Card, ItemSet
from eyechart.records import Item, Picture, Request
from eyechart.run_folder import read_info, read_item_set, read_responses, read_scores


@pytest.fixture
def items(tmp_path: Path) -> Path:
    folder = tmp_path / "items"
    folder.mkdir()
    for name in ("a", "b"):
        photograph().save(folder / f"{name}.png")
    rows = [
        {
            "id": f"{kind}-{name}",
            "file_name": f"{name}.png",
            "kind": kind,
            "question": f"What about {name}?",
            "options": ["Blur", "Noise"],
            "answer": "Blur",
        }
        for kind in ("single", "open")
        for name in ("a", "b")
    ]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def settings(tmp_path: Path, **more: object) -> RunSettings:
    return RunSettings(workspace=tmp_path / "runs", **more)  # type: ignore[arg-type]


def scripted(tmp_path: Path, **replies: str) -> str:
    file = tmp_path / "replies.json"
    file.write_text(json.dumps({"": replies.pop("other", "A"), **replies}))
    return f"scripted:{file}"


def test_each_stage_leaves_its_file_and_they_agree(items: Path, tmp_path: Path) -> None:
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    run = outcome.folder
    ids = [item.id for item in read_item_set(run).items]
    assert ids == ["single-a", "single-b", "open-a", "open-b"]
    assert sorted(r.item_id for r in read_responses(run)) == sorted(ids)
    assert [score.item_id for score in read_scores(run)] == ids
    assert read_info(run).model == "scripted"
    assert (outcome.n_asked, outcome.n_found, outcome.n_failed) == (4, 0, 0)


def test_scores_and_report_are_redone_offline_to_the_same(items: Path, tmp_path: Path) -> None:
    model = scripted(tmp_path)
    first = evaluate(items, model, out=tmp_path / "run", settings=settings(tmp_path))
    page = (first.folder / "report.html").read_bytes()
    assert rescore(first.folder).report == first.report
    assert rewrite_report(first.folder).report == first.report
    assert (first.folder / "report.html").read_bytes() == page


def test_a_judge_that_cannot_be_reached_leaves_items_unjudged_and_the_report_says_so(
    items: Path, tmp_path: Path
) -> None:
    how = settings(tmp_path, judges=("http://127.0.0.1:9/v1#judge",))
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    assert outcome.n_failed == 10
    assert outcome.report.counts["unjudged"] == 2
    assert any("Judging stopped, 10 verdicts are missing" in note for note in outcome.report.notes)
    assert {s.value for s in read_scores(outcome.folder) if s.name == "verdict"} == {None}


def test_another_judge_can_be_asked_later(items: Path, tmp_path: Path) -> None:
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    judge = scripted(tmp_path, other="Score: 1")
    again = rescore(outcome.folder, settings=settings(tmp_path, judges=(judge,)))
    assert [s.value for s in read_scores(outcome.folder) if s.name == "verdict"] == [0.5, 0.5]
    assert again.report.counts.get("unjudged", 0) == 0


def test_a_budget_leaves_rows_that_say_so_and_a_later_run_goes_on(
    items: Path, tmp_path: Path
) -> None:
    model = scripted(tmp_path)
    poor = settings(tmp_path, ask=AskSettings(budget=Budget(calls=1)))
    first = evaluate(items, model, out=tmp_path / "run", settings=poor)
    assert (first.n_asked, first.n_failed) == (1, 3)
    second = evaluate(items, model, out=tmp_path / "run", settings=settings(tmp_path))
    assert (second.n_asked, second.n_found, second.n_failed) == (3, 1, 0)


def test_a_fatal_error_loses_nothing_that_was_answered(items: Path, tmp_path: Path) -> None:
    def script(request: Request) -> str:
        if request.item_id == "open-b":
            raise Fatal("HTTP 401: no more")
        return "A"

    how = settings(tmp_path, ask=AskSettings(concurrency=1))
    with pytest.raises(Fatal, match="401"):
        evaluate(items, Scripted(script), out=tmp_path / "run", settings=how)
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    assert (outcome.n_asked, outcome.n_found) == (1, 3)


def test_a_full_disk_is_told_and_what_was_answered_is_kept(items: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    run = tmp_path / "run"
    run.mkdir()
    (run / ".responses.jsonl.part").symlink_to(full)
    with pytest.raises(BadInput, match=r"responses\.jsonl: cannot be written .No space left"):
        evaluate(items, Scripted("A"), out=run, settings=settings(tmp_path))
    (run / ".responses.jsonl.part").unlink(missing_ok=True)
    (run / "responses.jsonl").unlink(missing_ok=True)
    outcome = evaluate(items, Scripted("A"), out=run, settings=settings(tmp_path))
    assert (outcome.n_asked, outcome.n_found) == (0, 4)


def test_a_torn_or_missing_file_of_a_run_is_told(items: Path, tmp_path: Path) -> None:
    run = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path)).folder
    text = (run / "responses.jsonl").read_text()
    (run / "responses.jsonl").write_text(text[:-30])
    with pytest.raises(BadInput, match=r"responses\.jsonl:4: not a JSON object"):
        rescore(run)
    (run / "responses.jsonl").write_text(text)
    (run / "scores.parquet").write_bytes(b"torn")
    with pytest.raises(BadInput, match=r"scores\.parquet: not readable.*eyechart score"):
        rewrite_report(run)
    (run / "run.json").write_text("{")
    with pytest.raises(BadInput, match=r"run\.json: not readable"):
        rescore(run)


def test_a_sample_is_random_by_seed_and_keeps_the_order(items: Path, tmp_path: Path) -> None:
    how = settings(tmp_path, limit=2, seed=1)
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    picked = [item.id for item in read_item_set(outcome.folder).items]
    assert len(picked) == 2
    everything = ["single-a", "single-b", "open-a", "open-b"]
    assert picked == [name for name in everything if name in picked]


def test_kinds_that_the_items_do_not_have_are_told(items: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no items of the kinds rate; it has open, single"):
        evaluate(items, Scripted("A"), settings=settings(tmp_path, kinds=("rate",)))


def test_a_model_that_cannot_go_on_from_a_begun_answer_is_asked_in_one_word(
    tmp_path: Path,
) -> None:
    class Fresh(Scripted):
        continues = False

    photograph().save(tmp_path / "a.png")
    item = Item("1", "rate", "Rate the quality of the image.", (Picture(tmp_path / "a.png"),))
    folder = tmp_path / "rate"
    folder.mkdir()
    photograph().save(folder / "a.png")
    row = {"id": item.id, "file_name": "a.png", "kind": "rate", "mos": 3.0}
    (folder / "metadata.jsonl").write_text(json.dumps(row))
    outcome = evaluate(folder, Fresh("good"), out=tmp_path / "run", settings=settings(tmp_path))
    assert read_info(outcome.folder).identity["rating prompt"] == "one-word"
    (score,) = read_scores(outcome.folder)
    assert score.value == pytest.approx(0.9)


def test_pictures_in_memory_are_laid_into_the_run_folder(tmp_path: Path, png: bytes) -> None:
    picture = Picture(data=png, name="embedded")
    (tmp_path / "run").mkdir()
    item = Item("1", "single", "?", (picture, picture), ("A", "B"), "A")
    (settled,) = run_folder.write_items(tmp_path / "run", ItemSet(Card("x"), (item,)).items)
    assert settled.images[0].path is not None
    assert settled.images[0].path.read_bytes() == png
    assert len(list((tmp_path / "run" / "images").iterdir())) == 1


def test_ratings_that_a_model_cannot_give_are_told_before_anything_is_asked(
    items: Path, tmp_path: Path
) -> None:
    class TextOnly(Scripted):
        wants = frozenset({"text"})

    with (items / "metadata.jsonl").open("a") as rows:
        rows.write('{"id": "r", "file_name": "a.png", "kind": "rate"}\n')
    with pytest.raises(BadInput, match="no word probabilities, which 1 ratings need; nothing was"):
        evaluate(items, TextOnly("A"), out=tmp_path / "run", settings=settings(tmp_path))
    assert not (tmp_path / "runs" / "calls.sqlite").exists()


def test_the_most_frequent_failure_is_told(items: Path, tmp_path: Path) -> None:
    (items / "a.png").write_bytes(b"no picture")
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    assert "a.png" in outcome.most_frequent_failure
    assert outcome.most_frequent_failure.endswith("(2 times)")


def test_a_budget_is_for_answers_and_judging_together(items: Path, tmp_path: Path) -> None:
    how = settings(
        tmp_path,
        judges=(scripted(tmp_path, other="Score: 2"),),
        ask=AskSettings(budget=Budget(calls=6)),
    )
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    assert outcome.n_asked == 6
    assert outcome.n_failed == 8


def test_one_verdict_of_five_is_not_enough(items: Path, tmp_path: Path) -> None:
    how = settings(
        tmp_path,
        judges=(scripted(tmp_path, other="Score: 2"),),
        ask=AskSettings(budget=Budget(calls=5)),
    )
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    verdicts = [s for s in read_scores(outcome.folder) if s.name == "verdict"]
    assert {s.value for s in verdicts} == {None}
    assert "4 of 5 verdicts missing" in "".join(s.detail for s in verdicts)


def test_notes_of_the_asking_stay_when_a_judge_is_asked_later(items: Path, tmp_path: Path) -> None:
    photograph().save(items / "a.tif")
    rows = (items / "metadata.jsonl").read_text().replace('"a.png"', '"a.tif"')
    (items / "metadata.jsonl").write_text(rows)
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    judge = scripted(tmp_path, other="Score: 1")
    again = rescore(outcome.folder, settings=settings(tmp_path, judges=(judge,)))
    for report in (outcome.report, again.report):
        assert any("2 times a picture was not sent as it is" in note for note in report.notes)
    assert again.report.provenance["judge"].endswith("5 verdicts on each question put to it")


def test_failures_are_counted_offline_too(items: Path, tmp_path: Path) -> None:
    (items / "a.png").write_bytes(b"no picture")
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    assert outcome.n_failed == rescore(outcome.folder).n_failed == 2
    assert rewrite_report(outcome.folder).n_failed == 2


def test_the_report_is_there_for_other_programs(items: Path, tmp_path: Path) -> None:
    outcome = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    told = json.loads((outcome.folder / "report.json").read_text())
    assert told["headline"] == outcome.report.headline
    assert len(told["cells"]) == len(outcome.report.cells)


def test_a_judge_that_fails_leaves_earlier_verdicts_and_the_report_as_they_were(
    items: Path, tmp_path: Path
) -> None:
    how = settings(tmp_path, judges=(scripted(tmp_path, other="Score: 2"),))
    run = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how).folder
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    down = RunSettings(workspace=tmp_path / "other", judges=("http://127.0.0.1:9/v1#judge",))
    with pytest.raises(Fatal, match="Is the server up"):
        rescore(run, settings=down)
    with serve(fails(422, "no, thank you")) as endpoint:
        refusing = RunSettings(workspace=tmp_path / "other", judges=(endpoint.address,))
        with pytest.raises(BadInput, match=r"no verdict at all .*no, thank you.*kept as they were"):
            rescore(run, settings=refusing)
    after = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    assert {n: d for n, d in after.items() if not n.startswith(".")} == {
        n: d for n, d in before.items() if not n.startswith(".")
    }


def test_a_run_again_without_a_judge_keeps_the_verdicts(items: Path, tmp_path: Path) -> None:
    how = settings(tmp_path, judges=(scripted(tmp_path, other="Score: 2"),))
    evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how)
    again = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path))
    assert [s.value for s in read_scores(again.folder) if s.name == "verdict"] == [1.0, 1.0]
    assert "scripted:" in again.report.provenance["judge"]


def test_responses_that_are_missing_count_as_failed(items: Path, tmp_path: Path) -> None:
    run = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=settings(tmp_path)).folder
    lines = (run / "responses.jsonl").read_text().splitlines(keepends=True)
    (run / "responses.jsonl").write_text("".join(lines[:1]))
    assert rescore(run).n_failed == 3


def test_a_torn_judged_run_can_be_run_again(items: Path, tmp_path: Path) -> None:
    how = settings(tmp_path, judges=(scripted(tmp_path, other="Score: 2"),))
    run = evaluate(items, Scripted("A"), out=tmp_path / "run", settings=how).folder
    (run / "responses.jsonl").write_text('{"item_id": "sing')
    again = evaluate(items, Scripted("A"), out=run, settings=settings(tmp_path))
    assert (again.n_asked, again.n_found, again.n_failed) == (0, 4, 0)
