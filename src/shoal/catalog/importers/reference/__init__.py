"""The reference system's Turtle: models and devices of Ren et al., tolerant of its known defects."""

from __future__ import annotations

from shoal.catalog.importers.reference.load import is_reference, load

__all__ = ["is_reference", "load"]
