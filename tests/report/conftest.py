"""The made-up run, built once for all tests of the report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.report.demo import demo_answers, demo_facts, demo_items, demo_photographs

from eyechart.items import ItemSet
from eyechart.records import Report, Response, Score
from eyechart.report import Entry, build_report


@dataclass(frozen=True)
class Demo:
    """A run with all that came of it."""

    items: ItemSet
    responses: Sequence[Response]
    scores: Sequence[Score]
    report: Report
    entries: tuple[Entry, ...]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    items = demo_items(demo_photographs(tmp_path_factory.mktemp("photographs")), 240)
    responses, scores = demo_answers(items)
    report = build_report(items, responses, scores, demo_facts())
    return Demo(items, responses, scores, report, Entry.joined(items, responses, scores))


@pytest.fixture
def golden() -> Path:
    """The folder of files that a dozen items must give to the letter."""
    return Path(__file__).parents[1] / "golden"


def same_as_golden(text: str, file: Path) -> bool:
    """With EYECHART_GOLDEN=write the file is made anew, to be looked at before it is kept."""
    if os.environ.get("EYECHART_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return text == file.read_text(encoding="utf-8")
