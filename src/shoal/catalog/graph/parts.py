"""The parts that models, devices and boards share: ranges, operators, amounts, metrics."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from pyoxigraph import NamedNode

from shoal.catalog.documents import Metric, Operator, Sensor, SensorNeed
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import PROPERTIES, UNITS, property_iri, unit_factor
from shoal.errors import InputError

__all__ = ["add_metrics", "add_observation", "add_operators", "licence_iri"]


def licence_iri(licence: str) -> NamedNode | None:
    """Return the node of a licence of SPDX."""
    return NamedNode(f"https://spdx.org/licenses/{quote(licence, safe='')}") if licence else None


def add_observation(triples: Triples, name: NamedNode, observation: Sensor | SensorNeed) -> None:
    """Add the range, the rate and the axes of an observation."""
    triples.add(name, "shoal:axes", observation.axes)
    capability = part(name.value, "capability")
    if observation.low is not None or observation.rate_hz is not None:
        triples.add(name, "ssn-system:hasSystemCapability", capability)
        triples.a(capability, "ssn-system:SystemCapability")
        triples.add(capability, "ssn-system:forProperty", NamedNode(property_iri(observation.observes)))
    if observation.low is not None and observation.high is not None:
        extent = part(name.value, "range")
        triples.add(capability, "ssn-system:hasSystemProperty", extent)
        triples.a(extent, "ssn-system:MeasurementRange")
        triples.add(extent, "schema:minValue", observation.low)
        triples.add(extent, "schema:maxValue", observation.high)
        term = PROPERTIES.get(observation.observes)
        unit = observation.unit or (term.unit if term is not None else "")
        if unit in UNITS:
            triples.add(extent, "qudt:hasUnit", node(f"unit:{unit}"))
        try:
            scale, offset = unit_factor(observation.unit, observation.observes)
        except InputError:
            return
        # In one unit, so that a query compares numbers.
        triples.add(extent, "shoal:lowest", observation.low * scale + offset)
        triples.add(extent, "shoal:highest", observation.high * scale + offset)
    if observation.rate_hz is not None:
        rate = part(name.value, "rate")
        triples.add(capability, "ssn-system:hasSystemProperty", rate)
        triples.a(rate, "ssn-system:Frequency", "qudt:Quantity")
        triples.add(rate, "qudt:numericValue", observation.rate_hz)
        triples.add(rate, "qudt:hasUnit", node("unit:HZ"))


def add_operators(triples: Triples, owner: NamedNode, operators: Iterable[Operator]) -> None:
    """Add the operators of a model, or those that a runtime has."""
    for i, operator in enumerate(operators):
        name = part(owner.value, "operator", i)
        triples.add(owner, "shoal:operator", name)
        triples.a(name, "shoal:Operator")
        triples.add(name, "schema:name", operator.name)
        triples.add(name, "shoal:operatorVersion", operator.version)
        triples.add(name, "shoal:dtype", operator.dtype)
        triples.add(name, "shoal:count", operator.count)


def add_metrics(triples: Triples, owner: NamedNode, metrics: Iterable[Metric]) -> None:
    """Add figures of merit."""
    for i, metric in enumerate(metrics):
        name = part(owner.value, "metric", i)
        triples.add(owner, "shoal:metric", name)
        triples.a(name, "shoal:Metric")
        triples.add(name, "schema:name", metric.name)
        triples.add(name, "schema:value", metric.value)
        triples.add(name, "dcterms:source", metric.dataset)
