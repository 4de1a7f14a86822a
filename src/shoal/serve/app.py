"""The application: routes, errors, the gate before them, and what runs beside them."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from shoal.serve import deployments, events, match, models, page, problem, search, things, well_known
from shoal.serve.feed import Feed
from shoal.serve.gate import Gate
from shoal.serve.head import Head
from shoal.serve.indexing import Indexing
from shoal.serve.rate import Rate
from shoal.serve.remembered import Remembered
from shoal.serve.roles import table
from shoal.serve.service import Service
from shoal.serve.settings import Settings
from shoal.serve.turns import Turns
from shoal.serve.watchdog import Watchdog
from shoal.serve.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shoal.catalog import Catalog

__all__ = ["app"]

# In the order of the page that tells of them; one that is asked often stands early, and is found sooner.
ROUTERS = (well_known, match, things, models, deployments, search, events, page)
# Files of models are weights: compressing takes long, and gains little.
AS_IT_IS = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
# Whatever the environment says: what the directory is asked is told to nobody.
SILENT: Any = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)

logger = logging.getLogger(__name__)


def app(
    catalog: Catalog,
    settings: Settings | None = None,
    *,
    title: str = "Shoal directory",
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Return the application that serves a catalog.

    Parameters
    ----------
    catalog
        It stays open as long as the application runs; who opened it closes it.
    settings
        By default nobody is let in.
    clock
        Seconds since 1970.

    Examples
    --------
    >>> from shoal.catalog import Catalog
    >>> with Catalog(None) as catalog:
    ...     directory = app(catalog, Settings(open=True))
    ...     directory.openapi()["info"]["title"]
    'Shoal directory'
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def running(api: FastAPI) -> AsyncIterator[None]:
        feed = Feed(catalog.store, heartbeat=settings.heartbeat)
        service = Service(
            catalog=catalog,
            settings=settings,
            writer=Writer(catalog.store),
            feed=feed,
            queries=Rate(settings.queries),
            jsonpath=watchdog(catalog, settings),
            indexing=Indexing(catalog, feed),
            remembered=Remembered(),
            pages=Turns(2, waiting=64),
            # Each process that answers has one thing to do at a time, and keeps nobody else waiting.
            indexed=Turns(4, waiting=64),
            sparql=Turns(1, waiting=16),
            paths=Turns(1, waiting=16),
            # Who sends slowly holds a turn for long: nobody waits for it.
            sending=Turns(16, waiting=0),
            describing=Turns(1, waiting=16),
            clock=clock,
        )
        api.state.service = service
        service.writer.start()
        service.feed.start()
        tasks = [asyncio.create_task(service.indexing.run())]
        if not catalog.store.read_only:
            tasks.append(asyncio.create_task(purge(service)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.feed.stop()
            if service.jsonpath is not None:
                await service.jsonpath.stop()
            await asyncio.to_thread(service.writer.stop)

    api = FastAPI(
        title=title,
        version=version("shoal"),
        description="Models, devices and what fits where: a W3C WoT Thing Description Directory, and more.",
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=SILENT,
    )
    for module in ROUTERS:
        # The routes themselves, so that the table of roles is that of what is served.
        api.router.routes.extend(module.router.routes)
    table(api.router.routes)
    problem.handle(api)
    api.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=4, exclude_content_types=AS_IT_IS)
    api.add_middleware(Gate, settings=settings)
    api.add_middleware(Head)
    return api


def watchdog(catalog: Catalog, settings: Settings) -> Watchdog | None:
    """Return what answers JSONPath, in a process that reads the catalog's file."""
    if catalog.store.path is None:
        return None
    return Watchdog(
        catalog.store.path,
        seconds=settings.query_seconds,
        rows=settings.query_rows,
        size=settings.query_bytes,
    )


async def purge(service: Service) -> None:
    """Remove registrations when they expire."""
    while True:
        await asyncio.sleep(service.settings.purge_every)
        try:
            await service.writer.run(lambda: service.catalog.purge(service.clock()))
        except Exception:  # whatever it is, the next look may succeed: nothing else ends a registration
            logger.exception("expired registrations stay")
