"""Two ways from JPEG files to the log-odds of two words, and where their time goes.

The published way is that of Q-Bench's released scripts: one image at a time, the processor in the
loop, all logits. Ours is `ask` with the `hf:` backend. In: a checkpoint's folder and files. Out:
log-odds and seconds. Neither keeps anything from one block to the next but the files on disk.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from bench.local_counting import Others, Size, synchronise
from bench.local_model import ASPECTS, BEGUN, LEVELS, QUESTION
from PIL import Image
from torch import Tensor
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from transformers import AutoImageProcessor, AutoTokenizer, Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor

from eyechart import ask
from eyechart.asking.backend import Answer, Backend, Call
from eyechart.asking.intake import CHUNK_BYTES
from eyechart.images import encode
from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.preparing.pictures import Eye
from eyechart.local.preparing.prompting import Prompter
from eyechart.records import Picture, Request, Turn, next_word

WARM_S = 900.0
ALONE_S = 1.0
COMMENT = 65_533  # bytes that one comment of a JPEG holds at most


# --- the published way --------------------------------------------------------------------------


class WithoutVideo(Qwen3VLProcessor):
    """Qwen3-VL's own processor. Its part for videos needs torchvision, and is not used."""

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=tokenizer.chat_template)


class Published:
    """The model and its processor as the scripts use them."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.device = device
        self.model: Any = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype="auto")
        self.model.to(device).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self.processor = WithoutVideo(AutoImageProcessor.from_pretrained(folder), tokenizer)
        told = [{"type": "image"}, {"type": "text", "text": QUESTION}]
        turns = [{"role": "user", "content": told}]
        self.prompt = self.processor.apply_chat_template(turns, add_generation_prompt=True) + BEGUN
        self.words = [tokenizer.encode(f" {level}")[0] for level in LEVELS]

    def inputs(self, file: Path) -> Any:
        """What the processor makes of a file, on the device."""
        picture = Image.open(file).convert("RGB")
        made = self.processor(text=[self.prompt], images=[picture], return_tensors="pt")
        return made.to(self.device)

    def log_odds(self, file: Path) -> float:
        """Of good against poor, from all logits of one image."""
        with torch.inference_mode():
            last = self.model(**self.inputs(file)).logits[0, -1]
            good, poor = (last[word].item() for word in self.words)
        return good - poor

    def close(self) -> None:
        """Let go of the memory."""
        del self.model
        free()


def free() -> None:
    """Give back what nobody holds."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def size_of(inputs: Any) -> Size:
    """What a prompt with one picture holds."""
    return Size(inputs["input_ids"].shape[1], int(inputs["image_grid_thw"].prod()))


def alone(published: Published, batch: Sequence[Any]) -> float:
    """Seconds of the model by itself: ready inputs of many images at once, one place read."""
    width = max(one["input_ids"].shape[1] for one in batch)

    def padded(name: str) -> Tensor:
        rows = [
            torch.nn.functional.pad(one[name], (0, width - one[name].shape[1])) for one in batch
        ]
        return torch.cat(rows)

    names = ("input_ids", "mm_token_type_ids")
    inputs = {name: padded(name) for name in names} | {
        name: torch.cat([one[name] for one in batch]) for name in ("pixel_values", "image_grid_thw")
    }
    with torch.inference_mode():
        took = _passes(published, inputs, 1)  # the first warms up
        n_passes = max(1, round(ALONE_S / took))
        return _passes(published, inputs, n_passes) / n_passes


def _passes(published: Published, inputs: dict[str, Tensor], n_passes: int) -> float:
    synchronise(published.device)
    start = time.perf_counter()
    for _ in range(n_passes):
        published.model(**inputs, logits_to_keep=1)
    synchronise(published.device)
    return time.perf_counter() - start


# --- ours ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What `ask` took. `load_s`: until the model was warm; `seconds`: of all requests then.

    `others`: cores that other processes kept busy in these.
    """

    seconds: float
    others: float | None
    load_s: float
    log_odds: list[float]
    setup: dict[str, str]


class Watched(Backend):
    """A backend that tells when its first calls are through, or that they never will be."""

    def __init__(self, inner: Backend, n_first: int) -> None:
        self._inner, self._n_left = inner, n_first
        self.through = threading.Event()
        self.model, self.revision = inner.model, inner.revision
        self.wants, self.continues = inner.wants, inner.continues
        self.logged, self.window, self.resizes = inner.logged, inner.window, inner.resizes

    async def answer(self, call: Call) -> Answer:
        """The backend's own answer."""
        try:
            return await self._inner.answer(call)
        finally:
            self._n_left -= 1
            if self._n_left <= 0:
                self.through.set()

    async def close(self) -> None:
        """Close the backend; nobody need wait any more."""
        self.through.set()
        await self._inner.close()


def ask_all(
    inner: Backend,
    files: Sequence[Path],
    *,
    n_questions: int = 1,
    n_warm: int = 2,
    begin: Callable[[], None] | None = None,
) -> Asked:
    """Ask a model about every file, after some requests that warm it up.

    `begin` is called when the first request that counts is made.

    """
    opened = time.perf_counter()
    data = _warming(files, n_warm)
    backend = Watched(inner, len(data))
    began: list[tuple[float, Others]] = []

    def requests() -> Iterator[Request]:
        for number, one in enumerate(data):
            yield request(Picture(data=one, name=f"warm-up {number}"), 0)
        backend.through.wait(WARM_S)
        if begin is not None:
            begin()
        began.append((time.perf_counter(), Others()))
        for file in files:
            for question in range(n_questions):
                yield request(Picture(file), question)

    odds: dict[str, float] = {}
    for response in ask(requests(), backend):
        if response.failure is not None:
            raise SystemExit(f"{response.item_id}: {response.failure.message}")
        ended = time.perf_counter()
        good, poor = (math.nan if told is None else told for told in response.logprobs)
        odds[response.item_id] = good - poor
    asked = [odds[f"{file.name} 0"] for file in files]
    start, others = began[0]
    return Asked(ended - start, others.cores(), start - opened, asked, dict(inner.setup))


def request(picture: Picture, number: int) -> Request:
    """A question about a picture: the first is that of the published way."""
    question, begun = QUESTION, BEGUN
    if number:
        aspect = ASPECTS[number % len(ASPECTS)]
        question = f"How is the {aspect} of the image?{' Is good or poor?' * (number // 8)}"
        begun = f"The {aspect} of the image is"
    name = f"{picture.path.name if picture.path else picture.name} {number}"
    turns = (Turn("user", (picture, question)),)
    return Request(name, "answer", turns, begun=begun, want=next_word(*LEVELS))


def _warming(files: Sequence[Path], most: int) -> list[bytes]:
    """Pictures to warm up with: at most so many, and together a chunk of requests of their own.

    The engine reads a whole chunk before it asks it, so one that the last of them did not fill
    would wait for the requests that wait for it.
    """
    data: list[bytes] = []
    n_left = CHUNK_BYTES
    while n_left > 0:
        is_last = len(data) + 1 == most
        made = _commented(files[len(data) % len(files)], len(data), n_left if is_last else 0)
        data.append(made)
        n_left -= len(made)
    return data


def _commented(file: Path, number: int, n_bytes: int) -> bytes:
    """The file's picture with so many bytes of comments or more, others for each number."""
    data = file.read_bytes()
    comment = b"\xff\xfe\xff\xff" + b"%08d" % number + bytes(COMMENT - 8)
    return data[:2] + comment * (n_bytes // len(comment) + 1) + data[2:]


# --- where the time goes ------------------------------------------------------------------------

PARTS = {
    "Qwen3VLVisionModel": "vision",
    "Qwen3VLTextModel": "language",
    "Qwen3VLForConditionalGeneration": "model",
}


@dataclass(slots=True)
class Clock:
    """Seconds within the parts of any Qwen3-VL of this process, while it is entered."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _hooks: list[Any] = field(default_factory=list)

    def __enter__(self) -> Clock:
        """Begin to measure; the device is waited for around each part."""
        self._hooks = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        """Measure no more."""
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: Any, _inputs: Any) -> None:
        part = PARTS.get(type(module).__name__)
        if part:
            synchronise(self.device)
            self._began[part] = time.perf_counter()

    def _leave(self, module: Any, _inputs: Any, _output: Any) -> None:
        part = PARTS.get(type(module).__name__)
        if part:
            synchronise(self.device)
            took = time.perf_counter() - self._began[part]
            self.seconds[part] = self.seconds.get(part, 0.0) + took


def pictures_alone(folder: Path, files: Sequence[Path]) -> float:
    """Seconds that one core takes to decode and resize a file as our workers do."""
    processor = load_processor(folder)
    eye = Eye(processor, Prompter(processor, "hf:", None).road)
    images = [encode(Picture(file)) for file in files]
    eye.see((images[0],))
    start = time.perf_counter()
    for image in images:
        eye.see((image,))
    return (time.perf_counter() - start) / len(images)
