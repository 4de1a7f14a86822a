"""Queries to a server answer as those to the process do."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pyoxigraph import QuerySolutions

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


@pytest.mark.parametrize("query", ["SELECT * { ?s ?p ?o }", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"])
def test_rows_and_bytes_are_limited_as_they_are_here(filled_store, endpoint, query):
    with Worker(filled_store) as here, Remote(filled_store, endpoint) as there:
        for limits in (Limits(rows=5), Limits(bytes=1000), Limits(bytes=1)):
            for answer in (here.query(query, limits=limits), there.query(query, limits=limits)):
                assert answer.truncated
                assert 5 * (limits.rows == 5) <= count(answer) <= min(limits.rows, limits.bytes // 20)
        assert count(there.query(query)) == count(here.query(query))
        assert not there.query(query).truncated


def count(answer):
    """Return the number of rows or triples."""
    return len(answer.bindings) + len((answer.triples or "").splitlines())


class Endless(BaseHTTPRequestHandler):
    """Answers every question with a row that is repeated for ever, or cut short."""

    head = b'{"head":{"vars":["a"]},"results":{"bindings":['
    row = b'{"a":{"type":"literal","value":"' + b"x" * 1000 + b'"}},'
    pause, cut = 0.0, 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.end_headers()
        self.server.sent = 0
        with suppress(OSError):
            self.wfile.write(self.head)
            while not self.cut or self.server.sent < self.cut:
                self.server.sent += self.wfile.write(self.row)
                time.sleep(self.pause)
        self.server.ended.set()

    def log_message(self, *_):
        pass


@pytest.fixture
def endless(filled_store):
    """Return a function that makes a server of this kind and returns what asks it, and the server."""
    servers = []

    def serve(**changes):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Changed", (Endless,), changes))
        server.ended = threading.Event()
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        remote = Remote(filled_store, Endpoint(url, url))
        remote.refresh = lambda: 0  # this server holds no catalog
        return remote, server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


ANY = "SELECT ?a { ?a ?b ?c }"


def test_an_answer_is_read_no_further_than_its_limits(endless):
    remote, server = endless()
    found = remote.query(ANY, limits=Limits(bytes=50_000))
    assert (len(found), found.truncated) == (49, True)
    assert server.ended.wait(20)  # as soon as nobody listens
    assert server.sent < 50_000_000


def test_an_answer_without_an_end_is_given_up(endless):
    remote, _ = endless(row=b"x" * 1000, head=Endless.head + b'{"a":{"type":"literal","value":"')
    with pytest.raises(QueryError, match="took more memory than 1 MiB"):
        remote.query(ANY, limits=Limits(memory=2**20))
    remote, _ = endless(pause=0.01)
    with pytest.raises(QueryError, match=r"given up after 0\.5 s"):
        remote.query(ANY, limits=Limits(seconds=0.5))


def test_half_an_answer_is_no_answer(endless):
    remote, _ = endless(cut=10_000)
    with pytest.raises(StorageError, match="answers what is no result"):
        remote.query(ANY)


def test_nothing_of_the_engine_outlives_the_thread_that_asked(endless):
    def ask(remote, limits):
        with suppress(QueryError, StorageError):
            remote.query(ANY, limits=limits)

    cases = [({}, {"bytes": 10_000}), ({}, {"memory": 2**18}), ({"cut": 10_000}, {}), ({"pause": 0.01}, {})]
    gc.disable()
    try:
        for changes, limits in cases:
            remote, _ = endless(**changes)
            thread = threading.Thread(target=ask, args=(remote, Limits(seconds=0.5, **limits)))
            thread.start()
            thread.join()
            assert not [one for one in gc.get_objects() if type(one) is QuerySolutions]
    finally:
        gc.enable()


def test_a_long_query_is_given_up(filled_store, endpoint):
    remote = Remote(filled_store, endpoint)
    product = " . ".join(f"?s{i} ?p{i} ?o{i}" for i in range(4))
    with pytest.raises(QueryError, match="given up after 1 s"):
        remote.query(f"SELECT (COUNT(*) AS ?n) {{ {product} }}", limits=Limits(seconds=1))
    with pytest.raises(StorageError):
        Remote(filled_store, Endpoint("http://127.0.0.1:9/q", "http://127.0.0.1:9/u")).query("ASK {}")
