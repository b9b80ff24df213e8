"""From the text of a reply to what was meant by it, or to the reason why that cannot be said.

Enters: a reply and, where there are any, the options in the order shown. Leaves: a `Parsed`. Pure
functions of their arguments that never raise on any text, never guess and never draw at random:
where a reply can be read in two ways it is unparsed. Does not know which answer is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Generic, TypeVar

from eyechart.records import LETTERS, Why
from eyechart.replies.naming import (
    Named,
    alone,
    head_of,
    mentions,
    puzzle,
    text_line,
    verbatim,
)
from eyechart.replies.plain import clean, final_statement, refusal, told
from eyechart.replies.plain import strip_reasoning as strip_reasoning

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What a reply meant, or why that is unknown.

    `why`: `unparsed` or `refused` where `value` is None, else None. `extracted`: what was read out
    of the reply ("B", "A, C", "True", "2"). `detail`: the reason in words where there is no value.
    """

    value: T | None
    why: Why | None = None
    extracted: str = ""
    detail: str = ""


def parse_single(reply: str, options: Sequence[str]) -> Parsed[int]:
    """The index of the one option that the reply chooses.

    >>> parse_single("B. A little blurry", ["Sharp", "A little blurry"]).value
    1
    >>> parse_single("Sharp or blurry", ["Sharp", "Blurry"]).detail
    'names A and B where one option is wanted'
    """
    chosen = _choose(reply, options, many=False)
    value = chosen.value[0] if chosen.value else None
    return Parsed(value, chosen.why, chosen.extracted, chosen.detail)


def parse_multiple(reply: str, options: Sequence[str]) -> Parsed[tuple[int, ...]]:
    """The indices of all options that the reply chooses, ascending; never an empty tuple.

    >>> parse_multiple("Both A and C.", ["Blur", "Noise", "Haze"]).value
    (0, 2)
    """
    return _choose(reply, options, many=True)


# --- choosing among options ---------------------------------------------------------------------


def _choose(reply: str, options: Sequence[str], *, many: bool) -> Parsed[tuple[int, ...]]:
    answer = strip_reasoning(reply).answer
    for text in (reply, answer, clean(answer)):
        exact = verbatim(text, options)
        if exact:
            problem = "fits more than one option" if len(exact) > 1 else ""
            return _decide(Named(frozenset(exact), problem), options, many=many)
    silent = _silence(reply)
    if silent:
        return Parsed(None, "unparsed", detail=silent)
    text = told(clean(answer))
    final = final_statement(text)
    named = _committed(text, final, options, many=many)
    refused = "" if named else refusal(text)
    if refused:
        return Parsed(None, "refused", detail=f"declines to answer: {refused!r}")
    named = named or _mentioned(text, options, many=many)
    problem = puzzle(final or text, named, options) if named else ""
    return _decide(named and named | Named(problem=problem), options, many=many)


def _silence(reply: str) -> str:
    stripped = strip_reasoning(reply)
    empty = (
        "the reasoning was cut off before an answer" if stripped.reasoning else "the reply is empty"
    )
    return "" if clean(stripped.answer) else empty


def _decide(named: Named | None, options: Sequence[str], *, many: bool) -> Parsed[tuple[int, ...]]:
    indices = tuple(sorted(named.indices)) if named else ()
    letters = [LETTERS[i] if i < len(LETTERS) else f"option {i + 1}" for i in indices]
    extracted = ", ".join(letters)
    problem = named.problem if named else ""
    if not indices:
        problem = problem or "names no option"
    elif indices[-1] >= len(options):
        problem = f"names {letters[-1]}, but there are only {len(options)} options"
    elif len(indices) > 1 and not many:
        problem = f"names {' and '.join(letters)} where one option is wanted"
    if problem:
        return Parsed(None, "unparsed", extracted, problem)
    return Parsed(indices, extracted=extracted)


_LABEL = re.compile(r"answer ?:", re.I)


def _committed(text: str, final: str | None, options: Sequence[str], *, many: bool) -> Named | None:
    """What a final statement names, else what whole lines and sentences of the reply name."""
    lines = _lines(text)
    named = _statement(final, options, many=many) if final is not None else None
    if named and not many:
        stated = [line[found.end() :] for line in lines if (found := _LABEL.match(line))]
        stated += lines[:1]
        return named | Named(frozenset(i for line in stated for i in alone(line, len(options))))
    return named or _block(lines, options, many=many) or _stated(text, options, many=many)


def _statement(final: str, options: Sequence[str], *, many: bool) -> Named | None:
    lines = _lines(final) if many else _lines(final)[:1]
    sentence = re.split(r"[.!?](?:\s|$)", lines[0])[0] if lines else ""
    return _block(lines, options, many=many) or _mentioned(sentence, options, many=many)


def _block(lines: Sequence[str], options: Sequence[str], *, many: bool) -> Named | None:
    """What the leading lines name that each begin with a letter or are an option's text."""
    return _union(list(takewhile(lambda line: _line(line, options), lines)), options, many=many)


# Begins at the first mark of a run, or the second after a letter ("B... Blur"): never at each one.
_SENTENCE_END = re.compile(
    r"(?:(?<![.!?;])(?<!\b[A-Za-z])|(?<=\b[A-Za-z][.!?;]))[.!?;]+(?=\s|$)|\n"
)


def _stated(text: str, options: Sequence[str], *, many: bool) -> Named | None:
    """What any line names by its first letter, or any sentence by being just an option's text."""
    pieces = _SENTENCE_END.split(text)
    pieces += [piece.rpartition(": ")[2] for piece in pieces if ": " in piece]
    pieces += re.findall(r"(?i)\A(?:yes|no)(?=,|\s+[-–—])", text)
    stated = [line for line in _lines(text) if head_of(line, options)]
    stated += [piece for piece in pieces if text_line(piece, options)]
    named = _union(stated, options, many=many)
    further = named and {m.index for m in mentions(text, options)} - named.indices
    return named and named | Named(problem=_PASSING if many and further else "")


def _line(line: str, options: Sequence[str]) -> Named | None:
    return head_of(line, options) or text_line(line, options)


_DENIES = re.compile(
    r"\b(?:no|not|none|incorrect|false|wrong|absent|unlikely|minimal|negligible)\b|n't\b|[✗✘❌×]",
    re.I,
)
_PASSING = "names further options in passing"
_GOES = "goes through the options"


def _union(lines: Sequence[str], options: Sequence[str], *, many: bool) -> Named | None:
    """All that these lines name; a problem where one of several denies the option it names."""
    total, remarks = Named(), False
    for line in lines:
        named = _line(line, options) or Named()
        own = " ".join(options[i] for i in named.indices if i < len(options))
        denies = len(lines) > 1 and len(_DENIES.findall(line)) > len(_DENIES.findall(own))
        total |= named | Named(problem=_GOES if denies else "")
        remarks = remarks or len(line) > len(own) + 12
    letters = {m.index for m in mentions("\n".join(lines), options) if m.letter and not m.passing}
    if many and (letters - total.indices or (remarks and len(lines) == len(options) > 1)):
        total |= Named(problem=_GOES)
    return total if lines else None


def _mentioned(text: str, options: Sequence[str], *, many: bool) -> Named | None:
    """What letters, else texts, inside the sentences name."""
    found = mentions(text, options)
    letters = {m.index for m in found if m.letter and not m.passing}
    texts = {m.index for m in found if not m.letter}
    if many and not letters and not texts and _ALL.search(text):
        return Named(frozenset(range(len(options))))
    if letters and texts and not texts & letters:
        return Named(frozenset(letters | texts), "a letter and a text name different options")
    named = frozenset(letters or texts)
    problem = _scattered(text, options, named) if many and len(named) > 1 else ""
    if letters and ((many and texts - letters) or {m.index for m in found if m.letter} - letters):
        problem = _PASSING
    return Named(named, problem) if named else None


_ALL = re.compile(
    r"(?<!not )\ball (?:of )?(?:the |these )?(?:above|(?:two |three |four |five )?options|them)\b",
    re.I,
)
_EITHER = re.compile(r"\bor\b|或|\b(?:possibly|perhaps|maybe|potentially|might|may|could)\b", re.I)
_NOR = re.compile(r"\b(?:not|no|without)\s(?:(?!but\b)[^\s,.;]+\s){0,4}?or\b", re.I)


def _scattered(text: str, options: Sequence[str], named: frozenset[int]) -> str:
    for sentence in re.split(r"[.!?](?:\s|$)|\n", text):
        if named <= {m.index for m in mentions(sentence, options)}:
            either = _EITHER.search(_NOR.sub("", sentence))
            return "names alternatives and does not decide" if either else ""
    return "names options in several sentences and does not sum up"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


# --- true or false ------------------------------------------------------------------------------

_ENDS = (
    r"(?=\W*$|\s*[^\w\s]|\s*\n|\s+(?:it|the|this|there|because|since|as|for|in|here|not|and|or|but|i"
    r"|given|based|considering|with|overall|due|statement|claim)\b)"
)
_FIRST = re.compile(
    r"\W{0,12}(?:(true|yes|correct|right(?=\W*$)|[ty](?=\W*$)|是的?|对|正确)"
    r"|(false|no|incorrect|wrong|untrue|[fn](?=\W*$)|否|不是|不对|错误?|不正确))"
    rf"(?!\. ?\d)(?!\s*(?:or|and|/|\|)\s*(?:false|true|no|yes)|\w|'){_ENDS}",
    re.I,
)
_VERDICT = re.compile(
    r"((?:\bpart\w*|\bmostly|\bhalf|\bsometimes|\bsomewhat)\s+)?"
    r"((?:\bnot|n't|\bnever|\bcannot be|\bneither|\bnor)(?:\s+\w+){0,2}\s+)?"
    r"(?:\b(?:(?:true|(?P<loose>correct|accurate))|(?P<no>false|(?P<loose_no>incorrect|inaccurate"
    rf"|untrue|wrong)))\b{_ENDS}|(?P<cn>不是?正确|不对|(?<!不是)(?<!没有)错误)|(?<!没有)正确)",
    re.I,
)
_SAID = re.compile(
    r"(?:\A|[^\w\s]|['\"]s|[\u3040-\u9fff]|\b(?:is|are|be|as|seems?|appears?|so|say|statement"
    r"|claim|an?|answer|or|nor|and|than|both|more|therefore|thus|hence|it|that|this|\w+ly))\s*\Z",
    re.I,
)
_HEDGE = re.compile(
    r"""(?:n't|\bnot|\bcannot)\s(?:\w+\s){0,2}(?:think|believe|sure|certain|say|agree|the\ case
      |clear|convinced|confirm|conclude|possible|enough|know|see|support|mean|prove|show|suggest)\b
    |\bno\ (?:evidence|sign|indication|reason|proof|way|one)\b|\bno(?:thing|ne|body)\b|\bdoubt
    |\b(?:hardly|barely|scarcely|far\ from|anything\ but|either|more|less\ than|if|unless|whether)\b
    |\b(?:might|may|could)\ be\b|\bwould\ (?:only\ |not\ )?(?:be|have)\b
    |\b(?:unsure|impossible|unlikely|unclear)\b
    |\b(?:wrong|incorrect|least\ likely)\ (?:answer|option|choice)\b""",
    re.I | re.X,
)
_ABOUT = re.compile(r"\b(?:statement|claim|answer|assertion|description|it|this|that)\b", re.I)


def parse_true_false(reply: str) -> Parsed[bool]:
    """Whether the reply calls the statement true; Yes and No count as True and False.

    >>> parse_true_false("No, this statement is not true.").value
    False
    >>> parse_true_false("True or false?").why
    'unparsed'
    """
    silent = _silence(reply)
    if silent:
        return Parsed(None, "unparsed", detail=silent)
    text = told(clean(strip_reasoning(reply).answer))
    final = final_statement(text)
    named = _truth(final) if final else set()
    if not named and not _FIRST.match(text) and refusal(text):
        return Parsed(None, "refused", detail=f"declines to answer: {refusal(text)!r}")
    named = named or _truth(text)
    if len(named) != 1:
        problem = "says both true and false" if named else "says neither true nor false"
        return Parsed(None, "unparsed", detail=problem)
    value = named.pop()
    return Parsed(value, extracted=str(value))


def _truth(text: str) -> set[bool]:
    first = _FIRST.match(text)
    found = {first[1] is not None} if first else set()
    for sentence in re.split(r"[.!?;\n]+(?! ?\d)", text):
        wholes = (_FIRST.fullmatch(piece.strip()) for piece in [sentence, *sentence.split(",")])
        found |= {whole[1] is not None for whole in wholes if whole}
        for verdict in _VERDICT.finditer(sentence):
            found |= _meant(verdict, sentence, loose=first is not None)
    return found


def _meant(verdict: re.Match[str], sentence: str, *, loose: bool) -> set[bool]:
    """What one "true" or "false" says: one of both, both where it is hedged, or nothing."""
    start = max(0, verdict.start() - 200)
    before, after = sentence[start : verdict.start()], sentence[verdict.end() :][:20]
    loose = loose or bool(verdict["loose"] or verdict["loose_no"])
    if (loose and not _ABOUT.search(before)) or not (verdict[2] or _SAID.search(before[-30:])):
        return set()
    affirmed = not (verdict["no"] or verdict["cn"])
    hedged = verdict[1] or (verdict[2] and not affirmed) or _HEDGE.search(before)
    if hedged or re.match(r"\s*(?:only )?(?:if|unless|when)\b", after):
        return {True, False}
    return {affirmed and not verdict[2]}


# --- a judge's score ----------------------------------------------------------------------------

_NUMBER = (
    r"(?<![\d.])(-?\d{1,6}(?:\.\d{1,6})?)(?:\s*(?:/|\(?out of|of)\s*(\d{1,6}(?:\.\d{1,6})?))?"
    r"(?!\.?\d|\s{0,3}[-–]\s{0,3}\d)"
)
_SCORE = re.compile(
    r"(final |overall |total )?\b(?:(?:score|rating|verdict|grade"
    r"|points?)\b[\"']?(?: ?\([^)]{0,20}\))?"
    r"(?: for [^.:\n\d]{0,40}?)?\s?(?:is|of|would be|should be|[:=>])?\s?:?\s?"
    rf"|(?:give|assign|award|score|rate)\b(?: [a-z]+){{0,5}}? )[\[(\"']*{_NUMBER}",
    re.I,
)
_LINE = re.compile(rf"[^\w-]{{0,12}}{_SCORE.pattern}[^\w/-]{{0,12}}", re.I)
_DIMENSION = r"(?:(?:completeness|preciseness|precision|relevance)[\"']?\s?(?:[:=]|is)\s?)?"
_BARE = re.compile(
    rf"[\s\[({{\"']*{_DIMENSION}{_NUMBER}(?:\s*points?)?(?:[\s\])}}.\"']*|\s*(?:[:–—-]\s+|\()[^\d\s].*)",
    re.I,
)
_NOT_GIVEN = re.compile(r"n't\b|\b(?:not|cannot|never|maximum|max|highest|lowest|if)\b", re.I)
_NEEDS = re.compile(r" ?(?:points? )?(?:would|requires?|needs?|means|is (?:given|reserved|for))\b")


def parse_verdict(reply: str, low: int = 0, high: int = 2) -> Parsed[int]:
    """The whole number from `low` to `high` that a judge gives.

    "1/2" is one out of two. A score out of anything but `high`, a fraction or several different
    scores are unparsed; of several, one called final, overall or total counts.

    >>> parse_verdict("**Score:** 1/2").value, parse_verdict("Score: 7").detail
    (1, 'says 7, which is not one of 0, 1, 2')
    """
    silent = _silence(reply)
    if silent:
        return Parsed(None, "unparsed", detail=silent)
    text = clean(strip_reasoning(reply).answer)
    found = _scores(text, low, high)
    if not found and refusal(text):
        return Parsed(None, "refused", detail=f"declines to judge: {refusal(text)!r}")
    if len(found) != 1:
        said = f"gives several scores: {', '.join(sorted(v for v, _ in found))}"
        return Parsed(None, "unparsed", detail=said if found else "gives no score")
    said, whole = found.pop()
    if whole and float(whole) != high:
        problem = f"says {said} out of {whole}, expected out of {high}"
        return Parsed(None, "unparsed", said, problem)
    allowed = {float(value): value for value in range(low, high + 1)}
    if float(said) not in allowed:
        listed = ", ".join(map(str, allowed.values()))
        return Parsed(None, "unparsed", said, f"says {said}, which is not one of {listed}")
    return Parsed(allowed[float(said)], extracted=said)


def _scores(text: str, low: int, high: int) -> set[tuple[str, str]]:
    """The different scores that a text gives, each with what it is out of ("" if unsaid)."""
    text = re.sub(rf"\b{low}\s?(?:to|through|[-–—])\s?{high}\b", "", text)
    parts = [final_statement(text) or "", text, *_lines(text)]
    own = {(m[2], m[3] or "") for part in parts if (m := _LINE.fullmatch(part))}
    if len(own) == 1:
        return own
    given = [m for m in _SCORE.finditer(text) if _given(m, text)]
    final = [(m[2], m[3] or "") for m in given if m[1]]
    if final:
        return {final[-1]}
    bare = [m for part in (*parts[:3], parts[-1]) if (m := _BARE.fullmatch(part))]
    found = {(m[2], m[3] or "") for m in given} or {(m[1], m[2] or "") for m in bare}
    every = {(m[1], m[2] or "") for m in re.finditer(_NUMBER, text)}
    fits = {x for x in every if low <= float(x[0]) <= high and float(x[1] or high) == high}
    return found | fits if found and len({float(said) for said, _ in fits}) > 1 else found


def _given(score: re.Match[str], text: str) -> bool:
    """Whether a score is given, not denied or explained ("a score of 2 requires")."""
    clause = re.split(r"[.,;:!?\n]", text[max(0, score.start() - 80) : score.start()])[-1]
    return not _NOT_GIVEN.search(clause + score[0]) and not _NEEDS.match(text, score.end())
