"""How to run: everything that a run can be told, with its defaults.

In: choices. Out: a record. Reads nothing and asks nobody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyechart.asking import AskSettings, Price
from eyechart.asking.backend import Backend
from eyechart.benchmarks import Benchmark
from eyechart.errors import BadInput
from eyechart.prompts import Judging, PromptForm
from eyechart.records import KINDS, Item, Kind, Sampling
from eyechart.strategies import strategy

CALL_LOG = "calls.sqlite"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run. `judges`: addresses of judge models, the one whose verdicts count first; none by
    default. `max_unjudged`: the share of replies without a verdict above which a run has failed,
    0.05 if None.
    `kinds`: only these ("all" if empty). `only`: facets and the one value wanted of each. `limit`:
    a random sample of so many items, by `seed`. `photos`: photographs for a benchmark that is made
    of them, or that its `data` (files, folders, hub addresses) name; `columns`: a TOML file that
    says what the data call their columns. `workspace`: holds the call
    log and what is made on the way. The budget in `ask` is for answers and judging together;
    `judge_price` is the judges', the model's if None.
    """

    judges: tuple[str, ...] = ()
    judging: Judging = Judging()
    judge_price: Price | None = None
    max_unjudged: float | None = None
    form: PromptForm = PromptForm()
    sampling: Sampling = Sampling()
    ask: AskSettings = AskSettings()
    kinds: tuple[Kind, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    seed: int = 0
    photos: Path | None = None
    max_photos: int | None = None
    data: tuple[str, ...] = ()
    columns: Path | None = None
    workspace: Path = Path("runs")


def fitted(
    settings: RunSettings, backend: Backend, items: Iterable[Item], rules: Benchmark
) -> RunSettings:
    """The settings as this model can meet them, before anything is asked.

    What they leave to the benchmark is filled in from its `rules`. Begun answers become one-word
    questions for a model that cannot go on from them. Raises BadInput where the model gives no word
    probabilities for ratings that need them, or no likelihoods where they are wanted.
    """
    form = dataclasses.replace(
        settings.form,
        single=settings.form.single or rules.form,
        strategies=tuple(
            dict.fromkeys(
                strategy(spec).spec for spec in settings.form.strategies or rules.strategies
            )
        ),
    )
    kinds = [item.kind for item in items]
    _check_able(backend, form, kinds)
    if not backend.continues:
        form = dataclasses.replace(form, rate="one-word")
    _check_askable(form)
    return dataclasses.replace(settings, form=form)


def _check_able(backend: Backend, form: PromptForm, kinds: Sequence[Kind]) -> None:
    """Raise BadInput, before anything is asked, for what the model cannot give at all."""
    need_words = [spec for spec in form.strategies if strategy(spec).words]
    n_rated, others = kinds.count("rate"), [k for k in KINDS if k in kinds and k != "rate"]
    if n_rated and need_words and "next_word" not in backend.wants:
        without = f"Leave them out with --kinds {','.join(others)}, or read" if others else "Read"
        raise BadInput(
            f"{backend.model} gives no word probabilities, which {n_rated} ratings need; nothing "
            f"was asked. {without} ratings in words with --strategies number or --strategies "
            "sampling, which are other protocols"
        )
    if "likelihood" in form.also and "likelihood" not in backend.wants:
        raise BadInput(
            f"{backend.model} gives no likelihood of a text, which --also likelihood needs; "
            "nothing was asked. Leave it out, or choose a backend that can"
        )


def _check_askable(form: PromptForm) -> None:
    """Raise BadInput for strategies that one run cannot ask for.

    A question names one pair of words; where the answer is begun it names none, and any are read.
    """
    chosen = [strategy(spec) for spec in form.strategies]
    named = [how for how in chosen if how.asking == "sampling"]
    if form.rate == "one-word":
        named += [how for how in chosen if how.asking == "" and how.words]
    pairs = dict.fromkeys(f"{how.good[0]}/{how.poor[0]}" for how in named)
    if len(pairs) > 1:
        raise BadInput(
            f"--strategies: the question names the words, and these need several: "
            f"{', '.join(pairs)}; give each a run of its own"
        )
