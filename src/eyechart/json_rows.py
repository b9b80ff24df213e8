"""JSON files of a run, read with every field checked, and files written whole.

In: a file. Out: its rows, or one error with file, line and field. Knows no record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput
from eyechart.rows import misfit

AGAIN = (
    "run the same `eyechart run` again: what was answered is in the call log and is not asked again"
)
MEND = "mend it, or run again into a new folder: what was answered is in the call log"
Types = Mapping[str, tuple[type, ...]]
OR_NULL = type(None)


def rows_of(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each line stands, with its object. Raises BadInput for a line that is none."""
    if not file.is_file():
        raise BadInput(f"{file}: missing; expected a run folder with {file.name}")
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{file}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadInput(f"{where}: not a JSON object ({error}); {AGAIN}") from None
            if not isinstance(row, dict):
                raise BadInput(f"{where}: not a JSON object but {row!r:.80}; {AGAIN}")
            yield where, row


def fitting(values: Any, types: Types, needed: Sequence[str], where: str) -> dict[str, Any]:
    """The values that `types` knows. Raises BadInput with `where` and the first wrong field."""
    if not isinstance(values, dict):
        raise BadInput(f"{where}: expected a JSON object, not {values!r:.80}")
    missing = [f"{name}: missing" for name in needed if name not in values]
    wrong = missing[0] if missing else misfit(values, types)
    if wrong:
        raise BadInput(f"{where}: {wrong}; {MEND}")
    return {name: value for name, value in values.items() if name in types}


def fitting_all(values: Sequence[Any], kinds: tuple[type, ...], where: str) -> tuple[Any, ...]:
    """The values, each of one of these types. Raises BadInput with `where` and the place."""
    named = {str(place): value for place, value in enumerate(values)}
    return tuple(fitting(named, dict.fromkeys(named, kinds), (), where).values())


def write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or leave it as it was. Raises BadInput on a full disk."""
    temporary = file.with_name(f".{file.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadInput(
            f"{file}: cannot be written ({error.strerror}); make room or choose another folder"
        ) from None
