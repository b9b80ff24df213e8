"""People's ratings as CSV: what is read, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyechart import read_ratings, write_ratings
from eyechart.errors import BadInput
from eyechart.records import Rating

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1)
RATINGS = st.builds(
    Rating,
    NAMES,
    NAMES,
    st.floats(allow_nan=False, allow_infinity=False),
    st.just("2026-11-20T12:00:00+00:00"),
    st.integers(1, 9),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RATINGS, max_size=5))
def test_what_is_written_is_read_back(tmp_path: Path, ratings: list[Rating]) -> None:
    write_ratings(tmp_path / "ratings.csv", ratings)
    assert read_ratings(tmp_path / "ratings.csv") == tuple(ratings)


def test_time_and_round_may_be_absent(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("item_id,rater,value\na.jpg,anna,4.5\n")
    assert read_ratings(tmp_path / "r.csv") == (Rating("a.jpg", "anna", 4.5, "", 1),)


def test_every_bad_row_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(
        "item_id,rater,value,round\na,,4,1\nb,anna,good,1\nc,anna,nan,1\nd,anna,3,0.5\n"
    )
    with pytest.raises(BadInput) as caught:
        read_ratings(tmp_path / "r.csv")
    message = str(caught.value)
    assert message.startswith("4 bad rows")
    assert "r.csv:2: rater: expected a text" in message
    assert "r.csv:3: value: expected a finite number, not 'good'" in message
    assert "r.csv:4: value: expected a finite number, not 'nan'" in message
    assert "r.csv:5: round: expected 1, 2, …, not '0.5'" in message


def test_a_missing_column_or_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("item_id,value\na,1\n")
    with pytest.raises(BadInput, match="no column rater"):
        read_ratings(tmp_path / "r.csv")
    with pytest.raises(BadInput, match="not a readable CSV file"):
        read_ratings(tmp_path / "none.csv")
