"""A hub on loopback: it holds one data set, or answers every call with one status.

    with hub(Repo("eyes/chart", {"data/dev.parquet": b"..."})) as served:
        ask(served.url, "eyes/chart", cache)

`ask` looks an address up in a process of its own, since the hub's library reads its variables once.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "c0ffee" + "0" * 34
LOOK_UP = """
import json, sys
from eyechart.errors import BadInput
from eyechart.hub import find_data
try:
    found = find_data(sys.argv[1], tuple(sys.argv[2:]))
    told = {"paths": [str(p) for p in found.paths], "name": found.name, "commit": found.commit,
            "notes": found.notes}
except BadInput as error:
    told = {"error": str(error)}
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Repo:
    """The data set that a hub holds."""

    name: str
    files: Mapping[str, bytes]


@dataclass
class Hub:
    """A running hub. `seen`: the path of each call; `tokens`: what came as authorisation."""

    url: str
    seen: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)


@contextmanager
def hub(
    repo: Repo | None = None, *, status: int = 404, code: str = "RepoNotFound"
) -> Iterator[Hub]:
    """A hub with this data set; all else (everything, where None) has this status and code."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.seen.append(self.path)
            served.tokens.add(self.headers.get("Authorization", ""))
            answer = _answer(repo, self.path) if repo else None
            if answer == b"no such revision":
                return self._send(b"{}", 404, {"X-Error-Code": "RevisionNotFound"})
            if answer is None:
                return self._send(b"{}", status, {"X-Error-Code": code} if code else {})
            self._send(answer, 200, _file_headers(answer) if "/resolve/" in self.path else {})

        do_HEAD = do_GET

        def _send(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(url: str, text: str, cache: Path, *wanted: str, **env: str) -> dict[str, Any]:
    """What `find_data` gives for a text, as JSON: the paths, or `error` with the message."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    hub_env = {"HF_ENDPOINT": url, "HF_HOME": str(cache), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK_UP, text, *(wanted or ["*"])],
        capture_output=True,
        text=True,
        env={**clean, **hub_env, **env},
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "stderr": done.stderr}


def _answer(repo: Repo, path: str) -> bytes | None:
    path = path.partition("?")[0]
    api = f"/api/datasets/{repo.name}"
    if path in (f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
        siblings = [{"rfilename": name} for name in repo.files]
        return json.dumps({"id": repo.name, "sha": COMMIT, "siblings": siblings}).encode()
    if path == f"{api}/tree/{COMMIT}":
        entries = [
            {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
            for name, data in repo.files.items()
        ]
        return json.dumps(entries).encode()
    if path.startswith(api):
        return b"no such revision"
    return repo.files.get(path.removeprefix(f"/datasets/{repo.name}/resolve/{COMMIT}/"))


def _etag(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _file_headers(data: bytes) -> dict[str, str]:
    return {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
