"""JSON-LD as triples: the part of it that Thing Descriptions use, without a network and within bounds.

Graphs, reversed and nested properties, and what else a description has no use for are refused. The general
parser of the engine reads the same documents to the same triples (the tests compare), but takes milliseconds
for the contexts of a description, again for each.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from shoal.catalog.graph.contexts import EMPTY, Context, ContextError, Term, expand, extend, outermost
from shoal.catalog.graph.triples import DOUBLE, Triples, double, node
from shoal.errors import DocumentError

__all__ = ["read"]

Name = NamedNode | BlankNode
TYPE, FIRST, REST, NIL = node("rdf:type"), node("rdf:first"), node("rdf:rest"), node("rdf:nil")
JSON, INTEGER, BOOLEAN = node("rdf:JSON"), node("xsd:integer"), node("xsd:boolean")
# As deep as a document may be, and a level for each list on the way.
DEEPEST = 70
UNREAD = {"@graph", "@reverse", "@nest", "@included", "@import", "@direction"}


def read(
    document: dict[str, Any], base: str, name: str = "document", where: str | None = None
) -> list[Triple]:
    """Return the triples of a JSON-LD document.

    Terms that its contexts do not define say nothing, nor do values that are no IRI where one must be.

    Parameters
    ----------
    base
        What names within the document begin with; blank nodes are named from it too, so that equal documents
        give equal triples.
    name, where
        What the document is and where it came from, for errors.

    Raises
    ------
    DocumentError
        If it names a context that does not come with Shoal, says what is not read here, or is nested too
        deeply.

    Examples
    --------
    >>> context = {"name": "https://schema.org/name"}
    >>> for triple in read({"@context": context, "@id": "urn:a", "name": "A"}, "urn:x/"):
    ...     print(triple)
    <urn:a> <https://schema.org/name> "A"
    """
    try:
        reader = Reader(base)
        reader.node(document, EMPTY, "", 0)
    except ContextError as error:
        raise DocumentError.of(name, where, [(error.place, error.problem)]) from None
    except UnicodeEncodeError:
        raise DocumentError.of(name, where, [("", "holds half of a character")]) from None
    return reader.triples


class Reader:
    """The triples of a document so far."""

    def __init__(self, base: str) -> None:
        self.triples = Triples()
        self.base = base
        self.label = hashlib.sha256(base.encode()).hexdigest()[:16]
        self.count = 0

    def blank(self, name: str | None = None) -> BlankNode:
        """Return a blank node: a new one, or that of a name."""
        if name is not None:
            return BlankNode(f"n{self.label}n{hashlib.sha256(name.encode()).hexdigest()[:16]}")
        self.count += 1
        return BlankNode(f"b{self.label}b{self.count}")

    def named(self, iri: str | None) -> Name | None:
        """Return the node of an IRI, None if it is none."""
        if iri is None or iri.startswith("@"):
            return None
        if iri.startswith("_:"):
            return self.blank(iri)
        try:
            return NamedNode(iri if ":" in iri else self.base + iri)
        except ValueError:
            return None

    def put(self, subject: Name, verb: Name | None, value: Name | Literal | None) -> None:
        """Add a triple, if all of it is known."""
        if isinstance(verb, NamedNode) and value is not None:
            self.triples.append(Triple(subject, verb, value))

    def node(self, value: dict[str, Any], active: Context, place: str, depth: int) -> Name | None:
        """Read an object; returns its node, None if it has no name that could be one."""
        if depth > DEEPEST:
            raise ContextError(place, f"nested deeper than {DEEPEST} levels")
        if "@context" in value:
            inner = value["@context"]
            active = extend(active, inner, f"{place}.@context") if place else outermost(inner, "@context")
        members = []
        given: Any = None
        for key, one in value.items():
            iri = expand(active, key, term=True)
            if iri == "@id":
                given = one
            elif iri in UNREAD:
                raise ContextError(f"{place}.{key}".lstrip("."), "is not read here")
            elif iri is not None and iri not in {"@context", "@index"} and one is not None:
                members.append((key, iri, one))
        subject = self.subject(given, active)
        if subject is None:
            return None
        for key, iri, one in members:
            path = f"{place}.{key}".lstrip(".")
            if iri == "@type":
                for kind in one if isinstance(one, list) else [one]:
                    if isinstance(kind, str):
                        self.put(subject, TYPE, self.named(expand(active, kind, term=True) or kind))
            elif not iri.startswith("@"):
                term = active.terms.get(key, Term(iri))
                self.values(subject, self.named(iri), term, one, active.within(key), path, depth + 1)
        return subject

    def subject(self, given: Any, active: Context) -> Name | None:
        """Return the node that an object is about."""
        if given is None:
            return self.blank()
        return self.named(expand(active, given, term=False)) if isinstance(given, str) else None

    def values(
        self,
        subject: Name,
        verb: Name | None,
        term: Term,
        value: Any,
        active: Context,
        place: str,
        depth: int,
    ) -> None:
        """Read the values of a term."""
        if depth > DEEPEST:
            raise ContextError(place, f"nested deeper than {DEEPEST} levels")
        if term.coercion == "@json":
            return self.put(subject, verb, Literal(canonical(value), datatype=JSON))
        if isinstance(value, dict) and "@language" in term.container:
            return self.languages(subject, verb, value)
        if isinstance(value, dict) and term.container & {"@index", "@id"}:
            return self.index(subject, verb, term, value, active, place, depth)
        if "@list" in term.container:
            value = value if isinstance(value, list) else [value]
            return self.put(subject, verb, self.list(term, value, active, place, depth))
        for i, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
            path = place if i is None else f"{place}[{i}]"
            if isinstance(one, list):
                self.values(subject, verb, term, one, active, path, depth + 1)
            else:
                self.put(subject, verb, self.object(term, one, active, path, depth))
        return None

    def languages(self, subject: Name, verb: Name | None, value: dict[str, Any]) -> None:
        """Read texts by language."""
        for language, texts in value.items():
            for text in texts if isinstance(texts, list) else [texts]:
                if isinstance(text, str):
                    self.put(subject, verb, tagged(text, None if language == "@none" else language))

    def index(
        self,
        subject: Name,
        verb: Name | None,
        term: Term,
        value: dict[str, Any],
        active: Context,
        place: str,
        depth: int,
    ) -> None:
        """Read values by key, where the key is the value of a property of each."""
        for key, ones in value.items():
            for one in ones if isinstance(ones, list) else [ones]:
                path = f"{place}.{key}"
                if "@id" in term.container and isinstance(one, dict):
                    one = {"@id": key} | one  # noqa: PLW2901
                item = self.object(term, one, active, path, depth)
                self.put(subject, verb, item)
                if term.index is not None and key != "@none" and isinstance(item, (NamedNode, BlankNode)):
                    meaning = active.terms.get(term.index) or Term(expand(active, term.index, term=True))
                    self.put(item, self.named(meaning.iri), self.object(meaning, key, active, path, depth))

    def object(
        self, term: Term, value: Any, active: Context, place: str, depth: int
    ) -> Name | Literal | None:
        """Return the node or the literal of one value."""
        if isinstance(value, dict):
            return self.structured(term, value, active, place, depth)
        if isinstance(value, str):
            return self.text(term, value, active)
        if isinstance(value, bool):
            return Literal("true" if value else "false", datatype=datatype(term) or BOOLEAN)
        if isinstance(value, float) and (not value.is_integer() or abs(value) >= 1e21):
            return Literal(double(value), datatype=datatype(term) or DOUBLE) if math.isfinite(value) else None
        if isinstance(value, (int, float)):
            kind = datatype(term) or INTEGER
            return Literal(double(value) if kind == DOUBLE else str(int(value)), datatype=kind)
        return None

    def text(self, term: Term, value: str, active: Context) -> Name | Literal | None:
        """Return the node or the literal of a text."""
        if term.coercion == "@id":
            return self.named(expand(active, value, term=False))
        if term.coercion == "@vocab":
            return self.named(expand(active, value, term=True) or expand(active, value, term=False))
        kind = datatype(term)
        if kind is not None:
            return Literal(value, datatype=kind)
        return tagged(value, active.language if term.language == "" else term.language)

    def structured(
        self, term: Term, value: dict[str, Any], active: Context, place: str, depth: int
    ) -> Name | Literal | None:
        """Return what an object stands for: a literal, a list or a node."""
        inner = extend(active, value["@context"], f"{place}.@context") if "@context" in value else active
        said = {expand(inner, key, term=True): one for key, one in value.items()}
        if "@value" in said:
            return literal(inner, said)
        if "@list" in said:
            items = said["@list"]
            return self.list(term, items if isinstance(items, list) else [items], inner, place, depth)
        if "@set" in said:
            raise ContextError(f"{place}.@set", "is not read here: write the list")
        return self.node(value, active, place, depth)

    def list(self, term: Term, values: list[Any], active: Context, place: str, depth: int) -> Name:
        """Return the first node of a list."""
        if depth > DEEPEST:
            raise ContextError(place, f"nested deeper than {DEEPEST} levels")
        items: list[Name | Literal] = []
        for i, one in enumerate(values):
            path = f"{place}[{i}]"
            if isinstance(one, list):
                items.append(self.list(term, one, active, path, depth + 1))
            elif (item := self.object(term, one, active, path, depth + 1)) is not None:
                items.append(item)
        following: Name = NIL
        for item in reversed(items):
            link = self.blank()
            self.put(link, FIRST, item)
            self.put(link, REST, following)
            following = link
        return following


def datatype(term: Term) -> NamedNode | None:
    """Return the data type of the values of a term, None if it is not said."""
    if term.coercion is None or term.coercion.startswith("@"):
        return None
    try:
        return NamedNode(term.coercion)
    except ValueError:
        return None


def tagged(text: str, language: str | None) -> Literal | None:
    """Return a text in a language."""
    try:
        return Literal(text, language=language) if language else Literal(text)
    except ValueError:
        return None


def literal(active: Context, said: dict[str | None, Any]) -> Literal | None:
    """Return the literal that an object with a value stands for."""
    value, kind, language = said["@value"], said.get("@type"), said.get("@language")
    iri = expand(active, kind, term=True) if isinstance(kind, str) else None
    if iri == "@json":
        return Literal(canonical(value), datatype=JSON)
    if isinstance(value, str) and iri is None:
        return tagged(value, language if isinstance(language, str) else None)
    found = Reader("urn:").object(Term(None, iri), value, active, "", 0)
    return found if isinstance(found, Literal) else None


def canonical(value: Any) -> str:
    """Return a JSON value as text, in one way."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
