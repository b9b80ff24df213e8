"""How long `eyechart assess replay` takes for the logits of all seven databases.

Run `python bench/replay.py`. Writes 81,284 records in seven files of the published schema, of which
fp16 logits tie as they do there, and runs the command on them from start to end: reading, every
figure, 1,000 resamples of each. Prints the seconds of each run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from eyechart.assessment.databases import DATABASES

GOAL_S = 10.0
RUNS = 3


def records(name: str, n: int) -> str:
    """The file of a database: what is good follows people's score, with noise and fp16's ties."""
    rng = np.random.default_rng(len(name))
    mos = rng.uniform(1, 5, n)
    good = (16 + mos + rng.normal(0, 3, n)).astype(np.float16)
    poor = (17 + rng.normal(0, 1, n)).astype(np.float16)
    paths = [f"I{at // 125 + 1:02}_{at // 5 % 25 + 1:02}_{at % 5 + 1:02}.png" for at in range(n)]
    rows = zip(paths, mos.tolist(), good.tolist(), poor.tolist(), strict=True)
    return "".join(
        json.dumps({"img_path": path, "gt_score": score, "logit_good": g, "logit_poor": p})
        for path, score, g, p in rows
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for database in DATABASES:
            file = Path(folder) / "model" / f"{database.name}.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(records(database.name, database.counts[0]))
            files.append(str(file))
        n_records = sum(database.counts[0] for database in DATABASES)
        command = [sys.executable, "-m", "eyechart.cli", "assess", "replay", *files]
        print(
            f"{n_records:,} records in {len(files)} files, 1,000 resamples (goal: {GOAL_S:.0f} s)"
        )
        for _ in range(RUNS):
            start = perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            print(f"{perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
