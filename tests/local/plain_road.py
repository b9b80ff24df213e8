"""A tiny model on our device, and beside it the plain road of transformers' own documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tests.conftest import photograph
from transformers import AutoModelForImageTextToText

from eyechart.asking.backend import Answer, Call
from eyechart.images import encode
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.computing.local_device import LocalDevice
from eyechart.local.pieces import Checkpoint, Ids, LocalOptions, Ready, Tree
from eyechart.local.preparing.pictures import Eye
from eyechart.local.preparing.prompting import Prompter
from eyechart.local.scheduling.trees import planted
from eyechart.records import TEXT, Picture, Request, Sampling, Turn, Want

QUESTIONS = (
    "Is it sharp?",
    "How good is the quality of this image? Answer with one word.",
    "Rate the light: high, low or fine.",
)


def picture(seed: int, width: int = 64, height: int = 48) -> Picture:
    """A small photograph, as the bytes of a PNG."""
    out = BytesIO()
    photograph(seed, width, height).save(out, "PNG")
    return Picture(data=out.getvalue(), name=f"picture {seed}")


def asked(*parts: str | Picture, want: Want = TEXT, begun: str = "", draw: int = 0) -> Request:
    """A request of one turn, answered greedily in at most 12 tokens."""
    turns = (Turn("user", parts),)
    how = Sampling(max_tokens=12)
    return Request("item", "answer", turns, begun=begun, want=want, draw=draw, sampling=how)


@dataclass
class Bench:
    """A checkpoint's folder with our device for it, and the plain road."""

    folder: Path
    options: LocalOptions = LocalOptions()

    @cached_property
    def device(self) -> LocalDevice:
        return LocalDevice(self.checkpoint, "cpu")

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.folder, "hf:tiny", "0", self.options)

    @cached_property
    def processor(self) -> Any:
        return load_processor(self.folder)

    @cached_property
    def prompter(self) -> Prompter:
        return Prompter(self.processor, "hf:tiny")

    @cached_property
    def model(self) -> Any:
        dtype = self.options.dtype or "float32"
        return AutoModelForImageTextToText.from_pretrained(self.folder, dtype=dtype).eval()

    def ready(self, request: Request) -> Ready:
        images = tuple(encode(shown) for shown in request.pictures)
        seen = Eye(self.processor, self.prompter.road).see(images) if images else None
        return self.prompter.ready(Call(request, images), seen)

    def answers(self, requests: Sequence[Request]) -> list[Answer]:
        """Our answers, all computed as one batch of trees that share what they can."""
        calls = [self.ready(request) for request in requests]
        trees = planted(calls)
        outcomes = self.device.compute(trees)
        found = dict(zip([id(c) for tree in trees for c in tree.calls], outcomes, strict=True))
        told = [found[id(call)] for call in calls]
        assert all(isinstance(one, Answer) for one in told), told
        return [one for one in told if isinstance(one, Answer)]

    def alone(self, request: Request) -> Answer:
        """Our answer to one request, computed by itself."""
        return self.answers([request])[0]

    def plain(self, request: Request) -> dict[str, torch.Tensor]:
        """What transformers' processor makes of a request."""
        images = [Image.open(BytesIO(one.data or b"")) for one in request.pictures]
        made = self.processor(
            text=[self.prompter.rendered(request)],
            images=[images] if images else None,
            return_tensors="pt",
            add_special_tokens=False,
        )
        return dict(made.to("cpu", self.model.dtype))

    def plain_scores(self, request: Request, further: Ids = ()) -> torch.Tensor:
        """Log-probabilities (n_tokens, n_vocabulary) of the prompt and tokens written after it."""
        inputs = self.plain(request)
        n_prompt = inputs["input_ids"].shape[1]
        for name, value in inputs.items():
            if value.shape == (1, n_prompt):
                fill = {"input_ids": list(further), "attention_mask": [1] * len(further)}
                more = torch.tensor([fill.get(name, [0] * len(further))], dtype=value.dtype)
                inputs[name] = torch.cat([value, more], 1)
        with torch.inference_mode():
            logits: torch.Tensor = self.model(**inputs).logits[0]
        return logits.float().log_softmax(-1)

    def plain_reply(self, request: Request) -> list[int]:
        """The tokens of transformers' own greedy reply."""
        inputs = self.plain(request)
        made = self.model.generate(
            **inputs,
            max_new_tokens=request.sampling.max_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
        )
        said: list[int] = made[0, inputs["input_ids"].shape[1] :].tolist()
        return said


def one_tree(call: Ready) -> Tree:
    """A call by itself."""
    return Tree((call,), len(call.ids))
