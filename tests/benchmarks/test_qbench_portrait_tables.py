"""The paper's tables and figures as data: published cells as printed, ours by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.benchmarks.portrait_samples import findings, item, published_items, scored

from eyechart.benchmarks.qbench_portrait_tables import MOST_DRAWN, tell_all
from eyechart.benchmarks.qbench_portrait_taxonomy import COUNTS, TABLES
from eyechart.errors import BadInput, UnknownName
from eyechart.metrics.intervals import mean, wilson
from eyechart.records import Chart, Estimate, Line, Score, Table
from eyechart.report import radar
from eyechart.report.own_tables import worded

FEW = (
    item("a", "NIs Blur", "SC Global"),
    item("b", "NIs Emotion", "SC Local"),
    item("c", "NIs Blur", "MC Global"),
    item("d", "AGIs Anatomy", "TF Local"),
    item("e", "AGIs Blur", "OE Global"),
    item("f", "AIs Style", "OE Local"),
)
MARKS = (1.0, 0.0, 1.0, 1.0, 0.5, 0.0)
ITEMS = published_items()


def table(tables: Sequence[Table], name: str) -> Table:
    return next(one for one in tables if one.name == name)


def line(found: Table, label: str) -> Line:
    return next(one for one in found.lines if one.label == label)


def figures(found: Table, label: str) -> dict[str, Estimate]:
    """A line's figures by subset; undefined ones are left out."""
    keys = [key for _, _, key in TABLES[found.name]]
    entries = zip(keys, line(found, label).entries, strict=True)
    return {key: entry for key, entry in entries if isinstance(entry, Estimate)}


def values(found: Table, label: str) -> dict[str, float | None]:
    return {key: figure.value for key, figure in figures(found, label).items()}


def test_the_sample_has_the_published_count_in_every_subset() -> None:
    assert tell_all([findings(ITEMS, [])], []).notes == ()


@pytest.mark.parametrize("name", TABLES)
def test_published_cells_print_the_papers_digits(shared: Path, name: str) -> None:
    found = table(tell_all([], []).tables, name)
    with (shared / "reference" / "portrait" / f"{name}.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row.pop("model") for row in rows] == [one.label for one in found.lines]
    groups = {"baseline": "Baseline", "open": "Open-source MLLMs", "closed": "Closed-source MLLMs"}
    for row, one in zip(rows, found.lines, strict=True):
        assert one.group == groups[row.pop("group")]
        cells = [e if isinstance(e, Estimate) else None for e in one.entries]
        assert [f"{100 * (e.value or 0):.2f}" if e else "" for e in cells] == list(row.values())


def test_columns_are_the_papers_with_two_digits() -> None:
    tables = tell_all([], []).tables
    assert [one.name for one in tables] == ["table3", "table4", "table5", "table6", "places"]
    for one in tables[:4]:
        assert one.ranked and one.label == "Model"
        assert {(c.unit, c.digits) for c in one.columns} == {("percent", 2)}
        assert [(c.group, c.name) for c in one.columns] == [(a, b) for a, b, _ in TABLES[one.name]]


def test_figures_by_hand() -> None:
    tables = tell_all([findings(FEW, list(scored(FEW, MARKS)))], []).tables
    assert values(tables[0], "ours") == {
        **{"NIs": 2 / 3, "AGIs": 0.75, "AIs": 0.0},
        **{"Technical": 2.5 / 3, "AIGC": 1.0, "Aesthetics": 0.0},
        **{"SC": 0.5, "MC": 1.0, "TF": 1.0, "OE": 0.25, "Overall": 3.5 / 6},
    }
    assert values(tables[1], "ours") == {"Blur": 2.5 / 3, "Anatomy": 1, "Emotion": 0, "Style": 0}
    assert values(tables[2], "ours") == {
        **{"NIs/Technical": 1.0, "NIs/Aesthetics": 0.0, "NIs": 2 / 3},
        **{"AGIs/Technical": 0.5, "AGIs/AIGC": 1.0, "AGIs": 0.75, "AIs/Aesthetics": 0.0},
    }
    assert values(tables[3], "ours") == {
        **{"SC/Global": 1.0, "SC/Local": 0.0, "MC/Global": 1.0, "TF/Local": 1.0},
        **{"OE/Global": 0.5, "OE/Local": 0.0},
    }


def test_intervals_are_wilsons_of_right_and_wrong_and_students_of_graded_marks() -> None:
    found = figures(
        table(tell_all([findings(FEW, list(scored(FEW, MARKS)))], []).tables, "table3"), "ours"
    )
    assert found["NIs"] == wilson(2, 3)
    assert found["Overall"] == mean(MARKS, within=(0, 1))


def test_questions_on_one_image_are_a_cluster() -> None:
    image = {name: item(name, "NIs Blur", "SC Global") for name in "abc"}
    pairs = [replace(image[name], id=f"{i}") for i, name in enumerate("aabbc")]
    marks = (1.0, 1.0, 0.0, 0.0, 1.0)
    found = figures(tell_all([findings(pairs, list(scored(pairs, marks)))], []).tables[0], "ours")
    alone, clustered = wilson(3, 5), found["Overall"]
    assert clustered.value == alone.value and clustered.n == 5
    assert (clustered.low or 0) < (alone.low or 0) and (clustered.high or 0) > (alone.high or 0)


def test_what_could_not_be_scored_counts_as_wrong_and_what_is_owed_does_not_count() -> None:
    scores = [
        Score("a", "correct", None, "unparsed"),
        Score("b", "correct", 1.0),
        Score("e", "verdict", None, "unjudged", judge="judge"),
        Score("f", "verdict", 1.0, judge="judge"),
        Score("f", "verdict", 0.0, judge="second"),
        Score("a", "correct.blind", 1.0),
    ]  # nothing on "d", a closed question
    withheld = [replace(one, answer=None) if one.id == "c" else one for one in FEW]
    found = table(tell_all([findings(withheld, scores)], []).tables, "table3")
    overall = figures(found, "ours (OE in part)")["Overall"]
    assert (overall.value, overall.n) == (0.5, 4)
    assert figures(found, "ours (OE in part)")["OE"].value == 1.0
    assert "OE in part: without a verdict on more than 5 % of the open questions" in found.note
    assert "Unscored, and counted as wrong: 2 (ours (OE in part))." in found.note
    assert "Without a verdict or a right answer, and left out: 2 (ours (OE in part))." in found.note


def test_without_a_judge_only_closed_questions_count_and_the_line_says_so() -> None:
    scores = [
        Score(s.item_id, "verdict", None, "failed" if i % 9 == 0 else "unjudged")
        if s.name == "verdict"
        else s
        for i, s in enumerate(scored(ITEMS, [1.0] * len(ITEMS)))
    ]
    found = table(tell_all([findings(ITEMS, scores)], []).tables, "table3")
    mine = figures(found, "ours (w/o OE)")
    assert "OE" not in mine and mine["Overall"] == wilson(2223, 2223)
    assert not line(found, "ours (w/o OE)").ranked
    assert "w/o OE: over closed questions only" in found.note and "Unscored" not in found.note
    assert "in part" not in found.note


def test_published_rows_come_first_then_ours_then_people() -> None:
    people = findings(
        ITEMS, list(scored(ITEMS, [2 / 3] * len(ITEMS))), "People (3 raters)", people=True
    )
    ours = findings(ITEMS, list(scored(ITEMS, [1.0] * len(ITEMS))))
    found = tell_all([people, ours], []).tables[0]
    assert list(dict.fromkeys(one.group for one in found.lines)) == [
        "Baseline",
        "Open-source MLLMs",
        "Closed-source MLLMs",
        "Measured here",
        "People",
    ]
    assert [(one.label, one.ranked, one.published) for one in found.lines[-2:]] == [
        ("ours", True, False),
        ("People (3 raters)", False, False),
    ]
    assert (found.lines[0].label, found.lines[0].ranked) == ("Random guess", False)
    assert all(one.source.startswith("Wu et al. 2026") for one in found.lines[:26])


def test_what_nobody_was_asked_is_left_out_for_people() -> None:
    scores = [Score("a", "correct", 0.5), Score("e", "verdict", 1.0, judge="")]
    found = tell_all([findings(FEW, scores, "People", people=True)], []).tables[0]
    overall = figures(found, "People")["Overall"]
    assert (overall.value, overall.n) == (0.75, 2)
    assert "left out" not in found.note


def test_people_who_answered_no_open_question_are_told_so_and_no_judge() -> None:
    closed = [score for score in scored(FEW, MARKS) if score.name == "correct"]
    people = findings(FEW, closed, "People (3 raters)", people=True)
    found = tell_all([findings(FEW, list(scored(FEW, MARKS))), people], []).tables[0]
    assert found.lines[-1].label == "People (3 raters, w/o OE)"
    assert "People w/o OE: people who answered no open question; over closed" in found.note
    assert "judge has graded" not in found.note
    both = tell_all([findings(FEW, closed), people], []).tables[0].note
    assert "as no judge has graded the open ones; not ranked. People w/o OE: people who" in both


def test_other_questions_have_a_guess_of_their_own_and_no_bold_figure() -> None:
    told = tell_all([findings(FEW, list(scored(FEW, MARKS)))], [])
    found = table(told.tables, "table3")
    guess = line(found, "Random guess, these items")
    assert [one.label for one in found.lines[:2]] == ["Random guess", guess.label]
    assert (guess.group, guess.ranked, guess.source) == ("Baseline", False, "")
    assert not guess.published
    assert [one.label for one in worded(found).lines if one.is_here] == ["ours"]
    assert "Random guess, these items: computed from their kinds, not published." in found.note
    assert figures(found, "Random guess, these items") == {
        "NIs": Estimate(0.25, None, None, 0),
        "AGIs": Estimate(0.5, None, None, 0),
        "Technical": Estimate(0.25, None, None, 0),
        "AIGC": Estimate(0.5, None, None, 0),
        "Aesthetics": Estimate(0.25, None, None, 0),
        "SC": Estimate(0.25, None, None, 0),
        "TF": Estimate(0.5, None, None, 0),
        "Overall": Estimate(1 / 3, None, None, 0),
    }
    assert not line(found, "ours").ranked
    assert "Published figures are of other questions" in found.note
    assert told.notes == (
        "6 questions, where 2,765 are published; figures of other questions do not compare with "
        "published ones.",
    )


def test_as_many_questions_in_other_subsets_are_other_questions() -> None:
    swapped = (*ITEMS[:-1], item("other", "NIs Blur", "SC Global"))
    told = tell_all([findings(swapped, list(scored(swapped, [1.0] * len(ITEMS))))], [])
    (note,) = told.notes
    assert note.startswith(
        "As many questions as published, but 1,477 in NIs (not 1,476), 182 in CG"
    )
    assert "rank" not in told.lead.partition("no rank")[0]


def test_published_questions_have_no_second_guess_and_no_note() -> None:
    told = tell_all([findings(ITEMS, list(scored(ITEMS, [1.0] * len(ITEMS))))], [])
    found = table(told.tables, "table3")
    assert [one.label for one in found.lines].count("Random guess") == 1
    assert found.lines[-1].label == "ours" and found.lines[-1].ranked
    assert told.notes == () and "other questions" not in found.note


def test_the_lead_tells_of_one_run_or_of_the_best_and_of_the_gap_to_people() -> None:
    one = findings(FEW, list(scored(FEW, MARKS)), "one")
    two = findings(FEW, list(scored(FEW, [1.0] * len(FEW))), "two")
    people = findings(FEW, list(scored(FEW, [1.0] * len(FEW))), "People", people=True)
    alone = tell_all([one, people], []).lead
    assert alone.startswith("one scores 58.33 % over all 6 questions")
    assert "On the 6 questions that both have marks of, People reach 100.00 % (" in alone
    assert "the gap from them to one is +41.7 points (−" in alone
    both = tell_all([one, two], []).lead
    assert both.startswith("two comes first of 2 runs: 100.00 % over all 6 questions")
    assert "Its lead over one is +41.7 points (−" in both and "not a clear difference" in both
    assert tell_all([people], []).lead == tell_all([], []).lead == ""


def test_runs_with_a_judge_and_without_one_do_not_compare_in_the_lead() -> None:
    judged = findings(FEW, list(scored(FEW, MARKS)), "judged")
    closed = [s for s in scored(FEW, MARKS) if s.name == "correct"]
    assert tell_all([judged, findings(FEW, closed, "closed")], []).lead == ""


def chart(charts: Sequence[Chart], name: str) -> Chart:
    return next(one for one in charts if one.name == name)


def test_figure_2_counts_the_questions_asked_by_source_dimension_kind_and_scope() -> None:
    found = chart(tell_all([findings(FEW, [])], []).charts, "distribution")
    parts = [dict(zip(p.labels, p.series[0].values, strict=True)) for p in found.panels]
    assert found.form == "shares"
    assert parts == [
        {"NIs": 3, "AGIs": 2, "AIs": 1},
        {"Technical": 3, "AIGC": 1, "Aesthetics": 2},
        {"SC": 2, "MC": 1, "TF": 1, "OE": 2},
        {"Global": 3, "Local": 3},
    ]
    published = chart(tell_all([], []).charts, "distribution")
    assert published.panels[0].series[0].values == tuple(list(COUNTS.values())[:5])


def test_figure_4_shows_all_models_overall_and_runs_with_the_best_by_subset() -> None:
    runs = [findings(FEW, list(scored(FEW, MARKS)), f"run {i}") for i in range(4)]
    people = findings(FEW, list(scored(FEW, MARKS)), "People", people=True)
    found = chart(tell_all([*runs, people], []).charts, "radar")
    overall, by_subset = found.panels
    assert found.form == "radar" and "other questions" in found.note
    assert overall.labels[-4:] == ("run 0", "run 1", "run 2", "run 3") and len(overall.labels) == 29
    published, ours = overall.series
    assert (published.values[15], published.values[-1]) == (0.64, None)
    assert (ours.values[15], ours.values[-1]) == (None, 3.5 / 6)
    assert by_subset.labels[4:9] == ("CGIs", "Tech.", "AIGC", "Aes.", "SC")
    assert [(one.name, one.published) for one in by_subset.series] == [
        *(("run 0", False), ("run 1", False), ("run 2", False)),
        *(("Qwen3-VL (32B)", True), ("Grok-4", True)),
    ]
    assert by_subset.series[0].values[4] is None  # no question on computer graphics


def test_figure_4_shows_the_published_models_that_were_chosen() -> None:
    names = ["GPT-5.2", "Pixtral (12B)", "GPT-5.2"]
    by_subset = chart(tell_all([], names).charts, "radar").panels[1]
    assert [one.name for one in by_subset.series] == ["GPT-5.2", "Pixtral (12B)"]
    best = chart(tell_all([], []).charts, "radar").panels[1]
    assert [one.name for one in best.series][3:] == ["Qwen3-VL-Plus", "Qwen3-VL (8B)"]


def test_figure_4_says_which_runs_it_leaves_out_by_subset() -> None:
    """The best are those of the lead, over the questions that all have marks of."""
    given = [(0.0, "none"), (1.0, "all"), (0.5, "half")]
    runs = [findings(FEW, list(scored(FEW, [mark] * 6)), name) for mark, name in given]
    owing = [
        Score(s.item_id, s.name, None, "unjudged") if s.item_id == "f" else s
        for s in scored(FEW, MARKS)
    ]
    told = tell_all([*runs, findings(FEW, owing, "owing")], [])
    found = chart(told.charts, "radar")
    names = [one.name for one in found.panels[1].series if not one.published]
    assert names == ["all", "owing (OE in part)", "half"]
    assert found.note.endswith("(b) shows the best 3 runs and leaves out none.")
    assert "leaves out" not in chart(tell_all(runs, []).charts, "radar").note


def test_as_many_published_models_may_be_chosen_as_the_drawing_has_lines_left() -> None:
    assert MOST_DRAWN == radar.MOST_SERIES
    models = [one.label for one in tell_all([], []).tables[0].lines[1:]]
    runs = [findings(FEW, list(scored(FEW, MARKS)), f"run {i}") for i in range(4)]
    for n_runs, n in ((0, 7), (1, 6), (3, 4), (4, 4)):
        by_subset = chart(tell_all(runs[:n_runs], models[:n]).charts, "radar").panels[1]
        assert len(by_subset.series) == 7
        with pytest.raises(BadInput, match=f"shows 7 lines in all; choose at most {n}$"):
            tell_all(runs[:n_runs], models[: n + 1])
    with pytest.raises(BadInput, match=r"^5 published models chosen beside 3 runs, where Figure 4"):
        tell_all(runs, models[:5])
    with pytest.raises(BadInput, match=r"^8 published models chosen, where Figure 4"):
        tell_all([], models[:8])
    assert tell_all(runs, [*models[:4], *models[:4]]).charts


@pytest.mark.parametrize("name", ["GPT-5.3", "Random guess"])
def test_an_unknown_published_model_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownName, match=f"no published model is called '{name}'.*Known: Claude"):
        tell_all([], [name])
    with pytest.raises(UnknownName, match=r"did you mean 'GPT-5\.2'\?"):
        tell_all([], ["GPT-5.3"])
