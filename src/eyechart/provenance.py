"""Where a run's numbers come from: benchmark, model, prompts, settings and versions, in words.

In: what is about to be run. Out: `RunInfo` for `run.json`, and the table at the end of a report.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eyechart.asking.backend import Backend
from eyechart.asking.engine import CONCURRENCY
from eyechart.errors import BadInput
from eyechart.items import ItemSet
from eyechart.prompts import digests
from eyechart.run_folder import MAX_UNJUDGED, JudgeInfo, RunInfo
from eyechart.run_settings import RunSettings
from eyechart.strategies import strategy

PACKAGES = ("eyechart", "numpy", "scipy", "pillow", "aiohttp")
UNSCORED_RULE = "an unscored question counts as wrong in accuracy"


def run_info(
    name: str,
    item_set: ItemSet,
    backend: Backend,
    judges: Sequence[Backend],
    settings: RunSettings,
) -> RunInfo:
    """What is about to be run: these items, on this model, with these settings."""
    return RunInfo(
        benchmark=name,
        model=backend.model,
        revision=backend.revision,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        identity=_identity(name, item_set, backend, settings),
        card=item_set.card,
        judges=judges_of(judges, settings),
        max_unjudged=MAX_UNJUDGED if settings.max_unjudged is None else settings.max_unjudged,
        also=settings.form.also,
        strategies=settings.form.strategies,
        settings={
            "concurrency": str(settings.ask.concurrency or backend.window or CONCURRENCY),
            "attempts": str(settings.ask.patience.attempts),
            "timeout": f"{settings.ask.patience.timeout_s:g} s",
            **judging_told(settings),
        },
        versions=_versions(),
        prompts=digests(),
        notes=(*item_set.card.notes, *_protocol_notes(item_set, settings)),
    )


def judges_of(judges: Sequence[Backend], settings: RunSettings) -> tuple[JudgeInfo, ...]:
    """The judges as a run remembers them. Raises BadInput where one is named twice."""
    found = [JudgeInfo(one.model, one.revision, settings.judging.n_draws) for one in judges]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"--judge {twice}: named twice; two judges must be two models")
    return tuple(found)


def judging_told(settings: RunSettings) -> dict[str, str]:
    """How the judges are sampled, in words; nothing without judges."""
    sampling = settings.judging.sampling
    told = f"temperature {sampling.temperature}, max_tokens {sampling.max_tokens}"
    return (
        {"judges' sampling": told.replace("None", "the endpoint's own")} if settings.judges else {}
    )


def provenance(info: RunInfo) -> dict[str, str]:
    """All that a report says of its origin, in the order printed; empty values are left out."""
    judges = [
        f"{j.name} {j.revision}".strip() + f", {j.n_draws} verdicts on each question put to it"
        for j in info.judges
    ]
    told = {
        "started": info.started,
        **info.identity,
        "licence": info.card.licence,
        "citation": info.card.citation,
        **{f"judge {i}" if i > 1 else "judge": told for i, told in enumerate(judges, 1)},
        "rule": UNSCORED_RULE,
        **info.settings,
        **info.setup,
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
    if benchmark.endswith(".py"):
        benchmark = Path(benchmark).stem
    short = re.sub(r"[^A-Za-z0-9.]+", "-", f"{benchmark}-{name.rpartition('/')[2]}").strip("-.")
    return f"{short[:80]}-{time}-{os.getpid()}"


def _protocol_notes(item_set: ItemSet, settings: RunSettings) -> tuple[str, ...]:
    if not any(item.kind == "rate" for item in item_set.items):
        return ()
    chosen = [strategy(spec) for spec in settings.form.strategies]
    notes = [
        f"The strategy {how.spec} reads ratings in words, not from probabilities: another protocol "
        "than Q-Bench's, not to be put beside it."
        for how in chosen
        if how.other_protocol
    ]
    if settings.form.rate != "begun" and not all(how.other_protocol for how in chosen):
        notes.append(
            "Ratings were asked for in one word, not by a begun answer: another protocol than "
            "Q-Bench's, not to be put beside it."
        )
    return tuple(notes)


def _identity(
    name: str, item_set: ItemSet, backend: Backend, settings: RunSettings
) -> dict[str, str]:
    """The settings that decide what is asked: a run folder holds one identity."""
    card, sampling, form = item_set.card, settings.sampling, settings.form
    only = "".join(f", {facet} {value}" for facet, value in settings.only.items())
    kinds = {item.kind for item in item_set.items}
    samples = "rate" in kinds and any(strategy(s).asking == "sampling" for s in form.strategies)
    told = {
        "benchmark": f"{name} {card.version}".strip(),
        "items": card.digest or _digest(item_set),
        "model": f"{backend.model} {backend.revision}".strip(),
        "chosen": f"kinds {','.join(settings.kinds) or 'all'}{only}, limit {settings.limit}, "
        f"seed {settings.seed}",
        "sampling": f"temperature {sampling.temperature}, top_p {sampling.top_p}, "
        f"max_tokens {sampling.max_tokens}",
        "choice prompt": form.single if "single" in kinds else "",
        "asked also": ", ".join(form.also),
        "rating prompt": form.rate,
        "strategies": ", ".join(form.strategies) if "rate" in kinds else "",
        "samples": f"{form.n_samples} replies, temperature 1" if samples else "",
        "max pixels": str(settings.ask.max_pixels or "as the files are"),
    }
    return {what: value for what, value in told.items() if value}


def _digest(item_set: ItemSet) -> str:
    """The sha256 of what is asked where no file of items has one; pictures by their name."""
    digest = hashlib.sha256()
    for item in item_set.items:
        named = [picture.sha256 or picture.name for picture in item.images]
        asked = (item.id, item.kind, item.question, item.options, item.answer, item.mos, named)
        digest.update(repr(asked).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    told = {"python": platform.python_version(), "platform": platform.system()}
    for package in PACKAGES:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = "not installed"
    return told
