"""The RDF view: what the documents say in terms of SOSA, SSN, TD, QUDT, PROV-O, DCAT and our own."""

from __future__ import annotations

from shoal.catalog.graph.contexts import BUNDLED
from shoal.catalog.graph.endpoint import Endpoint
from shoal.catalog.graph.follow import follow, rebuild
from shoal.catalog.graph.graphs import jsonld, quads, triples_of, turtle
from shoal.catalog.graph.shapes import shapes_text, violations
from shoal.catalog.graph.things import description
from shoal.catalog.graph.upkeep import check, folder_of
from shoal.catalog.graph.upkeep import rebuild as rebuild_folder
from shoal.catalog.graph.view import Local, View

__all__ = [
    "BUNDLED",
    "Endpoint",
    "Local",
    "View",
    "check",
    "description",
    "folder_of",
    "follow",
    "jsonld",
    "quads",
    "rebuild",
    "rebuild_folder",
    "shapes_text",
    "triples_of",
    "turtle",
    "violations",
]
