"""A small sample of the data that each benchmark reads, in its published form."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def _written(file: Path, records: list[dict[str, object]]) -> str:
    for seed, name in enumerate(("a.png", "b.png")):
        photograph(seed).save(file.parent / name)
    file.write_text(json.dumps(records))
    return str(file)


SAMPLES: dict[str, Callable[[Path], Source]] = {
    "snellen": _snellen,
    "qbench-perception": _perception,
    "qbench-description": _description,
    "qbench-assessment": _assessment,
}
