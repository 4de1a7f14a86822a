"""Queries to a SPARQL server that holds the RDF view."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from shoal.catalog.graph import Endpoint, follow
from shoal.catalog.query.limits import Limits
from shoal.catalog.query.magic import Answers
from shoal.catalog.query.prepare import declared, prepared
from shoal.catalog.query.results import Results
from shoal.catalog.store import Store
from shoal.errors import QueryError, StorageError

__all__ = ["Remote"]


class Remote:
    """Answers queries like :class:`Worker`, from a server.

    Time and memory are the server's to limit: the query is given up here after its time, and may go on there.

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
        start = time.perf_counter()
        try:
            media, content = self.endpoint.query(text, limits.seconds)
        except StorageError:
            if time.perf_counter() - start < limits.seconds:
                raise
            raise QueryError(f"the query was given up after {limits.seconds:g} s", hint="LIMIT") from None
        seconds = time.perf_counter() - start
        if "json" not in media:
            lines = content.decode().splitlines()
            return Results(
                triples="\n".join(lines[: limits.rows]),
                truncated=len(lines) > limits.rows,
                revision=revision,
                seconds=seconds,
            )
        answer = json.loads(content)
        if "boolean" in answer:
            return Results(boolean=answer["boolean"], revision=revision, seconds=seconds)
        rows = answer["results"]["bindings"]
        return Results(
            tuple(answer["head"]["vars"]),
            rows[: limits.rows],
            truncated=len(rows) > limits.rows,
            revision=revision,
            seconds=seconds,
        )
