"""Shares of a table: the requests that one worker takes at once, and the parts it writes of them.

In: a table of requests, and which of them are done. Out: shares, a share's requests, and parts with
its responses in the folder that all workers write into. Asks nobody.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from eyechart.fleet.one_request import FORM, WANTS
from eyechart.fleet.one_response import Placed
from eyechart.fleet.parquet_tables import ParquetTable
from eyechart.fleet.places import names_in, place_of
from eyechart.fleet.request_rows import (
    GROUP_ROWS,
    Numbered,
    numbered_in,
)
from eyechart.fleet.response_table import is_part, numbers_in, write_responses

SHARES_A_WORKER = 4
"""So many at least where the table is long enough, so that none waits long for the last one."""
FEWEST_ROWS = 256
BUT_WANTS = tuple(name for name in FORM.schema.names if name not in ("n", "want"))


@dataclass(frozen=True, slots=True)
class Share:
    """Requests that lie together in a table.

    `number`: of the share, from 0 on. `groups`: the row groups that they lie in. `wanted`: their
    numbers in the table, rising.
    """

    number: int
    groups: tuple[int, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that the workers of one run write into a folder.

    `run`: when it began, in nanoseconds; a later run's parts are counted after these.
    """

    out: str
    run: int

    def write(self, share: int, responses: Sequence[Placed]) -> str:
        """Write a part of a share and return its name, which tells what it holds.

        The same requests of the same share replace their part: written twice, they are there once.
        Raises BadInput where it cannot be written.
        """
        numbers = " ".join(str(n) for n in sorted(one.n for one in responses))
        digest = hashlib.sha256(numbers.encode()).hexdigest()[:12]
        name = f"{self._begin(share)}{digest}.parquet"
        write_responses(posixpath.join(self.out, name), responses)
        return name

    def written(self, share: int) -> dict[int, bool]:
        """The numbers that this run has written of a share, each with whether it failed."""
        return dict(self._numbers(self._begin(share)))

    def all_written(self) -> Iterator[int]:
        """The numbers in all parts of this run; one that two workers wrote comes twice."""
        return (n for n, _ in self._numbers(f"part-{self.run}-"))

    def _numbers(self, begin: str) -> Iterator[tuple[int, bool]]:
        """Those in the parts whose names begin so."""
        place = place_of(self.out)
        for name in names_in(place):
            if name.startswith(begin) and is_part(name):
                yield from numbers_in(place.at(name))

    def _begin(self, share: int) -> str:
        return f"part-{self.run}-{share:06}-"


def shares_of(
    requests: str,
    *,
    done: Container[int] = (),
    wants: Collection[str] = WANTS,
    n_workers: int = 1,
    most: int | None = None,
) -> list[Share]:
    """The requests that are not `done` and want one of `wants`, in shares for so many workers.

    `most`: requests of a share, None for what suits their number: some shares for each worker, yet
    none too small to be worth beginning. Photographs are not read. Raises BadInput for what is no
    table of requests.
    """
    with ParquetTable(place_of(requests), FORM) as table:
        open_rows = [
            (row.values["n"], group.index)
            for group in table.groups()
            for row in table.rows(group, at_once=GROUP_ROWS, without=BUT_WANTS)
            if row.values["n"] not in done and row.values["want"] in wants
        ]
    size = most or max(FEWEST_ROWS, -(-len(open_rows) // (SHARES_A_WORKER * n_workers)))
    rows, shares = iter(open_rows), list[Share]()
    while some := list(islice(rows, size)):
        groups = tuple(dict.fromkeys(group for _, group in some))
        shares.append(Share(len(shares), groups, tuple(n for n, _ in some)))
    return shares


def read_share(requests: str, share: Share, *, without: Container[int] = ()) -> Iterator[Numbered]:
    """The requests of a share, but for those of the numbers `without`; a few in memory at a time.

    Raises BadInput for what is no table of requests.
    """
    wanted = {n for n in share.wanted if n not in without}
    with ParquetTable(place_of(requests), FORM) as table:
        for group in table.groups():
            if group.index in share.groups:
                yield from numbered_in(table, group, wanted.__contains__)
