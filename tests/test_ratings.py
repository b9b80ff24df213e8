"""People's answers as CSV: what is read, what is refused, what they mean beside the items."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyechart import read_ratings, write_ratings
from eyechart.errors import BadInput
from eyechart.ratings import decoded, encoded, last_rounds, letters, read_answers
from eyechart.records import Item, Kind, Rating

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1)
RATINGS = st.builds(
    Rating,
    NAMES,
    NAMES,
    st.floats(allow_nan=False, allow_infinity=False),
    st.just("2026-11-20T12:00:00+00:00"),
    st.integers(1, 9),
)
LEVELS = ("Sharp", "A little blurred", "Blurred", "Very blurred")
FAULTS = ("Blur", "Noise", "Too dark", "Soft, and flat")
ITEMS = (
    Item("one", "single", "How sharp?", (), LEVELS, "Blurred"),
    Item("many", "multiple", "What ails it?", (), FAULTS, ("Blur", "Too dark")),
    Item("truth", "true_false", "It is sharp.", (), answer=False),
    Item("open", "open", "What ails it?", (), answer="It is blurred."),
    Item("mos", "rate", "Rate it.", ()),
)
BY_ID = {item.id: item for item in ITEMS}
ANSWERS = st.one_of(
    st.builds(lambda n, who: Rating("one", who, float(n), ""), st.integers(1, 4), NAMES),
    st.builds(lambda n, who: Rating("many", who, float(n), ""), st.integers(1, 15), NAMES),
    st.builds(lambda n, who: Rating("truth", who, float(n), ""), st.integers(0, 1), NAMES),
    st.builds(lambda n, who: Rating("open", who, n / 2, ""), st.integers(0, 4), NAMES),
    st.builds(lambda n, who: Rating("mos", who, n, ""), st.floats(-1e9, 1e9), NAMES),
)


def whose(rating: Rating) -> tuple[str, str, int]:
    return rating.item_id, rating.rater, rating.round


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RATINGS, max_size=5, unique_by=whose))
def test_what_is_written_is_read_back(tmp_path: Path, ratings: list[Rating]) -> None:
    write_ratings(tmp_path / "ratings.csv", ratings)
    assert read_ratings(tmp_path / "ratings.csv") == tuple(ratings)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANSWERS, max_size=5, unique_by=whose))
def test_beside_the_items_too_and_each_answer_means_what_it_is_written_as(
    tmp_path: Path, ratings: list[Rating]
) -> None:
    write_ratings(tmp_path / "ratings.csv", ratings)
    assert read_ratings(tmp_path / "ratings.csv", ITEMS) == tuple(ratings)
    for rating in ratings:
        item = BY_ID[rating.item_id]
        assert encoded(decoded(rating, item), item) == rating.value


def read(tmp_path: Path, *rows: str, items: tuple[Item, ...] | None = ITEMS) -> list[float]:
    """The values of rows, each a line of CSV without its head."""
    (tmp_path / "r.csv").write_text("\n".join(["item_id,rater,value,at,round", *rows]) + "\n")
    return [rating.value for rating in read_ratings(tmp_path / "r.csv", items)]


def refused(tmp_path: Path, *rows: str, items: tuple[Item, ...] | None = ITEMS) -> str:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, *rows, items=items)
    return str(caught.value)


@pytest.mark.parametrize(
    ("item", "cell", "value"),
    [
        ("one", "B", 2),
        ("one", " (c) ", 3),
        ("one", "d.", 4),
        ("one", "A little blurred", 2),
        ("one", "a  LITTLE blurred", 2),
        ("one", "3", 3),
        ("many", "A", 1),
        ("many", '"A, C"', 5),
        ("many", "C;A", 5),
        ("many", "noise; too dark", 6),
        ("many", '"Blur, B"', 3),
        ("many", '"Soft, and flat"', 8),
        ("many", '"Blur; Soft, and flat"', 9),
        ("many", "13.0", 13),
        ("truth", "True", 1),
        ("truth", "false", 0),
        ("truth", "no", 0),
        ("truth", "T", 1),
        ("truth", "1", 1),
        ("open", "1.5", 1.5),
        ("mos", "-3.25", -3.25),
    ],
)
def test_a_value_may_be_what_a_person_writes(
    tmp_path: Path, item: str, cell: str, value: float
) -> None:
    assert read(tmp_path, f"{item},anna,{cell},,") == [value]


@pytest.mark.parametrize(
    ("item", "cell", "expected"),
    [
        ("one", "E", "a letter from A to D or an option's text, not 'E'"),
        ("one", "Blurry", "a letter from A to D or an option's text, not 'Blurry'"),
        ("one", "5", "a letter from A to D or an option's text, not '5'"),
        ("one", "1.5", "a letter from A to D or an option's text, not '1.5'"),
        ("one", "", "a letter from A to D or an option's text, not ''"),
        ("many", '"A, E"', "letters from A to D or options' texts, parted by ';' or ',', not"),
        ("many", "4", "letters, or 4.0 for the sum, not '4'"),
        ("many", "013", "letters, or 13.0 for the sum, not '013'"),
        ("many", "+4.0", "letters from A to D or options' texts, parted by ';' or ',', not '+4.0'"),
        ("many", '"1, 3"', "letters from A to D or options' texts, parted by ';' or ',', not"),
        ("many", "16", "letters from A to D or options' texts, parted by ';' or ',', not '16'"),
        ("many", "0", "letters from A to D or options' texts, parted by ';' or ',', not '0'"),
        ("many", ";", "letters from A to D or options' texts, parted by ';' or ',', not ';'"),
        ("truth", "maybe", "True or False, not 'maybe'"),
        ("truth", "2", "True or False, not '2'"),
        ("open", "2.5", "a verdict from 0 to 2 in steps of a half, not '2.5'"),
        ("open", "0.7", "a verdict from 0 to 2 in steps of a half, not '0.7'"),
        ("open", "good", "a verdict from 0 to 2 in steps of a half, not 'good'"),
        ("mos", "inf", "a finite number, not 'inf'"),
    ],
)
def test_what_is_no_answer_is_told_with_its_place_item_and_what_was_expected(
    tmp_path: Path, item: str, cell: str, expected: str
) -> None:
    found = refused(tmp_path, f"{item},anna,{cell},,")
    assert found.startswith("1 bad row; mend them and try again:")
    assert f"r.csv:2 (item {item}): value: expected {expected}" in found


def test_what_may_be_two_answers_is_never_guessed(tmp_path: Path) -> None:
    counts = Item("n", "single", "How many faces?", (), ("2", "3", "4", "many"))
    assert read(tmp_path, "n,anna,A,,", "n,ben,3.0,,", items=(counts,)) == [1, 3]
    assert "value: expected what fits one answer; '3' fits B and C: write the number" in refused(
        tmp_path, "n,anna,3,,", items=(counts,)
    )
    swapped = Item("s", "multiple", "Which?", (), ("B", "A", "Blur", "Blur, B"))
    assert "'A' fits A and B" in refused(tmp_path, "s,anna,A,,", items=(swapped,))
    assert "'blur; a' fits A and B" in refused(tmp_path, "s,anna,blur; a,,", items=(swapped,))
    same = Item("c", "single", "Which?", (), ("sharp", "Sharp"))
    assert read(tmp_path, "c,anna,Sharp,,", items=(same,)) == [2]
    assert "'SHARP' fits A and B" in refused(tmp_path, "c,anna,SHARP,,", items=(same,))


def test_every_bad_row_is_told_at_once(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        "one,anna,E,,",
        "gone,anna,A,,",
        "truth,,maybe,,0",
        "lost,anna,A,,",
        "gone,ben,A,,",
        "one,ben,B,,",
        "one,ben,C,,",
    )
    assert found.splitlines() == [
        "6 bad rows; mend them and try again:",
        f"  {tmp_path}/r.csv: item_id: expected ids of the 5 items, "
        "not 'gone' (line 3), 'lost' (line 5)",
        f"  {tmp_path}/r.csv:2 (item one): value: expected a letter from A to D or an option's "
        "text, not 'E'",
        f"  {tmp_path}/r.csv:4 (item truth): rater: expected a text",
        f"  {tmp_path}/r.csv:4 (item truth): value: expected True or False, not 'maybe'",
        f"  {tmp_path}/r.csv:4 (item truth): round: expected 1, 2, …, not '0'",
        f"  {tmp_path}/r.csv:8 (item one): rater: expected one value of ben for each item and "
        "round; line 7 has another",
    ]


def test_of_many_bad_rows_20_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    found = refused(tmp_path, *(f"one,{i},E,," for i in range(25)))
    assert found.startswith("25 bad rows") and len(found.splitlines()) == 22
    assert found.endswith("… and 5 more")
    found = refused(tmp_path, *(f"lost {i},anna,A,," for i in range(25)))
    assert "'lost 19' (line 21) and 5 more" in found


def test_without_the_items_values_are_numbers(tmp_path: Path) -> None:
    assert read(tmp_path, "one,anna,99,,", "?,ben,-1e3,,", items=None) == [99, -1000]
    found = refused(
        tmp_path,
        ",anna,4,,",
        "a,,4,,",
        "b,anna,good,,",
        "c,anna,nan,,",
        "d,anna,3,,0.5",
        items=None,
    )
    assert found.startswith("5 bad rows")
    assert "r.csv:2: item_id: expected a text" in found
    assert "r.csv:3 (item a): rater: expected a text" in found
    assert "r.csv:4 (item b): value: expected a finite number, not 'good'" in found
    assert "r.csv:5 (item c): value: expected a finite number, not 'nan'" in found
    assert "r.csv:6 (item d): round: expected 1, 2, …, not '0.5'" in found


def test_a_person_answers_an_item_once_a_round(tmp_path: Path) -> None:
    assert read(tmp_path, "a,anna,1,,1", "a,anna,2,,2", "a,ben,2,,1", items=None) == [1, 2, 2]
    assert "r.csv:4 (item a): rater: expected one value of anna for each item and round" in refused(
        tmp_path, "a,anna,1,,", "b,anna,1,,", "a,anna,1,,", items=None
    )


def test_of_several_rounds_the_last_of_each_person_counts() -> None:
    first, late = Rating("a", "anna", 1, "", 3), Rating("a", "anna", 2, "", 2)
    ben, other = Rating("a", "ben", 5, "", 1), Rating("b", "anna", 7, "", 1)
    assert last_rounds([late, ben, first, other]) == (first, ben, other)
    with pytest.raises(BadInput, match="item a: ben has two values in round 1; expected one"):
        last_rounds([ben, ben])


def test_time_and_round_may_be_absent_and_rows_short(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("item_id,rater,value\na.jpg,anna,4.5\n")
    assert read_ratings(tmp_path / "r.csv") == (Rating("a.jpg", "anna", 4.5, "", 1),)
    (tmp_path / "r.csv").write_text("item_id,rater,value\na.jpg\n")
    with pytest.raises(BadInput, match="rater: expected a text"):
        read_ratings(tmp_path / "r.csv")


def test_a_missing_column_or_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("item_id,value\na,1\n")
    with pytest.raises(BadInput) as caught:
        read_ratings(tmp_path / "r.csv")
    assert str(caught.value) == (
        f"{tmp_path}/r.csv: no column rater; expected item_id, rater, value in the first line, "
        "parted by ',' or ';', and an answer in each other:\n"
        "  item_id,rater,value\n  q1,anna,B"
    )
    (tmp_path / "r.csv").write_text("")
    with pytest.raises(BadInput, match="no column item_id, rater, value; expected item_id, rater"):
        read_ratings(tmp_path / "r.csv")
    with pytest.raises(BadInput, match="not a readable CSV file"):
        read_ratings(tmp_path / "none.csv")


@pytest.mark.parametrize("head", ["item_id;rater;value", '\ufeff"item_id";"rater";"value";"at"'])
def test_semicolons_part_the_cells_where_they_part_the_head(tmp_path: Path, head: str) -> None:
    rows = [head, "one;anna;B", 'many;anna;"A; C"', 'many;ben;"A, C"', "truth;anna;no"]
    (tmp_path / "r.csv").write_text("\r\n".join(rows), encoding="utf-8", newline="")
    assert [one.value for one in read_ratings(tmp_path / "r.csv", ITEMS)] == [2, 5, 5, 0]


def test_an_answer_that_is_parted_by_mistake_is_told_and_not_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("item_id,rater,value\nmany,anna,A, C\none,anna,B,,\n")
    with pytest.raises(
        BadInput, match=r"r.csv:2 \(item many\): row: expected no more cells than"
    ) as e:
        read_ratings(file, ITEMS)
    assert str(e.value).startswith("1 bad row") and str(e.value).endswith('as in "A, C"')
    file.write_text("item_id,rater,value\none,anna,B,,\n")
    assert [one.value for one in read_ratings(file, ITEMS)] == [2]


def test_digits_may_be_the_text_of_an_option_among_several(tmp_path: Path) -> None:
    counts = Item("n", "multiple", "How many faces may there be?", (), ("2", "3", "4"))
    assert read(tmp_path, "n,anna,4,,", "n,ben,2;3,,", "n,carl,4.0,,", items=(counts,)) == [4, 3, 4]


def test_an_answer_has_the_form_of_the_items_own_and_a_name_for_reports() -> None:
    one, many, truth, open_, mos = ITEMS
    assert decoded(Rating("one", "anna", 3, ""), one) == one.answer
    assert decoded(Rating("many", "anna", 5, ""), many) == many.answer
    assert decoded(Rating("truth", "anna", 0, ""), truth) is False
    assert decoded(Rating("open", "anna", 1.5, ""), open_) == 1.5
    assert decoded(Rating("mos", "anna", -7, ""), mos) == -7
    assert letters(LEVELS[2], one) == "C"
    assert letters((FAULTS[3], FAULTS[0]), many) == "A, D"
    assert letters(True, truth) == "True"


def test_a_value_that_is_no_answer_to_the_item_cannot_be_decoded() -> None:
    with pytest.raises(
        BadInput, match=r"item one: anna's value: expected a letter from A to D or an .*, not 5"
    ):
        decoded(Rating("one", "anna", 5, ""), ITEMS[0])
    with pytest.raises(BadInput, match="item one: 'Dull' is none of its options"):
        encoded("Dull", ITEMS[0])


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("single", "B. Noise", 2.0),
        ("single", "(b) noise", 2.0),
        ("multiple", "AC", 5.0),
        ("multiple", "A. Blur; C. Haze", 5.0),
    ],
)
def test_answers_are_read_as_people_write_them(
    tmp_path: Path, kind: Kind, written: str, value: float
) -> None:
    item = Item("1", kind, "?", (), ("Blur", "Noise", "Haze"))
    file = tmp_path / "answers.csv"
    file.write_text(f'item_id, rater , value\n1,anna,"{written}"\n')
    assert [rating.value for rating in read_ratings(file, [item])] == [value]


def test_a_letter_beside_the_text_of_another_option_is_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("item_id,rater,value\n1,anna,A. Noise\n")
    with pytest.raises(BadInput, match=r"1 bad row; .*(?s:.)*a letter from A to C"):
        read_ratings(file, [Item("1", "single", "?", (), ("Blur", "Noise", "Haze"))])


def test_a_file_without_answers_is_said_to_have_none(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("item_id,rater,value\n")
    with pytest.raises(BadInput, match="no answers in it; expected a row for each"):
        read_answers(file, [Item("1", "single", "?", (), ("Blur", "Noise"))])
