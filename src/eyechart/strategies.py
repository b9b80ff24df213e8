"""How a rating is read from what a model says of an image's quality, by name.

In: the log-probabilities (or logits) of words, or replies in words. Out: a rating from 0 (worst) to
1 (best), or None where it is undefined. Pure functions; asks nobody.

A strategy is written `NAME`, `NAME:WORDS` or `NAME:WORDS@TEMPERATURE`, e.g. `softmax:high/low@1`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eyechart.errors import BadInput, UnknownName

Asking = Literal["", "five-level", "number", "sampling"]
LEVELS = ("excellent", "good", "fair", "poor", "bad")
LEVEL_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)
RELEASED_TEMPERATURE = 100.0
DEFAULT_STRATEGY = "softmax@1"
_FORM = re.compile(r"(?P<name>[a-z-]+)(:(?P<words>[^@]+))?(@(?P<temperature>[0-9.eE+-]+))?")
_NUMBER = re.compile(r"(?<![\d.])(-?\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*(\d+))?")


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to read a rating. `spec`: how it is written, with all that it was left to default.

    `good`, `poor`: the words whose logits are compared, in two sets. `temperature`: what logits are
    divided by. `asking`: which prompt it needs, "" for Q-Bench's. `other_protocol`: it reads no
    logits, so its figures are not Q-Bench's. `source`: where it is defined.
    """

    name: str
    good: tuple[str, ...]
    poor: tuple[str, ...]
    temperature: float
    asking: Asking
    source: str

    @property
    def other_protocol(self) -> bool:
        """Whether it reads replies in words, which no published figure rests on."""
        return self.asking in ("number", "sampling")

    @property
    def words(self) -> tuple[str, ...]:
        """Every word whose log-probability it needs; none where it reads replies in words."""
        if self.other_protocol:
            return ()
        return LEVELS if self.name == "five-level" else (*self.good, *self.poor)

    @property
    def spec(self) -> str:
        """How it is written in full: `softmax:good/poor@100`."""
        if self.name in ("number", "five-level"):
            heat = f"@{self.temperature:g}" if self.name == "five-level" else ""
            return f"{self.name}{heat}"
        words = f"{'+'.join(self.good)}/{'+'.join(self.poor)}"
        heat = f"@{self.temperature:g}" if self.name in ("softmax", "word-sets") else ""
        return f"{self.name}:{words}{heat}"


_QBENCH = "Wu et al. 2023, arXiv 2309.14181, A3"
STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy("softmax", ("good",), ("poor",), RELEASED_TEMPERATURE, "", _QBENCH),
        Strategy(
            "word-sets",
            ("good", "high", "fine"),
            ("poor", "low", "bad"),
            RELEASED_TEMPERATURE,
            "",
            _QBENCH,
        ),
        Strategy("argmax", ("good",), ("poor",), 1.0, "", f"{_QBENCH}, ablation"),
        Strategy("five-level", (), (), 1.0, "five-level", "Wu et al. 2023, arXiv 2312.17090"),
        Strategy("number", (), (), 1.0, "number", "ours; another protocol"),
        Strategy("sampling", ("good",), ("poor",), 1.0, "sampling", "ours; another protocol"),
    )
}


def strategy(spec: str) -> Strategy:
    """The strategy that a text names. Raises UnknownName, and BadInput for other words or numbers.

    >>> strategy("softmax:high/low").spec
    'softmax:high/low@100'
    """
    found = _FORM.fullmatch(spec.strip())
    name = found["name"] if found else spec.partition(":")[0]
    if name not in STRATEGIES:
        raise UnknownName("scoring strategy", name, STRATEGIES)
    known = STRATEGIES[name]
    if found is None:
        raise BadInput(
            f"strategy {spec!r}: expected NAME, NAME:WORDS or NAME:WORDS@TEMPERATURE, e.g. "
            f"{known.spec}"
        )
    good, poor = known.good, known.poor
    if found["words"]:
        good, poor = _word_sets(spec, known, found["words"])
    temperature = known.temperature
    if found["temperature"]:
        temperature = _temperature(spec, known, found["temperature"])
    return Strategy(name, good, poor, temperature, known.asking, known.source)


def rating_of(how: Strategy, logits: Mapping[str, float]) -> float | None:
    """The rating from 0 to 1 that the logits (or log-probabilities) of words give.

    None where a word is missing. Every strategy depends on differences of logits alone, so it does
    not matter whether they are normalised.

    >>> round(rating_of(strategy("softmax@1"), {"good": 2.0, "poor": 0.0}), 4)
    0.8808
    >>> rating_of(strategy("argmax"), {"good": 2.0, "poor": 0.0})
    1.0
    """
    if any(word not in logits for word in how.words):
        return None
    if how.name == "five-level":
        return _levels([logits[word] for word in LEVELS], how.temperature)
    odds = log_odds(how, logits)
    if odds is None:
        return None
    if how.name == "argmax":
        return float(odds > 0)
    return 1 / (1 + math.exp(min(max(-odds / how.temperature, -700.0), 700.0)))


def log_odds(how: Strategy, logits: Mapping[str, float]) -> float | None:
    """The sum of the good words' logits less that of the poor ones'; None where a word is missing.

    Ranks by this are those of the softmax, without its rounding.
    """
    if not how.good or any(word not in logits for word in how.words):
        return None
    return sum(logits[word] for word in how.good) - sum(logits[word] for word in how.poor)


def number_in(reply: str) -> tuple[float | None, str]:
    """The rating that a reply's one number from 0 to 100 means, or None with the reason.

    >>> number_in("I would say 72."), number_in("7 out of 10")
    ((0.72, ''), (0.7, ''))
    """
    text = re.sub(r"\b(?:from )?0 ?(?:to|[-–—]) ?100\b", "", reply)
    found = [(float(m[1]), float(m[2] or 100)) for m in _NUMBER.finditer(text)]
    shares = {value / most for value, most in found if most > 0}
    if not shares:
        return None, "names no number"
    if any(0 < value < 1 and most == 100 for value, most in found):
        return None, "names a number between 0 and 1, where one from 0 to 100 was asked for"
    if len(shares) > 1:
        return None, "names several numbers where one is wanted"
    (share,) = shares
    if not 0 <= share <= 1:
        return None, f"{found[0][0]:g} is outside 0 to {found[0][1]:g}"
    return share, ""


def vote_in(how: Strategy, reply: str) -> float | None:
    """1 where a reply names a good word and no poor one, 0 the other way round, else None.

    >>> vote_in(strategy("sampling"), "The quality is poor.")
    0.0
    >>> vote_in(strategy("sampling"), "So so")
    """
    text = reply.casefold()
    if re.search(r"\bnot\b|n't\b", text):
        return None

    def says(words: Sequence[str]) -> bool:
        return any(re.search(rf"\b{re.escape(word.casefold())}\b", text) for word in words)

    good, poor = says(how.good), says(how.poor)
    return None if good == poor else float(good)


def _levels(logits: Sequence[float], temperature: float) -> float:
    """The mean of the levels' weights under the softmax (Q-Align, equation 2)."""
    most = max(logits)
    shares = [math.exp((value - most) / temperature) for value in logits]
    total = sum(shares)
    return sum(w * s for w, s in zip(LEVEL_WEIGHTS, shares, strict=True)) / total


def _word_sets(spec: str, known: Strategy, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sides = [[w.strip() for w in side.split("+") if w.strip()] for side in text.split("/")]
    if not known.good or len(sides) != 2 or not all(sides) or len(sides[0]) != len(sides[1]):
        raise BadInput(
            f"strategy {spec!r}: expected as many good words as poor ones, as in softmax:high/low "
            "or word-sets:good+fine/poor+bad"
        )
    return tuple(sides[0]), tuple(sides[1])


def _temperature(spec: str, known: Strategy, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf or known.name not in ("softmax", "word-sets", "five-level"):
        raise BadInput(
            f"strategy {spec!r}: expected a temperature above 0, on softmax, word-sets or "
            "five-level only"
        )
    return value
