"""What is known of an item's options, its key and what was chosen: in the file and in the lists."""

from __future__ import annotations

import csv
import io

import pytest
from tests.item_analysis.simulated import simulated

from eyechart.item_analysis import Analysis, Answered, analyse
from eyechart.item_analysis.item_tables import UNPLACED_NOTE
from eyechart.item_analysis.options import choice_told, options_told, pictures_told, texts_of
from eyechart.items import Card, ItemSet
from eyechart.records import Estimate, Item, Picture, Score, Table

OPTIONS = ("Blur", "Noise", "Haze", "Banding")
PICTURES = (Picture(name="a.png"), Picture(name="b.png"))
MULTIPLE = Item("m", "multiple", "Which?", PICTURES, OPTIONS, ("Blur", "Haze"))
SINGLE = Item("s", "single", "What?", PICTURES[:1], OPTIONS, "Noise")
STATEMENT = Item("t", "true_false", "It is sharp.", (), answer=True)
OPEN = Item("o", "open", "How?", (), answer="Softly")


def missed(item: Item, *chosen: str) -> Analysis:
    """What models that all have the item wrong come to."""
    name = "verdict" if item.kind == "open" else "correct"
    runs = [
        Answered(f"m{i}", [Score(item.id, name, 0.0, extracted=choice)])
        for i, choice in enumerate(chosen)
    ]
    return analyse(ItemSet(Card("x"), (item,)), runs)


def row(item: Item, *chosen: str) -> dict[str, str]:
    return next(csv.DictReader(io.StringIO(missed(item, *chosen).items_csv)))


def key_and_chosen(item: Item, *chosen: str) -> tuple[object, ...]:
    tables = missed(item, *chosen).tables
    return next(table for table in tables if table.name == "items-missed").lines[0].entries[2:4]


def test_the_file_tells_the_picture_the_options_and_what_letters_stand_for() -> None:
    found = row(MULTIPLE, "B, D", "B, D", "A")
    assert found["image"] == "a.png | b.png"
    assert found["options"] == "A. Blur | B. Noise | C. Haze | D. Banding"
    assert (found["key"], found["key_text"]) == ("A, C", "Blur | Haze")
    assert (found["most_chosen"], found["most_chosen_text"]) == ("B, D", "Noise | Banding")


def test_an_answer_that_is_its_own_text_has_none_beside_it() -> None:
    found = row(STATEMENT, "False")
    assert (found["options"], found["image"]) == ("", "")
    assert (found["key"], found["key_text"]) == ("True", "")
    assert (found["most_chosen"], found["most_chosen_text"]) == ("False", "")
    assert (row(OPEN, "")["key"], row(OPEN, "")["key_text"]) == ("Softly", "")


def test_a_list_tells_texts_of_the_key_and_of_every_choice() -> None:
    assert key_and_chosen(MULTIPLE, "B, D", "B, D", "A") == (
        "A. Blur | C. Haze",
        "B. Noise | D. Banding ×2; A. Blur ×1",
    )
    assert key_and_chosen(SINGLE, "D", "") == ("B. Noise", "D. Banding ×1")
    assert key_and_chosen(STATEMENT, "False") == ("True", "False ×1")
    assert key_and_chosen(OPEN, "") == ("Softly", "")


def test_long_options_are_shortened_in_lists_and_whole_in_the_file() -> None:
    long = tuple(f"{letter} " + "very " * 30 for letter in "wxyz")
    item = Item("l", "multiple", "Which?", (), long, long)
    told = choice_told(item, "A, B, C, D")
    assert told.startswith("A. w very very") and len(told) <= 72 + 4 * 3 + 3 * 3
    assert len(choice_told(item, "A")) == 3 + 40
    assert texts_of(item, "A, D") == f"{long[0]} | {long[3]}"
    assert long[3] in options_told(item) and pictures_told(item) == ""


@pytest.mark.parametrize("choice", ["E", "AB", "A, E", "Blur", "A,C", "?"])
def test_a_choice_that_is_of_no_options_letters_stays_as_it_is(choice: str) -> None:
    assert (texts_of(MULTIPLE, choice), choice_told(MULTIPLE, choice)) == ("", choice)


def test_foreign_options_are_inert() -> None:
    hostile = "=1+1\n\u202e<b>"
    item = Item("h", "single", "?", (Picture(name="=x.png"),), (hostile, "q"), "q")
    found = row(item, "A")
    assert found["most_chosen_text"] == "'=1+1 [U+202E]<b>" and found["image"] == "'=x.png"
    assert key_and_chosen(item, "A")[1] == "A. =1+1 [U+202E]<b> ×1"


def figures_of(table: Table, name: str) -> dict[str, Estimate | str | None]:
    place = [column.name for column in table.columns].index(name)
    return {line.label: line.entries[place] for line in table.lines}


def test_how_hard_an_item_is_that_all_missed_or_all_have_right_is_a_dash_in_lists_alone() -> None:
    known = [5, 6]
    true = simulated(26, 300, seed=1)
    all_right = [i for i in known if true.right[:, i].all()] or [
        int(i) for i, right in enumerate(true.right.all(axis=0)) if right
    ]
    found = analyse(true.items, true.with_blind(3, all_right).runs)
    rows = {one["id"]: one for one in csv.DictReader(io.StringIO(found.items_csv))}
    n_dashes = 0
    for table in (t for t in found.tables if "difficulty" in [c.name for c in t.columns]):
        lists = figures_of(table, "difficulty"), figures_of(table, "discrimination")
        dashes = {label for label, entry in lists[0].items() if entry is None}
        assert dashes == {label for label, entry in lists[1].items() if entry is None}
        assert dashes == {label for label in lists[0] if rows[label]["share_right"] in ("0", "1")}
        assert (UNPLACED_NOTE in table.note) == bool(dashes)
        assert all(rows[label]["difficulty"] for label in dashes)
        n_dashes += len(dashes)
    assert n_dashes


def test_items_are_counted_by_facet_in_the_order_wanted() -> None:
    true = simulated(1, 40)
    found = analyse(true.items, true.runs, order={"concern": ("Haze", "Blur"), "kind": ()})
    lines = next(table for table in found.tables if table.name == "items-by-facet").lines
    assert list(dict.fromkeys(line.group for line in lines)) == ["Concern", "Kind", "Source"]
    assert [line.label for line in lines][:4] == ["Haze", "Blur", "Noise", "Banding"]
