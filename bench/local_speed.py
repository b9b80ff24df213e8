"""How fast a local model answers beside the published way, and beside its device's own rate.

    python -m bench.local_speed --size small                       # a CPU: 108 M parameters
    python -m bench.local_speed --size 8b --images 512 --profile   # a GPU: Qwen3-VL-8B's shape

In one run, from JPEG files to log-odds of good against poor: (a) the published way, one image at a
time, (b) ours, the model by itself in batches, and (c) the rate of plain matrix products on the
same device. Then what further questions about the same image cost, and where the time goes. Random
weights, made on the spot; ways take turns.

Each figure is the median of the blocks in which other processes took at most 5 % of the cores.
Where there is none it is that of all blocks, marked with a star, and no ratio of it is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers
from bench.local_counting import (
    Others,
    Size,
    measured,
    needed,
    product_rate,
    published,
    synchronise,
)
from bench.local_model import SHAPES, photographs, renewed, save_model
from bench.local_ways import Clock, Published, alone, ask_all, free, pictures_alone, size_of

from eyechart import open_model

GOALS = {"ours / published": 5.0, "share": 0.65, "tenth": 0.08}
QUIET = 0.05  # of all cores: what other processes may take in a block that counts
N_CORES = os.cpu_count() or 1
WAYS = ("(a) published", "model alone", "(b) ours")
HEAD = f"{'':16}{'ms an image':>12}{'blocks':>36}{'cores of others':>26}"
QUESTIONS = (1, 2, 4, 10, 16)
ALONE_TOKENS = {"cuda": 16384, "cpu": 2048}
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured on what. `n_loop`: images of the published way, whose rate is constant."""

    folder: Path
    address: str
    device: torch.device
    dtype: torch.dtype
    n_loop: int
    n_warm: int
    n_repeats: int
    products: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class Found:
    """Milliseconds an image in each block, by way; operations an image, and what they were on.

    `others`: cores that other processes kept busy meanwhile, for each block of `ms`. `rates`: of
    plain products, each with these cores; all sizes of file share them.
    """

    megapixels: float
    n_images: int
    rates: list[tuple[float, float | None]]
    ms: dict[str, list[float]] = field(default_factory=dict)
    others: dict[str, list[float | None]] = field(default_factory=dict)
    operations: float = 0.0
    all_operations: float = 0.0
    tokens: float = 0.0
    patches: float = 0.0
    apart: float = 0.0
    load_s: float = 0.0
    setup: dict[str, str] = field(default_factory=dict)
    profile: dict[str, float] = field(default_factory=dict)

    def note(self, way: str, seconds: float, n_images: int, others: float | None) -> None:
        """A block's figure."""
        self.others.setdefault(way, []).append(others)
        self.ms.setdefault(way, []).append(seconds / n_images * 1e3)

    def quiet(self, way: str) -> list[float]:
        """Those of a way's blocks that no other process disturbed, as far as is known."""
        pairs = zip(self.ms[way], self.others[way], strict=True)
        return [ms for ms, others in pairs if is_quiet(others)]

    def middle(self, way: str) -> float:
        """The median of a way's quiet blocks, of all where there is none."""
        return median(self.quiet(way) or self.ms[way])

    def ratio(self, way: str, other: str) -> float | None:
        """How many times a way takes as long as another; None unless both had a quiet block."""
        if not (self.quiet(way) and self.quiet(other)):
            return None
        return self.middle(way) / self.middle(other)

    def share(self, way: str, operations: float) -> float | None:
        """Of the rate of plain products, what a way reaches; None unless both were quiet."""
        rates = [rate for rate, others in self.rates if is_quiet(others)]
        if not (self.quiet(way) and rates):
            return None
        return operations / (self.middle(way) / 1e3) / max(rates)


def is_quiet(others: float | None) -> bool:
    """Whether so many cores, kept busy by other processes, leave a block its worth."""
    return others is None or others <= QUIET * N_CORES


# --- blocks -------------------------------------------------------------------------------------


def block_published(plan: Plan, files: list[Path], found: Found) -> list[float]:
    """The published way, then the model by itself; returns the log-odds."""
    way = Published(plan.folder, plan.device)
    files = files[: plan.n_loop]
    way.log_odds(files[0])
    synchronise(plan.device)
    others, start = Others(), time.perf_counter()
    odds = [way.log_odds(file) for file in files]
    found.note("(a) published", time.perf_counter() - start, len(files), others.cores())
    ready = [way.inputs(file) for file in files[:5]]  # the five photographs
    sizes = [size_of(one) for one in ready]
    _count(way, sizes, found)
    n = max(1, ALONE_TOKENS[plan.device.type] // max(size.n_tokens for size in sizes))
    batch = [ready[i % len(ready)] for i in range(n)]
    # Its batch need not hold the photographs in equal parts: brought to the mean's operations.
    heavier = sum(needed(way.model.config, size_of(one)) for one in batch) / n / found.operations
    others = Others()
    found.note("model alone", alone(way, batch) / heavier, n, others.cores())
    way.close()
    return odds


def _count(way: Published, sizes: Sequence[Size], found: Found) -> None:
    config = way.model.config
    found.operations = sum(needed(config, size) for size in sizes) / len(sizes)
    found.all_operations = sum(published(config, size) for size in sizes) / len(sizes)
    found.tokens = sum(size.n_tokens for size in sizes) / len(sizes)
    found.patches = sum(size.n_patches for size in sizes) / len(sizes)


def block_ours(plan: Plan, files: list[Path], found: Found) -> list[float]:
    """Ours, from files to log-odds."""
    renewed(files)
    asked = ask_all(open_model(plan.address), files, n_warm=plan.n_warm)
    free()
    found.note("(b) ours", asked.seconds, len(files), asked.others)
    found.load_s, found.setup = asked.load_s, asked.setup
    return asked.log_odds


def compare(plan: Plan, files: list[Path], found: Found) -> None:
    """Both ways in turns over the same files, and the plain products before each turn."""
    for repeat in range(plan.n_repeats):
        others = Others()
        rate = product_rate(plan.device, plan.dtype, plan.products)
        found.rates.append((rate, others.cores()))
        blocks = [block_published, block_ours]
        odds = {block: block(plan, files, found) for block in blocks[:: -1 if repeat % 2 else 1]}
        pairs = zip(odds[block_published], odds[block_ours], strict=False)
        found.apart = max(found.apart, max(abs(one - other) for one, other in pairs))


def question_costs(plan: Plan, files: list[Path], found: Found) -> None:
    """Seconds an image by the number of questions about it, each the median of its blocks."""
    model = open_model(plan.address)  # held, so that its weights stay
    for repeat in range(plan.n_repeats):
        for n in QUESTIONS[:: -1 if repeat % 2 else 1]:
            renewed(files)
            asked = ask_all(model, files, n_questions=n, n_warm=plan.n_warm)
            found.note(f"{n} questions", asked.seconds, len(files), asked.others)
    del model
    free()


def profile(plan: Plan, files: list[Path], found: Found) -> None:
    """Where ours spends its time, an image. The device is waited for around each part."""
    renewed(files)
    with Clock(plan.device) as clock:
        model = open_model(plan.address)
        asked = ask_all(model, files, n_warm=plan.n_warm, begin=clock.seconds.clear)
    del model
    free()
    parts = {name: seconds / len(files) * 1e3 for name, seconds in clock.seconds.items()}
    total = asked.seconds / len(files) * 1e3
    vision, language = parts.get("vision", 0.0), parts.get("language", 0.0)
    inside = parts.get("model", 0.0)
    found.profile = {
        "in all": total,
        "vision tower": vision,
        "language model": language,
        "else of the model": inside - vision - language,
        "no model at work": total - inside,
        "decode and resize, one core": pictures_alone(plan.folder, files[:8]) * 1e3,
    }


# --- words --------------------------------------------------------------------------------------


def show(found: Found, *, with_goals: bool) -> None:
    """A table of one size of file."""
    kinds = f"{found.tokens:.0f} tokens and {found.patches:.0f} patches an image on average"
    print(f"\nJPEG files of {found.megapixels:g} megapixels, {found.n_images} of them: {kinds}")
    rates = ", ".join(f"{rate / 1e12:.3f} ({_cores(others)})" for rate, others in found.rates)
    print(f"(c) plain matrix products, T operations/s (cores of others): {rates}")
    print(f"{HEAD}{'share of (c)':>14}")
    for way in WAYS:
        operations = found.all_operations if way == "(a) published" else found.operations
        print(f"{_row(found, way)}{_percent(found.share(way, operations)):>14}")
    ratio = found.ratio("(a) published", "(b) ours")
    times = "disturbed, no ratio" if ratio is None else f"{ratio:.2f} times as fast"
    goal = f" (goals: {GOALS['ours / published']:g} times, {GOALS['share']:.0%} of (c))"
    print(f"ours beside the published way: {times}{goal if with_goals else ''}")
    print(f"operations an image: {found.operations / 1e9:.1f} G needed, ", end="")
    print(f"{found.all_operations / 1e9:.1f} G the published way")
    print(f"largest difference of a log-odds between the ways: {found.apart:.4f}")
    print(f"start of ours, weights and workers: {found.load_s:.1f} s; {found.setup}")
    _show_questions(found, with_goals=with_goals)
    for name, ms in found.profile.items():
        print(f"{name:28}{ms:10.2f} ms{ms / found.profile['in all']:8.0%}")


def _show_questions(found: Found, *, with_goals: bool) -> None:
    if "1 questions" not in found.ms:
        return
    print(f"{HEAD}{'each further one':>18}")
    for n in QUESTIONS:
        ratio = found.ratio(f"{n} questions", "1 questions")
        each = (ratio - 1) / (n - 1) if ratio is not None and n > 1 else None
        goal = f" (goal: {GOALS['tenth']:.0%})" if with_goals and n == 10 else ""
        print(f"{_row(found, f'{n} questions')}{_percent(each) if n > 1 else '':>18}{goal}")


def _row(found: Found, way: str) -> str:
    blocks = " ".join(f"{ms:.1f}" for ms in found.ms[way])
    others = " ".join(map(_cores, found.others[way]))
    star = " " if found.quiet(way) else "*"
    return f"{way:16}{found.middle(way):11.1f}{star}{blocks:>36}{others:>26}"


def _cores(others: float | None) -> str:
    return "?" if others is None else f"{others:.2f}"


def _percent(share: float | None) -> str:
    return "disturbed" if share is None else f"{share:.1%}"


def machine(device: torch.device) -> dict[str, str]:
    """What was measured, on what, when."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{_processor()}, {torch.get_num_threads()} threads"
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True)
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "device": name,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "commit": commit.stdout.decode().strip() or "unknown",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def checked_operations(plan: Plan, file: Path) -> str:
    """Our count of operations beside torch's, of one small picture."""
    way = Published(plan.folder, plan.device)
    inputs = way.inputs(file)
    ours, torchs = published(way.model.config, size_of(inputs)), measured(way.model, inputs)
    way.close()
    return (
        f"operations of one call: {ours / 1e9:.2f} G by the config, {torchs / 1e9:.2f} G by torch"
    )


# --- the command --------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, and write down if asked."""
    options = _options()
    device = torch.device(options.device)
    dtype, shape = DTYPES[options.dtype], SHAPES[options.size]
    told = machine(device)
    print(", ".join(f"{name} {value}" for name, value in told.items()))
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory(dir=options.folder) as top:
        folder = Path(top) / f"random-qwen3-vl-{options.size}"
        pixels = options.max_pixels or shape.pixels
        n = save_model(folder, shape, options.device, dtype, pixels)
        free()
        print(f"{n / 1e6:.0f} M parameters in {options.dtype}, at most {pixels} pixels a picture")
        address = f"hf:{folder}?devices={options.device}{options.options}"
        n_loop, n_warm = min(options.loop, options.images), 2 if device.type == "cpu" else 16
        plan = Plan(
            folder,
            address,
            device,
            dtype,
            n_loop,
            n_warm,
            options.repeats,
            _products(options.size, device),
        )
        print(checked_operations(plan, photographs(Path(top), 1, 0.1)[0]))
        rates: list[tuple[float, float | None]] = []
        results = [
            _of_size(plan, Path(top), Found(mp, options.images, rates), options)
            for mp in options.megapixels
        ]
    if options.out:
        told |= {"size": options.size, "dtype": options.dtype, "pixels": str(pixels)}
        written: dict[str, Any] = {"machine": told, "results": [asdict(one) for one in results]}
        options.out.write_text(json.dumps(written, indent=2) + "\n")


def _of_size(plan: Plan, top: Path, found: Found, options: argparse.Namespace) -> Found:
    files = photographs(top, options.images, found.megapixels)
    compare(plan, files, found)
    if options.questions and found.megapixels == options.megapixels[0]:
        question_costs(plan, files[: options.questions], found)
    if options.profile:
        profile(plan, files, found)
    show(found, with_goals=options.size == "8b")
    for file in files:
        file.unlink()
    return found


def _products(size: str, device: torch.device) -> tuple[tuple[int, int, int], ...]:
    """Square ones, and the widest of the model's own."""
    shape = SHAPES[size]
    sides = (4096, 8192, 16384) if device.type == "cuda" else (256, 1024, 2048)
    rows = ALONE_TOKENS[device.type]
    return (*[(side, side, side) for side in sides], (rows, shape.intermediate, shape.hidden))


def _options() -> argparse.Namespace:
    here = "cuda:0" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", choices=SHAPES, default="8b" if here != "cpu" else "small")
    parser.add_argument("--images", type=int, default=24, help="files of each size")
    parser.add_argument("--loop", type=int, default=24, help="of these for the published way")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1.0, 12.0])
    parser.add_argument("--max-pixels", type=int, help="most that the model looks at of a picture")
    parser.add_argument("--questions", type=int, default=8, help="images asked often, 0 for none")
    parser.add_argument("--repeats", type=int, default=3, help="blocks of each way")
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    parser.add_argument("--device", default=here)
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    parser.add_argument("--options", default="", help="more for our address, as &workers=2")
    parser.add_argument("--folder", type=Path, help="where the checkpoint may lie for the while")
    parser.add_argument("--out", type=Path, help="a JSON file for all figures")
    options = parser.parse_args()
    if min(options.images, options.loop, options.repeats) < 1:
        parser.error("--images, --loop and --repeats must be at least 1")
    return options


if __name__ == "__main__":
    main()
