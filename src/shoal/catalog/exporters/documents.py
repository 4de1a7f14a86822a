"""Our own export: the graph, with each document in it, so that it can be imported again as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode, Triple

from shoal.catalog.graph import jsonld, triples_of, turtle
from shoal.catalog.graph.triples import node
from shoal.catalog.vocabulary import document_iri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Document

__all__ = ["DOCUMENT", "KIND", "as_jsonld", "as_turtle", "triples"]

DOCUMENT, KIND = node("shoal:document"), node("shoal:documentKind")
JSON = node("rdf:JSON")


def triples(documents: Iterable[Document]) -> list[Triple]:
    """Return what the graph says of documents, and the documents."""
    found: list[Triple] = []
    for document in documents:
        said = triples_of(document)  # first, as it checks that the id is an IRI
        name = NamedNode(document_iri(document.kind, document.id))
        text = json.dumps(document.body(), ensure_ascii=False, separators=(",", ":"))
        found.append(Triple(name, KIND, Literal(document.kind)))
        found.append(Triple(name, DOCUMENT, Literal(text, datatype=JSON)))
        found += said
    return found


def as_turtle(documents: Iterable[Document]) -> str:
    """Return documents as Turtle.

    Examples
    --------
    >>> from shoal.catalog.documents import Alias
    >>> text = as_turtle([Alias(name="wake", alias="champion", model="0" * 64)])
    >>> "shoal:documentKind" in text
    True
    """
    return turtle(triples(documents))


def as_jsonld(documents: Iterable[Document]) -> str:
    """Return documents as JSON-LD."""
    return jsonld(triples(documents))
