"""Column maps: a release's own names become ours, and what a map gets wrong is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eyechart.column_map import ColumnMap
from eyechart.errors import BadInput

KNOWN = ("id", "kind", "question", "options", "scope")
MAP = """
[columns]
question = "prompt"
options = ["a", "b", "c"]
scope = "kind"

[values.scope]
"0" = "Global"
"part" = "Local"
"true" = "Local"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "map.toml"
    file.write_text(text, encoding="utf-8")
    return file


def read(folder: Path, text: str) -> ColumnMap:
    return ColumnMap.read(written(folder, text), KNOWN)


def told(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, text)
    return str(caught.value)


def test_columns_get_our_names_and_the_others_keep_theirs(tmp_path: Path) -> None:
    row = {"id": 7, "prompt": "Sharp?", "a": "Yes", "b": "No", "kind": "part"}
    assert read(tmp_path, MAP).applied(row) == {
        "id": 7,
        "question": "Sharp?",
        "options": ["Yes", "No"],
        "scope": "Local",
    }


def test_an_empty_column_of_several_keeps_its_place(tmp_path: Path) -> None:
    by = read(tmp_path, MAP)
    assert by.applied({"a": None, "b": "No", "c": None})["options"] == [None, "No"]
    assert by.applied({"a": "Yes", "c": "Both"})["options"] == ["Yes", None, "Both"]
    assert by.applied({"a": None, "kind": "part"})["options"] is None


def test_a_column_under_our_name_that_is_another_gives_way(tmp_path: Path) -> None:
    by = read(tmp_path, '[columns]\nquestion = "prompt"')
    assert by.applied({"question": "What the annotator was asked", "prompt": "Sharp?"}) == {
        "question": "Sharp?"
    }


def test_two_columns_may_change_places(tmp_path: Path) -> None:
    by = read(tmp_path, '[columns]\nkind = "scope"\nscope = "kind"')
    assert by.applied({"kind": "Local", "scope": "open"}) == {"kind": "open", "scope": "Local"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(0, "Global"), (" part ", "Local"), (True, "Local"), ("whole", "whole"), (1, 1), (None, None)],
)
def test_values_that_are_listed_are_replaced_and_the_others_stay(
    tmp_path: Path, theirs: Any, ours: Any
) -> None:
    by = read(tmp_path, MAP)
    assert by.applied({"kind": theirs})["scope"] == ours


def test_the_values_of_a_list_are_replaced_one_by_one(tmp_path: Path) -> None:
    by = read(tmp_path, '[values.options]\n"Y" = "Yes"')
    assert by.applied({"options": ["Y", "No"]}) == {"options": ["Yes", "No"]}


def test_a_column_that_no_row_has_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    missed = [str(one) for one in read(tmp_path, MAP).misses(["id", "prompt", "a", "c", "kind"])]
    expected = "expected a column that the data have, not 'b'; they have id, prompt, a, c, kind"
    assert missed == [f"{tmp_path / 'map.toml'}: [columns] options: {expected}"]


def test_all_columns_of_the_data_are_listed_but_once(tmp_path: Path) -> None:
    by = read(tmp_path, f'{MAP}\n[values.id]\n"1" = "one"')
    first, *others = map(str, by.misses(["mood", "level"]))
    assert "not 'prompt'; they have mood, level" in first
    assert len(others) == 5 and not [one for one in others if "mood" in one]
    assert str(by.misses([])[0]).endswith("not 'prompt'; they have nothing")


def test_lines_of_values_that_no_row_has_are_told(tmp_path: Path) -> None:
    by = read(tmp_path, f'{MAP}\n[values.options]\n"Y" = "Yes"\n"N" = "No"')
    rows = [{"kind": " part ", "a": "Y"}, {"kind": True, "b": "None"}, {"kind": None}]
    met = {line for row in rows for line in by.met(row)}
    assert met == {("scope", "part"), ("scope", "true"), ("options", "Y")}
    assert by.unmet(met) == 'map.toml: no row has "0" of [values.scope], "N" of [values.options].'
    assert by.unmet({*met, ("scope", "0"), ("options", "N")}) == ""


def test_values_of_a_column_that_no_row_has_under_our_name_are_told(tmp_path: Path) -> None:
    by = read(tmp_path, '[values.scope]\n"0" = "Global"')
    assert not by.misses(["scope"])
    (missed,) = by.misses(["level"])
    assert str(missed).endswith(
        "[values.scope]: expected a column that the data have under this name, or a line in "
        '[columns]: scope = "its name there"; they have level'
    )


def test_a_name_that_is_none_of_ours_is_told_with_the_nearest_all_at_once(tmp_path: Path) -> None:
    said = told(tmp_path, '[columns]\nquestoin = "prompt"\n[values.scop]\n"0" = "Global"')
    assert said.startswith(f"{tmp_path / 'map.toml'}: not a map of columns; mend it and try again:")
    assert "[columns]: no column of ours is called 'questoin'; did you mean 'question'?" in said
    assert "[values]: no column of ours is called 'scop'; did you mean 'scope'?" in said


def test_all_our_names_are_listed_but_once(tmp_path: Path) -> None:
    said = told(
        tmp_path, '[columns]\nquestoin = "prompt"\nxyz = "z"\n[values.scop]\n"0" = "Global"'
    )
    assert said.splitlines()[1:] == [
        "  [columns]: no column of ours is called 'questoin'; did you mean 'question'?",
        "  [columns]: no column of ours is called 'xyz'.",
        "  [values]: no column of ours is called 'scop'; did you mean 'scope'?",
        "  our columns are id, kind, options, question, scope",
    ]


def test_one_column_is_not_two_of_ours(tmp_path: Path) -> None:
    said = told(tmp_path, '[columns]\nquestion = "prompt"\nid = "name"\nkind = "prompt"')
    assert said.splitlines()[1:] == [
        "  [columns] question, kind: expected a column for each, not 'prompt' for all of them; or "
        "say in [values.kind] what its values mean there"
    ]
    assert "[columns] options, scope: expected a column for each, not 'b' for all" in told(
        tmp_path, '[columns]\noptions = ["a", "b"]\nscope = "b"'
    )


def test_one_column_is_two_of_ours_where_values_tell_what_it_means(tmp_path: Path) -> None:
    by = read(
        tmp_path,
        '[columns]\nkind = "form"\nscope = "form"\n[values.scope]\n"open" = "Global"',
    )
    assert by.applied({"form": "open"}) == {"kind": "open", "scope": "Global"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[column]\nscope = "x"', "no table is called 'column'; did you mean 'columns'?"),
        ("columns = 3", r"[columns]: expected a table of names, not 3"),
        ("[columns]\nscope = 3", "[columns] scope: expected a column's name or a list of them"),
        ("[columns]\noptions = []", "[columns] options: expected a column's name or a list"),
        ("[columns]\noptions = ['a', 1]", "[columns] options: expected a column's name or a list"),
        ("[columns]\noptions = ['a', 'a']", "or a list of them, each once, not ['a', 'a']"),
        ("[values]\nscope = 'x'", '[values.scope]: expected lines such as "theirs" = "ours"'),
        ("[values.scope]\n0 = 1", '[values.scope] "0": expected a text, not 1'),
    ],
)
def test_what_is_not_of_the_form_is_told(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("[columns]\nscope = \n", 2), ("[columns\n", 1), ('[columns]\nscope = """\n\n', 3)],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    said = told(tmp_path, text)
    assert said.startswith(f"{tmp_path / 'map.toml'}:{line}: not TOML (")
    assert 'expected TOML such as\n  [columns]\n  question = "prompt"' in said


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.toml: cannot be read \(No such file"):
        ColumnMap.read(tmp_path / "gone.toml", KNOWN)
    (tmp_path / "map.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadInput, match=r"map\.toml: not a text in UTF-8 .*expected a TOML file"):
        ColumnMap.read(tmp_path / "map.toml", KNOWN)


def test_an_empty_map_changes_nothing(tmp_path: Path) -> None:
    by = read(tmp_path, "")
    assert by.applied({"a": 1}) == {"a": 1}
    assert not by.misses([])


def test_blank_columns_at_the_end_of_a_list_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text('[columns]\noptions = ["a", "b", "c"]\n')
    read = ColumnMap.read(file, ["options"])
    assert read.applied({"a": "x", "b": "", "c": ""})["options"] == ["x"]
    assert read.applied({"a": "", "b": "y", "c": ""})["options"] == ["", "y"]
