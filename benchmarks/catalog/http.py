"""Speed of the directory over HTTP: matching, registering, following events.

Run as `python -m benchmarks.catalog.http [--devices 100000] [--clients 50] [--folder FOLDER] [--output F]`.
The server is a process of its own, as `shoal serve` starts it; the clients are another one of this machine.
Times are those of the clients, from the first byte sent to the last one received; `cpu_ms` is what the server
computed for one request, whatever else the machine did.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shoal import boards
from shoal.catalog import Catalog
from shoal.catalog.documents import Model, Need, Operator
from shoal.catalog.store import Entry

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "RESHAPE", "ADD")
MODELS = 200
SERVER = """
import sys
from shoal.catalog import Catalog
from shoal.serve import Settings, serve
with Catalog(sys.argv[1]) as catalog:
    settings = Settings(open=True, requests=1e6, queries=1e6)
    serve(catalog, settings, port=0, announce=lambda address: print(address, flush=True))
"""


def thing(number: int, dice: random.Random) -> dict[str, Any]:
    """Return a Thing Description of a kilobyte."""
    return {
        "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"shoal": "https://w3id.org/shoal/vocabulary#"}],
        "@type": "Thing",
        "id": f"urn:example:{number}",
        "title": f"Device {number}",
        "security": "basic",
        "securityDefinitions": {"basic": {"scheme": "basic", "in": "header"}},
        "properties": {
            name: {
                "type": "number",
                "readOnly": True,
                "forms": [{"href": f"coap://10.0.0.{number % 256}/{name}"}],
            }
            for name in ("score", "temperature", "battery")
        },
        "shoal:hardware": {
            "board": dice.choice(sorted(boards.BOARDS)),
            "ram": {"total": dice.randrange(16, 1024) * 1024},
            "runtimes": [
                {
                    "name": "tflite-micro",
                    "operators": [
                        {"name": name, "version": 3, "dtype": "*"}
                        for name in sorted(dice.sample(OPERATORS, 5))
                    ],
                }
            ],
        },
    }


def fill(path: Path, devices: int) -> None:
    """Make a catalog of so many devices, and models."""
    dice = random.Random(0)  # noqa: S311 - nothing secret
    with Catalog(path) as catalog:
        for first in range(0, devices, 5000):
            things = (thing(number, dice) for number in range(first, min(devices, first + 5000)))
            catalog.store.put_many(Entry("device", one["id"], one) for one in things)
        for number in range(MODELS):
            catalog.add(
                Model(
                    sha256=f"{number:064x}",
                    name=f"model-{number}",
                    version="1.0.0",
                    format="tflite",
                    size=20_000,
                    inference=Need(bytes=dice.randrange(4, 400) * 1024),
                    flash=Need(bytes=dice.randrange(10, 900) * 1024),
                    operators=tuple(Operator(name=name, dtype="int8") for name in dice.sample(OPERATORS, 3)),
                )
            )
        catalog.match(model="model-0")


@contextmanager
def server(path: Path) -> Iterator[tuple[int, int]]:
    """Serve a catalog; gives the port and the number of the process."""
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r":(\d+)/", line)
        if found is None:
            raise SystemExit("the server did not start")
        yield int(found[1]), process.pid
    finally:
        process.terminate()
        process.wait()


class Client:
    """A client that keeps its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head)
        return int(head[9:12]), await self.reader.readexactly(int(size[1]) if size else 0)


def request(method: str, path: str, body: bytes = b"", more: str = "") -> bytes:
    """Return a request as it is sent."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{more}\r\n".encode() + body


async def clients(port: int, count: int) -> list[Client]:
    """Return clients that are connected."""
    return [Client(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def rate(
    port: int,
    process: int,
    count: int,
    seconds: float,
    request_of: Callable[[int], bytes],
    pause: float = 0.0,
) -> dict[str, float]:
    """Let clients ask for a while, each its next question `pause` seconds after the last, or at once."""
    everybody = await clients(port, count)
    times: list[float] = []
    statuses: dict[int, int] = {}
    number = 0
    begin, computed = time.perf_counter(), cpu(process)
    end = begin + seconds

    async def work(client: Client, place: int) -> None:
        nonlocal number
        due = begin + pause * place / count
        while due < end and time.perf_counter() < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            text, number = request_of(number), number + 1
            start = time.perf_counter()
            status, _ = await client.ask(text)
            now = time.perf_counter()
            times.append(now - start)
            statuses[status] = statuses.get(status, 0) + 1
            due = max(due + pause, now)

    await asyncio.gather(*(work(client, place) for place, client in enumerate(everybody)))
    took, computed = time.perf_counter() - begin, cpu(process) - computed
    for client in everybody:
        client.writer.close()
    times.sort()
    if any(status >= 400 for status in statuses):
        raise SystemExit(f"the server answered {statuses}")
    return {
        "clients": count,
        "requests": len(times),
        "per_second": round(len(times) / took, 1),
        "p50_ms": round(1e3 * times[len(times) // 2], 3),
        "p99_ms": round(1e3 * times[int(0.99 * len(times))], 3),
        "max_ms": round(1e3 * times[-1], 3),
        "cpu_ms": round(1e3 * computed / len(times), 3),
    }


async def follow(port: int, process: int, count: int, events: int) -> dict[str, float]:
    """Let so many clients follow the events of things that are registered meanwhile."""
    before = memory(process)
    everybody = await clients(port, count)
    for client in everybody:
        client.writer.write(request("GET", "/events/thing_created"))
        await client.reader.readuntil(b"retry: 2000\n\n")
    during = memory(process)

    async def all_of(client: Client) -> float:
        for _ in range(events):
            await client.reader.readuntil(b"event: thing_created")
        return time.perf_counter()

    async def register() -> float:
        (client,) = await clients(port, 1)
        dice = random.Random(2)  # noqa: S311 - nothing secret
        first = time.time_ns()  # things that are not there from the last time
        for number in range(events):
            one = thing(first + number, dice)
            await client.ask(put(one))
        return time.perf_counter()

    begin = time.perf_counter()
    last, *ends = await asyncio.gather(register(), *(all_of(client) for client in everybody))
    for client in everybody:
        client.writer.close()
    return {
        "subscribers": count,
        "events": events,
        "delivered": len(ends) * events,
        "seconds": round(max(ends) - begin, 3),
        "behind_the_last_answer_s": round(max(ends) - last, 3),
        "kib_per_subscriber": round((during - before) / count / 1024, 1),
    }


def put(td: dict[str, Any]) -> bytes:
    """Return the request that registers a thing."""
    return request(
        "PUT", f"/things/{td['id']}", json.dumps(td).encode(), "Content-Type: application/td+json\r\n"
    )


def memory(process: int) -> int:
    """Return the resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def cpu(process: int) -> float:
    """Return the seconds that a process computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(path: Path, count: int, seconds: float, subscribers: int) -> dict[str, Any]:
    """Return the figures of one server."""
    dice = random.Random(1)  # noqa: S311 - nothing secret
    first = time.time_ns()  # things that are not there from the last time

    def match(number: int) -> bytes:
        return request("GET", f"/match?model=model-{number * 7 % MODELS}")

    def pages(number: int, first: int = 0) -> bytes:  # the first page of each model, then the second
        model, page = number * 7 % MODELS, number // MODELS
        return request("GET", f"/match?model=model-{model}&offset={first + 10 * page}")

    def other_pages(number: int) -> bytes:
        return pages(number, 5)

    def read(number: int) -> bytes:
        return request("GET", f"/things/{quote(f'urn:example:{number % 1000}', safe=':')}")

    def register(number: int) -> bytes:
        return put(thing(first + number, dice))

    found: dict[str, Any] = {}
    with server(path) as (port, process):
        runs: dict[str, Callable[[], Coroutine[Any, Any, dict[str, float]]]] = {
            "warm": lambda: rate(port, process, 4, 5.0, match),
            "match, 1 client": lambda: rate(port, process, 1, seconds, match),
            "match, 500 requests/s in all": lambda: rate(
                port, process, count, seconds, match, pause=count / 500
            ),
            "match, 250 requests/s, no question twice": lambda: rate(
                port, process, count, seconds, pages, pause=count / 250
            ),
            "match, 500 requests/s, no question twice": lambda: rate(
                port, process, count, seconds, other_pages, pause=count / 500
            ),
            "match, as fast as it goes": lambda: rate(port, process, count, seconds, match),
            "read a thing": lambda: rate(port, process, count, seconds, read),
            "register things": lambda: rate(port, process, count, seconds, register),
            "follow events": lambda: follow(port, process, subscribers, 20),
        }
        for name, run in runs.items():
            result = asyncio.run(run())
            if name != "warm":
                found[name] = result
                print(f"{name:42}", json.dumps(result), file=sys.stderr, flush=True)
        found["server_mib"] = round(memory(process) / 2**20)
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where the catalog is made, or is from the last time")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 3 * options.subscribers)), hard))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"http-{options.devices}.shoal"
        if not path.exists():
            fill(path, options.devices)
        result = {
            "devices": options.devices,
            "cores": len(os.sched_getaffinity(0)),
            **measure(path, options.clients, options.seconds, options.subscribers),
        }
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
