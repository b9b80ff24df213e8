"""Which options the words of a reply name: letters, options' texts, the head of a line.

Enters: plain text and the texts of the options. Leaves: indices of options (0-based). Decides
nothing about right or wrong; `eyechart.parse` turns this into an answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eyechart.records import LETTERS

# --- what a text mentions -----------------------------------------------------------------------

_ONE = r"[(\[{<\"']{0,4}([A-Za-z])(?![A-Za-z]|'[a-z])[)\]}>\"']{0,4}"
_JOIN = r"\s*(?:,\s*and\b|,\s*or\b|[,;/&+|]|\band\b|\bor\b|和|或|与|(?<=[)\]])(?=[(\[]))\s*"
_ALONE = re.compile(rf"\W{{0,12}}{_ONE}(?:(?:{_JOIN}|\s+){_ONE}){{0,25}}\W{{0,12}}", re.I)
_COMPACT = re.compile(r"\W{0,12}([A-Z]{2,8})\W{0,12}")
_HEAD = re.compile(
    r"\W{0,12}(?:\d+[.)]\s+)?"
    r"(?:(?:both\b|(?:the )?(?:options?|choices?|letters?|answers?)\b|选项)\s*){0,3}"
    rf"(?P<run>{_ONE}(?:{_JOIN}{_ONE}){{0,25}})"
    r"(?:(?<=[)\]])|[)\].:](?!\w\.)|\s*$|\s+[-–—]+\s"
    r"|\s+(?:is|are|because|since|only)\b(?! (?:not|wrong|incorrect|false))"
    r"|,\s+(?:because|since|as|which|it|this|the)\b)\s*",
    re.I,
)
_STATUS = re.compile(
    r"[:(\-–—]\s*(?:no|not|none|absent|false|incorrect|wrong|[✗✘❌×])"
    r"(?:\s+(?:present|visible|applicable|correct|really))?(?=\s*(?:\Z|[).,;]))",
    re.I,
)
_AGAIN = re.compile(r"(?:[.,;/&]|\band\b)\s*[(\[]?([A-Z])[)\].:]+\s*")
_EDGE = r"(?<![A-Za-z0-9_.\-])(?<!\w')"
_MENTION = re.compile(
    r"(?<!\w)[(\[]([A-Za-z])[)\]]"
    r"|(?:\b(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?|[Ll]etters?)\b|选项|选)\s*([A-Z]|a(?!\s+\w)"
    r"|[b-z])(?![\w'])"
    rf"|{_EDGE}([B-HJ-Z])(?![A-Za-z0-9_\-]|'\w|\.\w|/\d)"
    rf"|{_EDGE}(A)(?![A-Za-z0-9_\-]|'\w)"
    r"(?!\s+(?!(?:is|are|or|and|because|since|but|only)\b)\w)"
)
_BEFORE = re.compile(
    r"""(?:\b(?:not(?!\ only)|no|cannot|never|neither|nor|nobody|without|hardly|lacks|lacking|unlike
      |free\ of|less|fewer|absence|(?<!more\ )than|instead\ of|except|whether|wrong|incorrect
      |unlikely|mistake|opposite|(?<!at\ )least|(?<!no\ )doubt|(?:apart|aside)\ from
      |(?:(?:any|every)thing|all|any)\ but|rul\w+\ out|eliminat\w+|exclud\w+)|n't)
      (?:\s+(?!(?:but|so|because|therefore|thus|and\ (?:is|has|shows|it|there))\b)[\w'-]+){0,5}
      [\s(\[\"']*\Z
    |(?:n't|\bnot)\ (?:think|believe|say|agree)\b(?:(?!\ but\ ).)*\Z
    |(?:不会?是|不选|不应选|并非|[不别]|排除|没有|不存在)[^\w]*\Z""",
    re.I | re.X,
)
_AFTER = re.compile(
    r"""-free\b
    |(?:[)\]\"'.:]*
      |(?:\ (?!(?:so|but|because|since|as|therefore|thus|while|though)\b)[\w'-]+){1,8}?)
     \s*(?:\b(?:is|are|was|were|do|does|seems?|looks?|can|may|would)(?:\ be)?\ (?:\w+ly\ )?
       (?:not|absent|incorrect|wrong|false|(?:less\ |un)likely|out|impossible|hardly|rul\w+\ out
         |eliminat\w+|exclud\w+|dismissed|negligible|minimal|the\ (?:wrong|least|incorrect))\b
       |\b(?:is|are|does|do|was|ca)n't\b|\bcannot\b|[✗✘❌×])
    |[:.)]+\s*(?:no|not|absent|false|incorrect|wrong)(?=\W*\Z|[.;\n]|,\s*[(\[]?[A-Z]\b)
    |\s*(?:不对|不正确|不是|不符|错)""",
    re.I | re.X,
)
_LEADS = re.compile(
    r"""(?:\A|\n|[^\w\s'\-]|'s|[\u3040-\u9fff]
    |\b(?:is|are|be|was|as|or|and|but|not|nor|neither|either|between|both|only|just|than|of|so|to
      |for|with|say|choose|pick|select|think|guess|chose|except|out|like|leaves|leaving|\w+ly
      |thus|hence|therefore|then|final|because|since|while|whereas))[ ]?\Z""",
    re.I | re.X,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a text names an option: by its letter, or else by the option's text.

    `passing`: the letter may be part of a name ("Plan B").
    """

    index: int
    start: int
    end: int
    letter: bool = False
    passing: bool = False


def mentions(text: str, options: Sequence[str]) -> list[Mention]:
    """What a (cleaned) text names and does not deny, by letters and whole texts.

    The article in "A blurry photo" and the pronoun in "I think" are not letters. A longer text
    hides those inside it: "slightly blurry" does not name "blurry". What is listed together is
    denied together.

    >>> [m.index for m in mentions("Slightly blurry, not sharp", ["Blurry", "Slightly blurry"])]
    [1]
    >>> [m.index for m in mentions("A blurry photo, so I think it is not A or B but C.", [])]
    [2]
    """
    runs: list[list[Mention]] = []
    for found in sorted([*_letters(text), *_texts(text, options)], key=lambda m: m.start):
        between = text[runs[-1][-1].end : found.start] if runs else "."
        pair = bool(runs) and runs[-1][-1].letter and not found.letter
        if re.fullmatch(rf"{_JOIN}|\s*|[\s.:–—-]{{0,4}}" if pair else rf"{_JOIN}|\s*", between):
            runs[-1].append(found)
        else:
            runs.append([found])
    return [found for run in runs if not _denied(text, run[0].start, run[-1].end) for found in run]


def _denied(text: str, start: int, end: int) -> bool:
    clause = re.split(r"[.,;:!?\n]", text[max(0, start - 80) : start])[-1]
    return bool(_BEFORE.search(clause) or _AFTER.match(text, end, end + 200))


def _letters(text: str) -> Iterator[Mention]:
    for found in _MENTION.finditer(text):
        before = text[max(0, found.start() - 24) : found.start()]
        index = LETTERS.index(next(group for group in found.groups() if group).upper())
        sure = found[1] or found[2] or _LEADS.search(before)
        yield Mention(index, found.start(), found.end(), letter=True, passing=not sure)


def _texts(text: str, options: Sequence[str]) -> Iterator[Mention]:
    found = [w for w in _WORD.finditer(text) if w[0].casefold() not in _ARTICLES]
    words = [word[0].casefold() for word in found]
    spans = [
        (start, start + len(want), i)
        for i, want in enumerate(list(words_of(option)) for option in options)
        for start in range(len(words) - len(want) + 1)
        if want and words[start] == want[0] and words[start : start + len(want)] == want
    ]
    for start, end, i in _outermost(spans):
        if not (start and _DEGREE.fullmatch(words[start - 1]) and _graded(options[i], options)):
            yield Mention(i, found[start].start(), found[end - 1].end())


def _graded(option: str, options: Sequence[str]) -> bool:
    """Whether another option's text holds this one, so that "slightly …" may mean either."""
    words = set(words_of(option))
    return any(words < set(words_of(other)) for other in options)


def _outermost(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The spans (start, end, option) that lie within no longer one."""
    ends: dict[int, int] = {}
    for start, end, _ in spans:
        ends[start] = max(end, ends.get(start, 0))
    longest = max((end - start for start, end, _ in spans), default=0)
    return [
        (start, end, i)
        for start, end, i in spans
        if all(
            ends.get(s, 0) < end or ends[s] - s <= end - start
            for s in range(max(0, end - longest), start + 1)
        )
    ]


def leading_texts(text: str, options: Sequence[str]) -> set[int]:
    """Indices of the options with whose text the given text begins; the longest only."""
    words = words_of(text[:400])
    lengths = {
        i: len(want)
        for i, option in enumerate(options)
        if (want := words_of(option)) and words[: len(want)] == want
    }
    return {i for i, length in lengths.items() if length == max(lengths.values())}


# --- letters and texts alone --------------------------------------------------------------------


def alone(text: str, n_options: int) -> list[int]:
    """Indices where the whole text is nothing but letters ("B", "(a)", "A, C", "AC"), else [].

    >>> alone("(c).", 4), alone("A and C", 4), alone("AC", 4), alone("A photo", 4)
    ([2], [0, 2], [0, 2], [])
    """
    if _ALONE.fullmatch(text):
        return _indices(re.sub(r"(?i)\b(?:and|or)\b", " ", text))
    compact = _COMPACT.fullmatch(text)
    letters = _indices(compact[1]) if compact else []
    return letters if letters == sorted({*letters}) and max(letters, default=0) < n_options else []


def _indices(text: str) -> list[int]:
    return [LETTERS.index(letter) for letter in text.upper() if letter in LETTERS]


_WORD = re.compile(r"[\u3040-\u9fff]|(?<!\w)[+-]?\d+(?:\.\d+)?|[^\W_\u3040-\u9fff]+(?:'[^\W_]+)?")
_ARTICLES = frozenset({"a", "an", "the"})
_DEGREE = re.compile(
    r"slightly|somewhat|bit|quite|rather|very|extremely|fairly|mildly|moderately|severely|too"
)


def words_of(text: str) -> tuple[str, ...]:
    """The text's words for comparing: no case, punctuation or articles (unless that is all).

    >>> words_of("A little blurry."), words_of("The")
    (('little', 'blurry'), ('the',))
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).replace("’", "'").casefold())
    return tuple(word for word in words if word not in _ARTICLES) or tuple(words)


def same_text(text: str, options: Sequence[str]) -> list[int]:
    """Indices of the options whose text this is; exactly so if any is, else but for punctuation.

    >>> same_text("high.", ["High", "Low"]), same_text("+", ["+", "-"])
    ([0], [0])
    """
    exact = [i for i, option in enumerate(options) if option.strip() == text.strip()]
    words = words_of(text)
    return exact or [i for i, option in enumerate(options) if words and words_of(option) == words]


_LETTERED = re.compile(r"\W{0,12}([A-Za-z])(?![A-Za-z'])[)\]}>.:,*_\"'\s]*")

_MARKED = re.compile(r"\W{0,12}[(\[][A-Za-z][)\]]|\W{0,12}[A-Za-z][)\].:]")


def verbatim(text: str, options: Sequence[str]) -> list[int]:
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


# --- the head of a statement --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """Indices of the options named (0-based; may go beyond the last option).

    `problem`: why they cannot be taken as they stand, "" where they can.
    """

    indices: frozenset[int] = frozenset()
    problem: str = ""

    def __or__(self, other: Named) -> Named:
        return Named(self.indices | other.indices, self.problem or other.problem)


def head_of(line: str, options: Sequence[str]) -> Named | None:
    """The letters that a line begins with ("B. Blur", "A, C", "(b) …"), None where it does not.

    >>> head_of("B. A little blurry", ["Sharp", "A little blurry"]).indices
    frozenset({1})
    """
    bare = alone(line, len(options))
    if bare:
        return _undecided(Named(frozenset(bare)), line)
    found = _HEAD.match(line)
    if not found or _AFTER.match(line, found.end("run")):
        return None
    named = frozenset(_indices(re.sub(r"(?i)\b(?:and|or)\b", " ", found["run"])))
    rest = line[found.end() :]
    begins = leading_texts(rest, options)
    if len(named) == 1 and begins and not begins & named:
        letter = LETTERS[min(named)]
        return Named(named, f"letter {letter} and the text beside it name different options")
    if begins & named and (
        _STATUS.search(rest) or not named & {m.index for m in mentions(rest, options)}
    ):
        return Named(named, f"denies {LETTERS[min(named)]}, the option it begins with")
    more = {
        LETTERS.index(again[1])
        for again in _AGAIN.finditer(rest)
        if LETTERS.index(again[1]) in leading_texts(rest[again.end() :], options)
    }
    return _undecided(Named(named | more), found["run"])


def _undecided(named: Named, text: str) -> Named:
    either = len(named.indices) > 1 and re.search(r"\bor\b|或", text, re.I)
    return Named(named.indices, "names alternatives and does not decide" if either else "")


def text_line(line: str, options: Sequence[str]) -> Named | None:
    """The options whose text a line is, but for a bullet or number before it; None where none is.

    >>> text_line("1. blur", ["Blur", "Noise"]).indices
    frozenset({0})
    """
    bare = re.sub(r"^\W{0,12}(?:\d+[.)]\s+)?", "", line)
    same = same_text(line, options) or same_text(bare, options)
    return Named(frozenset(same)) if same else None


# --- what cannot be taken as it stands -----------------------------------------------------------

_PUZZLES = {
    "names exceptions": re.compile(
        r"\b(?:all|any|every|anything|everything)(?: (?:of|the|these|options?|above|them|is|are"
        r"|right"
        r"|correct|present|visible|\w+ly)){0,6},? (?:but|except|other than|(?:apart|aside) from"
        r"|save)\b",
        re.I,
    ),
    "names a range of options": re.compile(
        r"(?<![\w'])[A-Z][)\]]? ?(?:through|thru|to|[-–—~]) ?[(\[]?[A-Z](?![\w'])"
    ),
    "goes through the options": re.compile(
        r"(?<![\w'])A[)\]]? ?[:=][^\n]{0,80}(?<![\w'])B[)\]]? ?[:=]"
    ),
    "repeats the options": re.compile(
        r"(?:\A|\n)\W{0,12}(?:the )?(?:options|choices)\s?:\s?\W{0,6}A[.):]", re.I
    ),
}
_TURN = re.compile(
    r"[^\w\s]\s*(?:but |oh,? |hmm,? |or )?(?:no(?=[,.:!…]| -)|wait|actually|correction|sorry|rather"
    r"|scratch that|on second thought|on reflection|i mean|my mistake)\b|\n(?:wait|actually|no,)",
    re.I,
)


def puzzle(text: str, named: Named, options: Sequence[str]) -> str:
    """Why what a text names cannot be taken for its answer, "" where it can.

    >>> puzzle("All but C", Named(frozenset({2})), ["Blur", "Noise", "Haze"])
    'names exceptions'
    >>> puzzle("A. No, it is B.", Named(frozenset({0})), ["Blur", "Noise"])
    'changes its answer'
    """
    for problem, pattern in _PUZZLES.items():
        if pattern.search(text):
            return problem
    for turn in list(_TURN.finditer(text))[:50]:
        later = text[turn.end() : turn.end() + 300].split("\n")[0]
        if {m.index for m in mentions(later, options)} - named.indices:
            return "changes its answer"
    return ""
