"""From a model's reply to plain text: without thinking, markdown, questions; its final statement.

Enters: the text of a reply. Leaves: text, or a piece of it. Knows nothing of the options.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# --- thinking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stripped:
    """A reply in its two parts: `answer` is "" where the reasoning was cut off before it."""

    answer: str
    reasoning: str


_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>|◁(/?)think▷|\[(/?)THINK\]", re.I)


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
            reasoning += [*answer, piece]
            answer = []
        else:
            (reasoning if inside else answer).append(piece)
        inside = not closes
    (reasoning if inside else answer).append(text[at:])
    return Stripped("".join(answer).strip(), "".join(reasoning).strip())


# --- plain text ---------------------------------------------------------------------------------

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
    text = _ends(unicodedata.normalize("NFKC", _ends(text))).translate(_PLAIN)
    text = _TOKEN.sub("\n", _WRAPPED.sub(r"\1", text))
    return re.sub(r" ?\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()


def _ends(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 4]}\n{text[-_LONGEST * 3 // 4 :]}"


_SUPPOSES = re.compile(r"\bif\b(?! (?:I|you|we) (?:had|have|must)\b| (?:forced|pressed)\b)", re.I)
_WOULD = re.compile(r"\b(?:would|could|might)\b|'d\b", re.I)


def told(text: str) -> str:
    """The sentences of a (cleaned) text that state something: no question, no "it would be ... if".

    >>> told("Is it B? No. It would be C if there were blocks."), told("B?")
    ('No. ', 'B?')
    """
    pieces = re.split(r"((?<=[.!?])\s+|\n)", text)
    kept = [
        sentence + end
        for sentence, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True)
        if not sentence.rstrip("\"') ").endswith("?")
        and not (_SUPPOSES.search(sentence) and _WOULD.search(sentence))
    ]
    return "".join(kept) or (text if len(text.split()) == 1 else "")


# --- the final statement ------------------------------------------------------------------------

_BOX = re.compile(
    r"\\boxed\s*\{([^{}]*)\}|<answer>([^<]*)(?:</answer>|\Z)|<\|begin_of_box\|>([^<]*)", re.I
)
_MARKER = re.compile(
    r"""\b(?:answers?|(?:correct|right|best|final|chosen|my)\ (?:option|choice|letter|statement)s?)
    ["']?(?:\ (?:to|for|of|here)\b[^.:\n]{0,60}?)?
    \s*(?:\b(?:is|are|would\ be|should\ be|must\ be)\b\s*:?|[:=])\s*
    |\bI(?:'d|'ll|\ would|\ will)?\ (?:choose|pick|select|go\ with|say)\b\s*:?\s*
    |答案\s*(?:应该)?\s*[是为选:=]+\s*|(?:选择|应选|故选|选项|选)\s*[是为:]?\s*(?=[(\[]?[A-Za-z](?![a-z]))""",
    re.I | re.X,
)


_NO_MARKER = re.compile(
    r"(?:\b(?:wrong|incorrect|least|worst|not|never|whether|if|doubt|unlikely|cannot)|n't)"
    r"(?:\s+(?!so\b|but\b|because\b|therefore\b|thus\b)\w+){0,2}\s*\Z|[不非别]\Z",
    re.I,
)


def final_statement(text: str) -> str | None:
    r"""What follows the last "the answer is", or stands in the boxes or answer tags.

    What follows the last box comes after it on a line of its own. None where the (cleaned) text has
    neither. "The wrong answer is" and "I don't think the answer is" state no answer.

    >>> final_statement("A is too dark. Answer: C"), final_statement(r"so \boxed{B}.")
    ('C', 'B\n.')
    """
    boxes = list(_BOX.finditer(text))
    ends = [
        found.end()
        for found in _MARKER.finditer(text)
        if not _NO_MARKER.search(text[max(0, found.start() - 60) : found.start()])
    ]
    if boxes and (not ends or boxes[-1].end() > ends[-1]):
        held = dict.fromkeys(next(g for g in box.groups() if g is not None) for box in boxes)
        return f"{', '.join(inside.strip() for inside in held)}\n{text[boxes[-1].end() :]}"
    return text[ends[-1] :] if ends else None


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
