"""What commands print alike: a console, notes, and JSON for other programs.

In: sentences and records. Out: lines on standard output. Makes no table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.text import Text

WIDE = 200
Records = Sequence[Mapping[str, object]]


def wide_console() -> Console:
    """The terminal, or a wide page where the output goes elsewhere; text stands as it is."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(highlight=False, markup=False, emoji=False, width=width)


def print_text(console: Console, text: str) -> None:
    """Print a sentence, broken into lines on a terminal alone."""
    console.print(Text(text), soft_wrap=not console.is_terminal)


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """Print each note, said to be one."""
    for note in notes:
        print_text(console, f"Note: {note}")


def print_json(records: Records) -> None:
    """Print the records as one JSON list."""
    print(json.dumps(list(records), indent=1, ensure_ascii=False))
