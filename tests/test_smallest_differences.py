"""What a benchmark's parts can show: by published sizes, by items, and by runs."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.benchmarks.qbench_files import png

from eyechart.benchmarks.qbench_portrait import BENCHMARK
from eyechart.errors import BadInput, UnknownName
from eyechart.items import Card
from eyechart.metrics.power import ALPHA, POWER, smallest_difference, too_few
from eyechart.power import PowerSettings, power_of, power_table
from eyechart.power.printing import print_power
from eyechart.power.reporting import write
from eyechart.records import Estimate, Item, Kind, Picture, Score
from eyechart.run_folder import RunInfo, write_info, write_items, write_scores

PORTRAIT = BENCHMARK.sizes
PLUGIN = '''
from eyechart.benchmarks import Benchmark
from eyechart.items import Card, ItemSet
from eyechart.records import Item

def items(source):
    """So many questions as the data say."""
    return ItemSet(Card("mine"), tuple(
        Item(str(i), "true_false", "Is it blurred?", (), answer=True)
        for i in range(int(source.data[0]))
    ))

BENCHMARK = Benchmark("mine", "Mine", "1", "", "", "", items, sizes={sizes})
'''


def plugin(folder: Path, sizes: str = "{}") -> str:
    file = folder / "mine.py"
    file.write_text(PLUGIN.replace("{sizes}", sizes))
    return str(file)


def questions(n: int, kind: Kind = "true_false", **facets: int) -> list[Item]:
    """Questions about a photograph each; a facet of k values takes them in turn."""
    return [
        Item(
            f"q{i}",
            kind,
            f"Is photograph {i} blurred?",
            (Picture(name=f"{i}.png", sha256=f"{i:064x}", path=Path(f"{i}.png")),),
            answer=True if kind == "true_false" else "Yes" if kind == "open" else None,
            facets={name: f"{name} {i % k}" for name, k in facets.items()},
        )
        for i in range(n)
    ]


def run(
    folder: Path,
    items: Sequence[Item],
    marks: Sequence[float | None],
    name: str = "correct",
    *,
    card: Card | None = None,
) -> str:
    """A run folder with these marks, asked of nobody; None: the judge owes it."""
    folder.mkdir()
    write_info(folder, RunInfo("mine", folder.name, "", "", {}, card or Card("mine", "Mine")))
    write_items(folder, items)
    scores = [
        Score(
            item.id,
            "verdict" if item.kind == "open" else name,
            mark,
            None if mark is not None else "unjudged",
        )
        for item, mark in zip(items, marks, strict=True)
    ]
    write_scores(folder, scores)
    return str(folder)


def correlated(n: int, shared: float, n_models: int = 3) -> list[list[float]]:
    """Marks of models that copy one list of answers in `shared` of the questions."""
    rng = np.random.default_rng(n)
    common = rng.random(n) < 0.6
    marks = []
    for _ in range(n_models):
        own = rng.random(n) < 0.6
        marks.append(np.where(rng.random(n) < shared, common, own).astype(float).tolist())
    return marks


def test_published_sizes_are_used_without_any_data() -> None:
    report = power_of(["qbench-portrait"])
    lines = {(line.group, line.label): line.entries for line in report.table.lines}
    n, unpaired, paired, remark = lines["", "All questions"]
    assert [e.value for e in (n, unpaired, paired) if isinstance(e, Estimate)] == [
        2765,
        smallest_difference(2765),
        smallest_difference(2765, correlation=0.5),
    ]
    assert remark == ""
    assert lines["Image source/dimension", "AGIs/Aesthetics"][-1] == "shows nothing under 20 points"
    assert ("Kind/scope", "single choice/Local") in lines
    assert "The sizes are as published; no data were read." in report.notes
    assert "Open questions are taken as right or wrong, without half marks." in report.notes


def test_the_headline_tells_the_whole_the_smallest_part_and_how_many_parts_show_little() -> None:
    assert power_of(["qbench-portrait"]).headline == (
        "Over all 2,765 questions a difference of 2.6 points shows between two models that answer "
        "the same ones, and one of 3.7 points where each has its own. Over the 17 questions of "
        "NBU-CIQAD (source dataset) none under 42.5 points shows. 7 of 61 parts show nothing under "
        "20 points."
    )


def test_few_and_many_questions_are_told_in_other_words(tmp_path: Path) -> None:
    few = plugin(tmp_path, '{"": {"": 3}, "scope": {"Global": 2, "Local": 1}}')
    assert power_of([few]).headline == (
        "Over all 3 questions no difference between two models shows. Over the 1 question of Local "
        "(scope) none shows. 2 of 2 parts show nothing under 20 points."
    )
    many = plugin(tmp_path, '{"scope": {"Global": 900, "Local": 400}}')
    assert power_of([many]).headline == (
        "Over the 900 questions of Global (scope) a difference of 4.7 points shows between two "
        "models that answer the same ones, and one of 6.4 points where each has its own. Over the "
        "400 questions of Local (scope) none under 7.1 points shows. Every part shows a difference "
        "of 20 points."
    )
    mixed = plugin(tmp_path, '{"": {"": 900}, "scope": {"Global": 880, "Local": 20}}')
    assert power_of([mixed]).headline.endswith("1 of 2 parts shows nothing under 20 points.")


def test_the_parts_that_show_nothing_are_those_that_reports_grey() -> None:
    sizes = {"size": {str(n): n for n in range(1, 100)}}
    for line, n in zip(power_table(sizes).lines, range(1, 100), strict=True):
        assert (line.entries[-1] == "shows nothing under 20 points") == too_few(n)


def test_a_difference_that_the_accuracy_does_not_allow_is_not_asked_for() -> None:
    report = power_of(["qbench-portrait"], PowerSettings(accuracy=0.999))
    largest = report.taken.largest
    assert report.headline == (
        "Over all 2,765 questions no difference shows between two models that answer the same "
        "ones, but one of 0.2 points where each has its own. Over the 17 questions of NBU-CIQAD "
        "(source dataset) none shows. 61 of 61 parts show no difference on the same questions; at "
        "this accuracy none over 0.2 points can exist."
    )
    assert {line.entries[-1] for line in report.table.lines} == {
        "shows nothing where paired; over 0.2 points cannot exist"
    }
    assert report.notes[2] == (
        "Two models of that mean accuracy differ by at most 0.2 points: a larger difference cannot "
        "exist."
    )
    assert largest == pytest.approx(0.002)
    assert {record["shows_20_points"] for record in report.records()} == {None}


def test_parts_that_show_a_difference_that_can_exist_have_no_remark(tmp_path: Path) -> None:
    name = plugin(tmp_path, '{"": {"": 900}, "scope": {"Global": 500, "Local": 400}}')
    report = power_of([name], PowerSettings(accuracy=0.05))
    assert report.headline.endswith(
        "At this accuracy no difference over 10 points can exist, and every part shows one that "
        "can."
    )
    assert {line.entries[-1] for line in report.table.lines} == {""}
    one = plugin(tmp_path, '{"": {"": 900}, "scope": {"Global": 890, "Local": 10}}')
    assert power_of([one], PowerSettings(accuracy=0.95)).headline.endswith(
        "1 of 2 parts shows no difference on the same questions; at this accuracy none over 10 "
        "points can exist."
    )


def test_where_20_points_are_the_most_there_can_be_they_are_still_asked_for() -> None:
    for accuracy in (0.1, 0.9):
        report = power_of(["qbench-portrait"], PowerSettings(accuracy=accuracy))
        assert report.headline.endswith(" parts show nothing under 20 points.")
        assert report.records()[0]["shows_20_points"] is True


def test_a_part_that_shows_a_difference_only_where_each_has_its_own_is_told_so(
    tmp_path: Path,
) -> None:
    name = plugin(tmp_path, '{"": {"": 2800}, "scope": {"Global": 2790, "Local": 2765}}')
    told = power_of([name], PowerSettings(accuracy=0.999)).headline
    assert "questions of Local (scope) none shows between two that answer the same ones." in told


def test_items_are_counted_by_facet_and_kind(tmp_path: Path) -> None:
    folder = tmp_path / "items"
    folder.mkdir()
    rows = [
        {"id": str(i), "kind": kind, "question": "Is it sharp?", "answer": answer, "scope": scope}
        for i, (kind, answer, scope) in enumerate(
            [("true_false", True, "Local")] * 3 + [("open", "Yes", "Global")] * 5
        )
    ]
    rated = {"id": "8", "kind": "rate", "question": "Rate it.", "scope": "Local"}
    text = "".join(json.dumps(row) + "\n" for row in [*rows, rated])
    (folder / "metadata.jsonl").write_text(text)
    report = power_of([folder])
    assert report.sized.sizes == {"": {"": 8}, "kind": {"true_false": 3, "open": 5}}
    assert "1 rated item is left out: none is right or wrong." in report.notes


def test_a_benchmark_that_is_known_by_its_data_asks_for_them(tmp_path: Path) -> None:
    told = "its sizes are not known without its data; name them with --data as in `eyechart run`"
    for name in (plugin(tmp_path), "qbench-perception"):
        with pytest.raises(BadInput, match=told):
            power_of([name])
    found = power_of([plugin(tmp_path)], PowerSettings(data=("200",)))
    assert [part.n for part in found.parts] == [200]


def test_data_come_before_published_sizes(tmp_path: Path) -> None:
    name = plugin(tmp_path, '{"": {"": 900}}')
    assert power_of([name]).parts[0].n == 900
    assert power_of([name], PowerSettings(data=("20",))).parts[0].n == 20


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (PowerSettings(accuracy=0.0), "--accuracy is 0; expected a number above 0 and below 1, su"),
        (PowerSettings(accuracy=1.0), "--accuracy is 1; expected a number above 0 and below 1, su"),
        (PowerSettings(accuracy=math.nan), "--accuracy is nan; expected a number above 0"),
        (PowerSettings(correlation=2.0), "--correlation is 2; expected a number from -1 to 1, su"),
        (PowerSettings(correlation=math.nan), "--correlation is nan; expected a number from"),
        (PowerSettings(power=1.0), "--power is 1; expected a number above 0 and below 1, such as"),
        (PowerSettings(alpha=0.0), "--alpha is 0; expected a number above 0 and below 1, such as"),
        (PowerSettings(alpha=0.9), "--alpha is 0.9 and power 0.8; expected alpha to be the smal"),
    ],
)
def test_absurd_settings_are_refused_by_their_options_before_anything_is_read(
    settings: PowerSettings, told: str
) -> None:
    with pytest.raises(BadInput, match=f"^{told}"):
        power_of(["no-such-benchmark"], settings)


def test_columns_are_refused_for_what_has_its_own(tmp_path: Path) -> None:
    runs = [run(tmp_path / name, questions(5), [1.0, 0.0] * 2 + [1.0]) for name in "ab"]
    columns = PowerSettings(columns=tmp_path / "columns.toml")
    told = "a run has its own items; leave out --data, --columns and --photos"
    for targets in ([runs[0]], runs):
        with pytest.raises(BadInput, match=f"a: {told}"):
            power_of(targets, columns)
    with pytest.raises(BadInput, match=f"a: {told}"):
        power_of(runs, PowerSettings(data=("x",)))
    folder = tmp_path / "items"
    folder.mkdir()
    row = {"id": "1", "kind": "true_false", "question": "Is it sharp?", "answer": True}
    (folder / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(BadInput, match="an item folder has its own data and columns; leave out"):
        power_of([folder], columns)
    with pytest.raises(BadInput, match=r"columns.toml says what --data call their columns; name"):
        power_of(["qbench-portrait"], columns)


def test_photographs_that_data_name_are_found_in_their_folder(tmp_path: Path) -> None:
    taxonomy = {"image_source": "NIs", "source_dataset": "AVA", "dimension": "Technical"}
    rows = [
        {"image": f"{i}.png", "kind": "TF", "question": f"Is it blurred, {i}?", "answer": True}
        | {"concern": "Blur", "scope": "Global", **taxonomy}
        for i in range(3)
    ]
    (tmp_path / "q.json").write_text(json.dumps(rows))
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(3):
        (photos / f"{i}.png").write_bytes(png(i))
    settings = PowerSettings(data=(str(tmp_path / "q.json"),), workspace=tmp_path / "runs")
    with pytest.raises(BadInput, match="give their folder with --photos"):
        power_of(["qbench-portrait"], settings)
    found = power_of(["qbench-portrait"], dataclasses.replace(settings, photos=photos))
    assert found.parts[0].n == 3


def test_photographs_are_refused_where_nothing_names_them(tmp_path: Path) -> None:
    photos = PowerSettings(photos=tmp_path)
    told = "is where photographs that --data name lie; name the data with --data, or leave out"
    for name in ("qbench-portrait", "qbench-perception"):
        with pytest.raises(BadInput, match=f"^{name}: --photos .* {told} --photos$"):
            power_of([name], photos)
    runs = [run(tmp_path / name, questions(5), [1.0, 0.0] * 2 + [1.0]) for name in "ab"]
    for targets in (runs[:1], runs):
        with pytest.raises(BadInput, match=r"a: a run has its own items; leave out .* and --photo"):
            power_of(targets, photos)


def test_photographs_of_a_benchmark_that_is_made_of_them_are_read(tmp_path: Path) -> None:
    missing = PowerSettings(photos=tmp_path / "missing")
    with pytest.raises(BadInput, match="missing: no such folder; --photos names a folder of photo"):
        power_of(["snellen"], missing)


def test_an_unknown_name_is_told_beside_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'qbench-portrait'"):
        power_of(["qbench-portrai"], PowerSettings(workspace=tmp_path))


def test_a_run_is_counted_like_its_items_and_nothing_is_estimated_from_one(tmp_path: Path) -> None:
    report = power_of([run(tmp_path / "a", questions(60, scope=2), [1.0] * 60)])
    assert report.sized.sizes == {"": {"": 60}, "scope": {"scope 0": 30, "scope 1": 30}}
    assert (report.taken.accuracy, report.taken.correlation) == (0.6, 0.5)
    assert any("Name two or more run folders" in note for note in report.notes)
    with pytest.raises(
        BadInput, match="a run has its own items; leave out --data, --columns and --photos"
    ):
        power_of([tmp_path / "a"], PowerSettings(data=("x",)))


def test_accuracy_and_correlation_are_estimated_from_runs_on_the_same_items(
    tmp_path: Path,
) -> None:
    marks = correlated(400, shared=0.8)
    runs = [run(tmp_path / f"m{i}", questions(400), mine) for i, mine in enumerate(marks)]
    report = power_of(runs)
    pairs = [np.corrcoef(marks[a], marks[b])[0, 1] for a, b in ((0, 1), (0, 2), (1, 2))]
    assert report.taken.accuracy == pytest.approx(np.mean(marks))
    assert report.taken.correlation == pytest.approx(np.mean(pairs))
    assert report.taken.correlation == pytest.approx(0.64, abs=0.1)
    assert report.notes[1] == (
        "The two models' mean accuracy is 64.8 % (the mean of 3 runs), the correlation of their "
        "marks on the same questions 0.66 (the mean over 3 pairs of runs, 0.62 to 0.70)."
    )
    assert not any("Name two or more run folders" in note for note in report.notes)
    assert report.parts[0].paired == smallest_difference(
        400, accuracy=report.taken.accuracy, correlation=report.taken.correlation
    )


def test_what_is_given_comes_before_what_runs_say(tmp_path: Path) -> None:
    marks = correlated(50, shared=0.5, n_models=2)
    runs = [run(tmp_path / f"m{i}", questions(50), mine) for i, mine in enumerate(marks)]
    report = power_of(runs, PowerSettings(accuracy=0.3, correlation=-0.2))
    assert "30.0 % (given)" in report.notes[1] and "−0.20 (given)" in report.notes[1]


def test_verdicts_that_a_judge_owes_leave_their_questions_out(tmp_path: Path) -> None:
    items = questions(20, "open")
    first = run(tmp_path / "a", items, [0.5, 1.0] * 10)
    second = run(tmp_path / "b", items, [None, 0.5, 1.0, 0.0] * 5)
    report = power_of([first, second])
    assert report.parts[0].n == 15
    assert "5 questions are not marked in all runs and left out." in report.notes
    third = run(tmp_path / "c", items, [None] * 20)
    with pytest.raises(BadInput, match="a, c: no question is marked in all of these runs; expect"):
        power_of([first, third])


def test_runs_that_are_always_right_tell_no_accuracy(tmp_path: Path) -> None:
    runs = [run(tmp_path / name, questions(30), [1.0] * 30) for name in ("a", "b")]
    with pytest.raises(BadInput, match=r"a, b: every answer is right, .* one with --accuracy"):
        power_of(runs)
    report = power_of(runs, PowerSettings(accuracy=0.9))
    assert report.taken.correlation_from == "assumed"


def test_several_targets_must_all_be_runs(tmp_path: Path) -> None:
    first = run(tmp_path / "a", questions(5), [1.0] * 5)
    with pytest.raises(BadInput, match="snellen: not a run folder; several targets must be runs"):
        power_of([first, "snellen"])
    with pytest.raises(BadInput, match="expected a benchmark, items or run folders; none was"):
        power_of([])


def test_a_run_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    twice = run(tmp_path / "a", questions(5), [1.0] * 5)
    with pytest.raises(BadInput, match="/a: given twice; expected different run folders"):
        power_of([twice, Path(twice) / ".." / "a"])


ASKED: dict[str, dict[str, Any]] = {
    "single": {"options": ("Yes", "No"), "answer": "Yes"},
    "multiple": {"options": ("Yes", "No"), "answer": ("Yes",)},
    "true_false": {"answer": True},
    "open": {"answer": "Yes"},
}


def portraits(n: int) -> list[Item]:
    """So many questions of each published cell: image source, dimension, kind and scope."""
    cells = itertools.product(PORTRAIT["image_source/dimension"], PORTRAIT["kind/scope"], range(n))
    found = []
    for i, (about, asked, _) in enumerate(cells):
        (source, dimension), (kind, scope) = about.split("/"), asked.split("/")
        facets = {"dimension": dimension, "image_source": source, "scope": scope}
        found.append(Item(f"q{i}", cast(Kind, kind), "?", (), **ASKED[kind], facets=facets))
    return found[::-1]


def test_items_and_runs_are_counted_in_the_parts_and_the_order_that_are_published(
    tmp_path: Path,
) -> None:
    items = portraits(2)
    marks = correlated(len(items), shared=0.5, n_models=2)
    card = Card("mine", "Mine", benchmark="qbench-portrait")
    runs = [run(tmp_path / f"m{i}", items, mine, card=card) for i, mine in enumerate(marks)]
    for targets in (runs[:1], runs):
        sizes = power_of(targets).sized.sizes
        published = {name: list(values) for name, values in PORTRAIT.items() if name in sizes}
        assert {name: list(values) for name, values in sizes.items()} == published
        assert list(sizes) == [
            *("", "image_source", "dimension", "kind", "scope"),
            *("image_source/dimension", "kind/scope"),
        ]
        assert sizes["image_source/dimension"]["AGIs/Technical"] == 16
        assert sizes["kind/scope"]["open/Local"] == 20


def test_items_that_belong_to_no_benchmark_are_counted_in_no_crossing(tmp_path: Path) -> None:
    report = power_of([run(tmp_path / "a", portraits(2), [1.0] * 160)])
    assert list(report.sized.sizes) == ["", "kind", "scope", "dimension", "image_source"]


def test_ratings_have_no_difference_of_accuracies(tmp_path: Path) -> None:
    rated = run(tmp_path / "a", questions(5, "rate"), [0.5] * 5, "rating")
    with pytest.raises(BadInput, match="all its items are rated and none is right or wrong"):
        power_of([rated])


def test_questions_about_one_photograph_are_told_to_weigh_less(tmp_path: Path) -> None:
    one = questions(1)[0].images
    items = [Item(f"{i}", "true_false", f"{i}?", one, answer=True) for i in range(30)]
    report = power_of([run(tmp_path / "a", items, [1.0] * 30)])
    assert any(note.startswith("Several questions are about one photo") for note in report.notes)


def test_the_records_are_flat_and_hold_what_was_taken(tmp_path: Path) -> None:
    report = power_of([plugin(tmp_path, '{"": {"": 3}}')])
    assert json.loads(json.dumps(report.records())) == [
        {
            **{"facet": "", "value": "", "n": 3, "unpaired": None, "paired": None},
            **{"shows_20_points": False, "accuracy": 0.6, "correlation": 0.5},
            **{"power": POWER, "alpha": ALPHA},
        }
    ]


def test_what_is_printed_has_a_line_for_each_part(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = plugin(tmp_path, '{"": {"": 900}, "scope": {"Global": 896, "Local": 4}}')
    print_power(power_of([name]))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:6] == [
        "Smallest difference, in points: Mine",
        "questions n unpaired paired",
        "All questions 900 6.4 4.7",
        "Scope",
        "Global 896 6.5 4.7",
    ]
    assert lines[6] == "Local 4 78.8 – shows nothing under 20 points"
    assert lines[-1].startswith("Note: This is of one pair of models")


def test_the_page_holds_the_table_and_a_run_is_not_written_over(tmp_path: Path) -> None:
    report = power_of(["qbench-portrait"])
    page = write(report, tmp_path / "power")
    text = page.read_text()
    assert "What differences show: Q-Bench-Portrait" in text
    assert "NBU-CIQAD" in text and "shows nothing under 20 points" in text
    assert "Replies scored" not in text
    assert (tmp_path / "power/tables/power.csv").is_file()
    folder = run(tmp_path / "a", questions(5), [1.0] * 5)
    with pytest.raises(BadInput, match="holds a run and its report; choose another folder"):
        write(report, Path(folder))
