"""Speed of the catalog's store: writing, reading, following, searching, checking.

Run as `python -m benchmarks.catalog.store [--devices 1000000] [--folder FOLDER] [--output FILE]`. The file is
on the disk of the folder, and every acknowledged write is flushed to it. Rates are by wall time, and by CPU
time of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from shoal.catalog import search
from shoal.catalog.store import Entry, Store

BOARDS = ("nano33ble", "microbit", "esp32s3", "pico")
ROOMS = ("hall", "press", "lathe", "oven", "gate", "tank")
PORTION = 10_000  # devices in one transaction


def dice_of(seed: int) -> random.Random:
    """Return what throws the same in every run."""
    return random.Random(seed)  # noqa: S311 - nothing secret


def device(number: int, dice: random.Random) -> dict[str, Any]:
    """Return a Thing Description of about a kilobyte."""
    room = dice.choice(ROOMS)
    return {
        "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"shoal": "https://w3id.org/shoal/vocabulary#"}],
        "@type": "Thing",
        "id": f"urn:uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}",
        "title": f"{room} {number}",
        "description": f"Watches the {room} by its sound and its vibration",
        "securityDefinitions": {"basic": {"scheme": "basic", "in": "header"}},
        "security": "basic",
        "properties": {
            name: {
                "type": "number",
                "observable": True,
                "readOnly": True,
                "forms": [{"href": f"coap://10.0.{number % 256}.{dice.randrange(256)}/{name}"}],
            }
            for name in ("score", "temperature", "battery")
        },
        "shoal:hardware": {
            "board": dice.choice(BOARDS),
            "ram": {"total": 262144, "reserved": dice.randrange(0, 200_000)},
            "runtimes": [{"name": "shoal", "version": "0.1.0"}],
        },
    }


def entries(count: int, seed: int) -> Iterator[Entry]:
    """Yield devices."""
    dice = dice_of(seed)
    for number in range(count):
        td = device(number, dice)
        yield Entry("device", td["id"], td)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rate(count: int, work: Callable[[], object], less: tuple[float, float] = (0, 0)) -> dict[str, int]:
    """Return how many per second, by wall and by CPU time, of which some is not counted."""
    begin = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - begin[0] - less[0], time.process_time() - begin[1] - less[1]
    return {"wall": round(count / wall), "cpu": round(count / cpu)}


def latencies(work: Callable[[Any], object], arguments: list[Any]) -> dict[str, float]:
    """Return percentiles of the time of a call in microseconds."""
    times = sorted(1e6 * seconds(partial(work, one)) for one in arguments)
    return {
        "median": round(statistics.median(times), 1),
        "p99": round(times[int(0.99 * (len(times) - 1))], 1),
        "max": round(times[-1], 1),
    }


def measure(folder: Path, count: int) -> Iterator[tuple[str, Any]]:
    """Yield figures by name."""
    path = folder / "site.shoal"
    with Store(path) as store:
        single = list(entries(1000, seed=1))
        yield (
            "put, one in each transaction (1/s)",
            rate(len(single), lambda: [store.put(one.kind, one.id, one.body) for one in single]),
        )

        def load() -> None:
            portion: list[Entry] = []
            for one in entries(count, seed=2):
                portion.append(one)
                if len(portion) == PORTION:
                    store.put_many(portion)
                    portion.clear()
            store.put_many(portion)

        begin = time.perf_counter(), time.process_time()
        for _ in entries(count, seed=2):
            pass
        making = time.perf_counter() - begin[0], time.process_time() - begin[1]
        yield f"put, {PORTION:,} in each transaction (1/s)", rate(count, load, making)
        yield "documents", store.count("device")
        yield "file (bytes per document)", round(path.stat().st_size / store.count("device"))
        yield "peak memory of the process (MiB)", peak()

        ids = [one.id for one in dice_of(3).sample(list(entries(min(count, 20_000), seed=2)), 2000)]
        yield "get (µs)", latencies(partial(store.get, "device"), ids)
        yield "get and read the body (µs)", latencies(body_of(store), ids)
        yield (
            "put of a change, flushed (µs)",
            latencies(
                lambda id: store.put("device", id, {"id": id, "title": "changed", "shoal:hardware": {}}),
                ids[:500],
            ),
        )
        yield "revision (µs)", latencies(lambda _: store.revision, ids)
        yield (
            "page of 100 from the middle (µs)",
            latencies(lambda _: list(store.records("device", offset=count // 2, limit=100)), ids[:20]),
        )
        yield "events followed (1/s)", rate(store.revision, lambda: [None for _ in store.events()])
        yield (
            "records listed (1/s)",
            rate(store.count("device"), lambda: [None for _ in store.records("device")]),
        )
        yield "search: indexed (1/s)", rate(store.revision, lambda: search.follow(store))
        rooms = dice_of(4).choices(ROOMS, k=100)
        words = [f"{room} {number}" for number, room in enumerate(rooms)]
        yield "search: two words, first 20 (µs)", latencies(partial(search.find, store), words)
        yield "check (s)", round(seconds(store.check), 1)
        yield "backup (s)", round(seconds(partial(store.backup, folder / "backup.shoal")), 1)
        yield "rebuild (s)", round(seconds(store.rebuild), 1)
        yield "peak memory of the process at the end (MiB)", peak()


def body_of(store: Store) -> Callable[[str], object]:
    """Return a call that reads the body of a device."""

    def read(id: str) -> object:
        record = store.get("device", id)
        return None if record is None else record.body

    return read


def peak() -> int:
    """Return the most memory that the process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog.store", description=__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one by default")
    parser.add_argument("--output", type=Path, default=Path("build/catalog-store.json"))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    figures: dict[str, Any] = {
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
    }
    try:
        for name, figure in measure(folder, arguments.devices):
            figures[name] = figure
            print(f"{name:45} {figure}", flush=True)
    finally:
        shutil.rmtree(folder)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
