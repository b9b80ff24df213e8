"""Does `ask` stay flat? Cost per request and peak memory from 10^3 to 10^6 requests.

    python bench/ask_scale.py [--most 1000000]

Each size runs in a process of its own through the `scripted` backend with the call log on, first
asking everything, then again with everything in the log. Look at the columns, not at one number:
cost per request and peak memory should not grow with the number of requests.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from eyechart.asking import AskSettings, CallLog, Tally, ask
from eyechart.backends.scripted import Scripted
from eyechart.records import Request, Turn

CONCURRENCY = 64


def requests(n: int) -> Iterator[Request]:
    """So many different questions, made one at a time."""
    for i in range(n):
        yield Request(str(i), "answer", (Turn("user", (f"Question {i}: is it sharp?",)),))


def one_size(n: int, log_file: Path) -> None:
    """Ask `n` requests and print what it took as JSON."""
    tally = Tally()
    start_wall, start_cpu = time.perf_counter(), time.process_time()
    with CallLog(log_file) as log:
        settings = AskSettings(concurrency=CONCURRENCY)
        responses = ask(requests(n), Scripted("Yes."), log=log, settings=settings, tally=tally)
        n_responses = sum(1 for _ in responses)
    told = {
        "n": n_responses,
        "asked": tally.n_asked,
        "found": tally.n_found,
        "wall_s": time.perf_counter() - start_wall,
        "cpu_s": time.process_time() - start_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(told))


def in_a_process(n: int, log_file: Path) -> dict[str, float]:
    """The same in a process of its own, so that peaks do not mix."""
    command = [sys.executable, __file__, "--one", str(n), "--log", str(log_file)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=10**6)
    parser.add_argument("--one", type=int)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    if options.one is not None:
        one_size(options.one, options.log)
        return
    print(
        "| requests | first run: µs each (CPU) | peak MB | all in the log: µs each (CPU) "
        "| seconds in all | peak MB |"
    )
    print("|---|---|---|---|---|---|")
    n = 1000
    while n <= options.most:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "calls.sqlite"
            first, again = in_a_process(n, log), in_a_process(n, log)
        assert (first["asked"], again["found"]) == (n, n)
        print(
            f"| {n:,} | {first['cpu_s'] / n * 1e6:.0f} | {first['peak_mb']:.0f} | "
            f"{again['cpu_s'] / n * 1e6:.0f} | {again['wall_s']:.1f} | {again['peak_mb']:.0f} |",
            flush=True,
        )
        n *= 10


if __name__ == "__main__":
    main()
