"""How long a comparison of 26 models on Q-Bench-Portrait's 2,765 questions takes.

Run `python -m bench.portrait`. Makes run folders of 26 models from the replica of the published
figures (tests/benchmarks/portrait_replica.py; the 26th answers as the first does) and compares them
from start to end with `eyechart compare`: reading, the paper's tables with intervals, figures,
ranks, pairs, item analysis with the item response fit, and the page. Then the parts alone, the item
response fit apart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.benchmarks.portrait_replica import JUDGE, MODELS, N_DRAWS, replica_items, responses

from eyechart import plugins
from eyechart.benchmarks import Findings
from eyechart.comparing.runs import read_entrants
from eyechart.item_analysis import Answered, analyse
from eyechart.run_folder import JudgeInfo, RunInfo, write_info, write_items, write_scores
from eyechart.scores import Scoring, score_responses

GOAL_S, GOAL_WITH_FIT_S = 10.0, 30.0
RUNS = 3
RULES = plugins.benchmark("qbench-portrait")


def folders(top: Path) -> list[Path]:
    """Run folders of 26 models, with items and scores."""
    item_set = replica_items(top / "items")
    scoring = Scoring(RULES.rubrics, {JUDGE: N_DRAWS})
    made = []
    for number, model in enumerate((*MODELS, MODELS[0])):
        folder = top / f"run{number}"
        folder.mkdir()
        name = f"{model} here" if number < len(MODELS) else "one more"
        judges = (JudgeInfo(JUDGE, "", N_DRAWS),)
        write_info(
            folder, RunInfo("qbench-portrait", name, "", "", {}, item_set.card, judges=judges)
        )
        write_items(folder, item_set.items)
        write_scores(folder, score_responses(item_set.items, responses(model), scoring))
        made.append(folder)
    return made


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as top:
        made = folders(Path(top))
        command = [sys.executable, "-m", "eyechart.cli", "compare", *map(str, made)]
        command += ["--out", str(Path(top) / "comparison")]
        print(f"{len(made)} models, compared from start to end (goal {GOAL_WITH_FIT_S:.0f} s):")
        for _ in range(RUNS):
            took = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
            print(f"  {took:.1f} s")
        print("parts:")
        runs = read_entrants(made)
        print(f"  reading         {seconds(lambda: read_entrants(made)):.1f} s")
        shared = runs[0].items
        found = [Findings(shared, (), run.scores, run.info.model, (JUDGE,)) for run in runs]
        assert RULES.tell_all is not None
        tell_all = RULES.tell_all
        print(f"  tables, ranks   {seconds(lambda: tell_all(found, ())):.1f} s")
        answered = [Answered(run.info.model, run.scores) for run in runs]
        print(f"  item analysis   {seconds(lambda: analyse(shared, answered)):.1f} s, with the fit")


if __name__ == "__main__":
    main()
