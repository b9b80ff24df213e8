"""Q-Bench assessment: databases as people have them become items, ratings become its tables."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from tests.assessment.results import Record, database, records

from eyechart.asking.backend import Answer
from eyechart.assessment.study import compare
from eyechart.assessment.subjects import read_subjects
from eyechart.backends.scripted import Scripted
from eyechart.benchmarks import Findings, Source
from eyechart.benchmarks.qbench_assessment import BENCHMARK, tell
from eyechart.errors import BadInput
from eyechart.items import ItemSet, cluster_of, read_items
from eyechart.records import Estimate, Request, Score
from eyechart.run import evaluate
from eyechart.run_settings import RunSettings
from eyechart.strategies import strategy


def items(*data: str | Path, photos: Path | None = None) -> ItemSet:
    return BENCHMARK.items(Source(photos, Path("unused"), data=tuple(map(str, data))))


def csv_list(folder: Path, text: str) -> Path:
    database(folder, [{"img_path": "a.jpg"}, {"img_path": "b.jpg"}])
    (folder / "mos.csv").write_text(text)
    return folder / "mos.csv"


def scored(item_set: ItemSet, value: Callable[[float], float], name: str = "rating") -> list[Score]:
    return [Score(item.id, name, value(item.mos or 0.0)) for item in item_set.items]


def test_a_released_list_becomes_an_item_for_each_image(tmp_path: Path) -> None:
    rows = records(4)
    item_set = items(f"agi={database(tmp_path, rows)}")
    first = item_set.items[0]
    assert [item.id for item in item_set.items] == [f"AGIQA-3K/00{n}.jpg" for n in range(4)]
    assert (first.kind, first.mos, first.source) == ("rate", rows[0]["gt_score"], "AGIQA-3K")
    assert first.question == "Rate the quality of the image."
    assert first.facets == {"database": "AGIQA-3K"}
    assert first.images[0].path == tmp_path / "000.jpg"


def test_the_card_tells_where_the_items_are_from(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps({"title": "My images", "licence": "CC0"}))
    card = items(f"agi={database(tmp_path, records(4))}").card
    assert (card.name, card.benchmark, card.n_items) == ("qbench-assessment",) * 2 + (4,)
    assert card.title == "Q-Bench assessment (A3): My images"
    assert card.licence == "CC0"
    assert card.notes == ()


def test_another_list_has_another_digest(tmp_path: Path) -> None:
    digests = {
        items(f"agi={database(tmp_path / str(seed), records(4, seed=seed))}").card.digest
        for seed in range(3)
    }
    assert len(digests) == 3


def test_a_table_of_scores_will_do_as_well(tmp_path: Path) -> None:
    item_set = items(csv_list(tmp_path, "original_name,file_name,mos\nx.bmp,a.jpg,1\n,b.jpg,2\n"))
    assert [(item.id, item.mos) for item in item_set.items] == [
        ("mos/a.jpg", 1.0),
        ("mos/b.jpg", 2.0),
    ]


def test_images_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    database(photos / "agi", records(2))
    rows = database(tmp_path / "lists", records(2), images=0).rename(
        tmp_path / "lists" / "agi.json"
    )
    item_set = items(rows, photos=photos)
    assert item_set.items[0].images[0].path == photos / "agi" / "000.jpg"


def test_an_item_folder_is_a_database_too(tmp_path: Path) -> None:
    database(tmp_path, records(2))
    row = {"id": "1", "file_name": "000.jpg", "mos": 3.5, "camera": "phone"}
    described = {"id": "2", "file_name": "001.jpg", "kind": "describe", "question": "Describe."}
    lines = "".join(json.dumps(one) + "\n" for one in (row, described))
    (tmp_path / "metadata.jsonl").write_text(lines)
    item_set = items(f"mine={tmp_path}")
    (item,) = item_set.items
    assert (item.id, item.mos) == ("mine/1", 3.5)
    assert item.facets == {"database": "mine", "camera": "phone"}
    assert "1 items that are not rated photographs are left out" in item_set.card.notes[0]


def test_several_databases_are_read_side_by_side(tmp_path: Path) -> None:
    one = database(tmp_path / "a", records(2))
    other = database(tmp_path / "b", records(3))
    item_set = items(f"koniq={one}", f"my own={other}")
    assert [item.facets["database"] for item in item_set.items] == ["KonIQ-10k"] * 2 + [
        "my own"
    ] * 3
    assert len({cluster_of(item, item_set.card) for item in item_set.items}) == 5


def test_versions_of_one_photograph_are_one_cluster(tmp_path: Path) -> None:
    rows = [{**row, "img_path": f"I01_{n:02}_01.png"} for n, row in enumerate(records(3))]
    item_set = items(f"kadid={database(tmp_path, rows)}")
    assert item_set.card.cluster == "reference"
    assert {cluster_of(item, item_set.card) for item in item_set.items} == {"I01"}


def test_every_item_of_a_halved_database_knows_its_half(tmp_path: Path) -> None:
    item_set = items(f"cgi={database(tmp_path, records(3))}")
    assert {item.facets["half"] for item in item_set.items} == {"first"}


def test_an_item_folders_halves_are_told_by_places_among_all_its_ratings(tmp_path: Path) -> None:
    """An image whose score is missing moves none to the other half."""
    database(tmp_path, records(2))
    rows = [
        {"id": str(n), "file_name": f"00{n % 2}.jpg", "kind": "rate", "question": "Rate it."}
        | ({"mos": n} if n != 7 else {})
        for n in range(3_001)
    ]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    halves = [item.facets["half"] for item in items(f"cgi={tmp_path}").items]
    assert (halves.count("first"), halves.count("second")) == (2_999, 1)


@pytest.mark.parametrize(("most", "ids"), [(None, 5), (1, 1), (2, 2), (3, 3), (9, 5)])
def test_only_the_first_rows_are_read_where_so_many_are_wanted(
    most: int | None, ids: int, tmp_path: Path
) -> None:
    data = (
        f"koniq={database(tmp_path / 'a', records(2))}",
        f"mine={database(tmp_path / 'b', records(3))}",
    )
    whole = [item.id for item in items(*data).items]
    item_set = BENCHMARK.items(Source(None, Path("unused"), max_photos=most, data=data))
    assert [item.id for item in item_set.items] == whole[:ids]
    assert item_set.card.n_items == ids
    assert ("mine" in item_set.card.title) == (ids > 2)


def test_only_the_first_items_of_a_folder_are_read_where_so_many_are_wanted(tmp_path: Path) -> None:
    database(tmp_path, records(2))
    rows = [{"id": str(n), "file_name": f"00{n}.jpg", "mos": 3.5} for n in range(2)]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = Source(None, Path("unused"), max_photos=1, data=(f"mine={tmp_path}",))
    assert [item.id for item in BENCHMARK.items(source).items] == ["mine/0"]


def test_without_a_database_it_is_said_how_to_name_one() -> None:
    with pytest.raises(BadInput, match=r"name a list of images.*--data.*e\.g\. eyechart run"):
        items()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nowhere.json", r"there is no nowhere\.json; expected FILE\.json"),
        ("koniq=nowhere.json", r"there is no nowhere\.json"),
        ("q-future/A3", r"databases are not read from the hub: fetch it, .*expected FILE\.json"),
        ("mine=hf://datasets/me/mine", r"databases are not read from the hub: fetch it"),
        (__file__, r"expected FILE\.json, FILE\.csv or an item folder"),
    ],
)
def test_what_is_no_database_is_told(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        items(text)


def test_a_database_named_twice_is_told(tmp_path: Path) -> None:
    file = database(tmp_path, records(2))
    with pytest.raises(BadInput, match=r"KonIQ-10k is named twice.*a name of its own: NAME=PATH"):
        items(f"koniq={file}", f"KonIQ-10k={file}")


def row(**changed: Any) -> Record:
    return {"img_path": "a.jpg", "gt_score": 3.0, **changed}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            row(img_path="b.jpg", gt_score="high"),
            r"gt_score: expected a number from 1 up to 5 .*, not 'high'",
        ),
        (
            row(img_path="b.jpg", gt_score="nan"),
            r"gt_score: expected a number from 1 up to 5 .*, not 'nan'",
        ),
        (
            row(img_path="b.jpg", gt_score=71.3),
            r"gt_score: .*the scale of KonIQ-10k; give another as mos_low .*, not 71.3",
        ),
        (
            row(img_path="b.jpg", gt_score=None),
            r"gt_score: expected a number from 1 up to 5 .*, not None",
        ),
        (row(img_path="z.jpg"), r"image: expected the file z\.jpg in one of .*; say with --photos"),
        (row(img_path="../a.jpg"), r"image: expected a file inside the folder of images"),
        (row(img_path="/etc/passwd"), r"image: expected a file inside the folder of images"),
        (row(img_path=None), r"image: expected a file name, not None"),
    ],
)
def test_a_bad_row_is_told_with_where_it_is_and_what_was_expected(
    bad: Record, told: str, tmp_path: Path
) -> None:
    file = database(tmp_path, [row(), row(img_path="b.jpg")])
    file.write_text(json.dumps([row(), bad]))
    with pytest.raises(BadInput, match=rf"list\.json: record 2: {told}"):
        items(f"koniq={file}")


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    file = database(tmp_path / "set=a", records(2))
    assert items(file).items[0].source == "list"
    assert items(f"mine={file}").items[0].source == "mine"


def test_an_image_listed_twice_is_told(tmp_path: Path) -> None:
    file = database(tmp_path, [row(), row()])
    with pytest.raises(BadInput, match=r"record 2: id: expected an id of its own, .*record 1 has"):
        items(file)


def test_bad_rows_of_a_table_are_told_with_their_lines_all_at_once(tmp_path: Path) -> None:
    file = csv_list(tmp_path, "file_name,mos\na.jpg,1\nd.jpg,y\n" + "c.jpg,x\n" * 25)
    with pytest.raises(BadInput, match="26 bad rows; mend them and try again") as caught:
        items(file)
    assert "mos.csv:3: mos: expected a number, not 'y'" in str(caught.value)
    assert "mos: expected a number, not 'x'; in 25 rows: " in str(caught.value)
    assert "mos.csv:4, " in str(caught.value)


@pytest.mark.parametrize(
    ("card", "mos", "told"),
    [
        ({"mos_low": 0, "mos_high": 1}, 3, "from 0 up to 1 .the scale in card.json., not 3"),
        ({"mos_high": 1}, 3, "a number up to 1 .the scale in card.json., not 3"),
        ({"mos_low": "1"}, 3, "mos_low: expected a number, not '1'"),
    ],
)
def test_a_cards_scale_is_kept_to(
    card: dict[str, Any], mos: float, told: str, tmp_path: Path
) -> None:
    file = database(tmp_path, [row(gt_score=mos)])
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(BadInput, match=told):
        items(f"koniq={file}")


def test_a_cards_scale_counts_before_that_of_a_known_database(tmp_path: Path) -> None:
    file = database(tmp_path, [row(gt_score=71.3)])
    (tmp_path / "card.json").write_text(json.dumps({"mos_low": 1, "mos_high": 100}))
    assert items(f"koniq={file}").items[0].mos == 71.3


def test_an_item_folders_missing_image_and_score_beyond_the_scale_are_told(tmp_path: Path) -> None:
    database(tmp_path, [row()])
    lines = [
        {"id": "1", "file_name": "a.jpg", "mos": 9},
        {"id": "2", "file_name": "gone.jpg", "mos": 3},
    ]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert len(read_items(tmp_path).items) == 2
    with pytest.raises(BadInput, match="2 bad rows") as caught:
        items(f"koniq={tmp_path}")
    assert "(item 1): mos: expected a number from 1 up to 5" in str(caught.value)
    assert "(item 2): image: expected the file" in str(caught.value)


def findings(
    item_set: ItemSet, scores: list[Score], *strategies: str, begun: bool = True
) -> Findings:
    specs = tuple(strategy(spec).spec for spec in strategies or BENCHMARK.strategies)
    return Findings(item_set, (), scores, "mine", strategies=specs, begun=begun)


def test_it_is_said_how_many_of_the_published_images_were_asked_about(tmp_path: Path) -> None:
    """Of those that were asked, not of those that were read; beside the tables too."""
    item_set = items(f"agi={database(tmp_path, records(30))}")
    asked = dataclasses.replace(item_set, items=item_set.items[:20])
    told = tell(findings(asked, scored(asked, lambda mos: mos)))
    note = "AGIQA-3K: 20 of 2,982 images; figures of a part are not those of the whole."
    assert told.notes == (note,)
    for table in told.tables[:2]:
        assert table.note.endswith(note)
    assert tell(findings(asked, [])).notes == (note,)


def test_published_rows_stand_beside_answers_that_were_begun_only(tmp_path: Path) -> None:
    item_set = items(f"agi={database(tmp_path, records(30))}")
    scores = scored(item_set, lambda mos: mos)
    for begun, n in ((True, 15), (False, 0)):
        tables = tell(findings(item_set, scores, begun=begun)).tables
        assert [sum(line.published for line in table.lines) for table in tables] == [n, n, 0]
        assert ("No published rows" in tables[0].note) is not begun


@pytest.mark.parametrize(
    ("spec", "value"),
    [("softmax", 1.0), ("word-sets", 1.0), ("argmax", None), ("sampling", None)],
)
def test_ratings_that_the_softmax_rounds_to_the_same_are_ranked_by_their_log_odds(
    spec: str, value: float | None, tmp_path: Path
) -> None:
    """A choice of a word, and votes, are their own ranks."""
    item_set = items(database(tmp_path, records(30)))
    scores = [Score(i.id, "rating", 1.0, draws=(800 + (i.mos or 0),)) for i in item_set.items]
    table = tell(findings(item_set, scores, spec)).tables[0]
    assert table.lines[0].entries[0].value == value  # type: ignore[union-attr]
    scores[0] = dataclasses.replace(scores[0], draws=())
    table = tell(findings(item_set, scores, spec)).tables[0]
    assert table.lines[0].entries[0].value is None  # type: ignore[union-attr]


def test_the_tables_are_the_leaderboards_with_ours_above(tmp_path: Path) -> None:
    item_set = items(
        f"koniq={database(tmp_path / 'a', records(30))}",
        f"agi={database(tmp_path / 'b', records(40))}",
    )
    scores = scored(item_set, lambda mos: mos / 5)
    srcc, plcc, detail = tell(findings(item_set, scores)).tables
    assert [column.name for column in srcc.columns] == ["KonIQ-10k", "AGIQA-3K", "average"]
    assert srcc.lines[0].label == "mine, softmax:good/poor@100"
    assert [entry.value for entry in srcc.lines[0].entries] == pytest.approx([1, 1, 1])  # type: ignore[union-attr]
    assert sum(line.published for line in srcc.lines) == 15
    assert len(plcc.lines) == len(srcc.lines)
    assert [line.label for line in detail.lines] == [
        "KonIQ-10k, softmax:good/poor@100",
        "AGIQA-3K, softmax:good/poor@100",
    ]


def test_each_strategy_has_its_row_and_other_protocols_stand_beside_no_published_one(
    tmp_path: Path,
) -> None:
    item_set = items(database(tmp_path, records(30)))
    scores = [
        *scored(item_set, lambda mos: mos),
        *scored(item_set, lambda mos: -mos, "rating.sampling:good/poor"),
    ]
    tables = tell(findings(item_set, scores, "number", "sampling")).tables
    assert [line.label for line in tables[0].lines] == [
        "mine, number (another protocol)",
        "mine, sampling:good/poor (another protocol)",
    ]
    values = [line.entries[0].value for line in tables[0].lines]  # type: ignore[union-attr]
    assert values == pytest.approx([1, -1])


def test_an_unscored_image_is_in_no_correlation_and_counted(tmp_path: Path) -> None:
    item_set = items(database(tmp_path, records(30)))
    scores = scored(item_set, lambda mos: mos)
    scores[3] = Score(scores[3].item_id, "rating", None, "failed")
    detail = tell(findings(item_set, scores)).tables[-1]
    n = dict(zip([c.name for c in detail.columns], detail.lines[0].entries, strict=True))["n"]
    assert n == Estimate(29.0, None, None, 29)
    assert "1 of 30 images have no rating by softmax:good/poor@100" in detail.note


def test_without_any_rating_there_is_no_table_and_no_lead(tmp_path: Path) -> None:
    item_set = items(database(tmp_path, records(3)))
    assert tell(findings(item_set, [])).tables == ()
    assert tell(findings(item_set, [])).lead == ""


def test_the_lead_names_the_databases_and_the_strategy(tmp_path: Path) -> None:
    item_set = items(f"agi={database(tmp_path, records(30))}")
    told = tell(findings(item_set, scored(item_set, lambda mos: mos))).lead
    assert told.startswith("mine, AGIQA-3K: SRCC 1.000")
    assert told.endswith("by softmax:good/poor@100.")


def quality(request: Request) -> Answer:
    """Good is the likelier, the later the image's number is; poor never changes."""
    number = int(request.item_id.rpartition("/")[2][:3])
    logprobs = {"good": -3.0 + number / 20, "poor": -1.0}
    return Answer(text="", logprobs=tuple(logprobs[word] for word in request.want.words))


def test_a_run_rates_every_image_and_its_report_has_the_tables(tmp_path: Path) -> None:
    settings = RunSettings(data=(f"agi={database(tmp_path, records(30))}",), workspace=tmp_path)
    outcome = evaluate(
        "qbench-assessment", Scripted(quality), out=tmp_path / "run", settings=settings
    )
    assert outcome.report.headline.startswith("scripted, AGIQA-3K: SRCC 1.000")
    names = [table.name for table in outcome.report.tables]
    assert names == ["assessment-srcc", "assessment-plcc", "assessment-detail"]
    text = (outcome.folder / "report.md").read_text()
    assert "internlm" in text
    assert "30 of 2,982" in text


def test_a_sample_is_told_as_one(tmp_path: Path) -> None:
    data = (f"agi={database(tmp_path, records(30))}",)
    outcome = evaluate(
        "qbench-assessment",
        Scripted(quality),
        out=tmp_path / "run",
        settings=RunSettings(data=data, workspace=tmp_path, max_photos=25, limit=12),
    )
    assert any("12 of 2,982" in note for note in outcome.report.notes)
    assert not any("30 of" in note or "25 of" in note for note in outcome.report.notes)


def test_the_strategies_of_a_finished_run_can_be_compared(tmp_path: Path) -> None:
    settings = RunSettings(data=(f"agi={database(tmp_path, records(30))}",), workspace=tmp_path)
    outcome = evaluate(
        "qbench-assessment", Scripted(quality), out=tmp_path / "run", settings=settings
    )
    reference = strategy("softmax:good/poor@100")
    study = compare(read_subjects([outcome.folder]), reference, n_resamples=50)
    found = {row.strategy.spec: row for row in study.within}
    assert set(found) == {"softmax:good/poor@100", "argmax:good/poor"}
    assert found["softmax:good/poor@100"].figures.estimates["srcc"].value == pytest.approx(1)
    loss = found["argmax:good/poor"].srcc.value
    assert loss is None or loss < 0


def test_a_run_that_was_read_otherwise_is_told_what_to_do(tmp_path: Path) -> None:
    settings = RunSettings(data=(f"agi={database(tmp_path, records(30))}",), workspace=tmp_path)
    run = evaluate("qbench-assessment", Scripted(quality), out=tmp_path / "run", settings=settings)
    reference = strategy("softmax:high/low@100")
    told = (
        r"no ratings by softmax:high/low@100.*Ask the model again with --strategies "
        r"softmax:high/low@100, or compare with softmax:good/poor@100: "
        r"--words good/poor --softmax-temperature 100$"
    )
    with pytest.raises(BadInput, match=told):
        compare(read_subjects([run.folder], reference=reference), reference, n_resamples=50)


def test_a_run_without_peoples_scores_or_ratings_cannot_be_compared(tmp_path: Path) -> None:
    outcome = evaluate(
        "snellen",
        "guess",
        out=tmp_path / "run",
        settings=RunSettings(kinds=("single",), limit=3, workspace=tmp_path),
    )
    with pytest.raises(BadInput, match="no ratings in this run by any of the strategies wanted"):
        read_subjects([outcome.folder])


def test_half_of_live_is_read_as_it_lies_there(shared: Path) -> None:
    half = shared / "data" / "live-challenge-half"
    item_set = items(f"LIVE-itw={half / 'mos.csv'}")
    assert len(item_set.items) == 581
    assert "581 of 1,162 images" in tell(findings(item_set, [])).notes[0]
    by_mos = {item.id: item.mos for item in item_set.items}
    assert by_mos["LIVE-itw/100.jpg"] == 32.561075
    names = scored(item_set, lambda mos: mos**2)
    assert stats.spearmanr([s.value for s in names], list(by_mos.values())).statistic == 1
