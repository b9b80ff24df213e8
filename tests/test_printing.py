"""What commands print alike: whole lines where no terminal cuts them, and JSON alone."""

from __future__ import annotations

import json

import pytest

from eyechart.printing import print_json, print_notes, print_text, wide_console


def test_a_sentence_is_one_line_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentence = "word " * 100 + "end"
    print_text(wide_console(), sentence)
    assert capsys.readouterr().out == f"{sentence}\n"


def test_names_stand_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_notes(wide_console(), [":smile: [bold]", "second"])
    wide_console().print(":smile:")
    assert capsys.readouterr().out == "Note: :smile: [bold]\nNote: second\n:smile:\n"


def test_json_is_one_list_with_every_letter_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"value": "\u0142", "n": 1}, {"value": None, "n": 2}])
    text = capsys.readouterr().out
    assert json.loads(text) == [{"value": "\u0142", "n": 1}, {"value": None, "n": 2}]
    assert "\u0142" in text
