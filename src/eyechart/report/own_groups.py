"""Tables of a report or a comparison under headings: the benchmark's own, then others by topic.

In: `records.Table`s. Out: `Group`s for the page. Which group a table is in goes by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from eyechart.records import Table
from eyechart.report.own_tables import Worded, worded
from eyechart.report.ranked_tables import HERE_NOTE, PLACES_NOTE, is_mixed

MOST_OPEN = 4
"""Of one group so many tables stand open, the others are folded."""
LONG_LIST = 12
PUBLISHED = "Bold figures were measured here, with 95 % intervals; grey ones are as published."


@dataclass(frozen=True, slots=True)
class Group:
    """Tables under one heading, with a sentence on what they have in common.

    `most_lines`: a table with more of them is folded, None for none that is.
    """

    heading: str
    about: str
    tables: tuple[Worded, ...]
    most_lines: int | None = None

    @property
    def opened(self) -> frozenset[int]:
        """The places, from 0, of the tables that are not folded."""
        return frozenset(
            i
            for i, table in enumerate(self.tables[:MOST_OPEN])
            if self.most_lines is None or len(table.lines) <= self.most_lines
        )


@dataclass(frozen=True, slots=True)
class Topic:
    """What tables are about whose names begin with one of `names`; `most_lines`: see `Group`."""

    heading: str
    about: str
    names: tuple[str, ...]
    most_lines: int | None = None


TOPICS = (
    Topic("Multiple choice", "How near choices of several options come.", ("multiple-",)),
    Topic("Judges", "How far verdicts on the same reply differ.", ("judge-",)),
    Topic("People", "What people answer, and how far they agree.", ("people-",)),
    Topic("Items", "Which items tell little, or may be wrong.", ("items-",), LONG_LIST),
    Topic("Models on the same items", "How able they are, and how alike.", ("model-",)),
    Topic("Robustness", "The same questions, asked and scored in other ways.", ("other-ways",)),
    Topic(
        "Bias",
        "What the model tends to choose, whatever is right.",
        ("position", "yes-and-no"),
    ),
)


def groups_of(tables: Sequence[Table]) -> tuple[Group, ...]:
    """The benchmark's own tables, then those that other reports have too, topic by topic."""
    topics = [(table, _topic(table)) for table in tables]
    own = [table for table, topic in topics if topic is None]
    further = (
        Group(
            topic.heading,
            topic.about,
            tuple(worded(table) for table, its in topics if its is topic),
            topic.most_lines,
        )
        for topic in TOPICS
    )
    return tuple(group for group in (*_own_groups(own), *further) if group.tables)


def _topic(table: Table) -> Topic | None:
    return next((topic for topic in TOPICS if table.name.startswith(topic.names)), None)


def _own_groups(tables: Sequence[Table]) -> Iterator[Group]:
    """Those laid out as papers do, then the others."""
    ranked = [table for table in tables if table.ranked]
    others = [table for table in tables if not table.ranked]
    yield _own_group(ranked, f"{PLACES_NOTE} {HERE_NOTE}", PLACES_NOTE)
    group = _own_group(others, PUBLISHED, "")
    yield replace(group, heading="Further tables") if ranked else group


def _own_group(tables: Sequence[Table], beside: str, alone: str) -> Group:
    """Under a heading that says whether published figures are beside ours."""
    if any(map(is_mixed, tables)):
        return Group("Beside published figures", beside, tuple(map(worded, tables)))
    return Group("The benchmark's tables", alone, tuple(map(worded, tables)))
