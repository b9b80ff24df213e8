"""How to run: everything that a run can be told, with its defaults.

In: choices. Out: a record. Reads nothing and asks nobody.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from eyechart.asking import AskSettings
from eyechart.asking.backend import Backend
from eyechart.prompts import Judging, PromptForm
from eyechart.records import Kind, Sampling

CALL_LOG = "calls.sqlite"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run. `judge`: address of the judge model, "" for none. `kinds`: only these ("all" if
    empty). `limit`: a random sample of so many items, by `seed`. `photos`: photographs for a
    benchmark that is made of them. `workspace`: holds the call log and what is made on the way.
    """

    judge: str = ""
    judging: Judging = Judging()
    form: PromptForm = PromptForm()
    sampling: Sampling = Sampling()
    ask: AskSettings = AskSettings()
    kinds: tuple[Kind, ...] = ()
    limit: int | None = None
    seed: int = 0
    photos: Path | None = None
    max_photos: int | None = None
    workspace: Path = Path("runs")


def fitted(settings: RunSettings, backend: Backend) -> RunSettings:
    """Begun answers become one-word questions for a model that cannot go on from them."""
    if backend.continues or settings.form.rate != "begun":
        return settings
    return dataclasses.replace(settings, form=PromptForm(rate="one-word"))
