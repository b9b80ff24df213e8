"""Requests for tests of tables: any that hypothesis likes, and a small benchmark."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hypothesis import strategies as st
from tests.conftest import photograph
from tests.pictures import photo, saved

from eyechart.records import Picture, Request, Sampling, Turn, Want


def picture(name: str, data: bytes) -> Picture:
    return Picture(data=data, name=name, sha256=hashlib.sha256(data).hexdigest())


PICTURES = [picture(f"{format} Größe.img", saved(photo(), format)) for format in ("PNG", "TIFF")]
texts = st.text(max_size=12)
any_texts = st.text(st.characters(), max_size=12)
turns = st.builds(
    Turn,
    st.sampled_from(["system", "user", "assistant"]),
    st.lists(any_texts | st.sampled_from(PICTURES), max_size=4).map(tuple),
)
samplings = st.builds(
    Sampling,
    st.none() | st.floats(0, 2),
    st.none() | st.floats(0.01, 1),
    st.none() | st.integers(1, 10**9),
)
wants = st.just(Want("text")) | st.builds(
    Want,
    st.sampled_from(["next_word", "likelihood"]),
    st.lists(texts, min_size=1, max_size=4).map(tuple),
)
requests = st.builds(
    Request,
    texts,
    st.sampled_from(["answer", "judge", "caption", "draft", "label"]),
    st.lists(turns, max_size=3).map(tuple),
    texts,
    samplings,
    wants,
    st.integers(0, 9),
    texts,
)


def question(n: int, *pictures: Picture) -> Request:
    """A question of its own about these pictures."""
    return Request(f"item-{n}", "answer", (Turn("user", (*pictures, f"Question {n}?")),))


def item_folder(folder: Path, n_items: int = 8) -> Path:
    """Items of four kinds about two photographs."""
    folder.mkdir()
    for i in range(2):
        photograph(i).save(folder / f"{i}.png")
    two = ["Blur", "Noise"]
    kinds = [
        {"kind": "single", "options": two, "answer": "Blur"},
        {"kind": "multiple", "options": two, "answers": two},
        {"kind": "true_false", "answer": "True"},
        {"kind": "rate", "mos": 3.5},
    ]
    rows = [
        {"id": f"item-{i}", "file_name": f"{i % 2}.png", "question": f"Question {i}?"}
        | kinds[i % 4]
        for i in range(n_items)
    ]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
