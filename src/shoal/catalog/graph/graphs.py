"""The graph of a document, and graphs as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, Triple, serialize

from shoal.catalog.documents import Device, Document, Hardware
from shoal.catalog.graph.hardware import board_triples
from shoal.catalog.graph.models import model_triples
from shoal.catalog.graph.records import (
    alias_triples,
    deployment_triples,
    learning_triples,
    measurement_triples,
    query_triples,
    run_triples,
)
from shoal.catalog.graph.things import device_triples
from shoal.catalog.vocabulary import PREFIXES, graph_iri
from shoal.errors import DocumentError

__all__ = ["jsonld", "quads", "triples_of", "turtle"]

MAKERS: dict[str, Callable[[Any], list[Triple]]] = {
    "alias": alias_triples,
    "board": board_triples,
    "deployment": deployment_triples,
    "device": device_triples,
    "learning": learning_triples,
    "measurement": measurement_triples,
    "model": model_triples,
    "query": query_triples,
    "run": run_triples,
}


def triples_of(document: Document, boards: Mapping[str, Hardware] | None = None) -> list[Triple]:
    """Return what the graph says of a document.

    Parameters
    ----------
    boards
        Hardware of the catalog's own boards by name, which fills up that of devices.

    Raises
    ------
    DocumentError
        If it has no graph: a Thing Description that is no JSON-LD, or an id that is no IRI.

    Examples
    --------
    >>> from shoal.catalog.documents import Alias
    >>> len(triples_of(Alias(name="wake", alias="champion", model="0" * 64)))
    4
    """
    try:
        if isinstance(document, Device) and boards:
            made: list[Triple] = device_triples(document, document.hardware_with(boards))
        else:
            made = MAKERS[document.kind](document)
    except ValueError as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError.of(f"{document.kind} document", None, [("id", f"no IRI: {error}")]) from None
    return list(dict.fromkeys(made))


def quads(document: Document, boards: Mapping[str, Hardware] | None = None) -> list[Quad]:
    """Return the named graph of a document.

    Raises
    ------
    DocumentError
        If it has none.
    """
    name = NamedNode(graph_iri(document.kind, document.id))
    return [Quad(one.subject, one.predicate, one.object, name) for one in triples_of(document, boards)]


def turtle(triples: Iterable[Triple]) -> str:
    """Return triples as Turtle, with the prefixes that they use.

    Examples
    --------
    >>> from shoal.catalog.documents import Alias
    >>> text = turtle(triples_of(Alias(name="wake", alias="champion", model="0" * 64)))
    >>> [line for line in text.splitlines() if " a " in line]
    ['<urn:shoal:alias:wake%40champion> a shoal:Alias ;']
    """
    return written(grouped(triples), RdfFormat.TURTLE)


def jsonld(triples: Iterable[Triple]) -> str:
    """Return triples as JSON-LD with a context of prefixes, which is in the text."""
    return written(grouped(triples), RdfFormat.JSON_LD)


def written(triples: list[Triple], format: RdfFormat) -> str:
    """Return triples in a format, with the prefixes that occur."""
    return (serialize(triples, format=format, prefixes=prefixes_in(triples)) or b"").decode()


def grouped(triples: Iterable[Triple]) -> list[Triple]:
    """Return triples with those of one subject together, in the order in which subjects come."""
    subjects: dict[object, list[Triple]] = {}
    for triple in triples:
        subjects.setdefault(triple.subject, []).append(triple)
    return [triple for group in subjects.values() for triple in group]


def prefixes_in(triples: Iterable[Triple]) -> dict[str, str]:
    """Return the prefixes that occur."""
    iris = set()
    for triple in triples:
        for term in (
            triple.subject,
            triple.predicate,
            triple.object,
            getattr(triple.object, "datatype", None),
        ):
            if isinstance(term, NamedNode):
                iris.add(term.value)
    return {prefix: start for prefix, start in PREFIXES.items() if any(iri.startswith(start) for iri in iris)}
