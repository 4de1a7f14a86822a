"""Queries to a SPARQL server that holds the RDF view."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, Self, cast

from pyoxigraph import (
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)

from shoal.catalog.graph import Endpoint, follow
from shoal.catalog.query.collect import collected
from shoal.catalog.query.limits import Limits
from shoal.catalog.query.magic import Answers
from shoal.catalog.query.prepare import declared, prepared
from shoal.catalog.query.results import Results
from shoal.catalog.query.worker import stopped
from shoal.catalog.store import Store
from shoal.errors import QueryError, ShoalError, StorageError

__all__ = ["Remote"]


class Remote:
    """Answers queries like :class:`Worker`, from a server.

    The answer is read as far as its limits go. Time and memory of the query are the server's to limit: it is
    given up here after its time, and may go on there.

    Parameters
    ----------
    store
        The catalog's documents; what changed in them is sent before each query.
    endpoint
        The server.
    answers
        What `shoal:canRun` and `shoal:matches` ask; None: they are refused.
    """

    def __init__(self, store: Store, endpoint: Endpoint, *, answers: Answers | None = None) -> None:
        self.store = store
        self.endpoint = endpoint
        self.answers = answers
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing stays open."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Send nothing to the server meanwhile."""
        with self._lock:
            yield

    def refresh(self) -> int:
        """Bring the server to the state of the catalog; returns the revision."""
        with self._lock:
            return follow(self.endpoint, self.store)

    def query(self, sparql: str, *, limits: Limits | None = None) -> Results:
        """Return the answer to a query, see :meth:`Worker.query`.

        Raises
        ------
        QueryError
            If it cannot be read, is not allowed, or takes too long.
        StorageError
            If the server does not answer.
        """
        limits = limits or Limits()
        text = declared(prepared(sparql, self.answers))
        revision = self.refresh()
        start = time.monotonic()
        try:
            answer = self._answer(text, limits, start + limits.seconds)
        except (MemoryError, SyntaxError, StorageError) as error:
            problem = self._told(error, limits, late=time.monotonic() - start >= limits.seconds)
        else:
            return Results(**answer, revision=revision, seconds=time.monotonic() - start)
        # Not within the block: the error holds parts of the engine, which must end in this thread.
        raise problem

    def _answer(self, text: str, limits: Limits, deadline: float) -> dict[str, Any]:
        """Return the answer of the server, read as far as its limits go."""
        with self.endpoint.answer(text, limits.seconds) as (media, stream):
            bounded = Bounded(stream, deadline, limits.memory)
            answer = collected(parsed(media, cast("IO[bytes]", bounded)), limits.rows, limits.bytes)
        return answer | {"variables": tuple(answer.get("variables", ()))}

    def _told(self, error: Exception, limits: Limits, *, late: bool) -> ShoalError:
        """Return an error as users are told of it."""
        if isinstance(error, MemoryError):
            return stopped(None, limits)
        if isinstance(error, SyntaxError):
            problem = f"the SPARQL server answers what is no result: {error}"
            return StorageError(problem, where=self.endpoint.query_url, hint="look at its log")
        if late or not isinstance(error, StorageError):
            return QueryError(f"the query was given up after {limits.seconds:g} s", hint="LIMIT")
        return StorageError(error.what, where=error.where, hint=error.hint)


class Bounded:
    """A stream that ends in an error when its time is over, or more was read than fits."""

    def __init__(self, stream: IO[bytes], deadline: float, size: int) -> None:
        self.stream = stream
        self.deadline = deadline
        self.left = size

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        if time.monotonic() > self.deadline:
            raise TimeoutError
        piece = self.stream.read(size)
        self.left -= len(piece)
        if self.left < 0:
            raise MemoryError
        return piece


def parsed(media: str, stream: IO[bytes]) -> QueryBoolean | QuerySolutions | Iterable[Triple]:
    """Return the results in a stream, which is read while they are."""
    if "json" in media:
        results: QueryBoolean | QuerySolutions = parse_query_results(stream, format=QueryResultsFormat.JSON)
        return results
    return (quad.triple for quad in parse(stream, format=RdfFormat.N_TRIPLES))
