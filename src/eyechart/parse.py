"""From the text of a reply to what was meant by it, or to the reason why that cannot be said.

Enters: a reply and, where there are any, the options in the order shown. Leaves: a `Parsed`. Pure
functions of their arguments that never raise on any text, never guess and never draw at random:
where a reply can be read in two ways it is unparsed. Does not know which answer is right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from eyechart.records import Why
from eyechart.replies import (
    LETTERS,
    Named,
    alone,
    clean,
    final_statement,
    head_of,
    letters_of,
    refusal,
    same_text,
    texts_in,
)

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


@dataclass(frozen=True, slots=True)
class Stripped:
    """A reply in its two parts: `answer` is "" where the reasoning was cut off before it."""

    answer: str
    reasoning: str


_TAG = re.compile(
    r"<(/?)(?:think|thinking|thought|reasoning)>|◁(/?)think▷|\[(/?)THINK\]", re.IGNORECASE
)


def strip_reasoning(text: str) -> Stripped:
    """Part a reply into its answer and the thinking written around it.

    Text before a closing tag that was never opened is thinking, and so is all that follows an
    opening tag that is never closed.

    >>> strip_reasoning("<think>It is soft.</think>B")
    Stripped(answer='B', reasoning='It is soft.')
    >>> strip_reasoning("<think>It is so").answer
    ''
    """
    answer: list[str] = []
    reasoning: list[str] = []
    inside, at = False, 0
    for tag in _TAG.finditer(text):
        piece, at = text[at : tag.start()], tag.end()
        closes = "/" in tag[0]
        if closes and not inside:
            reasoning, answer = [*reasoning, *answer, piece], []
        else:
            (reasoning if inside else answer).append(piece)
        inside = not closes
    (reasoning if inside else answer).append(text[at:])
    return Stripped("".join(answer).strip(), "".join(reasoning).strip())


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
        exact = _verbatim(text, options)
        if exact:
            problem = "fits more than one option" if len(exact) > 1 else ""
            return _decide(Named(frozenset(exact), problem), options, many=many)
    silent = _silence(reply)
    if silent:
        return Parsed(None, "unparsed", detail=silent)
    text = clean(answer)
    named = _committed(text, options, many=many)
    refused = "" if named else refusal(text)
    if refused:
        return Parsed(None, "refused", detail=f"declines to answer: {refused!r}")
    return _decide(named or _mentioned(text, options, many=many), options, many=many)


def _silence(reply: str) -> str:
    stripped = strip_reasoning(reply)
    if clean(stripped.answer):
        return ""
    return (
        "the reasoning was cut off before an answer" if stripped.reasoning else "the reply is empty"
    )


_LETTERED = re.compile(r"\W{0,12}([A-Za-z])(?![A-Za-z'])[)\]}>.:,*_\"'\s]*")

_MARKED = re.compile(r"\W{0,12}[(\[][A-Za-z][)\]]|\W{0,12}[A-Za-z][)\].:]")


def _verbatim(text: str, options: Sequence[str]) -> list[int]:
    """Indices whose "LETTER. text" or text the whole reply is, but for case and punctuation."""
    plain = unicodedata.normalize("NFKC", text).strip()
    lettered = _LETTERED.match(plain)
    index = LETTERS.index(lettered[1].upper()) if lettered else len(options)
    if lettered and index < len(options) and same_text(plain[lettered.end() :], [options[index]]):
        return [index]
    bare_letter = [index] if re.fullmatch(r"\W{0,12}[A-Za-z]\W{0,12}", plain) else []
    same = same_text(text, options)
    if _MARKED.match(plain) and not bare_letter:
        same = [i for i in same if options[i].strip() == text.strip()]
    return sorted({*same, *bare_letter}) if same else []


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


def _committed(text: str, options: Sequence[str], *, many: bool) -> Named | None:
    """What a final statement names, else what whole lines and sentences of the reply name."""
    final = final_statement(text)
    lines = _lines(text)
    named = _statement(final, options, many=many) if final is not None else None
    if named and not many and lines:
        return named | Named(frozenset(alone(lines[0], len(options))))
    return named or _block(lines, options) or _stated(text, options, many=many)


def _statement(final: str, options: Sequence[str], *, many: bool) -> Named | None:
    lines = _lines(final)
    if not lines:
        return None
    sentence = re.split(r"[.!?](?:\s|$)", lines[0])[0]
    block = _block(lines if many else lines[:1], options)
    return block or _mentioned(sentence, options, many=many)


def _block(lines: Sequence[str], options: Sequence[str]) -> Named | None:
    """What the leading lines name that each begin with a letter or are an option's text."""
    found: list[tuple[str, Named]] = []
    for line in lines:
        named = head_of(line, options) or _text_line(line, options)
        if named is None:
            break
        found.append((line, named))
    return _union(found, options)


def _stated(text: str, options: Sequence[str], *, many: bool) -> Named | None:
    """What any line names by its first letter, or any sentence by being just an option's text."""
    pieces = re.split(r"[.!?;:]+(?=\s|$)|\n", text)
    opening = re.match(r"(?i)(yes|no)(?=,|\s+[-–—])", text)
    pieces += [opening[0]] if opening else []
    found = [(line, named) for line in _lines(text) if (named := head_of(line, options))]
    found += [(piece, named) for piece in pieces if (named := _text_line(piece, options))]
    named = _union(found, options)
    if named and many and texts_in(text, options) - named.indices:
        return Named(named.indices, "names further options in passing")
    return named


def _mentioned(text: str, options: Sequence[str], *, many: bool) -> Named | None:
    """What letters, else texts, inside the sentences name."""
    letters = {i for i, _ in letters_of(text)}
    texts = texts_in(text, options)
    if many and not letters and not texts and _ALL.search(text):
        return Named(frozenset(range(len(options))))
    if letters and texts and not texts & letters:
        return Named(frozenset(letters | texts), "a letter and a text name different options")
    named = frozenset(letters or texts)
    problem = _scattered(text, options, named) if many and len(named) > 1 else ""
    if letters and many and texts - letters:
        problem = "letters and texts name different options"
    return Named(named, problem) if named else None


_ALL = re.compile(
    r"(?<!not )\ball (?:of )?(?:the |these )?(?:above|(?:two |three |four |five )?options|them)\b",
    re.I,
)
_DENIES = re.compile(r"\b(?:no|not|incorrect|false|wrong)\b|n't\b|[✗❌×]", re.IGNORECASE)


def _scattered(text: str, options: Sequence[str], named: frozenset[int]) -> str:
    for sentence in re.split(r"[.!?](?:\s|$)|\n", text):
        if named in ({i for i, _ in letters_of(sentence)}, texts_in(sentence, options)):
            either = re.search(r"\bor\b|或", sentence, re.IGNORECASE)
            return "names alternatives and does not decide" if either else ""
    return "names options in several sentences and does not sum up"


def _text_line(line: str, options: Sequence[str]) -> Named | None:
    bare = re.sub(r"^\W{0,12}(?:\d+[.)]\s+)?", "", line)
    same = same_text(line, options) or same_text(bare, options)
    return Named(frozenset(same)) if same else None


def _union(found: Sequence[tuple[str, Named]], options: Sequence[str]) -> Named | None:
    """All that these lines name; a problem where one of several denies the option it names."""
    total = Named()
    for line, named in found:
        own = " ".join(options[i] for i in named.indices if i < len(options))
        denies = len(found) > 1 and len(_DENIES.findall(line)) > len(_DENIES.findall(own))
        total = total | named | Named(problem="goes through the options" if denies else "")
    return total if found else None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


# --- true or false ------------------------------------------------------------------------------

_FIRST = re.compile(
    r"\W{0,12}(?:(true|yes|correct|right|t|y|是的?|对|正确)|(false|no|incorrect|wrong|untrue|f|n|否|不是|错误?|不正确))"
    r"(?!\s*(?:or|and|/|\|)\s*(?:false|true|no|yes)|\w|')(?=\W*$|\s*[^\w\s]|\s*\n"
    r"|\s+(?:it|the|this|that|there|because|since|as|in|not|i)\b)",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"((?:\bpart\w*|\bmostly|\bhalf|\bsometimes|\bsomewhat)\s+)?"
    r"((?:\bnot|n't|\bnever|\bcannot be|\bneither|\bnor)(?:\s+\w+){0,2}\s+)?"
    r"(?:\b(?:(?:true|(?P<loose>correct|accurate))|(?P<no>false|(?P<loose_no>incorrect|inaccurate"
    r"|untrue|wrong)))\b(?!\s+that\b)|(?P<cn>不正确|错误)|正确)",
    re.IGNORECASE,
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
    text = clean(strip_reasoning(reply).answer)
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
    for piece in re.split(r"[.!?\n]+", text):
        whole = _FIRST.fullmatch(piece.strip())
        found |= {whole[1] is not None} if whole else set()
    for verdict in _VERDICT.finditer(text, first.end() if first else 0):
        clause = re.split(r"[.!?\n]", text[: verdict.start()])[-1]
        loose = first or verdict["loose"] or verdict["loose_no"]
        if loose and not _ABOUT.search(clause):
            continue
        affirmed = not (verdict["no"] or verdict["cn"])
        hedged = verdict[1] or (verdict[2] and not affirmed)
        found |= {True, False} if hedged else {affirmed and not verdict[2]}
    return found


# --- a judge's score ----------------------------------------------------------------------------

_NUMBER = (
    r"(?<![\d.])(-?\d{1,6}(?:\.\d{1,6})?)(?:\s*(?:/|out of|of)\s*(\d{1,6}(?:\.\d{1,6})?))?"
    r"(?!\.?\d|\s{0,3}[-–]\s{0,3}\d)"
)
_LABELLED = re.compile(
    r"(final |overall |total )?\b(?:score|rating|verdict|grade|points?)\b[\"']?(?:\s*\([^)]*\))?"
    r"(?:\s+for\s[^.:\n\d]{0,40}?)?"
    rf"\s*(?:is|of|would be|should be|[:=>])?\s*:?\s*[\[(\"']*{_NUMBER}",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"[\s\[({{\"']*{_NUMBER}(?:\s*points?)?(?:[\s\])}}.\"']*|\s*[:–—-]\s+[^\d\s].*)", re.IGNORECASE
)
_POINTS = re.compile(
    r"\b(?:give|assign|award|score|rate)\b(?:\s+[a-z]+){0,5}?\s+"
    rf"{_NUMBER}|{_NUMBER}\s+points?\b",
    re.IGNORECASE,
)


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
    found = _scores(text)
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


def _scores(text: str) -> set[tuple[str, str]]:
    """The different scores that a text gives, each with what it is out of ("" if unsaid)."""
    boxed = final_statement(text)
    bare = [m for part in (text, boxed or "", *_lines(text)[:1], *_lines(text)[-1:])
            if (m := _BARE.fullmatch(part))]  # fmt: skip
    labelled = list(_LABELLED.finditer(text))
    final = [m for m in labelled if m[1]]
    if labelled:
        return {(m[2], m[3] or "") for m in (final[-1:] or labelled)}
    if bare:
        return {(m[1], m[2] or "") for m in bare}
    return {(m[1] or m[3], m[2] or m[4] or "") for m in _POINTS.finditer(text)}
