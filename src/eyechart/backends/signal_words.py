"""Which faults and which amounts words speak of: the vocabulary of the signal model.

A text comes in; what it mentions leaves. No picture is seen here and nothing is decided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyechart.backends.signal_faults import Fault


@dataclass(frozen=True, slots=True)
class Mention:
    """A fault that a text speaks of; `sign` is 1 for the fault, -1 for its opposite."""

    fault: Fault
    sign: int


# In order: where two match at one place, the first one counts. Faults, then their opposites.
_VOCABULARY: tuple[tuple[Fault, int, str], ...] = (
    ("motion_blur", 1, r"motion[- ]?blur\w*|(?:camera|hand)[- ]?shak\w+|smear\w*|shaky"),
    ("pixelation", 1, r"pixel+at\w+|pixeli[sz]\w+|mosaic\w*"),
    ("jpeg", 1, r"jpe?g\b|compress\w+|block(?:y|ing|iness)|art[ei]facts?|ringing"),
    ("colour_cast", 1, r"colou?r[- ](?:cast|shift|bias)|tint\w*|discolou?r\w*|white balance"),
    ("overexposure", 1, r"over-?\s?expos\w+|blown|too (?:bright|light)|glar\w+|bright\w*"),
    ("underexposure", 1, r"under-?\s?expos\w+|dark\w*|dim(?:mer|mest|ly)?\b|gloomy"),
    ("contrast", 1, r"(?:low|poor|weak|loss of|lack of|lost|reduced)\s+contrast"),
    ("contrast", 1, r"washed[- ]?out|hazy|haze|foggy|flat\b"),
    ("contrast", -1, r"contrast\w*"),
    ("noise", 1, r"nois(?:e|y|ier|iest)|grain\w*|speckl\w+"),
    ("dull", -1, r"colou?rful\w*|vivid\w*|vibran\w+|saturat\w+|rich(?:er)? colou?rs?"),
    ("dull", 1, r"dull\w*|monoton\w+|monochrom\w*|desaturated|faded|pale"),
    ("blur", 1, r"blur\w*|(?:out of|lack of) focus|(?:de|un)focus\w*|unsharp|fuzzy|unclear"),
    ("blur", -1, r"sharp\w*|clear(?:er|est)?\b|clarity|focus\w*|crisp\w*|details?\b|texture"),
)
_ANY = re.compile("|".join(f"(?P<m{i}>\\b(?:{v[2]}))" for i, v in enumerate(_VOCABULARY)), re.I)
_NOT = re.compile(r"(?:\b(?:not?|non|without|less|least|free of)|n't)[\s-]+(?:\w+\s+)?$", re.I)
_FREE = re.compile(r"[\s-]*(?:free|less)\b", re.I)

_NOTHING = re.compile(
    r"\b(?:nothing|none|unchanged|undistorted|pristine|no (?:distortion|fault|degradation)s?"
    r"|normal|moderate|medium|average|appropriate|balanced|just right|natural)\b",
    re.I,
)
_BOTH_SAME = re.compile(r"\b(?:same|equal\w*|similar\w*|no difference|neither)\b", re.I)
_YES = re.compile(r"\W*(?:yes|true|correct)\b", re.I)
_NO = re.compile(r"\W*(?:no|false|incorrect)\s*(?:[^\w\s]|$)", re.I)
_FIRST, _SECOND = (re.compile(rf"\b{word}\b", re.I) for word in ("first", "second"))

_GOODNESS = {
    **dict.fromkeys(("excellent", "perfect", "outstanding", "superb"), 1.0),
    **dict.fromkeys(("good", "high", "great", "fine", "better", "best"), 0.75),
    **dict.fromkeys(("fair", "medium", "average", "acceptable", "moderate", "ok", "normal"), 0.5),
    **dict.fromkeys(("poor", "low", "mediocre", "worse", "worst"), 0.25),
    **dict.fromkeys(("bad", "terrible", "awful", "horrible"), 0.0),
}
_AMOUNT = {
    **dict.fromkeys(("severe", "severely", "extreme", "extremely", "very", "heavy"), 0.95),
    **dict.fromkeys(("strong", "strongly", "high", "obvious", "serious", "much"), 0.8),
    **dict.fromkeys(("moderate", "moderately", "medium", "some"), 0.5),
    **dict.fromkeys(("slight", "slightly", "mild", "weak", "low", "little", "minor"), 0.25),
    **dict.fromkeys(("none", "invisible", "absent", "imperceptible"), 0.05),
}


def mention(text: str) -> Mention | None:
    """The first fault that a text speaks of, or its opposite; None where it speaks of none.

    >>> mention("Is the picture not very sharp?"), mention("a boat")
    (Mention(fault='blur', sign=1), None)
    """
    found = _ANY.search(text)
    if found is None:
        return None
    fault, sign, _ = _VOCABULARY[int((found.lastgroup or "m0")[1:])]
    flipped = _NOT.search(text[: found.start()]) or _FREE.match(text, found.end())
    return Mention(fault, -sign if flipped else sign)


def goodness(text: str) -> float | None:
    """How good the first word of quality in a text is, 0 (bad) to 1 (excellent); None without one.

    >>> goodness("Good"), goodness("a boat")
    (0.75, None)
    """
    return _first_known(text, _GOODNESS)


def amount(text: str) -> float | None:
    """How much the first word of amount in a text is, 0 to 1; None without one.

    >>> amount("slightly blurry")
    0.25
    """
    return _first_known(text, _AMOUNT)


def says_nothing(text: str) -> bool:
    """The text says that nothing is wrong, or that all is as usual."""
    return bool(_NOTHING.search(text))


def says_same(text: str) -> bool:
    """The text says that two pictures do not differ."""
    return bool(_BOTH_SAME.search(text))


def says_yes(text: str) -> bool | None:
    """Whether a text begins with yes or true (True), or with no or false (False); else None.

    >>> says_yes("Yes, it is"), says_yes("False."), says_yes("Noise"), says_yes("No noise")
    (True, False, None, None)
    """
    if _YES.match(text):
        return True
    return False if _NO.match(text) else None


def which_picture(text: str) -> int | None:
    """0 where a text names the first picture, 1 for the second, None for neither or both.

    >>> which_picture("The second image"), which_picture("First or second")
    (1, None)
    """
    first, second = bool(_FIRST.search(text)), bool(_SECOND.search(text))
    return None if first == second else int(second)


def compared_picture(text: str) -> int | None:
    """The picture that a comparison is about: 0 for "is the first image sharper than ...".

    >>> compared_picture("Is the second image darker than the first?")
    1
    """
    before, than, _ = text.partition(" than ")
    return which_picture(before) if than else None


def _first_known(text: str, values: dict[str, float]) -> float | None:
    words = re.findall(r"[a-z]+", text.lower())
    return next((values[word] for word in words if word in values), None)
