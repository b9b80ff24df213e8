"""What a model leans to in closed questions: letters by their place, and yes or no.

In: items with their plain `correct` scores. Out: the tables `position` and `yes-and-no`, as far as
they say something. A reply that could not be scored chooses nothing: it counts as wrong where the
share of right answers is told, and is left out where the choices themselves are counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from eyechart.items import ItemSet, cluster_of
from eyechart.metrics.arrays import Floats
from eyechart.metrics.intervals import proportion
from eyechart.metrics.jackknife import TAIL, Jackknife, interval_of, jackknife
from eyechart.records import LETTERS, Column, Estimate, Item, Line, Score, Table
from eyechart.report.formatting import number, signed_span

FEWEST = 10
YES, NO = "yes", "no"
POSITION_COLUMNS = (
    Column("is right", "percent"),
    Column("is chosen", "percent"),
    Column("recall", "percent"),
)
YES_COLUMNS = (
    Column("yes is right", "percent"),
    Column("yes-rate", "percent"),
    Column("true-positive rate", "percent"),
    Column("true-negative rate", "percent"),
    Column("d′"),
    Column("criterion c"),
)
POSITION_NOTE = (
    "How often each letter is the right one, how often it is chosen among the replies that could "
    "be read, and how often it is chosen where it is right (recall; n is how often it is right)."
)
LATE_NOTE = (
    "Letters far down come only where there are many options, where guessing is right less often."
)
YES_NOTE = (
    "True-positive rate: answered yes where yes is right; true-negative rate: answered no where no "
    "is right. d′: how well yes is told from no whatever the model leans to; 0 is guessing. "
    "Criterion c: below 0 for a leaning to yes, above 0 for one to no. (Macmillan and Creelman "
    "2005; log-linear correction of Hautus 1995.) Yes-rate, d′ and c are of replies that could be "
    "read."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One closed question: the right choice and the one made, "" where none could be read."""

    right: str
    chosen: str
    cluster: str
    n_options: int = 2


def bias_tables(item_set: ItemSet, scores: Iterable[Score]) -> tuple[Table, ...]:
    """The tables of what the model leans to; none where there are fewer than ten such questions."""
    plain = {score.item_id: score for score in scores if score.name == "correct"}
    if all(score.value is None for score in plain.values()):
        return ()
    asked = [
        (item, _read(plain.get(item.id)), cluster_of(item, item_set.card))
        for item in item_set.items
        if item.answer is not None
    ]
    letters = [
        _lettered(item, read, cluster)
        for item, read, cluster in asked
        if item.kind == "single" and item.answer in item.options[: len(LETTERS)]
    ]
    questions = [
        Choice(_yes_or_no(str(item.answer)), _said(item, read), cluster)
        for item, read, cluster in asked
        if is_yes_or_no(item) and item.answer in item.options
    ]
    statements = [
        Choice(_of_truth(str(item.answer)), _of_truth(read), cluster)
        for item, read, cluster in asked
        if item.kind == "true_false"
    ]
    kinds = {"Yes-or-no questions": questions, "Statements (yes: true)": statements}
    return (*_position(letters), *_yes_and_no(kinds))


def is_yes_or_no(item: Item) -> bool:
    """A single choice between exactly the options yes and no, in any order and case.

    >>> is_yes_or_no(Item("1", "single", "Is it sharp?", (), ("No.", "Yes")))
    True
    """
    found = sorted(map(_yes_or_no, item.options))
    return item.kind == "single" and found == [NO, YES]


@dataclass(frozen=True, slots=True)
class _Gap:
    """By how much one letter's recall is above another's; `pair`: "A over B"."""

    pair: str
    n_options: int
    points: Jackknife


@dataclass(frozen=True, slots=True)
class Detection:
    """How well yes is told from no, and the leaning: `d_prime` (0 is guessing), `criterion`.

    The criterion is below 0 for a leaning to yes, above 0 for one to no.
    """

    d_prime: float
    criterion: float


def detection(said_yes: ArrayLike, yes_right: ArrayLike) -> Detection | None:
    """Sensitivity and criterion of replies [items], each yes (1) or no (0).

    With hit rate H and false-alarm rate F, d′ = z(H) - z(F) and c = -(z(H) + z(F)) / 2 (Macmillan
    and Creelman 2005, Detection Theory, chapters 1 and 2), where 0.5 is added to both counts and 1
    to both numbers of trials (Hautus 1995, Behav. Res. Methods 27: 46-51), so that they are finite.
    None where yes is always or never right.

    >>> found = detection([1, 1, 1, 0], [1, 1, 0, 0])
    >>> round(found.d_prime, 3), round(found.criterion, 3)
    (0.967, -0.484)
    """
    said, right = np.asarray(said_yes, bool), np.asarray(yes_right, bool)
    n_yes, n_no = int(right.sum()), int((~right).sum())
    if not n_yes or not n_no:
        return None
    hits, alarms = int((said & right).sum()), int((said & ~right).sum())
    z_hits = float(special.ndtri((hits + 0.5) / (n_yes + 1)))
    z_alarms = float(special.ndtri((alarms + 0.5) / (n_no + 1)))
    return Detection(z_hits - z_alarms, -(z_hits + z_alarms) / 2)


def _position(asked: Sequence[Choice]) -> tuple[Table, ...]:
    places = [letter for letter in LETTERS if any(letter in (c.right, c.chosen) for c in asked)]
    if len(asked) < FEWEST or len(places) < 2:
        return ()
    lines = tuple(Line(letter, _of_letter(letter, asked)) for letter in places)
    late = LATE_NOTE if _is_varied(asked) else ""
    note = " ".join(filter(None, (POSITION_NOTE, late, _gap(asked))))
    title = "Position: which letter is chosen"
    return (Table("position", title, POSITION_COLUMNS, lines, note, "Letter"),)


def _of_letter(letter: str, asked: Sequence[Choice]) -> tuple[Estimate, ...]:
    return (
        _alone(letter, asked),
        _share([choice for choice in asked if choice.chosen], letter),
        _share([choice for choice in asked if choice.right == letter], letter),
    )


def _share(choices: Sequence[Choice], chosen: str) -> Estimate:
    """How often something is chosen, with its interval."""
    return proportion([c.chosen == chosen for c in choices], [c.cluster for c in choices])


def _alone(right: str, asked: Sequence[Choice]) -> Estimate:
    """How often something is right: a fact of the questions, without an interval."""
    n = len(asked)
    return Estimate(sum(c.right == right for c in asked) / n if n else None, None, None, n)


def _gap(asked: Sequence[Choice]) -> str:
    """The largest gap between two letters' recall that is clear, else the largest one.

    Letters are compared among questions of equally many options, because guessing is right more
    often where there are few. The largest of many gaps is large by luck too: intervals are widened
    by Bonferroni's rule.
    """
    gaps = [gap for n in sorted({c.n_options for c in asked}) for gap in _gaps(n, asked)]
    told = [(gap, _widened(gap.points, len(gaps))) for gap in gaps]
    clear = [(gap, points) for gap, points in told if (points.low or 0.0) > 0]
    found = max(clear or told, key=lambda pair: pair[1].value or 0.0, default=None)
    if found is None:
        return ""
    gap, points = found
    if not points.value:
        return "Recall is the same for every letter."
    which = " that chance does not explain" if clear else ""
    among = f" among questions of {gap.n_options} options" if _is_varied(asked) else ""
    pairs = f", widened for {len(gaps)} pairs of letters" if len(gaps) > 1 else ""
    within = f" (95 % interval {signed_span(points)}{pairs})" if points.low is not None else ""
    end = "." if clear or not within else "; chance may explain it."
    found_gap = f"{number(points.value)} points, {gap.pair}{among}{within}"
    return f"The largest gap in recall{which} is {found_gap}{end}"


def _is_varied(asked: Sequence[Choice]) -> bool:
    return len({choice.n_options for choice in asked}) > 1


def _gaps(n_options: int, asked: Sequence[Choice]) -> Iterator[_Gap]:
    """Every pair of letters that are each right in ten questions of so many options or more."""
    there = [choice for choice in asked if choice.n_options == n_options]
    count = Counter(choice.right for choice in there)
    letters = sorted(letter for letter, n in count.items() if n >= FEWEST)
    for first, second in itertools.combinations(letters, 2):
        found = _gap_between(first, second, there)
        if (found.value or 0.0) < 0:
            first, second, found = second, first, _gap_between(second, first, there)
        yield _Gap(f"{first} over {second}", n_options, found)


def _gap_between(first: str, second: str, asked: Sequence[Choice]) -> Jackknife:
    rows = [choice for choice in asked if choice.right in (first, second)]

    def gap(right: Floats, is_first: Floats) -> float | None:
        here = is_first > 0
        if here.all() or not here.any():
            return None
        return float(right[here].mean() - right[~here].mean())

    columns = [[c.right == c.chosen for c in rows], [c.right == first for c in rows]]
    return jackknife(gap, columns, [c.cluster for c in rows])


def _widened(found: Jackknife, n_pairs: int) -> Estimate:
    """The interval at a level of 1 - 0.05 / n_pairs."""
    plain = interval_of(found)
    if plain.value is None or plain.low is None or plain.high is None:
        return plain
    n = found.left_out.size
    wider = special.stdtrit(n - 1, 1 - TAIL / n_pairs) / special.stdtrit(n - 1, 1 - TAIL)
    half = float(wider) * (plain.high - plain.low) / 2
    value = plain.value
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), found.n)


def _yes_and_no(kinds: dict[str, list[Choice]]) -> tuple[Table, ...]:
    told = {name: choices for name, choices in kinds.items() if len(choices) >= FEWEST}
    if not told:
        return ()
    lines = tuple(Line(name, _of_answers(choices)) for name, choices in told.items())
    leanings = [_leaning(line) for line in lines]
    note = " ".join(filter(None, (YES_NOTE, *leanings)))
    return (Table("yes-and-no", "Yes and no", YES_COLUMNS, lines, note, "Questions"),)


def _of_answers(choices: Sequence[Choice]) -> tuple[Estimate, ...]:
    read = [choice for choice in choices if choice.chosen]
    return (
        _alone(YES, choices),
        _share(read, YES),
        _share([choice for choice in choices if choice.right == YES], YES),
        _share([choice for choice in choices if choice.right == NO], NO),
        _detected(read, lambda found: found.d_prime),
        _detected(read, lambda found: found.criterion),
    )


def _detected(read: Sequence[Choice], of: Callable[[Detection], float]) -> Estimate:
    """One part of the detection, with its jackknife interval over clusters."""

    def statistic(said: Floats, right: Floats) -> float | None:
        found = detection(said, right)
        return None if found is None else of(found)

    columns = [[c.chosen == YES for c in read], [c.right == YES for c in read]]
    return interval_of(jackknife(statistic, columns, [c.cluster for c in read]))


def _leaning(line: Line) -> str:
    """A sentence where the criterion's interval leaves out 0, "" elsewhere."""
    c = line.entries[-1]
    if not isinstance(c, Estimate) or c.low is None or c.high is None or c.low <= 0 <= c.high:
        return ""
    return f"{line.label}: the model leans to {NO if c.low > 0 else YES}."


def _yes_or_no(text: str) -> str:
    """`yes`, `no` or "" for anything else."""
    word = text.strip().rstrip(".!").strip().lower()
    return word if word in (YES, NO) else ""


def _of_truth(text: str) -> str:
    return {"true": YES, "false": NO}.get(text.strip().lower(), "")


def _read(score: Score | None) -> str:
    """What was read out of a reply, "" where it could not be scored."""
    return score.extracted.strip() if score and score.value is not None else ""


def _lettered(item: Item, read: str, cluster: str) -> Choice:
    right = LETTERS[item.options.index(str(item.answer))]
    return Choice(right, _letter(item, read), cluster, len(item.options))


def _letter(item: Item, read: str) -> str:
    """The letter that was chosen, "" where it is none of the item's."""
    return read if read in tuple(LETTERS[: len(item.options)]) else ""


def _said(item: Item, read: str) -> str:
    """Yes or no by the letter that was chosen."""
    letter = _letter(item, read)
    return _yes_or_no(item.options[LETTERS.index(letter)]) if letter else ""
