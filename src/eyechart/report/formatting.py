"""How numbers and foreign text are printed, the same everywhere.

In: numbers, `Estimate`s, text from models and files. Out: short strings for people. Undefined is a
dash. Escaping for HTML, Markdown or LaTeX is not done here; the writers do that.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eyechart.records import Cell, Curve, Estimate
from eyechart.report.metric_names import heading as heading
from eyechart.report.metric_names import metric_named
from eyechart.report.metric_names import words as words
from eyechart.report.sight import sees

BLANK = "–"
SMALL_N = 30
SMALL_MARK = "†"
SMALL_NOTE = f"{SMALL_MARK} fewer than {SMALL_N} items: read with care."


WHY_LABELS = {
    "unparsed": "not understood",
    "refused": "refused",
    "failed": "failed",
    "unjudged": "not judged",
    "missing": "no score on file",
    "withheld": "without a right answer on file",
}
FACET_LABELS = {"severity_level": "severity level (0 is undistorted)"}
KIND_LABELS = {
    "single": "single choice",
    "multiple": "multiple choice",
    "true_false": "true or false",
    "open": "open question",
    "describe": "description",
    "rate": "rating",
}


def facet_name(facet: str) -> str:
    """A facet's name above a table, with what its values mean where that is not plain.

    >>> facet_name("severity_level")
    'severity level (0 is undistorted)'
    """
    return FACET_LABELS.get(facet) or words(facet)


def facet_value(facet: str, value: str) -> str:
    """A facet's value for people: kinds get their long names, names in code their spaces.

    >>> facet_value("kind", "single"), facet_value("distortion", "colour_cast")
    ('single choice', 'colour cast')
    """
    if facet == "kind":
        return KIND_LABELS.get(value, value)
    if not re.fullmatch(r"[a-z0-9_]+", value):
        return value
    return distortion_name(value) if facet.startswith("distortion") else words(value)


def distortion_name(name: str) -> str:
    """A distortion for people.

    >>> distortion_name("contrast"), distortion_name("jpeg")
    ('contrast loss', 'JPEG')
    """
    return "contrast loss" if name == "contrast" else words(name)


def whole(n: int) -> str:
    """A count with thousands separated.

    >>> whole(1170)
    '1,170'
    """
    return f"{n:,}"


def plural(n: int, noun: str, many: str = "") -> str:
    """A count and its noun.

    >>> plural(1, "reply", "replies"), plural(1200, "question")
    ('1 reply', '1,200 questions')
    """
    return f"{whole(n)} {noun if n == 1 else many or noun + 's'}"


def number(value: float | None, *, percent: bool = True) -> str:
    """A value of a metric: one decimal in percent, else three decimals; a dash where undefined.

    >>> number(0.6124), number(-0.25, percent=False), number(None)
    ('61.2', '−0.250', '–')
    """
    if value is None or math.isnan(value):
        return BLANK
    text = f"{100 * value:.1f}" if percent else f"{value:.3f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def span(low: float | None, high: float | None, *, percent: bool = True) -> str:
    """An interval: an en dash between its ends, the word "to" where one end is negative.

    >>> span(0.579, 0.644), span(-0.1, 0.3, percent=False), span(None, None)
    ('57.9–64.4', '−0.100 to 0.300', '–')
    """
    if low is None or high is None:
        return BLANK
    ends = [number(low, percent=percent), number(high, percent=percent)]
    return (" to " if any(end.startswith("−") for end in ends) else "–").join(ends)


def shown(cell: Cell) -> str:
    """The value of a cell without its unit."""
    return number(cell.estimate.value, percent=metric_named(cell.metric).percent)


def shown_interval(cell: Cell) -> str:
    """The 95 % interval of a cell without its unit."""
    estimate = cell.estimate
    return span(estimate.low, estimate.high, percent=metric_named(cell.metric).percent)


def shown_bounds(cell: Cell) -> str:
    """What the cell would be with all unscored items wrong, and with all right."""
    low, high = cell.bounds if cell.bounds and cell.n_unscored else (None, None)
    return span(low, high, percent=metric_named(cell.metric).percent)


def shown_n(cell: Cell) -> str:
    """The cell's number of items, marked where it is small."""
    return whole(cell.estimate.n) + (SMALL_MARK if is_small(cell) else "")


def shown_unscored(cell: Cell) -> str:
    """How many items of the cell are unscored, and why."""
    if not cell.n_unscored:
        return "0"
    why = reasons_in_words(cell.why)
    if len(cell.why) == 1:
        return why
    return f"{whole(cell.n_unscored)} ({why})" if why else whole(cell.n_unscored)


def reasons_in_words(why: Mapping[str, int]) -> str:
    """Counts of unscored items by reason.

    >>> reasons_in_words({"failed": 2, "unparsed": 1})
    '2 failed and 1 not understood'
    """
    return listed([f"{whole(n)} {WHY_LABELS.get(name, name)}" for name, n in why.items()])


def is_small(cell: Cell) -> bool:
    """Fewer than 30 items entered the cell."""
    return cell.estimate.n < SMALL_N


def signed(value: float | None, *, percent: bool = True) -> str:
    """A difference, with its sign.

    >>> signed(0.031), signed(-0.5)
    ('+3.1', '−50.0')
    """
    text = number(value, percent=percent)
    return f"+{text}" if value is not None and value > 0 and float(text) else text


def signed_span(estimate: Estimate, *, percent: bool = True) -> str:
    """The interval of a difference, both ends with their sign.

    >>> signed_span(Estimate(0.0, -0.01, 0.02, 9))
    '−1.0 to +2.0'
    """
    if estimate.low is None or estimate.high is None:
        return BLANK
    return f"{signed(estimate.low, percent=percent)} to {signed(estimate.high, percent=percent)}"


def p_value(p: float | None) -> str:
    """A p-value to three decimals.

    >>> p_value(0.0312), p_value(0.00001), p_value(None)
    ('0.031', '< 0.001', '–')
    """
    if p is None:
        return BLANK
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def quantity(value: float | None, unit: str = "") -> str:
    """A severity to two significant digits (more only before the point), with its unit.

    >>> quantity(1.0, "grey levels"), quantity(0.01234), quantity(12345.6, "lx")
    ('1 grey level', '0.012', '12,346 lx')
    """
    if value is None or not math.isfinite(value):
        return BLANK
    digits = 0 if value == 0 else max(0, 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 12)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if text == "1":
        unit = re.sub(r"^([a-z ]*?[a-z]{3})s\b", r"\1", unit)
    return f"{text.replace('-', '−')} {unit}".strip()


def glued(text: str) -> str:
    """The same text, its numbers never parted from their % or each other at the end of a line.

    >>> glued("61.2 % right") == "61.2\N{NO-BREAK SPACE}% right"
    True
    """
    return re.sub(r"(?<=\d) (?=[%\d])", "\N{NO-BREAK SPACE}", text)


def short_unit(unit: str) -> str:
    """A unit without what is explained in brackets.

    >>> short_unit("px (standard deviation)")
    'px'
    """
    return unit.split(" (")[0]


def shown_threshold(curve: Curve, unit: str = "") -> str:
    """The smallest severity seen; "or less" where that is already the weakest tested.

    "perhaps" where the interval ends beyond the strongest tested.
    """
    value = curve.threshold.value
    if value is None:
        return "not seen"
    perhaps = "" if sees(curve) else "perhaps "
    return perhaps + quantity(value, unit) + (" or less" if value <= curve.severities[0] else "")


def not_seen(curves: Sequence[Curve]) -> str:
    """The distortions of some curves that are not seen, as a phrase; "" where all are."""
    blind = [curve for curve in curves if not sees(curve)]
    names = listed([distortion_name(curve.name) for curve in blind], "or")
    clearly = "clearly " if any(curve.threshold.value is not None for curve in blind) else ""
    return f"not {clearly}{names}" if blind else ""


def quantity_span(estimate: Estimate, unit: str = "") -> str:
    """The interval of a threshold; an open end is said in words, one of no width is no interval.

    >>> quantity_span(Estimate(3.0, 2.5, 4.0, 9), "px")
    '2.5–4.0 px'
    >>> quantity_span(Estimate(3.0, 2.0, None, 9), "px")
    'at least 2 px'
    """
    if estimate.low == estimate.high:
        return BLANK
    if estimate.high is None:
        return f"at least {quantity(estimate.low, unit)}"
    if estimate.low is None:
        return f"at most {quantity(estimate.high, unit)}"
    low, high = quantity(estimate.low), quantity(estimate.high)
    places = max(len(end.partition(".")[2]) for end in (low, high))
    return f"{estimate.low:,.{places}f}–{estimate.high:,.{places}f} {unit}".strip()


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Parts as a phrase.

    >>> listed(["blur", "noise", "JPEG"])
    'blur, noise and JPEG'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Text from a model or file without what could break a page or turn its direction around.

    Control characters, direction overrides and lone surrogates become visible names.

    >>> printable("a\x00b\u202ec")
    'a[U+0000]b[U+202E]c'
    """
    return _ODD.sub(lambda match: f"[U+{ord(match.group()):04X}]", text.replace("\r\n", "\n"))


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The first characters of a text, and how many more there are."""

    text: str
    n_more: int = 0


def trimmed(text: str, limit: int) -> Trimmed:
    """At most `limit` characters of `text`, never cut between a letter and its accent.

    >>> trimmed("abcdef", 4)
    Trimmed(text='abcd', n_more=2)
    """
    end = limit
    while 0 < end < len(text) and unicodedata.combining(text[end]) and limit - end < 8:
        end -= 1
    return Trimmed(text[:end], max(0, len(text) - end))


def one_line(text: str, limit: int = 200) -> str:
    """Printable text on one line, cut at `limit` characters."""
    flat = " ".join(printable(text[: 4 * limit]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
