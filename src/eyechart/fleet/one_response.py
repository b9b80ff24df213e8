"""One response as a row of Arrow, and back: the columns of a response table in one place.

In: a response with the number of its request and its origin, or a row. Out: the row, or the same
record. Reads and writes no file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

import pyarrow as pa

from eyechart.fleet.logged_calls import Origin, Sent
from eyechart.fleet.parquet_tables import Form
from eyechart.records import Failure, Likelihood, Response, Role, Usage

ROLES = get_args(Role)
FAILURES = ("image", "transient", "refused", "budget")
SAME = ("item_id", "role", "variant", "draw", "key", "model", "revision", "text", "reasoning")
SAME_TOO = ("bound", "finish", "seconds")
_SENT = pa.struct(
    {
        "sha256": pa.string(),
        "format": pa.string(),
        "width": pa.int64(),
        "height": pa.int64(),
        "n_bytes": pa.int64(),
        "changed": pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A response, the number of its request in the table of requests, and where it comes from."""

    n: int
    response: Response
    origin: Origin = Origin()


def response_schema() -> pa.Schema:
    """The columns of a response table: those of `Response`, and what the call log keeps beside.

    `n`: of the request. `failure`: its kind, with `failure_message`, null for an answer.
    `n_tokens`, `prompt` and `n_prompt` are the likelihood's. `question`: the canonical text whose
    sha256 is `key`. `pictures`: as they were sent. `at`: when it was answered.
    """
    return pa.schema(
        {
            "n": pa.int64(),
            **dict.fromkeys(["item_id", "role", "variant"], pa.string()),
            "draw": pa.int64(),
            **dict.fromkeys(["key", "model", "revision", "text", "reasoning"], pa.string()),
            "logprobs": pa.list_(pa.float64()),
            "bound": pa.float64(),
            "finish": pa.string(),
            **dict.fromkeys(["tokens_in", "tokens_out"], pa.int64()),
            "seconds": pa.float64(),
            **dict.fromkeys(["failure", "failure_message"], pa.string()),
            "n_tokens": pa.list_(pa.int64()),
            "prompt": pa.float64(),
            "n_prompt": pa.int64(),
            "question": pa.string(),
            "pictures": pa.list_(_SENT),
            "at": pa.string(),
        }
    )


FORM = Form(
    "table of responses",
    response_schema(),
    frozenset({"n", "item_id", "role", "draw", "key", "model"}),
    "remove this file, and have its requests answered again",
)


def row_of_response(placed: Placed) -> dict[str, Any]:
    """The row of a response. Half characters become escapes, as in the call log."""
    response, origin, failure = placed.response, placed.origin, placed.response.failure
    lengths = response.likelihood
    row = {
        "n": placed.n,
        **{name: getattr(response, name) for name in (*SAME, *SAME_TOO)},
        "logprobs": list(response.logprobs),
        "tokens_in": response.usage.tokens_in,
        "tokens_out": response.usage.tokens_out,
        "failure": failure.kind if failure else None,
        "failure_message": failure.message if failure else None,
        "n_tokens": list(lengths.n_tokens) if lengths else None,
        "prompt": lengths.prompt if lengths else None,
        "n_prompt": lengths.n_prompt if lengths else None,
        "question": origin.question,
        "pictures": [dataclasses.asdict(one) for one in origin.pictures],
        "at": origin.at,
    }
    return {name: _storable(value) for name, value in row.items()}


def response_of_row(row: Mapping[str, Any], where: str) -> Placed:
    """What a row holds; the types of its values are those of `response_schema`.

    Raises BadInput with `where` and the column for what no response can have.
    """
    if row["role"] not in ROLES:
        raise FORM.wrong(where, "role", f"one of {', '.join(ROLES)}", row["role"])
    response = Response(
        item_id=row["item_id"],
        role=cast(Role, row["role"]),
        draw=row["draw"],
        key=row["key"],
        model=row["model"],
        revision=row.get("revision") or "",
        text=row.get("text"),
        reasoning=row.get("reasoning"),
        logprobs=tuple(row.get("logprobs") or ()),
        bound=row.get("bound"),
        finish=row.get("finish"),
        usage=Usage(row.get("tokens_in"), row.get("tokens_out")),
        seconds=row.get("seconds") or 0.0,
        failure=_failure(row, where),
        variant=row.get("variant") or "",
        likelihood=_likelihood(row, where),
    )
    pictures = tuple(_sent(one, where) for one in row.get("pictures") or ())
    origin = Origin(row.get("question") or "", pictures, row.get("at") or "")
    return Placed(row["n"], response, origin)


def _failure(row: Mapping[str, Any], where: str) -> Failure | None:
    kind = row.get("failure")
    if kind is None:
        return None
    if kind not in FAILURES:
        raise FORM.wrong(where, "failure", f"one of {', '.join(FAILURES)}, or null", kind)
    return Failure(cast(Any, kind), row.get("failure_message") or "")


def _likelihood(row: Mapping[str, Any], where: str) -> Likelihood | None:
    n_tokens = row.get("n_tokens")
    if n_tokens is None:
        return None
    if None in n_tokens:
        raise FORM.wrong(where, "n_tokens", "a number for each text", n_tokens)
    return Likelihood(tuple(n_tokens), row.get("prompt"), row.get("n_prompt"))


def _sent(one: Mapping[str, Any] | None, where: str) -> Sent:
    if one is None or any(value is None for value in one.values()):
        raise FORM.wrong(where, "pictures", f"{', '.join(_SENT.names)} of each", one)
    return Sent(**one)


def _storable(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value
