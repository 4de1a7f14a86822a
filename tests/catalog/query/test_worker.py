"""The process that answers queries: what it knows, and what stops it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from shoal.catalog.graph import Local
from shoal.catalog.query import Limits, Results, Worker
from shoal.catalog.store import Store
from shoal.errors import ConfigError, QueryError

NAMES = "SELECT ?name { ?device a shoal:Device ; schema:name ?name } ORDER BY ?name"
PRODUCT = " . ".join(f"?s{i} ?p{i} ?o{i}" for i in range(4))
BOMBS = {
    "product": f"SELECT (COUNT(*) AS ?n) {{ {PRODUCT} }}",
    "sort": f"SELECT * {{ {PRODUCT} }} ORDER BY ?s0 ?s1 ?s2 ?s3",
    "distinct": f"SELECT DISTINCT * {{ {PRODUCT} }}",
    "text": f"SELECT (GROUP_CONCAT(CONCAT(STR(?s0), STR(?s1), STR(?o2))) AS ?x) {{ {PRODUCT} }}",
    "path": f"SELECT * {{ ?a (!<urn:x>|^!<urn:x>)* ?b . ?c (!<urn:y>|^!<urn:y>)* ?d . {PRODUCT} }}",
    "regular expression": f"SELECT * {{ {PRODUCT} FILTER REGEX(STR(?o0), '(a*)*b') }} ORDER BY ?s0",
    "terms": "SELECT (1" + "+1" * 40_000 + " AS ?x) {}",
    "signs": "SELECT (" + "!" * 50_000 + "true AS ?x) {}",
}


@pytest.fixture
def worker(filled_store, answers):
    with Worker(filled_store, answers=answers) as worker:
        yield worker


def names(worker):
    return [row["name"] for row in worker.query(NAMES)]


@pytest.mark.parametrize("where", ["filled_store", "memory_store"])
def test_an_answer_shows_everything_that_was_stored_before(where, request, make_device):
    store = request.getfixturevalue(where)
    with Worker(store) as worker:
        assert names(worker) == ["Hall 0", "Hall 1", "Hall 2"]
        one = make_device(7)
        store.put("device", one.id, one.body())
        store.remove("device", "urn:dev:0")
        assert names(worker) == ["Hall 1", "Hall 2", "Hall 7"]
        assert worker.query(NAMES).revision == store.revision == worker.refresh()


def test_the_view_stays_on_disk(filled_store, tmp_path):
    with Worker(filled_store) as worker:
        names(worker)
    assert Local(tmp_path / "site.shoal.rdf").revision() == filled_store.revision


def test_two_workers_answer_the_same(filled_store, make_device):
    with Worker(filled_store) as first, Worker(filled_store) as second:
        assert names(first) == names(second)
        one = make_device(7)
        filled_store.put("device", one.id, one.body())
        assert names(first) == names(second)
        assert len(names(first)) == 4


def test_a_damaged_view_is_an_error_and_a_deleted_one_is_built_anew(filled_store, tmp_path):
    folder = tmp_path / "site.shoal.rdf"
    with Worker(filled_store) as worker:
        names(worker)
    shutil.rmtree(folder)
    with Worker(filled_store) as worker:
        assert len(names(worker)) == 3


def test_the_catalog_answers_its_predicates(worker):
    found = worker.query("SELECT ?n { ?d shoal:canRun 'wake' ; schema:name ?n }").rows
    assert found == [{"n": "Hall 0"}, {"n": "Hall 1"}]
    found = worker.query("SELECT ?n { ?m shoal:matches 'anything' ; schema:name ?n }").rows
    assert found == [{"n": "wake"}]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_stopped_and_the_next_query_works(bomb, worker):
    names(worker)
    start = time.monotonic()
    try:
        worker.query(BOMBS[bomb], limits=Limits(seconds=1.5, memory=200 * 2**20))
    except QueryError as error:
        assert any(one in error.what for one in ("stopped after", "more memory", "nested too deeply"))  # noqa: PT017
    else:
        assert bomb in {"terms", "signs"}
    assert time.monotonic() - start < 30
    assert len(names(worker)) == 3


def test_a_killed_process_is_replaced(worker):
    names(worker)
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    assert len(names(worker)) == 3


def test_the_process_ends_with_the_one_that_asks(filled_store):
    worker = Worker(filled_store)
    names(worker)
    process = worker._process
    worker.close()
    assert process.poll() is not None
    worker.close()
    assert len(names(worker)) == 3
    worker.close()


def test_waiting_for_others_counts(worker):
    names(worker)

    def ask_much():
        with pytest.raises(QueryError):
            worker.query(BOMBS["product"], limits=Limits(seconds=3))

    slow = threading.Thread(target=ask_much)
    slow.start()
    time.sleep(0.5)
    with pytest.raises(QueryError, match="other queries took"):
        worker.query("ASK {}", limits=Limits(seconds=0.5))
    slow.join()
    assert len(names(worker)) == 3


def test_threads_share_a_worker(worker):
    found = []
    threads = [threading.Thread(target=lambda: found.append(names(worker))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [["Hall 0", "Hall 1", "Hall 2"]] * 8


def test_rows_and_triples_are_limited(worker):
    few = worker.query("SELECT * { ?s ?p ?o }", limits=Limits(rows=5))
    assert (len(few), few.truncated) == (5, True)
    assert not worker.query(NAMES, limits=Limits(rows=3)).truncated
    few = worker.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", limits=Limits(rows=5))
    assert (len(few.triples.splitlines()), few.truncated) == (5, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEKT ?x {}", "no SPARQL"),
        ("SELECT ?x { ?x other:name ?y }", "no SPARQL"),
        ("SELECT * { ?s ?p", "no SPARQL"),
        ("DROP ALL", "not allowed"),
        ("SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "not allowed"),
    ],
)
def test_what_is_wrong_is_said(query, said, worker):
    with pytest.raises(QueryError, match=said):
        worker.query(query)
    assert len(names(worker)) == 3


def test_the_folder_where_one_works_gives_no_code(filled_store, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with Worker(filled_store) as worker:
        assert len(names(worker)) == 3


def test_no_query_reaches_a_network(filled_store):
    """The process itself has none, even where a query would get past the guard."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.5)
        query = f"SELECT * {{ SERVICE <http://127.0.0.1:{server.getsockname()[1]}/> {{ ?s ?p ?o }} }}"
        with Worker(filled_store) as worker:
            names(worker)
            inside = Path(f"/proc/{worker._process.pid}/ns/net").readlink()
            if inside == Path("/proc/self/ns/net").readlink():
                pytest.skip("the kernel does not let a process leave the network")
            with pytest.raises(QueryError):
                worker._ask(query, Limits(seconds=5), time.monotonic() + 5)
        with pytest.raises(TimeoutError):
            server.accept()


def test_every_format(worker):
    rows = worker.query(
        "SELECT ?d ?ram ?label { ?d shoal:ram/shoal:free ?ram ; td:titleInLanguage ?label } ORDER BY ?d"
    )
    assert rows.rows[0] == {"d": "urn:dev:0", "ram": 262144, "label": "Halle 0"}
    head, lines = rows.table()
    assert head == ("d", "ram", "label")
    assert lines[0] == ("urn:dev:0", "262144", "Halle 0")
    assert list(csv.DictReader(io.StringIO(rows.csv())))[2]["label"] == "Halle 2"
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    assert rows.tsv().splitlines()[:2] == [
        "?d\t?ram\t?label",
        f'<urn:dev:0>\t"262144"^^<{integer}>\t"Halle 0"@de',
    ]
    whole = json.loads(rows.json())
    assert whole["head"]["vars"] == ["d", "ram", "label"]
    assert whole["results"]["bindings"][0]["label"] == {
        "type": "literal",
        "value": "Halle 0",
        "xml:lang": "de",
    }

    yes = worker.query("ASK { ?m a shoal:Model }")
    assert yes
    assert json.loads(yes.json())["boolean"] is True
    assert yes.table() == (("answer",), [("yes",)])

    graph = worker.query("CONSTRUCT { ?m schema:name ?n } { ?m a shoal:Model ; schema:name ?n }")
    assert 'schema:name "wake"' in graph.turtle()
    assert graph.table()[1][0][1:] == ("schema:name", "wake")
    assert "wake" in graph.json()
    for wrong in (rows.turtle, yes.turtle, yes.csv, graph.tsv):
        with pytest.raises(QueryError):
            wrong()
    assert "shoal:Model" in worker.query(f"DESCRIBE <urn:shoal:model:{'a' * 64}>").turtle()


def test_what_is_missing_stays_missing():
    results = Results(("a", "b"), [{"a": {"type": "bnode", "value": "x"}}])
    assert results.rows == [{"a": "_:x", "b": None}]
    assert results.csv() == "a,b\r\n_:x,\r\n"
    assert results.tsv() == "?a\t?b\n_:x\t\n"


@pytest.mark.parametrize("limit", [{"seconds": 0}, {"rows": -1}, {"memory": 0}])
def test_limits_are_above_zero(limit):
    with pytest.raises(ConfigError):
        Limits(**limit)


def test_a_catalog_that_is_gone(tmp_path, filled_store):
    del filled_store
    store = Store(tmp_path / "other.shoal")
    worker = Worker(store)
    assert worker.query("ASK { ?m a shoal:Model }").boolean is False
    assert Path(worker.folder).is_dir()
    worker.close()
    store.close()
