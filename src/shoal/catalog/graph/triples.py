"""Triples: how they are written down in this package."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple

from shoal.catalog.vocabulary import expand

__all__ = ["DOUBLE", "Triples", "double", "node", "part"]

DATE_TIME = NamedNode(expand("xsd:dateTime"))
DOUBLE = NamedNode(expand("xsd:double"))


@cache
def node(name: str) -> NamedNode:
    """Return the node of a prefixed name; only for names that are written in code, as it keeps them."""
    return NamedNode(expand(name))


def part(iri: str, *steps: object) -> NamedNode:
    """Return the node of a part of something.

    Examples
    --------
    >>> part("urn:shoal:board:nano33ble", "sensor", 0).value
    'urn:shoal:board:nano33ble#sensor-0'
    """
    name = quote("-".join(map(str, steps)), safe="")
    return NamedNode(f"{iri}.{name}" if "#" in iri else f"{iri}#{name}")


def double(value: float) -> str:
    """Return a number in the canonical form of xsd:double, all of its digits.

    Examples
    --------
    >>> double(952.0), double(0.1), double(-1e30)
    ('9.52E2', '1.0E-1', '-1.0E30')
    """
    digits, _, exponent = f"{Decimal(repr(float(value))):E}".partition("E")
    whole, _, fraction = digits.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


class Triples(list[Triple]):
    """A list of triples that grows by what is known.

    Examples
    --------
    >>> triples = Triples()
    >>> triples.add(node("shoal:x"), "schema:name", "wake")
    >>> triples.add(node("shoal:x"), "schema:version", None)
    >>> [triple.object.value for triple in triples]
    ['wake']
    """

    def add(self, subject: NamedNode, predicate: str, *values: object) -> None:
        """Add a triple for each value; those that say nothing (None, an empty text) are left out.

        Parameters
        ----------
        predicate
            A prefixed name.
        values
            Nodes, texts, numbers, truth values or times.
        """
        verb = node(predicate)
        for value in values:
            if value is not None and value != "":
                self.append(Triple(subject, verb, term(value)))

    def a(self, subject: NamedNode, *classes: str) -> None:
        """Say what something is, by prefixed names."""
        self.add(subject, "rdf:type", *map(node, classes))


def term(value: object) -> NamedNode | Literal:
    """Return the term of a value."""
    if isinstance(value, (NamedNode, Literal)):
        return value
    if isinstance(value, datetime):
        return Literal(value.isoformat().replace("+00:00", "Z"), datatype=DATE_TIME)
    if isinstance(value, float):
        return Literal(double(value), datatype=DOUBLE)
    if isinstance(value, (str, bool, int)):
        return Literal(value)
    raise TypeError(f"{type(value).__name__} has no term")
