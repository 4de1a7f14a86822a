"""The catalog: models and devices, what exists, what fits where and why not, what was learnt from what."""

from __future__ import annotations

from shoal.catalog.catalog import Catalog

__all__ = ["Catalog"]
