"""The profile of the reference ontology: its terms, for its queries and tools."""

from __future__ import annotations

from shoal.catalog.exporters.reference.devices import device_triples
from shoal.catalog.exporters.reference.models import model_triples

__all__ = ["device_triples", "model_triples"]
