"""Speed of the RDF view: documents to triples, load, disk, cold start, updates, queries; rdflib beside it.

Run as `python -m benchmarks.catalog.rdf [--devices 48000] [--peer 1000] [--folder FOLDER] [--output FILE]`.
A device is about 87 triples. Rates are by wall time, and by CPU time of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pyoxigraph import RdfFormat, serialize

from shoal.catalog.documents import Device
from shoal.catalog.graph import Local, follow, quads
from shoal.catalog.graph.follow import everything
from shoal.catalog.query import Limits, Worker
from shoal.catalog.store import Entry, Store
from shoal.catalog.vocabulary import PREFIXES

PORTION = 5000
COUNT = "SELECT (COUNT(*) AS ?n) { ?device a shoal:Device }"
ONE = "SELECT ?ram { <urn:dev:bench:7> shoal:ram/shoal:free ?ram }"
NEEDS = """SELECT ?device ?ram {
  ?device shoal:ram/shoal:free ?ram ; shoal:flash/shoal:free ?flash ; sosa:hosts ?sensor .
  ?sensor sosa:observes/skos:broader* shoal:Acceleration .
  FILTER (?ram >= 200000 && ?flash >= 500000)
} ORDER BY ?ram LIMIT 100"""
QUERIES = {"one device": ONE, "count devices": COUNT, "devices by needs, first 100": NEEDS}


def device(number: int) -> dict[str, Any]:
    """Return a Thing Description with hardware."""
    sensors = [{"observes": "acceleration", "low": -4, "high": 4, "rate_hz": 104}, {"observes": "sound"}]
    return {
        "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"shoal": "https://w3id.org/shoal/vocabulary#"}],
        "@type": "Thing",
        "id": f"urn:dev:bench:{number}",
        "title": f"Device {number}",
        "securityDefinitions": {"basic": {"scheme": "basic", "in": "header"}},
        "security": "basic",
        "properties": {
            name: {
                "type": "number",
                "observable": True,
                "readOnly": True,
                "forms": [{"href": f"coap://10.0.{number % 256}.1/{name}"}],
            }
            for name in ("score", "temperature", "battery")
        },
        "shoal:hardware": {
            "core": "cortex-m4f",
            "clock_hz": 64_000_000,
            "ram": {"total": 262_144, "reserved": number * 7919 % 200_000},
            "flash": {"total": 1_048_576},
            "sensors": sensors[: 1 + number % 2],
            "runtimes": [{"name": "shoal", "training": True}],
        },
    }


def timed(what: Callable[[], Any]) -> dict[str, float]:
    """Return how long something takes, by the wall and by the CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def milliseconds(what: Callable[[], Any], times: int) -> dict[str, float]:
    """Return median and 99th percentile of some calls."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        what()
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    return {
        "median_ms": statistics.median(taken),
        "p99_ms": taken[min(len(taken) - 1, int(len(taken) * 0.99))],
    }


def size_of(folder: Path) -> int:
    """Return the bytes on disk of a folder."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def resident() -> int:
    """Return the bytes of memory that the process has now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def asked(worker: Worker, text: str) -> dict[str, float]:
    """Return how long a query takes, in the engine and in all."""
    limits = Limits(seconds=300)
    engine = worker.query(text, limits=limits).seconds * 1000
    return {"engine_ms": engine} | milliseconds(partial(worker.query, text, limits=limits), 9)


def filled(path: Path, count: int) -> Store:
    """Return a catalog with so many devices."""
    store = Store(path)
    for start in range(0, count, PORTION):
        bodies = map(device, range(start, min(start + PORTION, count)))
        store.put_many([Entry("device", body["id"], body) for body in bodies])
    return store


def mapped(store: Store) -> dict[str, float]:
    """Return the rate from documents to triples alone."""
    number = 0

    def count() -> None:
        nonlocal number
        number = sum(1 for _ in everything(store))

    return {"triples": number} | timed(count) | {"triples": number}


def built(store: Store, folder: Path | None) -> tuple[int, dict[str, float]]:
    """Build a view; returns its number of triples and how long it took."""
    view = Local(folder)
    took = timed(lambda: follow(view, store))
    return len(view.store), took


def ours(store: Store, folder: Path) -> dict[str, Any]:
    """Measure the view on disk and in memory."""
    result: dict[str, Any] = {"documents to triples": mapped(store)}
    triples, result["build on disk"] = built(store, folder)
    result["triples"] = triples
    result["disk_bytes"] = size_of(folder)
    result["disk_bytes_per_triple"] = size_of(folder) / triples
    before = resident()
    view = Local(None)
    result["build in memory"] = timed(partial(follow, view, store))
    result["memory_bytes"] = resident() - before
    view.clear()
    with Worker(store, folder=folder) as worker:
        result["cold start: process, view, first answer"] = timed(lambda: worker.query(ONE))
        result["queries"] = {name: asked(worker, text) for name, text in QUERIES.items()}
        numbers = iter(range(10**9, 10**9 + 10**6))

        def update() -> None:
            body = device(next(numbers))
            store.put("device", body["id"], body)
            worker.query(ONE)

        result["write a device and query"] = milliseconds(update, 100)
        worker.close()
        result["cold start again"] = timed(lambda: worker.query(ONE))
    return result


def rdflib_beside(count: int) -> dict[str, Any]:
    """Measure rdflib and the engine on the same small graph."""
    import rdflib

    graphs = [quad for number in range(count) for quad in quads(Device.model_construct(td=device(number)))]
    text = serialize((quad.triple for quad in graphs), format=RdfFormat.N_TRIPLES) or b""
    peer, own = rdflib.Graph(), Local(None)
    loads = {
        "rdflib": timed(lambda: peer.parse(data=text, format="nt")),
        "shoal": timed(lambda: own.store.bulk_load(text, RdfFormat.N_TRIPLES)),
    }
    declared = "".join(f"PREFIX {name}: <{iri}> " for name, iri in PREFIXES.items())

    def ask_peer(query: str) -> None:
        list(peer.query(declared + query))

    def ask_own(query: str) -> None:
        json.dumps([str(row) for row in iter(own.store.query(query, prefixes=PREFIXES))])  # type: ignore[arg-type]

    result: dict[str, Any] = {"triples": len(graphs), "load": loads}
    for name, query in QUERIES.items():
        result[name] = {
            "rdflib": milliseconds(partial(ask_peer, query), 3),
            "shoal": milliseconds(partial(ask_own, query), 3),
        }
    return result


def lines(result: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield a result as text."""
    for name, value in result.items():
        if isinstance(value, dict):
            yield from lines(value, f"{path}{name}: ")
        else:
            yield f"{path}{name} = {value:,.3f}" if isinstance(value, float) else f"{path}{name} = {value}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=48_000)
    parser.add_argument("--peer", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        store = filled(folder / "bench.shoal", arguments.devices)
        result = {
            "devices": arguments.devices,
            "load_average": os.getloadavg()[0],
            "ours": ours(store, folder / "bench.shoal.rdf"),
        }
        store.close()
    if arguments.peer:
        result["peers"] = rdflib_beside(arguments.peer)
    for line in lines(result):
        sys.stdout.write(line + "\n")
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
