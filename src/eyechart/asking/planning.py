"""What asking would come to, counted before anything is paid.

In: requests and who would be asked. Out: counts. Asks nobody; pictures are read and encoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eyechart.asking.backend import Backend
from eyechart.asking.call_log import CallLog
from eyechart.asking.intake import Intake
from eyechart.records import Request


@dataclass(slots=True)
class Plan:
    """Counts of what would be asked, each question once. A likelihood is a call for each text.

    `n_found`: in the log; `n_failed`: cannot be sent. `n_bytes`: of pictures. `n_tokens`: the most
    that the replies can hold.
    """

    n_calls: int = 0
    n_found: int = 0
    n_failed: int = 0
    n_bytes: int = 0
    n_tokens: int = 0


def planned(
    requests: Iterable[Request], backend: Backend, log: CallLog | None, *, max_pixels: int | None
) -> Plan:
    """What asking these requests would come to. Raises BadInput as `eyechart.asking.ask` does.

    >>> from eyechart.backends.guess import Guess
    >>> planned([Request("1", "answer", ())] * 2, Guess(), None, max_pixels=None).n_calls
    1
    """
    plan, keys = Plan(), set[bytes]()
    intake = Intake(iter(requests), backend, log, max_pixels=max_pixels)
    while (chunk := intake.next_chunk()) is not None:
        new = {job.question.key: job.call for job in chunk.jobs if job.question.key not in keys}
        keys |= set(new)
        plan.n_found += chunk.n_found
        plan.n_failed += len(chunk.ready) - chunk.n_found
        for call in new.values():
            plan.n_calls += _calls_of(call.request)
            plan.n_bytes += sum(len(image.data) for image in call.images)
            plan.n_tokens += call.request.sampling.max_tokens or 0
    return plan


def _calls_of(request: Request) -> int:
    return len(request.want.words) if request.want.name == "likelihood" else 1
