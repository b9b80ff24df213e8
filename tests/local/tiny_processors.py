"""Processors for tests, pictures for them, and calls about these."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from tests.conftest import photograph
from transformers import (
    CLIPImageProcessorPil,
    Gemma3ImageProcessorPil,
    Gemma3Processor,
    Idefics2ImageProcessorPil,
    Idefics2Processor,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from eyechart.asking.backend import Call
from eyechart.images import Encoded, encode
from eyechart.local.checkpoint.processors import load_processor
from eyechart.records import TEXT, Picture, Request, Turn, Want

TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {% if message.content is string %}"
    "{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}PLACE{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}"
    "\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


def saved(image: Image.Image, format: str = "PNG", *, orientation: int = 1) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(out, format, exif=exif, **({"quality": 90} if format == "JPEG" else {}))
    return out.getvalue()


def shown(seed: int = 0, width: int = 96, height: int = 64, format: str = "PNG") -> Encoded:
    """An encoded photograph; another seed, another one."""
    return encode(Picture(data=saved(photograph(seed, width, height), format)))


def asked(
    *parts: str | Encoded, want: Want = TEXT, begun: str = "", draw: int = 0, item: str = "1"
) -> Call:
    """A call of one turn; `parts` are its texts and pictures."""
    images = tuple(part for part in parts if isinstance(part, Encoded))
    turn = tuple(part if isinstance(part, str) else Picture(data=part.data) for part in parts)
    request = Request(item, "answer", (Turn("user", turn),), begun=begun, want=want, draw=draw)
    return Call(request, images)


def load_stubborn(folder: Path) -> Any:
    """A processor that writes its prompts in a way of its own: as a whole, or not at all."""
    processor = load_processor(folder)
    kind = type(processor)

    def call(self: Any, images: Any = None, text: Any = None, **settings: Any) -> Any:
        return kind.__call__(self, images=images, text=[f"Well. {t}" for t in text], **settings)

    processor.__class__ = type("Stubborn", (kind,), {"__call__": call})
    return processor


def tokenizer_of(folder: Path, **named: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a tiny checkpoint, with more tokens that have names."""
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(
        folder, extra_special_tokens=named
    )
    return made


def other_processors(folder: Path) -> dict[str, Any]:
    """Processors of other families, put together around a tiny checkpoint's tokenizer."""
    square = {"size": {"height": 32, "width": 32}}
    named = tokenizer_of(folder, image_token="<image>", boi_token="<boi>", eoi_token="<eoi>")
    plain = tokenizer_of(folder, image_token="<image>")
    return {
        "llava": LlavaProcessor(
            CLIPImageProcessorPil(
                size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
            ),
            plain,
            patch_size=8,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=TEMPLATE.replace("PLACE", "<image>"),
        ),
        "llava_next": LlavaNextProcessor(
            LlavaNextImageProcessorPil(
                size={"shortest_edge": 32},
                crop_size={"height": 32, "width": 32},
                image_grid_pinpoints=[[32, 64], [64, 32], [64, 64]],
            ),
            plain,
            patch_size=8,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=TEMPLATE.replace("PLACE", "<image>"),
        ),
        "gemma3": Gemma3Processor(
            Gemma3ImageProcessorPil(**square),
            named,
            image_seq_length=4,
            chat_template=TEMPLATE.replace("PLACE", "<boi>"),
        ),
        "idefics2": Idefics2Processor(
            Idefics2ImageProcessorPil(
                size={"shortest_edge": 32, "longest_edge": 64}, do_image_splitting=False
            ),
            tokenizer_of(
                folder,
                image_token="<image>",
                image_boundary_token="<fake_token_around_image>",
                end_of_utterance_token="<end_of_utterance>",
            ),
            image_seq_len=4,
            chat_template=TEMPLATE.replace("PLACE", "<image>"),
        ),
    }
