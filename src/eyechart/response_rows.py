"""`responses.jsonl` of a run: one line a response, written as they come and read back checked.

In: responses, or the file. Out: the file, or the same responses.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from eyechart.errors import BadInput
from eyechart.json_rows import OR_NULL, Types, fitting, fitting_all, rows_of
from eyechart.records import Failure, Likelihood, Response, Usage

USAGE_TYPES: Types = dict.fromkeys(["tokens_in", "tokens_out"], (int, OR_NULL))
FAILURE_TYPES: Types = dict.fromkeys(["kind", "message"], (str,))
RESPONSE_TYPES: Types = {
    **dict.fromkeys(["item_id", "role", "key", "model", "revision", "variant"], (str,)),
    **dict.fromkeys(["text", "reasoning", "finish"], (str, OR_NULL)),
    "draw": (int,),
    "logprobs": (list,),
    "bound": (float, int, OR_NULL),
    "usage": (dict,),
    "seconds": (float, int),
    **dict.fromkeys(["failure", "likelihood"], (dict, OR_NULL)),
}
LIKELIHOOD_TYPES: Types = {
    "n_tokens": (list,),
    "prompt": (float, int, OR_NULL),
    "n_prompt": (int, OR_NULL),
}
RESPONSE_NEEDS = ("item_id", "role", "draw", "key", "model")
_encode = json.JSONEncoder(ensure_ascii=False).encode


class ResponseWriter:
    """`responses.jsonl` of a run, one line a response; it takes its place when all are written.

    Until then, and where the writing fails, the file of an earlier run stays as it was. Raises
    BadInput where the disk is full: what was answered is in the call log, not lost.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "responses.jsonl"
        self._part = folder / ".responses.jsonl.part"
        with self._told():
            self._file: IO[str] = self._part.open("w", encoding="utf-8", errors="backslashreplace")

    def add(self, response: Response) -> None:
        """Append one line."""
        with self._told():
            self._file.write(_encode(_row_of_response(response)) + "\n")

    def __enter__(self) -> ResponseWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._told():
            self._file.close()
            if kind is None or not self._path.exists():
                self._part.replace(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadInput(
                f"{self._path}: cannot be written ({error.strerror}). Everything answered is in "
                "the call log; make room and run the same command again"
            ) from None


def read_responses(folder: Path) -> Iterator[Response]:
    """The responses of a run, in the order in which they came.

    Raises BadInput with file, line and field for a value that is missing or has the wrong type.
    """
    for where, line in rows_of(folder / "responses.jsonl"):
        row = fitting(line, RESPONSE_TYPES, RESPONSE_NEEDS, where)
        usage = fitting(row.pop("usage", {}), USAGE_TYPES, (), f"{where}: usage")
        failure = row.pop("failure", None)
        if failure is not None:
            needed = tuple(FAILURE_TYPES)
            failure = Failure(**fitting(failure, FAILURE_TYPES, needed, f"{where}: failure"))
        numbers = (float, int, OR_NULL)
        row["logprobs"] = fitting_all(row.get("logprobs", ()), numbers, f"{where}: logprobs")
        row["likelihood"] = _likelihood(row.get("likelihood"), where)
        yield Response(**row, usage=Usage(**usage), failure=failure)


def _likelihood(values: Any, where: str) -> Likelihood | None:
    if values is None:
        return None
    where = f"{where}: likelihood"
    known = fitting(values, LIKELIHOOD_TYPES, ("n_tokens",), where)
    known["n_tokens"] = fitting_all(known["n_tokens"], (int,), f"{where}: n_tokens")
    return Likelihood(**known)


def _row_of_response(response: Response) -> dict[str, Any]:
    row = {name: getattr(response, name) for name in RESPONSE_FIELDS}
    usage = response.usage
    row["usage"] = {"tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out}
    if response.likelihood:
        row["likelihood"] = dataclasses.asdict(response.likelihood)
    if response.failure:
        row["failure"] = {"kind": response.failure.kind, "message": response.failure.message}
    return {name: value for name, value in row.items() if value not in (None, ())}


RESPONSE_FIELDS = [
    f.name for f in dataclasses.fields(Response) if f.name not in ("usage", "failure", "likelihood")
]
