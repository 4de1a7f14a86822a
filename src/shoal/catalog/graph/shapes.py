"""Graphs against the shapes of the vocabulary, in SHACL."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from pyoxigraph import RdfFormat, Triple, serialize

from shoal.errors import MissingExtraError

__all__ = ["shapes_text", "violations"]


def shapes_text() -> str:
    """Return the shapes as Turtle, for any engine of SHACL."""
    return (resources.files("shoal.catalog.vocabulary") / "shapes.ttl").read_text(encoding="utf-8")


def violations(triples: Iterable[Triple]) -> list[str]:
    """Return how a graph breaks the shapes: what is wrong, and of which node; nothing where it conforms.

    Some hundred nodes a second: for the graphs of a few documents, or a report over all of them now and then.

    Raises
    ------
    MissingExtraError
        If pyshacl is not installed.
    """
    try:
        import rdflib
        from pyshacl import validate
    except ImportError:
        raise MissingExtraError("pyshacl", "validate") from None
    vocabulary = resources.files("shoal.catalog.vocabulary") / "shoal.ttl"
    data = rdflib.Graph()
    data.parse(data=serialize(list(triples), format=RdfFormat.N_TRIPLES) or b"", format="nt")
    shapes = rdflib.Graph()
    shapes.parse(data=shapes_text(), format="turtle")
    words = rdflib.Graph()
    words.parse(data=vocabulary.read_bytes(), format="turtle")
    conforms, report, _ = validate(data, shacl_graph=shapes, ont_graph=words)
    if conforms:
        return []
    result, message, focus, path = (
        rdflib.URIRef(f"http://www.w3.org/ns/shacl#{name}")
        for name in ("ValidationResult", "resultMessage", "focusNode", "resultPath")
    )
    return sorted(
        f"{report.value(one, focus)}: {report.value(one, path)}: {report.value(one, message)}"
        for one in report.subjects(rdflib.RDF.type, result)
    )
