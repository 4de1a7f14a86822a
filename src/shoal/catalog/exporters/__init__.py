"""Out of the catalog: Turtle, JSON-LD, Thing Descriptions, model cards, bills of materials, profiles."""

from __future__ import annotations

from shoal.catalog.exporters.dump import FORMATS, Format, dump

__all__ = ["FORMATS", "Format", "dump"]
