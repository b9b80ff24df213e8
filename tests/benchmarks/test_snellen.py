from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import photograph

from eyechart.benchmarks import Source, snellen
from eyechart.benchmarks.snellen import BENCHMARK, curves, items, make
from eyechart.benchmarks.snellen_questions import (
    BY_NAME,
    FIRST,
    LEVELS,
    NOTHING,
    choose_pairs,
    description,
    reference,
)
from eyechart.distortions import DISTORTIONS
from eyechart.errors import BadInput
from eyechart.items import ItemSet, read_items
from eyechart.records import Item, Score

N_PHOTOS = 4
BY_TITLE = {distortion.title: distortion for distortion in DISTORTIONS}


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    for seed in range(N_PHOTOS):
        photograph(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def chart(album: Path, tmp_path_factory: pytest.TempPathFactory) -> ItemSet:
    workspace = tmp_path_factory.mktemp("workspace")
    return make(Source(album, workspace), workspace / "chart")


def of_task(chart: ItemSet, task: str) -> list[Item]:
    return [item for item in chart.items if item.facets["task"] == task]


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return dict(zip(names, digests, strict=True))


def pixels_of(path: Path | None) -> np.ndarray:
    assert path is not None
    with Image.open(path) as image:
        return np.asarray(image)


def balance(values: Iterable[object]) -> set[int]:
    return set(Counter(values).values())


def test_there_are_about_330_questions_of_every_kind_for_each_photograph(chart: ItemSet) -> None:
    per_photo = Counter(item.facets["photo"] for item in chart.items)
    assert set(per_photo) == {f"{i}.png" for i in range(N_PHOTOS)}
    assert set(per_photo.values()) == {331}
    per_kind = {kind: n // N_PHOTOS for kind, n in chart.card.counts.items()}
    assert per_kind == {
        "single": 148, "true_false": 78, "multiple": 16, "rate": 73, "open": 8, "describe": 8,
    }  # fmt: skip


def test_the_card_names_what_was_made(chart: ItemSet) -> None:
    card = chart.card
    assert (card.benchmark, card.version, card.cluster, card.seed) == ("snellen", "1", "photo", 0)
    assert card.title == BENCHMARK.title
    assert card.notes == ()
    assert len(card.digests) == N_PHOTOS * (1 + 9 * 8 + 12)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    album: Path, chart: ItemSet, tmp_path: Path
) -> None:
    source = Source(album, tmp_path, max_photos=1)
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        make(dataclasses.replace(source, seed=seed), folder)
    one, two, other = (contents(folder) for folder in folders)
    assert one == two
    assert one["metadata.jsonl"] != other["metadata.jsonl"]
    assert one["images/0/noise-5.png"] != other["images/0/noise-5.png"]
    assert one["images/0/blur-5.png"] == other["images/0/blur-5.png"]


def test_every_stimulus_differs_from_the_photograph_and_is_written_once(chart: ItemSet) -> None:
    for folder in {item.images[0].path.parent for item in chart.items if item.images[0].path}:
        plain = pixels_of(folder / "plain.png")
        files = [file for file in folder.iterdir() if file.name != "plain.png"]
        assert len(files) == 9 * 8 + 12
        for file in files:
            assert (pixels_of(file) != plain).any(), file


def test_digests_of_the_card_are_those_of_the_files(chart: ItemSet) -> None:
    for picture in {item.images[0] for item in chart.items[::7]}:
        assert picture.path is not None
        digest = hashlib.sha256(picture.path.read_bytes()).hexdigest()
        assert picture.sha256 == digest == chart.card.digests[picture.name]


def test_a_stimulus_is_its_distortion_at_its_severity(album: Path, chart: ItemSet) -> None:
    item = next(i for i in chart.items if i.id == "1-rate-overexposure-5")
    assert item.images[0].path is not None
    plain = pixels_of(item.images[0].path.parent / "plain.png")
    overexposure = BY_NAME["overexposure"]
    severity = overexposure.severities[4]
    assert item.facets["severity"] == severity
    expected = overexposure.apply(plain, severity, np.random.default_rng())
    np.testing.assert_array_equal(pixels_of(item.images[0].path), expected)


def test_a_comparison_names_the_distorted_picture(chart: ItemSet) -> None:
    compared = of_task(chart, "compare")
    assert len(compared) == N_PHOTOS * 9 * 8
    for item in compared:
        first, second = (picture.name.rpartition("/")[2] for picture in item.images)
        distorted = f"{item.facets['distortion']}-{item.facets['severity_level']}.png"
        right = (distorted, "plain.png")
        assert (first, second) == (right if item.answer == FIRST else right[::-1])
        assert BY_NAME[str(item.facets["distortion"])].noun in item.question


def test_the_order_is_balanced_over_levels_and_over_photographs(chart: ItemSet) -> None:
    by_photo, by_level = defaultdict(list), defaultdict(list)
    for item in of_task(chart, "compare"):
        by_photo[item.facets["photo"], item.facets["distortion"]].append(item.answer)
        by_level[item.facets["severity_level"], item.facets["distortion"]].append(item.answer)
    assert all(balance(answers) == {4} for answers in by_photo.values())
    assert all(balance(answers) == {N_PHOTOS // 2} for answers in by_level.values())


def test_a_statement_is_true_where_it_names_what_was_added(chart: ItemSet) -> None:
    by_trial = defaultdict(list)
    for item in of_task(chart, "detect"):
        claimed = BY_NAME[str(item.facets["distortion_claimed"])]
        assert (
            claimed.noun in item.question[0].lower() + item.question[1:]
            or claimed.noun in item.question
        )
        assert item.answer == (claimed.name == item.facets["distortion"])
        if item.facets["distortion"] == "none":
            assert item.images[0].name.endswith("plain.png")
        elif not item.answer:
            assert claimed.family != BY_NAME[str(item.facets["distortion"])].family
        by_trial[item.facets["photo"], item.facets["distortion"]].append(item.answer)
    for (_, distortion), answers in by_trial.items():
        assert Counter(answers) == ({False: 6} if distortion == "none" else {True: 4, False: 4})


def test_the_right_option_stands_equally_often_at_every_place(chart: ItemSet) -> None:
    identified = of_task(chart, "identify")
    places = [item.options.index(str(item.answer)) for item in identified]
    assert balance(places) == {len(identified) // 4}


def test_options_offer_nothing_that_could_be_mistaken_for_the_right_one(chart: ItemSet) -> None:
    for item in of_task(chart, "identify"):
        assert len(item.options) == 4
        assert NOTHING in item.options
        if item.answer == NOTHING:
            assert item.images[0].name.endswith("plain.png")
            continue
        right = BY_TITLE[str(item.answer)]
        assert right.name == item.facets["distortion"]
        others = set(item.options) - {right.title, NOTHING}
        assert all(BY_TITLE[title].family != right.family for title in others)


def test_several_options_hold_one_of_each_family_and_the_right_ones_were_added(
    chart: ItemSet,
) -> None:
    n_right = Counter(
        item.facets["options_that_are_right"] for item in of_task(chart, "identify-all")
    )
    assert n_right == {2: N_PHOTOS * 12, 1: N_PHOTOS * 4}
    for item in of_task(chart, "identify-all"):
        assert len({BY_TITLE[title].family for title in item.options}) == 4
        stem = item.images[0].name.rpartition("/")[2].rpartition("-")[0]
        assert isinstance(item.answer, tuple)
        assert {BY_TITLE[title].name for title in item.answer} == set(stem.split("+"))


def test_pairs_are_all_different_and_of_two_families() -> None:
    for index in range(20):
        pairs = choose_pairs(0, index)
        assert len({pair.name for pair in pairs}) == 12
        assert all(BY_NAME[p.first].family != BY_NAME[p.second].family for p in pairs)


def test_every_stimulus_and_the_photograph_itself_are_rated(chart: ItemSet) -> None:
    rated = Counter(
        (i.facets["distortion"], i.facets["severity_level"]) for i in of_task(chart, "rate")
    )
    expected = {(d.name, level) for d in DISTORTIONS for level in LEVELS} | {("none", 0)}
    assert set(rated) == expected
    assert set(rated.values()) == {N_PHOTOS}
    assert all(item.answer is None for item in of_task(chart, "rate"))


@pytest.mark.parametrize("task", ["name", "describe"])
def test_reference_texts_say_what_was_added_and_how_strongly(chart: ItemSet, task: str) -> None:
    write = {"name": reference, "describe": description}[task]
    asked = of_task(chart, task)
    assert len({(i.facets["distortion"], i.facets["severity_level"]) for i in asked}) == len(asked)
    for item in asked:
        distortion = BY_NAME[str(item.facets["distortion"])]
        assert item.answer == write(distortion, int(item.facets["severity_level"]))
        assert f"{item.facets['severity']:g}" in str(item.answer)


def test_reference_texts_read_well() -> None:
    assert reference(BY_NAME["colour_cast"], 8) == (
        "A colour cast has been added. Its strength is severe: a shift of 50 units in CIELAB. "
        "Nothing else has been changed."
    )
    assert description(BY_NAME["overexposure"], 1) == (
        "Overexposure has been applied to the photograph. Its strength is very slight (0.1 stops "
        "more light): the picture is brighter, and what is too bright to hold is clipped. "
        "No other fault has been added."
    )


def test_what_is_made_is_read_back_the_same(chart: ItemSet) -> None:
    path = chart.items[0].images[0].path
    assert path is not None
    folder = path.parents[2]
    assert read_items(folder) == chart
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert rows[0]["file_name"].startswith("images/0/")


def test_items_are_made_once_and_again_when_a_photograph_changes(
    album: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(album / "0.png", photos)
    source = Source(photos, tmp_path / "workspace")
    first = items(source)
    picture = first.items[0].images[0].path
    assert picture is not None
    made_at = picture.stat().st_mtime_ns
    assert items(source) == first
    assert picture.stat().st_mtime_ns == made_at
    shutil.copy(album / "1.png", photos / "0.png")
    assert items(source).card.digest != first.card.digest
    assert len(list((tmp_path / "workspace" / "items").iterdir())) == 2


def test_of_two_that_make_one_chart_at_once_both_have_it(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = Source(album, tmp_path, max_photos=1), tmp_path / "chart"
    put = snellen._put

    def late(unfinished: Path, folder: Path) -> None:
        shutil.copytree(unfinished, folder)
        put(unfinished, folder)

    monkeypatch.setattr(snellen, "_put", late)
    assert len(make(source, folder).items) == 331
    assert [path.name for path in tmp_path.iterdir()] == ["chart"]


def test_a_folder_that_something_else_fills_meanwhile_is_not_taken_for_the_chart(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = snellen._put

    def late(unfinished: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
        put(unfinished, folder)

    monkeypatch.setattr(snellen, "_put", late)
    with pytest.raises(BadInput, match="the items cannot be written there"):
        make(Source(album, tmp_path, max_photos=1), tmp_path / "chart")


def test_what_a_killed_process_left_is_removed_a_day_later(album: Path, tmp_path: Path) -> None:
    old, new, mine = (
        tmp_path / name
        for name in (".chart-old.unfinished", ".chart-new.unfinished", ".chart-mine")
    )
    for folder in (old, new, mine):
        folder.mkdir()
    for folder in (old, mine):
        os.utime(folder, (0, 0))
    make(Source(album, tmp_path, max_photos=1), tmp_path / "chart")
    assert (old.exists(), new.exists(), mine.exists()) == (False, True, True)


def test_unusable_photographs_are_left_out_and_all_named(album: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(album / "0.png", photos / "good.png")
    Image.new("RGB", (300, 300), "teal").save(photos / "constant.png")
    Image.new("RGB", (90, 90), "teal").save(photos / "small.png")
    (photos / "broken.jpg").write_bytes(b"not a picture")
    chart = make(Source(photos, tmp_path), tmp_path / "chart")
    assert {item.facets["photo"] for item in chart.items} == {"good.png"}
    (note,) = chart.card.notes
    assert note.startswith("Left out 3 photographs: broken.jpg (cannot be decoded: ")
    assert "constant.png (too flat: Gaussian blur at level 1 changes nothing)" in note
    assert "small.png (90x90 pixels become 72x72" in note
    assert [p.name for p in (tmp_path / "chart" / "images").iterdir()] == ["good"]


def test_without_a_usable_photograph_nothing_is_made(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (300, 300), "teal").save(photos / "constant.png")
    with pytest.raises(BadInput, match=r"none can be used. Left out 1 photograph: constant.png"):
        make(Source(photos, tmp_path), tmp_path / "chart")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_at_most_so_many_photographs_are_used(album: Path, tmp_path: Path) -> None:
    chart = make(Source(album, tmp_path, max_photos=1), tmp_path / "chart")
    assert {item.facets["photo"] for item in chart.items} == {"0.png"}
    with pytest.raises(BadInput, match="max_photos is 0; expected at least 1"):
        make(Source(album, tmp_path, max_photos=0), tmp_path / "none")


def test_photographs_whose_names_look_alike_are_kept_apart(album: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(album / "0.png", photos / "A b.png")
    shutil.copy(album / "1.png", photos / "a_b.png")
    chart = make(Source(photos, tmp_path), tmp_path / "chart")
    assert sorted(p.name for p in (tmp_path / "chart" / "images").iterdir()) == ["a-b", "a-b-2"]
    assert len({item.id for item in chart.items}) == 2 * 331


def test_a_folder_that_holds_something_is_not_written_over(album: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty; expected a new or empty folder"):
        make(Source(album, tmp_path), tmp_path)


def test_a_place_that_cannot_be_written_is_named(album: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="the items cannot be written there"):
        make(Source(album, tmp_path), tmp_path / "file" / "chart")


def test_a_curve_is_the_accuracy_at_each_severity_of_one_setting(chart: ItemSet) -> None:
    """A model that sees levels 5 to 8 beside the original, guesses below, and alone names all."""
    scores = [
        Score(i.id, "correct", float(int(i.facets["severity_level"]) >= 5 or i.answer == FIRST))
        for i in of_task(chart, "compare")
    ]
    scores += [Score(i.id, "correct", 1.0) for i in of_task(chart, "identify")]
    found = curves(chart, scores)
    settings = [("beside the original", 1 / 2), ("from one photograph alone", 1 / 4)]
    assert [(curve.setting, curve.chance, curve.name) for curve in found] == [
        (*setting, distortion.name) for setting in settings for distortion in DISTORTIONS
    ]
    for curve, distortion in zip(found, DISTORTIONS, strict=False):
        assert curve.severities == distortion.severities
        assert [point.value for point in curve.points] == [0.5] * 4 + [1.0] * 4
        assert {point.n for point in curve.points} == {N_PHOTOS}
        assert curve.threshold.value is not None
        assert distortion.severities[2] < curve.threshold.value < distortion.severities[5]
    for curve in found[len(DISTORTIONS) :]:
        assert curve.threshold.value == curve.severities[0]


def test_unscored_questions_count_as_wrong_and_other_tasks_not_at_all(chart: ItemSet) -> None:
    scores = [Score(item.id, "correct", None, why="unparsed") for item in of_task(chart, "compare")]
    scores += [Score(item.id, "correct", 1.0) for item in of_task(chart, "detect")]
    for curve in curves(chart, scores):
        assert [point.value for point in curve.points] == [0.0] * 8
        assert curve.threshold.value is None


def test_what_was_not_asked_has_no_curve(chart: ItemSet) -> None:
    some = tuple(i for i in of_task(chart, "compare") if i.facets["distortion"] == "noise")
    (curve,) = curves(ItemSet(chart.card, some), [Score(i.id, "correct", 1.0) for i in some])
    assert (curve.name, curve.unit) == ("noise", "grey levels")
