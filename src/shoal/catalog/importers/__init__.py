"""Into the catalog: Turtle, Thing Descriptions, tables, model files."""

from __future__ import annotations

from shoal.catalog.importers.imported import Defect, Imported
from shoal.catalog.importers.load import load

__all__ = ["Defect", "Imported", "load"]
