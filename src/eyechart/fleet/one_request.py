"""One request as a row of Arrow, and back: the columns of a requests table in one place.

In: a request, or a row. Out: the row, or the same request: the same content key for the same model.
Writes no file, and reads none but the photographs that a request names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args

import pyarrow as pa

from eyechart.errors import BadInput, BadPicture
from eyechart.fleet.parquet_tables import Form
from eyechart.images import bytes_of
from eyechart.records import Picture, Request, Role, Sampling, Turn, Want

SPEAKERS = ("system", "user", "assistant")
ROLES = get_args(Role)
WANTS = ("text", "next_word", "likelihood")
PICTURE_TEXTS = {"name": pa.string(), "sha256": pa.string()}


def request_schema(data: pa.DataType | None = None) -> pa.Schema:
    """The columns of a requests table.

    `n`: the request's number, rising from row to row. `turns`: JSON, `[["user", "text", 0, …], …]`,
    where a number is a picture's place in `pictures`. `pictures`: each with what errors call it,
    its hex sha256 and the file's own bytes, of the type `data`, binary if None.
    """
    picture = pa.struct({**PICTURE_TEXTS, "data": data or pa.binary()})
    return pa.schema(
        {
            "n": pa.int64(),
            "item_id": pa.string(),
            "role": pa.string(),
            "turns": pa.string(),
            "pictures": pa.list_(picture),
            "begun": pa.string(),
            "temperature": pa.float64(),
            "top_p": pa.float64(),
            "max_tokens": pa.int64(),
            "want": pa.string(),
            "words": pa.list_(pa.string()),
            "draw": pa.int64(),
            "variant": pa.string(),
        }
    )


FORM = Form(
    "table of requests",
    request_schema(),
    frozenset({"n", "item_id", "role", "turns", "want"}),
    "write the table again with `eyechart requests`",
)


class Photographs:
    """The rows of photographs, each file read once for all the requests that show it."""

    def __init__(self) -> None:
        self._rows: dict[Picture, dict[str, Any]] = {}
        self.n_bytes = 0

    def hold(self, pictures: Iterable[Picture]) -> bool:
        """Whether all of these were read already."""
        return all(picture in self._rows for picture in pictures)

    def row_of(self, picture: Picture) -> dict[str, Any]:
        """The row of a picture. Raises BadPicture where it cannot be read."""
        if picture not in self._rows:
            self._rows[picture] = self._read(picture)
        return self._rows[picture]

    def _read(self, picture: Picture) -> dict[str, Any]:
        try:
            data = bytes_of(picture)
        except BadPicture as error:
            raise BadPicture(f"{picture.label}: {error}") from None
        self.n_bytes += len(data)
        return {
            "name": picture.label.encode("utf-8", "backslashreplace").decode(),
            "sha256": picture.sha256 or hashlib.sha256(data).hexdigest(),
            "data": data,
        }


def row_of_request(
    n: int, request: Request, photographs: Photographs | None = None
) -> dict[str, Any]:
    """The row of a request, its photographs read; `photographs`: those that were read before.

    Raises BadPicture where one cannot be read, BadInput where a text has half a character.

    >>> row = row_of_request(0, Request("7", "answer", (Turn("user", ("Is it sharp?",)),)))
    >>> row["turns"]
    '[["user", "Is it sharp?"]]'
    """
    photographs = photographs or Photographs()
    places = {picture: place for place, picture in enumerate(dict.fromkeys(request.pictures))}
    turns = [
        [turn.role, *[part if isinstance(part, str) else places[part] for part in turn.parts]]
        for turn in request.turns
    ]
    sampling, words = request.sampling, list(request.want.words)
    _check_whole([request.item_id, request.begun, request.variant, *words])
    return {
        "n": n,
        "item_id": request.item_id,
        "role": request.role,
        "turns": json.dumps(turns),
        "pictures": [photographs.row_of(picture) for picture in places],
        "begun": request.begun,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "want": request.want.name,
        "words": words,
        "draw": request.draw,
        "variant": request.variant,
    }


def request_of_row(row: Mapping[str, Any], where: str, *, seen: bool = True) -> Request:
    """The request that a row holds; the types of its values are those of `request_schema`.

    `seen`: with the bytes of its pictures. Raises BadInput with `where` and the column for what no
    request can have.
    """
    pictures = tuple(_picture(one, where, seen=seen) for one in row.get("pictures") or ())
    return Request(
        item_id=row["item_id"],
        role=cast(Role, _one_of(row, "role", ROLES, where)),
        turns=_turns(row["turns"], pictures, where),
        begun=row.get("begun") or "",
        sampling=_sampling(row, where),
        want=_want(row, where),
        draw=_at_least(row, "draw", 0, where) or 0,
        variant=row.get("variant") or "",
    )


def _check_whole(texts: Sequence[str]) -> None:
    """Raise BadInput for what UTF-8, and so Parquet, cannot hold."""
    for text in texts:
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadInput(f"expected a text of whole characters, not {text!r:.80}; mend the item")


def _picture(one: Mapping[str, Any] | None, where: str, *, seen: bool) -> Picture:
    sha256, data = (one or {}).get("sha256"), (one or {}).get("data")
    if not sha256 or (seen and data is None):
        lacks = "sha256" if not sha256 else "data"
        raise FORM.wrong(where, "pictures", f"name, sha256 and data of each; one lacks {lacks}")
    return Picture(data=data, name=(one or {}).get("name") or "", sha256=sha256)


def _turns(text: str, pictures: Sequence[Picture], where: str) -> tuple[Turn, ...]:
    try:
        turns = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FORM.wrong(where, "turns", f"JSON ({error})", text) from None
    if not isinstance(turns, list):
        raise FORM.wrong(where, "turns", "a JSON list of turns", turns)
    return tuple(_turn(turn, pictures, where) for turn in turns)


def _turn(turn: Any, pictures: Sequence[Picture], where: str) -> Turn:
    if not isinstance(turn, list) or not turn or turn[0] not in SPEAKERS:
        raise FORM.wrong(where, "turns", f"lists that begin with {_either(SPEAKERS)}", turn)
    return Turn(turn[0], tuple(_part(part, pictures, where) for part in turn[1:]))


def _part(part: Any, pictures: Sequence[Picture], where: str) -> str | Picture:
    if isinstance(part, str):
        return part
    if isinstance(part, bool) or not isinstance(part, int) or not 0 <= part < len(pictures):
        expected = f"texts, or places in the row's {len(pictures)} pictures (0, 1, …)"
        raise FORM.wrong(where, "turns", expected, part)
    return pictures[part]


def _sampling(row: Mapping[str, Any], where: str) -> Sampling:
    temperature, top_p = row.get("temperature"), row.get("top_p")
    if temperature is not None and not temperature >= 0:
        raise FORM.wrong(where, "temperature", "0 or more, or null", temperature)
    if top_p is not None and not 0 < top_p <= 1:
        raise FORM.wrong(where, "top_p", "more than 0 and at most 1, or null", top_p)
    return Sampling(temperature, top_p, _at_least(row, "max_tokens", 1, where))


def _want(row: Mapping[str, Any], where: str) -> Want:
    name, words = _one_of(row, "want", WANTS, where), tuple(row.get("words") or ())
    if (name == "text") == bool(words) or None in words:
        needed = "none where a text is wanted" if name == "text" else f"those of the {name}"
        raise FORM.wrong(where, "words", needed, words)
    return Want(cast(Any, name), words)


def _at_least(row: Mapping[str, Any], column: str, least: int, where: str) -> int | None:
    value: int | None = row.get(column)
    if value is not None and value < least:
        raise FORM.wrong(where, column, f"{least} or more", value)
    return value


def _one_of(row: Mapping[str, Any], column: str, names: Sequence[str], where: str) -> str:
    value = row[column]
    if value not in names:
        raise FORM.wrong(where, column, _either(names), value)
    return str(value)


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
