"""From wanted words and texts to tokens, as the tokenizer splits them after a prompt.

In: a prompt's text and tokens, and what is wanted after it. Out: the tokens of each word or text;
or `Refused`, which names the word that is not one token. Computes no model.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Any

from eyechart.errors import Refused
from eyechart.local.pieces import Ids
from eyechart.records import Want

MOST_KEPT = 1024
NEAR = 1000
"""Characters at the end of a prompt in which an added token is looked for first."""


class Targets:
    """The tokens of wanted words and texts.

    What follows a begun answer that does not end in white space follows it after a blank; else it
    stands at once where the answer begins. Blanks around a wanted word or text count for nothing.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        added = sorted((t.content for t in tokenizer.added_tokens_decoder.values()), key=len)
        self._added = re.compile("|".join(re.escape(t) for t in reversed(added) if t) or "(?!)")
        self._kept: OrderedDict[tuple[str, bool, Want], tuple[Ids, ...]] = OrderedDict()

    def after(self, text: str, ids: Ids, begun: str, want: Want) -> tuple[Ids, ...]:
        """The tokens of each wanted word (one each) or text; () where a text is to be written.

        `text`, `ids`: the prompt; of its text what follows the last picture may be given alone.
        Raises Refused for a word that its first token does not tell from the others, and for one
        without any token.
        """
        if want.name == "text":
            return ()
        tail = text[self._last_added(text) :]
        own = tuple(self._encoded(tail))
        if not own or ids[-len(own) :] != own:
            tail = text  # the tokenizer joins what precedes to it: read it all
        blank = bool(begun) and not begun[-1].isspace()
        key = (tail, blank, want)
        if key not in self._kept:
            self._kept[key] = self._targets(tail, " " if blank else "", want)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _targets(self, tail: str, blank: str, want: Want) -> tuple[Ids, ...]:
        wanted = [word.strip() for word in want.words]
        found = tuple(self._following(tail, blank + word) for word in wanted)
        for word, ids in zip(wanted, found, strict=True):
            if not word or not ids:
                raise Refused(
                    f"the wanted word or text {word!r} has no token, so it has no probability; "
                    "want one with letters"
                )
        if want.name == "likelihood":
            return found
        self._check_told_apart(wanted, found)
        return tuple(ids[:1] for ids in found)

    def _following(self, tail: str, addition: str) -> Ids:
        """The tokens that a text adds to what precedes it, which keep theirs."""
        for before in (tail, "\n"):  # after a line's end no tokenizer adds a blank of its own
            kept, both = self._encoded(before), self._encoded(before + addition)
            if both[: len(kept)] == kept:
                return tuple(both[len(kept) :])
        return tuple(self._encoded(addition))

    def _check_told_apart(self, words: Sequence[str], found: Sequence[Ids]) -> None:
        n_words = Counter(ids[0] for _, ids in dict(zip(words, found, strict=True)).items())
        for word, ids in zip(words, found, strict=True):
            if len(ids) > 1 and n_words[ids[0]] > 1:
                pieces = " + ".join(repr(self._tokenizer.decode([token])) for token in ids)
                raise Refused(
                    f"the tokenizer splits {word!r} ({pieces}), and another wanted word begins "
                    "with the same piece, so the word has no probability of its own; choose words "
                    "that are one token, e.g. --strategies softmax:high/low"
                )

    def _last_added(self, text: str) -> int:
        """Where it ends. Looked for near the end first: pictures have thousands of them."""
        for start in (max(0, len(text) - NEAR), 0):
            if found := list(self._added.finditer(text, start)):
                return found[-1].end()
        return 0

    def _encoded(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
