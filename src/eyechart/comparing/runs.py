"""The runs that are compared: read from their folders, and narrowed to the items that all share.

In: run folders. Out: `Entrant`s over the same items, and sentences on what they did differently.
Compares no figures.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart import run_folder
from eyechart.errors import BadInput
from eyechart.items import ItemSet, sha256_of
from eyechart.people import People
from eyechart.records import JUDGED_KINDS, Item, Picture, Score
from eyechart.report.counting import of_first_judge
from eyechart.report.formatting import plural
from eyechart.report.samples import Sample
from eyechart.run_folder import RunInfo
from eyechart.strategies import strategy


@dataclass(frozen=True, slots=True)
class Entrant:
    """One side of a comparison: a run with its scores, or people with theirs."""

    name: str
    info: RunInfo
    items: ItemSet
    scores: tuple[Score, ...]
    people: bool = False


def read_entrants(folders: Sequence[Path]) -> list[Entrant]:
    """The runs in these folders; items that are the same to the byte are read once.

    Raises BadInput for a folder that is no run's, has no scores, or is given twice.
    """
    twice = [folder for folder, n in Counter(f.resolve() for f in folders).items() if n > 1]
    if twice:
        raise BadInput(f"{twice[0]}: given twice; expected different run folders")
    known: dict[str, ItemSet] = {}
    found = []
    for folder in folders:
        file = folder / "items.jsonl"
        digest = sha256_of(file) if file.is_file() else ""
        if digest not in known:
            known[digest] = run_folder.read_item_set(folder)
        info = run_folder.read_info(folder)
        item_set = ItemSet(info.card, known[digest].items)
        found.append(Entrant(folder.resolve().name, info, item_set, run_folder.read_scores(folder)))
    return found


def people_as_entrant(people: People, benchmark: str, shared: ItemSet) -> Entrant:
    """People as one more side, over those of the shared items that any of them answered."""
    answered = {score.item_id for score in people.scores}
    items = ItemSet(shared.card, tuple(item for item in shared.items if item.id in answered))
    info = RunInfo(benchmark, people.name, "", "", {}, shared.card)
    return Entrant(people.name, info, items, people.scores, people=True)


def named(runs: Sequence[Entrant]) -> list[Entrant]:
    """The runs called by their model; by their folder too where a model comes twice.

    Where these are the same too, they are numbered.
    """
    models = Counter(run.info.model for run in runs)

    names = [
        run.info.model if models[run.info.model] == 1 else f"{run.info.model} ({run.name})"
        for run in runs
    ]
    numbers = {name: itertools.count(1) for name, n in Counter(names).items() if n > 1}
    return [
        dataclasses.replace(run, name=f"{name} {next(numbers[name])}" if name in numbers else name)
        for run, name in zip(runs, names, strict=True)
    ]


def shared_items(runs: Sequence[Entrant]) -> ItemSet:
    """The items that all have, with the same question, pictures and answer.

    Raises BadInput where there are none.
    """
    first, *others = [{item.id: item for item in run.items.items} for run in runs]
    ids = [i for i in first if all(i in other and _same(first[i], other[i]) for other in others)]
    if not ids:
        raise BadInput(
            f"{', '.join(run.name for run in runs)}: no item is in all of these runs with the same "
            "question, pictures and answer; compare runs of one benchmark, version and seed"
        )
    return ItemSet(runs[0].items.card, tuple(first[i] for i in ids))


def _same(a: Item, b: Item) -> bool:
    if a is b:
        return True
    asked = (a.kind, a.question, a.options, a.answer, a.mos, len(a.images))
    return asked == (b.kind, b.question, b.options, b.answer, b.mos, len(b.images)) and all(
        map(_same_picture, a.images, b.images)
    )


def _same_picture(a: Picture, b: Picture) -> bool:
    """By digest where both have one, else by name."""
    return a.sha256 == b.sha256 if a.sha256 and b.sha256 else a.name == b.name


def notes_of(runs: Sequence[Entrant], shared: ItemSet) -> tuple[str, ...]:
    """What was left out, and in which ways the runs asked or judged differently."""
    most = max(len(run.items.items) for run in runs)
    left_out = most - len(shared.items)
    told = f"{plural(left_out, 'item is', 'items are')} not in all runs and left out."
    return (*([told] if left_out else []), *_differences(runs, shared))


def _differences(runs: Sequence[Entrant], shared: ItemSet) -> Iterator[str]:
    """A sentence for each way in which the runs asked or judged differently."""
    kinds = {item.kind for item in shared.items}
    for what, (of_kinds, told) in PROTOCOL.items():
        names: dict[str, list[str]] = {}
        for run in runs:
            names.setdefault(told(run.info), []).append(run.name)
        if kinds & of_kinds and len(names) > 1:
            parts = [f"{value} ({', '.join(mine)})" for value, mine in names.items()]
            yield f"The runs differ in {what}: {'; '.join(parts)}."


def _first_judge(info: RunInfo) -> str:
    if not info.judges:
        return "none"
    first = info.judges[0]
    return f"{first.name} with {plural(first.n_draws, 'verdict')} on each reply"


def refuse_two_protocols(runs: Sequence[Entrant], samples: Sequence[Mapping[str, Sample]]) -> None:
    """Raise BadInput for ratings read in words beside ratings read from probabilities."""
    rated = [
        (run.name, strategy(run.info.strategies[0]))
        for run, found in zip(runs, samples, strict=True)
        if any(metric.startswith("srcc_") for metric in found)
    ]
    in_words = [f"{name} rates in words ({how.spec})" for name, how in rated if how.other_protocol]
    others = [
        f"{name} by probabilities ({how.spec})" for name, how in rated if not how.other_protocol
    ]
    if in_words and others:
        raise BadInput(
            f"{in_words[0]} and {others[0]}: two protocols, whose ratings say nothing beside each "
            "other; run one of them again with the other's --strategies, or compare others"
        )


def narrowed(run: Entrant, shared: ItemSet) -> Entrant:
    """The run as it is compared: over the shared items, by its first judge."""
    ids = {item.id for item in shared.items}
    first = of_first_judge(run.scores, run.info.judge_names)
    scores = _with_whole_verdicts([score for score in first if score.item_id in ids])
    return dataclasses.replace(run, items=shared, scores=tuple(scores))


def _with_whole_verdicts(scores: Sequence[Score]) -> list[Score]:
    """With a plain verdict, the mean over its rubrics, for each reply that is judged by several."""
    by_item: dict[str, list[Score]] = {}
    for score in scores:
        if score.name.startswith("verdict."):
            by_item.setdefault(score.item_id, []).append(score)
    whole = []
    for item_id, parts in by_item.items():
        values = [part.value for part in parts if part.value is not None]
        lost = next((part for part in parts if part.value is None), None)
        value = None if lost else sum(values) / len(values)
        whole.append(Score(item_id, "verdict", value, lost.why if lost else None))
    return [*scores, *whole]


PROTOCOL: dict[str, tuple[frozenset[str], Callable[[RunInfo], str]]] = {
    "the prompt of single choice": (
        frozenset({"single"}),
        lambda info: info.identity.get("choice prompt", "not on file"),
    ),
    "the rating prompt": (
        frozenset({"rate"}),
        lambda info: info.identity.get("rating prompt", "not on file"),
    ),
    "how ratings are read": (frozenset({"rate"}), lambda info: info.strategies[0]),
    "the judge that counts": (JUDGED_KINDS, _first_judge),
}
"""What two runs may do differently, of which kinds of items, and what a run did."""
