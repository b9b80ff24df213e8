"""Calls the plain way: each by itself, its whole sequence at once, as transformers does it.

For models whose insides do not allow the shared way. In: a ready call. Out: its outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from eyechart.local.computing.answering import Heard, Reply, answer_of, most_new, not_finite
from eyechart.local.computing.feeding import inputs_of
from eyechart.local.computing.forward import only
from eyechart.local.computing.loading import Loaded
from eyechart.local.computing.reading import logprobs
from eyechart.local.computing.sampling import Dice, next_tokens
from eyechart.local.computing.writing import dice_of
from eyechart.local.pieces import Ids, Outcome, Ready, Tree
from eyechart.local.quiet import quiet
from eyechart.local.stopping import check_wanted


class AloneWay:
    """Computes calls on a loaded model, one after the other."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        """An outcome for each call, in the order of the trees and of the calls in each."""
        ways = {"text": self._text, "next_word": self._words, "likelihood": self._likelihood}
        return [ways[c.request.want.name](c) for tree in trees for c in tree.calls]

    def _inputs(self, call: Ready, ids: Ids) -> dict[str, Tensor]:
        """What the model takes for a sequence that begins with the call's prompt."""
        further = (0,) * (len(ids) - len(call.ids))
        rows = {name: (*row, *further) for name, row in call.rows.items()}
        inputs = inputs_of(self._loaded, [rows], [call.seen] if call.seen else [])
        tokens = torch.tensor([ids], device=self._loaded.device)
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), **inputs}

    def _logprobs(self, call: Ready, ids: Ids, asked: Sequence[tuple[int, int]]) -> list[float]:
        """Of each (place, token): of this token as the one after that place of a sequence."""
        places = list(dict.fromkeys(place for place, _ in asked))
        with only(self._loaded.model, [(0, place) for place in places]):
            logits = self._loaded.model(**self._inputs(call, ids)).logits
        row = {place: i for i, place in enumerate(places)}
        return logprobs(logits, [(row[place], token) for place, token in asked])

    def _words(self, call: Ready) -> Outcome:
        last = len(call.ids) - 1
        told = self._logprobs(call, call.ids, [(last, target[0]) for target in call.targets])
        return answer_of(self._loaded, call, Heard(told))

    def _likelihood(self, call: Ready) -> Outcome:
        sums: list[float] = []
        prompt: list[float] = []
        end = len(call.ids)
        own = [i for i in range(1, end) if call.ids[i] not in self._loaded.pictures]
        for target in call.targets:
            ids = call.ids + target
            wanted = [*range(end, len(ids)), *([] if sums else own)]
            told = self._logprobs(call, ids[:-1], [(i - 1, ids[i]) for i in wanted])
            sums.append(sum(told[: len(target)]))
            prompt += told[len(target) :]
        return answer_of(self._loaded, call, Heard(sums, prompt))

    def _text(self, call: Ready) -> Outcome:
        chooser = _Chooser(dice_of(self._loaded, call))
        with quiet():
            made = self._loaded.model.generate(
                **self._inputs(call, call.ids),
                generation_config=self._generation(call),
                logits_processor=LogitsProcessorList([chooser]),
            )
        if not chooser.is_sound:
            return not_finite(self._loaded)
        said: list[int] = made[0, len(call.ids) :].tolist()
        ended = said[-1] in self._loaded.ends
        reply = Reply(tuple(said[: len(said) - ended]), "stop" if ended else "length", len(said))
        return answer_of(self._loaded, call, Heard(reply=reply))

    def _generation(self, call: Ready) -> Any:
        config: Any = transformers.GenerationConfig
        return config(
            max_new_tokens=most_new(self._loaded, call),
            do_sample=False,
            repetition_penalty=1.0,
            eos_token_id=sorted(self._loaded.ends),
            pad_token_id=self._loaded.pad,
        )


class _Chooser(LogitsProcessor):
    """Leaves only the token that our own dice choose, so that both ways draw the same words."""

    def __init__(self, dice: Dice) -> None:
        self._dice, self.is_sound = dice, True

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        check_wanted()
        self.is_sound = self.is_sound and not bool(scores.isnan().any())
        chosen = torch.tensor([next_tokens(scores, [self._dice])], device=scores.device)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)
