"""Search over everything in the catalog, and models that resemble one."""

from __future__ import annotations

from shoal.catalog.search.find import Found, find, titled
from shoal.catalog.search.index import check, follow, rebuild
from shoal.catalog.search.similar import Similar, similar

__all__ = ["Found", "Similar", "check", "find", "follow", "rebuild", "similar", "titled"]
