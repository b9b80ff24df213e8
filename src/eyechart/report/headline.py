"""What was found, in a few plain sentences.

In: the cells for all items, the severity curves, the counts (`Found`). Out: text. No number is
computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eyechart.records import Cell, Curve
from eyechart.report.counting import Owed
from eyechart.report.formatting import (
    distortion_name,
    listed,
    not_seen,
    number,
    plural,
    reasons_in_words,
    short_unit,
    shown,
    shown_interval,
    shown_threshold,
    whole,
)
from eyechart.report.sight import by_setting, sees


@dataclass(frozen=True, slots=True)
class Found:
    """What the headline is made of: all that a run found.

    `n_lost_elsewhere`: scores of other ways of asking, or of other strategies, that are missing.
    """

    model: str
    cells: Sequence[Cell]
    curves: Sequence[Curve]
    counts: Mapping[str, int]
    owed: Owed = Owed(0, 0)
    n_lost_elsewhere: int = 0


def headline(found: Found, *, judge: str = "", lead: str = "", max_unjudged: float = 0.05) -> str:
    """The findings, the most important first; each sentence stands by itself.

    `judge`: the judge's name; without one, replies that wait for a judge are left to the notes.
    `lead`: sentences that take the place of the general ones. Where more than the share
    `max_unjudged` of the replies asked about is unjudged, that is said before all else.
    """
    counts = found.counts
    too_many = bool(judge) and found.owed.share > max_unjudged
    sentences = [_owed(found.owed, judge)] if too_many else []
    if lead or counts.get("n_scored"):
        told = _unscored(found, "" if too_many else judge)
        sentences += [lead or _general(found, judge), told]
    elif counts.get("unjudged") and not judge:
        sentences += [_waiting(found), _unscored(found, "")]
    elif not too_many or counts.get("unjudged") != counts["n_items"]:
        replies = plural(counts["n_items"], "reply", "replies")
        sentences.append(f"None of {found.model}'s {replies} could be scored{_reasons(counts)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _owed(owed: Owed, judge: str) -> str:
    """That so many replies have no verdict that the figures are not those of all."""
    if owed.n_unjudged == owed.n_asked:
        return f"None of {plural(owed.n_asked, 'reply', 'replies')} was judged by {judge}."
    replies = plural(owed.n_asked, "reply", "replies")
    others = whole(owed.n_asked - owed.n_unjudged)
    return (
        f"{whole(owed.n_unjudged)} of {replies} ({number(owed.share)} %) were not judged: "
        f"the judge's figures rest on the other {others}."
    )


def _waiting(found: Found) -> str:
    """That replies have no verdict because no judge was named."""
    n_items, n = found.counts["n_items"], found.counts["unjudged"]
    some = f"{whole(n)} of " if n < n_items else ""
    wait = "waits" if n == 1 else "wait"
    replies = plural(n_items, "reply", "replies")
    return f"{some}{found.model}'s {replies} {wait} for a judge, and none was named."


def _general(found: Found, judge: str) -> str:
    """The sentences for any benchmark, from its cells and curves."""
    model = found.model
    overall = {cell.metric: cell for cell in found.cells if not cell.facet}
    sentences = [
        _accuracy(model, overall.get("accuracy")),
        _verdict(overall.get("verdict"), judge),
        _ratings(overall.get("srcc_mos"), "follow people's scores"),
        _ratings(overall.get("srcc_level"), "fall as distortion grows"),
        _sight(found.curves),
    ]
    told = " ".join(sentence for sentence in sentences if sentence)
    return f"{model}'s {told.removeprefix('Its ')}" if told.startswith("Its ") else told


def _accuracy(model: str, cell: Cell | None) -> str:
    if cell is None or cell.estimate.value is None:
        return ""
    return (
        f"{model} answers {shown(cell)} % of {plural(cell.estimate.n, 'question')} right "
        f"(95 % interval {shown_interval(cell)}{_against_chance(cell)})."
    )


def _against_chance(cell: Cell) -> str:
    low, high, chance = cell.estimate.low, cell.estimate.high, cell.chance
    if chance is None:
        return ""
    if low is None or high is None or low > chance:
        return f"; guessing gives {number(chance)} %"
    verdict = "worse" if high < chance else "no better"
    return f"; {verdict} than guessing, which gives {number(chance)} %"


def _verdict(cell: Cell | None, judge: str) -> str:
    if cell is None or cell.estimate.value is None:
        return ""
    by = f" by {judge}" if judge else ""
    interval = f"{shown_interval(cell)}; " if _has_interval(cell) else ""
    n_zero = sum(n for why, n in cell.why.items() if why != "unjudged")
    zeros = f", {whole(n_zero)} without an answer counted as 0" if n_zero else ""
    return (
        f"Its open answers earn {shown(cell)} % of full marks "
        f"({interval}{whole(cell.estimate.n - n_zero)} judged{by}{zeros})."
    )


def _ratings(cell: Cell | None, what: str) -> str:
    if cell is None or cell.estimate.value is None:
        return ""
    low, high = cell.estimate.low, cell.estimate.high
    verb = f"do not clearly {what}"
    if low is not None and low > 0:
        verb = what
    if high is not None and high < 0:
        verb = f"go the wrong way: they should {what}"
    interval = f", interval {shown_interval(cell)}" if _has_interval(cell) else ""
    n = whole(cell.estimate.n)
    return f"Its ratings {verb} (SRCC {shown(cell)}{interval}, n = {n})."


def _has_interval(cell: Cell) -> bool:
    """There is none where nothing can be known of the spread, as with a single item."""
    return cell.estimate.low is not None and cell.estimate.high is not None


def _sight(curves: Sequence[Curve]) -> str:
    """How many distortions are seen in each setting; the last that sees any is told in full."""
    settings = by_setting(curves)
    seeing = [setting for setting, mine in settings.items() if any(map(sees, mine))]
    clauses: list[str] = []
    for setting, mine in settings.items():
        it_sees, noun = ("", "") if clauses else (" it sees", f" distortion{'s'[: len(mine) - 1]}")
        details = _details(mine) if setting in seeing[-1:] else ""
        clauses.append(f"{setting}{it_sees} {_how_many(mine)}{noun}{details}".strip())
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _how_many(curves: Sequence[Curve]) -> str:
    n_seen, n = sum(map(sees, curves)), len(curves)
    return f"all {n}" if n_seen == n > 1 else f"{n_seen or 'none'} of {n}"


def _details(curves: Sequence[Curve]) -> str:
    seen, blind = [_seen(curve) for curve in curves if sees(curve)], not_seen(curves)
    return f": {listed(seen)}" + (f", but {blind}" if blind else "")


def _seen(curve: Curve) -> str:
    name = distortion_name(curve.name)
    return f"{name} from {shown_threshold(curve, short_unit(curve.unit))}"


def _unscored(found: Found, judge: str) -> str:
    """Replies that wait for a judge are told apart from those that no rule could score.

    A judge can owe votes on replies that the rules have scored. Replies to questions whose right
    answer is withheld are left to the notes.
    """
    counts = found.counts
    n_waiting, n_withheld = counts.get("unjudged", 0), counts.get("withheld", 0)
    n_unscored = counts["n_items"] - counts["n_scored"] - n_waiting - n_withheld
    told = []
    if n_unscored:
        replies = plural(n_unscored, "reply", "replies")
        told.append(f"{replies} could not be scored{_reasons({**counts, 'withheld': 0})}.")
    n_owed = max(n_waiting, found.owed.n_unjudged)
    if n_owed and judge:
        told.append(f"{plural(n_owed, 'reply was', 'replies were')} not judged by {judge}.")
    if n_lost := found.n_lost_elsewhere:
        lost = plural(n_lost, "score", "scores")
        told.append(f"{lost} of other ways of asking or other strategies could not be had.")
    return " ".join(told) if told or n_owed or n_withheld else "Every reply was scored."


def _reasons(counts: Mapping[str, int]) -> str:
    told_apart = ("n_items", "n_scored", "unjudged")
    why = {name: n for name, n in counts.items() if n and name not in told_apart}
    return f": {reasons_in_words(why)}" if why else ""
