"""Lists of JSON records: which records there are, where they stand, and which images they name."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from eyechart.errors import BadInput
from eyechart.listed_records import BadField, image_folders, pictures_named, records_in
from eyechart.rows import RowProblem

LINES = '{"n": 1}\n\n{"n": 2}\n'


def listed(file: Path, data: bytes | str) -> list[object]:
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return [record for _, record in records_in(file)]


@pytest.mark.parametrize("text", ['[{"n": 1}, {"n": 2}]', LINES, LINES.replace("\n", "\r\n")])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_list_and_lines_hold_the_same_records_with_a_byte_order_mark_or_without(
    tmp_path: Path, text: str, mark: bytes
) -> None:
    for name in ("list.json", "list.jsonl"):
        assert listed(tmp_path / name, mark + text.encode()) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
def test_only_line_feeds_part_the_lines(tmp_path: Path, character: str) -> None:
    record = {"question": f"Sharp?{character}Blurry?"}
    text = json.dumps(record, ensure_ascii=False)
    assert listed(tmp_path / "list.jsonl", f"{text}\n{text}\n") == [record, record]


def test_where_a_record_stands_is_its_line_or_its_row(tmp_path: Path) -> None:
    lines, rows = tmp_path / "list.jsonl", tmp_path / "list.json"
    lines.write_text(LINES)
    rows.write_text('[{"n": 1},\n\n{"n": 2}]')
    assert [where for where, _ in records_in(lines)] == [f"{lines}:1", f"{lines}:3"]
    assert [where for where, _ in records_in(rows)] == [f"{rows}: row 1", f"{rows}: row 2"]


def test_what_is_no_object_is_told_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    good, text, torn = listed(file, '{"n": 1}\n"two"\n{"n": \n')
    assert good == {"n": 1}
    assert text == RowProblem(f"{file}:2", "row", "one JSON object, not 'two'")
    assert isinstance(torn, RowProblem)
    assert str(torn).startswith(f"{file}:3: row: expected one JSON object (Expecting value")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'[{"n": 1}, {"n"', r"cannot be read as JSON \(.*\); is the file whole\? Expected a list"),
        (b'{"n": "\xff"}', r"cannot be read as JSON \(.*codec can't decode"),
        (b'{\n "n": 1\n}', r"expected a list of records, not dict"),
        (b"3", r"expected a list of records, not int"),
    ],
)
def test_a_file_that_is_no_list_is_told(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=rf"list\.json: {told}"):
        listed(tmp_path / "list.json", data)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"list\.json: cannot be read \(No such file"):
        list(records_in(tmp_path / "list.json"))


# --- images -------------------------------------------------------------------------------------


def found(folder: Path, name: object) -> list[str]:
    """The files that a name in `folder/list.json` stands for, as paths in the folder."""
    pictures = pictures_named(name, image_folders(folder / "list.json"))
    return [p.path.relative_to(folder).as_posix() for p in pictures if p.path]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Images of the names that are found in published lists."""
    for name in ("a.png", "images/b.png", "deep/c.JPG", "black_cat_1.png", "all_single_images/d.e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"image")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("a.png", ["a.png"]),
        ("b.png", ["images/b.png"]),
        ("elsewhere/a.png", ["a.png"]),
        ("deep/c.JPG", ["deep/c.JPG"]),
        ("deep\\c.JPG", ["deep/c.JPG"]),
        ("d.e", ["all_single_images/d.e"]),
        ("black_cat_1.png", ["black_cat_1.png"]),
        ("a.png_cat_b.png", ["a.png", "images/b.png"]),
        ("pairs\\a.png_cat_b.png.png", ["a.png", "images/b.png"]),
        ("deep/c.JPG_cat_a.png.jpg", ["deep/c.JPG", "a.png"]),
        ("black_cat_1.png_cat_black_cat_1.png", ["black_cat_1.png"] * 2),
    ],
)
def test_a_name_finds_its_image_or_the_two_that_it_joins(
    album: Path, name: str, files: list[str]
) -> None:
    assert found(album, name) == files


def test_a_picture_of_both_side_by_side_is_not_taken_for_the_pair(album: Path) -> None:
    """Q-Bench2 publishes them under the very names that its lists join."""
    (album / "a.png_cat_b.png.png").write_bytes(b"both")
    assert found(album, "a.png_cat_b.png.png") == ["a.png", "images/b.png"]


def test_the_folder_that_the_user_names_comes_first(album: Path) -> None:
    (album / "photos").mkdir()
    (album / "photos" / "a.png").write_bytes(b"mine")
    folders = image_folders(album / "list.json", album / "photos")
    (mine,) = pictures_named("a.png", folders)
    assert mine.path == album / "photos" / "a.png"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gone.png", "an image that is there, not 'gone.png'; unpack the images into `images`"),
        ("black_cat_2.png", "an image that is there, not 'black_cat_2.png'"),
        ("a.png_cat_gone.png.png", "an image that is there, not 'gone.png'"),
        ("a\0.png", "an image that is there"),
        ("x" * 300, "an image that is there"),
        ("a.png_cat_b.png_cat_b.png", "two names joined by _cat_, not 'a.png_cat_b.png_cat_b"),
        ("a.png_cat_", "two names joined by _cat_"),
        *(
            (bad, "the name of an image inside the folder of images, not")
            for bad in ("../a.png", "deep/../a.png", "/a.png", "C:\\a.png", "", " ", 7, None)
        ),
    ],
)
def test_a_name_without_an_image_is_told(album: Path, name: object, expected: str) -> None:
    with pytest.raises(BadField) as caught:
        found(album, name)
    assert caught.value.field == "img_path"
    assert caught.value.expected.startswith(expected)


def test_a_list_inside_an_object_is_said_to_be_there(tmp_path: Path) -> None:
    file = tmp_path / "nested.json"
    file.write_text('{"version": 1, "data": [{"id": 1}]}')
    with pytest.raises(BadInput, match="not dict; take out the list under 'data'"):
        list(records_in(file))
