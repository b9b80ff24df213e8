"""From responses to scores: for each item and score name one, or the reason why there is none.

In: items and the responses to them (answers and judges' verdicts). Out: `Score`s.
A pure function: nothing is asked, nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eyechart.records import CLOSED_KINDS, Item, Response, Score
from eyechart.rubrics import GENERAL, Rubrics, rubrics_of
from eyechart.scoring.answers import Answers, Silence, by_item
from eyechart.scoring.closed import closed_scores
from eyechart.scoring.ratings import rating_scores
from eyechart.scoring.verdicts import judged_scores
from eyechart.strategies import DEFAULT_STRATEGY

NOTHING = Answers()


@dataclass(frozen=True, slots=True)
class Scoring:
    """By which rules replies are scored.

    `judges`: how many verdicts each judge is to give by each of the `rubrics`, by its model's name,
    the one that counts first. `also`: the other ways in which closed questions were asked
    (`eyechart.prompts.ALSO`). `strategies`: how ratings are read, the headline's first.
    """

    rubrics: Rubrics = field(default_factory=lambda: GENERAL)
    judges: Mapping[str, int] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    strategies: tuple[str, ...] = (DEFAULT_STRATEGY,)


def score_responses(
    items: Sequence[Item], responses: Iterable[Response], scoring: Scoring | None = None
) -> tuple[Score, ...]:
    """The scores of each item, in the order of the items, the plain one first.

    An item without a response is `failed`; one that a judge has yet to see is `unjudged`, and so is
    one with readable verdicts for fewer than half of the draws that are wanted.
    """
    scoring = scoring or Scoring()
    found = by_item(responses)
    return tuple(
        score for item in items for score in _scores(item, found.get(item.id, NOTHING), scoring)
    )


def _scores(item: Item, answers: Answers, scoring: Scoring) -> Iterator[Score]:
    if item.kind == "rate":
        yield from rating_scores(item, answers, scoring.strategies)
        return
    rubrics = rubrics_of(item, scoring.rubrics)
    if item.kind in CLOSED_KINDS:
        yield from closed_scores(item, answers, scoring.also)
        rubrics = rubrics if scoring.judges else ()
    elif not rubrics:
        yield Silence("unjudged", "the right answer is withheld").score(item.id, "verdict")
    yield from judged_scores(item, answers, rubrics, scoring.judges)
