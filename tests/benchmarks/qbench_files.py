"""Files in exactly the forms in which Q-Bench is published, as small as can be."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.conftest import photograph

from eyechart.benchmarks import Source
from eyechart.benchmarks.qbench_perception import BENCHMARK
from eyechart.items import ItemSet
from eyechart.records import Item

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
OPTIONS = [(f"option{n}", pa.string()) for n in range(4)]
CODES = [("question_type", pa.int64()), ("question_concern", pa.int64())]
TAIL = [("correct_choice", pa.string())]
HEAD = [("id", pa.int64())]
QUESTION = [("question", pa.string())]
SINGLE = pa.schema([*HEAD, ("image", IMAGE), *QUESTION, *OPTIONS, *CODES, *TAIL])
PAIR = pa.schema([*HEAD, ("image1", IMAGE), ("image2", IMAGE), *QUESTION, *OPTIONS, *CODES, *TAIL])
A_BENCH = pa.schema(
    [*HEAD, ("image", IMAGE), *QUESTION, *OPTIONS, ("category", pa.string()), *TAIL]
)


def png(seed: int = 0) -> bytes:
    data = io.BytesIO()
    photograph(seed).save(data, "PNG")
    return data.getvalue()


def embedded(seed: int, path: str | None = None) -> dict[str, Any]:
    return {"bytes": png(seed), "path": path}


def hub_row(number: int = 0, **changes: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "image": embedded(number),
        "question": "Is this image clear?",
        **{f"option{n}": text for n, text in enumerate(["Yes", "No", "N/A", "N/A"])},
        "question_type": 0,
        "question_concern": 0,
        "correct_choice": "A",
    }
    return {**row, **changes}


def table_of(file: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema = SINGLE) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file)
    return file


def record(**changes: Any) -> dict[str, Any]:
    known = {
        "img_path": "a.png",
        "question": "How sharp is the image?",
        "candidates": ["Sharp", "Blurry", "Medium"],
        "type": 2,
        "concern": 3,
        "correct_ans": "Blurry",
    }
    return {key: value for key, value in {**known, **changes}.items() if value is not ...}


def list_of(file: Path, records: Sequence[Any], *, images: str = "images") -> Path:
    """A raw list with its images `a.png` and `b.png` in a folder beside it."""
    folder = file.parent / images
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("a.png", "b.png")):
        (folder / name).write_bytes(png(seed))
    if file.suffix == ".jsonl":
        text = "\n".join(json.dumps(one) for one in records) + "\n"
    else:
        text = json.dumps(records)
    file.write_text(text, encoding="utf-8")
    return file


def read(*data: Path | str, photos: Path | None = None, most: int | None = None) -> ItemSet:
    workspace = Path(data[0]).parent / "workspace" if data else Path("workspace")
    source = Source(photos, workspace, max_photos=most, data=tuple(map(str, data)))
    return BENCHMARK.items(source)


def only(item_set: ItemSet) -> Item:
    (item,) = item_set.items
    return item
