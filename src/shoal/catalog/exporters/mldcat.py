"""MLDCAT-AP 3.1: models for a data catalogue of a European public body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode, RdfFormat, serialize

from shoal.catalog.documents import Model
from shoal.catalog.graph.parts import licence_iri
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import PREFIXES, document_iri, property_iri
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Document

__all__ = ["mldcat"]

IT6 = "http://data.europa.eu/it6/"
SPDX = "http://spdx.org/rdf/terms#"
FOAF = "http://xmlns.com/foaf/0.1/"
BIRO = "http://purl.org/spar/biro/"
COUNT, HEX = node("xsd:nonNegativeInteger"), node("xsd:hexBinary")


def mldcat(documents: Iterable[Document]) -> str:
    """Return the models among documents as Turtle in the terms of MLDCAT-AP 3.1.

    The profile demands a date of creation and a data set; a model whose document states none is exported
    without, and a validator will say so.

    Raises
    ------
    DocumentError
        If there is no model.
    """
    triples = Triples()
    for one in documents:
        if isinstance(one, Model):
            add_model(triples, one)
    if not triples:
        raise DocumentError.of("MLDCAT-AP", None, [("", "no model to be exported")])
    names = ("dcat", "dcterms", "rdf", "shoal", "skos", "xsd")
    prefixes = {name: PREFIXES[name] for name in names} | {"it6": IT6, "spdx": SPDX, "foaf": FOAF}
    return (serialize(triples, format=RdfFormat.TURTLE, prefixes=prefixes) or b"").decode()


def add_model(triples: Triples, model: Model) -> None:
    """Add a model."""
    name = NamedNode(document_iri("model", model.id))
    triples.a(name, f"{IT6}MachineLearningModel")
    triples.add(name, "dcterms:identifier", model.id)
    triples.add(name, "dcterms:title", model.title or model.name)
    triples.add(name, "dcterms:description", model.description)
    triples.add(name, "dcterms:created", model.created)
    triples.add(name, "dcat:version", model.version)
    triples.add(name, "dcat:keyword", *model.tags)
    triples.add(name, f"{IT6}intendedUse", model.task)
    architecture = ", ".join(f"{one.name} ({one.dtype}) x {one.count}" for one in model.operators)
    triples.add(name, f"{IT6}modelArchitecture", architecture)
    if model.parameters is not None:
        triples.add(name, f"{IT6}totalNumberOfParameters", Literal(str(model.parameters), datatype=COUNT))
    results = "; ".join(f"{one.name} {one.value:.12g}" for one in model.metrics)
    triples.add(name, f"{IT6}evaluationResults", results)
    triples.add(name, f"{IT6}howToUse", model.input.preparation)
    licence = licence_iri(model.licence)
    if licence is not None:
        triples.add(name, "dcterms:license", licence)
        triples.a(licence, "dcterms:LicenseDocument")
    if model.creator:
        agent = part(name.value, "creator")
        triples.add(name, "dcterms:creator", agent)
        triples.a(agent, f"{FOAF}Agent")
        triples.add(agent, f"{FOAF}name", model.creator)
    if model.dataset:
        dataset = part(name.value, "dataset")
        triples.add(name, f"{IT6}trainedOn", dataset)
        triples.a(dataset, "dcat:Dataset")
        triples.add(dataset, "dcterms:title", model.dataset)
        triples.add(dataset, "dcterms:description", f"What {model.name} was trained on.")
        triples.add(dataset, "dcat:landingPage", page(triples, model.dataset))
    if model.reference:
        reference = part(name.value, "reference")
        triples.add(name, f"{IT6}hasBibliographicReference", reference)
        triples.a(reference, f"{BIRO}BibliographicReference")
        triples.add(reference, "dcterms:bibliographicCitation", model.reference)
        triples.add(reference, "dcterms:format", "text/plain")
    if model.lineage.base is not None:
        base = NamedNode(document_iri("model", model.lineage.base))
        triples.add(name, f"{IT6}fineTunedFrom", base)
    add_modalities(triples, name, model)
    add_file(triples, name, model)


def page(triples: Triples, address: str) -> NamedNode | None:
    """Return an address as a document, None if it is none."""
    if not address.startswith(("http://", "https://")):
        return None
    try:
        found = NamedNode(address)
    except ValueError:
        return None
    triples.a(found, f"{FOAF}Document")
    return found


def add_modalities(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add what goes in, by what is observed, and what comes out."""
    for i, tensor in enumerate(model.inputs):
        one = part(name.value, "input", i)
        triples.add(name, f"{IT6}hasInputModality", one)
        triples.a(one, f"{IT6}Modality")
        triples.add(one, f"{IT6}size", "x".join(map(str, tensor.shape)))
        for need in model.input.sensors:
            kind = NamedNode(property_iri(need.observes))
            triples.add(one, f"{IT6}classification", kind)
            triples.a(kind, "skos:Concept")
    for i, tensor in enumerate(model.outputs):
        one = part(name.value, "output", i)
        triples.add(name, f"{IT6}hasOutputModality", one)
        triples.a(one, f"{IT6}Modality")
        triples.add(one, f"{IT6}size", "x".join(map(str, tensor.shape)))


def add_file(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add the file with its checksum."""
    file, checksum = part(name.value, "file"), part(name.value, "checksum")
    address, kind = NamedNode(f"urn:sha256:{model.sha256}"), node(f"shoal:format-{model.format}")
    triples.add(name, f"{IT6}hasFile", file)
    triples.a(file, f"{IT6}File")
    triples.add(file, "dcterms:identifier", f"{model.name}-{model.version}.{model.format}")
    triples.add(file, "dcterms:title", f"{model.name} {model.version}")
    triples.add(file, "dcterms:format", kind)
    triples.a(kind, "skos:Concept")
    triples.add(file, f"{IT6}url", address)
    triples.a(address, "dcat:Resource")
    triples.add(file, f"{SPDX}checksum", checksum)
    triples.a(checksum, f"{SPDX}Checksum")
    triples.add(checksum, f"{SPDX}algorithm", node(f"{SPDX}checksumAlgorithm_sha256"))
    triples.a(node(f"{SPDX}checksumAlgorithm_sha256"), f"{SPDX}ChecksumAlgorithm")
    triples.add(checksum, f"{SPDX}checksumValue", Literal(model.sha256, datatype=HEX))
