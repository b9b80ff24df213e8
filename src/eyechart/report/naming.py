"""The names of dotted scores in words: in which other way an item was asked, judged or read.

In: `Score.name`s such as `correct.blind`. Out: short phrases. No score is read or changed here.
"""

from __future__ import annotations

from eyechart.report.formatting import words

WAYS = {
    "": "as asked",
    "circular": "right in every rotation",
    "blind": "blind: without the image",
    "likelihood-prompt": "by likelihood, mean over prompt and answer",
    "likelihood-mean": "by likelihood, mean over the answer",
    "likelihood-sum": "by likelihood, sum over the answer",
    "judged": "by the judge",
}
SHORT_WAYS = {
    "circular": "right in every rotation",
    "blind": "blind",
    "likelihood-prompt": "likelihood with prompt",
    "likelihood-mean": "likelihood, mean",
    "likelihood-sum": "likelihood, sum",
    "judged": "by the judge",
}


def way_of(name: str) -> str:
    """What stands after the dot of a score's name; "" for the plain score.

    >>> way_of("correct.likelihood-mean"), way_of("rating.softmax:good/poor@0.5")
    ('likelihood-mean', 'softmax:good/poor@0.5')
    """
    return name.partition(".")[2]


def way_in_words(name: str, *, short: bool = False) -> str:
    """In which way the score came about, in words; its own words where it is not known here.

    >>> way_in_words("correct.blind"), way_in_words("verdict.completeness")
    ('blind: without the image', 'completeness')
    """
    way = way_of(name)
    if name.startswith("rating."):
        return way
    return (SHORT_WAYS if short else WAYS).get(way) or words(way)
