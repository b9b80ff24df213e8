"""The folder that answers to a table of requests are collected in: whose they are, and which.

    asked.json part-….parquet part-….parquet …

In: what is to be asked, and responses. Out: the numbers that are answered already, and new parts.
A folder holds the answers of one model to one table. Asks nobody.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyechart import run_folder
from eyechart.errors import BadInput
from eyechart.fleet.one_response import Placed
from eyechart.fleet.places import Place, exists, names_in, place_of, read_bytes, written_whole
from eyechart.fleet.response_table import answered_in, is_part, write_part

ASKED = "asked.json"
OTHER = "name another folder with --out"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a folder holds the answers to; what is another is collected in another folder.

    `requests`: the digest of the table. `max_pixels`: see `AskSettings`.
    """

    requests: str
    n_requests: int
    model: str
    revision: str
    max_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class AskedTable:
    """What came of a table of requests. `out`: the folder with the answers.

    `n_before`: answered there before; `n_asked`, `n_found`, `n_failed`: now, as in `Tally`, of the
    others. `why`: the most frequent failure. `notes`: what a reader of the answers must know.
    """

    out: str
    n_requests: int
    n_before: int = 0
    n_asked: int = 0
    n_found: int = 0
    n_failed: int = 0
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerFolder:
    """An open folder. `answered`: the numbers of the requests that have an answer there."""

    out: str
    answered: frozenset[int] = field(repr=False)

    def add(self, responses: Sequence[Placed]) -> None:
        """Write a part. Raises BadInput where it cannot be written."""
        if responses:
            write_part(self.out, responses)


@contextmanager
def opened(out: str | Path, asked: Asked) -> Iterator[AnswerFolder]:
    """The folder, made where it is missing; on this machine it is held for this process alone.

    Raises BadInput where it holds answers to something else, where a part is damaged, where it
    cannot be written, and where another process is at work in it.
    """
    place = place_of(out)
    with ExitStack() as held:
        if place.local is not None:
            held.enter_context(run_folder.opened(place.local))
            _forget_torn(place)
        answered = answered_at(out, asked)
        if not exists(place.at(ASKED)):
            text = json.dumps(dataclasses.asdict(asked), indent=2, ensure_ascii=False)
            with written_whole(place.at(ASKED)) as file:
                file.write((text + "\n").encode("utf-8", "backslashreplace"))
        yield AnswerFolder(str(out), answered)


def answered_at(out: str | Path, asked: Asked) -> frozenset[int]:
    """The numbers that are answered in a folder; nothing is written.

    Raises BadInput where it holds answers to something else.
    """
    place = place_of(out)
    parts = [place.at(name) for name in names_in(place) if is_part(name)]
    if exists(place.at(ASKED)):
        _check_same(place, _read(place.at(ASKED)), dataclasses.asdict(asked))
    elif parts:
        raise BadInput(
            f"{place.shown}: holds {parts[0].path.rpartition('/')[2]}, but no {ASKED} that says "
            f"whose answers these are; {OTHER}"
        )
    return answered_in(parts)


def _read(file: Place) -> dict[str, Any]:
    try:
        values = json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file.shown}: not readable ({error}); {OTHER}") from None
    if not isinstance(values, dict):
        raise BadInput(f"{file.shown}: expected a JSON object, not {values!r:.80}; {OTHER}")
    return values


def _check_same(place: Place, was: dict[str, Any], now: dict[str, Any]) -> None:
    differs = [name for name in now if was.get(name) != now[name]]
    if differs:
        told = ", ".join(
            f"{name} {_told(was.get(name))}, now {_told(now[name])}" for name in differs
        )
        raise BadInput(f"{place.shown}: holds the answers to something else ({told}); {OTHER}")


def _told(value: Any) -> str:
    return "nothing" if value is None else f"{value!r:.40}"


def _forget_torn(place: Place) -> None:
    """Remove what a killed process left of a part; nobody else is at work here."""
    for name in names_in(place):
        if name.startswith(".part-"):
            place.fs.rm_file(place.at(name).path)
