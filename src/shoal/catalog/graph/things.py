"""A device as triples: its hardware, and its Thing Description read as JSON-LD."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pyoxigraph import NamedNode, Triple

from shoal.catalog.documents import Device, Hardware
from shoal.catalog.graph.hardware import add_hardware
from shoal.catalog.graph.jsonld import read
from shoal.catalog.graph.triples import Triples, node
from shoal.catalog.vocabulary import SHOAL, document_iri

__all__ = ["description", "device_triples", "hardware_triples"]

TYPE = node("rdf:type")


def device_triples(device: Device, hardware: Hardware | None = None) -> Triples:
    """Return what the graph says of a device.

    Parameters
    ----------
    hardware
        Its own by default; filled up from the boards of a catalog, where they are known.

    Raises
    ------
    DocumentError
        If the description is no JSON-LD, or names a context that does not come with Shoal.
    """
    triples = hardware_triples(device, hardware)
    known = set(triples)
    triples.extend(triple for triple in description(device.td) if triple not in known)
    return triples


def hardware_triples(device: Device, hardware: Hardware | None = None) -> Triples:
    """Return what the graph says of a device without its description: its name and its hardware."""
    triples = Triples()
    name = NamedNode(document_iri("device", device.id))
    triples.a(name, "shoal:Device", "td:Thing", "sosa:Platform")
    triples.add(name, "schema:name", device.title)
    add_hardware(triples, name, device.hardware if hardware is None else hardware)
    return triples


def description(td: dict[str, Any], where: str | None = None) -> list[Triple]:
    """Return the triples of a Thing Description.

    Terms of our own are left out: what they say is in the hardware, checked.

    Parameters
    ----------
    td
        The description; relative names in it are names within this device.

    Raises
    ------
    DocumentError
        If it is no JSON-LD, or names a context that does not come with Shoal.

    Examples
    --------
    >>> td = {"@context": "https://www.w3.org/2022/wot/td/v1.1", "id": "urn:dev:7", "title": "Hall 7"}
    >>> [(triple.predicate.value, triple.object.value) for triple in description(td)]
    [('https://www.w3.org/2019/wot/td#title', 'Hall 7')]
    """
    base = f"urn:shoal:thing:{quote(str(td.get('id')), safe='')}/"
    return [triple for triple in read(td, base, "Thing Description", where) if not own(triple)]


def own(triple: Triple) -> bool:
    """Whether a triple is in terms of our own."""
    verb: str = triple.predicate.value
    return verb.startswith(SHOAL) or (
        triple.predicate == TYPE
        and isinstance(triple.object, NamedNode)
        and triple.object.value.startswith(SHOAL)
    )
