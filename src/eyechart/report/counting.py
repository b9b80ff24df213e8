"""Which scores count: the first judge's, the plain ones before those of other ways of asking.

In: items and scores. Out: counts of scored and unscored items, and how many replies a judge owes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyechart.items import ItemSet
from eyechart.records import Item, Score


@dataclass(frozen=True, slots=True)
class Owed:
    """Replies that a judge was asked about, and how many of them have no verdict."""

    n_asked: int
    n_unjudged: int

    @property
    def share(self) -> float:
        """The share without a verdict, 0 to 1; 0 where no judge was asked."""
        return self.n_unjudged / self.n_asked if self.n_asked else 0.0


def of_first_judge(scores: Iterable[Score], judges: Sequence[str] = ()) -> list[Score]:
    """The scores without those of further judges; the first is `judges[0]`, else the first seen.

    >>> both = [Score("1", "verdict", 1.0, judge="a"), Score("1", "verdict", 0.5, judge="b")]
    >>> [score.judge for score in of_first_judge(both)]
    ['a']
    """
    scores = list(scores)
    first = judges[0] if judges else next((s.judge for s in scores if s.judge), "")
    return [score for score in scores if score.judge in ("", first)]


def main_scores(scores: Iterable[Score]) -> list[Score]:
    """Of one item's scores those that tell what became of it: the plain ones.

    Where there are none, those with a name after the dot: a judge's verdicts by several rubrics.
    """
    scores = list(scores)
    return [score for score in scores if "." not in score.name] or scores


def counts_of(item_set: ItemSet, scores: Iterable[Score]) -> dict[str, int]:
    """`n_items`, `n_scored`, and unscored ones by reason.

    An item is scored where all its main scores have a value. Beside `Score.why` there are `missing`
    (no row in the scores) and `withheld` (no right answer on file).
    """
    by_item: dict[str, list[Score]] = {}
    for score in scores:
        by_item.setdefault(score.item_id, []).append(score)
    reasons = Counter(_reason(item, by_item.get(item.id, [])) for item in item_set.items)
    n_scored = reasons.pop("", 0)
    return {"n_items": len(item_set.items), "n_scored": n_scored, **dict(sorted(reasons.items()))}


def owed(scores: Iterable[Score]) -> Owed:
    """What a judge owes; a reply is judged where it has a verdict by every rubric.

    Replies that no judge could be asked about (failed, refused, empty) do not enter.
    """
    told: dict[str, bool] = {}
    for score in scores:
        if score.judge and (score.value is not None or score.why == "unjudged"):
            told[score.item_id] = told.get(score.item_id, True) and score.value is not None
    return Owed(len(told), sum(not judged for judged in told.values()))


def unjudged_share(item_set: ItemSet, scores: Iterable[Score], judges: Sequence[str] = ()) -> float:
    """The share (0 to 1) of the replies that the first judge was asked about without a verdict.

    A reply is judged where it has a verdict by every rubric. 0.0 where no judge was asked at all.

    >>> from eyechart.items import Card
    >>> items = ItemSet(Card("x"), (Item("1", "open", "?", ()), Item("2", "open", "?", ())))
    >>> given = Score("1", "verdict", 0.5, judge="a")
    >>> unjudged_share(items, [given, Score("2", "verdict", None, "unjudged", judge="a")])
    0.5
    """
    ids = {item.id for item in item_set.items}
    return owed(s for s in of_first_judge(scores, judges) if s.item_id in ids).share


def is_withheld(item: Item, scores: Iterable[Score]) -> bool:
    """Nothing but the missing right answer keeps the item from being scored."""
    plain = [score for score in scores if "." not in score.name]
    waits = any(score.why == "unjudged" and not score.judge for score in plain)
    return waits and item.kind != "rate" and item.answer is None


def _reason(item: Item, scores: Sequence[Score]) -> str:
    """Why the item is unscored, "" where it is scored."""
    unscored = [score for score in main_scores(scores) if score.value is None]
    if scores and not unscored:
        return ""
    if is_withheld(item, scores):
        return "withheld"
    return (unscored[0].why or "missing") if unscored else "missing"
