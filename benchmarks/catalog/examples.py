"""Milliseconds of each example query on the reference system's data, in the engine and in all.

Run as `python -m benchmarks.catalog.examples FOLDER [--output FILE]`; the folder has the Turtle files of the
reference system. `first_ms` is the first query of a process: it starts the worker and builds the graph.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.catalog.rdf import milliseconds
from shoal.catalog import Catalog, importers
from shoal.catalog.query import examples

TIMES = 200


def measure(folder: Path) -> dict[str, Any]:
    """Return the figures of each query."""
    found: dict[str, Any] = {}
    with Catalog(None) as catalog:
        catalog.add_many(importers.load(sorted(folder.glob("*.ttl"))).documents)
        begin = time.perf_counter()
        catalog.query("ASK {}")
        found["first_ms"] = (time.perf_counter() - begin) * 1000
        for name, example in examples().items():
            ask = partial(catalog.query, example.sparql)
            rows = ask()
            engine = sorted(ask().seconds for _ in range(TIMES))[TIMES // 2]
            found[name] = {"rows": len(rows), "engine_ms": engine * 1000, **milliseconds(ask, TIMES)}
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    text = json.dumps(measure(options.folder), indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
