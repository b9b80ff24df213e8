"""What a judge is asked about a reply: one `Rubric` for each question put to it.

In: an item. Out: the rubrics by which replies to it are judged. Asks nobody; the words are in
`templates/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from eyechart.records import MOST_VERDICT, Item, Kind

Rubrics = Mapping[Kind, tuple["Rubric", ...]]


@dataclass(frozen=True, slots=True)
class Rubric:
    """One question to a judge, answered by a whole number from 0 to `most`.

    `score`: name of the score that comes of it. `template`: the prompt's file. `rule`: what several
    draws come to, as a share of `most`: their `mean`; or the `most_frequent` one, of equally
    frequent ones the nearest to the mean, then the lowest; or `votes` of 0 or 1, of which more than
    half decide and a tie nothing. `needs_answer`: it cannot be asked where the item's answer is
    withheld.
    """

    score: str
    template: str
    most: int = MOST_VERDICT
    rule: Literal["mean", "most_frequent", "votes"] = "mean"
    needs_answer: bool = True

    @property
    def variant(self) -> str:
        """What tells its requests apart from those of other rubrics: the score after the dot."""
        return self.score.partition(".")[2]


GENERAL: Rubrics = {
    "open": (Rubric("verdict", "judge_open"),),
    "describe": (Rubric("verdict", "judge_describe"),),
}


def rubrics_of(item: Item, rubrics: Rubrics) -> tuple[Rubric, ...]:
    """The rubrics that replies to this item are judged by; none where it needs no judge.

    >>> [r.score for r in rubrics_of(Item("1", "open", "Why?", (), answer="Blur"), GENERAL)]
    ['verdict']
    """
    withheld = item.answer is None
    return tuple(r for r in rubrics.get(item.kind, ()) if not (withheld and r.needs_answer))
