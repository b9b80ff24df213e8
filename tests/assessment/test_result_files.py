"""Published result files: every form they come in is read, and what is wrong in one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.assessment.results import records, write

from eyechart.assessment.mos_files import mos_by_name
from eyechart.assessment.result_files import ResultOptions, read_result_file
from eyechart.errors import BadInput

TWO = {"logit_good": 17.5, "logit_poor": 14.5}


@pytest.mark.parametrize("between", ["", "\n", " ", ",\n"])
def test_records_may_stand_behind_each_other_in_any_way(between: str, tmp_path: Path) -> None:
    rows = records(12)
    result = read_result_file(write(tmp_path / "idefics" / "agi.json", rows, between))
    assert result.names == tuple(row["img_path"] for row in rows)
    assert result.mos.tolist() == [row["gt_score"] for row in rows]
    assert result.logits["good"].tolist() == [row["logit_good"] for row in rows]


@pytest.mark.parametrize("indent", [None, 4])
def test_a_list_of_records_is_read_as_well(indent: int | None, tmp_path: Path) -> None:
    file = tmp_path / "agi.json"
    file.write_text(json.dumps(records(12), indent=indent))
    assert len(read_result_file(file).names) == 12


def test_braces_in_a_name_part_no_records(tmp_path: Path) -> None:
    rows = [{"img_path": "a}{b.jpg", "gt_score": 1, **TWO}, *records(2)]
    assert read_result_file(write(tmp_path / "agi.json", rows)).names[0] == "a}{b.jpg"


def test_a_score_may_be_a_text_with_a_blank_behind_it(tmp_path: Path) -> None:
    rows = [{**row, "gt_score": f"{row['gt_score']} "} for row in records(5)]
    result = read_result_file(write(tmp_path / "cgi.json", rows))
    assert result.mos.tolist() == [row["gt_score"] for row in records(5)]


def test_the_folder_is_the_model_and_the_file_the_database(tmp_path: Path) -> None:
    result = read_result_file(write(tmp_path / "qwen-vl" / "koniq.json", records(5)))
    assert (result.model, result.database.name) == ("qwen-vl", "KonIQ-10k")


def test_an_unknown_file_is_its_own_database(tmp_path: Path) -> None:
    result = read_result_file(write(tmp_path / "qwen-vl" / "attic.json", records(5)))
    assert (result.model, result.database.name) == ("qwen-vl", "attic")


def test_where_the_database_is_told_the_file_is_the_model(tmp_path: Path) -> None:
    file = write(tmp_path / "published_logits" / "idefics.json", records(5))
    result = read_result_file(file, ResultOptions(database="livec"))
    assert (result.model, result.database.name) == ("idefics", "LIVE-itw")


def test_repeated_records_count_as_they_stand_and_are_told(tmp_path: Path) -> None:
    rows = records(10)
    result = read_result_file(write(tmp_path / "agi.json", [*rows, *rows[:3]]))
    assert (len(result.names), result.n_records, result.n_repeats) == (13, 13, 3)
    assert "3 records repeat an image" in result.notes[0]


def test_repeated_records_can_be_left_out_and_the_first_one_stays(tmp_path: Path) -> None:
    rows = records(10)
    again = {**rows[0], "logit_good": 99.0}
    file = write(tmp_path / "agi.json", [*rows, again])
    result = read_result_file(file, ResultOptions(unique=True))
    assert (len(result.names), result.n_records, result.n_repeats) == (10, 11, 1)
    assert result.logits["good"][0] == rows[0]["logit_good"]
    assert "are left out (--unique)" in result.notes[0]


def test_scores_that_the_file_lacks_come_from_a_list_under_any_of_its_names(tmp_path: Path) -> None:
    rows = [{"img_path": f"{name}.bmp", **TWO} for name in "ab"]
    scores = tmp_path / "mos.csv"
    scores.write_text("file_name,original_name,mos\na.jpg,a.bmp,10\nb.jpg,b.bmp,20\n")
    options = ResultOptions(mos=mos_by_name(scores))
    result = read_result_file(write(tmp_path / "livec.json", rows), options)
    assert result.mos.tolist() == [10.0, 20.0]


def test_images_that_the_list_lacks_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"img_path": f"{name}.jpg", **TWO} for name in "abc"]
    options = ResultOptions(mos={"a.jpg": 1.0, "c.jpg": 2.0})
    result = read_result_file(write(tmp_path / "agi.json", rows), options)
    assert result.names == ("a.jpg", "c.jpg")
    assert result.notes == ("1 records are left out: --mos has no score for their images.",)


def test_a_records_own_score_counts_before_the_lists_and_that_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "agi.json", [{"img_path": "a.jpg", "gt_score": 2, **TWO}])
    result = read_result_file(file, ResultOptions(mos={"a.jpg": 5.0}))
    assert result.mos.tolist() == [2.0]
    assert result.notes == ("--mos is not used: every record has a gt_score of its own.",)


def test_a_list_of_other_images_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "agi.json", [{"img_path": "a.jpg", **TWO}])
    with pytest.raises(BadInput, match="none of its images is in the file of --mos"):
        read_result_file(file, ResultOptions(mos={"z.jpg": 1.0}))


@pytest.mark.parametrize("n", [1, 25])
def test_a_file_without_any_score_is_told_in_a_line(n: int, tmp_path: Path) -> None:
    file = write(tmp_path / "agi.json", [{"img_path": f"{at}.jpg", **TWO} for at in range(n)])
    with pytest.raises(BadInput, match=r"no record has people's score.*give .* with --mos") as told:
        read_result_file(file)
    assert "\n" not in str(told.value)


def test_a_folder_is_no_result_file(tmp_path: Path) -> None:
    told = rf"a folder; expected result files.*: eyechart assess strategies {tmp_path}$"
    with pytest.raises(BadInput, match=told):
        read_result_file(tmp_path)


def broken(**changed: Any) -> dict[str, Any]:
    row = {"img_path": "b.jpg", "gt_score": 2.0, **TWO, **changed}
    return {key: value for key, value in row.items() if value != "gone"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (broken(gt_score="n/a"), r"record 2: gt_score: expected a number, not 'n/a'"),
        (broken(gt_score="nan"), r"record 2: gt_score: expected a number, not 'nan'"),
        (broken(gt_score=float("nan")), r"record 2: gt_score: expected a number, not nan"),
        (broken(gt_score="gone"), r"give the scores with --mos FILE:\n  record 2: gt_score"),
        (broken(img_path="gone"), r"record 2: img_path: expected the image's file name"),
    ],
)
def test_a_bad_score_or_name_is_told_with_its_record(
    row: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=told):
        read_result_file(write(tmp_path / "agi.json", [broken(img_path="a.jpg"), row]))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            broken(logit_good=float("inf")),
            "record 2: logit_good: expected a finite number, not inf",
        ),
        (
            broken(logit_good=float("nan")),
            "record 2: logit_good: expected a finite number, not nan",
        ),
        (broken(logit_good="17.5"), "record 2: logit_good: expected a finite number, not '17.5'"),
        (broken(logit_good="gone"), "record 2: no logit_good. Every record has logit_poor"),
    ],
)
def test_a_logit_that_is_none_is_told_when_it_is_wanted_and_only_then(
    row: dict[str, Any], told: str, tmp_path: Path
) -> None:
    result = read_result_file(write(tmp_path / "agi.json", [broken(img_path="a.jpg"), row]))
    assert result.logits_of(["poor"])["poor"].tolist() == [14.5, 14.5]
    with pytest.raises(BadInput, match=told):
        result.logits_of(["good", "poor"])


def test_words_that_no_record_has_are_told_with_those_to_choose_from(tmp_path: Path) -> None:
    result = read_result_file(write(tmp_path / "agi.json", records(3)))
    with pytest.raises(BadInput, match=r"no logit_high.*logit_good, logit_poor; choose .*--words"):
        result.logits_of(["high", "low"])


def test_bad_records_are_told_all_at_once_up_to_fifty(tmp_path: Path) -> None:
    rows = [{"img_path": f"{n}.jpg", "gt_score": "?", **TWO} for n in range(55)]
    with pytest.raises(BadInput, match="55 records without") as caught:
        read_result_file(write(tmp_path / "agi.json", rows))
    assert str(caught.value).count("record ") == 50
    assert "… and 5 more" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no records in it"),
        ("[]", "no records in it"),
        ("img_path,gt_score\na.jpg,1\n", r"record 1: not JSON .*torn"),
        ('{"img_path": "a.jpg"}{"img_path": "b.j', r"record 2: not JSON .*torn"),
        ('[{"img_path": "a.jpg", "gt_score": 1},', "the list has no end after record 1"),
        ("[1, 2]", "record 1: expected .*, not 1"),
    ],
)
def test_a_file_that_is_torn_or_something_else_is_told(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "agi.json"
    file.write_text(text)
    with pytest.raises(BadInput, match=rf"agi\.json: {told}"):
        read_result_file(file)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"agi\.json: cannot be read \(No such file"):
        read_result_file(tmp_path / "agi.json")
    (tmp_path / "agi.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"agi\.json: not UTF-8 text"):
        read_result_file(tmp_path / "agi.json")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "image,score\na.jpg,1\n", "expected the columns file_name or .*; it has image"),
        ("a.csv", "file_name,mos\na.jpg,high\n", r"a\.csv:2: mos: expected a number, not 'high'"),
        ("a.csv", "file_name,mos\n", "no images in it"),
        ("a.csv", "file_name,mos\na.jpg,1\na.jpg,2\n", "a.jpg has the score 2 here and 1 before"),
        ("a.json", "{", "not a JSON list"),
        ("a.json", '{"img_path": "a.jpg"}', "expected a list"),
        ("a.json", '[{"img_path": "a.jpg"}]', "record 1: gt_score: expected a number, not None"),
    ],
)
def test_a_list_of_scores_that_cannot_be_used_is_told(
    name: str, text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=told):
        mos_by_name(tmp_path / name)


def test_scores_may_come_from_an_item_folder(tmp_path: Path) -> None:
    row = {"id": "1", "file_name": "a.jpg", "mos": 3.5}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    assert mos_by_name(tmp_path) == {"1": 3.5, "a.jpg": 3.5}
