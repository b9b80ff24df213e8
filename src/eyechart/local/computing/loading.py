"""A checkpoint's weights on a device, whole and ready to be computed with.

In: a `Checkpoint`, a device's name, the checkpoint's processor. Out: a `Loaded`. Nothing that is
missing from a checkpoint is made up, and nothing is fetched from the hub.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from eyechart.errors import BadInput, EyechartError, Fatal
from eyechart.local.computing.faults import fault_of
from eyechart.local.computing.sampling import GREEDY, Drawing
from eyechart.local.pieces import Checkpoint
from eyechart.local.preparing.collating import Scale
from eyechart.local.quiet import first_line, quiet

LIBRARY: Any = transformers  # typed in parts only
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TOP_K = 50  # transformers' own where a checkpoint samples and does not say


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on a device, and what its files say of how to use it.

    `processor`: of the checkpoint. `ends`: tokens that end a turn. `pad`: a token to fill up with.
    `pictures`: tokens that stand for a part of a picture. `defaults`: how it draws where a request
    does not say. `context`: most tokens of a prompt and its answer, None where it does not say.
    `scale`: of pixels that come as whole numbers, None where none do.
    """

    model: Any
    processor: Any
    device: torch.device
    dtype: torch.dtype
    ends: frozenset[int]
    pad: int = 0
    pictures: frozenset[int] = field(default_factory=frozenset)
    defaults: Drawing = GREEDY
    context: int | None = None
    scale: Scale | None = None


def load_model(
    checkpoint: Checkpoint, device: str, processor: Any, scale: Scale | None = None
) -> Loaded:
    """The checkpoint's model on a device: "cpu", "cuda:0", .... It computes, and learns nothing.

    Raises BadInput (no such device, a model that is not for this road, weights that do not fit) and
    Fatal (no memory for the weights).
    """
    place = device_named(device)
    with quiet():
        config = _config(checkpoint)
        model = _model(checkpoint, place, _attention(checkpoint, place, config))
    tokenizer = processor.tokenizer
    generation, words = model.generation_config, config.get_text_config()
    # Not the config's own: where no file says, it holds its class's default, any word at all.
    ends = _ids(generation.eos_token_id, tokenizer.eos_token_id)
    pads = sorted(_ids(tokenizer.pad_token_id, generation.pad_token_id)) or sorted(ends)
    return Loaded(
        model=model,
        processor=processor,
        device=place,
        dtype=model.dtype,
        ends=ends,
        pad=pads[0] if pads else 0,
        pictures=_ids(
            *[getattr(config, name, None) for name in ("image_token_id", "image_token_index")],
            getattr(processor, "image_token_id", None),
        ),
        defaults=_defaults(generation),
        context=getattr(words, "max_position_embeddings", None),
        scale=scale,
    )


def device_named(name: str) -> torch.device:
    """The device with this name. Raises BadInput where this machine has none.

    It says what torch sees here, which may be less than what is built in.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BadInput(
            f"there is no device {name!r}; write ?devices=cpu, or ?devices=cuda:0,cuda:1"
        ) from None
    n_seen = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type not in ("cpu", "cuda") or (device.index or 0) >= n_seen:
        seen = ", ".join(["cpu", *[f"cuda:{i}" for i in range(torch.cuda.device_count())]])
        raise BadInput(
            f"there is no device {name!r} here: torch {torch.__version__} sees {seen}. Write one "
            "of these after ?devices=, or install a torch that is built for your GPU"
        )
    return device


def _config(checkpoint: Checkpoint) -> Any:
    try:
        config = LIBRARY.AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True)
    except Exception as error:  # whatever a stranger's JSON makes transformers raise
        raise _unusable(checkpoint.folder, error) from error
    if type(config) not in LIBRARY.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise BadInput(
            f"{checkpoint.folder}: a {config.model_type} model takes no pictures, or transformers "
            f"{transformers.__version__} does not know how; choose an image-text-to-text model, "
            "such as Qwen3-VL"
        )
    if config.is_encoder_decoder:
        raise BadInput(
            f"{checkpoint.folder}: {config.model_type} reads with one half and writes with another "
            "(an encoder-decoder), which is not supported; choose a model that goes on from its "
            "prompt, such as Qwen3-VL"
        )
    return config


def _model(checkpoint: Checkpoint, device: torch.device, attention: str | None) -> Any:
    try:
        model, info = _read(checkpoint, device, attention)
        _check(checkpoint.folder, info)
        return model.to(device).eval().requires_grad_(False)
    except EyechartError:
        raise
    except Exception as error:
        fault = fault_of(error, str(device))
        if fault is None:
            raise _unusable(checkpoint.folder, error) from error
    raise Fatal(
        f"{checkpoint.name} cannot be loaded: {fault}. Free memory on {device}, choose a smaller "
        "model, or ?dtype=bfloat16 where the weights are float32"
    )


def _read(
    checkpoint: Checkpoint, device: torch.device, attention: str | None
) -> tuple[Any, dict[str, Any]]:
    options = checkpoint.options
    # Onto the device file by file, not through the machine's memory.
    placed: dict[str, Any] = (
        {"device_map": device} if LIBRARY.utils.is_accelerate_available() else {}
    )
    found: tuple[Any, dict[str, Any]] = LIBRARY.AutoModelForImageTextToText.from_pretrained(
        checkpoint.folder,
        dtype=DTYPES.get(options.dtype, "auto"),
        attn_implementation=attention,
        use_safetensors=None if options.pickles else True,
        weights_only=True,
        local_files_only=True,
        ignore_mismatched_sizes=True,  # `_check` names them
        output_loading_info=True,
        **placed,
    )
    return found


def _attention(checkpoint: Checkpoint, device: torch.device, config: Any) -> str | None:
    """Flash attention where it is installed and fits; None is sdpa wherever the model has it."""
    if checkpoint.options.attention:
        return checkpoint.options.attention
    model = LIBRARY.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)]
    dtype = DTYPES.get(checkpoint.options.dtype, config.dtype)
    fits = device.type == "cuda" and dtype in (torch.bfloat16, torch.float16)
    here = importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if fits and here and model._supports_flash_attn else None


def _check(folder: Path, info: dict[str, Any]) -> None:
    """Transformers would fill in random numbers for these, and only warn."""
    strange = [key for key, *_ in info["mismatched_keys"]]
    missing = [*sorted(info["missing_keys"]), *sorted(strange), *info["error_msgs"]]
    if missing:
        shown = ", ".join(missing[:3])
        raise BadInput(
            f"{folder}: {len(missing)} weights that the model needs are not in the checkpoint, or "
            f"have another shape ({shown}{', …' if len(missing) > 3 else ''}); it would compute "
            "with random numbers. Fetch the checkpoint again, whole"
        )


def _unusable(folder: Path, error: Exception) -> BadInput:
    return BadInput(
        f"{folder}: transformers {transformers.__version__} cannot load it as a model that takes "
        f"pictures and text ({type(error).__name__}: {first_line(error)}). Is it one, whole, and "
        "known to this version?"
    )


def _defaults(generation: Any) -> Drawing:
    if not generation.do_sample:
        return GREEDY
    top_k = TOP_K if generation.top_k is None else generation.top_k
    heat = 1.0 if generation.temperature is None else generation.temperature
    return Drawing(heat, 1.0 if generation.top_p is None else generation.top_p, top_k)


def _ids(*values: int | Iterable[int] | None) -> frozenset[int]:
    """All token ids in settings that may hold one, several or none."""
    found: set[int] = set()
    for value in values:
        found |= {value} if isinstance(value, int) else set(value or ())
    return frozenset(found)
