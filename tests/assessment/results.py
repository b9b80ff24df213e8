"""Small result files in the published schema, and databases of images with people's scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tests.conftest import photograph

Record = dict[str, Any]


def records(n: int = 40, *, seed: int = 0, words: Sequence[str] = ("good", "poor")) -> list[Record]:
    """Images whose first word's logit follows people's score, as fp16 models give it."""
    rng = np.random.default_rng(seed)
    mos = np.sort(rng.uniform(1, 5, n)).round(3)
    found: list[Record] = []
    for at, score in enumerate(mos.tolist()):
        logits = {f"logit_{word}": float(np.float16(15 + rng.normal())) for word in words}
        logits[f"logit_{words[0]}"] += score
        found.append({"img_path": f"{at:03}.jpg", "gt_score": score, **logits})
    return found


def write(file: Path, rows: Sequence[Record], between: str = "") -> Path:
    """The records as Q-Bench published them: one behind the other with nothing between."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(between.join(json.dumps(row) for row in rows))
    return file


def database(folder: Path, rows: Sequence[Record], *, images: int = -1) -> Path:
    """`list.json` as Q-Bench released it, with small images beside it for the first rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, row in enumerate(rows[: len(rows) if images < 0 else images]):
        photograph(seed, 24, 24).save(folder / row["img_path"])
    file = folder / "list.json"
    file.write_text(json.dumps(list(rows), indent=4))
    return file
