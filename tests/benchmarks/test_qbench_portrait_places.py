"""Where a run stands among the published models, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.benchmarks.portrait_samples import findings, published_items, scored

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_portrait_marks import Marks, Questions, marks_in, questions_of
from eyechart.benchmarks.qbench_portrait_places import (
    Place,
    best_first,
    gap_to_people,
    lead_of,
    lead_of_all,
    places_of,
    places_table,
    published_figure,
)
from eyechart.benchmarks.qbench_portrait_published import Published, published_rows
from eyechart.benchmarks.qbench_portrait_taxonomy import CODES, COUNTS
from eyechart.records import Score

ITEMS = published_items()


def marks(n_right: int) -> list[float]:
    """So many right answers, spread over all items."""
    return [float(i * 1009 % len(ITEMS) < n_right) for i in range(len(ITEMS))]


def told(*runs: Findings) -> tuple[list[Marks], tuple[Place, ...], Questions]:
    questions = questions_of(runs)
    marked = [marks_in(run, questions) for run in runs]
    return marked, places_of(published_rows(), marked, questions), questions


def lead(run: Findings) -> str:
    marked, places, questions = told(run)
    return lead_of(marked[0], places, questions)


def place(places: Sequence[Place], label: str) -> Place:
    return next(one for one in places if one.label == label)


def test_published_models_have_places_without_any_run() -> None:
    _, places, _ = told()
    assert len(places) == 25 and all(one.published for one in places)
    overall = [one.overall.value or 0 for one in places]
    assert overall == sorted(overall, reverse=True)
    assert [one.label for one in places[:3]] == ["Qwen3-VL (32B)", "Grok-4", "Claude-Sonnet-4.5"]
    ranks = [one.rank.value for one in places if one.rank]
    assert ranks == list(range(1, 26))
    # The paper's best two are not told apart: 64.00 and 62.51 of 2,765 questions.
    assert [(one.rank.low, one.rank.high) for one in places[:2] if one.rank] == [(1, 2), (1, 3)]


def test_published_ranks_spread_as_if_every_question_were_drawn_by_itself() -> None:
    """Marks are drawn one by one here: 0 or 1, the widest that a mean allows of open ones too."""
    rng = np.random.default_rng(5)
    rows = [row for row in published_rows() if row.group != "baseline"]
    drawn = np.array([one_by_one(row, rng) for row in rows])
    ranks = np.array([1 + (drawn > own).sum(axis=0) for own in drawn])
    low, high = np.quantile(ranks, [0.025, 0.975], axis=1)
    _, places, _ = told()
    for row, least, most in zip(rows, low, high, strict=True):
        rank = place(places, row.model).rank
        assert rank is not None and rank.low is not None and rank.high is not None
        assert abs(rank.low - least) <= 1 and abs(rank.high - most) <= 1


def one_by_one(row: Published, rng: np.random.Generator) -> list[float]:
    shares = np.concatenate([[row.figures[code]] * COUNTS[code] for code in CODES.values()])
    return [float((rng.random(2765) < shares).mean()) for _ in range(1000)]


def test_the_best_and_the_worst_run_have_sure_places() -> None:
    perfect = findings(ITEMS, list(scored(ITEMS, marks(2765))), "perfect")
    lost = [Score(s.item_id, s.name, None, "failed") for s in scored(ITEMS, marks(0))]
    mute = findings(ITEMS, lost, "mute")
    _, places, _ = told(perfect, mute)
    assert (places[0].label, places[-1].label) == ("perfect", "mute")
    first, last = places[0].rank, places[-1].rank
    assert first is not None and (first.low, first.value, first.high) == (1, 1, 1)
    assert last is not None and (last.low, last.value, last.high) == (27, 27, 27)


def test_a_run_that_prints_like_a_published_model_shares_its_rank() -> None:
    """Qwen3-VL (8B) has 58.23 %, which is 1,610 of 2,765."""
    _, places, _ = told(findings(ITEMS, list(scored(ITEMS, marks(1610)))))
    ours, theirs = place(places, "ours"), place(places, "Qwen3-VL (8B)")
    assert ours.overall.value != theirs.overall.value
    assert ours.rank is not None and theirs.rank is not None
    assert ours.rank.value == theirs.rank.value == 5


def test_runs_are_ranked_on_the_same_resamples() -> None:
    """One is right wherever the other is, and on 20 questions more: alone they would overlap."""
    weak, strong = marks(1500), marks(1520)
    assert all(a <= b for a, b in zip(weak, strong, strict=True))
    _, places, _ = told(
        findings(ITEMS, list(scored(ITEMS, weak)), "weak"),
        findings(ITEMS, list(scored(ITEMS, strong)), "strong"),
    )
    draws = [place(places, name).rank for name in ("strong", "weak")]
    assert draws[0] is not None and draws[1] is not None
    assert (draws[0].value or 0) + 1 == draws[1].value
    assert (draws[0].low or 0) < (draws[1].low or 0) and (draws[0].high or 0) < (draws[1].high or 0)


def test_the_lead_tells_figure_interval_and_rank() -> None:
    run = findings(ITEMS, list(scored(ITEMS, marks(1610))), "ours")
    assert lead(run) == (
        "ours scores 58.23 % over all 2,765 questions (95 % interval 56.4–60.1): "
        "rank 5 of 26 (3–8) beside the 25 published models."
    )


def test_without_a_judge_there_is_a_figure_of_closed_questions_and_no_rank() -> None:
    closed = [item for item in ITEMS if item.kind != "open"]
    waiting = [Score(i.id, "verdict", None, "unjudged") for i in ITEMS if i.kind == "open"]
    lost = [Score(s.item_id, "verdict", None, "failed") for s in waiting[:3]]
    run = findings(ITEMS, [*scored(closed, [1.0] * 2223), *lost, *waiting[3:]], "ours")
    assert lead(run) == (
        "ours scores 100.00 % over the 2,223 closed questions (95 % interval 99.8–100.0); "
        "the 542 open ones wait for a judge. "
        "Without those it has no rank beside the published models."
    )
    _, places, _ = told(run)
    assert places[-1] == Place("ours (w/o OE)", places[-1].overall, None, published=False)


def test_other_questions_have_no_rank() -> None:
    run = findings(ITEMS[:40], list(scored(ITEMS[:40], [1.0, 0.0] * 20)), "ours")
    assert lead(run) == (
        "ours scores 50.00 % over all 40 questions (95 % interval 35.2–64.8). "
        "The published figures are of other questions, so it has no rank among them."
    )
    one = findings(ITEMS[:1], list(scored(ITEMS[:1], [1.0])), "ours")
    assert lead(one).startswith("ours scores 100.00 % over 1 question (95 %")


@pytest.mark.parametrize(("n_owed", "ranked"), [(27, True), (28, False)])
def test_a_judge_may_owe_a_few_verdicts_and_no_more(n_owed: int, ranked: bool) -> None:
    """5 % of 542 open questions are 27.1."""
    scores = list(scored(ITEMS, marks(1610)))
    owed = [i for i, score in enumerate(scores) if score.name == "verdict"][:n_owed]
    for i in owed:
        scores[i] = Score(scores[i].item_id, "verdict", None, "unjudged", judge="judge")
    found = lead(findings(ITEMS, scores, "ours"))
    assert f"over {2765 - n_owed:,} of 2,765 questions (95 %" in found
    unranked = "Without the questions left out it has no rank beside the published models."
    assert found.endswith(unranked) is not ranked
    assert ("rank 5 of 26" in found) is ranked


def lead_of_several(*runs: Findings) -> str:
    marked, _, questions = told(*runs)
    return lead_of_all(marked, questions)


def easy_only(model: str) -> Findings:
    """Right on two of three closed questions and on each open one that is judged, every other."""
    scores = []
    for i, item in enumerate(ITEMS):
        if item.kind != "open":
            scores.append(Score(item.id, "correct", float(i % 3 > 0)))
        elif i % 2:
            scores.append(Score(item.id, "verdict", 1.0, judge="judge"))
        else:
            scores.append(Score(item.id, "verdict", None, "unjudged", judge="judge"))
    return findings(ITEMS, scores, model)


def better(model: str) -> Findings:
    """Right wherever `easy_only` is, on some closed questions more, and on no other open one."""
    right = [
        float(i % 2) if item.kind == "open" else float(i % 3 > 0 or i % 30 == 0)
        for i, item in enumerate(ITEMS)
    ]
    return findings(ITEMS, list(scored(ITEMS, right)), model)


def test_runs_are_ordered_and_compared_over_the_questions_that_all_have_marks_of() -> None:
    """A run with half of its verdicts owed has the higher mean, of other questions."""
    runs = [easy_only("half"), better("whole")]
    marked, _, questions = told(*runs)
    half, whole = (one.figures["Overall"] for one in marked)
    assert half is not None and whole is not None and (half.value or 0) > (whole.value or 0)
    n = int((~np.isnan(marked[0].values)).sum())
    first, second = best_first(marked, questions)
    assert (first.run.model, first.overall.n, second.overall.n) == ("whole", n, n)
    assert (first.overall.value or 0) > (second.overall.value or 0)
    lead = lead_of_several(*runs)
    assert lead.startswith(f"whole comes first of 2 runs: {100 * (first.overall.value or 0):.2f} %")
    assert f" % over the {n:,} questions that all have marks of (95 % interval " in lead
    gap = (first.overall.value or 0) - (second.overall.value or 0)
    assert f"Its lead over half is +{100 * gap:.1f} points (+" in lead
    assert lead.endswith(
        "): a clear difference. half has verdicts on only a part of the open questions "
        "(OE in part)."
    )
    assert "half and third have verdicts on only a part" in lead_of_several(
        *runs, easy_only("third")
    )


def test_runs_that_wait_for_a_judge_are_compared_over_their_closed_questions() -> None:
    closed = [item for item in ITEMS if item.kind != "open"]
    weak = findings(ITEMS, list(scored(closed, [1.0, 0.0, 0.0] * 741)), "weak")
    strong = findings(ITEMS, list(scored(closed, [1.0, 1.0, 0.0] * 741)), "strong")
    assert "strong comes first of 2 runs: 66.67 % over the 2,223 closed" in lead_of_several(
        weak, strong
    )
    withheld = [*(replace(one, answer=None) for one in ITEMS[:10]), *ITEMS[10:]]
    runs = [
        replace(one, item_set=replace(one.item_set, items=tuple(withheld)))
        for one in (weak, strong)
    ]
    n = sum(item.kind != "open" for item in ITEMS[10:])
    assert f"% over the {n:,} closed questions that all have marks of (95 %" in lead_of_several(
        *runs
    )


def test_runs_that_reach_the_same_share_the_first_place() -> None:
    equal = [findings(ITEMS, list(scored(ITEMS, marks(1610))), name) for name in ("one", "two")]
    worse = findings(ITEMS, list(scored(ITEMS, marks(1000))), "worse")
    assert lead_of_several(worse, *equal) == (
        "one and two share the first place of 3 runs: 58.23 % each over all 2,765 questions "
        "(95 % interval 56.4–60.1)."
    )
    certain, torn = (
        findings(ITEMS[:40], list(scored(ITEMS[:40], given)), name)
        for name, given in (("certain", [1.0, 0.0] * 20), ("torn", [0.5] * 40))
    )
    assert lead_of_several(certain, torn).startswith(
        "certain and torn share the first place of 2 runs: 50.00 % each over all 40 questions "
        "(95 % intervals 35.2–64.8 and "
    )


def test_runs_without_a_question_that_all_have_marks_of_have_no_lead() -> None:
    open_ones = [item for item in ITEMS if item.kind == "open"]
    halves = [
        [
            Score(item.id, "verdict", 1.0, judge="judge")
            if i % 2 == half
            else Score(item.id, "verdict", None, "unjudged", judge="judge")
            for i, item in enumerate(open_ones)
        ]
        for half in (0, 1)
    ]
    runs = [findings(open_ones, scores, f"run {i}") for i, scores in enumerate(halves)]
    assert lead_of_several(*runs) == ""


def test_people_are_compared_with_the_run_that_leads() -> None:
    people = findings(ITEMS, list(scored(ITEMS, [1.0] * 2765)), "People (3 raters)", people=True)
    marked, _, questions = told(easy_only("half"), better("whole"), people)
    found = gap_to_people(marked[:2], marked[2:], questions)
    assert found.startswith("On the 2,765 questions that both have marks of, People (3 raters) rea")
    assert "the gap from them to whole is +" in found
    assert gap_to_people([], marked[2:], questions) == ""


def test_people_who_answered_no_open_question_are_called_so_in_one_bracket() -> None:
    closed = [item for item in ITEMS if item.kind != "open"]
    scores = list(scored(closed, [1.0] * 2223))
    labels = [
        marks_in(run, questions_of([run])).label
        for name in ("People (3 raters)", "People")
        for run in [findings(ITEMS, scores, name, people=True)]
    ]
    assert labels == ["People (3 raters, w/o OE)", "People (w/o OE)"]
    run = findings(ITEMS, scores, "Qwen3-VL (8B)")
    assert marks_in(run, questions_of([run])).label == "Qwen3-VL (8B) (w/o OE)"


def gap(run: Findings, people: Findings) -> str:
    marked, _, questions = told(run, people)
    return gap_to_people(marked[:1], marked[1:], questions)


def test_people_and_a_run_are_compared_on_the_questions_that_both_have_marks_of() -> None:
    """A run that waits for a judge has marks of the closed questions alone; people miss some."""
    closed = [item for item in ITEMS if item.kind != "open"]
    run = findings(ITEMS, list(scored(closed, [1.0, 0.0, 0.0] * 741)), "ours")
    asked = [*closed[:100], *(item for item in ITEMS if item.kind == "open")][:150]
    rated = [1.0] * 75 + [0.0] * 75
    people = findings(ITEMS, list(scored(asked, rated)), "People (3 raters)", people=True)
    assert gap(run, people) == (
        "On the 100 questions that both have marks of, People (3 raters) reach 75.00 % "
        "(65.7–82.5) and ours 34.00 % (25.5–43.7); the gap from them to ours is +41.0 points "
        "(+28.0 to +54.0): a clear difference for these people."
    )


def test_one_question_that_people_share_has_no_interval_and_none_has_no_gap() -> None:
    run = findings(ITEMS, list(scored(ITEMS[:1], [1.0])), "ours")
    one = findings(ITEMS, list(scored(ITEMS[:1], [0.5])), "People (1 rater)", people=True)
    assert gap(run, one).startswith("On the 1 question that both have marks of, People (1 rater) ")
    assert gap(run, one).endswith("the gap from them to ours is −50.0 points.")
    assert gap(run, findings(ITEMS, [], "People (1 rater)", people=True)) == ""


@pytest.mark.parametrize(("n_owed", "label"), [(27, "ours"), (28, "ours (OE in part)")])
def test_a_run_that_is_judged_in_part_is_called_so(n_owed: int, label: str) -> None:
    scores = list(scored(ITEMS, marks(1610)))
    owed = [i for i, score in enumerate(scores) if score.name == "verdict"][:n_owed]
    for i in owed:
        scores[i] = Score(scores[i].item_id, "verdict", None, "unjudged", judge="judge")
    (marked,), _, _ = told(findings(ITEMS, scores, "ours"))
    assert marked.label == label


def test_a_run_without_any_mark_has_no_lead() -> None:
    open_ones = [item for item in ITEMS if item.kind == "open"]
    waiting = [Score(item.id, "verdict", None, "unjudged") for item in open_ones]
    assert lead(findings(open_ones, waiting)) == ""


def test_neither_people_nor_guessing_have_a_place() -> None:
    _, places, _ = told(findings(ITEMS, list(scored(ITEMS, marks(2000))), "People", people=True))
    assert len(places) == 25
    assert not {"People", "Random guess"} & {one.label for one in places}


def test_published_figures_have_wilsons_interval_and_guessing_has_none() -> None:
    guess, best = published_rows()[0], published_rows()[16]
    found = published_figure(best, "AGIs/Aesthetics")  # 61.11 % of 18
    assert found is not None and found.n == 18 and found.value == 0.6111
    assert found.low == pytest.approx(0.3862, abs=1e-3)  # Wilson's for 11 of 18
    assert found.high == pytest.approx(0.7969, abs=1e-3)
    guessed = published_figure(guess, "Overall")
    assert guessed is not None and (guessed.low, guessed.n) == (None, 0)
    assert published_figure(guess, "MC") is None


def test_the_table_has_figures_and_ranks_with_intervals_best_first() -> None:
    _, places, _ = told(findings(ITEMS[:9], list(scored(ITEMS[:9], [1.0] * 9)), "ours"))
    table = places_table(places)
    assert [(c.name, c.unit, c.digits) for c in table.columns] == [
        ("overall", "percent", 2),
        ("rank", "count", None),
    ]
    assert table.lines[0].label == "Qwen3-VL (32B)" and table.lines[0].published
    last = table.lines[-1]
    assert (last.label, last.entries[1], last.ranked, last.source) == ("ours", None, False, "")
    assert "wider than a comparison on the same questions" in table.note
