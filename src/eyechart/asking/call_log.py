"""The call log: one SQLite file that remembers every answered call of a workspace.

In: answered calls. Out: the same answers, to whoever asks the same question again.
A row is committed before the engine hands the answer on, so a process that is killed at any moment
loses nothing that was answered. (Write-ahead log, `synchronous=NORMAL`: safe against a killed
process; a power cut may lose the last moments, never the file.) No credential ever enters it.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eyechart.asking.backend import Answer, Encoded
from eyechart.errors import BadInput, EyechartError
from eyechart.records import Failure, Likelihood, Usage

SCHEMA_VERSION = 1
MODE_ATTEMPTS = 200
SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
  key BLOB NOT NULL UNIQUE, model TEXT NOT NULL, revision TEXT NOT NULL, role TEXT NOT NULL,
  question TEXT NOT NULL, answer TEXT NOT NULL, tokens_in INTEGER, tokens_out INTEGER,
  seconds REAL NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pictures (
  sha256 TEXT PRIMARY KEY, format TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  n_bytes INTEGER NOT NULL, changed TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
  key BLOB NOT NULL, model TEXT NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL,
  message TEXT NOT NULL, at TEXT NOT NULL);
"""
ADD_CALL = "INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?)"
ADD_PICTURE = "INSERT OR IGNORE INTO pictures VALUES (?,?,?,?,?,?)"
FIND = "SELECT key, answer, tokens_in, tokens_out, seconds FROM calls WHERE key IN ({})"
SUMMARY = """
SELECT model, role, SUM(n), SUM(failed), SUM(tokens_in), SUM(tokens_out), SUM(seconds) FROM (
  SELECT model, role, 1 AS n, 0 AS failed, tokens_in, tokens_out, seconds FROM calls
  UNION ALL SELECT model, role, 0, 1, 0, 0, 0 FROM failures)
GROUP BY model, role ORDER BY model, role
"""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as the log keeps it: `text` is the canonical question, `key` its sha256."""

    key: bytes
    text: str
    model: str
    revision: str
    role: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A remembered answer and how many seconds it took when it was asked."""

    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A call to remember: the question, its answer, and the pictures as they were sent."""

    question: Question
    logged: Logged
    images: tuple[Encoded, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleSummary:
    """What was asked of one model in one role; tokens as far as the endpoint counted them."""

    model: str
    role: str
    n_answered: int
    n_failed: int
    tokens_in: int
    tokens_out: int
    seconds: float


class CallLog:
    """The open call log at `path`; made where there is none.

    Safe to share between threads and between processes. Raises BadInput where the file cannot be
    opened, is no call log, or was written by a newer Eyechart.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise BadInput(
                f"{self.path}: cannot be used as the call log ({error}); "
                "name another folder with --workspace, or make this one writable"
            ) from None

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise BadInput(
                f"{self.path}: written by a newer eyechart (log version {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade eyechart or name another folder with --workspace"
            )
        self._use_write_ahead_log()
        self._db.executescript(
            "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192;"
            + SCHEMA
            + f"PRAGMA user_version={SCHEMA_VERSION};"
        )

    def _use_write_ahead_log(self) -> None:
        """SQLite does not wait for a lock when it changes the mode of a file, so we do."""
        for _ in range(MODE_ATTEMPTS):
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                time.sleep(0.05)
        raise sqlite3.OperationalError("locked by another process")

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Logged]:
        """The remembered answers among these keys."""
        if not keys:
            return {}
        marks = ",".join("?" * len(keys))
        rows = self._read(FIND.format(marks), keys)
        return {row[0]: _logged(row) for row in rows}

    def add(self, calls: Iterable[Answered]) -> None:
        """Remember answered calls, all in one commit. A key that is there already stays as it is.

        Raises EyechartError where the disk is full or the file cannot be written.
        """
        at = now()
        calls = list(calls)
        pictures = {i.sha256: _picture_row(i) for call in calls for i in call.images}
        rows = [row_of(call, at) for call in calls]
        self._write([(ADD_CALL, rows), (ADD_PICTURE, list(pictures.values()))])

    def add_failures(self, failures: Iterable[tuple[Question, Failure]]) -> None:
        """Note calls that failed; they are counted, and asked again next time."""
        at = now()
        rows = [(q.key, q.model, q.role, f.kind, f.message, at) for q, f in failures]
        self._write([("INSERT INTO failures VALUES (?,?,?,?,?,?)", rows)])

    def summary(self) -> list[RoleSummary]:
        """What was asked, by model and role."""
        rows = self._read(SUMMARY, ())
        return [RoleSummary(m, r, n, f, i or 0, o or 0, s or 0.0) for m, r, n, f, i, o, s in rows]

    def close(self) -> None:
        """Close the file. Nothing is waiting to be written."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, sql: str, values: Sequence[Any]) -> list[Any]:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise EyechartError(
                f"{self.path}: the call log cannot be read ({error}). Keep the file, and go on "
                "with another folder named by --workspace"
            ) from None

    def _write(self, statements: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        if not any(rows for _, rows in statements):
            return
        try:
            with self._lock, self._db:
                for sql, rows in statements:
                    if rows:
                        self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise EyechartError(
                f"{self.path}: the call log cannot be written ({error}). Everything answered "
                "before is kept; make room and run the same command again to go on"
            ) from None


def now() -> str:
    """The time as the log keeps it: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def row_of(call: Answered, at: str) -> tuple[Any, ...]:
    """The row of an answered call, for `ADD_CALL`."""
    question, answer = call.question, call.logged.answer
    body = [answer.text, answer.reasoning, answer.logprobs, answer.bound, answer.finish]
    if answer.likelihood:
        body.append(dataclasses.astuple(answer.likelihood))
    usage = (answer.usage.tokens_in, answer.usage.tokens_out)
    asked = (question.key, question.model, question.revision, question.role, _clean(question.text))
    return (*asked, _clean(_encode(body)), *usage, call.logged.seconds, at)


def _clean(text: str) -> str:
    """Lone surrogates cannot be stored as UTF-8: show them as escapes instead of failing."""
    return text.encode("utf-8", "backslashreplace").decode() if not text.isascii() else text


def _picture_row(image: Encoded) -> tuple[Any, ...]:
    size = (image.width, image.height, len(image.data))
    return (image.sha256, image.format, *size, image.changed)


def _logged(row: tuple[Any, ...]) -> Logged:
    _, body, tokens_in, tokens_out, seconds = row
    text, reasoning, logprobs, bound, finish, *more = json.loads(body)
    usage = Usage(tokens_in, tokens_out)
    lengths = Likelihood(tuple(more[0][0]), *more[0][1:]) if more else None
    answer = Answer(text, reasoning, tuple(logprobs), bound, finish, usage, lengths)
    return Logged(answer, seconds)
