"""A checkpoint's processor: its tokenizer, its image processor and its chat template in one.

In: a folder. Out: the processor, of the class that transformers has for it. Videos are left out of
it, since what reads them needs torchvision: so it loads alike with torchvision and without. Runs
no code of a checkpoint's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput, MissingExtra
from eyechart.local.checkpoint.finding import require_libraries
from eyechart.local.checkpoint.settings_files import again, read_settings
from eyechart.local.quiet import first_line, quiet

NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
"""Where a checkpoint names the class of its processor, in the order that transformers asks."""
PARTS = ("tokenizer", "image_processor")
VIDEO = "video_processor"


def load_processor(folder: Path) -> Any:
    """The processor of the checkpoint in this folder.

    It has `tokenizer`, `image_processor` and `chat_template` (None where there is none), and makes
    a model's inputs when called with `text` and `images`. Raises BadInput where transformers has no
    class for it or cannot load it, MissingExtra where a library is not installed.
    """
    require_libraries()
    with quiet():
        kind = _kind(folder)
        try:
            processor = _loaded(kind, folder)
        except ImportError as error:
            told = first_line(error).partition(". ")[0]
            raise MissingExtra(
                f"{folder}: a library that its processor needs is not installed ({told}); install "
                "it with pip, or choose another model"
            ) from None
        except Exception as error:  # whatever a stranger's files make transformers raise
            raise _unusable(folder, kind, error) from error
    if any(getattr(processor, name, None) is None for name in PARTS):
        raise BadInput(
            f"{folder}: its processor ({kind.__name__}) is not one of pictures and text; expected "
            f"one with {' and '.join(PARTS)}; choose a model that takes both"
        )
    if not processor.chat_template:
        processor.chat_template = processor.tokenizer.chat_template
    return processor


def _kind(folder: Path) -> Any:
    """The class of the processor: that which the files name, else that of the model's type."""
    import transformers

    for name in _named(folder):
        kind = getattr(transformers, name, None)
        if isinstance(kind, type) and issubclass(kind, transformers.ProcessorMixin):
            return kind
    try:
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        return transformers.PROCESSOR_MAPPING[type(config)]
    except (OSError, ValueError, KeyError):  # of the first, of both, of the second
        named = ", ".join(_named(folder)) or "none"
        raise BadInput(
            f"{folder}: transformers {transformers.__version__} has no processor for it; expected "
            f"a processor_class that it knows in one of {', '.join(NAMED_IN)} (found: {named}). "
            "Update transformers, or choose a model made for it"
        ) from None


def _named(folder: Path) -> Iterator[str]:
    for file in NAMED_IN:
        name = read_settings(str(folder), folder, file).get("processor_class")
        if isinstance(name, str):
            yield name


def _loaded(kind: Any, folder: Path) -> Any:
    if VIDEO not in kind.get_attributes():
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    lenient = type(kind.__name__, (kind,), {"check_argument_for_proper_class": _checked})
    told, _ = kind.get_processor_dict(folder, local_files_only=True)
    parts = [_part(name, folder) for name in kind.get_attributes()]
    return lenient.from_args_and_dict(parts, told)  # type: ignore[attr-defined]


def _part(name: str, folder: Path) -> Any:
    """A part of a processor, None for that of videos. Raises KeyError for one of another name."""
    import transformers

    if name == VIDEO:
        return None
    loader: Any = {
        "tokenizer": transformers.AutoTokenizer,
        "image_processor": transformers.AutoImageProcessor,
        "feature_extractor": transformers.AutoFeatureExtractor,
    }[name]
    return loader.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _checked(processor: Any, name: str, part: object) -> Any:
    """As transformers checks the parts of a processor, but for videos nothing will do."""
    import transformers

    if name == VIDEO and part is None:
        return None
    check: Any = transformers.ProcessorMixin.check_argument_for_proper_class
    return check(processor, name, part)


def _unusable(folder: Path, kind: Any, error: Exception) -> BadInput:
    what, files = f"its processor ({kind.__name__})", "processor"
    for name in PARTS:
        try:
            _part(name, folder)
        except Exception as cause:  # as in load_processor
            files, error = name.replace("_", " "), cause
            what = f"its {files}"
            break
    return BadInput(
        f"{folder}: transformers cannot load {what} ({type(error).__name__}: {first_line(error)}); "
        f"expected files as it saves them; {again(files)}"
    )
