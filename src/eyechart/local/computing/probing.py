"""Whether a model may be computed in the shared way: tried on made pictures before the first call.

In: a loaded model and its processor. Out: the way that gives the numbers that the model gives when
transformers computes one whole prompt by itself, and the reason where it is not the shared one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import takewhile
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from eyechart.asking.backend import Answer, Call
from eyechart.errors import Fatal
from eyechart.images import encode
from eyechart.local.computing.faults import fault_of
from eyechart.local.computing.loading import Loaded
from eyechart.local.pieces import DeviceLost, NoRoom, Outcome, Ready, Tree
from eyechart.local.preparing.pictures import Eye
from eyechart.local.preparing.prompting import Prompter
from eyechart.local.preparing.roads import adds_special, made_pictures
from eyechart.local.quiet import first_line, quiet
from eyechart.records import Picture, Request, Turn, Want

N_TOKENS = 512
"""Tokens whose log-probabilities are compared, spread over the vocabulary."""
MOST_APART = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
"""How far apart rounding may make them (`apart`). Seen with 36 layers: 1.5e-6, 0.0018 and 0.014."""
QUESTIONS = ("Is it sharp?", "How good is the quality of this image? Answer in a word.", "Rate it.")

Compute = Callable[[Sequence[Tree]], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Way:
    """How calls are computed. `reason`: why not in the shared way, "" where it is."""

    name: Literal["shared", "alone"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A made call, and the log-probabilities that transformers gives to its targets."""

    ready: Ready
    plain: Sequence[float]


def chosen_way(loaded: Loaded, prompter: Prompter, shared: Compute, alone: Compute) -> Way:
    """The shared way where its numbers are right, else each call alone.

    Raises Fatal where even these are not what transformers computes by itself, or where there is no
    memory for so little; and DeviceLost.
    """
    with quiet():
        try:
            samples = _samples(loaded, prompter)
        except Exception as error:  # a stranger's model: whatever it raises
            raise _hopeless(_said(loaded, error)) from error
        reason = _wrong(loaded, samples, shared, [_tree(samples[:2]), _tree(samples[2:])])
        if not reason:
            return Way("shared")
        still = _wrong(loaded, samples, alone, [_tree([sample]) for sample in samples])
    if still:
        raise _hopeless(still)
    return Way("alone", reason)


def apart(values: Sequence[float], others: Sequence[float]) -> float:
    """How far two lists of log-probabilities are apart, as a share of how much they vary.

    >>> apart([-1.0, -2.0, -4.0], [-1.0, -2.0, -4.0])
    0.0
    """
    one, other = np.asarray(values, float), np.asarray(others, float)
    return float(np.sqrt(np.mean((one - other) ** 2)) / max(np.std(one), 1e-9))


def _samples(loaded: Loaded, prompter: Prompter) -> list[_Sample]:
    """Two questions about one picture, and one about another."""
    first, second = made_pictures()
    return [
        _sample(loaded, prompter, text, picture)
        for text, picture in zip(QUESTIONS, (first, first, second), strict=True)
    ]


def _sample(loaded: Loaded, prompter: Prompter, text: str, picture: Image.Image) -> _Sample:
    out = BytesIO()
    picture.save(out, "PNG")
    shown = Picture(data=out.getvalue(), name="a first trial")
    request = Request("(a first trial)", "answer", (Turn("user", (shown, text)),))
    ready = _ready(loaded, prompter, Call(request, (encode(shown),)))
    n_vocabulary = loaded.model.get_output_embeddings().weight.shape[0]
    tokens = list(range(0, n_vocabulary, max(1, n_vocabulary // N_TOKENS)))
    targets = tuple((token,) for token in tokens)
    ready = replace(ready, request=replace(request, want=Want("next_word")), targets=targets)
    return _Sample(ready, _plain(loaded, prompter, request, picture)[tokens].tolist())


def _ready(loaded: Loaded, prompter: Prompter, call: Call) -> Ready:
    eye = Eye(loaded.processor, prompter.road)
    if prompter.road.way == "written":
        return prompter.ready(call, eye.see(call.images))
    return prompter.ready_whole(call, eye.see_whole(call.images, prompter.rendered(call.request)))


def _plain(loaded: Loaded, prompter: Prompter, request: Request, picture: Image.Image) -> Tensor:
    """The log-probability of each token as the next, as transformers' documents compute it."""
    text, processor = prompter.rendered(request), loaded.processor
    more = {} if adds_special(processor, text) else {"add_special_tokens": False}
    made = processor(text=[text], images=[[picture]], return_tensors="pt", **more)
    scores: Tensor = loaded.model(**made.to(loaded.device, loaded.dtype)).logits[0, -1]
    return scores.float().log_softmax(-1)


def _tree(samples: Sequence[_Sample]) -> Tree:
    """The calls of samples, sharing as much as they can."""
    calls = tuple(sample.ready for sample in samples)
    if len(calls) == 1:
        return Tree(calls, len(calls[0].ids))
    alike = takewhile(len, (set(column) for column in zip(*(c.ids for c in calls), strict=False)))
    return Tree(calls, sum(1 for column in takewhile(lambda c: len(c) == 1, alike)))


def _wrong(
    loaded: Loaded, samples: Sequence[_Sample], compute: Compute, trees: Sequence[Tree]
) -> str:
    """What is wrong with the numbers of a way, "" for nothing."""
    try:
        outcomes = compute(trees)
    except Exception as error:  # models raise what they like where they are asked in a new way
        return _said(loaded, error)
    told = [one.logprobs if isinstance(one, Answer) else () for one in outcomes]
    if not all(told):
        return "it computes what is no number"
    worst = max(
        apart(sample.plain, [value or 0.0 for value in values])
        for sample, values in zip(samples, told, strict=True)
    )
    most = MOST_APART.get(loaded.dtype, MOST_APART[torch.bfloat16])
    if worst <= most:
        return ""
    return (
        f"its log-probabilities are {worst:.2g} of their spread apart from those that transformers "
        f"computes by itself, and rounding explains {most:g}"
    )


def _said(loaded: Loaded, error: Exception) -> str:
    """What an error says of the model. Raises what it says of the device: DeviceLost, or Fatal."""
    fault = fault_of(error, str(loaded.device))
    if isinstance(fault, DeviceLost):
        raise fault from error
    if isinstance(fault, NoRoom):
        raise Fatal(
            f"no memory even for one small picture ({fault}); free some, or choose a smaller model"
        ) from error
    return f"it fails at a small picture ({type(error).__name__}: {first_line(error)})"


def _hopeless(reason: str) -> Fatal:
    return Fatal(
        f"this model cannot be computed here: {reason}. Serve it (vLLM, SGLang) and ask it as "
        "http://HOST:PORT/v1#NAME"
    )
