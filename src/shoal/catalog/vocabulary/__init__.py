"""The words of the catalog: observed properties, units, namespaces, and the `shoal:` vocabulary itself."""

from __future__ import annotations

from shoal.catalog.vocabulary.namespaces import (
    PREFIXES,
    SHOAL,
    abbreviate,
    document_iri,
    expand,
    graph_iri,
    version_iri,
)
from shoal.catalog.vocabulary.terms import (
    PROPERTIES,
    SENSOR_CLASSES,
    PropertyTerm,
    ancestors,
    descendants,
    property_iri,
    property_named,
    unit_factor,
)
from shoal.catalog.vocabulary.units import UNITS, Unit, conversion, to_bytes, unit_named

__all__ = [
    "PREFIXES",
    "PROPERTIES",
    "PropertyTerm",
    "SENSOR_CLASSES",
    "SHOAL",
    "UNITS",
    "Unit",
    "abbreviate",
    "ancestors",
    "conversion",
    "descendants",
    "document_iri",
    "expand",
    "graph_iri",
    "property_iri",
    "property_named",
    "to_bytes",
    "unit_factor",
    "unit_named",
    "version_iri",
]
