"""What was found, in a few plain sentences.

In: the cells for all items, the severity curves, the counts. Out: text. No number is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eyechart.records import Cell, Curve
from eyechart.report.formatting import (
    listed,
    number,
    plural,
    reasons_in_words,
    short_unit,
    shown,
    shown_interval,
    shown_threshold,
    whole,
    words,
)


def headline(
    model: str,
    cells: Sequence[Cell],
    curves: Sequence[Curve] = (),
    *,
    counts: Mapping[str, int],
    judge: str = "",
) -> str:
    """The findings, the most important first; each sentence stands by itself."""
    overall = {cell.metric: cell for cell in cells if not cell.facet}
    if not counts.get("n_scored"):
        replies = plural(counts["n_items"], "reply", "replies")
        return f"None of {model}'s {replies} could be scored{_reasons(counts)}."
    sentences = [
        _accuracy(model, overall.get("accuracy")),
        _verdict(overall.get("verdict"), judge),
        _ratings(overall.get("srcc_mos"), "follow people's scores"),
        _ratings(overall.get("srcc_level"), "fall as distortion grows"),
        _sight(curves),
        _unscored(counts),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def sees(curve: Curve) -> bool:
    """The distortion is seen at some tested severity."""
    return curve.threshold.value is not None


def _accuracy(model: str, cell: Cell | None) -> str:
    if cell is None or cell.estimate.value is None:
        return ""
    interval = f"95 % interval {shown_interval(cell)}" if _has_interval(cell) else "no interval"
    return (
        f"{model} answers {shown(cell)} % of {plural(cell.estimate.n, 'question')} right "
        f"({interval}{_against_chance(cell)})."
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
    return (
        f"Its open answers earn {shown(cell)} % of full marks "
        f"({interval}{whole(cell.estimate.n)} judged{by})."
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
    """Items of a single photograph have none."""
    return cell.estimate.low is not None and cell.estimate.high is not None


def _sight(curves: Sequence[Curve]) -> str:
    if not curves:
        return ""
    seen = [_seen(curve) for curve in curves if sees(curve)]
    unseen = [words(c.name) for c in curves if not sees(c)]
    if not unseen:
        return f"It sees every distortion tested: {listed(seen)}."
    if not seen:
        return f"It sees no distortion at any tested severity ({listed(unseen)})."
    return f"It sees {listed(seen)}, but not {listed(unseen, 'or')} at any tested severity."


def _seen(curve: Curve) -> str:
    return f"{words(curve.name)} from {shown_threshold(curve, short_unit(curve.unit))}"


def _unscored(counts: Mapping[str, int]) -> str:
    """Replies that wait for a judge are told apart from those that no rule could score."""
    n_waiting = counts.get("unjudged", 0)
    n_unscored = counts["n_items"] - counts["n_scored"] - n_waiting
    replies = plural(n_unscored, "reply", "replies")
    told = f"{replies} could not be scored{_reasons(counts)}." if n_unscored else ""
    if n_waiting:
        return f"{told} {plural(n_waiting, 'reply was', 'replies were')} not judged.".strip()
    return told or "Every reply was scored."


def _reasons(counts: Mapping[str, int]) -> str:
    why = {k: n for k, n in counts.items() if k not in ("n_items", "n_scored", "unjudged")}
    return f": {reasons_in_words(why)}" if why else ""
