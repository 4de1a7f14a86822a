"""Queries in SPARQL, with what the rest of the catalog answers in them."""

from __future__ import annotations

import difflib
import re
import threading
from typing import TYPE_CHECKING

from shoal.catalog.documents import Query
from shoal.catalog.vocabulary import document_iri
from shoal.errors import UnknownError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from shoal.catalog.catalog import Catalog
    from shoal.catalog.graph import Endpoint
    from shoal.catalog.query import Limits, Remote, Results, Worker

__all__ = ["Questions"]

PAGE = 1000  # documents that a word finds, read at once


class Questions:
    """Asks the process that answers queries; it starts with the first one.

    Parameters
    ----------
    catalog
        Whose index, search and names answer `shoal:canRun`, `shoal:matches` and parameters.
    endpoint
        A SPARQL 1.1 server that holds the graph instead of the process.
    """

    def __init__(self, catalog: Catalog, endpoint: Endpoint | None = None) -> None:
        self._catalog = catalog
        self._endpoint = endpoint
        self._worker: Worker | Remote | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process; the next question starts another one."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def paused(self) -> AbstractContextManager[None]:
        """End the process, and let questions wait meanwhile: none starts another one."""
        return self._started().paused()

    def ask(self, sparql: str, parameters: Mapping[str, object], limits: Limits | None) -> Results:
        """Return the answer to a query, or by its name to a saved one or one that comes with Shoal.

        Raises
        ------
        UnknownError
            Where there is none of this name.
        QueryError
            Where it cannot be read, is not allowed, or takes too much.
        """
        from shoal.catalog.query import bound, filled

        if re.fullmatch(r"[\w.-]+", sparql):
            sparql = bound(self._named(sparql), parameters, self._iri)
        elif parameters:
            sparql = filled(sparql, parameters)
        return self._started().query(sparql, limits=limits)

    def _named(self, name: str) -> Query:
        """Return a saved query, or else one that comes with Shoal."""
        from shoal.catalog.query import examples

        record = self._catalog.store.get("query", name)
        if record is not None:
            return Query.model_validate(record.body)
        shipped = examples()
        if name in shipped:
            return shipped[name]
        names = [*self._catalog.store.ids("query"), *shipped]
        near = difflib.get_close_matches(name, names, n=3) or names[:5]
        raise UnknownError(f"no saved query '{name}'", where="query", hint=", ".join(near))

    def _started(self) -> Worker | Remote:
        from shoal.catalog.query import Answers, Remote, Worker

        with self._lock:
            if self._worker is None:
                answers = Answers(self._can_run, self._find, self._id)
                store = self._catalog.store
                self._worker = (
                    Worker(store, answers=answers)
                    if self._endpoint is None
                    else Remote(store, self._endpoint, answers=answers)
                )
            return self._worker

    def _can_run(self, device: str | None, model: str | None) -> Iterator[tuple[str, str]]:
        """Yield pairs that fit: device and model."""
        return self._catalog.index.pairs(device, model)

    def _find(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the documents that have the words."""
        offset = 0
        while found := self._catalog.find(text, limit=PAGE, offset=offset):
            yield from ((one.kind, one.id) for one in found)
            offset += PAGE

    def _id(self, kind: str, name: str) -> str:
        """Return the id of the model or the device that a name means."""
        return self._catalog.model(name).id if kind == "model" else self._catalog.device(name).id

    def _iri(self, kind: str, name: str) -> str:
        """Return its IRI."""
        return document_iri(kind, self._id(kind, name))
