"""The analysis as it is shown: the sentence, the tables, the notes, and the file of all items."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from tests.item_analysis.simulated import Simulated, simulated

from eyechart.item_analysis import Analysis, Answered, analyse
from eyechart.items import Card, ItemSet
from eyechart.records import Estimate, Item, Score, Table
from eyechart.report.own_tables import printed


def analysed(true: Simulated) -> Analysis:
    return analyse(true.items, true.runs)


def table(analysis: Analysis, name: str) -> Table:
    return next(table for table in analysis.tables if table.name == name)


def names(analysis: Analysis) -> list[str]:
    return [table.name for table in analysis.tables]


def rows(analysis: Analysis) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(analysis.items_csv)))


def columns(table: Table) -> list[str]:
    return [column.name for column in table.columns]


@pytest.fixture(scope="module")
def many() -> Analysis:
    true = simulated(26, 300, seed=1).with_keys_turned([3, 7, 20]).with_blind(3, [5, 6])
    return analysed(true)


def test_the_headline_tells_the_counts_of_the_file(many: Analysis) -> None:
    flagged = {
        name: sum(row[name] == "yes" for row in rows(many))
        for name in ("missed_by_all", "likely_wrong_key", "right_blind_by_all")
    }
    assert many.headline.startswith(
        f"Of 300 items {flagged['missed_by_all']} are missed by all 26 models, "
        f"{flagged['likely_wrong_key']} have a key that all 13 strong models contradict and "
        f"{flagged['right_blind_by_all']} are answered right without the picture by all 3 models "
        "asked so (by luck it would be "
    )


def test_every_item_has_a_row_with_everything(many: Analysis) -> None:
    found = rows(many)
    assert len(found) == 300
    assert list(found[0]) == [
        *("id", "kind", "image", "source", "concern", "question", "options", "key", "key_text"),
        *("most_chosen", "most_chosen_text", "n_models", "share_right", "item_rest"),
        *("difficulty", "difficulty_se"),
        *("discrimination", "discrimination_se", "missed_by_all", "right_blind_by_all"),
        *("strong_agree_on", "likely_wrong_key"),
    ]
    assert all(float(row["discrimination"]) > 0 for row in found)
    for row in found:
        if row["likely_wrong_key"] == "yes":
            assert row["strong_agree_on"] not in ("", row["key"])
        if row["kind"] == "open":
            assert not row["likely_wrong_key"] and not row["right_blind_by_all"]


def test_hard_items_are_those_that_few_models_get_right(many: Analysis) -> None:
    found = rows(many)
    share = np.array([float(row["share_right"]) for row in found])
    difficulty = np.array([float(row["difficulty"]) for row in found])
    assert (
        np.corrcoef(np.argsort(np.argsort(-share)), np.argsort(np.argsort(difficulty)))[0, 1] > 0.9
    )


def test_lists_hold_at_most_25_items_and_say_how_many_there_are() -> None:
    found = table(analysed(simulated(1, 200)), "items-missed")
    assert len(found.lines) == 25
    assert found.note.startswith("The first 25 of 7")
    assert found.title == "Items missed by model 0"


def test_a_list_tells_what_models_chose_the_most_frequent_first() -> None:
    items = ItemSet(Card("x"), (Item("0", "single", "Why?", (), ("p", "q", "r"), "p"),))
    runs = [
        Answered(f"m{i}", [Score("0", "correct", 0.0, extracted=letter)])
        for i, letter in enumerate("BCC")
    ]
    line = table(analyse(items, runs), "items-missed").lines[0]
    assert line.label == "0"
    assert line.entries[:4] == ("Why?", "single choice", "A. p", "C. r ×2; B. q ×1")


def test_keys_that_most_models_contradict_come_first_and_hard_statements_last(
    many: Analysis,
) -> None:
    found = table(many, "items-likely-wrong-keys")
    assert "Questions with but one wrong answer, as true or false, come last" in found.note
    kind, chose = (columns(found).index(name) for name in ("kind", "models chose"))
    order = [
        (line.entries[kind] == "true or false", -int(str(line.entries[chose]).split("×")[1][:2]))
        for line in found.lines
    ]
    assert order == sorted(order) and len({statement for statement, _ in order}) == 2


def test_blind_items_that_luck_explains_least_come_first(many: Analysis) -> None:
    found = table(many, "items-right-blind")
    kinds = [line.entries[columns(found).index("kind")] for line in found.lines]
    order = {"multiple choice": 0, "single choice": 1, "true or false": 2}
    assert [order[str(kind)] for kind in kinds] == sorted(order[str(kind)] for kind in kinds)


def test_lists_tell_the_discrimination_with_an_interval_above_0(many: Analysis) -> None:
    by_id = {row["id"]: row for row in rows(many)}
    for name in ("items-missed", "items-likely-wrong-keys", "items-negative-item-rest"):
        found = table(many, name)
        assert "Discrimination: how steeply the item tells models apart" in found.note
        place = columns(found).index("discrimination")
        for line in found.lines:
            entry = line.entries[place]
            if by_id[line.label]["share_right"] == "0":
                continue
            assert isinstance(entry, Estimate) and entry.low is not None and entry.high is not None
            assert 0 < entry.low < value(entry) < entry.high
            assert value(entry) == pytest.approx(
                float(by_id[line.label]["discrimination"]), abs=1e-6
            )
    few = table(analysed(simulated(4, 60)), "items-missed")
    assert "discrimination" not in columns(few) and "Discrimination" not in few.note


def test_items_that_better_models_miss_more_often_are_listed_the_lowest_first(
    many: Analysis,
) -> None:
    found = table(many, "items-negative-item-rest")
    assert found.title == "Items that better models miss more often"
    place = columns(found).index("item-rest")
    related = [value(line.entries[place]) for line in found.lines]
    assert len(related) == 25 and related == sorted(related) and related[-1] < 0
    below = [row for row in rows(many) if row["item_rest"] and float(row["item_rest"]) < 0]
    listed = [row for row in below if row["likely_wrong_key"] != "yes"]
    flagged = table(many, "items-flagged")
    counted = {line.label: line.entries for line in flagged.lines}["Better models miss more often"]
    assert value(counted[0]) == len(below)
    luck = value(counted[columns(flagged).index("by luck")])
    assert 20 < luck < len(below)
    assert found.note.startswith(f"The first 25 of {len(listed)} items. ")
    assert f"By luck it would be {luck:.0f} if every item followed its fitted curve." in found.note


def test_nine_models_are_too_few_to_tell_which_items_better_ones_miss() -> None:
    found = analysed(simulated(9, 100))
    assert "items-negative-item-rest" not in names(found)
    assert all(line.label != "Better models miss more often" for line in found.tables[0].lines)
    assert "by luck" not in columns(found.tables[0])


def test_items_with_a_likely_wrong_key_are_in_no_other_list_but_counted() -> None:
    true = simulated(26, 300, seed=1)
    is_closed = np.array([item.kind != "open" for item in true.items.items])
    known = [int(place) for place in np.flatnonzero(true.right.all(axis=0) & is_closed)]
    found = analysed(true.with_keys_turned(known))
    flags = ("missed_by_all", "likely_wrong_key")
    missed, doubted = ({r["id"] for r in rows(found) if r[flag] == "yes"} for flag in flags)
    shown = table(found, "items-missed")
    assert {line.label for line in shown.lines} == missed - doubted
    n_both = len(missed & doubted)
    assert n_both == len(known) > 1 and missed - doubted
    assert f"{n_both} more have a likely wrong key and no line here." in shown.note
    below = table(found, "items-negative-item-rest")
    assert not {line.label for line in below.lines} & doubted


def test_facets_add_up_to_all_items(many: Analysis) -> None:
    found = table(many, "items-by-facet")
    groups = {line.group for line in found.lines}
    assert groups == {"Kind", "Source", "Concern"}
    missed = sum(row["missed_by_all"] == "yes" for row in rows(many))
    place = columns(found).index("missed by all")
    for group in groups:
        mine = [line.entries for line in found.lines if line.group == group]
        assert sum(value(entries[0]) for entries in mine) == 300
        assert sum(value(entries[place]) for entries in mine) == missed


def value(entry: Estimate | str | None) -> float:
    assert isinstance(entry, Estimate) and entry.value is not None
    return entry.value


def test_models_are_told_by_ability(many: Analysis) -> None:
    found = table(many, "model-abilities")
    abilities = [value(line.entries[0]) for line in found.lines]
    accuracies = [value(line.entries[2]) for line in found.lines]
    assert abilities == sorted(abilities, reverse=True)
    assert np.corrcoef(abilities, accuracies)[0, 1] > 0.98
    first = found.lines[0].entries[0]
    assert isinstance(first, Estimate) and first.low is not None and first.low < abilities[0]


def test_many_models_are_told_with_the_most_and_the_least_alike_of_each(many: Analysis) -> None:
    found = table(many, "model-agreement")
    assert len(found.lines) == 26 and "model-same-wrong" not in names(many)
    for line in found.lines:
        assert line.label not in (line.entries[0], line.entries[3])
        assert value(line.entries[1]) >= value(line.entries[4])


def test_up_to_twelve_models_are_told_pair_by_pair() -> None:
    found = table(analysed(simulated(12, 60)), "model-agreement")
    assert len(found.lines) == len(found.columns) == 12
    for i in range(12):
        assert found.lines[i].entries[i] == ""
        assert found.lines[i].entries[3] == found.lines[3].entries[i]


def test_one_run_alone_tells_only_what_it_misses_and_answers_blind() -> None:
    found = analysed(simulated(1, 60).with_blind(1, [2]))
    assert names(found) == ["items-flagged", "items-missed", "items-right-blind", "items-by-facet"]
    assert "missed by model 0 and" in found.headline
    assert "right without the picture by model 0 (by luck it would be" in found.headline
    assert "item-rest" not in columns(table(found, "items-missed"))
    assert all(row["difficulty"] == row["item_rest"] == "" for row in rows(found))
    assert found.notes == (
        "1 model is too few for difficulty, discrimination and ability (from 5 on), likely wrong "
        "keys (from 3 above the median in accuracy on) and items that better models miss more "
        "often (from 10 on).",
    )


def test_what_there_are_too_few_models_for_is_one_sentence() -> None:
    told = {n: analysed(simulated(n, 60)).notes for n in (2, 6, 10)}
    assert len(told[2]) == 1 and told[2][0].startswith("2 models are too few for difficulty,")
    assert told[6] == (
        "6 models are too few for items that better models miss more often (from 10 on).",
    )
    assert told[10] == ()


def test_a_run_without_any_score_has_everything_wrong_as_everywhere() -> None:
    true = simulated(5, 40)
    silent = Answered("silent", ())
    found = analyse(true.items, [*true.runs, silent])
    ability = {line.label: line.entries for line in table(found, "model-abilities").lines}
    assert value(ability["silent"][2]) == 0
    assert min(ability, key=lambda name: value(ability[name][0])) == "silent"
    alone = analyse(true.items, [silent])
    n_closed = sum(item.kind != "open" for item in true.items.items)
    assert alone.headline == f"Of {n_closed} items {n_closed} are missed by silent."


def test_a_run_that_only_owes_verdicts_has_no_figures() -> None:
    true = simulated(5, 40)
    items = tuple(replace(item, kind="open", answer="Blur") for item in true.items.items)
    judged = [
        Answered(name, [Score(item.id, "verdict", float(i > n)) for i, item in enumerate(items)])
        for n, name in enumerate("mnopq")
    ]
    owing = Answered("owing", [Score(item.id, "verdict", None, "unjudged") for item in items])
    found = analyse(ItemSet(Card("x"), items), [*judged, owing])
    ability = {line.label: line.entries for line in table(found, "model-abilities").lines}
    assert ability["owing"] == (None, None, None)
    assert found.notes[0].startswith("40 items lack the mark of at least one model.")
    assert found.headline.startswith("Of 40 items 1 is missed by all 6 models")


def test_one_model_beside_people_is_analysed_alone() -> None:
    true = simulated(1, 40)
    people = Answered("People", true.runs[0].scores[:20], people=True)
    found = analyse(true.items, [true.runs[0], people])
    assert "missed by model 0" in found.headline
    assert "people" in columns(table(found, "items-missed"))
    assert [row["people_right"] != "" for row in rows(found)] == [True] * 20 + [False] * 20


def test_two_runs_that_miss_all_of_2765_items_are_told_by_25_of_them() -> None:
    items = tuple(Item(f"{i:04}", "true_false", "?", (), (), True) for i in range(2765))
    runs = [
        Answered(name, [Score(item.id, "correct", 0.0, extracted="False") for item in items])
        for name in "mn"
    ]
    found = analyse(ItemSet(Card("x"), items), runs)
    assert found.headline == "Of 2,765 items 2,765 are missed by both models."
    missed = table(found, "items-missed")
    assert len(missed.lines) == 25
    assert missed.title == "Items missed by both models"
    assert missed.note == "The first 25 of 2,765 items."
    assert len(rows(found)) == 2765


def test_what_is_left_out_is_told() -> None:
    true = simulated(6, 60)
    rated = Item("r", "rate", "How good?", (), mos=3.0)
    owing = replace(
        true.runs[0],
        scores=tuple(
            replace(s, value=None, why="unjudged") if s.name == "verdict" else s
            for s in true.runs[0].scores
        ),
    )
    items = ItemSet(true.items.card, (*true.items.items, rated))
    notes = analyse(items, [owing, *true.runs[1:]]).notes
    n_open = sum(item.kind == "open" for item in true.items.items)
    assert notes[0] == (
        "Left out: 1 item without a mark by any model (the answer is withheld, there is no "
        "verdict, or it is a rating)."
    )
    assert notes[1].startswith(f"{n_open} items lack the mark of at least one model")


def test_a_fit_that_does_not_settle_is_told() -> None:
    true = simulated(1, 30)
    runs = [replace(true.runs[0], name=f"twin {i}") for i in range(5)]
    notes = analyse(true.items, runs).notes
    assert notes[0] == (
        "The fit of item responses did not settle: read difficulty and ability with care."
    )


def test_people_stand_beside_the_models() -> None:
    true = simulated(5, 40)
    people = Answered("People", true.runs[0].scores, people=True)
    found = analyse(true.items, [*true.runs, people])
    assert "all 5 models" in found.headline
    assert [line.label for line in table(found, "model-agreement").lines] == [
        f"model {i}" for i in range(5)
    ]
    assert {row["people_right"] for row in rows(found)} <= {"0", "0.5", "1"}


def test_nothing_to_list_leaves_no_empty_table() -> None:
    items = ItemSet(Card("x"), (Item("0", "true_false", "?", (), (), True),))
    runs = [Answered(name, [Score("0", "correct", 1.0, extracted="True")]) for name in "mn"]
    found = analyse(items, runs)
    assert names(found) == [
        "items-flagged",
        "items-by-facet",
        "model-agreement",
        "model-same-wrong",
    ]
    assert found.headline == "Of 1 item none is missed by both models."


def test_foreign_text_is_inert_in_the_file_and_the_pages() -> None:
    hostile = "=HYPERLINK(1)\n<b>|&\x00\u202e"
    item = Item(
        "+1",
        "single",
        hostile,
        (),
        (hostile, "q"),
        hostile,
        facets={"scope": "=1", "key": "@x"},
        source="+s",
    )
    runs = [Answered("=m", [Score("+1", "correct", 0.0, extracted="B")])]
    found = analyse(ItemSet(Card("x"), (item,)), runs)
    row = rows(found)[0]
    assert row["question"].startswith("'=HYPERLINK(1) <b>|&[U+0000]")
    assert row["kind"] == "single" and row["key"] == "A"
    assert row["scope"] == "'=1" and row["source"] == "'+s" and row["facet key"] == "'@x"
    shown = printed(table(found, "items-missed")).rows[0]
    assert "\u202e" not in "".join(shown) and "\n" not in "".join(shown)


def test_every_table_can_be_printed(many: Analysis) -> None:
    for shown in many.tables:
        found = printed(shown)
        assert found.name == shown.name
        assert len(found.rows) == len(shown.lines)


def test_the_order_of_the_runs_does_not_matter() -> None:
    true = simulated(8, 80)
    turned = analyse(true.items, true.runs[::-1])
    same = analysed(true)
    assert turned.headline == same.headline
    assert [row["share_right"] for row in rows(turned)] == [r["share_right"] for r in rows(same)]
    assert [row["likely_wrong_key"] for row in rows(turned)] == [
        row["likely_wrong_key"] for row in rows(same)
    ]
