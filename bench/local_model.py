"""A random Qwen3-VL checkpoint of a chosen size, and noisy photographs, for `local_speed`.

In: a shape, a folder. Out: a folder that `hf:` and transformers load, or JPEG files. Nothing is
downloaded; the shape called 8b is that of Qwen3-VL-8B-Instruct as published.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from eyechart.photographs import bundled_photographs

QUESTION = "Rate the quality of the image."
BEGUN = "The quality of the image is"
ASPECTS = ("sharpness", "noise", "contrast", "brightness", "colour", "focus", "exposure", "detail")
LEVELS = ("good", "poor")
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NOISE = 9.0  # grey levels: what makes 12 megapixels a file of 4 MB, as cameras do
SHARD = "4GB"
MARK = slice(6, 14)  # of a file: the number in its comment


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's measures. `pixels`: most that it looks at (width times height), unless told."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    vision: tuple[int, int, int, int]
    deepstack: tuple[int, ...]
    pixels: int

    def config(self) -> Qwen3VLConfig:
        """As transformers reads it; the special tokens are the first of the vocabulary."""
        depth, width, heads, intermediate = self.vision
        sixth = self.head_dim // 2 // 3
        sections = [self.head_dim // 2 - 2 * sixth, sixth, sixth]
        if self.head_dim == 128:
            sections = [24, 20, 20]
        return Qwen3VLConfig(
            text_config={
                "vocab_size": self.vocabulary,
                "hidden_size": self.hidden,
                "intermediate_size": self.intermediate,
                "num_hidden_layers": self.layers,
                "num_attention_heads": self.heads,
                "num_key_value_heads": self.kv_heads,
                "head_dim": self.head_dim,
                "max_position_embeddings": 262144,
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 5_000_000.0,
                    "mrope_section": sections,
                    "mrope_interleaved": True,
                },
            },
            vision_config={
                "depth": depth,
                "hidden_size": width,
                "num_heads": heads,
                "intermediate_size": intermediate,
                "patch_size": 16,
                "spatial_merge_size": 2,
                "temporal_patch_size": 2,
                "out_hidden_size": self.hidden,
                "num_position_embeddings": 2304,
                "deepstack_visual_indexes": list(self.deepstack),
            },
            image_token_id=SPECIAL.index("<|image_pad|>"),
            video_token_id=SPECIAL.index("<|video_pad|>"),
            vision_start_token_id=SPECIAL.index("<|vision_start|>"),
            vision_end_token_id=SPECIAL.index("<|vision_end|>"),
            tie_word_embeddings=False,
        )


# 8b: config.json and preprocessor_config.json of Qwen/Qwen3-VL-8B-Instruct. small: the same
# proportions (vision a fifth of the operations, the head a twelfth) at about 100 M parameters.
SHAPES = {
    "tiny": Shape(3, 64, 4, 2, 16, 128, 512, (2, 32, 2, 64), (0,), 64 * 64),
    "small": Shape(12, 768, 12, 4, 64, 2304, 8192, (6, 256, 4, 1024), (1, 3, 5), 512 * 512),
    "8b": Shape(36, 4096, 32, 8, 128, 12288, 151936, (27, 1152, 16, 4304), (8, 16, 24), 16_777_216),
}


def save_model(folder: Path, shape: Shape, device: str, dtype: torch.dtype, pixels: int) -> int:
    """Write a checkpoint with random weights made on `device`; returns how many parameters.

    `pixels`: most that its processor leaves of a picture, width times height.
    """
    torch.manual_seed(0)
    with torch.device(device):
        model = Qwen3VLForConditionalGeneration._from_config(shape.config(), dtype=dtype)
    model.save_pretrained(folder, max_shard_size=SHARD)
    tokenizer = _tokenizer()
    if len(tokenizer) > shape.vocabulary:
        raise SystemExit(f"{len(tokenizer)} tokens do not fit a vocabulary of {shape.vocabulary}")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(
        patch_size=16,
        merge_size=2,
        temporal_patch_size=2,
        size={"shortest_edge": min(65_536, pixels), "longest_edge": pixels},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    ).save_pretrained(folder)
    _name_processors(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE in which every word of the questions is one token."""
    text = f" user\n assistant\n{QUESTION} {BEGUN} {' '.join((*ASPECTS, *LEVELS))} Is How the of?"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text] * 40, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[3:] + SPECIAL[1:2],
        clean_up_tokenization_spaces=False,
    )


def _name_processors(folder: Path) -> None:
    """Name the processors as the hub's own folder does."""
    for name, value in {
        "preprocessor_config.json": {"image_processor_type": "Qwen2VLImageProcessorFast"},
        "tokenizer_config.json": {},
    }.items():
        file = folder / name
        told: dict[str, Any] = json.loads(file.read_text()) | value
        file.write_text(json.dumps(told | {"processor_class": "Qwen3VLProcessor"}, indent=2))


def renewed(files: list[Path]) -> None:
    """Give every file other bytes and the same picture, so that nothing kept of it is found."""
    for file in files:
        data = file.read_bytes()
        mark = int(data[MARK]) + len(files)
        file.write_bytes(data[: MARK.start] + b"%08d" % mark + data[MARK.stop :])


def photographs(folder: Path, n_files: int, megapixels: float) -> list[Path]:
    """JPEG files of the bundled photographs, enlarged and noisy, no two with the same bytes.

    Each keeps its own proportions, as in real data sets, so that prompts differ in length. Sides
    are multiples of 16, as cameras make them: so a JPEG may be decoded at a part of its size.
    """
    made = [
        _enlarged(photo.path, megapixels * 1e6, seed)
        for seed, photo in enumerate(bundled_photographs()[:n_files])
    ]
    files = [folder / f"{megapixels:g}mp-{number:05}.jpg" for number in range(n_files)]
    for number, file in enumerate(files):
        data = made[number % len(made)]
        file.write_bytes(data[:2] + b"\xff\xfe\x00\x0a%08d" % number + data[2:])
    return files


def _enlarged(source: Path, n_pixels: float, seed: int) -> bytes:
    with Image.open(source) as opened:
        photo = opened.convert("RGB")
    scale = math.sqrt(n_pixels / (photo.width * photo.height))
    size = (16 * round(photo.width * scale / 16), 16 * round(photo.height * scale / 16))
    pixels = np.asarray(photo.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    noise = np.random.default_rng(seed).standard_normal(pixels.shape, dtype=np.float32)
    noisy = (pixels + NOISE * noise).clip(0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(noisy).save(out, "JPEG", quality=92)
    return out.getvalue()
