"""Speed of matching, next to SQL engines and SPARQL stores: the same fleet, models and answers.

Run as `python -m benchmarks.catalog.match [--devices 1000000] [--sparql 20 100 1000] [--output FILE]`. Peers
that are not installed are left out (`pip install duckdb rdflib`). Milliseconds are wall time of one thread;
`cpu` is its CPU time. Every peer's count is compared with the index before it is timed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.catalog.sites import devices, models
from shoal.catalog.documents import Device, Hardware, Model, Operator
from shoal.catalog.graph.graphs import quads
from shoal.catalog.graph.parts import add_operators
from shoal.catalog.graph.triples import Triples
from shoal.catalog.graph.view import vocabulary
from shoal.catalog.matching import Index
from shoal.catalog.matching.keeping import restored, written
from shoal.catalog.matching.needs import Needs
from shoal.catalog.matching.operators import shoal_operators
from shoal.catalog.vocabulary import document_iri

Row = dict[str, Any]
LONGEST = 20.0  # seconds for one SPARQL query


def timed(name: str, call: Callable[[Any], object], arguments: list[Any], **more: Any) -> Row:
    """Return how long each call takes, in milliseconds."""
    wall, cpu = [], []
    for argument in arguments:
        begun, used = time.perf_counter(), time.thread_time()
        call(argument)
        cpu.append(1e3 * (time.thread_time() - used))
        wall.append(1e3 * (time.perf_counter() - begun))
    row = {"name": name, "calls": len(arguments), **more}
    for kind, values in (("wall", wall), ("cpu", cpu)):
        row |= {f"{kind} median": round(float(np.median(values)), 4)}
        row |= {f"{kind} p99": round(float(np.percentile(values, 99)), 4)}
    return said(row)


def said(row: Row) -> Row:
    """Print a row."""
    print(
        "  ".join(
            f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}" for key, value in row.items()
        )
    )
    sys.stdout.flush()
    return row


def same(equal: bool, what: str) -> None:
    """Stop where two do not answer the same."""
    if not equal:
        raise SystemExit(f"{what}: another answer than the index")


def filled(count: int, shelf: list[Model]) -> tuple[Index, Row]:
    """Return an index of so many devices, and what it cost."""
    index, begun = Index(), time.perf_counter()
    index.put_devices(devices(count))
    made = time.perf_counter() - begun
    for model in shelf:
        index.put_model(model)
    index.traits.all()
    content = written(index)
    begun = time.perf_counter()
    again = restored(content)
    same(again is not None, "an index that was kept is read again")
    row = {
        "name": "fill",
        "devices": count,
        "models": len(shelf),
        "groups": len(index.traits.groups.keys),
        "classes": len(index.traits.classes.keys),
        "seconds": round(made, 2),
        "kept bytes": len(content),
        "restored seconds": round(time.perf_counter() - begun, 2),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return index, said(row)


def matching(index: Index, shelf: list[Model], count: int) -> Iterator[Row]:
    """Yield the figures of the index."""
    ids = [model.id for model in shelf]
    size = {"devices": count}
    hits = [index.devices_for(one).count for one in ids]
    size["mean matches"] = int(np.mean(hits))
    yield timed("index: count", lambda one: index.devices_for(one).count, ids, **size)
    yield timed("index: count and first 100", lambda one: index.devices_for(one).first(100), ids, **size)
    yield timed("index: all ids", lambda one: index.devices_for(one).all(), ids[:100], **size)
    yield timed("index: 10 near misses, explained", lambda one: index.near(one, 10), ids, **size)
    yield timed("index: what if 12 kB less", lambda one: index.what_if(one, ram=-12_000), ids, **size)
    fresh = list(islice(devices(2 * 200, seed=9), 200))

    def change(pair: tuple[str, Hardware]) -> None:
        index.put_device(*pair)
        index.devices_for(ids[0])

    yield timed("index: change a device, then count", change, fresh, **size)
    index.fleet.settle()
    names = [name for name, _ in fresh]
    yield timed(
        "index: 10 best of the models for a device",
        lambda one: index.models_for(one).first(10),
        names,
        **size,
    )


def covering(count: int) -> Row:
    """Return how long all pairs of as many devices and models take."""
    index = Index()
    index.put_devices(devices(count))
    for model in models(count):
        index.put_model(model)
    index.traits.all()
    begun, used = time.perf_counter(), time.process_time()
    found = index.coverage()
    row = {
        "name": "index: all pairs",
        "devices": count,
        "models": count,
        "pairs": found.pairs,
        "seconds": round(time.perf_counter() - begun, 2),
        "cpu seconds": round(time.process_time() - used, 2),
    }
    sample = [int(n) for n in np.linspace(0, count - 1, 200)]
    for n in sample:
        same(index.devices_for(found.models[n]).count == found.by_model[n], "coverage")
    return said(row)


def sql(index: Index, needs: Needs) -> str:
    """Return the condition of a model in SQL: which sensors, runtimes and licences do is judged beforehand.

    So an engine has to compare numbers only, as the index has.
    """
    traits = index.traits
    key = traits.classes.keys[traits.klass(needs)]
    chosen = [
        f"{name} IN ({','.join(map(str, np.flatnonzero(table.row(need)))) or 'NULL'})"
        for name, table, need in zip(("sensors", "runtimes", "licences"), traits.tables, key, strict=False)
    ]
    return " AND ".join(
        [f"ram >= {needs.ram}", f"flash >= {needs.flash}", f"clock >= {needs.clock}", *chosen]
    )


def table(index: Index) -> list[tuple[Any, ...]]:
    """Return the devices as rows of a table."""
    columns, groups = index.fleet.columns, index.traits.groups.keys
    used = columns.used()
    values = (columns[name][used].tolist() for name in ("ram", "flash", "group"))
    ids = (columns.ids[slot] for slot in used.tolist())
    return [
        (name, ram, flash, groups[g].clock, *groups[g][:3])
        for name, (ram, flash, g) in zip(ids, zip(*values, strict=True), strict=True)
    ]


COUNT, FIRST = "SELECT count(*) FROM device WHERE", "SELECT id FROM device WHERE"
COLUMNS = "id TEXT, ram BIGINT, flash BIGINT, clock BIGINT, sensors BIGINT, runtimes BIGINT, licences BIGINT"


def engines(index: Index, shelf: list[Model]) -> Iterator[Row]:
    """Yield the figures of SQL engines and of a plain scan of columns."""
    rows = table(index)
    wanted = [
        (index.shelf.needs(model.id, training=False), index.devices_for(model.id).count)
        for model in shelf[:100]
    ]
    size = {"devices": len(rows)}
    for name, run in (("SQLite", sqlite(rows)), ("DuckDB", duck(rows))):
        if run is None:
            continue
        for needs, count in wanted[:20]:
            same(run(f"{COUNT} {sql(index, needs)}") == [(count,)], name)
        queries = [sql(index, needs) for needs, _ in wanted]
        counts = [f"{COUNT} {one}" for one in queries]
        yield timed(f"{name}: count", run, counts, **size)
        pages = [f"{FIRST} {one} ORDER BY ram DESC LIMIT 100" for one in queries]
        yield timed(f"{name}: first 100", run, pages, **size)
    columns, used = index.fleet.columns, index.fleet.columns.used()
    ram, flash, group = (columns[name][used] for name in ("ram", "flash", "group"))

    def scan(needs: Needs) -> int:
        groups = index.traits.groups_for(index.traits.klass(needs))
        return int(np.count_nonzero((ram >= needs.ram) & (flash >= needs.flash) & groups[group]))

    same(all(scan(needs) == count for needs, count in wanted), "numpy")
    yield timed("numpy, every row: count", scan, [needs for needs, _ in wanted], **size)


def sqlite(rows: list[tuple[Any, ...]]) -> Callable[[str], list[Any]]:
    """Return what runs a query in SQLite."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE device ({COLUMNS})")
    connection.executemany("INSERT INTO device VALUES (?,?,?,?,?,?,?)", rows)
    connection.execute("CREATE INDEX by_ram ON device (ram, flash, clock, sensors, runtimes, licences)")
    connection.execute("ANALYZE")
    return lambda query: connection.execute(query).fetchall()


def duck(rows: list[tuple[Any, ...]]) -> Callable[[str], list[Any]] | None:
    """Return what runs a query in DuckDB, on one thread."""
    try:
        import duckdb
    except ImportError:
        print("DuckDB is not installed: pip install duckdb")
        return None
    import tempfile

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)
        file.flush()
        connection.execute(f"CREATE TABLE device ({COLUMNS})")
        connection.execute(f"COPY device FROM '{file.name}' (FORMAT csv, HEADER false)")
    return lambda query: connection.execute(query).fetchall()


def sparql(count: int, shelf: list[Model]) -> Iterator[Row]:
    """Yield the figures of SPARQL stores: one generic query over the RDF view, for one model of twenty."""
    from pyoxigraph import NamedNode, Quad, Store

    index = Index()
    fleet = list(devices(count))
    index.put_devices(fleet)
    store = Store()
    store.extend(vocabulary())
    listed = Triples()
    operators = [
        Operator(name=name, dtype=dtype, version=version)
        for (name, dtype), version in shoal_operators().items()
    ]
    add_operators(listed, NamedNode("urn:shoal:runtime:shoal"), operators)
    store.extend(Quad(*triple) for triple in listed)
    for model in shelf:
        store.extend(quads(model))
    for name, hardware in fleet:
        store.extend(quads(described(name, hardware)))
    query = resources.files("shoal.catalog.matching").joinpath("matches.rq").read_text()
    chosen = [model for model in shelf if index.devices_for(model).count][:5]
    texts = [
        query.replace("WHERE {", f"WHERE {{ VALUES ?model {{ <{document_iri('model', model.id)}> }}", 1)
        for model in chosen
    ]
    size = {"devices": count, "triples": len(store)}
    for model, text in zip(chosen, texts, strict=True):
        begun = time.perf_counter()
        found = {row["device"].value for row in ask(store, text)}
        same(found == set(index.devices_for(model).all()), "SPARQL")
        if time.perf_counter() - begun > LONGEST:
            yield said({"name": "pyoxigraph: generic SPARQL", **size, "missing": f"over {LONGEST:.0f} s"})
            return
    yield timed(
        "pyoxigraph: generic SPARQL",
        lambda text: list(ask(store, text)),
        texts,
        **size,
    )
    yield timed("index: all ids", lambda one: index.devices_for(one).all(), chosen, **size)
    yield from rdflib_rows(store, texts[:2], size)


def ask(store: Any, text: str) -> Any:
    """Query all named graphs at once."""
    return store.query(text, use_default_graph_as_union=True)


def rdflib_rows(store: Any, texts: list[str], size: Row) -> Iterator[Row]:
    """Yield the figure of rdflib, in a process that is ended when it takes too long."""
    import multiprocessing

    from pyoxigraph import RdfFormat

    try:
        import rdflib  # noqa: F401 - asked here, used there
    except ImportError:
        print("rdflib is not installed: pip install rdflib")
        return
    turtle = store.dump(format=RdfFormat.N_QUADS)
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    worker = context.Process(target=rdflib_worker, args=(turtle, texts, send))
    worker.start()
    receive.poll(None)
    receive.recv()  # the graph is loaded
    if receive.poll(LONGEST * len(texts)):
        yield said({"name": "rdflib: generic SPARQL", **size, "wall median": round(1e3 * receive.recv(), 1)})
    else:
        yield said({"name": "rdflib: generic SPARQL", **size, "missing": f"over {LONGEST:.0f} s"})
    worker.kill()
    worker.join()


def rdflib_worker(content: bytes, texts: list[str], send: Any) -> None:
    """Time queries in rdflib."""
    import rdflib

    graph = rdflib.Dataset(default_union=True)
    graph.parse(data=content, format="nquads")
    send.send("loaded")
    begun = time.perf_counter()
    for text in texts:
        list(graph.query(text))
    send.send((time.perf_counter() - begun) / len(texts))


def described(name: str, hardware: Hardware) -> Device:
    """Return a device with this hardware."""
    td = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": name,
        "title": name,
        "security": "none",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
    }
    device = Device.model_construct(td=td)
    device.__dict__["hardware"] = hardware
    return device


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--pairs", type=int, nargs="*", default=[100_000])
    parser.add_argument("--sparql", type=int, nargs="*", default=[20, 100, 1000])
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    shelf, rows = list(models(given.models)), []
    for count in given.devices:
        index, row = filled(count, shelf)
        rows += [row, *matching(index, shelf, count), *engines(index, shelf)]
        del index
    rows += [covering(count) for count in given.pairs]
    for count in given.sparql:
        rows += sparql(count, shelf[:20])
    if given.output is not None:
        given.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
