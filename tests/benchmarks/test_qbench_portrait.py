"""Q-Bench-Portrait: what is asked, the forms of data that are read, and all that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants
from tests.benchmarks.qbench_files import png
from tests.benchmarks.samples import SAMPLES
from tests.hub_server import COMMIT, Repo, hub

from eyechart.benchmarks import Source, qbench_portrait_data
from eyechart.benchmarks.qbench_portrait import BENCHMARK
from eyechart.errors import BadInput
from eyechart.items import Card, ItemSet, read_items, sha256_of, write_items
from eyechart.prompts import PromptForm, answer_requests, judge_requests
from eyechart.records import Item, Picture, Response
from eyechart.run import load_items
from eyechart.run_settings import RunSettings
from eyechart.scores import Scoring, score_responses

OPTIONS = ["Noise", "Blur", "Glare", "None"]
ROW = {
    "image": "a.png",
    "kind": "SC",
    "question": "What is wrong?",
    "options": OPTIONS,
    "answer": "B",
    "image_source": "NIs",
    "source_dataset": "AVA",
    "dimension": "Technical",
    "concern": "Blur",
    "scope": "Global",
}
MAP = """
[columns]
image = "photo"
kind = "form"
options = ["c1", "c2", "c3", "c4"]
source_dataset = "origin"
image_source = "origin"

[values.kind]
"0" = "single"

[values.image_source]
"AVA" = "NIs"
"ArtEmis" = "AIs"
"""


def images(folder: Path, *names: str) -> None:
    for seed, name in enumerate(names or ("a.png", "b.png", "c.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(seed))


def listed(folder: Path, *rows: Any, name: str = "portraits.json") -> Path:
    """A list of records beside the images a.png, b.png and c.png, each its own."""
    images(folder)
    text = json.dumps(list(rows))
    if name.endswith(".jsonl"):
        text = "\n".join(json.dumps(row) for row in rows) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def rows(n: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """One row for each image; what is `...` is left out."""
    values = {name: value for name, value in {**ROW, **changes}.items() if value is not ...}
    return [{**values, **({"image": image} if "image" in values else {})} for image in NAMES[:n]]


NAMES = ("a.png", "b.png", "c.png")


def table(file: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(records)), file)
    return file


def read(
    *data: Path | str,
    columns: Path | None = None,
    photos: Path | None = None,
    most: int | None = None,
) -> ItemSet:
    workspace = Path(data[0]).parent / "workspace" if data else Path("workspace")
    source = Source(photos, workspace, max_photos=most, data=(*map(str, data),), columns=columns)
    return BENCHMARK.items(source)


def told(*data: Path | str, columns: Path | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read(*data, columns=columns)
    return str(caught.value)


# --- what is asked ------------------------------------------------------------------------------


def test_each_kind_is_asked_in_these_words_after_its_portrait(tmp_path: Path) -> None:
    item_set = BENCHMARK.items(SAMPLES["qbench-portrait"](tmp_path))
    asked = [
        request.turns[0].parts
        for request in answer_requests(item_set.items, form=PromptForm(BENCHMARK.form))
    ]
    options = "A. Six fingers\nB. A third arm\nC. Two noses\nD. None"
    assert [words for _, words in asked] == [
        f"What is wrong?\n\n{options}\n\nAnswer with the letter of the right option alone.",
        f"What is wrong?\n\n{options}\n\nOne or more options may be right. Answer with the letters "
        "of all that apply, separated by commas.",
        "Is the following statement true or false?\n\nThe hand has six fingers.\n\n"
        "Answer True or False.",
        "How is the hand?\n\nAnswer in one or two sentences.",
    ]
    assert [picture for picture, _ in asked] == [item.images[0] for item in item_set.items]


def test_only_open_answers_are_judged_and_the_most_frequent_verdict_counts(tmp_path: Path) -> None:
    item_set = BENCHMARK.items(SAMPLES["qbench-portrait"](tmp_path))
    items = {item.id: item for item in item_set.items}
    replies = [Response(name, "answer", 0, "k", "m", text="Six fingers") for name in items]
    requests = list(judge_requests(items, replies, rubrics=BENCHMARK.rubrics))
    assert {request.item_id for request in requests} == {"d.png"}
    assert "Reference answer: It has six fingers." in str(requests[0].turns[0].parts[0])
    said = [
        Response("d.png", "judge", draw, "k", "owl", text=f"Score: {verdict}")
        for draw, verdict in enumerate([2, 2, 2, 0, 1])
    ]
    scoring = Scoring(BENCHMARK.rubrics, {"owl": 5})
    scores = score_responses([items["d.png"]], [replies[3], *said], scoring)
    assert [(score.name, score.value) for score in scores] == [("verdict", 1.0)]


def test_the_published_sizes_add_up_by_every_facet() -> None:
    for facet, sizes in BENCHMARK.sizes.items():
        assert sum(sizes.values()) == 2765, facet
        assert min(sizes.values()) > 0, facet
    assert BENCHMARK.sizes["kind"] == {
        **{"single": 848, "multiple": 830, "true_false": 545, "open": 542}
    }
    assert BENCHMARK.sizes["image_source/dimension"]["AGIs/AIGC"] == 353
    assert BENCHMARK.sizes["kind/scope"]["open/Local"] == 298
    assert BENCHMARK.sizes["scope"] == {"Global": 1363, "Local": 1402}


# --- what is read -------------------------------------------------------------------------------


def test_without_data_it_is_told_what_to_give() -> None:
    with pytest.raises(BadInput) as caught:
        read()
    for part in (
        "not public",
        "--data FILE",
        "hub",
        "item folder",
        "builder",
        "--columns map.toml",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["portraits.json", "portraits.jsonl"])
def test_a_list_is_read_with_the_images_beside_it(tmp_path: Path, name: str) -> None:
    file = listed(tmp_path, *rows(), name=name)
    for given in (file, tmp_path):
        item_set = read(given)
        assert [item.id for item in item_set.items] == ["a.png", "b.png", "c.png"]
        assert {item.answer for item in item_set.items} == {"Blur"}
        assert item_set.items[0].images == (Picture(tmp_path / "a.png", name="a.png"),)


def test_the_images_of_a_list_may_lie_elsewhere(tmp_path: Path) -> None:
    images(tmp_path / "photos", "set/x.png")
    file = listed(tmp_path, {**ROW, "image": "set/x.png"})
    (item,) = read(file, photos=tmp_path / "photos").items
    assert item.images[0].path == tmp_path / "photos" / "set" / "x.png"
    with pytest.raises(BadInput, match="gone: no such folder; expected the images that questions"):
        read(file, photos=tmp_path / "gone")


def test_embedded_images_are_laid_into_the_workspace_as_they_are(tmp_path: Path) -> None:
    records = [
        {**row, "image": {"bytes": png(n), "path": f"{n}.png"}} for n, row in enumerate(rows())
    ]
    for given in (table(tmp_path / "test.parquet", records), tmp_path):
        items = read(given).items
        assert [item.id for item in items] == ["0.png", "1.png", "2.png"]
        paths = [item.images[0].path for item in items]
        assert [path.read_bytes() for path in paths if path] == [png(n) for n in range(3)]
        assert all(path and path.parent.name == "pictures" for path in paths)


def test_a_table_may_name_its_images(tmp_path: Path) -> None:
    images(tmp_path, "images/a.png")
    (item,) = read(table(tmp_path / "test.parquet", [ROW])).items
    assert item.images[0].path == tmp_path / "images" / "a.png"


def folder_of(folder: Path, *items: Item) -> Path:
    images(folder)
    pictured = [
        Item(
            *(item.id, item.kind, item.question, (Picture(folder / name),), item.options),
            *(item.answer, item.facets),
        )
        for item, name in zip(items, NAMES, strict=False)
    ]
    write_items(folder, pictured, Card("mine", title="Mine", licence="CC0", notes=("Reviewed.",)))
    return folder


FACETS = {name: ROW[name] for name in ("image_source", "source_dataset", "dimension", "concern")}
ITEMS = (
    Item("1", "single", "?", (), (*OPTIONS,), "Blur", {**FACETS, "scope": "Global"}),
    Item("2", "multiple", "?", (), (*OPTIONS,), ("Blur", "Glare"), {**FACETS, "scope": "Local"}),
    Item("3", "true_false", "It is blurred.", (), (), True, {**FACETS, "scope": "Local"}),
)


def test_an_item_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine", *ITEMS)
    item_set = read(folder)
    assert item_set.items == read_items(folder).items
    card = item_set.card
    assert (card.name, card.benchmark, card.n_items) == ("qbench-portrait",) * 2 + (3,)
    assert (card.licence, card.notes) == ("CC0", ("Reviewed.",))
    assert card.counts == {"single": 1, "multiple": 1, "true_false": 1}
    assert read(folder / "metadata.jsonl").items == item_set.items


def test_several_are_read_together_and_only_so_many_as_are_wanted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine", *ITEMS)
    images(tmp_path / "more", "images/x.png", "images/y.png", "images/z.png", "images/w.png")
    (tmp_path / "more" / "list.json").write_text(json.dumps([{**ROW, "image": "w.png"}]))
    assert [item.id for item in read(folder, tmp_path / "more").items] == ["1", "2", "3", "w.png"]
    assert [item.id for item in read(folder, tmp_path / "more", most=2).items] == ["1", "2"]


def test_a_column_map_reads_a_release_with_names_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAP)
    kept = {name: ROW[name] for name in ("question", "dimension", "concern", "scope", "answer")}
    choices = {f"c{n}": text for n, text in enumerate(OPTIONS, 1)}
    file = listed(tmp_path, {**kept, **choices, "photo": "a.png", "form": 0, "origin": "AVA"})
    item_set = read(file, columns=tmp_path / "map.toml")
    (item,) = item_set.items
    assert (item.id, item.kind, item.options, item.answer) == (
        "a.png",
        "single",
        (*OPTIONS,),
        "Blur",
    )
    assert (item.facets["image_source"], item.facets["source_dataset"]) == ("NIs", "AVA")
    (tmp_path / "map.toml").write_text(MAP + "\n# another\n")
    assert read(file, columns=tmp_path / "map.toml").card.digest != item_set.card.digest


def test_values_of_a_column_map_that_no_row_has_are_noted(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[values.scope]\n"whole" = "Global"\n"part" = "Local"')
    file = listed(tmp_path, *rows(scope="part"))
    card = read(file, columns=tmp_path / "map.toml").card
    assert card.notes == ('map.toml: no row has "whole" of [values.scope].',)
    assert read(file, columns=tmp_path / "map.toml", most=2).card.notes == ()


def test_an_option_that_a_row_lacks_shifts_no_letter(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\noptions = ["c1", "c2", "c3", "c4", "c5"]')
    kept = {name: value for name, value in ROW.items() if name != "options"}
    whole = {f"c{n}": text for n, text in enumerate([*OPTIONS, None], 1)}
    torn = {"c1": "Noise", "c2": None, "c3": "Glare", "c4": "None", "c5": "Blur"}
    file = listed(tmp_path, {**kept, **whole}, {**kept, **torn, "image": "b.png", "answer": "C"})
    said = told(file, columns=tmp_path / "map.toml")
    assert said.startswith("1 bad row")
    assert "row 2 (item b.png): options: expected a list of texts, or a text for each let" in said
    assert "not ['Noise', None, 'Glare', 'None', 'Blur']" in said


def test_columns_that_a_list_has_besides_are_named_in_the_notes(tmp_path: Path) -> None:
    given = [{**row, "caption": "x", "url": None} for row in rows(2)]
    item_set = read(listed(tmp_path, *given, {**ROW, "image": "c.png", "url": "y"}))
    assert item_set.card.notes == ("Columns that are not read: caption, url.",)
    assert all(set(item.facets) == {*FACETS, "scope"} for item in item_set.items)


def test_an_item_folder_keeps_its_further_facets(tmp_path: Path) -> None:
    further = [replace(one, facets={**one.facets, "camera": "phone", "round": 2}) for one in ITEMS]
    folder = folder_of(tmp_path / "mine", *further)
    item_set = read(folder)
    assert item_set.items == read_items(folder).items
    assert item_set.items[0].facets["camera"] == "phone"
    assert item_set.card.notes == ("Reviewed.",)


def test_a_column_of_embedded_images_may_be_named_in_the_map(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\nimage = "photo"')
    row = {**ROW, "photo": {"bytes": png(), "path": "x.png"}}
    del row["image"]
    (item,) = read(table(tmp_path / "t.parquet", [row]), columns=tmp_path / "map.toml").items
    assert item.id == "x.png"


def test_a_data_set_on_the_hub_is_read_and_its_commit_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {**ROW, "image": {"bytes": png(), "path": "a.png"}}
    data = table(tmp_path / "t.parquet", [row]).read_bytes()
    with hub(Repo("me/portraits", {"data/test.parquet": data})) as served:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        template = f"{served.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        card = read("me/portraits").card
    assert card.version == f"1, me/portraits at {COMMIT[:12]}"
    assert card.licence == "see the data set's page: not public yet"


# --- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["portraits.csv", ""])
def test_what_is_in_no_known_form_is_told(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text("x")
    with pytest.raises(BadInput, match=r"no questions here; expected an item folder \(with metada"):
        read(tmp_path / name)


def test_what_is_wrong_with_all_rows_of_all_files_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    first = listed(
        tmp_path / "one",
        {**ROW, "concern": "Emotion", "answer": "E"},
        {**ROW, "image": "b.png", "kind": "TF", "answer": "yes"},
        "no row",
    )
    second = listed(tmp_path / "two", {**ROW, "image": "gone.png", "id": "9"}, name="two.jsonl")
    said = told(first, second)
    assert said.startswith("5 problems; mend them and try again:\n")
    for where, what in [
        (f"{first}: row 1 (item a.png)", "concern: expected one of Technical (Noise, Blur,"),
        (f"{first}: row 1 (item a.png)", "answer: expected one of ['Noise', 'Blur',"),
        (f"{first}: row 2 (item b.png)", "answer: expected True or False, not 'yes'"),
        (f"{first}: row 3", "row: expected one JSON object, not 'no row'"),
        (f"{second}:1 (item 9)", "image: expected an image that is there, not 'gone.png'"),
    ]:
        assert f"  {where}: {what}" in said


def test_a_facet_that_no_row_has_is_one_problem(tmp_path: Path) -> None:
    said = told(listed(tmp_path, *rows(source_dataset=..., origin="AVA")))
    assert said.startswith("1 bad row; mend them and try again:\n  qbench-portrait: source_dataset")
    assert "expected one of CGFIQA-40k, PIQ, " in said
    assert "no row has it. The columns are image, kind, question, options," in said
    assert 'say so with --columns map.toml, under [columns]: source_dataset = "its name"' in said


def test_columns_are_listed_once_however_many_no_row_has(tmp_path: Path) -> None:
    file = listed(tmp_path, *rows(kind=..., scope=..., concern=..., mood="calm"))
    said = told(file)
    assert said.count("mood") == said.count("The columns are") == 1
    assert (
        "Blur, Exposure" in said and "no row has it; if one of the columns is it: scope = " in said
    )
    (tmp_path / "map.toml").write_text('[columns]\nkind = "form"\nscope = "level"')
    said = told(file, columns=tmp_path / "map.toml")
    assert said.count("mood") == 1 and "The columns are" not in said
    assert "a column that the data have, not 'form'; they have image, question," in said


def test_a_facet_that_some_rows_lack_is_told_of_those(tmp_path: Path) -> None:
    given = [ROW, *rows(scope=None)[1:]]
    said = told(listed(tmp_path, *given))
    assert "scope: expected one of Global, Local; the row has none; in 2 rows: " in said
    assert "row 2 (item b.png), " in said


def test_images_that_are_not_unpacked_are_one_problem(tmp_path: Path) -> None:
    file = listed(tmp_path, *[{**ROW, "image": f"{n}.png"} for n in range(60)])
    said = told(file)
    assert len(said.splitlines()) == 2
    assert "image: expected an image that is there, not '0.png'; unpack the images into" in said
    assert said.endswith("--photos; no image of the 60 rows is there")


@pytest.mark.parametrize("other", ["portraits.json", ".", "sub/../portraits.json"])
def test_a_file_that_is_named_twice_is_refused_by_its_name(tmp_path: Path, other: str) -> None:
    file = listed(tmp_path, *rows())
    (tmp_path / "sub").mkdir()
    message = r"portraits\.json: named twice; expected every file of questions once in --data"
    with pytest.raises(BadInput, match=message):
        read(file, tmp_path / other)


@pytest.mark.parametrize("name", ["a.png", "copies/of-a.png"])
def test_two_rows_for_one_image_are_told_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    images(tmp_path, "copies/of-a.png")
    file = listed(tmp_path, {**ROW, "id": "1"}, {**ROW, "id": "2", "image": name})
    as_what = "" if name == "a.png" else ", as 'a.png'"
    assert told(file).endswith(
        f"  {file}: row 2 (item 2): image: expected an image of its own, not {name!r}, which "
        f"{file}: row 1 (item 1) has{as_what}"
    )


def test_two_rows_for_one_embedded_image_are_told_even_where_more_is_wrong(tmp_path: Path) -> None:
    picture = {"bytes": png(), "path": None}
    file = table(
        tmp_path / "t.parquet",
        [{**ROW, "id": 1, "image": picture}, {**ROW, "id": 2, "image": picture, "scope": "x"}],
    )
    said = told(file)
    assert said.startswith("2 problems; mend them")
    assert (
        f"row 2 (item 2): image: expected an image of its own, not '2', which {file}: row 1" in said
    )
    assert "scope: expected one of Global, Local, not 'x'" in said


def test_an_id_that_comes_twice_is_told_even_where_more_is_wrong(tmp_path: Path) -> None:
    given = [
        {**row, "id": "same", "scope": scope} for row, scope in zip(rows(2), "xy", strict=True)
    ]
    file = listed(tmp_path, *given)
    said = told(file)
    assert f"id: expected an id of its own, not 'same', which {file}: row 1 (item same) has" in said
    assert said.startswith("3 problems")


def test_an_image_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(file: Path) -> str:
        if file.suffix == ".png":
            raise PermissionError(13, "Permission denied")
        return sha256_of(file)

    monkeypatch.setattr(qbench_portrait_data, "sha256_of", locked)
    images(tmp_path, "images/a.png")
    (tmp_path / "images" / "b.png").write_bytes(png())
    said = told(listed(tmp_path, *rows(2)))
    assert (
        "row 1 (item a.png): image: expected an image that can be read, not 'a.png' (Perm" in said
    )


def test_other_counts_than_the_folders_card_has_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine", *ITEMS)
    card = json.loads((folder / "card.json").read_text())
    card["counts"] = {"single": 2, "true_false": 1}
    card["n_items"] = 4
    (folder / "card.json").write_text(json.dumps(card))
    said = told(folder)
    assert "mine: n_items: expected 4 items as in card.json, not 3; is the file whole?" in said
    assert "mine: counts: expected 2 items of the kind single as in card.json, not 1" in said
    assert "mine: counts: expected 0 items of the kind multiple as in card.json, not 1" in said
    assert len(read(folder, most=3).items) == 3


def test_a_folder_that_differs_from_its_card_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine", *ITEMS)
    text = (folder / "metadata.jsonl").read_text()
    (folder / "metadata.jsonl").write_text(text.replace("blurred", "sharp"))
    assert "differs from what card.json describes" in told(folder)


def test_what_a_column_map_names_and_no_row_has_is_told_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\nscope = "level"\n[values.kinds]\n"0" = "x"')
    file = listed(tmp_path, {**ROW, "concern": "Blurr"})
    assert "no column of ours is called 'kinds'; did you mean 'kind'?" in told(
        file, columns=tmp_path / "map.toml"
    )
    (tmp_path / "map.toml").write_text('[columns]\nscope = "level"')
    said = told(file, columns=tmp_path / "map.toml")
    assert "map.toml: [columns] scope: expected a column that the data have, not 'level'" in said
    assert "concern: expected one of Noise, Blur," in said


# --- item folders that name the benchmark -------------------------------------------------------


def refused(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_items(folder, RunSettings())
    return str(caught.value)


def named_folder(folder: Path, *items: Item) -> Path:
    """An item folder whose card names the benchmark."""
    folder_of(folder, *items)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "benchmark": "qbench-portrait"}))
    return folder


def test_an_item_folder_that_names_the_benchmark_is_run_as_it_is(tmp_path: Path) -> None:
    folder = named_folder(tmp_path / "mine", *ITEMS)
    assert load_items(folder, RunSettings())[1] == read_items(folder)


def test_what_is_wrong_with_such_a_folder_is_told_at_once_with_each_item(tmp_path: Path) -> None:
    single, several, truth = ITEMS
    folder = named_folder(
        tmp_path / "mine",
        replace(single, options=(*OPTIONS, "Moire"), facets={**single.facets, "concern": "Style"}),
        replace(several, facets={**several.facets, "source_dataset": "FIQA", "dimension": "tech"}),
        replace(truth, answer=None, facets={**truth.facets, "scope": "both"}),
    )
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    remove_digests(folder)
    said = refused(folder)
    assert said.startswith("7 problems; mend them and try again:\n")
    for told_of in (
        "mine (item 1): options: expected 4 options, as the paper has it, not 5",
        "mine (item 1): concern: expected one of Technical (Noise, Blur, Exposure, Color, Artifa",
        "mine (item 2): source_dataset: expected one of NIs (CGFIQA-40k, ",
        "mine (item 2): dimension: expected 'Technical', not 'tech'; other spellings are read by: "
        "eyechart run qbench-portrait --data FOLDER",
        "mine (item 3): scope: expected one of Global, Local, not 'both'",
        "mine (item 3): answer: expected what is right: an option or its letter",
        "mine (item 3): image: expected an image of its own, not 'c.png', which mine (item 1) has, "
        "as 'a.png'",
    ):
        assert told_of in said


def remove_digests(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    kept = {name: value for name, value in card.items() if not name.startswith("digest")}
    (folder / "card.json").write_text(json.dumps(kept))


def test_a_facet_under_another_name_is_told_with_what_it_should_be(tmp_path: Path) -> None:
    facets = {**FACETS, "scope": "Global", "dataset": "AVA"}
    del facets["source_dataset"]
    folder = named_folder(tmp_path / "mine", replace(ITEMS[0], facets=facets))
    assert "(item 1): source_dataset: expected 'AVA', not None; other spellings" in refused(folder)
    assert len(read(folder).items) == 1


def test_an_image_that_such_a_folder_lacks_is_told(tmp_path: Path) -> None:
    folder = named_folder(tmp_path / "mine", *ITEMS)
    (folder / "b.png").unlink()
    assert refused(folder).endswith(
        "mine (item 2): image: expected an image that is there, not 'b.png' (No such file or "
        "directory)"
    )


def test_such_a_folder_of_other_kinds_or_with_pairs_is_refused(tmp_path: Path) -> None:
    folder = named_folder(tmp_path / "mine", replace(ITEMS[0], kind="describe", options=()))
    text = (folder / "metadata.jsonl").read_text()
    pair = text.replace('"file_name"', '"second_file_name": "b.png", "file_name"')
    (folder / "metadata.jsonl").write_text(pair)
    remove_digests(folder)
    said = refused(folder)
    assert "kind: expected one of single (SC), multiple (MC)" in said and "not 'describe'" in said
    assert "image: expected one image, not 2" in said
