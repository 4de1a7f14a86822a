"""The index of the catalog, kept up to date before anybody asks it."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.serve.feed import Feed

__all__ = ["Indexing"]

BEHIND = 64
PAUSE = 1.0  # seconds after a failure

logger = logging.getLogger(__name__)


class Indexing:
    """Lets the index follow the log.

    Parameters
    ----------
    catalog
        Whose index.
    feed
        Tells when there is something new.
    """

    def __init__(self, catalog: Catalog, feed: Feed) -> None:
        self._catalog = catalog
        self._feed = feed
        self._revision = -BEHIND - 1

    @property
    def ready(self) -> bool:
        """Whether the index has followed the log, but for a few events."""
        return self._catalog.store.revision - self._revision <= BEHIND

    async def run(self) -> None:
        """Follow until cancelled."""
        first = True
        while True:
            try:
                revision = self._catalog.store.revision
                await asyncio.to_thread(self._follow)
            except Exception:  # whatever it is, the next try may succeed
                logger.exception("the index is behind")
                await asyncio.sleep(PAUSE)
                continue
            self._revision = revision
            if first:  # what is there now stays: to look through it for garbage holds up requests for 50 ms
                gc.freeze()
                first = False
            await self._feed.after(revision)

    def _follow(self) -> None:
        _ = self._catalog.index
