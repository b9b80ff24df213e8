"""Which files of a checkpoint hold its weights, and whether they are whole.

In: the names of the files there are. Out: those that transformers reads, in its order of
preference. Reads indices and headers only, never a number; opens no pickle.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.local.checkpoint.settings_files import POINTER, again, read_settings

SAFE = "model.safetensors"
PICKLED = "pytorch_model.bin"
INDEX = ".index.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
MOST_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_NAMES_SHOWN = 3


def weight_names(
    where: str, folder: Path, held: Collection[str], *, pickles: bool = False
) -> tuple[str, ...]:
    """The files that hold the weights: one, or the shards that an index names.

    `where`: what messages call the checkpoint. `held`: the names of its files, of which the indices
    are in `folder`. `pickles`: weights that are pickles will do. Raises BadInput where there are
    none, none but pickles, or where a shard is missing.
    """
    own = read_settings(where, folder, "config.json").get("transformers_weights")
    first = (own,) if isinstance(own, str) else (SAFE, SAFE + INDEX)
    for name in (*first, *((PICKLED, PICKLED + INDEX) if pickles else ())):
        if name in held:
            return _shards(where, folder, name, held) if name.endswith(INDEX) else (name,)
    raise _no_weights(where, held, pickles)


def check_weights(where: str, folder: Path, names: Sequence[str]) -> None:
    """Raises BadInput where a safetensors file is cut short, or is none."""
    for name in names:
        if name.endswith(".safetensors"):
            _check(f"{where}: {name}", folder / name)


def _shards(where: str, folder: Path, index: str, held: Collection[str]) -> tuple[str, ...]:
    places = read_settings(where, folder, index).get("weight_map")
    names = set(places.values()) if isinstance(places, dict) else set()
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise BadInput(
            f"{where}: {index} does not say which file holds which weights (expected weight_map, "
            f"with names of files in this folder); {again()}"
        )
    if missing := sorted(names - set(held)):
        raise BadInput(
            f"{where}: {len(missing)} of the {len(names)} files with weights that {index} names "
            f"are missing ({_shown(missing)}); {again()}"
        )
    return tuple(sorted(names))


def _no_weights(where: str, held: Collection[str], pickles: bool) -> BadInput:
    pickled = sorted(name for name in held if name.endswith(PICKLES))
    if pickled and not pickles:
        return BadInput(
            f"{where}: its weights are pickles ({_shown(pickled)}), which can hold any program; "
            f"expected {SAFE}. Choose a version with safetensors or convert it; if you trust the "
            f"files and they are called {PICKLED}, write ?pickles=yes after the address"
        )
    safe = sorted(name for name in held if name.endswith(".safetensors"))
    found = f"; {_shown([*safe, *pickled])} are none that transformers reads" if safe else ""
    also = f", or {PICKLED} or {PICKLED}{INDEX}" if pickles else ""
    return BadInput(
        f"{where}: no weights; expected {SAFE} or {SAFE}{INDEX}{also}{found}; {again()}"
    )


def _check(where: str, file: Path) -> None:
    n_held = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(max(8, len(POINTER)))
        n_header = int.from_bytes(start[:8], "little")
        if start == POINTER:
            raise BadInput(
                f"{where} is what Git LFS left in its place, without the weights; run git lfs pull"
            )
        if n_held < 8 or n_header > MOST_HEADER_BYTES:
            raise _not_safe(where)
        opened.seek(8)
        header = opened.read(n_header)
    n_wanted = 8 + n_header + (_n_data(where, header) if len(header) == n_header else 0)
    if n_held < n_wanted:
        raise BadInput(
            f"{where} is cut short: {n_held} bytes, where its header promises "
            f"{'at least ' if len(header) < n_header else ''}{n_wanted}; {again()}"
        )
    if n_held > n_wanted:
        raise _not_safe(where)


def _n_data(where: str, header: bytes) -> int:
    """Bytes after the header, as the header tells: where the last tensor ends."""
    try:
        told: dict[str, Any] = json.loads(header)
        ends = [told[name]["data_offsets"][1] for name in told if name != "__metadata__"]
        return max((int(end) for end in ends), default=0)
    except (ValueError, TypeError, KeyError, IndexError):
        raise _not_safe(where) from None


def _not_safe(where: str) -> BadInput:
    return BadInput(f"{where} is no safetensors file, or a damaged one; {again()}")


def _shown(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES_SHOWN
    return ", ".join(names[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
