"""Devices of the reference ontology: Turtle that imitates a Thing Description, made one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.catalog.documents.device import Device
from shoal.catalog.documents.thing import TD_1_1
from shoal.catalog.importers.reference.models import amount
from shoal.catalog.importers.reference.names import short
from shoal.catalog.importers.reference.sensors import observed
from shoal.catalog.vocabulary import SHOAL, property_named, unit_named
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from shoal.catalog.importers.reference.facts import Facts, Subject

__all__ = ["devices"]

CONTEXT = [TD_1_1, {"shoal": SHOAL}]
# Units that the reference data writes and the ontology of units does not have.
NO_UNITS = {"om:degree_Celsius", "om:degress_per_second", "om:gravity", "om:micro_tesla"}


def devices(facts: Facts) -> list[Device]:
    """Return the devices of a file; what is wrong with their fields is reported.

    Raises
    ------
    DocumentError
        If one has no title: with its line.
    """
    return [_device(facts, one) for one in facts.subjects("s3n:SmartSensor")]


def _device(facts: Facts, subject: Subject) -> Device:
    where = facts.where(subject)
    if not hasattr(subject, "value") or ":" not in subject.value:
        raise DocumentError.of("device of the reference ontology", where, [("", "it has no IRI")])
    affordances = _affordances(facts, subject)
    hardware: dict[str, Any] = _memory(facts, subject)
    hardware["sensors"] = _sensors(facts, subject, affordances)
    td: dict[str, Any] = {
        "@context": CONTEXT,
        "id": subject.value,
        "title": facts.word(subject, "td:title"),
        "description": facts.word(subject, "td:description"),
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": ["nosec_sc"],
        "properties": affordances,
        "shoal:hardware": hardware,
    }
    return Device.checked({key: value for key, value in td.items() if value not in ("", {})}, where)


def _affordances(facts: Facts, subject: Subject) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in facts.nodes(subject, "td:hasPropertyAffordance"):
        affordance: dict[str, Any] = {
            "title": facts.word(one, "td:title"),
            "description": facts.word(one, "td:description"),
            "type": facts.word(one, "td:type"),
            "minimum": _whole(facts.number(one, "td:minimum")),
            "maximum": _whole(facts.number(one, "td:maximum")),
            "unit": _unit(facts, subject, facts.word(one, "td:unit")),
            "readOnly": _truth(facts, one, "td:readOnly"),
            "observable": _truth(facts, one, "td:isObservable"),
            "forms": [_form(facts, subject, form) for form in facts.nodes(one, "td:hasForm")],
        }
        key = facts.word(one, "td:name") or affordance["title"]
        found[key] = {name: value for name, value in affordance.items() if value not in (None, "")}
    return {key: found[key] for key in sorted(found)}


def _form(facts: Facts, subject: Subject, form: Subject) -> dict[str, Any]:
    target = facts.word(form, "td:href")
    last = target.rpartition("/")[2]
    own = f"{subject.value}/{last}"
    if target and target != own and _beside(target, subject.value):
        facts.report(subject, target, f"the form's target is another device's: {target}", f"taken as {own}")
        target = own
    return {"href": target, "op": sorted(facts.names(form, "td:op"))}


def _beside(target: str, device: str) -> bool:
    """Return whether a target belongs to a device beside this one."""
    ours, theirs = device.rpartition("/")[0], target.rpartition("/")[0].rpartition("/")[0]
    return ours == theirs


def _unit(facts: Facts, device: Subject, name: str) -> str:
    """Return a unit, by its short name in QUDT where it has one."""
    named = unit_named(name) if name else None
    if named is not None and name in NO_UNITS:
        facts.report(device, f'"{name}"', f"{name} is no unit of the ontology", f"taken as unit:{named.name}")
    return named.name if named is not None else name


def _memory(facts: Facts, subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = {}
    path = ("ssn:hasSubSystem", "s3n:hasSystemCapability", "ssn-system:hasSystemProperty")
    for memory in facts.nodes(subject, *path):
        value = facts.number(memory, "schema:value")
        for kind in facts.names(memory, "rdf:type"):
            if kind in ("s3n_extend:RAM", "s3n_extend:Flash") and value is not None:
                found[kind.partition(":")[2].lower()] = {"total": amount(facts, memory, value, subject)}
    return dict(sorted(found.items(), reverse=True))


def _sensors(facts: Facts, subject: Subject, affordances: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sensors by their classes, with the ranges of the properties that they observe."""
    found = {}
    for system in facts.nodes(subject, "ssn:hasSubSystem"):
        for kind in map(short, facts.names(system, "rdf:type")):
            name = property_named(kind)
            if name is not None:
                found[name] = {"observes": name} | _range(name, affordances)
    return [found[name] for name in sorted(found)]


def _range(name: str, affordances: dict[str, dict[str, Any]]) -> dict[str, Any]:
    for one in affordances.values():
        unit = one.get("unit")
        said = observed(str(one.get("title", "")), str(unit or "")) == name
        if said and "minimum" in one and "maximum" in one and unit_named(str(unit)) is not None:
            return {"low": one["minimum"], "high": one["maximum"], "unit": unit}
    return {}


def _truth(facts: Facts, subject: Subject, predicate: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(facts.word(subject, predicate))


def _whole(value: float | None) -> float | int | None:
    """Return a number as an integer where it is one."""
    return int(value) if value is not None and value.is_integer() else value
