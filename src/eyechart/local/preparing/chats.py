"""A request as the model's own chat template writes it.

In: a request. Out: the text of the prompt, with a place for each picture and the begun answer at
its end. Tokenises nothing and opens no picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from eyechart.errors import Fatal, Refused
from eyechart.records import Picture, Request, Turn

Message = dict[str, Any]
Form = Callable[[Turn], Any]
PROBE = "Which of these is sharp?"
OTHER_MODEL = "take an instruction-tuned checkpoint of a model that sees pictures"


class Chat:
    """The chat template of a processor. `name`: what errors call the model.

    What people wrote is no control token and no picture's place: where a text holds one (`<image>`,
    `<|im_end|>`), a blank is put behind its first character (`< image>`), and the model reads it as
    words. Raises Fatal where there is no template, or one that takes no pictures.
    """

    def __init__(self, processor: Any, name: str) -> None:
        self._processor, self._name = processor, name
        self._template = processor.chat_template or processor.tokenizer.chat_template
        if not self._template:
            raise Fatal(
                f"{name}: its folder holds no chat template (chat_template.jinja), which says how "
                f"a question is put to the model; {OTHER_MODEL}"
            )
        self._place: str = getattr(processor, "image_token", None) or ""
        self._controls = _controls(processor, str(self._template))
        shown = self.rendered(probe(1))
        if not self._place and shown == self.rendered(probe(0)):
            raise Fatal(self._left_out(1))

    def rendered(self, request: Request) -> str:
        """The prompt. It ends with the begun answer exactly, else with the start of an answer.

        Raises Fatal (the template fails, or leaves out a picture or a text) and Refused (it does
        not leave this begun answer at the end).
        """
        turns = [replace(turn, parts=self._safe(turn.parts)) for turn in request.turns]
        begun, error = self._plain(request.begun), ""
        for form in (_in_parts, _texts_in_one):
            messages = [{"role": turn.role, "content": form(turn)} for turn in turns]
            try:
                text = self._applied(messages, begun)
            except Exception as failure:  # a template is a program: it fails as it likes
                error = error or f"{type(failure).__name__}: {str(failure)[:300]}"
                continue
            if self._holds(text, turns):
                return self._ended(text, begun, request)
        if begun:
            self.rendered(replace(request, begun=""))  # raises where that is not why
            raise Refused(self._not_begun(request, error))
        raise Fatal(
            self._failed(request, error) if error else self._left_out(len(request.pictures))
        )

    def _safe(self, parts: Sequence[str | Picture]) -> tuple[str | Picture, ...]:
        return tuple(self._plain(part) if isinstance(part, str) else part for part in parts)

    def _plain(self, text: str) -> str:
        while self._controls.search(text):
            text = self._controls.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return text

    def _applied(self, messages: list[Message], begun: str) -> str:
        if begun:
            answer = [{"type": "text", "text": begun}]
            as_parts = any(isinstance(message["content"], list) for message in messages)
            content: Any = answer if as_parts else begun
            messages = [*messages, {"role": "assistant", "content": content}]
        text: str = self._processor.apply_chat_template(
            messages,
            chat_template=None if self._processor.chat_template else self._template,
            add_generation_prompt=not begun,
            continue_final_message=bool(begun),
        )
        return text

    def _holds(self, text: str, turns: Sequence[Turn]) -> bool:
        """Whether a prompt shows every text and picture, and no list written out as Python does."""
        texts = [part for turn in turns for part in turn.parts if isinstance(part, str)]
        pictures = sum(len(turn.parts) for turn in turns) - len(texts)
        written_out = "'type': 'text'" in text and not any("'type': 'text'" in t for t in texts)
        placed = not self._place or text.count(self._place) == pictures
        return placed and not written_out and all(t.strip() in text for t in texts)

    def _ended(self, text: str, begun: str, request: Request) -> str:
        if text.endswith(begun):
            return text
        bare = begun.rstrip()
        if not text.endswith(bare):
            raise Refused(self._not_begun(request, f"it ends with {text[-60:]!r}"))
        return text + begun[len(bare) :]

    def _failed(self, request: Request, error: str) -> str:
        roles = ", ".join(turn.role for turn in request.turns)
        return (
            f"{self._name}: its chat template failed on the turns {roles} ({error}); ask without "
            f"the turn that it does not take, or {OTHER_MODEL}"
        )

    def _left_out(self, n_pictures: int) -> str:
        if not n_pictures:
            return (
                f"{self._name}: its chat template leaves out the text of a question; {OTHER_MODEL}"
            )
        return (
            f"{self._name}: its chat template takes no images: a prompt with {n_pictures} of them "
            f"does not show a place for each; {OTHER_MODEL}"
        )

    def _not_begun(self, request: Request, why: str) -> str:
        return (
            f"{self._name}: item {request.item_id!r}: its chat template does not leave the "
            f"begun answer {request.begun!r} at the end of the prompt ({why}); ask without a begun "
            "answer, or begin it with other words"
        )


def probe(n_pictures: int) -> Request:
    """A made question about so many pictures."""
    parts = (Picture(), PROBE) * n_pictures or (PROBE,)
    return Request("(a first trial)", "answer", (Turn("user", parts),))


def _in_parts(turn: Turn) -> Any:
    return [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
        for part in turn.parts
    ]


def _texts_in_one(turn: Turn) -> Any:
    """For templates that take only a string where there is no picture."""
    texts = [part for part in turn.parts if isinstance(part, str)]
    return "\n".join(texts) if len(texts) == len(turn.parts) else _in_parts(turn)


def _controls(processor: Any, template: str) -> re.Pattern[str]:
    """What a text must not hold: special tokens, those that the template writes, a picture's place.

    The rule is transformers' own for `sanitize_control_tokens`, which not every processor takes.
    """
    added = processor.tokenizer.added_tokens_decoder.values()
    found = {token.content for token in added if token.special or token.content in template}
    found.add(getattr(processor, "image_token", None) or "")
    tokens = sorted((t for t in found if len(t) > 1 and not t.isspace()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, tokens)) or "(?!)")
