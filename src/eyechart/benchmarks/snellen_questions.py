"""The questions of the eye chart about one photograph and its subject.

A photograph's pictures come in, items leave. Every answer is true by construction, because only
what was added is asked about, never what the photograph looked like before. Nothing is drawn here
but the order of things, from a seed; no picture is opened.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from eyechart.distortions import DISTORTIONS, N_LEVELS, Distortion, Family, strength
from eyechart.records import FacetValue, Item, Picture

FIRST, SECOND = "The first image", "The second image"
NOTHING = "Nothing: it is unchanged"
IDENTIFY = "Which of these has been done to this photograph?"
IDENTIFY_ALL = "Which of these have been done to this photograph? Choose all that apply."
NAME = "What has been done to this photograph, and how strongly?"
RATE = "Rate the quality of the image."
DESCRIBE = (
    "Describe the quality, aesthetics and other low-level appearance of the image in details."
)
"""This and `RATE` are Q-Bench's wording (arXiv 2309.14181)."""

LEVELS = range(1, N_LEVELS + 1)
PAIR_LEVELS = range(4, N_LEVELS + 1)
N_CATCH = 6
N_OPTIONS = 4
FAMILIES: tuple[Family, ...] = ("detail", "tone", "colour", "grain")
BY_NAME = {distortion.name: distortion for distortion in DISTORTIONS}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two distortions that cannot be mistaken for each other, added one after the other."""

    first: str
    second: str
    level: int

    @property
    def name(self) -> str:
        """Also the stem of its file."""
        return f"{self.first}+{self.second}-{self.level}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pictures of one photograph: as it was, by distortion and level, and by pair."""

    plain: Picture
    single: Mapping[tuple[str, int], Picture]
    pairs: Mapping[Pair, Picture]


@dataclass(frozen=True, slots=True)
class Subject:
    """A photograph to ask about. `index`: its place, from 0. `key`: its part of item ids."""

    index: int
    key: str
    name: str
    source: str
    licence: str
    drawn: Drawn


def choose_pairs(seed: int, index: int) -> tuple[Pair, ...]:
    """Twelve pairs for the photograph with this index: each two families twice, levels by turns."""
    rng = _rng(seed, index, "pairs")
    families = [*itertools.combinations(FAMILIES, 2)] * 2
    start = rng.randrange(len(PAIR_LEVELS))
    levels = itertools.islice(itertools.cycle(PAIR_LEVELS), start, None)
    return tuple(
        Pair(_member(rng, a).name, _member(rng, b).name, level)
        for (a, b), level in zip(families, levels, strict=False)
    )


def questions(subject: Subject, seed: int) -> Iterator[Item]:
    """Every item about one photograph, in a fixed order. Ids are unique within a chart."""
    asker = _Asker(subject, seed)
    yield from asker.compare()
    yield from asker.detect()
    yield from asker.identify()
    yield from asker.identify_all()
    yield from asker.rate()
    yield from asker.name()
    yield from asker.describe()


def reference(distortion: Distortion, level: int) -> str:
    """What was added and how strongly, as the right answer to an open question.

    >>> reference(BY_NAME["noise"], 8)  # doctest: +ELLIPSIS
    'Random noise has been added. Its strength is severe: a standard deviation of 50 ...'
    """
    amount = distortion.amount.format(f"{distortion.severities[level - 1]:g}")
    return (
        f"{_upper(distortion.noun)} has been {distortion.verb}. Its strength is {strength(level)}: "
        f"{amount}. Nothing else has been changed."
    )


def description(distortion: Distortion, level: int) -> str:
    """A reference description: what was added, how strongly, and what it does to a photograph."""
    amount = distortion.amount.format(f"{distortion.severities[level - 1]:g}")
    return (
        f"{_upper(distortion.noun)} has been {distortion.verb} to the photograph. Its strength is "
        f"{strength(level)} ({amount}): {distortion.looks}. No other fault has been added."
    )


class _Asker:
    """Asks about one photograph; holds what all its questions share."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self.subject = subject
        self.seed = seed

    def compare(self) -> Iterator[Item]:
        for distortion in DISTORTIONS:
            is_first = self._halves("compare", distortion)
            question = (
                "Both images show the same photograph. To one of them, "
                f"{distortion.noun} has been {distortion.verb}. To which one?"
            )
            for level in LEVELS:
                item = self._item("compare", distortion, level)
                images = (*item.images, self.subject.drawn.plain)
                yield replace(
                    item,
                    kind="single",
                    question=question,
                    images=images if is_first[level] else images[::-1],
                    options=(FIRST, SECOND),
                    answer=FIRST if is_first[level] else SECOND,
                )

    def detect(self) -> Iterator[Item]:
        for distortion in DISTORTIONS:
            is_true = self._halves("detect", distortion)
            rng = self._rng(f"detect {distortion.name}")
            for level in LEVELS:
                other = rng.choice(_unlike(distortion))
                yield self._statement(distortion if is_true[level] else other, distortion, level)
        for claimed in self._rng("catch").sample(DISTORTIONS, N_CATCH):
            yield self._statement(claimed, None, 0)

    def _statement(self, claimed: Distortion, real: Distortion | None, level: int) -> Item:
        item = self._item("detect", real, level, suffix="" if real else f"-{claimed.name}")
        return replace(
            item,
            kind="true_false",
            question=f"{_upper(claimed.noun)} has been {claimed.verb} to this photograph.",
            answer=claimed is real,
            facets={**item.facets, "distortion_claimed": claimed.name},
        )

    def identify(self) -> Iterator[Item]:
        for distortion in DISTORTIONS:
            places = self._quarters(distortion)
            rng = self._rng(f"identify {distortion.name}")
            for level in LEVELS:
                others = [other.title for other in rng.sample(_unlike(distortion), 2)]
                options = _placed(rng, distortion.title, [*others, NOTHING], places[level])
                item = self._item("identify", distortion, level)
                yield replace(
                    item,
                    kind="single",
                    question=IDENTIFY,
                    options=options,
                    answer=distortion.title,
                )
        yield from self._identify_nothing()

    def _identify_nothing(self) -> Iterator[Item]:
        rng = self._rng("identify nothing")
        for place in range(N_OPTIONS):
            others = [other.title for other in rng.sample(DISTORTIONS, N_OPTIONS - 1)]
            options = _placed(rng, NOTHING, others, place)
            item = self._item("identify", None, 0, suffix=f"-{place + 1}")
            yield replace(item, kind="single", question=IDENTIFY, options=options, answer=NOTHING)

    def identify_all(self) -> Iterator[Item]:
        for pair, picture in self.subject.drawn.pairs.items():
            item = self._item("identify-all", None, pair.level)
            facets = {k: v for k, v in item.facets.items() if k != "distortion"}
            id = f"{self.subject.key}-identify-all-{pair.name}"
            item = replace(item, id=id, images=(picture,), facets=facets)
            yield self._all_of(item, [BY_NAME[pair.first], BY_NAME[pair.second]])
        rng = self._rng("one of them")
        for family in FAMILIES:
            distortion = _member(rng, family)
            yield self._all_of(
                self._item("identify-all", distortion, rng.choice(PAIR_LEVELS)), [distortion]
            )

    def _all_of(self, item: Item, added: list[Distortion]) -> Item:
        rng = self._rng(item.id)
        by_family = {distortion.family: distortion for distortion in added}
        shown = [by_family.get(family) or _member(rng, family) for family in FAMILIES]
        rng.shuffle(shown)
        return replace(
            item,
            kind="multiple",
            question=IDENTIFY_ALL,
            options=tuple(distortion.title for distortion in shown),
            answer=tuple(distortion.title for distortion in shown if distortion in added),
            facets={**item.facets, "options_that_are_right": len(added)},
        )

    def rate(self) -> Iterator[Item]:
        yield self._item("rate", None, 0)
        for distortion in DISTORTIONS:
            for level in LEVELS:
                yield self._item("rate", distortion, level)

    def name(self) -> Iterator[Item]:
        for distortion, level in self._spread("name"):
            item = self._item("name", distortion, level)
            answer = reference(distortion, level)
            yield replace(item, kind="open", question=NAME, answer=answer)

    def describe(self) -> Iterator[Item]:
        for distortion, level in self._spread("describe"):
            item = self._item("describe", distortion, level)
            answer = description(distortion, level)
            yield replace(item, kind="describe", question=DESCRIBE, answer=answer)

    def _item(self, task: str, real: Distortion | None, level: int, *, suffix: str = "") -> Item:
        """A rating of one stimulus, from which the other questions are made."""
        subject, drawn = self.subject, self.subject.drawn
        name = real.name if real else "none"
        facets: dict[str, FacetValue] = {"task": task, "distortion": name, "severity_level": level}
        if real:
            facets["severity"] = float(real.severities[level - 1])
        return Item(
            id=f"{subject.key}-{task}-{name}-{level}{suffix}",
            kind="rate",
            question=RATE,
            images=(drawn.single[name, level] if real else drawn.plain,),
            facets={**facets, "photo": subject.name},
            source=subject.source,
            licence=subject.licence,
        )

    def _halves(self, task: str, distortion: Distortion) -> dict[int, bool]:
        """True for half of the levels; two photographs in a row have opposite halves."""
        halves = [True, False] * (N_LEVELS // 2)
        _rng(self.seed, self.subject.index // 2, f"{task} {distortion.name}").shuffle(halves)
        odd = bool(self.subject.index % 2)
        return {level: half != odd for level, half in zip(LEVELS, halves, strict=True)}

    def _quarters(self, distortion: Distortion) -> dict[int, int]:
        """Each place twice over the levels; four photographs in a row have each once at a level."""
        places = list(range(N_OPTIONS)) * (N_LEVELS // N_OPTIONS)
        index = self.subject.index
        _rng(self.seed, index // N_OPTIONS, f"identify {distortion.name}").shuffle(places)
        turned = [(place + index) % N_OPTIONS for place in places]
        return dict(zip(LEVELS, turned, strict=True))

    def _spread(self, task: str) -> list[tuple[Distortion, int]]:
        """Eight distortions, one at each level; nine photographs meet every combination."""
        order = _rng(self.seed, 0, task).sample(DISTORTIONS, len(DISTORTIONS))
        return [(order[(self.subject.index + level) % len(order)], level) for level in LEVELS]

    def _rng(self, what: str) -> random.Random:
        return _rng(self.seed, self.subject.index, what)


def _rng(seed: int, index: int, what: str) -> random.Random:
    return random.Random(f"{seed}/{index}/{what}")


def _member(rng: random.Random, family: Family) -> Distortion:
    return rng.choice([distortion for distortion in DISTORTIONS if distortion.family == family])


def _unlike(distortion: Distortion) -> list[Distortion]:
    return [other for other in DISTORTIONS if other.family != distortion.family]


def _placed(rng: random.Random, right: str, others: list[str], place: int) -> tuple[str, ...]:
    rng.shuffle(others)
    return (*others[:place], right, *others[place:])


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
