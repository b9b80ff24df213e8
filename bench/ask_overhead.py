"""What `ask` costs beside a bare client: CPU per item and memory, measured in one run.

A server process that always answers is started; then, in fresh processes one after the other, a
bare asyncio+aiohttp client (read the file, base64, post JSON), the same with its JSON put together
by hand, and `ask` with its call log send the same photographs, 64 in flight. The fixed start-up is
measured with a few items and subtracted.

    python bench/ask_overhead.py
    python bench/ask_overhead.py --large 60 --small 200
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing as mp
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

N_FIXED = 8
IN_FLIGHT = 64
QUESTION = "Is this photograph sharp? Answer with Yes or No."
REPLY = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 1},
    }
).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass(frozen=True)
class Cost:
    """What a client process used. CPU in seconds, memory in MiB."""

    cpu_s: float
    wall_s: float
    peak_mib: float


# --- the server ---------------------------------------------------------------------------------


class Answering(asyncio.BufferedProtocol):
    """Reads a request to its end and answers; parses nothing but Content-Length."""

    buffer = bytearray(2**20)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with no request begun."""
        self.transport, self.head, self.left = transport, b"", 0

    def get_buffer(self, sizehint: int) -> bytearray:
        """One buffer for all connections: what is read is thrown away."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count down to the end of the body, then answer."""
        if self.left:
            self.left -= nbytes
        else:
            self.head += bytes(self.buffer[:nbytes])
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            length = next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length"))
            self.left, self.head = int(length.partition(b":")[2]) - len(body), b""
        if not self.left and isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(HEAD % len(REPLY) + REPLY)


async def serve() -> None:
    """Print the port, then answer until killed."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# --- the clients --------------------------------------------------------------------------------


def bare(files: list[Path], port: int, folder: Path) -> int:
    """The ordinary good way, without retries, checks or log. Returns how many were answered."""

    def body(data: bytes) -> dict[str, object]:
        url = {"url": "data:image/jpeg;base64," + base64.b64encode(data).decode()}
        content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": QUESTION}]
        return {"json": {"model": "m", "messages": [{"role": "user", "content": content}]}}

    return asyncio.run(_post_all(files, port, body))


def by_hand(files: list[Path], port: int, folder: Path) -> int:
    """As `bare`, but the JSON is put together from bytes by hand, so that nothing escapes it."""
    start = b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":'
    start += b'{"url":"data:image/jpeg;base64,'
    end = b'"}},{"type":"text","text":"%s"}]}]}' % QUESTION.encode()
    headers = {"Content-Type": "application/json"}

    def body(data: bytes) -> dict[str, object]:
        return {"data": b"".join([start, base64.b64encode(data), end]), "headers": headers}

    return asyncio.run(_post_all(files, port, body))


async def _post_all(files: list[Path], port: int, body: Callable[[bytes], Any]) -> int:
    import aiohttp

    left, connector = list(files), aiohttp.TCPConnector(limit=0)

    async def work() -> int:
        n_answered = 0
        while left:
            settings = body(left.pop().read_bytes())
            async with session.post("/v1/chat/completions", **settings) as reply:
                n_answered += (await reply.json())["choices"][0]["message"]["content"] == "Yes"
        return n_answered

    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
        return sum(await asyncio.gather(*[work() for _ in range(IN_FLIGHT)]))


def eyechart(files: list[Path], port: int, folder: Path) -> int:
    """`ask` with a fresh call log. Returns how many were answered."""
    from eyechart.asking import AskSettings, CallLog, ask
    from eyechart.backends.openai_http import open_address
    from eyechart.records import Picture, Request, Turn

    requests = (
        Request(file.name, "answer", (Turn("user", (Picture(file), QUESTION)),)) for file in files
    )
    backend = open_address(f"http://127.0.0.1:{port}/v1#m")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        log, settings = CallLog(Path(place) / "calls.sqlite"), AskSettings(concurrency=IN_FLIGHT)
        return sum(r.text == "Yes" for r in ask(requests, backend, log=log, settings=settings))


Client = Callable[[list[Path], int, Path], int]


def measure(client: Client, files: list[Path], port: int) -> Cost:
    """What a fresh process uses for these files, imports included."""
    queue: mp.Queue[Cost] = mp.get_context("spawn").Queue()
    process = mp.get_context("spawn").Process(target=_child, args=(client, files, port, queue))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"the {client.__name__} client failed")
    return queue.get()


def _child(client: Client, files: list[Path], port: int, queue: mp.Queue[Cost]) -> None:
    start = time.perf_counter()
    n_answered = client(files, port, files[0].parent)
    if n_answered != len(files):
        raise SystemExit(f"{n_answered} of {len(files)} answered")
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime
    queue.put(Cost(cpu_s, time.perf_counter() - start, used.ru_maxrss / 1024))


# --- the photographs ----------------------------------------------------------------------------


def photographs(folder: Path, n_files: int, width: int, height: int) -> list[Path]:
    """Files of one noisy photograph, each with bytes of its own (a comment segment)."""
    # In a process of its own: the peak memory of a process is handed down to its children.
    args = (folder / "photograph", width, height)
    process = mp.get_context("spawn").Process(target=_photograph, args=args)
    process.start()
    process.join()
    data = args[0].read_bytes()
    files = [folder / f"{width}x{height}-{i:05}.jpg" for i in range(n_files)]
    for i, file in enumerate(files):
        comment = b"\xff\xfe\x00\x0a%08d" % i
        file.write_bytes(data[:2] + comment + data[2:])
    return files


def _photograph(file: Path, width: int, height: int) -> None:
    import numpy as np
    from PIL import Image

    row, column = np.mgrid[:height, :width]
    smooth = np.stack([column * 255 / width, row * 255 / height, (row + column) % 256], -1)
    noise = np.random.default_rng(0).normal(0, 9, smooth.shape)
    picture = Image.fromarray((smooth + noise).clip(0, 255).astype(np.uint8))
    picture.save(file, "JPEG", quality=92)


# --- the table ----------------------------------------------------------------------------------


def compare(title: str, files: list[Path], port: int, n_repeats: int) -> None:
    """Measure both clients in turns and print a line for each, and their ratio."""
    size_mb = files[0].stat().st_size / 1e6
    print(f"\n{title}: {len(files)} files of {size_mb:.2f} MB, {IN_FLIGHT} in flight")
    print(f"{'':10}{'CPU ms/item':>12}{'fixed CPU s':>12}{'items/s':>9}{'peak MiB':>10}")
    clients: list[Client] = [bare, by_hand, eyechart]
    marginal: dict[str, list[float]] = {client.__name__: [] for client in clients}
    for _ in range(n_repeats):
        for client in clients:
            fixed = measure(client, files[:N_FIXED], port)
            cost = measure(client, files, port)
            per_item = (cost.cpu_s - fixed.cpu_s) / (len(files) - N_FIXED)
            marginal[client.__name__].append(per_item)
            rate = (len(files) - N_FIXED) / max(1e-9, cost.wall_s - fixed.wall_s)
            print(
                f"{client.__name__:10}{per_item * 1e3:12.2f}{fixed.cpu_s:12.2f}{rate:9.0f}"
                f"{cost.peak_mib:10.0f}"
            )
    for other in ("bare", "by_hand"):
        ratio = median(marginal["eyechart"]) / median(marginal[other])
        print(f"eyechart / {other}: {ratio:.2f} (goal: at most 1.5; median of {n_repeats})")


def main() -> None:
    """Measure large and small photographs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--large", type=int, default=300, help="photographs of 12 megapixels")
    parser.add_argument("--small", type=int, default=1000, help="photographs of 1 megapixel")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    if min(options.large, options.small) <= N_FIXED:
        parser.error(f"--large and --small must be above {N_FIXED}, which measure the fixed cost")
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE)
    try:
        port = int(server.stdout.readline()) if server.stdout else 0
        with tempfile.TemporaryDirectory() as folder:
            large = photographs(Path(folder), options.large, 4000, 3000)
            compare("12 megapixels", large, port, options.repeats)
            for file in large:
                file.unlink()
            small = photographs(Path(folder), options.small, 1155, 866)
            compare("1 megapixel", small, port, options.repeats)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
