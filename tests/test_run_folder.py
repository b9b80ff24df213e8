"""Run folders: what is written is read back, and what is torn or edited by hand is told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from eyechart import RunSettings, evaluate, rescore, rewrite_report
from eyechart.errors import BadInput
from eyechart.items import Card
from eyechart.items import write_items as write_item_folder
from eyechart.records import Item, Picture, Response
from eyechart.run_folder import (
    RunInfo,
    read_info,
    read_item_set,
    read_responses,
    read_scores,
    write_info,
    write_items,
)

RESPONSE = {"item_id": "1", "role": "answer", "draw": 0, "key": "k", "model": "m", "text": "A"}
ITEM = {"id": "1", "kind": "open", "question": "What is wrong?"}


@pytest.fixture
def folder(tmp_path: Path, png: bytes) -> Path:
    """A run folder with one item, whose picture lies in it."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_info(folder, RunInfo("x", "m", "", "2026", {"model": "m"}, Card("x")))
    write_items(folder, [Item("1", "open", "What is wrong?", (Picture(data=png, name="a"),))])
    return folder


def edit(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**values, **changes}))


def responses(folder: Path, line: bytes) -> list[Response]:
    (folder / "responses.jsonl").write_bytes(json.dumps(RESPONSE).encode() + b"\n" + line)
    return list(read_responses(folder))


@pytest.mark.parametrize("line", ['{"text": "é'.encode()[:-1], b"5", b"null", b"{", b"[" * 99999])
def test_a_torn_line_is_told_with_its_number(folder: Path, line: bytes) -> None:
    with pytest.raises(BadInput, match=r"responses\.jsonl:2: not a JSON object.*eyechart run"):
        responses(folder, line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": 5}, "text: expected str, not 5; mend it, or run again into a new folder"),
        ({"draw": "x"}, "draw: expected int, not 'x'"),
        ({"draw": True}, "draw: expected int, not True"),
        ({"logprobs": [0.5, "x"]}, "logprobs: 1: expected float or int, not 'x'"),
        ({"usage": {"tokens_in": "x"}}, "usage: tokens_in: expected int, not 'x'"),
        ({"usage": 5}, "usage: expected dict, not 5"),
        ({"failure": {"kind": "image"}}, "failure: message: missing"),
    ],
)
def test_a_response_with_a_wrong_value_names_file_line_and_field(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=rf"responses\.jsonl:2: {message}"):
        responses(folder, json.dumps({**RESPONSE, **change}).encode())


def test_a_response_without_a_key_is_told(folder: Path) -> None:
    line = json.dumps({k: v for k, v in RESPONSE.items() if k != "key"}).encode()
    with pytest.raises(BadInput, match=r"responses\.jsonl:2: key: missing"):
        responses(folder, line)


def test_what_a_newer_run_says_of_a_response_is_left_out(folder: Path) -> None:
    assert responses(folder, json.dumps({**RESPONSE, "mood": "good"}).encode())[1].text == "A"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ITEM, "images: missing"),
        ({**ITEM, "images": 5}, "images: expected list, not 5"),
        ({**ITEM, "images": [5]}, "images: expected a JSON object, not 5"),
        ({**ITEM, "images": [{"path": 5, "name": "", "sha256": None}]}, "images: path: expected"),
        ({**ITEM, "images": [], "question": 5}, r"\(item 1\): question: expected a text, not 5"),
    ],
)
def test_a_wrong_item_row_names_file_line_and_field(
    folder: Path, row: dict[str, Any], message: str
) -> None:
    (folder / "items.jsonl").write_text(json.dumps(row))
    with pytest.raises(BadInput, match=rf"items\.jsonl:1.*{message}"):
        read_item_set(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identity": []}, r"identity: expected dict, not \[\]"),
        ({"settings": None}, "settings: expected dict, not None"),
        ({"identity": {"model": 5}}, "identity: model: expected str, not 5"),
        ({"notes": [5]}, "notes: 0: expected str, not 5"),
        ({"judges": [{"name": "j", "n_draws": True}]}, "judges: n_draws: expected int, not True"),
        ({"card": {"name": 5}}, "card: name: expected str, not 5"),
        ({"card": {}}, "card: name: missing"),
    ],
)
def test_a_run_with_a_wrong_value_names_the_field(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    edit(folder, **change)
    with pytest.raises(BadInput, match=rf"run\.json: {message}"):
        read_info(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [("5", "expected a JSON object, not 5"), ("{", "not readable"), ("{}", "benchmark: missing")],
)
def test_a_run_json_that_is_none_is_told(folder: Path, text: str, message: str) -> None:
    (folder / "run.json").write_text(text)
    with pytest.raises(BadInput, match=rf"run\.json: {message}"):
        read_info(folder)


def test_runs_of_older_and_of_newer_versions_are_read(folder: Path) -> None:
    kept = ("benchmark", "model", "revision", "started", "identity")
    values = {k: v for k, v in json.loads((folder / "run.json").read_text()).items() if k in kept}
    written = {**values, "card": {"name": "x", "mood": "good"}, "mood": "good"}
    (folder / "run.json").write_text(json.dumps(written))
    assert read_info(folder) == RunInfo("x", "m", "", "2026", {"model": "m"}, Card("x"))


def test_a_run_that_was_moved_keeps_the_pictures_that_lie_in_it(folder: Path, png: bytes) -> None:
    moved = folder.rename(folder.with_name("moved"))
    (item,) = read_item_set(moved).items
    assert item.images[0].path is not None
    assert item.images[0].path.read_bytes() == png


def test_scores_that_are_not_there_are_called_missing(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"scores\.parquet: missing; `eyechart score .*` writes it"):
        read_scores(folder)


def test_half_a_character_goes_through_a_whole_run_and_stray_responses_through_scoring(
    tmp_path: Path, png: bytes
) -> None:
    items = tmp_path / "items"
    items.mkdir()
    (items / "a.png").write_bytes(png)
    item = Item("1", "open", "\ud800?", (Picture(items / "a.png"),), answer="Blurred.")
    write_item_folder(items, [item], Card("x"))
    settings = RunSettings(workspace=tmp_path / "workspace")
    folder = evaluate(items, "guess", out=tmp_path / "run", settings=settings).folder
    with (folder / "responses.jsonl").open("a") as lines:
        lines.write(json.dumps({**RESPONSE, "item_id": "stray"}) + "\n")
    judged = rescore(folder, settings=dataclasses.replace(settings, judges=("guess",)))
    assert judged.report.counts["n_scored"] == 1
    assert rewrite_report(folder).report == judged.report
