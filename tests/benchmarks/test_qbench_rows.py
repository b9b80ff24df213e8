"""Every published form of Q-Bench is read, and what is wrong in one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.benchmarks.qbench_files import (
    A_BENCH,
    PAIR,
    embedded,
    hub_row,
    list_of,
    only,
    png,
    read,
    record,
    table_of,
)

from eyechart.errors import BadInput
from eyechart.items import Card, write_items
from eyechart.records import Item, Picture


def bytes_of(picture: Picture) -> bytes:
    assert picture.path is not None
    return picture.path.read_bytes()


def test_a_row_of_the_hub_becomes_an_item_with_the_very_bytes_of_its_image(tmp_path: Path) -> None:
    file = table_of(tmp_path / "dev-00000-of-00001.parquet", [hub_row(7, correct_choice="B")])
    item = only(read(file))
    assert bytes_of(item.images[0]) == png(7)
    assert (item.id, item.kind, item.question) == (
        "q-bench-dev-7",
        "single",
        "Is this image clear?",
    )
    assert (item.options, item.answer) == (("Yes", "No"), "No")
    assert item.facets == {
        "set": "Q-Bench",
        "split": "dev",
        "question_type": "yes-or-no",
        "concern": "distortion",
    }
    assert item.licence == "CC-BY-NC-SA-4.0"


@pytest.mark.parametrize("choice", [None, "", "N/A"])
def test_the_answers_of_the_test_split_are_withheld(tmp_path: Path, choice: str | None) -> None:
    item = only(read(table_of(tmp_path / "test-0.parquet", [hub_row(correct_choice=choice)])))
    assert (item.answer, item.facets["split"]) == (None, "test")


def test_a_folder_as_the_hub_lays_it_out_is_read_whole_with_its_splits(tmp_path: Path) -> None:
    for name, first, choice in [("dev-0", 0, "A"), ("dev-1", 2, "A"), ("test-0", 0, None)]:
        rows = [hub_row(first + n, correct_choice=choice) for n in range(2)]
        table_of(tmp_path / "data" / f"{name}-of-2.parquet", rows)
    ids = [item.id for item in read(tmp_path).items]
    assert ids == [*(f"q-bench-dev-{n}" for n in range(4)), "q-bench-test-0", "q-bench-test-1"]


def test_a_pair_keeps_the_order_of_its_pictures(tmp_path: Path) -> None:
    row = hub_row(3, image1=embedded(1, "1.png"), image2=embedded(2, None), question_concern=2)
    item = only(read(table_of(tmp_path / "dev.parquet", [row], PAIR)))
    assert [bytes_of(picture) for picture in item.images] == [png(1), png(2)]
    assert [picture.name for picture in item.images] == ["1.png", "q-bench2-dev-3-2"]
    assert item.facets["set"] == "Q-Bench2"


def test_a_row_of_a_bench_has_a_category_in_place_of_codes(tmp_path: Path) -> None:
    row = hub_row(category="part1 -> bag_of_words -> attribute")
    item = only(read(table_of(tmp_path / "dev.parquet", [row], A_BENCH)))
    assert item.facets == {"set": "A-Bench", "split": "dev", "category": row["category"]}


def test_the_raw_list_of_single_images_is_read(tmp_path: Path) -> None:
    item = only(read(list_of(tmp_path / "llvisionqa_dev.json", [record()])))
    assert item.images == (Picture(tmp_path / "images" / "a.png", name="a.png"),)
    assert (item.id, item.answer) == ("q-bench-dev-0", "Blurry")
    assert item.facets == {
        "set": "Q-Bench",
        "split": "dev",
        "question_type": "how",
        "concern": "in-context others",
        "img_path": "a.png",
    }


@pytest.mark.parametrize("images", ["images", ".", "elsewhere"])
def test_images_lie_in_images_beside_the_list_or_where_photos_says(
    tmp_path: Path, images: str
) -> None:
    file = list_of(tmp_path / "llvisionqa_dev.json", [record()], images=images)
    photos = tmp_path / "elsewhere" if images == "elsewhere" else None
    assert only(read(file, photos=photos)).images[0].path == tmp_path / images / "a.png"


def test_the_raw_lines_of_pairs_find_both_files(tmp_path: Path) -> None:
    row = record(
        img_path="llvisionqa_compare_dev\\a.png_cat_b.png.png", concern=0, correct_choice="B"
    )
    file = list_of(tmp_path / "q-bench2-a1-dev.jsonl", [row], images="all_single_images")
    item = only(read(file))
    folder = tmp_path / "all_single_images"
    assert [picture.path for picture in item.images] == [folder / "a.png", folder / "b.png"]
    assert item.facets["set"] == "Q-Bench2"
    assert (item.facets["concern"], item.facets["comparison"]) == ("distortion", "compare")


def test_a_photograph_of_a_cat_is_no_pair(tmp_path: Path) -> None:
    file = list_of(tmp_path / "dev.json", [record(img_path="black_cat_1.png")])
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "black_cat_1.png")
    item = only(read(file))
    assert [picture.name for picture in item.images] == ["black_cat_1.png"]
    assert item.facets["set"] == "Q-Bench"


def test_lines_with_a_byte_order_mark_and_other_ends_of_lines_are_read(tmp_path: Path) -> None:
    file = list_of(tmp_path / "dev.jsonl", [record()])
    row = json.dumps(record(question="Sharp?\u2028Or not?"), ensure_ascii=False)
    file.write_text(f"{row}\n", encoding="utf-8-sig")
    assert only(read(file)).question == "Sharp?\u2028Or not?"


@pytest.mark.parametrize(
    ("img_path", "names"),
    [
        ("a.png_cat_b.png", ["a.png", "b.png"]),
        ("x/a.png_cat_b.png.jpg", ["a.png", "b.png"]),
        ("x\\y\\a.png_cat_b.png.png", ["a.png", "b.png"]),
    ],
)
def test_a_joined_name_is_parted_whatever_folder_and_suffix_it_has(
    tmp_path: Path, img_path: str, names: list[str]
) -> None:
    item = only(read(list_of(tmp_path / "dev.jsonl", [record(img_path=img_path)])))
    assert [picture.name for picture in item.images] == names


def test_the_raw_list_of_a_bench_is_read(tmp_path: Path) -> None:
    row = record(answers=["a", "b"], category="part2 -> technical")
    row = {key: row[key] for key in ("img_path", "question", "answers", "category")}
    item = only(read(list_of(tmp_path / "Abench.json", [row])))
    assert (item.options, item.answer, item.facets["set"]) == (("a", "b"), None, "A-Bench")


def test_a_folder_of_raw_lists_is_read_and_other_lists_beside_are_not(tmp_path: Path) -> None:
    list_of(tmp_path / "llvisionqa_dev.json", [record()])
    list_of(tmp_path / "llvisionqa_test.json", [record(correct_ans=...)])
    (tmp_path / "notes.json").write_text('{"not": "questions"}')
    (tmp_path / "q-bench2-a2.jsonl").write_text('{"img_path": "a.png", "text": "sharp"}\n')
    assert [item.id for item in read(tmp_path).items] == ["q-bench-dev-0", "q-bench-test-0"]


def test_an_item_folder_and_a_table_of_items_are_read_as_they_are(tmp_path: Path) -> None:
    folder = (tmp_path / "items").resolve()
    folder.mkdir()
    (folder / "a.png").write_bytes(png())
    facets = {"set": "Q-Bench", "split": "dev", "question_type": "what", "concern": "others"}
    mine = Item("1", "single", "?", (Picture(folder / "a.png"),), ("a", "b"), "a", facets)
    write_items(folder, [mine], Card("mine"))
    assert only(read(folder)).facets == facets
    row = {"id": "2", "kind": "single", "question": "?", "options": ["a", "b"], "answer": "b"}
    pq.write_table(
        pa.Table.from_pylist([{**row, "image": embedded(0, "x.png")}]), tmp_path / "t.parquet"
    )
    assert [item.id for item in read(folder, tmp_path / "t.parquet").items] == ["1", "2"]


def test_types_are_yes_or_no_what_how_and_what_and_how_are_not_swapped(tmp_path: Path) -> None:
    rows = [hub_row(n, question_type=n, question_concern=n) for n in range(3)]
    rows.append(hub_row(3, question_concern=3))
    items = read(table_of(tmp_path / "dev.parquet", rows)).items
    assert [i.facets["question_type"] for i in items[:3]] == ["yes-or-no", "what", "how"]
    concerns = ["distortion", "others", "in-context distortion", "in-context others"]
    assert [item.facets["concern"] for item in items] == concerns


def test_concerns_of_pairs_are_distortion_or_others_compared_or_joint(tmp_path: Path) -> None:
    both = {"image1": embedded(1), "image2": embedded(2)}
    rows = [hub_row(n, **both, question_concern=n) for n in range(4)]
    items = read(table_of(tmp_path / "dev.parquet", rows, PAIR)).items
    assert [(i.facets["concern"], i.facets["comparison"]) for i in items] == [
        ("distortion", "compare"),
        ("others", "compare"),
        ("distortion", "joint"),
        ("others", "joint"),
    ]


@pytest.mark.parametrize(
    ("given", "meant"), [("yesno", "yes-or-no"), ("1", "what"), ("How", "how")]
)
def test_a_type_may_be_text(tmp_path: Path, given: str, meant: str) -> None:
    item = only(read(list_of(tmp_path / "dev.json", [record(type=given)])))
    assert item.facets["question_type"] == meant


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": ["Sharp", "Sharp"]}, r"candidates: expected texts that differ"),
        ({"candidates": ["Sharp"]}, r"candidates: expected 2 to 26 of them, not 1"),
        ({"candidates": "Sharp"}, r"candidates: expected a list of texts, not 'Sharp'"),
        ({"correct_ans": "Bokeh"}, r"correct_ans: expected one of the options .*not 'Bokeh'"),
        (
            {"correct_choice": "A"},
            r"correct_choice: expected the letter of correct_ans \('Blurry'\)",
        ),
        (
            {"correct_ans": None, "correct_choice": "D"},
            r"correct_choice: expected a letter from A to C, or nothing .*, not 'D'",
        ),
        ({"img_path": "c.png"}, r"img_path: expected an image that is there, not 'c.png'; unpack"),
        (
            {"img_path": "../a.png"},
            r"img_path: expected the name of an image inside .*, not '../a.png'",
        ),
        ({"img_path": "/etc/passwd"}, r"img_path: expected the name of an image"),
        ({"img_path": "C:\\a.png"}, r"img_path: expected the name of an image"),
        ({"img_path": 3}, r"img_path: expected the name of an image inside .*, not 3"),
        (
            {"img_path": "a.png_cat_b.png_cat_c.png"},
            r"img_path: expected two names joined by _cat_",
        ),
        ({"img_path": "a.png_cat_c.png.png"}, r"img_path: expected an image .*, not 'c.png'"),
        ({"question": " "}, r"question: expected a text"),
        ({"type": 3}, r"type: expected one of 0 \(yes-or-no\), 1 \(what\), 2 \(how\), not 3"),
        ({"type": True}, r"type: expected one of"),
        ({"concern": None}, r"concern: expected one of 0 \(distortion\), .*, not None"),
        ({"concern": "4"}, r"concern: expected one of .*3 \(in-context others\), not '4'"),
    ],
)
def test_a_bad_record_names_file_row_field_and_what_was_expected(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    file = list_of(tmp_path / "dev.json", [record(), record(**changes)])
    with pytest.raises(BadInput, match=rf"dev\.json: row 2.*: {message}"):
        read(file)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correct_choice": "C"}, r"correct_choice: expected a letter from A to B, or nothing"),
        ({"correct_choice": "AB"}, r"correct_choice: expected a letter from A to B"),
        ({"option1": "Yes"}, r"option0 to option3: expected texts that differ"),
        ({"option1": "N/A"}, r"option0 to option3: expected 2 to 26 of them, not 1"),
        ({"question_type": 3}, r"question_type: expected one of 0 \(yes-or-no\)"),
        ({"question_concern": None}, r"question_concern: expected one of 0 \(distortion\)"),
        ({"image": None}, r"image: expected 1 of them, not 0"),
        ({"image": {"bytes": None, "path": "a.png"}}, r"image: expected embedded image bytes"),
        ({"id": None}, r"id: expected a number or a text"),
    ],
)
def test_a_bad_row_of_the_hub_is_told(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    file = table_of(tmp_path / "dev.parquet", [hub_row(), hub_row(1, **changes)])
    with pytest.raises(BadInput, match=rf"dev\.parquet: row 2.*: {message}"):
        read(file)


def test_a_row_of_a_bench_without_a_category_is_told(tmp_path: Path) -> None:
    file = table_of(tmp_path / "dev.parquet", [hub_row(category=None)], A_BENCH)
    with pytest.raises(BadInput, match=r"category: expected a text such as 'part2 -> technical'"):
        read(file)


def test_bad_rows_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    table = table_of(tmp_path / "dev.parquet", [hub_row(correct_choice="D")])
    lines = list_of(tmp_path / "pairs-dev.jsonl", [record(img_path="c.png"), "text"])
    lines.write_text(lines.read_text() + "{not json\n")
    with pytest.raises(BadInput) as caught:
        read(table, lines)
    message = str(caught.value)
    assert message.startswith("4 bad rows")
    assert "dev.parquet: row 1: correct_choice" in message
    assert "pairs-dev.jsonl:1: img_path" in message
    assert "pairs-dev.jsonl:2: row: expected one JSON object, not 'text'" in message
    assert "pairs-dev.jsonl:3: row: expected one JSON object (Expecting property" in message


def test_the_same_questions_twice_are_told(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        table_of(folder / "dev.parquet", [hub_row()])
    with pytest.raises(
        BadInput, match=r"id: expected an id of its own, not 'q-bench-dev-0', which"
    ):
        read(tmp_path / "dev.parquet", tmp_path / "again" / "dev.parquet")


def test_files_of_no_known_form_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no questions of Q-Bench here; expected Parquet files"):
        read(tmp_path)
    pq.write_table(pa.table({"question": ["?"], "answer": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(BadInput, match=r"other\.parquet: not a table of Q-Bench; expected the col"):
        read(tmp_path / "other.parquet")
    (tmp_path / "torn.json").write_text('[{"img_path": "a.png", ')
    with pytest.raises(BadInput, match=r"torn\.json: cannot be read as JSON .* is the file whole"):
        read(tmp_path / "torn.json")
    with pytest.raises(BadInput, match=r"nowhere: no such folder; expected the images"):
        read(tmp_path / "torn.json", photos=tmp_path / "nowhere")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(BadInput, match=r"broken\.parquet: not a readable Parquet file"):
        read(tmp_path / "broken.parquet")


def test_a_published_list_that_is_torn_is_told_also_where_it_lies_in_a_folder(
    tmp_path: Path,
) -> None:
    list_of(tmp_path / "llvisionqa_dev.json", [record()])
    (tmp_path / "llvisionqa_test.json").write_text('[{"img_path": "a.pn')
    with pytest.raises(BadInput, match=r"llvisionqa_test\.json"):
        read(tmp_path)
