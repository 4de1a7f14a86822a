"""The namespaces of the graph, and the names of documents in it: each written here and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import quote

__all__ = ["PREFIXES", "SHOAL", "abbreviate", "document_iri", "expand", "graph_iri", "version_iri"]

SHOAL = "https://w3id.org/shoal/vocabulary#"

# In the order in which a file that needs them all declares them.
PREFIXES: dict[str, str] = {
    "shoal": SHOAL,
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "discovery": "https://www.w3.org/2021/wot/discovery#",
    "hctl": "https://www.w3.org/2019/wot/hypermedia#",
    "htv": "http://www.w3.org/2011/http#",
    "jsonschema": "https://www.w3.org/2019/wot/json-schema#",
    "nnet": "https://w3id.org/tinyml-schema/neural-network-schema#",
    "om": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "qudt": "http://qudt.org/schema/qudt/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "s3n": "http://w3id.org/s3n/",
    "s3n_extend": "https://w3id.org/tinyml-schema/neural-network-schema/s3n_extend/",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "sosa_extend": "https://w3id.org/tinyml-schema/neural-network-schema/sosa_extend/",
    "ssn": "http://www.w3.org/ns/ssn/",
    "ssn-system": "http://www.w3.org/ns/ssn/systems/",
    "ssn_extend": "https://w3id.org/tinyml-schema/neural-network-schema/ssn_extend/",
    "td": "https://www.w3.org/2019/wot/td#",
    "tm": "https://www.w3.org/2019/wot/tm#",
    "unit": "http://qudt.org/vocab/unit/",
    "wotsec": "https://www.w3.org/2019/wot/security#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
# An IRI that stands for itself: absolute, and of characters that need no escape.
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`\[\]]+")
_LOCAL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")


def expand(name: str) -> str:
    """Return the IRI that a prefixed name stands for; an IRI is returned as it is.

    Examples
    --------
    >>> expand("sosa:observes")
    'http://www.w3.org/ns/sosa/observes'
    >>> expand("urn:shoal:board:nano33ble")
    'urn:shoal:board:nano33ble'
    """
    prefix, colon, local = name.partition(":")
    return PREFIXES[prefix] + local if colon and prefix in PREFIXES and not local.startswith("//") else name


def abbreviate(iri: str) -> str:
    """Return an IRI as a prefixed name where a prefix fits.

    Examples
    --------
    >>> abbreviate("http://www.w3.org/ns/sosa/observes")
    'sosa:observes'
    >>> abbreviate("urn:shoal:board:nano33ble")
    'urn:shoal:board:nano33ble'
    """
    for prefix, namespace in PREFIXES.items():
        local = iri.removeprefix(namespace)
        if local != iri and _LOCAL.fullmatch(local):
            return f"{prefix}:{local}"
    return iri


def document_iri(kind: str, key: str) -> str:
    """Return the IRI of a document.

    Parameters
    ----------
    kind
        model, device, board, ...
    key
        Its id among the documents of its kind. That of a device is an absolute IRI already, as a
        rule.

    Examples
    --------
    >>> document_iri("board", "nano33ble"), document_iri("device", "urn:dev:ops:32473-hall-7")
    ('urn:shoal:board:nano33ble', 'urn:dev:ops:32473-hall-7')
    >>> document_iri("run", "fan 7"), document_iri("model", "sha256:" + "0" * 64)[:25]
    ('urn:shoal:run:fan%207', 'urn:shoal:model:000000000')
    """
    if kind == "device" and _ABSOLUTE.fullmatch(key):
        return key
    if kind == "model":
        return f"urn:shoal:model:{key.removeprefix('sha256:')}"
    return f"urn:shoal:{kind}:{quote(key, safe='')}"


def version_iri(name: str, version: str) -> str:
    """Return the IRI of one version of a model.

    Examples
    --------
    >>> version_iri("wake", "1.0.0")
    'urn:shoal:model:wake:1.0.0'
    """
    return f"urn:shoal:model:{quote(name, safe='')}:{quote(version, safe='')}"


def graph_iri(kind: str, key: str) -> str:
    """Return the name of the graph that holds a document, and nothing else.

    Examples
    --------
    >>> graph_iri("device", "urn:dev:ops:32473-hall-7")
    'urn:shoal:document:device:urn%3Adev%3Aops%3A32473-hall-7'
    """
    return f"urn:shoal:document:{kind}:{quote(key, safe='')}"
