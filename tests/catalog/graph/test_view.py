"""The view follows the catalog, here and in a server, and is made anew where it must be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from pyoxigraph import NamedNode

from shoal.catalog import Catalog
from shoal.catalog.documents import Board, Capacity, Device, Hardware
from shoal.catalog.graph import Endpoint, Local, check, follow, rebuild, rebuild_folder
from shoal.catalog.graph.folder import InUseError, empty
from shoal.catalog.store import Store
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import ConfigError, QueryError, StorageError

FREE = "SELECT ?d ?n { ?d a shoal:Device ; shoal:ram/shoal:free ?n } ORDER BY ?d"


def put(store, *documents):
    for one in documents:
        store.put(one.kind, one.id, one.body())


def rows(view, query=FREE):
    """Return what a view answers, whichever it is."""
    if isinstance(view, Endpoint):
        text = "".join(f"PREFIX {name}: <{iri}> " for name, iri in PREFIXES.items()) + query
        return [tuple(row[name]["value"] for name in sorted(row)) for row in view.select(text)]
    found = view.store.query(query, prefixes=PREFIXES, use_default_graph_as_union=True)
    return [tuple(term.value for term in row) for row in found]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return the address of a SPARQL server of its own."""
    program = Path(sys.executable).with_name("oxigraph")
    if not program.exists():
        pytest.skip("pip install oxigraph")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    process = subprocess.Popen(
        [program, "serve", "--union-default-graph", "-l", folder, "-b", f"127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["memory", "disk", "server"])
def view(request, tmp_path):
    if request.param == "server":
        address = request.getfixturevalue("server")
        endpoint = Endpoint(f"{address}/query", f"{address}/update")
        endpoint.clear()
        return endpoint
    return Local(None if request.param == "memory" else tmp_path / "rdf")


def test_a_view_follows_the_catalog(view, make_thing, documents):
    store = Store(None)
    put(store, *documents)
    assert follow(view, store) == view.revision() == len(documents)
    assert rows(view) == [("urn:dev:ops:32473-hall-1", "222144")]
    put(store, Device.checked(make_thing(2)))
    store.remove("device", "urn:dev:ops:32473-hall-1")
    assert follow(view, store) == store.revision
    assert rows(view) == [("urn:dev:ops:32473-hall-2", "222144")]
    assert follow(view, store) == store.revision
    assert len(rows(view, "SELECT ?p { shoal:Vibration skos:broader ?p }")) == 1


def test_a_board_changes_the_devices_that_name_it(view, make_thing):
    store = Store(None)
    td = make_thing(**{"shoal:hardware": {"board": "mine"}, "links": []})
    put(store, Device.checked(td))
    follow(view, store)
    assert rows(view) == []
    for size in (1000, 2000):
        put(store, Board(name="mine", hardware=Hardware(ram=Capacity(total=size))))
        follow(view, store)
        assert rows(view) == [(td["id"], str(size))]
    store.remove("board", "mine")
    follow(view, store)
    assert rows(view) == []


def test_a_view_of_another_release_or_catalog_is_made_anew(view, documents, make_thing, monkeypatch):
    long, short = Store(None), Store(None)
    put(long, *documents, Device.checked(make_thing(2)))
    put(short, Device.checked(make_thing(3)))
    follow(view, long)
    follow(view, short)
    assert rows(view) == [("urn:dev:ops:32473-hall-3", "222144")]
    monkeypatch.setattr(sys.modules[Local.__module__], "mapping", lambda: "2")
    monkeypatch.setattr(sys.modules[Endpoint.__module__], "mapping", lambda: "2")
    assert view.revision() is None
    follow(view, short)
    assert view.revision() == 1


def test_a_view_of_a_catalog_that_went_another_way_is_made_anew(view, make_thing):
    """As after a backup was restored: the same number of events, and more, but others."""
    first, second = Store(None), Store(None)
    for store, numbers in ((first, (1, 2)), (second, (1, 3, 4))):
        put(store, *(Device.checked(make_thing(one)) for one in numbers))
    follow(view, first)
    assert view.state() == (2, first.checksum_at(2))
    for store, wanted in ((second, "134"), (first, "12")):
        assert follow(view, store) == store.revision
        assert [name[-1] for name, _ in rows(view)] == list(wanted)
        assert view.state() == (store.revision, store.checksum_at(store.revision))


UNREAD = {
    "a keyword of a context": {"@context": ["https://www.w3.org/2022/wot/td/v1.1", {"@direction": "ltr"}]},
    "a graph": {"@graph": []},
    "a reversed property": {"@reverse": {"saref:has": {"@id": "urn:a"}}},
    "a set": {"saref:has": {"@set": [{"@id": "urn:a"}]}},
}


@pytest.mark.parametrize("members", UNREAD.values(), ids=UNREAD)
def test_a_device_whose_description_is_not_read_keeps_its_hardware(members, make_thing):
    store, view = Store(None), Local(None)
    put(store, Device.checked(make_thing(1, **members)))
    for build in (follow, rebuild):
        build(view, store)
        assert rows(view) == [("urn:dev:ops:32473-hall-1", "222144")]
        ((problem,),) = rows(view, "SELECT ?p { <urn:dev:ops:32473-hall-1> shoal:problem ?p }")
        assert "is not read here" in problem


def test_a_document_without_a_graph_stops_nobody_else(make_thing):
    store, view = Store(None), Local(None)
    bad = make_thing(2, **{"@context": "https://example.org/mine"})
    store.put("device", bad["id"], bad)
    put(store, Device.checked(make_thing(1)))
    for build in (follow, rebuild, follow):
        assert build(view, store) == store.revision
        assert [name[-1] for name, _ in rows(view)] == ["1", "2"]
        ((problem,),) = rows(view, "SELECT ?p { ?g shoal:problem ?p }")
        assert "is not fetched" in problem


def test_graphs_of_others_in_a_server_stay(server, documents):
    endpoint = Endpoint(f"{server}/query", f"{server}/update")
    endpoint.update("INSERT DATA { GRAPH <urn:theirs> { <urn:a> <urn:b> <urn:c> } }")
    store = Store(None)
    put(store, *documents)
    follow(endpoint, store)
    endpoint.clear()
    assert endpoint.revision() is None
    assert rows(endpoint, "SELECT ?s { GRAPH <urn:theirs> { ?s ?p ?o } }") == [("urn:a",)]
    assert rows(endpoint, "SELECT ?s { GRAPH ?g { ?s a shoal:Model } }") == []


def test_a_server_that_is_not_there_or_refuses(server):
    with pytest.raises(StorageError, match="does not answer"):
        Endpoint("http://127.0.0.1:9/query", "http://127.0.0.1:9/update", timeout=2).revision()
    with pytest.raises(QueryError, match="refuses"):
        Endpoint(f"{server}/query", f"{server}/update").query("SELEKT")
    with pytest.raises(StorageError, match="refuses"):
        Endpoint(f"{server}/nothing", f"{server}/nothing").query("ASK {}")
    with pytest.raises(ConfigError, match="no address of HTTP"):
        Endpoint("file:///etc/passwd", "http://localhost/update")


def test_a_folder_has_one_process(tmp_path):
    first = Local(tmp_path / "rdf")
    with pytest.raises(StorageError, match="is open already") as caught:
        Local(tmp_path / "rdf")
    assert "delete" not in caught.value.hint  # while another process lives
    del first
    Local(tmp_path / "rdf")


def test_check_finds_what_differs_and_rebuild_mends_it(tmp_path, documents):
    store = Store(tmp_path / "a.shoal")
    assert check(store) == []
    put(store, *documents)
    view = Local(tmp_path / "a.shoal.rdf")
    follow(view, store)
    quad = next(view.store.quads_for_pattern(None, NamedNode(f"{PREFIXES['shoal']}free"), None, None))
    assert check(store) == []  # this process has it
    view.store.remove(quad)
    view.store.update("INSERT DATA { GRAPH <urn:other> { <urn:a> <urn:b> <urn:c> } }")
    del view
    found = "\n".join(check(store))
    assert "is not as its document has it" in found
    assert "urn:other is the graph of no document" in found
    rebuild_folder(store)
    assert check(store) == []


@pytest.mark.parametrize(
    ("name", "damage"),
    [("CURRENT", "gone"), ("MANIFEST*", "zero"), ("*.sst", "cut"), ("*.sst", "zero"), ("*.log", "zero")],
)
def test_a_damaged_folder_is_found_and_replaced(tmp_path, documents, name, damage):
    store, folder = Store(tmp_path / "a.shoal"), tmp_path / "a.shoal.rdf"
    put(store, *documents)
    view = Local(folder)
    follow(view, store)
    view.store.flush()
    expected = rows(view)
    del view
    hurt = [file for file in folder.glob(name) if file.stat().st_size]
    assert hurt
    for file in hurt:
        content = file.read_bytes()
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes(content[: len(content) // 2] if damage == "cut" else bytes(len(content)))
    for problem in check(store):
        assert problem.startswith("rdf: ")
    rebuild_folder(store)
    assert check(store) == []
    assert rows(Local(folder)) == expected


def test_what_is_no_view_is_left_alone(tmp_path, documents):
    store, folder = Store(tmp_path / "a.shoal"), tmp_path / "a.shoal.rdf"
    put(store, *documents)
    folder.mkdir()
    (folder / "000004.log").write_text("mine")
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(StorageError, match=r"no RDF view: thesis\.tex") as caught:
        rebuild_folder(store)
    assert caught.value.hint == "move it elsewhere"
    assert check(store) == ["rdf: here is no RDF view: thesis.tex"]
    with Catalog(store.path) as catalog:
        assert catalog.query(f"ASK {{ {FREE.split('{', 1)[1].rpartition('}')[0]} }}").boolean  # in memory
    assert {one.name: one.read_text() for one in folder.iterdir()} == {
        "000004.log": "mine",
        "thesis.tex": "mine",
    }
    backup = tmp_path / "copy"
    store.backup(backup)
    (tmp_path / "b.shoal.rdf").write_text("mine")
    with pytest.raises(StorageError, match="no RDF view: a file"):
        Catalog.restore(backup, tmp_path / "b.shoal")
    assert (tmp_path / "b.shoal.rdf").read_text() == "mine"


def test_a_rebuild_leaves_a_view_to_the_process_that_has_it(tmp_path, documents):
    store, folder = Store(tmp_path / "a.shoal"), tmp_path / "a.shoal.rdf"
    put(store, *documents)
    code = "import sys, time; from pathlib import Path; from shoal.catalog.graph import Local\n"
    code += "view = Local(Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        other.stdout.readline()
        there = {one.name for one in folder.iterdir()}
        with pytest.raises(InUseError):
            empty(folder)
        rebuild_folder(store)
        assert {one.name for one in folder.iterdir()} >= there | {"STALE"}
    finally:
        other.communicate()
    rebuild_folder(store)
    assert check(store) == []
    assert not (folder / "STALE").exists()


WRITER = """
import sys
from pathlib import Path
from shoal.catalog.documents import Alias
from shoal.catalog.graph import Local, follow
from shoal.catalog.store import Store
store, view = Store(sys.argv[1]), Local(Path(sys.argv[1] + ".rdf"))
for i in range(10**6):
    one = Alias(name=f"n{i % 7}", alias="a", model=f"{i:064x}")
    store.put(one.kind, one.id, one.body())
    print(follow(view, store), flush=True)
"""


def test_a_kill_leaves_a_view_that_knows_where_it_is(tmp_path):
    path = tmp_path / "a.shoal"
    for round_ in range(5):
        process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        for _ in range(20 + 7 * round_):
            seen = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        store = Store(path)
        at = Local(tmp_path / "a.shoal.rdf").revision()
        assert at is not None
        assert seen <= at <= store.revision
        assert check(store) == []
        store.close()


def test_half_a_load_counts_as_nothing(tmp_path, documents, monkeypatch):
    store = Store(None)
    put(store, *documents)
    view = Local(tmp_path / "rdf")
    follow(view, store)

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(Local, "apply", fail)
    with pytest.raises(OSError, match="full"):
        rebuild(view, store)
    assert view.revision() is None
