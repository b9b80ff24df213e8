"""The small files of a checkpoint: what they must hold before anything is loaded.

In: a folder. Out: nothing, or an error that says what is missing. Whether transformers can make a
model of them shows only when it loads them. Runs no code of a checkpoint's, and imports no torch.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput

PATTERNS = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
MORE_TEMPLATES = "additional_chat_templates"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "tekken.json", "*.model", "*.tiktoken")
POINTER = b"version https://git-lfs.github.com/spec"
EXAMPLE = "hf:Qwen/Qwen3-VL-8B-Instruct"
_TYPES = ("auto_mappings.py", "configuration_auto.py")  # where transformers lists what it knows
_OF_PICTURES = re.compile("vision|visual|image")
_ADAPTER = "adapter_config.json"


def settings_files(folder: Path) -> list[Path]:
    """The small files that decide how a model is asked and read, sorted."""
    patterns = (*PATTERNS, f"{MORE_TEMPLATES}/*.jinja")
    return sorted(file for form in patterns for file in folder.glob(form) if file.is_file())


def check_settings(where: str, folder: Path) -> None:
    """Raises BadInput where this is no checkpoint of a model that takes pictures and text.

    `where`: what messages call the checkpoint. Its chat template is for `chat_templates`.
    """
    if (folder / _ADAPTER).is_file():
        raise BadInput(
            f"{where}: an adapter ({_ADAPTER}), not a whole model; merge it into the model that it "
            "was trained on, and give the folder of the merged one"
        )
    if not (folder / "config.json").is_file():
        raise BadInput(
            f"{where}: no config.json; expected a folder as transformers saves it, with "
            f"config.json, a processor, a tokenizer and model.safetensors. {_held(folder)}"
        )
    for file in settings_files(folder):
        _check_pointer(where, file)
    config = read_settings(where, folder, "config.json")
    _check_type(where, config)
    _check_pictures(where, folder, config)
    if not any(any(folder.glob(name)) for name in TOKENIZERS):
        raise BadInput(
            f"{where}: no tokenizer; expected one of {', '.join(TOKENIZERS)}; {again('tokenizer')}"
        )


def read_settings(where: str, folder: Path, name: str) -> dict[str, Any]:
    """A file of settings; {} where there is none. Raises BadInput where it is not a JSON object."""
    file = folder / name
    try:
        told = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(
            f"{where}: {name} cannot be read ({error.strerror}); check who may read it"
        ) from None
    except ValueError as error:
        raise BadInput(f"{where}: {name} is not JSON ({error}); {again()}") from None
    if not isinstance(told, dict):
        raise BadInput(f"{where}: {name}: expected a JSON object; {again()}")
    return told


def again(part: str = "") -> str:
    """What to do about a part that is missing or damaged."""
    if part:
        return f"copy the {part}'s files from the model that this one was made from"
    return "fetch the checkpoint again, whole"


def _check_type(where: str, config: dict[str, Any]) -> None:
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise BadInput(f"{where}: config.json names no model_type, which transformers goes by")
    if _is_known(kind):
        return
    if config.get("auto_map"):
        raise BadInput(
            f"{where}: its model_type {kind!r} is code in the model's own folder, which is never "
            f"run here; expected one that transformers {version('transformers')} itself knows. "
            "Choose a version made for it (its name often ends in -hf), or serve the model and "
            "give its http address"
        )
    raise BadInput(
        f"{where}: transformers {version('transformers')} knows no model_type {kind!r}; update it "
        "(pip install -U transformers), or choose another model"
    )


def _is_known(kind: str) -> bool:
    """True also where transformers keeps its list elsewhere; loading the model will then tell.

    To import the list would import torch, for seconds.
    """
    spec = importlib.util.find_spec("transformers")
    folder = Path(spec.origin or "").parent / "models" / "auto" if spec else Path()
    lists = [(folder / name).read_text("utf-8") for name in _TYPES if (folder / name).is_file()]
    return not lists or any(f'"{kind}"' in text for text in lists)


def _check_pictures(where: str, folder: Path, config: dict[str, Any]) -> None:
    there = [name for name in PROCESSORS if (folder / name).is_file()]
    told = [read_settings(where, folder, name) for name in there]
    if not any(_OF_PICTURES.search(key) for settings in (config, *told) for key in _keys(settings)):
        names = ", ".join(map(str, config.get("architectures") or ()))
        raise BadInput(
            f"{where}: a model that takes no pictures (model_type {config['model_type']}"
            f"{f', {names}' if names else ''}): its config.json has no vision part, and no "
            f"processor for pictures is there; expected one that takes both, such as {EXAMPLE}"
        )
    if not there:
        raise BadInput(
            f"{where}: no processor, which says how pictures are made the model's input; expected "
            f"{' or '.join(PROCESSORS)}; {again('processor')}"
        )


def _keys(settings: object) -> Iterator[str]:
    """The names of all settings, at any depth, that are not switched off."""
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if value is not None and value is not False:
            yield key
            yield from _keys(value)


def _check_pointer(where: str, file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(POINTER)) == POINTER:
            raise BadInput(
                f"{where}: {file.name} is what Git LFS left in its place, without its contents; "
                "run git lfs pull in this folder"
            )


def _held(folder: Path) -> str:
    names = sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))
    if any(name.endswith(".gguf") for name in names):
        return "A GGUF file is for a server such as llama.cpp: start it and give its http address"
    if not names:
        return "The folder is empty; check its name"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"It holds {', '.join(names[:5])}{more}; check its name"
