"""Tables of devices and of models as CSV."""

from __future__ import annotations

from shoal.catalog.importers.table.columns import DEVICES, MODELS
from shoal.catalog.importers.table.rows import load

__all__ = ["DEVICES", "MODELS", "load"]
