"""Deployments, runs, measurements, learning states, aliases and saved queries as triples."""

from __future__ import annotations

from pyoxigraph import NamedNode

from shoal.catalog.documents import Alias, Deployment, LearningState, Measurement, Query, Run
from shoal.catalog.graph.parts import add_metrics
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import document_iri, unit_named

__all__ = [
    "alias_triples",
    "deployment_triples",
    "learning_triples",
    "measurement_triples",
    "query_triples",
    "run_triples",
]


def iri(kind: str, key: str | None) -> NamedNode | None:
    """Return the node of a document, None for none."""
    return NamedNode(document_iri(kind, key)) if key else None


def alias_triples(alias: Alias) -> Triples:
    """Return what the graph says of a name that moves; the model it names has it."""
    triples = Triples()
    name = NamedNode(document_iri("alias", alias.id))
    triples.a(name, "shoal:Alias")
    triples.add(name, "schema:name", alias.id)
    triples.add(name, "shoal:model", iri("model", alias.model))
    triples.add(NamedNode(document_iri("model", alias.model)), "shoal:alias", alias.id)
    return triples


def deployment_triples(deployment: Deployment) -> Triples:
    """Return what the graph says of a model on a device."""
    triples = Triples()
    name = NamedNode(document_iri("deployment", deployment.id))
    triples.a(name, "sosa:Deployment", "prov:Activity")
    triples.add(name, "schema:identifier", deployment.key)
    triples.add(name, "sosa:deployedAsset", iri("model", deployment.model))
    triples.add(name, "sosa:deployedOnPlatform", iri("device", deployment.device))
    triples.add(name, "prov:used", iri("model", deployment.model))
    triples.add(name, "shoal:status", deployment.status)
    triples.add(name, "prov:startedAtTime", deployment.started)
    triples.add(name, "prov:endedAtTime", deployment.ended)
    triples.add(name, "shoal:checksum", deployment.checksum)
    triples.add(name, "dcterms:description", deployment.note)
    return triples


def run_triples(run: Run) -> Triples:
    """Return what the graph says of a training run."""
    triples = Triples()
    name = NamedNode(document_iri("run", run.id))
    triples.a(name, "shoal:Run", "prov:Activity")
    triples.add(name, "schema:identifier", run.key)
    triples.add(name, "shoal:algorithm", run.algorithm)
    triples.add(name, "shoal:dataset", run.tasks)
    triples.add(name, "shoal:rounds", run.rounds)
    triples.add(name, "shoal:seed", run.seed)
    triples.add(name, "shoal:revision", run.revision)
    triples.add(name, "shoal:cohort", run.cohort)
    triples.add(name, "prov:startedAtTime", run.started)
    triples.add(name, "prov:endedAtTime", run.ended)
    triples.add(name, "prov:generated", iri("model", run.produced))
    triples.add(name, "prov:used", iri("model", run.base))
    triples.add(name, "prov:wasAssociatedWith", *(iri("device", device) for device in run.devices))
    add_metrics(triples, name, run.metrics)
    return triples


def measurement_triples(measurement: Measurement) -> Triples:
    """Return what the graph says of a figure."""
    triples = Triples()
    name = NamedNode(document_iri("measurement", measurement.id))
    triples.a(name, "sosa:Observation", "prov:Entity")
    triples.add(name, "schema:identifier", measurement.key)
    triples.add(name, "sosa:observedProperty", node(f"shoal:quantity-{measurement.quantity}"))
    triples.add(name, "sosa:hasFeatureOfInterest", iri("model", measurement.model))
    triples.add(name, "sosa:hasSimpleResult", measurement.value)
    triples.add(name, "sosa:resultTime", measurement.at)
    triples.add(name, "shoal:onDevice", iri("device", measurement.device))
    triples.add(name, "shoal:onBoard", iri("board", measurement.board))
    triples.add(name, "prov:wasGeneratedBy", iri("run", measurement.run))
    triples.add(name, "shoal:provenance", node(f"shoal:{measurement.provenance.capitalize()}"))
    triples.add(name, "shoal:method", measurement.method)
    result = part(name.value, "result")
    triples.add(name, "sosa:hasResult", result)
    triples.a(result, "sosa:Result", "qudt:Quantity")
    triples.add(result, "qudt:numericValue", measurement.value)
    unit = unit_named(measurement.unit)
    triples.add(result, "qudt:hasUnit", unit and NamedNode(unit.iri))
    triples.add(result, "schema:unitText", measurement.unit)
    if measurement.interval is not None:
        triples.add(result, "schema:minValue", measurement.interval[0])
        triples.add(result, "schema:maxValue", measurement.interval[1])
    return triples


def learning_triples(state: LearningState) -> Triples:
    """Return what the graph says of how far a device has learnt."""
    triples = Triples()
    name = NamedNode(document_iri("learning", state.id))
    triples.a(name, "shoal:LearningState")
    triples.add(name, "shoal:device", iri("device", state.device))
    triples.add(name, "shoal:model", iri("model", state.model))
    triples.add(name, "shoal:round", state.round)
    triples.add(name, "shoal:samples", state.samples)
    triples.add(name, "shoal:drift", state.drift)
    triples.add(name, "shoal:accuracy", state.accuracy)
    triples.add(name, "shoal:checksum", state.checksum)
    triples.add(name, "dcterms:modified", state.at)
    for label, count in state.labels.items():
        one = part(name.value, "label", label)
        triples.add(name, "shoal:seen", one)
        triples.add(one, "rdfs:label", label)
        triples.add(one, "shoal:count", count)
    return triples


def query_triples(query: Query) -> Triples:
    """Return what the graph says of a saved query."""
    triples = Triples()
    name = NamedNode(document_iri("query", query.id))
    triples.a(name, "shoal:SavedQuery")
    triples.add(name, "schema:name", query.name)
    triples.add(name, "dcterms:title", query.title)
    triples.add(name, "shoal:sparql", query.sparql)
    return triples
