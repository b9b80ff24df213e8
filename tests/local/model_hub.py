"""A hub on loopback that holds one model, or answers every call with one status.

    with model_hub({"config.json": b"{}"}) as served:
        find(served.url, "hf:eyes/chart", cache)

`find` looks up in a process of its own, since the hub's library reads its variables once.
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

from tests.hub_server import COMMIT

NAME = "eyes/chart"
FIND = """
import json, sys
from eyechart.errors import EyechartError
from eyechart.local.checkpoint.address import read_address
from eyechart.local.checkpoint.finding import find_checkpoint
try:
    found = find_checkpoint(read_address(sys.argv[1]))
    told = {"folder": str(found.folder), "name": found.name, "revision": found.revision}
except EyechartError as error:
    told = {"error": f"{type(error).__name__}: {error}"}
told["heavy"] = [name for name in ("torch", "transformers") if name in sys.modules]
print(json.dumps(told))
"""


@dataclass
class ModelHub:
    """A running hub. `fetched`: the names of the files that were asked for."""

    url: str
    fetched: list[str] = field(default_factory=list)


@contextmanager
def model_hub(
    files: Mapping[str, bytes] | None = None, *, status: int = 404, code: str = "RepoNotFound"
) -> Iterator[ModelHub]:
    """A hub with a model of these files; all else (everything, where None) has this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            _, _, name = path.partition(f"/resolve/{COMMIT}/")
            answer = None if files is None else _answer(files, path)
            if answer == b"no such revision":
                return self._send(b"{}", 404, {"X-Error-Code": "RevisionNotFound"})
            if answer is None:
                return self._send(b"{}", status, {"X-Error-Code": code} if code else {})
            if name and self.command == "GET":
                served.fetched.append(name)
            self._send(answer, 200, _file_headers(answer) if name else {})

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
    served = ModelHub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def find(url: str, address: str, cache: Path, **env: str) -> dict[str, Any]:
    """What `find_checkpoint` gives for an address, as JSON, or `error` with the message."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    hub_env = {"HF_ENDPOINT": url, "HF_HOME": str(cache), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FIND, address],
        capture_output=True,
        text=True,
        env={**clean, **hub_env, **env},
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _answer(files: Mapping[str, bytes], path: str) -> bytes | None:
    api = f"/api/models/{NAME}"
    if path in (f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
        siblings = [{"rfilename": name} for name in files]
        return json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode()
    if path == f"{api}/tree/{COMMIT}":
        entries = [
            {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
            for name, data in files.items()
        ]
        return json.dumps(entries).encode()
    if path.startswith(f"{api}/"):
        return b"no such revision"
    return files.get(path.removeprefix(f"/{NAME}/resolve/{COMMIT}/"))


def _etag(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _file_headers(data: bytes) -> dict[str, str]:
    return {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
