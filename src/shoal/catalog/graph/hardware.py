"""The hardware of a device or a board as triples."""

from __future__ import annotations

from pyoxigraph import NamedNode

from shoal.catalog.documents import Board, Capacity, Hardware, Runtime
from shoal.catalog.graph.parts import add_observation, add_operators, licence_iri
from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.vocabulary import PROPERTIES, document_iri, property_iri

__all__ = ["add_hardware", "board_triples"]


def board_triples(board: Board) -> Triples:
    """Return what the graph says of a board."""
    triples = Triples()
    name = NamedNode(document_iri("board", board.id))
    triples.a(name, "shoal:Board", "tm:ThingModel")
    triples.add(name, "schema:name", board.name)
    triples.add(name, "dcterms:title", board.title)
    triples.add(name, "dcterms:source", board.source)
    add_hardware(triples, name, board.hardware)
    return triples


def add_hardware(triples: Triples, name: NamedNode, hardware: Hardware) -> None:
    """Add what matching asks of a device."""
    if hardware.board is not None and name.value != document_iri("board", hardware.board):
        triples.add(name, "shoal:board", NamedNode(document_iri("board", hardware.board)))
    triples.add(name, "shoal:core", hardware.core)
    triples.add(name, "shoal:clockHz", hardware.clock_hz)
    add_memory(triples, name, "ram", "shoal:RAM", hardware.ram)
    add_memory(triples, name, "flash", "shoal:Flash", hardware.flash)
    for i, sensor in enumerate(hardware.sensors or ()):
        one = part(name.value, "sensor", i)
        triples.add(name, "sosa:hosts", one)
        triples.a(one, "sosa:Sensor")
        if sensor.observes in PROPERTIES:
            triples.a(one, f"shoal:{PROPERTIES[sensor.observes].sensor}")
        triples.add(one, "sosa:observes", NamedNode(property_iri(sensor.observes)))
        triples.add(one, "schema:model", sensor.part)
        add_observation(triples, one, sensor)
    for i, runtime in enumerate(hardware.runtimes or ()):
        add_runtime(triples, name, i, runtime)
    triples.add(name, "shoal:permitsLicence", *map(licence_iri, hardware.licences or ()))


def add_memory(triples: Triples, name: NamedNode, kind: str, type_: str, capacity: Capacity | None) -> None:
    """Add RAM or flash."""
    if capacity is None:
        return
    capability, one = part(name.value, "memory"), part(name.value, kind)
    triples.add(name, "ssn-system:hasSystemCapability", capability)
    triples.a(capability, "ssn-system:SystemCapability")
    triples.add(capability, "ssn-system:hasSystemProperty", one)
    triples.add(name, f"shoal:{kind}", one)
    triples.a(one, type_, "qudt:Quantity")
    triples.add(one, "qudt:numericValue", capacity.total)
    triples.add(one, "qudt:hasUnit", node("unit:BYTE"))
    triples.add(one, "shoal:reserved", capacity.reserved)
    triples.add(one, "shoal:free", capacity.free)


def add_runtime(triples: Triples, name: NamedNode, index: int, runtime: Runtime) -> None:
    """Add what runs models."""
    one = part(name.value, "runtime", index)
    triples.add(name, "shoal:runtime", one)
    triples.a(one, "shoal:Runtime")
    triples.add(one, "schema:name", runtime.name)
    triples.add(one, "schema:softwareVersion", runtime.version)
    triples.add(one, "shoal:learns", runtime.training)
    triples.add(one, "shoal:allOperators", runtime.operators is None)
    add_operators(triples, one, runtime.operators or ())
