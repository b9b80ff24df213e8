"""From requests to jobs: pictures encoded, keys computed, the call log consulted.

In: an iterator of requests. Out: chunks of what is already answered, what cannot be sent, and what
is still to be asked. Runs in a thread of its own ahead of the sending, a bounded chunk at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from eyechart.asking.backend import Answer, Backend, Call
from eyechart.asking.call_log import CallLog, Logged, Question
from eyechart.asking.key import canonical, digests_of, key_of
from eyechart.errors import BadInput, BadPicture
from eyechart.images import encode
from eyechart.records import Failure, Request, Response

CHUNK_REQUESTS = 256
CHUNK_BYTES = 24 * 2**20


@dataclass(frozen=True, slots=True)
class Job:
    """A request that still has to be asked."""

    call: Call
    question: Question


@dataclass(slots=True)
class Chunk:
    """Some requests, sorted by what has to be done: `ready` responses need no call."""

    ready: list[Response] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    n_requests: int = 0
    n_bytes: int = 0
    n_found: int = 0
    changed: list[str] = field(default_factory=list)


class Intake:
    """Chunks of requests for one backend. `max_pixels`: see `eyechart.images.encode`."""

    def __init__(
        self,
        requests: Iterator[Request],
        backend: Backend,
        log: CallLog | None,
        *,
        max_pixels: int | None = None,
    ) -> None:
        self._requests = requests
        self._backend = backend
        self._log = log if backend.logged else None
        self._max_pixels = max_pixels

    def next_chunk(self) -> Chunk | None:
        """The next chunk, None after the last. Raises BadInput where the backend lacks a want."""
        chunk = Chunk()
        jobs: list[Job] = []
        for request in self._requests:
            chunk.n_requests += 1
            job = self._prepare(request)
            if isinstance(job, Response):
                chunk.ready.append(job)
            else:
                jobs.append(job)
                chunk.n_bytes += sum(len(image.data) for image in job.call.images)
                chunk.changed += [image.changed for image in job.call.images if image.changed]
            if chunk.n_requests >= CHUNK_REQUESTS or chunk.n_bytes >= CHUNK_BYTES:
                break
        if not chunk.n_requests:
            return None
        self._look_up(jobs, chunk)
        return chunk

    def _prepare(self, request: Request) -> Job | Response:
        check_able(self._backend, request)
        try:
            call = self._call(request)
        except BadPicture as error:
            return failed(request, self._backend, "", Failure("image", str(error)))
        model, revision = self._backend.model, self._backend.revision
        text = canonical(request, model, revision, digests_of(call))
        question = Question(key_of(text), text, model, revision, request.role)
        return Job(call, question)

    def _call(self, request: Request) -> Call:
        """The pictures as they are sent. A backend that resizes gets them as they are."""
        most = self._max_pixels
        if not self._backend.resizes or most is None:
            return Call(request, tuple(encode(p, max_pixels=most) for p in request.pictures))
        told = f"limited to {most} pixels by the model's own processor"
        images = [encode(picture) for picture in request.pictures]
        return Call(
            request,
            tuple(replace(i, changed=told) if i.width * i.height > most else i for i in images),
            most,
        )

    def _look_up(self, jobs: list[Job], chunk: Chunk) -> None:
        keys = [job.question.key for job in jobs]
        found = self._log.find(keys) if self._log else {}
        for job in jobs:
            logged = found.get(job.question.key)
            if logged is None:
                chunk.jobs.append(job)
            else:
                chunk.ready.append(answered(job.call.request, job.question, logged))
                chunk.n_found += 1


def check_able(backend: Backend, request: Request) -> None:
    """Raise BadInput unless the backend can meet the request's want and begun answer."""
    want = request.want.name
    if want not in backend.wants:
        raise BadInput(
            f"item {request.item_id}: {backend.model} cannot give {want!r}, only "
            f"{', '.join(sorted(backend.wants))}; choose a backend that can, or another prompt form"
        )
    if request.begun and not backend.continues:
        raise BadInput(
            f"item {request.item_id}: {backend.model} cannot go on from a begun answer "
            f"({request.begun!r}); choose a prompt form without one"
        )


def answered(request: Request, question: Question, logged: Logged) -> Response:
    """The response row of an answered request."""
    answer: Answer = logged.answer
    return Response(
        item_id=request.item_id,
        role=request.role,
        draw=request.draw,
        key=question.key.hex(),
        model=question.model,
        revision=question.revision,
        text=answer.text,
        reasoning=answer.reasoning,
        logprobs=answer.logprobs,
        bound=answer.bound,
        finish=answer.finish,
        usage=answer.usage,
        seconds=logged.seconds,
        variant=request.variant,
        likelihood=answer.likelihood,
    )


def failed(request: Request, backend: Backend, key: str, failure: Failure) -> Response:
    """The response row of a request that has no answer."""
    return Response(
        item_id=request.item_id,
        role=request.role,
        draw=request.draw,
        key=key,
        model=backend.model,
        revision=backend.revision,
        failure=failure,
        variant=request.variant,
    )
