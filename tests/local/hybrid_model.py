"""A tiny Qwen3.5: two of its three layers keep one running state, not keys and values per token."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.local.tiny_models import save_qwen3_vl
from transformers import AutoTokenizer, Qwen3_5Config, Qwen3_5ForConditionalGeneration


def save_qwen3_5(folder: Path) -> Path:
    """The checkpoint, with the processor of the tiny Qwen3-VL, which is its own too."""
    save_qwen3_vl(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    id_of = tokenizer.convert_tokens_to_ids
    config = Qwen3_5Config(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 3,
            "layer_types": ["linear_attention", "full_attention", "linear_attention"],
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "max_position_embeddings": 2048,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.25,
                "mrope_section": [1, 1, 0],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
        },
        image_token_id=id_of("<|image_pad|>"),
        video_token_id=id_of("<|video_pad|>"),
        vision_start_token_id=id_of("<|vision_start|>"),
        vision_end_token_id=id_of("<|vision_end|>"),
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    generation = (folder / "generation_config.json").read_bytes()
    Qwen3_5ForConditionalGeneration(config).save_pretrained(folder)
    (folder / "generation_config.json").write_bytes(generation)
    return folder
