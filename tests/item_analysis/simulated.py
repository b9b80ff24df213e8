"""Runs of made-up models on made-up items, with what is true of them known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eyechart.item_analysis import Answered
from eyechart.items import Card, ItemSet
from eyechart.records import Item, Kind, Picture, Score

OPTIONS = ("Blur", "Noise", "Haze", "Banding")
SHARES: dict[Kind, float] = {"single": 0.31, "multiple": 0.3, "true_false": 0.2, "open": 0.19}


@dataclass(frozen=True)
class Simulated:
    """Items and runs; `right` [models, items]: whether the model knows the item."""

    items: ItemSet
    runs: tuple[Answered, ...]
    right: NDArray[np.bool_]

    def with_keys_turned(self, places: Sequence[int]) -> Simulated:
        """The same replies, scored by keys that are wrong at these places."""
        items = list(self.items.items)
        for place in places:
            items[place] = replace(items[place], answer=_another(items[place]))
        turned = {items[place].id: items[place] for place in places}
        runs = tuple(
            replace(run, scores=tuple(_scored_again(s, turned.get(s.item_id)) for s in run.scores))
            for run in self.runs
        )
        return Simulated(ItemSet(self.items.card, tuple(items)), runs, self.right)

    def with_blind(self, n_runs: int, known: Sequence[int], seed: int = 0) -> Simulated:
        """The first runs are asked without the picture too: they guess but for the places known."""
        rng = np.random.default_rng(seed)
        runs = list(self.runs)
        for i in range(n_runs):
            blind = [
                Score(item.id, "correct.blind", float(place in known or _guessed(item, rng)))
                for place, item in enumerate(self.items.items)
                if item.kind != "open"
            ]
            runs[i] = replace(runs[i], scores=(*runs[i].scores, *blind))
        return Simulated(self.items, tuple(runs), self.right)


def simulated(n_models: int, n_items: int, *, seed: int = 0, spread: float = 0.5) -> Simulated:
    """Models whose abilities differ by `spread` logits, on items of all kinds.

    Wrong answers are drawn anew for each model, but each item has one that tempts most.
    """
    rng = np.random.default_rng(seed)
    ability = np.sort(rng.normal(0, 1, n_models))[::-1]
    easiness = rng.normal(0.5, 1.5, n_items)
    logits = easiness + spread * np.exp(rng.normal(0, 0.3, n_items)) * ability[:, None]
    right = rng.random((n_models, n_items)) < 1 / (1 + np.exp(-logits))
    kinds = rng.choice(list(SHARES), n_items, p=list(SHARES.values()))
    items = tuple(_item(i, kind, rng) for i, kind in enumerate(kinds))
    runs = tuple(
        Answered(
            f"model {m}", [_answer(item, bool(right[m, i]), rng) for i, item in enumerate(items)]
        )
        for m in range(n_models)
    )
    return Simulated(ItemSet(Card("made up"), items), runs, right)


def _item(number: int, kind: Kind, rng: np.random.Generator) -> Item:
    facets = {"source": "AB"[number % 2], "concern": OPTIONS[number % 4]}
    picture = Picture(name=f"{number}.png")
    item = Item(f"{number:04}", kind, f"What is wrong with photograph {number}?", (picture,))
    item = replace(item, facets=facets)
    if kind == "single":
        return replace(item, options=OPTIONS, answer=OPTIONS[rng.integers(4)])
    if kind == "multiple":
        chosen = rng.permutation(4)[: rng.integers(1, 4)]
        return replace(item, options=OPTIONS, answer=tuple(OPTIONS[i] for i in sorted(chosen)))
    return replace(item, answer=bool(rng.random() < 0.5) if kind == "true_false" else "Blur")


def _answer(item: Item, right: bool, rng: np.random.Generator) -> Score:
    if item.kind == "open":
        value = 1.0 if right else float(rng.choice([0.0, 0.5]))
        return Score(item.id, "verdict", value, judge="a judge", draws=(2 * value,))
    key = told(item)
    wrong = [option for option in _every(item) if option != key]
    tempting = int(item.id) % len(wrong)
    at = tempting if rng.random() < 0.5 else int(rng.integers(len(wrong)))
    return Score(item.id, "correct", float(right), extracted=key if right else wrong[at])


def told(item: Item) -> str:
    """The right answer as a reply's is read."""
    if isinstance(item.answer, bool):
        return str(item.answer)
    right = (item.answer,) if isinstance(item.answer, str) else item.answer or ()
    return ", ".join("ABCD"[OPTIONS.index(option)] for option in right)


def _every(item: Item) -> list[str]:
    """All answers that could be given to a closed question."""
    if item.kind == "true_false":
        return ["True", "False"]
    if item.kind == "single":
        return list("ABCD")
    sets = range(1, 16)
    return [", ".join("ABCD"[i] for i in range(4) if chosen >> i & 1) for chosen in sets]


def _another(item: Item) -> str | tuple[str, ...] | bool:
    if isinstance(item.answer, bool):
        return not item.answer
    if isinstance(item.answer, str):
        return OPTIONS[(OPTIONS.index(item.answer) + 1) % 4]
    return OPTIONS if item.answer != OPTIONS else OPTIONS[:1]


def _scored_again(score: Score, item: Item | None) -> Score:
    if item is None or score.name != "correct":
        return score
    return replace(score, value=float(score.extracted == told(item)))


def _guessed(item: Item, rng: np.random.Generator) -> bool:
    return bool(rng.random() < 1 / len(_every(item)))
