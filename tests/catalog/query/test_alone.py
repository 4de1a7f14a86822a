"""No query reaches a network: neither past the guard, nor where something got past it."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys

import pytest

from shoal.catalog.query.guard import check_allowed
from shoal.catalog.query.tokens import tokens
from shoal.errors import QueryError

SERVICE = "SERVICE <{url}> {{ ?s ?p ?o }}"
# What hides SERVICE in a string or an IRI that only one of two readers sees. The engine asks in all of them.
HIDDEN = {
    "an IRI that is a string": "SELECT * {{ BIND(1 AS ?a) FILTER(?a<'>' || true) "
    + SERVICE
    + " FILTER('<'>1 || true) }}",
    "an IRI that is a comment": "SELECT * {{ BIND(1 AS ?a) FILTER(?a<?b#>'''\n|| true) "
    + SERVICE
    + " #'''\n }}",
    "a name that is an IRI": "PREFIX a: <urn:x:> SELECT * {{ BIND(1 AS ?a) FILTER(?a<a:b#>'''\n|| true) "
    + SERVICE
    + " #'''\n }}",
    "a string that is an IRI": "BASE <http://x/> SELECT * {{ BIND(1 AS ?a) FILTER(?a<<'>|| true) "
    + SERVICE
    + " FILTER(true || 1<<'>) }}",
    "not more": "SELECT * {{ BIND(1 AS ?a) FILTER(?a<='>'|| true) " + SERVICE + " FILTER('<'>1 || true) }}",
    "after a group": "SELECT * {{ FILTER(EXISTS{{?q ?r ?t}}<'>' || true) "
    + SERVICE
    + " FILTER('<'>1 || true) }}",
    "an escape that is none": "SELECT * {{ VALUES ?x {{'''a'}} " + SERVICE + " #\\x'''\n }}",
}
# The query runs as in the process, with what takes the network from it given by name.
PROGRAM = """
import sys
from contextlib import nullcontext
from pyoxigraph import NamedNode, Quad
from shoal.catalog.graph import Local
from shoal.catalog.query import alone
from shoal.catalog.query.process import run
from pathlib import Path
import ctypes
how, query, folder = sys.argv[1:]
view = Local(Path(folder))
view.store.extend(Quad(NamedNode(f"urn:{i}"), NamedNode("urn:p"), NamedNode("urn:o")) for i in range(2000))
view.store.flush()
quiet = alone.no_new_files if how == "files" else nullcontext
if how == "sockets" and not alone.refuse_sockets(ctypes.CDLL(None)):
    sys.exit("skip")
message = {"query": "", "rows": 5000, "bytes": 2**20, "union": True}
with quiet():
    assert len(run(view, message | {"query": "SELECT * { ?s <urn:p> ?o }"})["bindings"]) == 2000
    try:
        run(view, message | {"query": query})
    except OSError as error:
        print("refused:", error)
assert len(run(view, message | {"query": "SELECT * { ?s <urn:p> ?o }"})["bindings"]) == 2000
"""


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.3)
        yield server


def hidden(name, listener):
    return HIDDEN[name].format(url=f"http://127.0.0.1:{listener.getsockname()[1]}/secret")


@pytest.mark.parametrize("name", HIDDEN)
def test_the_guard_sees_what_the_engine_sees(name, listener):
    query = hidden(name, listener)
    with pytest.raises(QueryError, match="not allowed"):
        check_allowed(query, tokens(query))


@pytest.mark.parametrize("how", ["sockets", "files"])
@pytest.mark.parametrize("name", ["an IRI that is a string", "an IRI that is a comment"])
def test_the_process_opens_no_connection(how, name, listener, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how, hidden(name, listener), tmp_path / "rdf"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stderr.strip() == "skip":
        pytest.skip("the kernel filters no calls")
    assert done.returncode == 0, done.stderr
    assert "refused:" in done.stdout
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_process_says_whether_its_network_is_gone():
    program = "import socket; from shoal.catalog.query.alone import alone; print(alone()); socket.socket()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.stdout != "True\n":
        pytest.skip(f"nothing takes the network from a process here ({platform.platform()})")
    assert "PermissionError" in done.stderr or done.returncode == 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?service <http://example.org/a#b> ?b . FILTER(?b<3 && ?b > 'x') }",
        "PREFIX a: <http://example.org/service#> ASK { ?s a:b <http://example.org/c#d>, 'service # x' }",
        "SELECT * { ?s ?p ?o FILTER(?o <= 'service') }",
    ],
)
def test_what_has_one_reading_is_allowed(query):
    check_allowed(query, tokens(query))
