"""Multiple choice by option: how near a choice of several comes to the right one."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest

from eyechart.items import Card, ItemSet
from eyechart.metrics.intervals import mean, proportion
from eyechart.records import LETTERS, Estimate, Item, Picture, Response, Score, Table
from eyechart.report.option_choices import Shape, guessed, option_choice_tables
from eyechart.scores import score_responses

OPTIONS = ("blur", "noise", "haze", "JPEG")
LABELS = ("As answered", "Every option", "A random set")
MEASURES = ("exact set", "per option", "precision", "recall", "Jaccard")
Pair = tuple[Item, Score]


def asked(
    right: str, chosen: str | None, *, id: str = "", options: tuple[str, ...] = OPTIONS
) -> Pair:
    """One question by the letters that are right and those chosen, None for a reply unread."""
    id = id or str(random.random())
    answer = tuple(options[LETTERS.index(letter)] for letter in right)
    item = Item(id, "multiple", "?", (Picture(name=id),), options, answer)
    if chosen is None:
        return item, Score(id, "correct", None, "unparsed", "A", "contradicts itself")
    exact = float(set(right) == set(chosen))
    return item, Score(id, "correct", exact, extracted=", ".join(chosen))


def tables(*pairs: Pair) -> dict[str, Table]:
    items = ItemSet(Card("demo"), tuple(item for item, _ in pairs))
    return {t.name: t for t in option_choice_tables(items, [score for _, score in pairs])}


def row(table: Table, label: str) -> dict[str, Estimate]:
    (line,) = [line for line in table.lines if line.label == label]
    found = zip(table.columns, line.entries, strict=True)
    return {column.name: entry for column, entry in found if isinstance(entry, Estimate)}


def values(table: Table, label: str) -> list[float | None]:
    return [entry.value for entry in row(table, label).values()]


# right, chosen: exact, per option, precision, recall, Jaccard
BY_HAND = [
    ("AB", "AB", 1, 4 / 4, 1, 1, 1),
    ("AB", "A", 0, 3 / 4, 1, 1 / 2, 1 / 2),
    ("AB", "ABC", 0, 3 / 4, 2 / 3, 1, 2 / 3),
    ("AB", "BC", 0, 2 / 4, 1 / 2, 1 / 2, 1 / 3),
    ("AB", "CD", 0, 0, 0, 0, 0),
    ("AB", "ABCD", 0, 2 / 4, 1 / 2, 1, 2 / 4),
    ("C", "C", 1, 1, 1, 1, 1),
    ("C", "D", 0, 2 / 4, 0, 0, 0),
    ("ABCD", "ABC", 0, 3 / 4, 1, 3 / 4, 3 / 4),
    ("ABCD", "ABCD", 1, 1, 1, 1, 1),
]


@pytest.mark.parametrize(("right", "chosen", "marks"), [(r, c, m) for r, c, *m in BY_HAND])
def test_the_marks_of_a_choice_are_those_worked_out_by_hand(
    right: str, chosen: str, marks: list[float]
) -> None:
    table = tables(*(asked(right, chosen) for _ in range(10)))["multiple-choice"]
    assert values(table, "As answered") == pytest.approx(marks)


def test_each_figure_is_the_mean_over_questions_with_its_interval() -> None:
    table = tables(*(asked(right, chosen) for right, chosen, *_ in BY_HAND))["multiple-choice"]
    found = row(table, "As answered")
    columns = dict(
        zip(MEASURES, zip(*(marks for _, _, *marks in BY_HAND), strict=True), strict=True)
    )
    assert found["exact set"] == proportion(columns["exact set"])
    for name in MEASURES[1:]:
        expected = mean(columns[name], within=(0.0, 1.0))
        assert (found[name].value, found[name].low, found[name].high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
        assert found[name].n == 10
    assert found["exact set"].value == 0.3
    assert "could not be scored" not in table.note


def by_loops(pairs: list[Pair]) -> list[float]:
    """The five means, in plain loops over options, without sets or counts."""
    sums = [0.0] * 5
    n_choosing = 0
    for item, score in pairs:
        if score.value is None:
            continue
        hits = both_left = n_chosen = n_right = either = 0
        for letter, option in zip(LETTERS, item.options, strict=False):
            is_right = option in item.answer  # type: ignore[operator]
            is_chosen = letter in score.extracted
            hits += is_right and is_chosen
            both_left += not is_right and not is_chosen
            n_chosen += is_chosen
            n_right += is_right
            either += is_right or is_chosen
        n_choosing += 1
        sums[0] += hits == n_right == n_chosen
        sums[1] += (hits + both_left) / len(item.options)
        sums[2] += hits / n_chosen
        sums[3] += hits / n_right
        sums[4] += hits / either
    n = len(pairs)
    return [sums[0] / n, sums[1] / n, sums[2] / n_choosing, sums[3] / n, sums[4] / n]


def test_the_figures_are_those_of_an_independent_computation() -> None:
    draw = random.Random(3)
    pairs = []
    for i in range(300):
        options = tuple(f"option {n}" for n in range(draw.randint(2, 7)))
        letters = LETTERS[: len(options)]
        right = "".join(sorted(draw.sample(letters, draw.randint(1, len(letters)))))
        chosen = "".join(sorted(draw.sample(letters, draw.randint(1, len(letters)))))
        chosen = draw.choice([right, chosen])
        pairs.append(asked(right, chosen if i % 9 else None, options=options))
    found = tables(*pairs)["multiple-choice"]
    assert values(found, "As answered") == pytest.approx(by_loops(pairs))


@pytest.mark.parametrize("n_options", range(2, 7))
def test_guessing_is_the_mean_over_all_non_empty_sets(n_options: int) -> None:
    letters = LETTERS[:n_options]
    options = tuple(letters)
    subsets = [
        "".join(chosen)
        for size in range(1, n_options + 1)
        for chosen in itertools.combinations(letters, size)
    ]
    for n_right in range(1, n_options + 1):
        every = [asked(letters[:n_right], chosen, options=options) for chosen in subsets]
        found = guessed(Shape(n_right, n_options))
        assert dataclasses.astuple(found) == pytest.approx(tuple(by_loops(every)))
        assert found.exact == pytest.approx(1 / len(subsets))


def test_choosing_every_option_and_guessing_stand_beside_without_an_interval() -> None:
    two = [asked("AB", "AB") for _ in range(6)]
    four = [asked("ABCD", "ABCD") for _ in range(2)]
    one = [asked("A", "A", options=OPTIONS[:2]) for _ in range(2)]
    table = tables(*two, *four, *one)["multiple-choice"]
    assert values(table, "Every option") == pytest.approx([0.2, 0.6, 0.6, 1, 0.6])
    assert row(table, "A random set")["exact set"].value == pytest.approx((8 / 15 + 2 / 3) / 10)
    for label in ("Every option", "A random set"):
        assert {(e.low, e.high, e.n) for e in row(table, label).values()} == {(None, None, 10)}


def test_an_unscored_reply_counts_as_0_and_is_told_but_has_no_precision() -> None:
    pairs = [asked("AB", "AB") for _ in range(8)]
    table = tables(*pairs, asked("AB", None), asked("A", None))["multiple-choice"]
    assert values(table, "As answered") == [0.8, 0.8, 1, 0.8, 0.8]
    assert row(table, "As answered")["precision"].n == 8
    assert (
        "2 replies could not be scored and count as 0; precision is of replies that chose "
        "something." in table.note
    )


def test_a_question_without_a_score_is_unscored_too() -> None:
    pairs = [asked("AB", "AB", id=str(i)) for i in range(10)]
    items = ItemSet(Card("demo"), tuple(item for item, _ in pairs))
    found, *_ = option_choice_tables(items, [score for _, score in pairs[1:]])
    assert row(found, "As answered")["exact set"] == proportion([0] + [1] * 9)
    assert "1 reply could not be scored and counts as 0" in found.note


def test_only_questions_of_this_kind_with_an_answer_on_file_are_told() -> None:
    others = [
        dataclasses.replace(asked("A", "A")[0], kind="single", answer="blur"),
        dataclasses.replace(asked("A", "A")[0], answer=None),
    ]
    scores = [Score(item.id, "correct", 1.0, extracted="A") for item in others]
    unasked = list(zip(others, scores, strict=True))
    assert tables(*unasked) == {}
    found = tables(asked("AB", "AB"), asked("AB", "A"), *unasked)["multiple-choice"]
    assert row(found, "As answered")["exact set"] == proportion([1, 0])


def test_where_nothing_was_scored_there_is_no_table() -> None:
    assert tables(*(asked("AB", None) for _ in range(12))) == {}


@pytest.mark.parametrize("extracted", ["", "blur", "A, E", "A B"])
def test_a_scored_reply_whose_letters_are_not_on_file_is_left_out_and_counted(
    extracted: str,
) -> None:
    item, score = asked("A", "AB")
    odd = item, dataclasses.replace(score, extracted=extracted)
    others = [asked("AB", "AB") for _ in range(12)]
    table = tables(*others, odd)["multiple-choice"]
    assert values(table, "As answered") == [1] * 5
    assert {entry.n for label in LABELS for entry in row(table, label).values()} == {12}
    told = "1 scored reply is left out: the letters chosen are not on file."
    assert table.note.endswith(told)
    assert "left out" not in tables(*others)["multiple-choice"].note
    assert tables(odd) == {}


def test_only_the_questions_as_asked_are_told_not_those_asked_blind() -> None:
    pairs = [asked("AB", "AB") for _ in range(10)]
    items = ItemSet(Card("demo"), tuple(item for item, _ in pairs))
    blind = [dataclasses.replace(s, name="correct.blind", value=0.0) for _, s in pairs]
    (table,) = option_choice_tables(items, [*(score for _, score in pairs), *blind])
    assert row(table, "As answered")["exact set"].value == 1


def test_questions_are_told_by_how_many_options_are_right() -> None:
    one = [asked("A", chosen) for chosen in ("A", "A", "AB", None)]
    two = [asked("AB", chosen) for chosen in ("AB", "A", "CD")]
    four = [asked("ABCD", "ABCD"), asked("ABCD", "A"), asked("ABCD", "AB")]
    table = tables(*one, *two, *four)["multiple-choice-by-size"]
    assert [line.label for line in table.lines] == [
        *("1 right option", "2 right options", "4 right options"),
    ]
    assert values(table, "1 right option") == [0.5, 2.5 / 4]
    assert values(table, "2 right options") == pytest.approx([1 / 3, 0.5])
    assert values(table, "4 right options") == pytest.approx([1 / 3, 1.75 / 3])
    assert [row(table, line.label)["Jaccard"].n for line in table.lines] == [4, 3, 3]


def test_where_all_have_as_many_right_options_there_is_no_table_by_size() -> None:
    assert list(tables(*(asked("AB", "A") for _ in range(10)))) == ["multiple-choice"]


def test_the_letters_are_read_as_the_scoring_writes_them() -> None:
    """Real replies, through the real scoring."""
    items = [asked("AC", None, id=str(i))[0] for i in range(12)]
    texts = ["A, C", "A and C", "A. blur\nC. haze", "B"] * 3
    replies = [Response(str(i), "answer", 0, "k", "m", text=text) for i, text in enumerate(texts)]
    scores = list(score_responses(items, replies))
    (table,) = option_choice_tables(ItemSet(Card("demo"), tuple(items)), scores)
    assert values(table, "As answered") == pytest.approx([0.75, 0.75 + 0.25 / 4, 0.75, 0.75, 0.75])


def test_several_questions_about_one_photograph_widen_the_intervals() -> None:
    alone = [asked("AB", "AB" if i // 6 % 2 else "AC", id=str(i)) for i in range(36)]
    together = [
        (dataclasses.replace(item, images=(Picture(name=str(int(item.id) // 6)),)), score)
        for item, score in alone
    ]
    widths = []
    for pairs in (alone, together):
        found = row(tables(*pairs)["multiple-choice"], "As answered")["Jaccard"]
        widths.append((found.high or 0.0) - (found.low or 0.0))
    assert widths[1] > 1.5 * widths[0]
