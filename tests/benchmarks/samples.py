"""A small sample of the data that each benchmark reads, in its published form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.conftest import photograph

from eyechart.benchmarks import Source


def _snellen(folder: Path) -> Source:
    return Source(None, folder, max_photos=2)


def _perception(folder: Path) -> Source:
    records = [
        {
            "img_path": name,
            "question": "How sharp is the image?",
            "candidates": ["Sharp", "Blurry", "Medium"],
            "type": 2,
            "concern": 0,
            "correct_ans": answer,
        }
        for name, answer in (("a.png", "Sharp"), ("b.png", "Blurry"))
    ]
    return Source(None, folder, data=(_written(folder / "llvisionqa_dev.json", records),))


def _description(folder: Path) -> Source:
    records = [{"img_path": "a.png", "golden": "It is sharp."}]
    return Source(None, folder, data=(_written(folder / "lldescribe.json", records),))


def _assessment(folder: Path) -> Source:
    records = [{"img_path": "a.png", "gt_score": "1.5"}, {"img_path": "b.png", "gt_score": 3.0}]
    return Source(None, folder, data=(_written(folder / "koniq.json", records),))


def _portrait(folder: Path) -> Source:
    facets = {"source": "AGIs", "dataset": "AGHI-QA", "dimension": "AIGC", "concern": "Anatomy"}
    options = ["Six fingers", "A third arm", "Two noses", "None"]
    asked = [
        {"type": "SC", "question": "What is wrong?", "options": options, "answer": "A"},
        {"type": "MC", "question": "What is wrong?", "options": options, "answer": "A, B"},
        {"type": "TF", "question": "The hand has six fingers.", "answer": "True"},
        {"type": "OE", "question": "How is the hand?", "answer": "It has six fingers."},
    ]
    names = ("a.png", "b.png", "c.png", "d.png")
    records = [
        {"image": name, **facets, "scope": "Local", **one}
        for name, one in zip(names, asked, strict=True)
    ]
    return Source(None, folder, data=(_written(folder / "portraits.json", records, names),))


def _written(
    file: Path,
    records: Sequence[Mapping[str, object]],
    names: Sequence[str] = ("a.png", "b.png"),
) -> str:
    for seed, name in enumerate(names):
        photograph(seed).save(file.parent / name)
    file.write_text(json.dumps(records))
    return str(file)


SAMPLES: dict[str, Callable[[Path], Source]] = {
    "snellen": _snellen,
    "qbench-perception": _perception,
    "qbench-description": _description,
    "qbench-assessment": _assessment,
    "qbench-portrait": _portrait,
}
