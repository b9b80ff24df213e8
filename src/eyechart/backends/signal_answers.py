"""From a question in words and the signs of faults in its pictures to the signal model's answer.

Texts and `Signs` come in, scores or sentences leave. No picture is opened here, and nothing is
random: what cannot be told has no score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from eyechart.backends.asked import Ask
from eyechart.backends.signal_faults import FAULTS, SEEN, Fault, Signs, badness
from eyechart.backends.signal_words import (
    amount,
    compared_picture,
    goodness,
    mention,
    says_nothing,
    says_same,
    says_yes,
    which_picture,
)
from eyechart.meters import Meters

CANNOT_TELL = "My meters cannot tell."
SAME = 0.1
"""Two pictures differ where their signs do by more than this."""


def answer_text(ask: Ask, views: Sequence[Signs]) -> str:
    """The reply to a question with options or to a statement, or `CANNOT_TELL`.

    Of options that fit equally well it takes the same one in whatever order they are shown.
    """
    scores = score_options(ask, views)
    known = [(score, i) for i, score in enumerate(scores) if score is not None]
    if not known:
        return CANNOT_TELL
    best = min(known, key=lambda pair: (-pair[0], ask.options[pair[1]]))[1]
    if ask.in_words:
        return ask.options[best]
    chosen = [best]
    if ask.several:
        chosen = [i for score, i in known if score > -SEEN] or chosen
    return ", ".join(chr(ord("A") + i) for i in sorted(chosen))


def number_text(view: Signs) -> str:
    """How good a picture is in a number from 0 to 100, on the scale of the words of quality."""
    return f"{100 * min(max(_goodness(badness(view)), 0.0), 1.0):.0f}"


def score_options(ask: Ask, views: Sequence[Signs]) -> list[float | None]:
    """How well each option fits the pictures, on one scale; None where the meters cannot tell."""
    if len(views) == 1:
        return [_fit(option, ask, views[0]) for option in ask.options]
    if len(views) == 2:
        return [_fit_of_two(option, ask, views) for option in ask.options]
    return [None] * len(ask.options)


def log_shares(scores: Sequence[float | None]) -> tuple[float | None, ...]:
    """Log-probabilities in proportion to the exponentials of the scores; None stays None.

    >>> [round(p, 2) for p in log_shares([0.0, 0.0])]
    [-0.69, -0.69]
    """
    known = [score for score in scores if score is not None]
    if not known:
        return tuple(None for _ in scores)
    top = max(known)
    total = top + math.log(sum(math.exp(score - top) for score in known))
    return tuple(None if score is None else score - total for score in scores)


def _fit(option: str, ask: Ask, view: Signs) -> float | None:
    """A fault fits where its sign is large, its opposite where it is small; they meet at SEEN."""
    yes = says_yes(option)
    if yes is not None:
        claimed = _claim(ask.question, view)
        return None if claimed is None else claimed[0] if yes else claimed[1]
    named = mention(option)
    if named is not None:
        much = amount(option)
        sign = view[named.fault]
        if much is not None and named.sign > 0:
            return _fit_of_amount(much, sign)
        return sign - 2 * SEEN if named.sign > 0 else -sign
    offered = _offered(ask)
    if says_nothing(option) and offered:
        return -max(view[fault] for fault in offered)
    return _fit_of_degree(option, ask.question, view)


def _fit_of_degree(option: str, question: str, view: Signs) -> float | None:
    """Fit of a word such as "poor" or "severe" to what the question is about, or to all faults."""
    about = mention(question)
    if about is not None and about.sign > 0:
        much = amount(option)
        return None if much is None else _fit_of_amount(much, view[about.fault])
    good = goodness(option)
    if good is None:
        return None
    bad = badness(view) if about is None else view[about.fault]
    return _near(bad, _badness(good))


def _badness(good: float) -> float:
    """The badness of which a word of this goodness speaks: 0.5 is usual, 0 is far out."""
    return 4 * SEEN * (0.5 - good)


def _goodness(bad: float) -> float:
    return 0.5 - bad / (4 * SEEN)


def _claim(statement: str, view: Signs) -> tuple[float, float] | None:
    """Fit of a statement about one picture, and of its contrary."""
    named = mention(statement)
    if named is not None:
        sign = view[named.fault]
        fits, not_so = sign - 2 * SEEN, -sign
        return (fits, not_so) if named.sign > 0 else (not_so, fits)
    if says_nothing(statement):
        worst = max(view.values())
        return -worst, worst - 2 * SEEN
    good = goodness(statement)
    if good is None:
        return None
    bad = badness(view)
    return (-bad, bad) if good > 0.5 else (bad, -bad)


def _fit_of_two(option: str, ask: Ask, views: Sequence[Signs]) -> float | None:
    """Fit of an option that names one of two pictures, or of a yes to a comparison of the two."""
    more = _more_in_second(ask.question, views)
    yes = says_yes(option)
    picture = which_picture(option) if yes is None else compared_picture(ask.question)
    if more is None:
        return None
    if picture is None:
        return SAME - abs(more) if says_same(option) else None
    fits = more if picture == 1 else -more
    return -fits if yes is False else fits


def _more_in_second(question: str, views: Sequence[Signs]) -> float | None:
    """By how much more the second picture has of what the question is about."""
    named = mention(question)
    if named is not None:
        return named.sign * (views[1][named.fault] - views[0][named.fault])
    good = goodness(question)
    if good is None:
        return None
    worse = badness(views[1]) - badness(views[0])
    return -worse if good > 0.5 else worse


def _offered(ask: Ask) -> set[Fault]:
    mentions = [mention(option) for option in ask.options]
    return {named.fault for named in mentions if named is not None}


def _fit_of_amount(much: float, sign: float) -> float:
    """Signs of four times SEEN and more are as much as words can say."""
    return _near(min(sign, 4 * SEEN), 4 * SEEN * much)


def _near(value: float, place: float) -> float:
    return -((value - place) ** 2) / 2


# --- sentences ----------------------------------------------------------------------------------

_IN_WORDS: dict[Fault, str] = {
    "blur": "blurred (finest over coarse detail: {sharpness:.2f})",
    "motion_blur": "smeared by motion blur (finest over coarse detail: {sharpness:.2f})",
    "noise": "noisy (about {colour_noise:.1f} grey levels of random noise)",
    "jpeg": "marked by JPEG compression (steps at block borders {blockiness:.1f} times the rest)",
    "pixelation": "pixelated (blocks of about {run_px:.0f} pixels)",
    "overexposure": "overexposed ({exposure_ev:+.1f} EV from mid-grey on average)",
    "underexposure": "underexposed ({exposure_ev:+.1f} EV from mid-grey on average)",
    "contrast": "low in contrast (RMS contrast {rms_contrast:.2f})",
    "colour_cast": "tinted by a colour cast (mean a* {cast_a:+.0f}, b* {cast_b:+.0f})",
    "dull": "dull in colour (colourfulness {colourfulness:.0f})",
}


def describe(meters: Meters, found: Signs) -> str:
    """A few sentences on what the meters show, the clearest fault first."""
    seen = sorted((fault for fault in FAULTS if found[fault] > SEEN), key=lambda f: -found[f])
    if "blur" in seen and "motion_blur" in seen:
        seen.remove("blur" if found["blur"] < found["motion_blur"] else "motion_blur")
    if not seen:
        return (
            "My meters show no fault. The picture is sharp, clean and well exposed "
            f"({meters.exposure_ev:+.1f} EV from mid-grey), and its colours are natural."
        )
    values = asdict(meters)
    told = (f"{_how(found[fault])} {_IN_WORDS[fault].format(**values)}" for fault in seen)
    return f"The picture is {'; '.join(told)}."


def _how(sign: float) -> str:
    return "slightly" if sign < 2 * SEEN else "clearly" if sign < 4 * SEEN else "severely"
