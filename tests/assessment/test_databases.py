"""The databases that are known by name: their counts, halves and dependent images."""

from __future__ import annotations

import pytest

from eyechart.assessment.databases import (
    DATABASES,
    Database,
    clusters_of,
    count_note,
    halves,
    known,
    named,
    order_of,
)

COUNTS = {
    "KonIQ-10k": 10_073,
    "SPAQ": 11_125,
    "LIVE-FB": 39_810,
    "LIVE-itw": 1_169,
    "CGIQA-6K": 6_000,
    "AGIQA-3K": 2_982,
    "KADID-10K": 10_125,
}
STEMS = {
    "koniq": "KonIQ-10k",
    "spaq": "SPAQ",
    "flive": "LIVE-FB",
    "livec": "LIVE-itw",
    "cgi": "CGIQA-6K",
    "agi": "AGIQA-3K",
    "kadid": "KADID-10K",
}


def test_the_seven_databases_have_the_counts_of_the_released_lists() -> None:
    assert {database.name: database.counts[0] for database in DATABASES} == COUNTS


@pytest.mark.parametrize(("stem", "name"), STEMS.items())
def test_a_database_is_known_by_its_files_stem_and_by_its_name_in_any_case(
    stem: str, name: str
) -> None:
    for alias in (stem, stem.upper(), name, name.lower()):
        assert named(alias).name == name


def test_another_database_has_a_name_and_nothing_else() -> None:
    mine = named("my photographs")
    assert known("my photographs") is None
    assert (mine.name, mine.counts, mine.mos_low) == ("my photographs", (), None)


def test_no_name_means_two_databases() -> None:
    names = [name for d in DATABASES for name in {d.name.lower(), *d.aliases}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_the_whole_list_needs_no_remark_and_a_part_is_told_as_one(database: Database) -> None:
    assert count_note(database, database.counts[0]) == ""
    part = count_note(database, 100)
    assert part.startswith(f"{database.name}: 100 of ")
    assert "figures of a part are not those of the whole" in part
    assert "another database?" in count_note(database, 1_000_000)


def test_the_literatures_count_of_live_is_taken_and_explained() -> None:
    assert "7 training images" in count_note(named("livec"), 1_162)


def test_halves_are_in_the_order_of_the_list_and_what_is_behind_them_counts_for_nothing() -> None:
    cgi = named("cgi")
    assert halves(cgi, range(6_000)) == ([*range(3_000)], [*range(3_000, 6_000)])
    assert halves(cgi, range(6_012)) == halves(cgi, range(6_000))
    assert halves(cgi, range(2_000)) == ([*range(2_000)],)


def test_halves_are_told_by_the_place_in_the_whole_list_whatever_was_left_out() -> None:
    assert halves(named("cgi"), [0, 2_999, 3_000, 5_999]) == ([0, 1], [2, 3])
    assert halves(named("cgi"), [3_000, 5_999, 6_000]) == ([0, 1],)
    assert halves(named("agi"), [3_000, 5_999]) == ([0, 1],)


def test_versions_of_one_photograph_are_not_independent() -> None:
    names = ["I01_01_01.png", "I01_25_05.png", "I02_01_01.png"]
    assert clusters_of(named("kadid"), names) == ["I01", "I01", "I02"]


def test_repeats_of_an_image_are_not_independent_and_others_are_on_their_own() -> None:
    assert clusters_of(named("agi"), ["a", "b", "a"]) == ["a", "b", "a"]
    assert clusters_of(named("agi"), ["a", "b"]) is None


def test_databases_stand_in_the_order_of_the_leaderboard() -> None:
    names = ["zoo", "AGIQA-3K", "KonIQ-10k", "SPAQ", "attic"]
    assert sorted(names, key=order_of) == ["SPAQ", "KonIQ-10k", "AGIQA-3K", "attic", "zoo"]
