"""Devices in the terms of the reference ontology."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyoxigraph import Literal, NamedNode

from shoal.catalog.exporters.reference.models import kilobytes, sensor_class
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import document_iri, unit_named

if TYPE_CHECKING:
    from shoal.catalog.documents import Device

__all__ = ["device_triples"]


def device_triples(device: Device) -> Triples:
    """Return what the reference ontology can say of a device."""
    triples = Triples()
    name = NamedNode(document_iri("device", device.id))
    triples.a(name, "s3n:SmartSensor")
    triples.add(name, "td:title", english(device.title))
    triples.add(name, "td:description", english(device.td.get("description")))
    hardware = device.hardware
    for sensor in hardware.sensors or ():
        one = part(name.value, "sensor", sensor.observes)
        triples.add(name, "ssn:hasSubSystem", one)
        triples.a(one, sensor_class(sensor.observes))
    controller, capability = part(name.value, "controller"), part(name.value, "capability")
    triples.add(name, "ssn:hasSubSystem", controller)
    triples.a(controller, "s3n:MicroController")
    triples.add(controller, "s3n:hasSystemCapability", capability)
    for kind, capacity in (("RAM", hardware.ram), ("Flash", hardware.flash)):
        if capacity is not None:
            one = part(name.value, "memory", kind)
            triples.add(capability, "ssn-system:hasSystemProperty", one)
            triples.a(one, f"s3n_extend:{kind}")
            triples.add(one, "schema:value", kilobytes(capacity.free))
            triples.add(one, "schema:unitCode", node("om:kilobyte"))
    for key, affordance in device.td.get("properties", {}).items():
        add_affordance(triples, name, key, affordance)
    triples.add(name, "td:hasSecurityConfiguration", node("td:nosec_sc"))
    security = part(name.value, "security")
    triples.add(name, "td:securityDefinitions", security)
    triples.add(security, "td:scheme", english("nosec"))
    return triples


def add_affordance(triples: Triples, name: NamedNode, key: str, affordance: dict[str, Any]) -> None:
    """Add a property."""
    one = part(name.value, "property", key)
    triples.add(name, "td:hasPropertyAffordance", one)
    triples.add(one, "td:name", None if key == affordance.get("title") else english(key))
    triples.add(one, "td:title", english(affordance.get("title")))
    triples.add(one, "td:description", english(affordance.get("description")))
    triples.add(one, "td:type", english(affordance.get("type")))
    unit = affordance.get("unit")
    named = unit_named(unit) if isinstance(unit, str) else None
    triples.add(one, "td:unit", english(unit if named is None else f"unit:{named.name}"))
    for term, value in (
        ("td:minimum", affordance.get("minimum")),
        ("td:maximum", affordance.get("maximum")),
        ("td:readOnly", affordance.get("readOnly")),
        ("td:isObservable", affordance.get("observable")),
    ):
        triples.add(one, term, value)
    for i, form in enumerate(affordance.get("forms", ())):
        target = part(name.value, "property", key, "form", i)
        triples.add(one, "td:hasForm", target)
        triples.add(target, "td:href", english(form.get("href")))
        operations = form.get("op", [])
        for operation in [operations] if isinstance(operations, str) else operations:
            triples.add(target, "td:op", english(operation))


def english(text: object) -> Literal | None:
    """Return a text as the ontology's data has it."""
    return Literal(text, language="en") if isinstance(text, str) and text else None
