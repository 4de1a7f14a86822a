"""A model as triples."""

from __future__ import annotations

from pyoxigraph import NamedNode

from shoal.catalog.documents import Model, Need, Tensor
from shoal.catalog.graph.parts import add_metrics, add_observation, add_operators, licence_iri
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import document_iri, property_iri, version_iri

__all__ = ["model_triples"]

MEDIA = {"onnx": "application/onnx", "tflite": "application/vnd.tflite"}


def model_triples(model: Model) -> Triples:
    """Return what the graph says of a model."""
    triples = Triples()
    name = NamedNode(document_iri("model", model.id))
    triples.a(name, "shoal:Model", "dcat:Resource", "prov:Entity")
    triples.add(name, "schema:name", model.name)
    triples.add(name, "schema:version", model.version)
    triples.add(name, "schema:identifier", model.id)
    triples.add(name, "shoal:versionIri", NamedNode(version_iri(model.name, model.version)))
    triples.add(name, "dcterms:title", model.title)
    triples.add(name, "dcterms:description", model.description)
    triples.add(name, "dcterms:creator", model.creator)
    triples.add(name, "dcterms:created", model.created)
    triples.add(name, "dcterms:license", licence_iri(model.licence))
    triples.add(name, "schema:citation", model.reference)
    triples.add(name, "schema:keywords", *model.tags)
    triples.add(name, "shoal:task", model.task)
    triples.add(name, "shoal:dataset", model.dataset)
    triples.add(name, "shoal:macs", model.macs)
    triples.add(name, "shoal:parameters", model.parameters)
    triples.add(name, "shoal:trainLast", model.train_last)
    triples.add(name, "shoal:clockHz", model.clock_hz)
    triples.add(name, "shoal:requiresRuntime", model.runtime)
    triples.add(name, "shoal:requiresRuntimeVersion", model.runtime_version)
    add_file(triples, name, model)
    for way, tensors in (("Input", model.inputs), ("Output", model.outputs)):
        for i, tensor in enumerate(tensors):
            add_tensor(triples, name, way, i, tensor)
    add_operators(triples, name, model.operators)
    for purpose, need in (
        ("inference", model.inference),
        ("training", model.training),
        ("flash", model.flash),
    ):
        if need is not None:
            add_need(triples, name, purpose, need)
    add_contract(triples, name, model)
    add_metrics(triples, name, model.metrics)
    for predicate, base in (
        ("prov:wasDerivedFrom", model.lineage.base),
        ("prov:wasRevisionOf", model.lineage.revision_of),
    ):
        triples.add(name, predicate, base and NamedNode(document_iri("model", base)))
    run = model.lineage.run
    triples.add(name, "prov:wasGeneratedBy", run and NamedNode(document_iri("run", run)))
    return triples


def add_file(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add the file as a distribution."""
    file = part(name.value, "file")
    triples.add(name, "dcat:distribution", file)
    triples.a(file, "dcat:Distribution")
    triples.add(file, "dcat:byteSize", model.size)
    triples.add(file, "dcat:mediaType", MEDIA.get(model.format, "application/octet-stream"))
    triples.add(file, "shoal:format", model.format)
    triples.add(file, "schema:sha256", model.sha256)


def add_tensor(triples: Triples, name: NamedNode, way: str, index: int, tensor: Tensor) -> None:
    """Add an input or an output."""
    one = part(name.value, way.lower(), index)
    triples.add(name, f"sosa:has{way}", one)
    triples.a(one, "shoal:Tensor", f"sosa:{way}")
    triples.add(one, "shoal:index", index)
    triples.add(one, "schema:name", tensor.name)
    triples.add(one, "shoal:dtype", tensor.dtype)
    triples.add(one, "shoal:shape", "x".join(map(str, tensor.shape)))
    triples.add(one, "shoal:label", *dict.fromkeys(tensor.labels))
    triples.add(one, "dcterms:description", tensor.description)
    if tensor.quantization is not None:
        triples.add(one, "shoal:scale", *dict.fromkeys(tensor.quantization.scale))
        triples.add(one, "shoal:zeroPoint", *dict.fromkeys(tensor.quantization.zero_point))


def add_need(triples: Triples, name: NamedNode, purpose: str, need: Need) -> None:
    """Add an amount of memory that is needed."""
    one = part(name.value, purpose)
    triples.add(name, f"shoal:{purpose}Need", one)
    triples.a(one, "shoal:MemoryNeed", "qudt:Quantity")
    triples.add(one, "qudt:numericValue", need.bytes)
    triples.add(one, "qudt:hasUnit", node("unit:BYTE"))
    triples.add(one, "shoal:provenance", node(f"shoal:{need.provenance.capitalize()}"))
    triples.add(one, "shoal:method", need.method)
    for label, size in need.parts.items():
        piece = part(one.value, label)
        triples.add(one, "shoal:part", piece)
        triples.add(piece, "rdfs:label", label)
        triples.add(piece, "qudt:numericValue", size)
        triples.add(piece, "qudt:hasUnit", node("unit:BYTE"))


def add_contract(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add what the input is made from."""
    contract = model.input
    triples.add(name, "shoal:window", contract.window)
    triples.add(name, "shoal:channel", *dict.fromkeys(contract.channels))
    triples.add(name, "shoal:preparation", contract.preparation)
    for i, need in enumerate(contract.sensors):
        one = part(name.value, "sensor", i)
        triples.add(name, "shoal:needsSensor", one)
        triples.a(one, "shoal:SensorNeed")
        triples.add(one, "ssn:forProperty", NamedNode(property_iri(need.observes)))
        add_observation(triples, one, need)
