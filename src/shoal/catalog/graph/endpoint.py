"""The RDF view in any SPARQL 1.1 server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from itertools import groupby
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pyoxigraph import Quad

from shoal.catalog.graph.triples import node
from shoal.catalog.graph.view import (
    NOTES,
    VOCABULARY,
    Change,
    State,
    changes_as_update,
    mapping,
    state_of,
)
from shoal.errors import ConfigError, QueryError, ShoalError, StorageError

__all__ = ["Endpoint"]

# Quads per request.
BATCH = 20_000
LARGEST = 64 * 2**20
RESULTS = "application/sparql-results+json"
TURTLE = "application/n-triples"


class Endpoint:
    """Graphs in a server that speaks the SPARQL 1.1 protocol, such as Oxigraph, Fuseki or GraphDB.

    Its default graph must be the union of the named ones for queries without `GRAPH`. Graphs that are not
    ours are left alone.

    Parameters
    ----------
    query_url, update_url
        Where queries and updates are sent.
    headers
        Sent along, for instance `Authorization`.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    StorageError
        From every method, if the server does not answer or refuses.
    """

    def __init__(
        self,
        query_url: str,
        update_url: str,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 60.0,
    ) -> None:
        for name, url in (("query_url", query_url), ("update_url", update_url)):
            if urlsplit(url).scheme not in {"http", "https"}:
                raise ConfigError(
                    f"'{url}' is no address of HTTP", where=name, hint="http://localhost:3030/ds/query"
                )
        self.query_url = query_url
        self.update_url = update_url
        self.headers = dict(headers or {})
        self.timeout = timeout

    def revision(self) -> int | None:
        """Return the revision of the catalog that it holds, None where it must be built anew."""
        state = self.state()
        return None if state is None else state[0]

    def state(self) -> State | None:
        """Return the last event of the catalog that it holds, None where it must be built anew."""
        rows = self.select(f"SELECT ?p ?o {{ GRAPH {NOTES} {{ {NOTES} ?p ?o }} }}")
        return state_of({row["p"]["value"]: row["o"]["value"] for row in rows}, mapping())

    def clear(self) -> None:
        """Forget the graphs of the catalog; those of others stay."""
        # The notes go first: what is half gone counts as gone.
        self.update(f"DROP SILENT GRAPH {NOTES}")
        mine = 'FILTER(STRSTARTS(STR(?g), "urn:shoal:document:"))'
        while rows := self.select(f"SELECT DISTINCT ?g {{ GRAPH ?g {{ ?s ?p ?o }} {mine} }} LIMIT 1000"):
            self.update(";\n".join(f"DROP SILENT GRAPH <{row['g']['value']}>" for row in rows))
        self.update(f"DROP SILENT GRAPH <{VOCABULARY}>")

    def load(self, quads: Iterable[Quad]) -> None:
        """Add many quads, some thousand at a time."""
        batch: list[Quad] = []
        # A blank node is one of its request: whole graphs go together.
        for _, graph in groupby(quads, key=lambda quad: quad.graph_name):
            batch.extend(graph)
            if len(batch) >= BATCH:
                self.update(f"INSERT DATA {{\n{insertion(batch)}\n}}")
                batch = []
        if batch:
            self.update(f"INSERT DATA {{\n{insertion(batch)}\n}}")

    def apply(self, changes: Iterable[Change], revision: int, checksum: int | None = None) -> None:
        """Replace graphs and the last event in one request, which a server executes at once or not at all."""
        self.update(changes_as_update(changes, revision, checksum))

    def devices_on(self, board: str) -> list[str]:
        """Return the ids of the devices that name a board, given by its IRI."""
        rows = self.select(f"SELECT ?d {{ GRAPH ?g {{ ?d {node('shoal:board')} <{board}> }} }}")
        return [row["d"]["value"] for row in rows]

    def select(self, query: str) -> list[dict[str, dict[str, str]]]:
        """Return the rows of a query of our own."""
        rows: list[dict[str, dict[str, str]]] = json.loads(self.query(query)[1])["results"]["bindings"]
        return rows

    def query(self, query: str, timeout: float | None = None) -> tuple[str, bytes]:
        """Return media type and content of the answer to a query: SPARQL results as JSON, or N-Triples.

        Raises
        ------
        QueryError
            If the server refuses the query.
        """
        with self.answer(query, timeout) as (media, stream):
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise QueryError(
                f"the answer is larger than {LARGEST:,} bytes", where=self.query_url, hint="LIMIT"
            )
        return media, content

    @contextmanager
    def answer(self, query: str, timeout: float | None = None) -> Iterator[tuple[str, IO[bytes]]]:
        """Open the answer to a query, to be read as far as needed: its media type, and its content.

        Raises
        ------
        QueryError
            If the server refuses the query.
        """
        accepted = f"{RESULTS}, {TURTLE};q=0.9"
        with self._sent(self.query_url, "application/sparql-query", query, accepted, timeout) as answer:
            yield answer.headers.get_content_type(), answer

    def update(self, update: str) -> None:
        """Execute an update."""
        with self._sent(self.update_url, "application/sparql-update", update, "*/*", None) as answer:
            answer.read()

    @contextmanager
    def _sent(
        self, url: str, kind: str, text: str, accept: str, timeout: float | None
    ) -> Iterator[HTTPResponse]:
        """Send a text; what fails until the answer is read is ours to tell."""
        headers = {"Content-Type": kind, "Accept": accept} | self.headers
        request = Request(url, text.encode(), headers, method="POST")  # noqa: S310 (checked to be HTTP)
        try:
            with urlopen(request, timeout=timeout or self.timeout) as answer:  # noqa: S310
                yield answer
        except ShoalError:
            raise
        except HTTPError as error:
            said = error.read(500).decode(errors="replace").strip()
            problem = f"the SPARQL server refuses ({error.code}): {said}"
            if error.code == 400:
                raise QueryError(problem, where=url) from None
            raise StorageError(problem, where=url, hint="look at its log") from None
        except (OSError, HTTPException) as error:
            reason = str(getattr(error, "reason", error))
            raise StorageError(
                f"the SPARQL server does not answer: {reason}", where=url, hint="is it running?"
            ) from None


def insertion(quads: list[Quad]) -> str:
    """Return quads as SPARQL has them within INSERT DATA."""
    graphs: dict[str, list[str]] = {}
    for quad in quads:
        graphs.setdefault(str(quad.graph_name), []).append(f"{quad.triple} .")
    return "\n".join(f"GRAPH {name} {{ {' '.join(lines)} }}" for name, lines in graphs.items())
