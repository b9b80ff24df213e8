"""Where a run's numbers come from: benchmark, model, prompts, settings and versions, in words.

In: what is about to be run. Out: `RunInfo` for `run.json`, and the table at the end of a report.
"""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from eyechart.asking.backend import Backend
from eyechart.items import ItemSet
from eyechart.prompts import digests
from eyechart.run_folder import RunInfo
from eyechart.run_settings import RunSettings

PACKAGES = ("eyechart", "numpy", "scipy", "pillow", "aiohttp")
UNSCORED_RULE = "an unscored question counts as wrong in accuracy"


def run_info(
    name: str, item_set: ItemSet, backend: Backend, judge: Backend | None, settings: RunSettings
) -> RunInfo:
    """What is about to be run: these items, on this model, with these settings."""
    return RunInfo(
        benchmark=name,
        model=backend.model,
        revision=backend.revision,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        identity=_identity(name, item_set, backend, settings),
        card=item_set.card,
        judge=judge.model if judge else "",
        n_judge_draws=settings.judging.n_draws if judge else 0,
        settings={
            "concurrency": str(settings.ask.concurrency),
            "attempts": str(settings.ask.patience.attempts),
            "timeout": f"{settings.ask.patience.timeout_s:g} s",
        },
        versions=_versions(),
        prompts=digests(),
        notes=(*item_set.card.notes, *_protocol_notes(item_set, settings)),
    )


def provenance(info: RunInfo) -> dict[str, str]:
    """All that a report says of its origin, in the order printed; empty values are left out."""
    judge = f"{info.judge}, {info.n_judge_draws} verdicts on each answer" if info.judge else ""
    told = {
        "started": info.started,
        **info.identity,
        "licence": info.card.licence,
        "citation": info.card.citation,
        "judge": judge,
        "rule": UNSCORED_RULE,
        **info.settings,
        **{f"prompt {name}": digest for name, digest in info.prompts.items()},
        **info.versions,
    }
    return {name: value for name, value in told.items() if value}


def folder_name(benchmark: str, model: str) -> str:
    """A new run folder's name: benchmark, model, time and process.

    >>> folder_name("snellen", "http://localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct")[:29]
    'snellen-Qwen3-VL-8B-Instruct-'
    """
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = model.rpartition("#")[2] if "#" in model else model.partition(":")[2] or model
    short = re.sub(r"[^A-Za-z0-9.]+", "-", f"{benchmark}-{name.rpartition('/')[2]}").strip("-.")
    return f"{short[:80]}-{time}-{os.getpid()}"


def _protocol_notes(item_set: ItemSet, settings: RunSettings) -> tuple[str, ...]:
    if settings.form.rate == "begun" or not any(item.kind == "rate" for item in item_set.items):
        return ()
    return (
        "Ratings were asked for in one word, not by a begun answer: another protocol than "
        "Q-Bench's, not to be put beside it.",
    )


def _identity(
    name: str, item_set: ItemSet, backend: Backend, settings: RunSettings
) -> dict[str, str]:
    """The settings that decide what is asked: a run folder holds one identity."""
    card, sampling = item_set.card, settings.sampling
    return {
        "benchmark": f"{name} {card.version}".strip(),
        "items": card.digest or f"{len(item_set.items)} items",
        "model": f"{backend.model} {backend.revision}".strip(),
        "chosen": f"kinds {','.join(settings.kinds) or 'all'}, limit {settings.limit}, "
        f"seed {settings.seed}",
        "sampling": f"temperature {sampling.temperature}, top_p {sampling.top_p}, "
        f"max_tokens {sampling.max_tokens}",
        "rating prompt": settings.form.rate,
        "max pixels": str(settings.ask.max_pixels or "as the files are"),
    }


def _versions() -> dict[str, str]:
    told = {"python": platform.python_version(), "platform": platform.system()}
    for package in PACKAGES:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = "not installed"
    return told
