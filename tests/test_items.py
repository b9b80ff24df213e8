"""Item folders and Parquet: what is read, what is refused, and what a bad line is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from eyechart.errors import BadInput
from eyechart.items import Card, checked, cluster_of, read_items, write_items
from eyechart.records import Item, Picture
from eyechart.rows import RowProblem

GOOD = {
    "id": "1",
    "file_name": "a.png",
    "kind": "single",
    "question": "What is wrong?",
    "options": ["Blur", "Noise"],
    "answer": "Blur",
}


def folder_of(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8)).save(path / "a.png")
    Image.new("RGB", (8, 8), "red").save(path / "b.png")
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (path / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_an_item_with_its_facets(tmp_path: Path) -> None:
    row = {**GOOD, "concern": "Blur", "level": 3, "mos": 3.5, "licence": "CC0", "extra": None}
    (item,) = read_items(folder_of(tmp_path, row)).items
    assert item.images[0].path == tmp_path / "a.png"
    assert (item.kind, item.options, item.answer) == ("single", ("Blur", "Noise"), "Blur")
    assert item.facets == {"concern": "Blur", "level": 3}
    assert (item.mos, item.licence) == (3.5, "CC0")


@pytest.mark.parametrize(
    ("kind", "given_answer", "read"),
    [
        ("true_false", True, True),
        ("true_false", "False", False),
        ("true_false", "yes", True),
        ("multiple", ["Noise", "Blur"], ("Blur", "Noise")),
        ("multiple", "Noise", ("Noise",)),
        ("open", "It is blurred.", "It is blurred."),
        ("single", ["Noise"], "Noise"),
        ("single", None, None),
    ],
)
def test_every_kind_of_answer_is_read(
    tmp_path: Path, kind: str, given_answer: Any, read: Any
) -> None:
    row = {**GOOD, "kind": kind, "answer": given_answer}
    assert read_items(folder_of(tmp_path, row)).items[0].answer == read


def test_several_pictures_keep_their_order(tmp_path: Path) -> None:
    row = {**GOOD, "file_name": "b.png", "second_file_name": "a.png"}
    (item,) = read_items(folder_of(tmp_path, row)).items
    assert [picture.name for picture in item.images] == ["b.png", "a.png"]


def test_photographs_with_scores_alone_are_items_to_rate(tmp_path: Path) -> None:
    item, other = read_items(
        folder_of(tmp_path, {"file_name": "a.png", "mos": 60.5}, {"file_name": "b.png", "mos": 1})
    ).items
    assert (item.id, item.kind, item.mos) == ("a.png", "rate", 60.5)
    assert item.question == "Rate the quality of the image."
    assert other.mos == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"answer": "Bokeh"},
            r"answer: expected one of the options \['Blur', 'Noise'\], not 'Bokeh'",
        ),
        ({"kind": "quiz"}, r"kind: expected one of single, multiple, .*not 'quiz'"),
        ({"question": ""}, r"question: expected a text"),
        ({"options": "Blur"}, r"options: expected a list of texts, not 'Blur'"),
        ({"options": ["Blur"]}, r"options: expected 2 to 26 of them, not 1"),
        ({"options": ["Blur", "Blur"]}, r"options: expected texts that differ"),
        ({"mos": "good"}, r"mos: expected a finite number, not 'good'"),
        ({"mos": float("nan")}, r"mos: expected a finite number, not nan"),
        ({"kind": "true_false", "answer": "maybe"}, r"answer: expected true or false, not 'maybe'"),
        ({"kind": "multiple", "answer": []}, r"answers: expected a list of at least one option"),
        ({"kind": "multiple", "answer": ["X"]}, r"answers: expected only options of"),
        ({"kind": "multiple", "answer": ["Blur"] * 2}, r"answers: expected each option once"),
        ({"kind": "open", "answer": 3}, r"answer: expected a text, not 3"),
        ({"file_name": "../secret.png"}, r"file_name: expected a file name inside the item folder"),
        ({"file_name": "/etc/passwd"}, r"file_name: expected a file name inside the item folder"),
        ({"file_name": 7}, r"file_name: expected a file name inside the item folder"),
        ({"concern": ["Blur"]}, r"concern: expected a text, a number or true/false"),
        ({"id": None, "file_name": None}, r"id: expected a text"),
        ({"file_name": "a\ud800.png"}, r"file_name: expected a file name inside the item folder"),
        ({"id": "\ud800"}, r"id: expected a text of whole characters, not '.ud800'"),
        ({"mos": 10**400}, r"mos: expected a finite number, not 1000"),
        ({"level": 10**400}, r"level: expected a number below 1\.8e308 in size"),
        (
            {f"{n}_file_name": "a.png" for n in "abcdefgh"},
            r"images: expected at most 8 of them, not 9",
        ),
    ],
)
def test_a_bad_row_names_file_line_field_and_what_was_expected(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    folder_of(tmp_path, {**GOOD, "id": "0"}, {**GOOD, **change})
    with pytest.raises(BadInput, match=rf"metadata\.jsonl:2.*: {message}"):
        read_items(tmp_path)


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    bad = [{**GOOD, "id": str(i), "answer": f"Bokeh {i}"} for i in range(60)]
    with pytest.raises(BadInput) as caught:
        read_items(folder_of(tmp_path, *bad, "{not json"))
    message = str(caught.value)
    assert message.startswith("61 bad rows; mend them and try again:\n")
    assert "metadata.jsonl:50 (item 49)" in message
    assert "(item 50)" not in message
    assert message.endswith("\n  … and 11 more")


def test_what_is_wrong_with_several_rows_is_told_once_with_the_first_of_them(
    tmp_path: Path,
) -> None:
    bad = [{**GOOD, "id": str(i), "answer": "Bokeh"} for i in range(2765)]
    with pytest.raises(BadInput) as caught:
        read_items(folder_of(tmp_path, *bad, "{not json"))
    head, same, torn = str(caught.value).splitlines()
    file = tmp_path / "metadata.jsonl"
    assert head == "2,766 bad rows; mend them and try again:"
    assert same == (
        "  answer: expected one of the options ['Blur', 'Noise'], not 'Bokeh'; in 2,765 rows: "
        f"{file}:1 (item 0), {file}:2 (item 1), {file}:3 (item 2), …"
    )
    assert torn.startswith(f"  {file}:2766: line: expected one JSON object")


def test_several_problems_of_one_row_are_counted_apart() -> None:
    problems = [RowProblem("a:1", "id", "a text"), RowProblem("a:1", "kind", "one of ...")]
    with pytest.raises(BadInput, match=r"^2 problems; mend them and try again:\n  a:1: "):
        checked(Card("x"), [("a:1", problem) for problem in problems])


@pytest.mark.parametrize("line", ["{not json", "[1, 2]", '"text"'])
def test_a_line_that_is_no_object_is_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match=r"metadata\.jsonl:2: line: expected one JSON object"):
        read_items(folder_of(tmp_path, GOOD, line))


def test_an_id_that_comes_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"jsonl:2: id: expected an id of its own, not '1', which .*:1 has"
    ):
        read_items(folder_of(tmp_path, GOOD, GOOD))


def test_a_folder_without_items_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no items here.*eyechart run snellen --photos"):
        read_items(tmp_path)
    with pytest.raises(BadInput, match="no items at all"):
        read_items(folder_of(tmp_path))


def test_a_card_that_counts_other_items_is_told(tmp_path: Path) -> None:
    (folder_of(tmp_path, GOOD) / "card.json").write_text('{"n_items": 2}')
    with pytest.raises(BadInput, match=r"n_items: expected 2 items as in card.json, not 1"):
        read_items(tmp_path)


def test_a_card_that_counts_other_kinds_is_told_with_both_numbers(tmp_path: Path) -> None:
    counts = '"counts": {"single": 2, "open": 1}'
    (folder_of(tmp_path, GOOD) / "card.json").write_text(f'{{"n_items": 3, {counts}}}')
    with pytest.raises(BadInput) as caught:
        read_items(tmp_path)
    message = str(caught.value)
    assert "n_items: expected 3 items as in card.json, not 1; is the file whole?" in message
    assert "counts: expected 2 items of the kind single as in card.json, not 1" in message
    assert "counts: expected 1 items of the kind open as in card.json, not 0" in message


def test_kinds_are_counted_where_every_row_is_good_and_rows_in_any_case(tmp_path: Path) -> None:
    card = '{"n_items": 3, "counts": {"single": 3}}'
    (folder_of(tmp_path, GOOD, "{not json") / "card.json").write_text(card)
    with pytest.raises(BadInput) as caught:
        read_items(tmp_path)
    assert "n_items: expected 3 items as in card.json, not 2" in str(caught.value)
    assert "counts" not in str(caught.value)


def test_a_broken_card_is_told(tmp_path: Path) -> None:
    (folder_of(tmp_path, GOOD) / "card.json").write_text("[1]")
    with pytest.raises(BadInput, match=r"card\.json: not a card"):
        read_items(tmp_path)


def test_items_that_share_a_photograph_or_the_cards_facet_are_one_cluster() -> None:
    item = Item("1", "rate", "?", (Picture(name="a.png"),), facets={"photo": "p"})
    assert cluster_of(item, Card("x")) == "a.png"
    assert cluster_of(item, Card("x", cluster="photo")) == "p"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
    str.strip
)


@st.composite
def some_items(draw: st.DrawFn, folder: Path) -> list[Item]:
    items = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["single", "multiple", "true_false", "open", "rate"]))
        options = tuple(draw(st.lists(TEXTS, min_size=2, max_size=4, unique=True)))
        answer: Any = {
            "single": options[0],
            "multiple": options[:2],
            "true_false": draw(st.booleans()),
            "open": draw(TEXTS),
            "rate": None,
        }[kind]
        names = draw(st.sampled_from([("a.png",), ("a.png", "b.png")]))
        items.append(
            Item(
                id=str(number),
                kind=kind,
                question=draw(TEXTS),
                images=tuple(Picture(folder / name, name=name) for name in names),
                options=options if kind in ("single", "multiple") else (),
                answer=answer,
                facets=draw(st.dictionaries(st.sampled_from(["concern", "place"]), TEXTS)),
                mos=draw(st.none() | st.floats(-100, 100)),
            )
        )
    return items


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(data=st.data())
def test_what_is_written_is_read_back(tmp_path: Path, data: st.DataObject) -> None:
    folder = folder_of(tmp_path.resolve(), GOOD)
    items = data.draw(some_items(folder))
    card = write_items(folder, items, Card("mine", title="Mine"))
    read = read_items(folder)
    assert read.card == card
    assert [i.images[0].sha256 is not None for i in read.items] == [True] * len(items)
    for one, other in zip(read.items, items, strict=True):
        assert [p.path for p in one.images] == [p.path for p in other.images]
        assert (one.kind, one.question, one.options, one.answer, one.mos, dict(one.facets)) == (
            other.kind,
            other.question,
            other.options,
            other.answer,
            other.mos,
            dict(other.facets),
        )


def test_a_picture_outside_the_folder_is_not_written(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", GOOD)
    outside = Picture(tmp_path / "out.png")
    with pytest.raises(BadInput, match=r"out\.png: expected a file under"):
        write_items(folder, [Item("1", "rate", "?", (outside,))], Card("x"))


def test_hugging_face_reads_what_we_write(tmp_path: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    datasets = pytest.importorskip("datasets", reason="the dev extra brings Hugging Face datasets")
    folder = folder_of(tmp_path / "items", GOOD)
    one, two = Picture(folder / "a.png"), Picture(folder / "b.png")
    items = [
        Item("1", "single", "?", (one,), ("Blur", "Noise"), "Blur", {"level": 1}),
        Item("2", "multiple", "?", (one,), ("Blur", "Noise"), ("Blur", "Noise")),
        Item("3", "true_false", "?", (one,), answer=True),
        Item("4", "single", "?", (one, two), ("first", "second"), "second"),
        Item("5", "rate", "?", (two,), mos=3.0),
    ]
    write_items(folder, items, Card("mine"))
    table = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert table["id"][:] == ["1", "2", "3", "4", "5"]
    assert table["answers"][1] == ["Blur", "Noise"]
    assert table["answer"][2] == "True"
    assert table[3]["second"].getpixel((0, 0)) == (255, 0, 0)


def parquet_of(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_parquet_gives_the_very_bytes_that_were_embedded(tmp_path: Path) -> None:
    folder_of(tmp_path / "f", GOOD)
    data = (tmp_path / "f" / "a.png").read_bytes()
    row = {k: v for k, v in GOOD.items() if k != "file_name"}
    path = parquet_of(
        tmp_path / "test.parquet",
        [
            {
                **row,
                "image1": {"bytes": data, "path": "a.png"},
                "image2": {"bytes": data, "path": None},
            }
        ],
    )
    (item,) = read_items(path).items
    assert [picture.data for picture in item.images] == [data, data]
    assert item.images[0].name == "a.png"


def test_a_parquet_row_without_bytes_is_told(tmp_path: Path) -> None:
    row = {k: v for k, v in GOOD.items() if k != "file_name"}
    rows = [
        {**row, "image": {"bytes": b"x", "path": "a"}},
        {**row, "image": {"bytes": b"", "path": "b"}},
    ]
    with pytest.raises(BadInput, match="row 2: image: expected embedded image bytes"):
        read_items(parquet_of(tmp_path / "t.parquet", rows))


def test_a_broken_parquet_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(BadInput, match=r"t\.parquet: not a readable Parquet file"):
        read_items(tmp_path / "t.parquet")


def test_rows_that_differ_from_their_card_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path.resolve(), GOOD)
    write_items(folder, read_items(folder).items, Card("mine"))
    text = (folder / "metadata.jsonl").read_text()
    (folder / "metadata.jsonl").write_text(text.replace('"answer": "Blur"', '"answer": "Noise"'))
    with pytest.raises(BadInput, match=r"differs from what card\.json describes .*new version"):
        read_items(folder)


def test_changed_rows_have_another_digest(tmp_path: Path) -> None:
    one = read_items(folder_of(tmp_path / "one", GOOD)).card.digest
    other = read_items(folder_of(tmp_path / "two", {**GOOD, "answer": "Noise"})).card.digest
    assert one != other


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ('{"n_items": "2"}', "n_items: expected int, not '2'"),
        ('{"digests": [1]}', r"digests: expected dict, not \[1\]"),
        ('{"title": 3}', "title: expected str, not 3"),
        ('{"n_items": true}', "n_items: expected int, not True"),
        ('{"notes": [1]}', r"notes: expected a list of texts, not \[1\]"),
    ],
)
def test_a_card_field_of_the_wrong_type_is_told(tmp_path: Path, card: str, message: str) -> None:
    (folder_of(tmp_path, GOOD) / "card.json").write_text(card)
    with pytest.raises(BadInput, match=rf"card\.json: {message}"):
        read_items(tmp_path)


def test_a_card_may_leave_fields_empty(tmp_path: Path) -> None:
    text = '{"digests": null, "notes": null, "seed": null, "mine": 1}'
    (folder_of(tmp_path, GOOD) / "card.json").write_text(text)
    assert read_items(tmp_path).card.digests == {}


def test_a_nul_in_a_file_name_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path, {**GOOD, "file_name": "a\0.png"})
    with pytest.raises(BadInput, match="file_name: expected a file name inside"):
        read_items(tmp_path)


def test_a_file_name_that_is_a_loop_of_links_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path, {**GOOD, "file_name": "loop/a.png"})
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    try:
        (tmp_path / "loop").resolve()
    except (OSError, RuntimeError):
        with pytest.raises(BadInput, match="file_name: expected a file name inside"):
            read_items(tmp_path)
    else:
        assert read_items(tmp_path).items


def test_more_pictures_than_have_a_name_are_not_written(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, GOOD)
    item = Item("1", "rate", "?", (Picture(folder / "a.png"),) * 9)
    with pytest.raises(BadInput, match="item 1: expected at most 8 images, not 9"):
        write_items(folder, [item], Card("x"))


def test_half_a_character_is_written_and_read_back(tmp_path: Path) -> None:
    folder = folder_of(tmp_path.resolve(), GOOD)
    item = Item("1", "rate", "\ud800?", (Picture(folder / "a.png"),))
    write_items(folder, [item], Card("x"))
    (read,) = read_items(folder).items
    assert read.question == "\ud800?"


def test_parquet_is_looked_for_in_the_folder_and_its_data_alone(tmp_path: Path) -> None:
    row = {k: v for k, v in GOOD.items() if k != "file_name"}
    for place in ("data", "elsewhere"):
        (tmp_path / place).mkdir()
    parquet_of(tmp_path / "elsewhere" / "other.parquet", [{**row, "id": "2"}])
    with pytest.raises(BadInput, match="no items here"):
        read_items(tmp_path)
    parquet_of(tmp_path / "data" / "test.parquet", [row])
    assert [item.id for item in read_items(tmp_path).items] == ["1"]


def test_the_scores_of_a_run_are_not_items(tmp_path: Path) -> None:
    parquet_of(tmp_path / "scores.parquet", [{"item_id": "1", "value": 1.0}])
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(BadInput, match="no items here"):
        read_items(tmp_path)
