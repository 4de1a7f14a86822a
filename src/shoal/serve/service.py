"""What the routes work with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from shoal.serve.problem import Refused
from shoal.serve.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.catalog import Catalog
    from shoal.catalog.store import Store
    from shoal.serve.feed import Feed
    from shoal.serve.indexing import Indexing
    from shoal.serve.remembered import Remembered
    from shoal.serve.settings import Settings
    from shoal.serve.turns import Turns
    from shoal.serve.watchdog import Watchdog
    from shoal.serve.writer import Writer

__all__ = ["Caller", "Service", "Serving"]


@dataclass(frozen=True, slots=True)
class Service:
    """A catalog that is served.

    Parameters
    ----------
    writer
        Runs what writes.
    feed
        Follows the log.
    queries
        How often a client may query.
    jsonpath
        Answers JSONPath; None where the catalog is in memory.
    indexing
        Keeps the index up to date.
    remembered
        The last matches.
    pages, indexed, sparql, paths, sending, describing
        The turns of pages of documents, of what asks the index or for words, of SPARQL, of JSONPath, of
        models that are sent, and of what reads their files.
    clock
        Seconds since 1970.
    """

    catalog: Catalog
    settings: Settings
    writer: Writer
    feed: Feed
    queries: Rate
    jsonpath: Watchdog | None
    indexing: Indexing
    remembered: Remembered
    pages: Turns
    indexed: Turns
    sparql: Turns
    paths: Turns
    sending: Turns
    describing: Turns
    clock: Callable[[], float] = time.time

    @property
    def store(self) -> Store:
        """The documents."""
        return self.catalog.store

    def throttle(self, caller: str) -> None:
        """Take one query of a client.

        Raises
        ------
        Refused
            429, where it asks too often.
        """
        wait = self.queries.wait(caller)
        if wait:
            raise Refused(429, "too many queries", headers={"Retry-After": str(int(wait) + 1)})


async def serving(request: Request) -> Any:
    """Return the service of a request."""
    return request.app.state.service


async def calling(request: Request) -> str:
    """Return who sends a request, for the log of events."""
    name: str = request.scope["caller"].name
    return name


Serving = Annotated[Service, Depends(serving)]
Caller = Annotated[str, Depends(calling)]
