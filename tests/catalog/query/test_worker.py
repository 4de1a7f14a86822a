"""The process that answers queries: what it knows, and what stops it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shoal.catalog.graph import Local
from shoal.catalog.graph.folder import DamagedError
from shoal.catalog.query import Limits, Results, Worker
from shoal.catalog.query.process import failure
from shoal.catalog.store import Store
from shoal.errors import ConfigError, QueryError, StorageError

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


def test_damage_is_told_in_terms_that_users_know():
    assert failure(DamagedError("cut", hint="shoal catalog rebuild")) == {
        "error": "StorageError",
        "what": "cut",
        "where": None,
        "hint": "shoal catalog rebuild",
    }


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
        answer = worker.query(BOMBS[bomb], limits=Limits(seconds=1.5, memory=200 * 2**20))
    except QueryError as error:
        assert any(one in error.what for one in ("stopped after", "more memory", "nested too deeply"))  # noqa: PT017
    else:
        # The first rows without a double are soon found, and no more than those are asked for.
        assert bomb in {"terms", "signs"} or (bomb == "distinct" and answer.truncated)
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
    with pytest.raises(QueryError, match="other queries, or a rebuild, took"):
        worker.query("ASK {}", limits=Limits(seconds=0.5))
    slow.join()
    assert len(names(worker)) == 3


def test_the_start_is_not_the_time_of_a_query(filled_store, monkeypatch):
    """What counts is the query and the wait for others."""
    with Worker(filled_store) as worker:
        start = worker._start
        monkeypatch.setattr(worker, "_start", lambda: (time.sleep(1.5), start()))
        assert worker.query("ASK { ?m a shoal:Model }", limits=Limits(seconds=1)).boolean


def test_what_comes_and_goes_between_two_queries(memory_store, make_device):
    with Worker(memory_store) as worker:
        assert len(names(worker)) == 3
        one = make_device(7)
        memory_store.put("device", one.id, one.body())
        memory_store.remove("device", one.id)
        memory_store.remove("device", "urn:dev:0")
        assert names(worker) == ["Hall 1", "Hall 2"]
        assert worker.query(NAMES).revision == memory_store.revision


def test_an_error_while_it_follows_loses_nothing(memory_store, make_device, monkeypatch):
    with Worker(memory_store) as worker:
        names(worker)
        one = make_device(7)
        memory_store.put("device", one.id, one.body())
        news = worker._news
        monkeypatch.setattr(worker, "_news", lambda: [*news(), ["device", "urn:bad", {"id": 7}]])
        with pytest.raises(StorageError, match="while it read the catalog"):
            names(worker)
        monkeypatch.undo()
        assert len(names(worker)) == 4


def test_the_memory_of_the_whole_session_may_be_limited(filled_store):
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
        "from shoal.catalog.query import Worker; from shoal.catalog.store import Store\n"
        "with Worker(Store(sys.argv[1])) as worker:\n"
        "    print([worker.query('ASK { ?m a shoal:Model }').boolean for _ in range(3)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, filled_store.path], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[True, True, True]\n", done.stderr


def test_from_names_the_graphs_that_are_asked(worker):
    one = "<urn:shoal:document:device:urn%3Adev%3A1>"
    count = "SELECT (COUNT(DISTINCT ?d) AS ?n) {0} {{ ?d a shoal:Device }}"
    assert worker.query(count.format("")).rows == [{"n": 3}]
    assert worker.query(count.format(f"FROM {one}")).rows == [{"n": 1}]
    named = f"SELECT ?d FROM NAMED {one} {{ GRAPH ?g {{ ?d a shoal:Device }} }}"
    assert worker.query(named).rows == [{"d": "urn:dev:1"}]


def test_the_bytes_of_an_answer_are_limited(worker):
    few = worker.query("SELECT * { ?s ?p ?o }", limits=Limits(bytes=1000))
    assert few.truncated
    assert 0 < len(json.dumps(few.bindings)) < 4000
    few = worker.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", limits=Limits(bytes=1000))
    assert few.truncated
    assert 0 < len(few.triples) < 1100
    # Each row is small, what it says is not: a text of 100 kB in every row.
    row = "SELECT ?x { ?s ?p ?o . BIND(REPLACE('" + "a" * 1000 + "', 'a', '" + "b" * 100 + "') AS ?x) }"
    large = worker.query(row, limits=Limits(bytes=10**6))
    assert (len(large), large.truncated) == (9, True)


def test_triples_about_triples(worker):
    graph = worker.query("CONSTRUCT { <urn:a> <urn:b> <<( <urn:c> <urn:d> 'e' )>> } {}")
    assert "<<(" in graph.turtle()
    assert "urn:c" in graph.table()[1][0][2]
    with pytest.raises(QueryError, match="no JSON-LD"):
        graph.json()
    for wrong in (Results(triples="no triples").turtle, Results(triples="no triples").json):
        with pytest.raises(QueryError, match="holds no triples"):
            wrong()


def test_the_engine_says_where_and_not_all_that_it_expected(worker):
    with pytest.raises(QueryError, match="no SPARQL: error at 1:17") as caught:
        worker.query("SELECT * { ?s ?p")
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 250


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


@pytest.mark.parametrize("limit", [{"seconds": 0}, {"rows": -1}, {"memory": 0}, {"bytes": 0}])
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
