"""Runs that ask in several ways, have several judges, or leave answers to be sent in."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tests.benchmarks.samples import SAMPLES

from eyechart.asking.backend import Answer
from eyechart.backends.scripted import Scripted
from eyechart.comparing import compare
from eyechart.errors import BadInput
from eyechart.prompts import Judging, PromptForm
from eyechart.records import Likelihood, Request
from eyechart.run import Outcome, evaluate, rescore, rewrite_report
from eyechart.run_folder import read_info, read_responses, read_scores
from eyechart.run_settings import RunSettings

DATA = {
    "qbench-perception": "llvisionqa_dev.json",
    "qbench-description": "lldescribe.json",
    "qbench-assessment": "koniq.json",
}


def settings_for(benchmark: str, folder: Path, **more: object) -> RunSettings:
    SAMPLES[benchmark](folder)
    data = (str(folder / DATA[benchmark]),)
    return RunSettings(workspace=folder / "runs", data=data, **more)  # type: ignore[arg-type]


def scripted(folder: Path, name: str, replies: dict[str, str]) -> str:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(replies))
    return f"scripted:{file}"


def values(outcome: Outcome) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for score in read_scores(outcome.folder):
        found.setdefault(score.name, []).append(score.value)
    return found


def sees_only_the_first_letter(request: Request) -> Answer:
    """Says A to everything; finds the shortest option the likeliest."""
    if request.want.name == "likelihood":
        sums = tuple(-float(len(text)) for text in request.want.words)
        return Answer(logprobs=sums, likelihood=Likelihood((1,) * len(sums), -5.0, 5))
    return Answer(text="A", finish="stop")


def test_closed_questions_are_asked_in_every_way_at_once_and_replayed(tmp_path: Path) -> None:
    form = PromptForm(also=("rotations", "blind", "likelihood"))
    how = settings_for("qbench-perception", tmp_path, form=form)
    model = Scripted(sees_only_the_first_letter, model="first-letter")
    outcome = evaluate("qbench-perception", model, out=tmp_path / "run", settings=how)
    assert values(outcome) == {
        "correct": [1.0, 0.0],
        "correct.circular": [0.0, 0.0],
        "correct.blind": [1.0, 0.0],
        "correct.likelihood-prompt": [1.0, 0.0],
        "correct.likelihood-mean": [1.0, 0.0],
        "correct.likelihood-sum": [1.0, 0.0],
    }
    assert len(list(read_responses(outcome.folder))) == 2 * 5
    assert outcome.n_failed == 0
    names = {table.name for table in outcome.report.tables}
    assert "other-ways" in names
    again = evaluate(
        "qbench-perception", f"replay:{outcome.folder}", out=tmp_path / "again", settings=how
    )
    assert values(again) == values(outcome)
    assert rescore(outcome.folder).report.cells == outcome.report.cells


def test_the_benchmarks_own_prompt_form_is_used_unless_another_is_named(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path)
    evaluate("qbench-perception", Scripted("A"), out=tmp_path / "own", settings=how)
    assert read_info(tmp_path / "own").identity["choice prompt"] == "letter-suffix"
    other = settings_for("qbench-perception", tmp_path, form=PromptForm("llava"))
    evaluate("qbench-perception", Scripted("A"), out=tmp_path / "other", settings=other)
    assert read_info(tmp_path / "other").identity["choice prompt"] == "llava"


def test_the_official_judge_stands_beside_the_rules(tmp_path: Path) -> None:
    judge = scripted(tmp_path, "judge", {"": "Score: 1"})
    how = settings_for("qbench-perception", tmp_path, judges=(judge,))
    outcome = evaluate("qbench-perception", Scripted("A"), out=tmp_path / "run", settings=how)
    assert values(outcome) == {"correct": [1.0, 0.0], "correct.judged": [1.0, 1.0]}
    assert {s.draws for s in read_scores(outcome.folder) if s.judge} == {(1.0,) * 5}


def test_two_judges_grade_the_same_descriptions_and_the_first_ones_verdicts_count(
    tmp_path: Path,
) -> None:
    kind = scripted(tmp_path, "kind", {"": "Score: 2"})
    strict = scripted(tmp_path, "strict", {"": "Score: 0"})
    how = settings_for("qbench-description", tmp_path, judges=(kind, strict))
    outcome = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    by_judge = {
        judge: {s.value for s in read_scores(outcome.folder) if s.judge == judge}
        for judge in (kind, strict)
    }
    assert by_judge == {kind: {1.0}, strict: {0.0}}
    assert "earn 6.00 of 6" in outcome.report.headline
    assert "judge-agreement" in {table.name for table in outcome.report.tables}


def test_another_judge_later_counts_and_the_first_one_is_kept_beside(tmp_path: Path) -> None:
    kind = scripted(tmp_path, "kind", {"": "Score: 2"})
    strict = scripted(tmp_path, "strict", {"": "Score: 0"})
    how = settings_for("qbench-description", tmp_path, judges=(kind,))
    run = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    later = rescore(run.folder, settings=RunSettings(workspace=tmp_path, judges=(strict,)))
    assert read_info(run.folder).judge_names == (strict, kind)
    assert "earn 0.00 of 6" in later.report.headline
    assert rewrite_report(run.folder).report.headline == later.report.headline


def test_too_many_unjudged_replies_are_told_first_and_counted_as_failure(tmp_path: Path) -> None:
    mute = scripted(tmp_path, "mute", {"": "I would rather not say."})
    how = settings_for("qbench-description", tmp_path, judges=(mute,))
    outcome = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    assert outcome.too_many_unjudged
    assert outcome.report.headline.startswith(f"None of 1 reply was judged by {mute}.")
    assert {s.value for s in read_scores(outcome.folder)} == {None}
    lenient = RunSettings(workspace=tmp_path / "runs", judges=(mute,), max_unjudged=1.0)
    assert not rescore(outcome.folder, settings=lenient).too_many_unjudged


def test_the_judge_is_asked_with_its_own_prompt_for_each_dimension(tmp_path: Path) -> None:
    judge = scripted(
        tmp_path,
        "judge",
        {"#completeness": "Score: 0", "#preciseness": "Score: 1", "#relevance": "Score: 2"},
    )
    how = settings_for("qbench-description", tmp_path, judges=(judge,), judging=Judging(n_draws=1))
    outcome = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    assert values(outcome) == {
        "verdict.completeness": [0.0],
        "verdict.preciseness": [0.5],
        "verdict.relevance": [1.0],
    }
    asked = {r.variant for r in read_responses(outcome.folder) if r.role == "judge"}
    assert asked == {"completeness", "preciseness", "relevance"}


def test_withheld_answers_leave_a_file_to_send_in(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path)
    file = tmp_path / DATA["qbench-perception"]
    records = json.loads(file.read_text())
    file.write_text(
        json.dumps([{k: v for k, v in r.items() if k != "correct_ans"} for r in records])
    )
    outcome = evaluate("qbench-perception", Scripted("B"), out=tmp_path / "run", settings=how)
    sent = json.loads((outcome.folder / "submission.json").read_text())
    assert [record["response"] for record in sent] == ["B", "B"]
    assert any("submission.json" in note for note in outcome.report.notes)
    assert {s.value for s in read_scores(outcome.folder)} == {None}


def test_only_items_of_one_facet_value_are_asked(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path, only={"question_type": "how"})
    outcome = evaluate("qbench-perception", Scripted("A"), out=tmp_path / "run", settings=how)
    assert outcome.report.counts["n_items"] == 2
    none = settings_for("qbench-perception", tmp_path, only={"question_type": "when"})
    with pytest.raises(
        BadInput, match="no items with question_type=when; its values there are how"
    ):
        evaluate("qbench-perception", Scripted("A"), settings=none)
    stray = settings_for("qbench-perception", tmp_path, only={"colour": "red"})
    with pytest.raises(BadInput, match="none: it has no such facet"):
        evaluate("qbench-perception", Scripted("A"), settings=stray)


class WithoutLogits(Scripted):
    """An endpoint that gives no probabilities of any kind."""

    wants = frozenset({"text"})
    continues = False


def test_a_model_without_logits_is_refused_or_asked_in_words(tmp_path: Path) -> None:
    model = WithoutLogits({"": "70"})
    how = settings_for("qbench-assessment", tmp_path)
    with pytest.raises(
        BadInput,
        match=r"nothing was asked\. Read ratings in words with --strategies number",
    ):
        evaluate("qbench-assessment", model, settings=how)
    words = settings_for("qbench-assessment", tmp_path, form=PromptForm(strategies=("number",)))
    outcome = evaluate("qbench-assessment", model, out=tmp_path / "run", settings=words)
    assert values(outcome) == {"rating": [0.7, 0.7]}
    assert any("another protocol than Q-Bench's" in note for note in outcome.report.notes)


def test_a_model_without_likelihoods_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path, form=PromptForm(also=("likelihood",)))
    with pytest.raises(BadInput, match="gives no likelihood of a text, which --also likelihood"):
        evaluate("qbench-perception", WithoutLogits("A"), settings=how)


def test_ratings_are_read_by_every_strategy_of_the_benchmark(tmp_path: Path) -> None:
    def rates(request: Request) -> Answer:
        good = -1.0 if request.item_id.endswith("b.png") else -2.0
        return Answer(logprobs=(good, -1.5))

    how = settings_for("qbench-assessment", tmp_path)
    outcome = evaluate("qbench-assessment", Scripted(rates), out=tmp_path / "run", settings=how)
    found = values(outcome)
    assert found["rating"] == pytest.approx([1 / (1 + math.exp(x / 100)) for x in (0.5, -0.5)])
    assert found["rating.argmax:good/poor"] == [0.0, 1.0]


def test_a_question_that_names_its_words_can_name_one_pair_only(tmp_path: Path) -> None:
    two = PromptForm(rate="one-word", strategies=("softmax", "softmax:high/low"))
    how = settings_for("qbench-assessment", tmp_path, form=two)
    with pytest.raises(BadInput, match=r"these need several: good/poor, high/low; give each a run"):
        evaluate("qbench-assessment", Scripted("good"), settings=how)


def test_a_judge_with_other_draws_leaves_the_first_ones_verdicts_as_they_are(
    tmp_path: Path,
) -> None:
    kind = scripted(tmp_path, "kind", {"": "Score: 2"})
    strict = scripted(tmp_path, "strict", {"": "Score: 0"})
    once = Judging(n_draws=1)
    how = settings_for("qbench-description", tmp_path, judges=(kind,), judging=once)
    run = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    rescore(run.folder, settings=RunSettings(workspace=tmp_path, judges=(strict,)))
    kept = {s.value for s in read_scores(run.folder) if s.judge == kind}
    assert kept == {1.0}
    info = read_info(run.folder)
    assert [(j.name, j.n_draws) for j in info.judges] == [(strict, 5), (kind, 1)]


def test_a_run_again_with_another_judge_keeps_the_first_ones_verdicts(tmp_path: Path) -> None:
    kind = scripted(tmp_path, "kind", {"": "Score: 2"})
    strict = scripted(tmp_path, "strict", {"": "Score: 0"})
    for judge in (kind, strict):
        how = settings_for("qbench-description", tmp_path, judges=(judge,))
        evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    assert read_info(tmp_path / "r").judge_names == (strict, kind)
    assert {s.judge for s in read_scores(tmp_path / "r")} == {strict, kind}


def test_the_same_judge_twice_is_refused(tmp_path: Path) -> None:
    judge = scripted(tmp_path, "kind", {"": "Score: 2"})
    how = settings_for("qbench-description", tmp_path, judges=(judge, judge))
    with pytest.raises(BadInput, match="named twice; two judges must be two models"):
        evaluate("qbench-description", Scripted("Blurry."), settings=how)


def test_a_share_of_unjudged_replies_holds_until_another_is_given(tmp_path: Path) -> None:
    mute = scripted(tmp_path, "mute", {"": "I would rather not say."})
    how = settings_for("qbench-description", tmp_path, judges=(mute,), max_unjudged=1.0)
    run = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    assert not run.too_many_unjudged
    assert not rescore(run.folder).too_many_unjudged
    assert rescore(run.folder, settings=RunSettings(max_unjudged=0.5)).too_many_unjudged


def test_how_samples_are_drawn_is_part_of_what_a_folder_holds(tmp_path: Path) -> None:
    def sampling(n: int) -> RunSettings:
        form = PromptForm(strategies=("sampling",), n_samples=n)
        return settings_for("qbench-assessment", tmp_path, form=form)

    evaluate("qbench-assessment", Scripted("good"), out=tmp_path / "r", settings=sampling(4))
    with pytest.raises(BadInput, match="samples '4 replies, temperature 1', now '2 replies"):
        evaluate("qbench-assessment", Scripted("good"), out=tmp_path / "r", settings=sampling(2))


def test_data_that_would_not_be_read_are_refused(tmp_path: Path) -> None:
    stray = RunSettings(workspace=tmp_path, data=("nowhere.json",))
    with pytest.raises(BadInput, match="snellen reads no --data; name photographs with --photos"):
        evaluate("snellen", "guess", settings=stray)


def test_rules_in_a_file_are_found_from_anywhere_and_missed_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "mine.py"
    rules.write_text(
        "from dataclasses import replace\n"
        "from eyechart.benchmarks.qbench_description import BENCHMARK as THEIRS\n"
        "from eyechart.items import ItemSet\n"
        "def items(source):\n"
        "    found = THEIRS.items(source)\n"
        "    return ItemSet(replace(found.card, benchmark='mine'), found.items)\n"
        "BENCHMARK = replace(THEIRS, name='mine', items=items)\n"
    )
    judge = scripted(tmp_path, "kind", {"": "Score: 2"})
    how = settings_for("qbench-description", tmp_path, judges=(judge,))
    monkeypatch.chdir(tmp_path)
    run = evaluate("./mine.py", Scripted("Blurry."), out="run", settings=how)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = rescore(tmp_path / "run")
    assert again.report.headline == run.report.headline
    rules.unlink()
    with pytest.raises(BadInput, match=r"mine\.py: no such file, whose rules these items go by"):
        rescore(tmp_path / "run")


def test_two_description_runs_are_compared_by_the_mean_of_their_dimensions(tmp_path: Path) -> None:
    judge = scripted(
        tmp_path,
        "judge",
        {"#completeness": "Score: 0", "#preciseness": "Score: 1", "#relevance": "Score: 2"},
    )
    how = settings_for("qbench-description", tmp_path, judges=(judge,))
    for name in ("one", "two"):
        model = Scripted("Blurry.", model=name)
        evaluate("qbench-description", model, out=tmp_path / name, settings=how)
    found = compare([tmp_path / "one", tmp_path / "two"])
    for run in found.runs:
        (cell,) = [c for c in run.cells if c.metric == "verdict" and not c.facet]
        assert cell.estimate.value == pytest.approx(0.5)


def test_a_run_folder_is_not_written_over_by_a_comparison(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path)
    for name in ("one", "two"):
        model = Scripted("A", model=name)
        evaluate("qbench-perception", model, out=tmp_path / name, settings=how)
    with pytest.raises(BadInput, match="holds a run and its report; choose another folder"):
        compare([tmp_path / "one", tmp_path / "two"], out=tmp_path / "one")


def test_a_strategy_named_twice_counts_once(tmp_path: Path) -> None:
    twice = PromptForm(strategies=("softmax", "softmax:good/poor@100"))
    how = settings_for("qbench-assessment", tmp_path, form=twice)
    outcome = evaluate("qbench-assessment", Scripted("good"), out=tmp_path / "r", settings=how)
    assert list(values(outcome)) == ["rating"]


def test_photographs_that_are_not_there_are_told(tmp_path: Path) -> None:
    how = settings_for("qbench-perception", tmp_path, photos=tmp_path / "nowhere")
    with pytest.raises(BadInput, match="nowhere: no such folder; --photos names a folder"):
        evaluate("qbench-perception", Scripted("A"), settings=how)


def test_why_verdicts_are_missing_is_told(tmp_path: Path) -> None:
    wild = scripted(tmp_path, "wild", {"": "Score: 3"})
    how = settings_for("qbench-description", tmp_path, judges=(wild,))
    outcome = evaluate("qbench-description", Scripted("Blurry."), out=tmp_path / "r", settings=how)
    (note,) = outcome.judge_notes
    assert note.startswith(
        "3 replies without a verdict, most often: 5 of 5 verdicts missing: says 3"
    )


def test_published_models_are_chosen_only_where_a_benchmark_shows_some(tmp_path: Path) -> None:
    settings = RunSettings(workspace=tmp_path, max_photos=1, limit=3)
    folder = evaluate("snellen", "guess", out=tmp_path / "run", settings=settings).folder
    with pytest.raises(BadInput, match="snellen: no figures of published models; leave out"):
        rewrite_report(folder, chosen=["Grok-4"])


def test_a_column_map_is_refused_where_nothing_reads_it(tmp_path: Path) -> None:
    settings = RunSettings(workspace=tmp_path, columns=tmp_path / "map.toml")
    with pytest.raises(BadInput, match="snellen: reads no column map; leave out --columns"):
        evaluate("snellen", "guess", settings=settings)
    with pytest.raises(BadInput, match="an item folder has its own data and columns; leave out"):
        evaluate(tmp_path, "guess", settings=settings)
