"""Models of the reference ontology."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from shoal.catalog.documents.model import Model
from shoal.catalog.importers.reference.layers import computation
from shoal.catalog.importers.reference.names import CATEGORIES, METRICS
from shoal.catalog.importers.reference.sensors import needs
from shoal.catalog.vocabulary import to_bytes
from shoal.errors import DocumentError, InputError

if TYPE_CHECKING:
    from shoal.catalog.importers.reference.facts import Facts, Subject

__all__ = ["models"]

OURS = "urn:shoal:model:"
METHOD = "as described"


def models(facts: Facts) -> list[Model]:
    """Return the models of a file; what is wrong with their fields is reported.

    Raises
    ------
    DocumentError
        If one has no name, or no size: with its line.
    """
    sensors: dict[Subject, list[Subject]] = {}
    for sensor in facts.with_("ssn_extend:provideInput"):
        for fed in facts.nodes(sensor, "ssn_extend:provideInput"):
            sensors.setdefault(fed, []).append(sensor)
    return [_model(facts, one, sensors) for one in facts.subjects("nnet:NeuralNetwork")]


def address(iri: str) -> str:
    """Return the address of a model whose file is not at hand: SHA-256 of its IRI.

    Where the IRI is one of ours, it holds the address of the file.

    Examples
    --------
    >>> address("urn:shoal:model:" + "0" * 64) == "0" * 64
    True
    """
    return iri.removeprefix(OURS) if iri.startswith(OURS) else hashlib.sha256(iri.encode()).hexdigest()


def _model(facts: Facts, subject: Subject, sensors: dict[Subject, list[Subject]]) -> Model:
    where = facts.where(subject)
    memory = _memory(facts, subject)
    if "s3n_extend:Flash" not in memory:
        raise DocumentError.of("model of the reference ontology", where, [("s3n_extend:Flash", "missing")])
    body: dict[str, Any] = {
        "sha256": address(subject.value),
        "name": facts.word(subject, "schema:name"),
        "version": facts.word(subject, "schema:softwareVersion") or "1.0.0",
        "format": "tflite",
        "size": _size(facts, subject) or memory["s3n_extend:Flash"],
        "flash": {"bytes": memory["s3n_extend:Flash"], "provenance": "declared", "method": METHOD},
        "description": facts.word(subject, "schema:description"),
        "creator": facts.word(subject, "schema:creator"),
        "created": facts.word(subject, "schema:dateCreated") or None,
        "licence": facts.word(subject, "schema:license"),
        "reference": facts.word(subject, "schema:citation"),
        "dataset": facts.word(subject, "nnet:trainingDataset"),
        "runtime": facts.word(subject, "schema:runtimePlatform")
        .lower()
        .replace("tflite micro", "tflite-micro"),
        "task": next((CATEGORIES.get(name, "") for name in facts.names(subject, "nnet:hasCategory")), ""),
        "macs": _macs(facts, subject),
        "metrics": _metrics(facts, subject),
    } | computation(facts, subject)
    if "s3n_extend:RAM" in memory:
        body["inference"] = {"bytes": memory["s3n_extend:RAM"], "provenance": "declared", "method": METHOD}
    _add_input(facts, subject, sensors, body)
    return Model.checked({key: value for key, value in body.items() if value not in (None, "", [])}, where)


def _memory(facts: Facts, subject: Subject) -> dict[str, int]:
    """Return what is needed of RAM and flash, in bytes."""
    found: dict[str, int] = {}
    for condition in facts.nodes(subject, "s3n:hasProcedureFeature", "ssn-system:inCondition"):
        value = facts.number(condition, "schema:minValue")
        for kind in set(facts.names(condition, "rdf:type")) & {"s3n_extend:RAM", "s3n_extend:Flash"}:
            if value is not None:
                found[kind] = amount(facts, condition, value, subject)
    return found


def amount(facts: Facts, memory: Subject, value: float, owner: Subject) -> int:
    """Return an amount of memory in bytes."""
    unit = next(iter(facts.names(memory, "schema:unitCode")), "om:byte")
    where = facts.where(memory, owner)
    try:
        return to_bytes(value, unit, where)
    except InputError as error:
        raise DocumentError.of("reference ontology", where, [("schema:unitCode", error.what)]) from None
    except OverflowError:
        raise DocumentError.of(
            "reference ontology", where, [("amount of memory", f"{value:g} {unit}")]
        ) from None


def _size(facts: Facts, subject: Subject) -> int | None:
    """Return the size of the file where it is not what the flash must have."""
    text = facts.word(subject, "schema:fileSize").removesuffix(" B")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _macs(facts: Facts, subject: Subject) -> int | None:
    value = facts.number(subject, "nnet:hasMultiplyAccumulateOps")
    if value is None or value < 0:
        return None
    text = facts.word(subject, "nnet:hasMultiplyAccumulateOps").lower()
    if "e" in text and abs(value) >= 1e7:
        digits = sum(map(str.isdigit, text.partition("e")[0]))
        if digits == 7:
            problem = f"{text} operations are a longer number printed with 7 digits"
            facts.report(
                subject, "hasMultiplyAccumulateOps", problem, f"taken as {value:,.0f}; the file has them all"
            )
    return round(value)


def _metrics(facts: Facts, subject: Subject) -> list[dict[str, Any]]:
    found = []
    for metric in facts.nodes(subject, "nnet:hasMetric"):
        value = facts.number(metric, "nnet:hasMetricValue")
        if value == 0:
            facts.report(metric, "hasMetricValue", "a metric of 0 means that it is not known", "no metric")
        elif value is not None:
            name = next((METRICS[one] for one in facts.names(metric, "rdf:type") if one in METRICS), "other")
            found.append({"name": name, "value": value if name == "other" else round(value / 100, 12)})
    return found


def _add_input(
    facts: Facts, subject: Subject, sensors: dict[Subject, list[Subject]], body: dict[str, Any]
) -> None:
    """Add how the input is made, and what must be observed for it."""
    for fed in facts.nodes(subject, "ssn:hasInput")[:1]:
        classes = [name for sensor in sensors.get(fed, []) for name in facts.names(sensor, "rdf:type")]
        texts = dict.fromkeys(
            facts.word(sensor, "sosa_extend:hasSensorInfo") for sensor in sensors.get(fed, [])
        )
        text = "; ".join(text for text in texts if text not in ("", "N.A."))
        body["input"] = {
            "sensors": needs(classes, text),
            "preparation": facts.word(fed, "nnet:hasInputInfo"),
        }
        if text and "inputs" in body:
            body["inputs"][0]["description"] = text
