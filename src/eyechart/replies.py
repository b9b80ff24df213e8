"""What the words of a model's reply name: letters, options' texts, a final statement, a refusal.

Enters: the text of a reply and the texts of the options. Leaves: plain text, and sets of indices of
options. Decides nothing about right or wrong; `eyechart.parse` turns this into an answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "。": ". ", "、": ",", "【": "[",
                        "】": "]", "*": "", "`": "", "$": "", "#": ""})  # fmt: skip
_LONGEST = 20_000
_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_TOKEN = re.compile(r"<\|(?!begin_of_box|end_of_box)[^<>|]*\|>|</?s>")


def clean(text: str) -> str:
    r"""The text without markdown, LaTeX wrapping, special tokens and full-width forms.

    Of a text beyond 20,000 characters (a model that repeats itself) only both ends are kept.

    >>> clean("**（Ｂ）**"), clean(r"$\\text{B}$<|im_end|>")
    ('(B)', '\\B')
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 4]}\n{text[-_LONGEST * 3 // 4 :]}"
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    return _TOKEN.sub("\n", _WRAPPED.sub(r"\1", text)).strip()


# --- the final statement ------------------------------------------------------------------------

_BOX = re.compile(
    r"\\boxed\s*\{([^{}]*)\}|<answer>([^<]*)(?:</answer>|\Z)|<\|begin_of_box\|>([^<]*)", re.I
)
_MARKER = re.compile(
    r"""(?<!\bif\ )(?<!\bif\ the\ )(?<!whether\ )(?<!whether\ the\ )
    \b(?:answers?|(?:correct|right|best|final|chosen|my)\ (?:option|choice|letter|statement)s?)
    ["']?(?:\ (?:to|for|of|here)\b[^.:\n]{0,60}?)?
    \s*(?:\b(?:is|are|would\ be|should\ be|must\ be)\b\s*:?|[:=])\s*
    |\bI(?:'d|'ll|\ would|\ will)?\ (?:choose|pick|select|go\ with|say)\b\s*:?\s*
    |答案\s*(?:应该)?\s*[是为选:=]+\s*|(?:选择|应选|故选|选项|选)\s*[是为:]?\s*(?=[(\[]?[A-Za-z](?![a-z]))""",
    re.I | re.X,
)


def final_statement(text: str) -> str | None:
    r"""What follows the last "the answer is", or stands in the last box or answer tag.

    None where the (cleaned) text has neither.

    >>> final_statement("A is too dark. Answer: C"), final_statement(r"so \boxed{B}.")
    ('C', 'B')
    """
    boxes = list(_BOX.finditer(text))
    markers = list(_MARKER.finditer(text))
    if boxes and (not markers or boxes[-1].end() > markers[-1].end()):
        return next(group for group in boxes[-1].groups() if group is not None)
    return text[markers[-1].end() :] if markers else None


# --- refusals -----------------------------------------------------------------------------------

_CANNOT = (
    r"(?:can'?t|cannot|can\snot|couldn't|could\snot|(?:am|'m)\s(?:unable|not\sable)\sto|won't|will\snot"
    r"|do(?:n't|\snot)\shave\sthe\sability\sto)"
)
_REFUSAL = re.compile(
    rf"""\bI\b[^.\n]{{0,40}}?{_CANNOT}\s(?:really\s|directly\s|actually\s)?(?:
      (?:see|view|access|open|process|analy[sz]e|look\sat|interpret|perceive)
        \s(?:or\s\w+\s)?(?:(?:the|this|that|your|any|an|these)\s)?
        (?:\w+\s)?(?:images?|pictures?|photos?|photographs?|visual|files?|attachments?)
      |help|assist|comply|answer|fulfil|engage|respond|provide
      |(?:determine|tell|say|judge|assess|evaluate|identify|make)
        \s(?:if|whether|which|what|how|the|this|that|your|an?)\b)
    |\b(?:no|without\san?)\s(?:image|picture|photo)\s(?:was\s|is\s|has\sbeen\s)?
      (?:provided|attached|uploaded|visible|included|shared)
    |\bplease\s(?:provide|upload|share|attach)\s(?:the|an|your|a)\s(?:image|picture|photo)
    |\bI(?:'m|\sam)\ssorry,?\sbut\s(?:I|as)\b|\bas\san\sAI\b[^.\n]{{0,60}}?{_CANNOT}
    |抱歉|无法(?:查看|看到|判断|回答|确定|提供)|不能(?:回答|提供)""",
    re.I | re.X,
)


def refusal(text: str) -> str:
    """The words with which the (cleaned) text declines to answer, "" where it does not.

    >>> refusal("I'm sorry, but I can't help with that."), refusal("I can't see any blur.")
    ("I'm sorry, but I can't help", '')
    """
    found = _REFUSAL.search(text)
    return found[0] if found else ""


# --- letters ------------------------------------------------------------------------------------

_ONE = r"[(\[{<\"']{0,4}([A-Za-z])(?![A-Za-z]|'[a-z])[)\]}>\"']{0,4}"
_JOIN = r"\s*(?:,\s*and\b|,\s*or\b|[,;/&+|]|\band\b|\bor\b|和|或|与|(?<=[)\]])(?=[(\[]))\s*"
_ALONE = re.compile(rf"\W{{0,12}}{_ONE}(?:(?:{_JOIN}|\s+){_ONE}){{0,25}}\W{{0,12}}", re.I)
_COMPACT = re.compile(r"\W{0,12}([A-Z]{2,8}|[a-z]{2,8})\W{0,12}")
_HEAD = re.compile(
    r"\W{0,12}(?:\d+[.)]\s+)?"
    r"(?:(?:both\b|(?:the )?(?:options?|choices?|letters?|answers?)\b|选项)\s*){0,3}"
    rf"(?P<run>{_ONE}(?:{_JOIN}{_ONE}){{0,25}})"
    r"(?:(?<=[)\]])|[)\].:](?!\w\.)|\s*$|\s+[-–—]+\s"
    r"|\s+(?:is|are|because|since|only)\b(?! (?:not|wrong|incorrect|false))"
    r"|,\s+(?:because|since|as|which|it|this|the)\b)\s*",
    re.I,
)
_AGAIN = re.compile(r"(?:[.,;/&]|\band\b)\s*[(\[]?([A-Z])[)\].:]+\s*")
_EDGE = r"(?<![A-Za-z0-9_.\-])(?<!\w')"
_MENTION = re.compile(
    r"(?<!\w)[(\[]([A-Za-z])[)\]]"
    r"|(?:\b(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?|[Ll]etters?)\b|选项|选)\s*([A-Z]|a(?!\s+\w)|[b-z])(?![\w'])"
    rf"|{_EDGE}([B-HJ-Z])(?![A-Za-z0-9_\-]|'\w|\.\w|/\d)"
    rf"|{_EDGE}(A)(?![A-Za-z0-9_\-]|'\w)"
    r"(?!\s+(?!(?:is|are|or|and|because|since|but|only)\b)\w)"
)
_LETTER_NOT = re.compile(
    r"(?:\bnot(?! only)|n't|\bneither|\bnor|\brather than|\binstead of|\bexcept|\bthan"
    r"|\brul\w+ out|\beliminat\w+|\bexclud\w+|\bunlike)"
    r"(?:\s+(?!but\b|so\b|because\b|therefore\b|thus\b)[\w']+){0,3}\s*[(\[\"']*$",
    re.I,
)
_LETTER_WRONG = re.compile(
    r"[)\]\"']*\s*(?:(?:is|are|was|would be|seems?|looks?)\s*(?:not|n't|incorrect|wrong|false)"
    r"|isn't|aren't|[✗❌×])",
    re.I,
)


def alone(text: str, n_options: int) -> list[int]:
    """Indices where the whole text is nothing but letters ("B", "(a)", "A, C", "AC"), else [].

    >>> alone("(c).", 4), alone("A and C", 4), alone("AC", 4), alone("A photo", 4)
    ([2], [0, 2], [0, 2], [])
    """
    if _ALONE.fullmatch(text):
        return _indices(re.sub(r"(?i)\b(?:and|or)\b", " ", text))
    compact = _COMPACT.fullmatch(text)
    letters = _indices(compact[1]) if compact else []
    fits = len(set(letters)) == len(letters) and all(index < n_options for index in letters)
    return letters if fits else []


def letters_of(text: str) -> Iterator[tuple[int, int]]:
    """Index and position of every letter that the text names and does not deny.

    The article in "A blurry photo" and the pronoun in "I think" are not letters.

    >>> list(letters_of("A blurry photo, so I think it is not A but C."))
    [(2, 43)]
    """
    for found in _MENTION.finditer(text):
        letter = next(group for group in found.groups() if group)
        clause = re.split(r"[.,;:!?\n]", text[max(0, found.start() - 80) : found.start()])[-1]
        denied = _LETTER_NOT.search(clause) or _LETTER_WRONG.match(text, found.end())
        if not denied:
            yield LETTERS.index(letter.upper()), found.start()


def _indices(text: str) -> list[int]:
    return [LETTERS.index(letter) for letter in text.upper() if letter in LETTERS]


# --- texts --------------------------------------------------------------------------------------

_WORD = re.compile(
    r"[\u3040-\u9fff]|(?<!\w)[+-]?\d+(?:\.\d+)?|[^\W_\u3040-\u9fff]+(?:'[^\W_]+)?|[.,;:!?\n]"
)
_ARTICLES = frozenset({"a", "an", "the"})
_BREAKS = frozenset({".", ",", ";", ":", "!", "?", "\n", "but", "so", "because", "therefore"})
_DENIALS = frozenset(
    [
        *("not", "no", "cannot", "never", "neither", "nor", "without", "hardly", "rather"),
        *("instead", "than", "lacks", "lacking", "free", "less", "fewer", "absence", "except"),
        *("unlike", "whether"),
    ]
)
_NEGATED = frozenset({"isn't", "aren't", "doesn't", "don't", "wasn't", "can't"})
_COPULAS = frozenset({"is", "are", "was", "were", "does", "do", "seems", "looks", "can"})
_DEGREES = frozenset(
    [
        *("slightly", "somewhat", "bit", "quite", "rather", "very", "extremely", "fairly"),
        *("mildly", "moderately", "severely", "too"),
    ]
)
_AFTER = frozenset({"not", "absent", "incorrect", "wrong", "unlikely", "false"})


@dataclass(frozen=True, slots=True)
class _Words:
    words: list[str]
    clauses: list[int]


def words_of(text: str) -> tuple[str, ...]:
    """The text's words for comparing: no case, punctuation or articles (unless that is all).

    >>> words_of("A little blurry."), words_of("The")
    (('little', 'blurry'), ('the',))
    """
    words = _split(text).words
    return tuple(word for word in words if word not in _ARTICLES) or tuple(words)


def _split(text: str) -> _Words:
    words: list[str] = []
    clauses: list[int] = []
    clause = 0
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).replace("’", "'").casefold()):
        clause += word in _BREAKS
        if word[0] not in ".,;:!?\n":
            words.append(word)
            clauses.append(clause)
    return _Words(words, clauses)


def same_text(text: str, options: Sequence[str]) -> list[int]:
    """Indices of the options whose text this is; exactly so if any is, else but for punctuation.

    >>> same_text("high.", ["High", "Low"]), same_text("+", ["+", "-"])
    ([0], [0])
    """
    exact = [i for i, option in enumerate(options) if option.strip() == text.strip()]
    words = words_of(text)
    return exact or [i for i, option in enumerate(options) if words and words_of(option) == words]


def texts_in(text: str, options: Sequence[str]) -> set[int]:
    """Indices of the options whose text occurs as whole words and is not denied.

    A longer text hides those inside it: "slightly blurry" does not name "blurry".

    >>> texts_in("It is slightly blurry, not sharp", ["Blurry", "Slightly blurry", "Sharp"])
    {1}
    """
    reply = _split(text)
    kept = [i for i, word in enumerate(reply.words) if word not in _ARTICLES]
    reply = _Words([reply.words[i] for i in kept], [reply.clauses[i] for i in kept])
    wanted = [list(words_of(option)) for option in options]
    spans = [
        (start, start + len(want), i)
        for i, want in enumerate(wanted)
        for start in _occurrences(reply.words, want)
    ]
    return {
        i
        for start, end, i in _outermost(spans)
        if not _denied(reply, start, end)
        and not (start and reply.words[start - 1] in _DEGREES and _graded(options[i], options))
    }


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


def _occurrences(words: list[str], want: list[str]) -> Iterator[int]:
    for start in range(len(words) - len(want) + 1):
        if want and words[start] == want[0] and words[start : start + len(want)] == want:
            yield start


def _graded(option: str, options: Sequence[str]) -> bool:
    """Whether another option's text holds this one, so that "slightly …" may mean either."""
    words = set(words_of(option))
    return any(words < set(words_of(other)) for other in options)


def _denied(reply: _Words, start: int, end: int) -> bool:
    clause = reply.clauses[start]
    before = [reply.words[i] for i in range(max(0, start - 4), start) if reply.clauses[i] == clause]
    last = reply.clauses[end - 1]
    rest = zip(reply.words[end : end + 30], reply.clauses[end : end + 30], strict=True)
    after = [word for word, c in rest if c == last]
    return any(word in _DENIALS or word.endswith("n't") for word in before) or any(
        word in _NEGATED or (word in _COPULAS and _AFTER.intersection(after[i + 1 : i + 3]))
        for i, word in enumerate(after)
    )


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
    if not found:
        return None
    named = frozenset(_indices(re.sub(r"(?i)\b(?:and|or)\b", " ", found["run"])))
    rest = line[found.end() :]
    begins = leading_texts(rest, options)
    if len(named) == 1 and begins and not begins & named:
        letter = LETTERS[min(named)]
        return Named(named, f"letter {letter} and the text beside it name different options")
    if begins & named and not named & texts_in(rest, options):
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
