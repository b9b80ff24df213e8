"""Rows of Q-Bench-Portrait's data: the spellings that are read, and all that is wrong at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eyechart.benchmarks.qbench_portrait_rows import PortraitRow, portrait_row
from eyechart.benchmarks.qbench_portrait_taxonomy import DATASETS, DIMENSIONS, SCOPES, SOURCES
from eyechart.records import Item, Picture
from eyechart.rows import Row

PICTURE = Picture(data=b"x", name="a.png")
OPTIONS = ["Blur", "Noise", "Glare", "None"]
SC = {
    "id": "7",
    "kind": "single",
    "question": "What is wrong?",
    "options": OPTIONS,
    "answer": "Noise",
    "image_source": "NIs",
    "source_dataset": "AVA",
    "dimension": "Technical",
    "concern": "Noise",
    "scope": "Global",
}
MC = {**SC, "kind": "multiple", "answer": ["Blur", "Glare"]}
TF = {**SC, "kind": "true_false", "options": None, "answer": True}
OE = {**SC, "kind": "open", "options": None, "answer": "Grainy in the shadows."}


def read(row: dict[str, Any], **changes: Any) -> PortraitRow:
    values = {name: value for name, value in {**row, **changes}.items() if value is not ...}
    return portrait_row(Row(values, "list.json: row 3", (PICTURE,)))


def item_of(row: dict[str, Any], **changes: Any) -> Item:
    result = read(row, **changes)
    assert result.item is not None, result.problems
    return result.item


def wrong(row: dict[str, Any], **changes: Any) -> list[str]:
    result = read(row, **changes)
    assert result.item is None
    return [str(problem) for problem in result.problems]


def test_columns_that_are_none_of_ours_are_named_or_kept_as_facets() -> None:
    values = {**SC, "camera": "phone", "type": "selfie", "mos": 3, "mood": " ", "answers": ["x"]}
    left = portrait_row(Row(values, "row", (PICTURE,)))
    assert left.others == ("camera", "type", "mos", "answers")
    kept = portrait_row(Row(values, "row", (PICTURE,)), with_others=True).item
    assert left.item is not None and kept is not None
    assert kept.facets == {**left.item.facets, "camera": "phone", "type": "selfie"}
    assert (kept.answer, kept.mos, left.item.mos) == ("Noise", 3, None)


def test_a_row_becomes_an_item_with_its_five_facets_and_nothing_else() -> None:
    item = item_of(SC, camera="phone", licence="CC0", source="flickr.com/1")
    assert (item.id, item.kind, item.options, item.answer) == ("7", "single", (*OPTIONS,), "Noise")
    assert item.facets == {
        "image_source": "NIs",
        "source_dataset": "AVA",
        "dimension": "Technical",
        "concern": "Noise",
        "scope": "Global",
    }
    assert (item.licence, item.source, item.images) == ("CC0", "flickr.com/1", (PICTURE,))


@pytest.mark.parametrize(
    ("row", "answer"),
    [(SC, "Noise"), (MC, ("Blur", "Glare")), (TF, True), (OE, "Grainy in the shadows.")],
)
def test_every_kind_is_read(row: dict[str, Any], answer: Any) -> None:
    assert item_of(row).answer == answer


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        ("kind", "question_type", "single"),
        ("kind", "Question Type", "single"),
        ("kind", "type", "single"),
        ("image_source", "source", "single"),
        ("options", "candidates", "single"),
        ("options", "Choices", "single"),
        ("answer", "correct_ans", "single"),
        ("answer", "answers", "multiple"),
        ("answer", "ground-truth", "open"),
        ("source_dataset", "dataset", "single"),
        ("dimension", "quality_dimension", "single"),
        ("concern", "sub-dimension", "single"),
        ("scope", "questionScope", "single"),
    ],
)
def test_obvious_names_of_columns_are_read(ours: str, theirs: str, kind: str) -> None:
    rows: dict[str, dict[str, Any]] = {"single": SC, "multiple": MC, "open": OE}
    row = rows[kind]
    assert item_of(row, **{ours: ..., theirs: row[ours]}) == item_of(row)


@pytest.mark.parametrize(
    ("column", "text", "ours"),
    [
        ("kind", "SC", "single"),
        ("kind", "Single-choice", "single"),
        ("kind", "single choice questions", "single"),
        ("image_source", "Natural images", "NIs"),
        ("image_source", "NI", "NIs"),
        ("image_source", "natural", "NIs"),
        ("source_dataset", "TAD-66k", "TAD66K"),
        ("source_dataset", "koniq", "KonIQ-10k"),
        ("dimension", "Technical distortions", "Technical"),
        ("dimension", "Tech.", "Technical"),
        ("concern", "NOISE", "Noise"),
        ("concern", "colour", "Color"),
        ("concern", "artifact", "Artifacts"),
        ("scope", "local", "Local"),
        ("scope", "Global-level", "Global"),
    ],
)
def test_obvious_spellings_of_values_are_read(column: str, text: str, ours: str) -> None:
    item = item_of(SC, **{column: text})
    assert {"kind": item.kind, **item.facets}[column] == ours


@pytest.mark.parametrize(
    ("text", "ours"), [("AIGC-specific distortions", "AIGC"), ("aigc", "AIGC"), ("AIGC", "AIGC")]
)
def test_distortions_of_generated_images_are_read(text: str, ours: str) -> None:
    generated = {"image_source": "AI-generated images", "source_dataset": "AGHI-QA"}
    item = item_of(SC, **generated, dimension=text, concern="texture")
    assert (item.facets["image_source"], item.facets["dimension"]) == ("AGIs", ours)


def test_every_name_of_the_paper_is_read_as_itself() -> None:
    for dataset, (source, _) in DATASETS.items():
        item = item_of(SC, source_dataset=dataset, image_source=SOURCES[source])
        assert (item.facets["image_source"], item.facets["source_dataset"]) == (source, dataset)
    generated = {"image_source": "AGIs", "source_dataset": "AGHI-QA"}
    for dimension, concerns in DIMENSIONS.items():
        for concern in concerns:
            item = item_of(SC, **generated, dimension=dimension.lower(), concern=concern.upper())
            assert (item.facets["dimension"], item.facets["concern"]) == (dimension, concern)
    assert [item_of(SC, scope=scope.upper()).facets["scope"] for scope in SCOPES] == [*SCOPES]


# --- options and answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"options": {"A": "Blur", "B": "Noise", "C": "Glare", "D": "None"}},
        {"options": {"d": "None", "c": "Glare", "b": "Noise", "a": "Blur"}},
        {"options": ["A. Blur", "B. Noise", "C. Glare", "D. None"]},
        {"options": ["(A) Blur", "(B) Noise", "(C) Glare", "(D) None"]},
        {"options": [*OPTIONS, None, ""]},
        {"options": None, **dict(zip("ABCD", OPTIONS, strict=True))},
        {"options": ..., **{f"option_{n}": text for n, text in enumerate(OPTIONS)}},
        {"options": ..., **{f"option{n}": text for n, text in enumerate(OPTIONS, 1)}},
        {"options": ..., **{f"Option {n}": text for n, text in zip("ABCD", OPTIONS, strict=True)}},
    ],
)
def test_options_are_a_list_or_a_text_for_each_letter(options: dict[str, Any]) -> None:
    assert item_of(SC, **options).options == tuple(OPTIONS)


@pytest.mark.parametrize(
    "answer", ["Noise", "noise ", "B", "b", "(B)", "B.", "B. Noise", ["B"], [None, "B"]]
)
def test_the_right_option_is_its_text_or_its_letter(answer: Any) -> None:
    assert item_of(SC, answer=answer).answer == "Noise"


def test_an_option_that_is_a_letter_is_read_as_a_text() -> None:
    options = ["D", "C", "B", "A"]
    assert item_of(SC, options=options, answer="D").answer == "D"


@pytest.mark.parametrize(
    "answer",
    [
        *(["A", "C"], ["Blur", "Glare"], "A,C", "A, C", "AC", "A; C", "A and C", "c, a"),
        *("Blur, Glare", "A. Blur\nC. Glare", "(A), (C)", [None, "A", "", "C"]),
    ],
)
def test_several_right_options_are_a_list_or_one_text(answer: Any) -> None:
    assert item_of(MC, answer=answer).answer == ("Blur", "Glare")


def test_one_right_option_of_several_may_be_a_text_with_commas() -> None:
    options = ["Blur, and Glare", "Noise", "Glare", "Blur"]
    assert item_of(MC, options=options, answer="Blur, and Glare").answer == ("Blur, and Glare",)
    assert item_of(MC, answer="B").answer == ("Noise",)


@pytest.mark.parametrize(
    ("answer", "truth"), [("True", True), ("false", False), (False, False), ([True], True)]
)
def test_truth_is_a_word_or_jsons_own(answer: Any, truth: bool) -> None:
    assert item_of(TF, answer=answer).answer is truth


def test_truth_may_be_the_letter_of_an_option() -> None:
    assert item_of(TF, options=["True", "False"], answer="B").answer is False
    assert item_of(TF, options=["True", "False"], answer="True").answer is True


# --- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "changes", "message"),
    [
        (SC, {"kind": "quiz"}, "kind: expected one of single (SC), multiple (MC), true_false (TF)"),
        (SC, {"kind": "rate"}, "open (OE), not 'rate'"),
        (MC, {"kind": "quiz"}, "open (OE), not 'quiz'"),
        (SC, {"image_source": "NIz"}, "NIs (natural images), SDIs (synthetic distortion images),"),
        (SC, {"image_source": "NIz"}, "not 'NIz'; did you mean NIs?"),
        (SC, {"image_source": "AI"}, "image_source: expected one of NIs (natural images), "),
        (SC, {"source_dataset": "KonIQ-1k"}, "not 'KonIQ-1k'; did you mean KonIQ-10k?"),
        (SC, {"dimension": 3}, "dimension: expected one of Technical, AIGC, Aesthetics, not 3"),
        (SC, {"concern": "Blurr"}, "not 'Blurr'; did you mean Blur?"),
        (SC, {"scope": "both"}, "scope: expected one of Global, Local, not 'both'"),
        (SC, {"scope": " "}, "scope: expected one of Global, Local; the row has none"),
        (
            SC,
            {"concern": "Style"},
            "concern: expected one of Technical (Noise, Blur, Exposure, Color, Artifacts), "
            "not Style, which is of Aesthetics",
        ),
        (
            SC,
            {"image_source": "SDIs"},
            "source_dataset: expected one of SDIs (FIQA, PIPAL, KADID-10k), not AVA, which is of "
            "NIs",
        ),
        (
            SC,
            {"dimension": "AIGC", "concern": "Anatomy"},
            "dimension: expected Technical or Aesthetics: AIGC is of AI-generated images (AGIs) "
            "alone, and this one is of NIs",
        ),
        (SC, {"question": None}, "question: expected a text; the row has none"),
        (SC, {"question": 3}, "question: expected a text, not 3"),
        (
            SC,
            {"options": None},
            "options: expected a list of texts, or a text for each letter; the",
        ),
        (SC, {"options": "A. Blur"}, "or a text for each letter; not 'A. Blur'"),
        (SC, {"options": ["Blur", None, "Noise", "Glare"]}, "letter; not ['Blur', None, 'Noise'"),
        (
            SC,
            {"options": {"A": "Blur", "B": "Noise", "D": "None"}},
            "letter; not {'A': 'Blur', 'B'",
        ),
        (SC, {"options": {}}, "a text for each letter; the row has none"),
        (SC, {"options": [1, 2, 3, 4]}, "or a text for each letter; not [1, 2, 3, 4]"),
        (
            SC,
            {"options": OPTIONS[:3]},
            "options: expected 4 options, as the paper has it, not 3",
        ),
        (MC, {"options": [*OPTIONS, "Moire"]}, "4 options, as the paper has it, not 5"),
        (
            SC,
            {"options": ["Blur", "Noise", "Glare", " blur"]},
            "options: expected options that differ, not 'Blur' and 'blur'",
        ),
        (
            SC,
            {"answer": "Bokeh"},
            "answer: expected one of ['Blur', 'Noise', 'Glare', 'None'] or its letter (A to D), "
            "not 'Bokeh'",
        ),
        (SC, {"answer": "E"}, "or its letter (A to D), not 'E'"),
        (SC, {"answer": "B. Glare"}, "or its letter (A to D), not 'B. Glare'"),
        (SC, {"answer": "A, C"}, "or its letter (A to D), not 'A, C'"),
        (SC, {"answer": ["A", "C"]}, "answer: expected a text, not ['A', 'C']"),
        (SC, {"answer": 2}, "answer: expected a text, not 2"),
        (SC, {"answer": None}, "answer: expected what is right: an option or its letter, True"),
        (MC, {"answer": []}, "answer: expected at least one right option; the row has none"),
        (MC, {"answer": " , "}, "answer: expected at least one right option; the row has none"),
        (MC, {"answer": ["A", "Bokeh"]}, "or its letter (A to D), not 'Bokeh'"),
        (MC, {"answer": "AE"}, "or its letter (A to D), not 'E'"),
        (MC, {"answer": [0, 2]}, "answer: expected a list of options or their letters, not [0, 2]"),
        (MC, {"answer": ["A", "Blur"]}, "answer: expected each right option once, not ['A', 'Blu"),
        (TF, {"answer": "yes"}, "answer: expected True or False, not 'yes'"),
        (TF, {"answer": "No"}, "answer: expected True or False, not 'No'"),
        (TF, {"answer": 1}, "answer: expected True or False, not 1"),
        (TF, {"answer": "0"}, "answer: expected True or False, not '0'"),
        (OE, {"answer": ""}, "or a reference text; the row has none"),
        (OE, {"answer": True}, "answer: expected a text, not True"),
        (SC, {"second_file_name": "b.png"}, "image: expected one image, not 2"),
        (SC, {"id": True}, "id: expected a text, not True"),
        (SC, {"id": "\ud800"}, "id: expected a text of whole characters"),
    ],
)
def test_what_is_wrong_is_told_with_the_item_and_what_was_expected(
    row: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    (said,) = wrong(row, **changes)
    assert message in said
    assert said.startswith("list.json: row 3")


def test_everything_that_is_wrong_with_a_row_is_told_at_once() -> None:
    said = wrong(
        SC,
        question=None,
        options=["Blur", "Blur"],
        answer="Bokeh",
        concern="Style",
        source_dataset="FIQA",
        scope="x",
    )
    fields = [one.partition("(item 7): ")[2].partition(":")[0] for one in said]
    assert sorted(fields) == [
        *("answer", "concern", "options", "options", "question", "scope", "source_dataset")
    ]


# --- images and ids -----------------------------------------------------------------------------


def beside(folder: Path, *names: str) -> tuple[Path, ...]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not opened")
    return (folder,)


@pytest.mark.parametrize("column", ["image", "file_name", "img_path", "Image Path"])
def test_the_named_image_is_found_and_names_a_row_without_an_id(
    tmp_path: Path, column: str
) -> None:
    values = {**SC, column: "set/a.png", "id": None}
    item = portrait_row(Row(values, "row"), beside(tmp_path, "set/a.png")).item
    assert item is not None
    assert item.id == "set/a.png"
    assert item.images == (Picture(tmp_path / "set" / "a.png", name="set/a.png"),)


def test_an_embedded_image_names_a_row_without_an_id_or_else_its_place_does() -> None:
    for picture, name in ((PICTURE, "a.png"), (Picture(data=b"x"), "t.parquet: row 3")):
        read = portrait_row(Row({**SC, "id": None}, "/data/t.parquet: row 3", (picture,)))
        assert read.item is not None
        assert (read.item.id, read.item.images[0].name) == (name, name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.png", "image: expected an image that is there, not 'gone.png'; unpack the images"),
        ("../a.png", "image: expected the name of an image inside the folder of images, not '../"),
        (7, "image: expected the name of an image inside the folder of images, not 7"),
        ({"path": "a.png"}, "image: expected the name of an image inside the folder of images"),
        (None, "image: expected the name of an image, or an embedded one; the row has none"),
    ],
)
def test_an_image_that_is_not_there_is_told(tmp_path: Path, name: Any, message: str) -> None:
    read = portrait_row(Row({**SC, "image": name, "id": None}, "row 1"), (tmp_path,))
    (problem,) = read.problems
    where = name if isinstance(name, str) else "row 1"
    assert str(problem).startswith(f"row 1 (item {where}): {message}")
    assert read.picture is None


@pytest.mark.parametrize(
    "blank", [[], "", ["", "", "", ""], [None, None], {"A": None, "B": None}, {"A": "", "B": " "}]
)
def test_blank_options_of_a_question_without_options_are_none(blank: Any) -> None:
    assert item_of(TF, options=blank).options == ()
    assert item_of(OE, options=blank).options == ()
