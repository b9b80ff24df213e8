"""Checkpoints: from an address to a folder that can be loaded, judged by its files alone.

In: a `LocalAddress`. Out: a `Checkpoint`, whose settings, template and weight files are there and
whole. A model on the hub is fetched: its settings first, its weights once those have been checked.
Loads nothing, runs no code of a checkpoint's, and imports neither torch nor transformers.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from eyechart.errors import BadInput, MissingExtra
from eyechart.local.checkpoint.address import SCHEME, LocalAddress
from eyechart.local.checkpoint.chat_templates import check_template
from eyechart.local.checkpoint.folder_digest import digest_of
from eyechart.local.checkpoint.hub_models import fetch, look_up
from eyechart.local.checkpoint.settings_files import (
    MORE_TEMPLATES,
    PATTERNS,
    again,
    check_settings,
    settings_files,
)
from eyechart.local.checkpoint.weight_files import check_weights, weight_names
from eyechart.local.pieces import Checkpoint, LocalOptions

LIBRARIES = ("torch", "transformers")


def find_checkpoint(address: LocalAddress) -> Checkpoint:
    """The checkpoint at an address, checked, and fetched where need be.

    Of a folder, every byte that decides an answer is read once, for its revision. Raises BadInput
    where it cannot be used, and MissingExtra where what would compute it is not installed.
    """
    require_libraries()
    return _in_folder(address) if address.is_folder else _on_hub(address)


def require_libraries() -> None:
    """Raises MissingExtra where torch or transformers is not installed; imports neither."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"a model on this machine needs {' and '.join(missing)}, which "
            f"{'are' if len(missing) > 1 else 'is'} not installed: "
            'pip install "eyechart[local]"'
        )


def _in_folder(address: LocalAddress) -> Checkpoint:
    folder = Path(address.source).expanduser().resolve()
    where = str(folder)
    if not folder.is_dir():
        raise BadInput(
            f"{where}: {'a file' if folder.exists() else 'no such folder'}; expected a model's "
            "folder, with its config.json and model.safetensors; check the path after hf:"
        )
    try:
        held = {file.name for file in folder.iterdir() if file.is_file()}
        _check_small(where, folder)
        weights = weight_names(where, folder, held, pickles=address.options.pickles)
        check_weights(where, folder, weights)
        files = [*settings_files(folder), *(folder / name for name in weights)]
        revision = digest_of(folder, files)
    except OSError as error:
        name = Path(error.filename).name if error.filename else "a file in it"
        raise BadInput(
            f"{where}: {name} cannot be read ({error.strerror}); check who may read it, or "
            f"{again()}"
        ) from None
    return Checkpoint(folder, _name(folder.name, address.options), revision, address.options)


def _on_hub(address: LocalAddress) -> Checkpoint:
    model = look_up(address)
    folder = fetch(model, [*PATTERNS, f"{MORE_TEMPLATES}/*.jinja"])
    _check_small(str(model), folder)
    held = model.held or frozenset(file.name for file in folder.iterdir())
    weights = weight_names(str(model), folder, held, pickles=address.options.pickles)
    fetch(model, weights, commit=folder.name)
    check_weights(str(model), folder, weights)
    return Checkpoint(folder, _name(address.source, address.options), folder.name, address.options)


def _check_small(where: str, folder: Path) -> None:
    check_settings(where, folder)
    check_template(where, folder)


def _name(name: str, options: LocalOptions) -> str:
    return f"{SCHEME}{name}{f'?dtype={options.dtype}' if options.dtype else ''}"
