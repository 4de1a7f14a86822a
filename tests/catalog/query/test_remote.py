"""Queries to a server answer as those to the process do."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from shoal.catalog import Catalog
from shoal.catalog.graph import Endpoint
from shoal.catalog.query import Limits, Remote, Worker
from shoal.errors import QueryError, StorageError

QUERIES = [
    "SELECT ?name ?ram { ?d a shoal:Device ; schema:name ?name ; shoal:ram/shoal:free ?ram } ORDER BY ?name",
    "SELECT ?n { ?d shoal:canRun 'wake' ; schema:name ?n } ORDER BY ?n",
    "SELECT ?s { ?s sosa:observes/skos:broader* shoal:Sound } ORDER BY ?s",
    "ASK { ?m a shoal:Model ; dcterms:title 'a \"wake\" word' }",
    "CONSTRUCT { ?m schema:name ?n } { ?m a shoal:Model ; schema:name ?n }",
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """Return a SPARQL server of its own."""
    program = Path(sys.executable).with_name("oxigraph")
    if not program.exists():
        pytest.skip("pip install oxigraph")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("server")
    process = subprocess.Popen(
        [program, "serve", "--union-default-graph", "--timeout-s", "20", "-l", folder, "-b", address],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{address}", timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Endpoint(f"http://{address}/query", f"http://{address}/update")
    finally:
        process.terminate()
        process.wait(10)


def test_a_catalog_asks_the_server(endpoint):
    with Catalog(None, endpoint=endpoint) as catalog:
        catalog.add_board("nano33ble")
        assert len(catalog.query("SELECT ?b { ?b a shoal:Board }").rows) == 1
    here = Endpoint("http://127.0.0.1:9/query", "http://127.0.0.1:9/update")
    with Catalog(None, endpoint=here) as catalog, pytest.raises(StorageError):
        catalog.query("ASK {}")


def test_the_answers_are_the_same(filled_store, endpoint, answers, make_device):
    with (
        Worker(filled_store, answers=answers) as here,
        Remote(filled_store, endpoint, answers=answers) as there,
    ):
        for change in range(2):
            for query in QUERIES:
                ours, theirs = here.query(query), there.query(query)
                assert ours.rows == theirs.rows
                assert (ours.boolean, ours.revision) == (theirs.boolean, theirs.revision)
                assert (ours.triples is None) == (theirs.triples is None)
                if ours.triples is not None:
                    assert sorted(ours.triples.splitlines()) == sorted(theirs.triples.splitlines())
            one = make_device(7 + change)
            filled_store.put("device", one.id, one.body())


def test_the_same_is_refused(filled_store, endpoint, answers):
    remote = Remote(filled_store, endpoint, answers=answers)
    for query in (
        "DROP ALL",
        "SELECT * { SERVICE <http://a> { ?s ?p ?o } }",
        "SELEKT",
        "SELECT * { ?d shoal:canRun 7 }",
    ):
        with pytest.raises(QueryError):
            remote.query(query)
    assert remote.query("SELECT * { ?s ?p ?o }", limits=Limits(rows=5)).truncated


def test_a_long_query_is_given_up(filled_store, endpoint):
    remote = Remote(filled_store, endpoint)
    product = " . ".join(f"?s{i} ?p{i} ?o{i}" for i in range(4))
    with pytest.raises(QueryError, match="given up after 1 s"):
        remote.query(f"SELECT (COUNT(*) AS ?n) {{ {product} }}", limits=Limits(seconds=1))
    with pytest.raises(StorageError):
        Remote(filled_store, Endpoint("http://127.0.0.1:9/q", "http://127.0.0.1:9/u")).query("ASK {}")
