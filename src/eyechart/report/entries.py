"""The browsable list of a report: each item with what came back and how it was scored.

In: items, responses, scores. Out: `Entry` records, then `Listing`: what the page shows of them,
the wrong and unscored first, with thumbnails, both capped. Text is trimmed here, escaped there.
"""

from __future__ import annotations

import base64
import io
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from eyechart.images import thumbnail
from eyechart.items import ItemSet
from eyechart.records import Item, Picture, Response, Score
from eyechart.report.counting import is_withheld, main_scores, of_first_judge
from eyechart.report.facets import facets_of, value_of
from eyechart.report.formatting import (
    KIND_LABELS,
    Trimmed,
    facet_value,
    trimmed,
)
from eyechart.report.readings import Aside, Reading, asides_of, readings_of
from eyechart.report.replies import (
    MOST_CHARACTERS,
    Reply,
    Verdicts,
    replies_of,
    verdicts_of,
)

MOST_ENTRIES = 2000
MOST_THUMBNAILS = 200
MOST_THUMBNAIL_BYTES = 3_500_000
THUMBNAIL_PIXELS = 256
STATUSES = ("wrong", "unscored", "partly", "unjudged", "withheld", "right", "rated")
STATUS_LABELS = {
    "wrong": "Wrong",
    "unscored": "Unscored",
    "partly": "Partly right",
    "unjudged": "Not judged",
    "withheld": "Answer withheld",
    "right": "Right",
    "rated": "Rated",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One item with all that is known of it: its responses (answers, judges') and its scores."""

    item: Item
    responses: tuple[Response, ...] = ()
    scores: tuple[Score, ...] = ()

    @staticmethod
    def joined(
        item_set: ItemSet, responses: Iterable[Response], scores: Iterable[Score]
    ) -> tuple[Entry, ...]:
        """Every item with its responses and scores, in the order of the items."""
        responses_of: dict[str, list[Response]] = {item.id: [] for item in item_set.items}
        scores_of: dict[str, list[Score]] = {item.id: [] for item in item_set.items}
        for response in responses:
            responses_of.get(response.item_id, []).append(response)
        for score in scores:
            scores_of.get(score.item_id, []).append(score)
        return tuple(
            Entry(item, tuple(responses_of[item.id]), tuple(scores_of[item.id]))
            for item in item_set.items
        )


@dataclass(frozen=True, slots=True)
class Option:
    """An option as shown; `right`: the item's answer has it."""

    text: str
    right: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of an entry; `symbol`: the id of its thumbnail, "" where it has none."""

    label: str
    symbol: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the page lists it. `facets`: (name, value) pairs that can be filtered by.

    `verdicts`: what judges said of the reply, by judge and rubric. `mos`: people's score, "" where
    there is none.
    """

    id: str
    status: str
    kind: str
    question: Trimmed
    options: tuple[Option, ...]
    lettered: bool
    reference: Trimmed
    mos: str
    shots: tuple[Shot, ...]
    replies: tuple[Reply, ...]
    verdicts: tuple[Verdicts, ...]
    readings: tuple[Reading, ...]
    asides: tuple[Aside, ...]
    facets: tuple[tuple[str, str], ...]

    @property
    def n_others(self) -> int:
        """Replies to the question asked in other ways, which the page folds away."""
        return sum(reply.is_other for reply in self.replies)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A thumbnail, embedded once: its id, its data URL and its size in pixels."""

    id: str
    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page lists: `filters` are (facet, its values); `counts`, listed items by status."""

    entries: tuple[Shown, ...]
    symbols: tuple[Symbol, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    counts: tuple[tuple[str, int], ...]
    n_items: int
    n_without_thumbnail: int


def status_of(entry: Entry) -> str:
    """One of `STATUSES`, by the plain score of the first judge: unscored where it has no value.

    Where there are only verdicts by several rubrics, by the mean of those that there are.

    >>> status_of(Entry(Item("1", "rate", "", ()), (), (Score("1", "rating", 0.4),)))
    'rated'
    """
    scores = main_scores(of_first_judge(entry.scores))
    values = [score.value for score in scores if score.value is not None]
    if not values and is_withheld(entry.item, scores):
        return "withheld"
    if not values:
        waits = any(score.why == "unjudged" for score in scores)
        return "unjudged" if waits else "unscored"
    if entry.item.kind == "rate":
        return "rated"
    mean = sum(values) / len(values)
    return "right" if mean >= 1 else "wrong" if mean <= 0 else "partly"


def listing_of(entries: Sequence[Entry]) -> Listing:
    """The first 2,000 entries, wrong and unscored first, with at most 200 thumbnails."""
    ordered = sorted(entries, key=lambda entry: STATUSES.index(status_of(entry)))[:MOST_ENTRIES]
    facets = facets_of([entry.item for entry in ordered])
    album = _Album(picture for entry in ordered for picture in entry.item.images)
    shown = tuple(_shown(entry, [facet.name for facet in facets], album.shot) for entry in ordered)
    statuses = [entry.status for entry in shown]
    return Listing(
        entries=shown,
        symbols=tuple(album.symbols),
        filters=tuple(
            (facet.name, tuple(facet_value(facet.name, value) for value in facet.values))
            for facet in facets
        ),
        counts=tuple((status, statuses.count(status)) for status in STATUSES if status in statuses),
        n_items=len(entries),
        n_without_thumbnail=album.n_left_out,
    )


class _Album:
    """Thumbnails of the first pictures, each once, until the page would grow too large."""

    def __init__(self, pictures: Iterable[Picture]) -> None:
        self.symbols: list[Symbol] = []
        different = {_key(picture): picture for picture in pictures}
        first = dict(itertools.islice(different.items(), MOST_THUMBNAILS))
        self.n_left_out = len(different) - len(first)
        self._shots: dict[object, Shot] = {}
        n_bytes = 0
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = pool.map(lambda picture: thumbnail(picture, THUMBNAIL_PIXELS), first.values())
            for (key, picture), data in zip(first.items(), made, strict=True):
                n_bytes += len(data or b"")
                if n_bytes > MOST_THUMBNAIL_BYTES:
                    self.n_left_out += 1
                elif data is not None:
                    self._shots[key] = self._placed(picture, data)

    def shot(self, picture: Picture) -> Shot:
        return self._shots.get(_key(picture)) or Shot(picture.label)

    def _placed(self, picture: Picture, data: bytes) -> Shot:
        with Image.open(io.BytesIO(data)) as image:
            (width, height), form = image.size, (image.format or "jpeg").lower()
        url = f"data:image/{form};base64,{base64.b64encode(data).decode('ascii')}"
        symbol = Symbol(f"t{len(self.symbols)}", url, width, height)
        self.symbols.append(symbol)
        return Shot(picture.label, symbol.id, width, height)


def _key(picture: Picture) -> object:
    return picture.path or picture.sha256 or picture.data


def _shown(entry: Entry, facets: Sequence[str], shot: Callable[[Picture], Shot]) -> Shown:
    item = entry.item
    return Shown(
        id=item.id,
        status=status_of(entry),
        kind=KIND_LABELS[item.kind],
        question=trimmed(item.question, MOST_CHARACTERS),
        options=_options(item),
        lettered=item.kind != "true_false",
        reference=trimmed(_reference(item), MOST_CHARACTERS),
        mos="" if item.mos is None else f"{item.mos:.4g}",
        shots=tuple(map(shot, item.images)),
        replies=replies_of(entry.responses),
        verdicts=verdicts_of(entry.responses),
        readings=readings_of(entry.scores, entry.responses),
        asides=asides_of(entry.scores, entry.responses),
        facets=tuple((name, facet_value(name, value_of(item, name))) for name in facets),
    )


def _options(item: Item) -> tuple[Option, ...]:
    if item.kind == "true_false":
        return tuple(Option(str(truth), truth == item.answer) for truth in (True, False))
    right = item.answer if isinstance(item.answer, tuple) else (item.answer,)
    return tuple(Option(option, option in right) for option in item.options)


def _reference(item: Item) -> str:
    """The reference text of an open question, "" where the answer is among options or withheld."""
    return item.answer if isinstance(item.answer, str) and not item.options else ""
