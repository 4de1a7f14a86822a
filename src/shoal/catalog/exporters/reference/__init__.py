"""The profile of the reference ontology: its terms, for its queries and tools."""

from __future__ import annotations

from shoal.catalog.exporters.reference.profile import profile

__all__ = ["profile"]
