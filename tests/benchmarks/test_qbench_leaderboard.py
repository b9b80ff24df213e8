"""The leaderboards: published rows as they were printed, and ours beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_leaderboard import (
    COLUMNS,
    COUNTS,
    count_notes,
    leaderboards,
    published_rows,
)
from eyechart.items import Card, ItemSet
from eyechart.metrics.intervals import wilson
from eyechart.records import Estimate, Item, Picture, Score, Table, Why


def questions(which: str, split: str, numbers: Mapping[tuple[str, str], int]) -> list[Item]:
    facets = {"set": which, "split": split, "question_type": "how"}
    pairs = [pair for pair, n in numbers.items() for _ in range(n)]
    return [
        Item(str(n), "single", "?", (), facets={**facets, "concern": a, "comparison": b})
        for n, (a, b) in enumerate(pairs)
    ]


def test_codes_read_wrongly_would_show_in_the_counts() -> None:
    """As if joint distortion and compared others were swapped in all of the pairs' test."""
    numbers = {
        ("distortion", "compare"): 600,
        ("others", "compare"): 174,
        ("distortion", "joint"): 110,
        ("others", "joint"): 115,
    }
    (right,) = count_notes(questions("Q-Bench2", "test", numbers))
    assert "on compare" not in right
    assert "on distortion" not in right
    swapped = {("others", "compare"): 110, ("distortion", "joint"): 174}
    (wrong,) = count_notes(questions("Q-Bench2", "test", {**numbers, **swapped}))
    assert "710 on compare (not 774)" in wrong
    assert "774 on distortion (not 710)" in wrong


def test_published_rows_have_a_source_and_the_columns_of_their_leaderboard() -> None:
    rows = published_rows()
    assert len(rows) > 100
    assert len({(r.set, r.split, r.protocol, r.model) for r in rows}) == len(rows)
    for row in rows:
        assert row.source
        assert set(row.figures) <= set(COLUMNS[row.set])
        assert all(0 <= figure <= 1 for figure in row.figures.values())


def test_published_rows_are_those_of_the_specification() -> None:
    overall = {
        (r.set, r.split, r.model): r.figures["overall"]
        for r in published_rows()
        if r.protocol == "choice" and "overall" in r.figures
    }
    assert overall["Q-Bench", "test", "human (junior)"] == 0.7431
    assert overall["Q-Bench", "test", "human (senior)"] == 0.8174
    assert overall["Q-Bench", "test", "GPT-4V-Turbo (gpt-4-vision-preview)"] == 0.7410
    assert overall["Q-Bench", "test", "Gemini-Pro (gemini-pro-vision)"] == 0.7058
    assert overall["Q-Bench", "test", "Qwen-VL-Plus (qwen-vl-plus)"] == 0.6893
    assert overall["Q-Bench", "dev", "random guess"] == 0.3780
    assert overall["Q-Bench", "test", "random guess"] == 0.3794
    assert overall["Q-Bench2", "test", "human (junior)"] == 0.8012
    assert overall["Q-Bench2", "test", "human (senior)"] == 0.8548
    assert overall["Q-Bench2", "test", "GPT-4V"] == 0.7807


def test_the_leaderboards_rows_add_up_by_type_to_their_total() -> None:
    listed = [r for r in published_rows() if "leaderboards/README.md" in r.source]
    assert len(listed) == 59
    for row in listed:
        n = COUNTS[row.set, row.split]
        by_type = sum(row.figures[t] * n[t] for t in ("yes-or-no", "what", "how")) / n["overall"]
        assert by_type == pytest.approx(row.figures["overall"], abs=0.0004), row


FOUR = [
    ("yes-or-no", "distortion", 1.0),
    ("what", "distortion", 0.0),
    ("how", "in-context others", 1.0),
    ("how", "others", None),
]


def asked(split: str = "dev", answer: str | None = "a") -> tuple[Item, ...]:
    return tuple(
        Item(
            f"q-bench-{split}-{n}",
            "single",
            "?",
            (Picture(data=b"", name=f"{n}.png"),),
            ("a", "b"),
            answer,
            {"set": "Q-Bench", "split": split, "question_type": kind, "concern": concern},
        )
        for n, (kind, concern, _) in enumerate(FOUR)
    )


def scored(items: Sequence[Item], name: str = "correct", judge: str = "") -> list[Score]:
    values = [value for _, _, value in FOUR]
    return [
        Score(item.id, name, value, None if value is not None else "unparsed", judge=judge)
        for item, value in zip(items, values, strict=True)
    ]


def tables(items: Sequence[Item], scores: Sequence[Score]) -> tuple[Table, ...]:
    item_set = ItemSet(Card("qbench-perception"), tuple(items))
    return leaderboards(Findings(item_set, (), scores, "eyes"))


def test_our_row_has_the_leaderboards_columns_and_unscored_items_count_as_wrong() -> None:
    items = asked()
    (table,) = tables(items, scored(items))
    assert table.name == "q-bench-dev"
    assert [column.name for column in table.columns] == [
        *("yes-or-no", "what", "how", "distortion", "others"),
        *("in-context distortion", "in-context others", "overall"),
    ]
    assert {column.unit for column in table.columns} == {"fraction"}
    ours = table.lines[0]
    assert (ours.label, ours.published) == ("eyes", False)
    assert ours.entries == (
        *(wilson(1, 1), wilson(0, 1), wilson(1, 2), wilson(1, 2), wilson(0, 1)),
        *(None, wilson(1, 1), wilson(2, 4)),
    )
    assert "Unscored, and counted as wrong: 1 (eyes)." in table.note


def test_what_the_judge_has_not_judged_is_left_out_of_its_row_and_counted() -> None:
    items = asked()
    verdicts: list[tuple[float | None, Why | None]] = [
        *((1.0, None), (None, "unjudged"), (0.0, None), (None, "failed")),
    ]
    scores = [
        Score(item.id, "correct.judged", value, why, judge="owl")
        for item, (value, why) in zip(items, verdicts, strict=True)
    ]
    (table,) = tables(items, scores)
    columns = [column.name for column in table.columns]
    row = dict(zip(columns, table.lines[0].entries, strict=True))
    assert row["overall"] == wilson(1, 3)
    assert row["distortion"] == wilson(1, 1)
    assert row["what"] is None
    assert "Unscored, and counted as wrong: 1 (eyes, judged by owl)." in table.note
    assert "Not judged, and left out: 1 (eyes, judged by owl)." in table.note


def test_the_table_says_where_fewer_questions_were_asked_than_published() -> None:
    items = asked()
    (table,) = tables(items, scored(items))
    assert "Q-Bench dev: 4 questions, where 1,495 are published; figures of other" in table.note


def test_a_benchs_questions_are_counted_over_both_splits_as_its_published_rows_are() -> None:
    facets = {"set": "A-Bench", "category": "part2 -> technical"}
    items = [
        Item(f"{n}", "single", "?", (), ("a", "b"), "a", {**facets, "split": split})
        for n, split in enumerate(["dev"] * 1432 + ["test"] * 1432)
    ]
    for n, told in ((2864, False), (2000, True)):
        scores = [Score(item.id, "correct", 1.0) for item in items[:n]]
        for table in tables(items[:n], scores):
            assert (f"A-Bench: {n:,} questions, where 2,864" in table.note) is told


def test_published_rows_stand_below_ours_with_their_source() -> None:
    items = asked("test")
    (table,) = tables(items, scored(items))
    published = [line for line in table.lines if line.published]
    assert len(published) == len(table.lines) - 1
    senior = next(line for line in published if line.label == "human (senior)")
    assert senior.entries[-1] == Estimate(0.8174, None, None, 1495)
    assert "Q-Future/Q-Bench" in senior.source


def test_a_figure_that_was_not_published_is_blank() -> None:
    facets = {"set": "Q-Bench2", "split": "test", "question_type": "how", "concern": "others"}
    item = Item("1", "single", "?", (), ("a", "b"), "a", {**facets, "comparison": "joint"})
    (table,) = tables([item], [Score("1", "correct", 1.0)])
    assert [c.name for c in table.columns][5:] == ["compare", "joint", "overall"]
    junior = next(line for line in table.lines if line.label == "human (junior)")
    assert junior.entries == (*[None] * 7, Estimate(0.8012, None, None, 999))


def test_every_other_reading_has_a_row_of_its_own() -> None:
    items = asked()
    scores = [
        *scored(items, "correct.blind"),
        *scored(items),
        *scored(items, "correct.circular"),
        *scored(items, "correct.judged", "judge-1"),
        *scored(items, "correct.judged", "judge-2"),
    ]
    (table,) = tables(items, scores)
    assert [line.label for line in table.lines if not line.published] == [
        "eyes",
        "eyes, judged by judge-1",
        "eyes, judged by judge-2",
        "eyes, circular",
        "eyes, blind",
    ]
    assert "Blind: asked without the image." in table.note


def test_likelihoods_stand_beside_published_likelihoods_only() -> None:
    items = asked()
    names = ("correct", "correct.likelihood-prompt", "correct.likelihood-mean")
    choice, likelihood = tables(items, [s for name in names for s in scored(items, name)])
    assert likelihood.name == "q-bench-dev-likelihood"
    ours = [line.label for line in likelihood.lines if not line.published]
    assert ours == ["eyes, prompt likelihood", "eyes, mean likelihood"]
    shikra = [line for t in (choice, likelihood) for line in t.lines if "Shikra" in line.label]
    assert [line.entries[-1] for line in shikra] == [
        Estimate(0.5465, None, None, 1495),
        Estimate(0.5525, None, None, 1495),
    ]


def test_a_set_and_a_split_have_a_table_each_and_withheld_answers_no_figure() -> None:
    items = (*asked("dev"), *asked("test", None))
    dev, test = tables(items, [*scored(items[:4]), *scored(items[4:])])
    assert (dev.name, test.name) == ("q-bench-dev", "q-bench-test")
    assert set(test.lines[0].entries) == {None}
    assert "The answers of 4 of 4 questions are withheld." in test.note
    assert "Unscored" not in test.note


def test_a_bench_is_broken_down_by_its_categories() -> None:
    categories = ["part1 -> basic_recognition -> major", "part2 -> technical", "part2 -> mood"]
    items = [
        Item(
            str(n),
            "single",
            "?",
            (Picture(data=b"", name=f"{n}.png"),),
            ("a", "b"),
            "a",
            {"set": "A-Bench", "split": "dev", "category": category},
        )
        for n, category in enumerate(categories)
    ]
    (table,) = tables(items, [Score(item.id, "correct", 1.0) for item in items])
    names = [column.name for column in table.columns]
    assert names[-4:] == ["generative", "quality", "mood", "overall"]
    ours = dict(zip(names, table.lines[0].entries, strict=True))
    shown = {name: entry.n for name, entry in ours.items() if isinstance(entry, Estimate)}
    assert shown == {
        **{"major": 1, "semantics": 1, "technical": 1},
        **{"quality": 2, "mood": 1, "overall": 3},
    }
    assert any(line.label == "GPT-4o" and line.published for line in table.lines)
