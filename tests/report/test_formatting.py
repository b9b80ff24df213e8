from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyechart.records import Curve, Estimate
from eyechart.report.formatting import (
    not_seen,
    number,
    one_line,
    printable,
    quantity,
    quantity_span,
    shown_threshold,
    signed,
    span,
    trimmed,
)


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_can_always_be_written_and_says_the_same_twice(text: str) -> None:
    once = printable(text)
    once.encode("utf-8")
    assert printable(once) == once
    assert not any(ord(char) < 32 and char not in "\n\t" for char in once)


@given(st.text(), st.integers(1, 50))
def test_trimming_loses_no_count(text: str, limit: int) -> None:
    cut = trimmed(text, limit)
    assert len(cut.text) + cut.n_more == len(text)
    assert len(cut.text) <= limit


@given(st.text(), st.integers(2, 50))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_an_accent_stays_with_its_letter() -> None:
    assert trimmed("cafe\u0301", 4).text == "caf"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.6124, "61.2"), (1.0, "100.0"), (-0.0001, "0.0"), (-0.05, "−5.0"), (None, "–")],
)
def test_percentages_have_one_decimal_and_undefined_is_a_dash(
    value: float | None, text: str
) -> None:
    assert number(value) == text


def test_a_negative_interval_is_not_joined_by_a_dash() -> None:
    assert span(-0.1, 0.3, percent=False) == "−0.100 to 0.300"


def test_a_difference_of_nothing_has_no_sign() -> None:
    assert signed(0.0001) == "0.0"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.05, "0.05"), (9.97, "10"), (0.4, "0.4"), (125.0, "125"), (-2.5, "−2.5")],
)
def test_severities_have_two_digits_and_no_powers_of_ten(value: float, text: str) -> None:
    assert quantity(value) == text


def test_an_open_interval_of_a_threshold_is_told_in_words() -> None:
    assert quantity_span(Estimate(3.0, None, 4.0, 9), "px") == "at most 4 px"
    assert quantity_span(Estimate(None, None, None, 9)) == "–"


def test_a_threshold_whose_interval_is_open_is_a_perhaps() -> None:
    nothing = Estimate(None, None, None, 0)
    curve = Curve("noise", "px", (1.0, 9.0), (nothing,) * 2, 0.5, Estimate(8.0, 4.0, None, 9))
    assert shown_threshold(curve, "px") == "perhaps 8 px"
    assert not_seen([curve]) == "not clearly noise"
    assert not_seen([dataclasses.replace(curve, threshold=nothing)]) == "not noise"
    assert not_seen([dataclasses.replace(curve, threshold=Estimate(8.0, 4.0, 9.0, 9))]) == ""


def test_units_are_singular_for_one() -> None:
    assert quantity(1.0, "grey levels of 255") == "1 grey level of 255"
    assert quantity(1.0, "px (twice its pixels)") == "1 px (twice its pixels)"
    assert quantity(1.0, "× standard steps") == "1 × standard steps"


def test_a_threshold_at_the_weakest_severity_tested_may_be_lower() -> None:
    nothing = Estimate(None, None, None, 0)
    seen = Estimate(1.0, 1.0, 1.0, 9)
    curve = Curve("noise", "px", (1.0, 2.0), (nothing, nothing), 0.5, seen)
    assert shown_threshold(curve, "px") == "1 px or less"
    assert quantity_span(seen) == "–"
