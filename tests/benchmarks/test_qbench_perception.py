"""Q-Bench's perception: where its data come from, its card, and what is sent in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from tests.benchmarks.qbench_files import (
    A_BENCH,
    PAIR,
    embedded,
    hub_row,
    list_of,
    only,
    png,
    read,
    record,
    table_of,
)
from tests.hub_server import COMMIT, Repo, hub

from eyechart import plugins
from eyechart.benchmarks import Findings
from eyechart.benchmarks.qbench_perception import BENCHMARK, lead, submission, tell
from eyechart.items import ItemSet
from eyechart.prompts import PromptForm, answer_requests
from eyechart.records import Failure, Item, Picture, Response


def test_several_sets_are_read_together(tmp_path: Path) -> None:
    single = table_of(tmp_path / "single-dev.parquet", [hub_row()])
    both = {"image1": embedded(1), "image2": embedded(2)}
    pairs = table_of(tmp_path / "pair-dev.parquet", [hub_row(**both)], PAIR)
    item_set = read(single, pairs)
    assert [item.id for item in item_set.items] == ["q-bench-dev-0", "q-bench2-dev-0"]
    assert item_set.card.licence == "CC-BY-NC-SA-4.0; MIT"
    assert "2309.14181" in item_set.card.citation
    assert "2402.07116" in item_set.card.citation


@pytest.mark.parametrize("limit", [1, 3])
def test_only_so_many_questions_are_read_as_were_wanted(tmp_path: Path, limit: int) -> None:
    file = table_of(tmp_path / "dev.parquet", [hub_row(n) for n in range(5)])
    assert len(read(file, most=limit).items) == limit


def test_without_data_the_hub_is_asked_and_the_card_names_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = table_of(tmp_path / "dev.parquet", [hub_row()]).read_bytes()
    repo = Repo("q-future/Q-Bench-HF", {"data/dev-00000-of-00001.parquet": data})
    with hub(repo) as served:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        template = f"{served.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        item_set = read()
    laid = only(item_set).images[0]
    assert laid.path is not None
    assert laid.path.read_bytes() == png()
    assert item_set.card.version == f"1, q-future/Q-Bench-HF at {COMMIT[:12]}"


def test_the_card_tells_what_was_read(tmp_path: Path) -> None:
    dev = table_of(tmp_path / "dev.parquet", [hub_row()])
    test = table_of(tmp_path / "test.parquet", [hub_row(correct_choice=None)])
    card = read(dev, test).card
    assert (card.name, card.benchmark, card.n_items) == ("qbench-perception",) * 2 + (2,)
    assert len(card.digest) == 64
    assert dataclasses.asdict(card)["counts"] == {"single": 2}
    assert card.notes == ()


def test_notes_are_about_the_questions_that_were_asked(tmp_path: Path) -> None:
    dev = table_of(tmp_path / "dev.parquet", [hub_row()])
    test = table_of(tmp_path / "test.parquet", [hub_row(correct_choice=None)])
    both = read(dev, test)
    asked = dataclasses.replace(both, items=both.items[:1])
    (note,) = tell(Findings(asked, (), (), "eyes")).notes
    assert note.startswith("Q-Bench dev: 1 question, where 1,495 are published; figures")
    assert [one[:13] for one in tell(Findings(both, (), (), "eyes")).notes] == [
        "Q-Bench dev: ",
        "Q-Bench test:",
    ]


def asked_in_words(file: Path) -> list[str]:
    """What a model is shown and told about the only question of a file, line by line."""
    (request,) = answer_requests([only(read(file))], form=PromptForm(BENCHMARK.form))
    (turn,) = request.turns
    parts = [f"<{part.label}>" if isinstance(part, Picture) else part for part in turn.parts]
    lines = [line for part in parts for line in part.split("\n")]
    return [f"{turn.role}:", *lines, f"begun {request.begun!r}", f"wanted {request.want.name}"]


def options(*texts: str) -> dict[str, str]:
    return {f"option{n}": text for n, text in enumerate(texts)}


def test_a_question_of_q_bench_is_asked_in_these_words(tmp_path: Path) -> None:
    row = hub_row(
        image=embedded(0, "00079.jpg"),
        question="How is the clarity of this image?",
        **options("Blurry", "Clear", "Medium"),
    )
    assert asked_in_words(table_of(tmp_path / "dev.parquet", [row])) == [
        "user:",
        "<00079.jpg>",
        "How is the clarity of this image?",
        "A. Blurry",
        "B. Clear",
        "C. Medium",
        "Answer with the option's letter from the given choices directly.",
        "begun ''",
        "wanted text",
    ]


def test_a_question_of_q_bench2_is_asked_in_these_words(tmp_path: Path) -> None:
    row = hub_row(
        image1=embedded(1, "00079.jpg"),
        image2=embedded(2, "09769.jpg"),
        question="Compared to the first image, how is the clarity of the second image?",
        **options("More blurry", "Clearer", "About the same"),
    )
    assert asked_in_words(table_of(tmp_path / "dev.parquet", [row], PAIR)) == [
        "user:",
        "First image:",
        "<00079.jpg>",
        "Second image:",
        "<09769.jpg>",
        "Compared to the first image, how is the clarity of the second image?",
        "A. More blurry",
        "B. Clearer",
        "C. About the same",
        "Answer with the option's letter from the given choices directly.",
        "begun ''",
        "wanted text",
    ]


def test_a_question_of_a_bench_is_asked_in_these_words(tmp_path: Path) -> None:
    row = hub_row(
        image=embedded(0, "1.png"),
        question="What is wrong with the hand?",
        category="part2 -> generative",
        **options("Nothing", "Six fingers", "No thumb", "Blur"),
    )
    assert asked_in_words(table_of(tmp_path / "dev.parquet", [row], A_BENCH)) == [
        "user:",
        "<1.png>",
        "What is wrong with the hand?",
        "A. Nothing",
        "B. Six fingers",
        "C. No thumb",
        "D. Blur",
        "Answer with the option's letter from the given choices directly.",
        "begun ''",
        "wanted text",
    ]


def replies(items: Sequence[Item], *texts: str | None) -> list[Response]:
    failed = Failure("refused", "no")
    return [
        Response(i.id, "answer", 0, "k", "eyes", text=t, failure=None if t else failed)
        for i, t in zip(items, texts, strict=True)
    ]


def sent(item_set: ItemSet, responses: Sequence[Response]) -> Any:
    text = submission(Findings(item_set, responses, (), "eyes"))
    return None if text is None else json.loads(text)


def test_replies_to_withheld_questions_are_sent_in_as_the_official_scripts_write_them(
    tmp_path: Path,
) -> None:
    single = record(correct_ans=...)
    pair = record(
        img_path="llvisionqa_compare_test\\a.png_cat_b.png.png", concern=2, correct_ans=...
    )
    item_set = read(
        list_of(tmp_path / "llvisionqa_test.json", [single]),
        list_of(tmp_path / "q-bench2-a1-test.jsonl", [pair]),
    )
    first, second = item_set.items
    extra = [
        Response(first.id, "answer", 0, "k", "eyes", text="blind", variant="blind"),
        Response(first.id, "judge", 0, "k", "judge", text="Score: 1"),
    ]
    responses = [*replies([first, second], "B. Blurry", None), *extra]
    assert sent(item_set, responses) == [
        {**single, "response": "B. Blurry"},
        {**pair, "response": None},
    ]


def test_questions_of_the_hub_are_sent_in_by_id_and_image(tmp_path: Path) -> None:
    single = hub_row(5, image=embedded(5, "5.png"), correct_choice=None)
    both = {"image1": embedded(1, "1.png"), "image2": embedded(2, "2.png")}
    pair = hub_row(6, **both, question_concern=3, correct_choice=None)
    art = hub_row(7, category="part2 -> technical", correct_choice="N/A")
    item_set = read(
        table_of(tmp_path / "a-test.parquet", [single]),
        table_of(tmp_path / "b-test.parquet", [pair], PAIR),
        table_of(tmp_path / "c-test.parquet", [art], A_BENCH),
    )
    known = {"question": "Is this image clear?", "response": "A"}
    codes = {"candidates": ["Yes", "No"], "type": 0}
    assert sent(item_set, replies(item_set.items, "A", "A", "A")) == [
        {"id": 5, "image": "5.png", **known, **codes, "concern": 0},
        {"id": 6, "image1": "1.png", "image2": "2.png", **known, **codes, "concern": 3},
        {
            **{"id": 7, "image": "a-bench-test-7", **known},
            **{"answers": ["Yes", "No"], "category": "part2 -> technical"},
        },
    ]


def test_only_withheld_questions_are_sent_in(tmp_path: Path) -> None:
    dev = table_of(tmp_path / "dev.parquet", [hub_row()])
    test = table_of(tmp_path / "test.parquet", [hub_row(1, correct_choice=None)])
    assert [one["id"] for one in sent(read(dev, test), [])] == [1]
    assert sent(read(dev), []) is None


def test_a_run_of_withheld_questions_opens_with_where_to_send_them(tmp_path: Path) -> None:
    rows = [hub_row(n, correct_choice=None) for n in range(2)]
    item_set = read(table_of(tmp_path / "test.parquet", rows))
    told = lead(Findings(item_set, replies(item_set.items, "A", None), (), "eyes"))
    assert told.startswith("The answers of all 2 questions are withheld: send the replies of eyes")
    assert told.endswith("1 of them have no reply and are sent as null.")
    known = read(table_of(tmp_path / "dev.parquet", [hub_row()]))
    assert lead(Findings(known, (), (), "eyes")) == ""


def test_it_is_found_by_its_name_and_judged_by_five_votes_majority() -> None:
    assert plugins.benchmark("qbench-perception") is BENCHMARK
    (rubric,) = BENCHMARK.rubrics["single"]
    assert (rubric.score, rubric.most, rubric.rule) == ("correct.judged", 1, "votes")
    assert BENCHMARK.form == "letter-suffix"
