"""How to run: everything that a run can be told, with its defaults.

In: choices. Out: a record. Reads nothing and asks nobody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eyechart.asking import AskSettings, Price
from eyechart.asking.backend import Backend
from eyechart.errors import BadInput
from eyechart.prompts import Judging, PromptForm
from eyechart.records import KINDS, Item, Kind, Sampling

CALL_LOG = "calls.sqlite"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run. `judge`: address of the judge model, "" for none. `kinds`: only these ("all" if
    empty). `limit`: a random sample of so many items, by `seed`. `photos`: photographs for a
    benchmark that is made of them. `workspace`: holds the call log and what is made on the way.
    The budget in `ask` is for answers and judging together; `judge_price` is the judge's, the
    model's if None.
    """

    judge: str = ""
    judging: Judging = Judging()
    judge_price: Price | None = None
    form: PromptForm = PromptForm()
    sampling: Sampling = Sampling()
    ask: AskSettings = AskSettings()
    kinds: tuple[Kind, ...] = ()
    limit: int | None = None
    seed: int = 0
    photos: Path | None = None
    max_photos: int | None = None
    workspace: Path = Path("runs")


def fitted(settings: RunSettings, backend: Backend, items: Iterable[Item]) -> RunSettings:
    """The settings as this model can meet them, before anything is asked.

    Begun answers become one-word questions for a model that cannot go on from them. Raises BadInput
    where items are to be rated and the model gives no word probabilities.
    """
    n_rated = sum(item.kind == "rate" for item in items)
    if n_rated and "next_word" not in backend.wants:
        kinds = ",".join(kind for kind in KINDS if kind != "rate")
        raise BadInput(
            f"{backend.model} gives no word probabilities, which {n_rated} ratings need; nothing "
            f"was asked. Leave them out with --kinds {kinds}"
        )
    if backend.continues or settings.form.rate != "begun":
        return settings
    return dataclasses.replace(settings, form=PromptForm(rate="one-word"))
