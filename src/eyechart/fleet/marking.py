"""How a response finds its way back to the request of a table that it answers.

In: numbered requests, and later the responses to them. Out: marked requests for the engine, and the
responses with their numbers and origins. Asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from eyechart.fleet.logged_calls import OpenLog, Origin
from eyechart.fleet.one_response import Placed
from eyechart.fleet.request_rows import Numbered
from eyechart.records import Request, Response


class Marked(str):
    """An item's id that knows the number of its request.

    The engine answers in any order, and hands on the id of the item alone. That is not enough: a
    table may ask about an item in the same role, draw and variant twice.
    """

    n: int


def marked(numbered: Iterable[Numbered]) -> Iterator[Request]:
    """The requests, each item's id marked with the number of the request."""
    for one in numbered:
        item_id = Marked(one.request.item_id)
        item_id.n = one.n
        yield replace(one.request, item_id=item_id)


def placed(responses: Sequence[Response], log: OpenLog) -> list[Placed]:
    """Responses to marked requests, with their numbers, and their origins from the log."""
    origins = log.origins([one.key for one in responses if one.failure is None])
    return [
        Placed(
            cast(Marked, one.item_id).n,
            replace(one, item_id=str(one.item_id)),
            origins.get(one.key, Origin()),
        )
        for one in responses
    ]
