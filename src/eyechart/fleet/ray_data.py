"""A table of requests answered by a fleet: Ray Data hands shares of it to workers on all machines.

In: a table of requests and a model. Out: a folder of responses, as `asking_table` writes it. Every
worker opens the model once and answers its shares with the ordinary engine. It reads their
photographs itself, ahead of the model, so Ray carries nothing but numbers.

A worker that is lost is started again, and its share goes on behind what it had written: at most
`PART_ROWS` answers are asked twice, none is lost. A part is named by what it holds, so written
twice it is there once; where two workers answered the same, readers of the folder count one.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eyechart import plugins
from eyechart.asking import AskSettings, Budget, Tally
from eyechart.asking.backend import Backend
from eyechart.errors import BadInput, Fatal
from eyechart.fleet import answer_folder, ray_vllm
from eyechart.fleet.answer_folder import AskedTable
from eyechart.fleet.asking_table import asked_of, notes_of
from eyechart.fleet.places import place_of
from eyechart.fleet.ray_cluster import joined, resources
from eyechart.fleet.share_worker import Account, ShareWorker, Task, account_of
from eyechart.fleet.shares import Parts, Share, shares_of

CAUSE = re.compile(r"(?!ray[.:])[\w.]+(Error|Exception|Exit)\b")
"""How the last line of a traceback begins, but for Ray's own errors around it."""


@dataclass(frozen=True, slots=True)
class RaySettings:
    """How a fleet asks. `ask`: as on one machine; each worker has its own pace, and no budget.

    `workers`: models that are open at once, None for as many as the cluster has room for, and for a
    model behind an address one. `address`: of the cluster (see `ray_cluster.joined`). `cpus`,
    `gpus`: what each worker is given; gpus None is one GPU for a model on this machine where the
    cluster has any. `batch_size`: most requests of a share, None for what suits the table. `vllm`:
    let vLLM compute what it can (see `ray_vllm`), None where it is installed.
    """

    ask: AskSettings = AskSettings()
    workers: int | None = None
    address: str = ""
    cpus: float = 1.0
    gpus: float | None = None
    batch_size: int | None = None
    vllm: bool | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"expected {name} of at least 1, not {value}")
        if not self.cpus >= 0 or not (self.gpus or 0.0) >= 0:
            raise BadInput(f"expected cpus and gpus of 0 or more, not {self.cpus} and {self.gpus}")
        if self.ask.budget != Budget(price=self.ask.budget.price):
            raise BadInput(
                "a budget cannot be kept by many workers at once; leave it out, or ask on one "
                "machine, without --on ray"
            )


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers there are, and what each is given of the cluster."""

    n_workers: int
    cpus: float
    gpus: float


def ask_on_ray(
    requests: str | Path, model: str, out: str | Path, *, settings: RaySettings | None = None
) -> AskedTable:
    """Ask a model what a table of requests asks, on all machines of a Ray cluster.

    Run again, it asks only what has no answer in the folder. On a cluster of several machines
    `requests` and `out` lie where all of them reach them, and on each are the same eyechart, the
    model's folder, and in its environment the key of a service.

    Raises what `asking_table.ask_table` raises, Fatal where workers are lost again and again, and
    MissingExtra where Ray is not installed; what was answered by then is in the folder.
    """
    settings = settings or RaySettings()
    requests, out = _everywhere(requests), _everywhere(out)
    backend = plugins.open_model(model)
    asked = asked_of(requests, backend, settings.ask)
    account = Account()
    with answer_folder.opened(out, asked) as folder:
        if len(folder.answered) < asked.n_requests:
            task = Task(requests, model, asked, Parts(out, 0), settings.ask, str(Path.cwd()))
            with joined(settings.address) as ray:
                account = _Run(ray, task, settings, backend).answer(folder.answered)
        n_before = len(folder.answered)
    counts = (account.n_asked, account.n_found, account.n_failed)
    notes = notes_of(Tally(changed=Counter(account.changed)))
    return AskedTable(out, asked.n_requests, n_before, *counts, _most_frequent(account), notes)


class _Run:
    """One run on a connected cluster."""

    def __init__(self, ray: Any, task: Task, settings: RaySettings, backend: Backend) -> None:
        self._ray, self._task, self._most = ray, task, settings.batch_size
        self._crew = crew_for(settings, backend, **resources(ray))
        self._uses_vllm = ray_vllm.is_used(
            settings.vllm, task.model, settings.ask, has_gpu=self._crew.gpus > 0
        )

    def answer(self, done: frozenset[int]) -> Account:
        """Answer all that is not done: what vLLM computes first, then the rest."""
        account = Account()
        for wants in ray_vllm.roads(self._uses_vllm):
            shares = shares_of(
                self._task.requests,
                done=done,
                wants=wants,
                n_workers=self._crew.n_workers,
                most=self._most,
            )
            if shares:
                account += self._answer(shares, by_vllm=wants == ray_vllm.WANTS)
        return account

    def _answer(self, shares: Sequence[Share], *, by_vllm: bool) -> Account:
        parts = Parts(self._task.parts.out, time.time_ns())
        account, task = Account(), replace(self._task, parts=parts)
        data = self._ray.data.from_items(
            [dataclasses.asdict(share) for share in shares], override_num_blocks=len(shares)
        )
        n_workers = min(len(shares), self._crew.n_workers)
        if by_vllm:
            data = ray_vllm.answered(data, task, n_engines=n_workers)
        else:
            data = self._with_workers(data, task, n_workers)
        with closing(self._accounts(data)) as accounts:  # else its workers would work on
            for one in accounts:
                one.check()
                account += one
        check_all_there(parts, sum(len(share.wanted) for share in shares))
        return account

    def _accounts(self, data: Any) -> Generator[Account, None, None]:
        try:
            for row in data.iter_rows():
                yield account_of(row)
        except self._ray.exceptions.RayError as error:
            raise lost(error) from error

    def _with_workers(self, data: Any, task: Task, n_workers: int) -> Any:
        crew, ledger = self._crew, self._ray.remote(num_cpus=0)(Ledger).remote()
        # One share in flight: what waits at a worker would be tried again with it when it is lost.
        pool = self._ray.data.ActorPoolStrategy(size=n_workers, max_tasks_in_flight_per_actor=1)
        return data.map(
            ShareWorker,
            fn_constructor_args=[task, Tries(ledger)],
            compute=pool,
            num_cpus=crew.cpus,
            num_gpus=crew.gpus or None,
        )


def check_all_there(parts: Parts, n_wanted: int) -> None:
    """Raise Fatal where responses that workers have written are not seen here.

    Machines that share no folder write each into its own, and none of them notices.
    """
    n_found = len(set(parts.all_written()))
    if n_found < n_wanted:
        raise Fatal(
            f"{parts.out}: {n_wanted - n_found} of {n_wanted} responses are not there as seen from "
            "this machine. Is it the same folder on every machine of the fleet? Name a place that "
            "all of them reach, such as s3://…, and run the command again"
        )


def crew_for(
    settings: RaySettings, backend: Backend, *, CPU: float = 0.0, GPU: float = 0.0
) -> Crew:
    """The workers that a cluster with so many CPUs and GPUs has room for, at least one.

    >>> from eyechart.backends.guess import Guess
    >>> crew_for(RaySettings(), Guess(), CPU=8)
    Crew(n_workers=1, cpus=1.0, gpus=0.0)
    """
    is_local = backend.window is not None
    gpus = settings.gpus if settings.gpus is not None else float(is_local and GPU >= 1)
    n_workers = settings.workers
    if n_workers is None and is_local:
        rooms = [int(CPU // settings.cpus)] if settings.cpus else []
        rooms += [int(GPU // gpus)] if gpus else []
        n_workers = min(rooms, default=1)
    return Crew(max(1, n_workers or 1), settings.cpus, gpus)


def lost(error: Exception) -> Fatal:
    """What to tell where Ray gave up, without the pages that it writes about it."""
    said = [line.strip() for line in str(error).splitlines()]
    told = next((line for line in reversed(said) if CAUSE.match(line)), type(error).__name__)
    return Fatal(
        f"a worker failed ({told[:300]}). What was answered "
        "is kept; run the same command again to go on. Is the same eyechart installed on every "
        "machine of the fleet? Ray's own logs say more (session_latest/logs)"
    )


class Ledger:
    """How often each share was begun; in a process of its own, it outlives the workers."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()

    def begin(self, share: int) -> int:
        """The number of this try, from 1 on."""
        self._begun[share] += 1
        return self._begun[share]


@dataclass(frozen=True, slots=True)
class Tries:
    """A worker's way to the ledger."""

    ledger: Any

    def __call__(self, share: int) -> int:
        """The number of this try at a share, from 1 on."""
        import ray

        return int(ray.get(self.ledger.begin.remote(share)))


def _everywhere(place: str | Path) -> str:
    """An address that means the same in every folder."""
    return str(place_of(place).local or place)


def _most_frequent(account: Account) -> str:
    most = Counter(account.why).most_common(1)
    return "".join(f"{told} ({n} times)" for told, n in most)
