"""CycloneDX 1.7: a bill of materials of models with their cards, devices, and what runs on them."""

from __future__ import annotations

import json
import re
import uuid
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from shoal.catalog.documents import Deployment, Device, Model
from shoal.catalog.vocabulary import document_iri
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Document, Need, Tensor

__all__ = ["bill"]

# An SPDX expression, such as "Apache-2.0 OR MIT".
EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
# How the classes of tasks are learnt.
APPROACHES = {
    "classification": "supervised",
    "object-detection": "supervised",
    "unsupervised": "unsupervised",
}
# The bill's number is derived from its content with this name space.
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/shoal/vocabulary#")


def bill(documents: Iterable[Document]) -> str:
    """Return models, devices and deployments as a bill of materials; the same documents, the same text.

    A deployment that is planned or active makes its device depend on its model. Other kinds are left out.

    Raises
    ------
    DocumentError
        If there is neither a model nor a device.
    """
    chosen = [one for one in documents if isinstance(one, (Model, Device, Deployment))]
    components = [component(one) for one in chosen if isinstance(one, Model)]
    components += [device(one) for one in chosen if isinstance(one, Device)]
    if not components:
        raise DocumentError.of("CycloneDX", None, [("", "neither a model nor a device to be listed")])
    known = {one["bom-ref"] for one in components}
    needs: dict[str, set[str]] = {}
    for one in chosen:
        if isinstance(one, Deployment) and one.status in ("planned", "active"):
            model = document_iri("model", one.model)
            if one.device in known and model in known:
                needs.setdefault(one.device, set()).add(model)
    body: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "shoal", "version": version("shoal")}]}
        },
        "components": components,
    }
    if needs:
        body["dependencies"] = [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]
    number = uuid.uuid5(SPACE, json.dumps(body, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{number}"} | body, indent=2, ensure_ascii=False) + "\n"


def component(model: Model) -> dict[str, Any]:
    """Return a model as a component."""
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": document_iri("model", model.id),
        "name": model.name,
        "version": model.version,
        "description": model.description,
        "authors": [{"name": model.creator}] if model.creator else [],
        "tags": list(model.tags),
        "licenses": licence(model.licence),
        "hashes": [{"alg": "SHA-256", "content": model.sha256}],
        "externalReferences": references(model),
        "modelCard": {key: value for key, value in model_card(model).items() if value},
        "properties": properties(model),
    }
    if model.lineage.base is not None:
        base = {
            "type": "machine-learning-model",
            "name": f"sha256:{model.lineage.base}",
            "hashes": [{"alg": "SHA-256", "content": model.lineage.base}],
        }
        found["pedigree"] = {"ancestors": [base]}
    return {key: value for key, value in found.items() if value}


def device(device: Device) -> dict[str, Any]:
    """Return a device as a component."""
    hardware = device.hardware
    facts = {
        "shoal:board": hardware.board,
        "shoal:core": hardware.core,
        "shoal:clock-hz": hardware.clock_hz,
        "shoal:ram-bytes": hardware.ram and hardware.ram.total,
        "shoal:flash-bytes": hardware.flash and hardware.flash.total,
    }
    found: dict[str, Any] = {
        "type": "device",
        "bom-ref": device.id,
        "name": device.title,
        "description": str(device.td.get("description", "")),
        "properties": [
            {"name": name, "value": str(value)} for name, value in facts.items() if value is not None
        ],
    }
    return {key: value for key, value in found.items() if value}


def licence(text: str) -> list[dict[str, Any]]:
    """Return a licence: an expression of SPDX identifiers, or a name."""
    if not text:
        return []
    return [{"expression": text}] if EXPRESSION.fullmatch(text) else [{"license": {"name": text}}]


def references(model: Model) -> list[dict[str, str]]:
    """Return where to read on."""
    address = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
    return [{"type": "documentation", "url": model.reference}] if address.fullmatch(model.reference) else []


def model_card(model: Model) -> dict[str, Any]:
    """Return the card: what it computes, from what it was learnt, how well it does."""
    names = {operator.name for operator in model.operators}
    convolutional = any("CONV" in name.upper() for name in names)
    parameters: dict[str, Any] = {
        "task": model.task,
        "architectureFamily": ("convolutional" if convolutional else "feed-forward") if names else "",
        "modelArchitecture": ", ".join(sorted(names)),
        "datasets": [{"type": "dataset", "name": model.dataset}] if model.dataset else [],
        "inputs": [{"format": tensor(one)} for one in model.inputs],
        "outputs": [{"format": tensor(one)} for one in model.outputs],
    }
    if model.task in APPROACHES:
        parameters["approach"] = {"type": APPROACHES[model.task]}
    figures = [
        {"type": metric.name, "value": f"{metric.value:.12g}"}
        | ({"slice": metric.dataset} if metric.dataset else {})
        for metric in model.metrics
    ]
    return {
        "bom-ref": f"{document_iri('model', model.id)}#card",
        "modelParameters": {key: value for key, value in parameters.items() if value},
        "quantitativeAnalysis": {"performanceMetrics": figures} if figures else {},
    }


def tensor(one: Tensor) -> str:
    """Return a tensor as text.

    Examples
    --------
    >>> from shoal.catalog.documents import Tensor
    >>> tensor(Tensor(dtype="int8", shape=(1960,)))
    'int8[1960]'
    """
    return f"{one.dtype}[{','.join(map(str, one.shape))}]"


def properties(model: Model) -> list[dict[str, str]]:
    """Return what no field of CycloneDX holds."""
    facts: dict[str, object] = {
        "shoal:format": model.format,
        "shoal:size-bytes": model.size,
        "shoal:macs": model.macs,
        "shoal:parameters": model.parameters,
        "shoal:runtime": " ".join(filter(None, (model.runtime, model.runtime_version))) or None,
        "shoal:sensors": ", ".join(need.observes for need in model.input.sensors) or None,
    }
    amounts: dict[str, Need | None] = {
        "inference-ram": model.inference,
        "training-ram": model.training,
        "flash": model.flash,
    }
    for name, need in amounts.items():
        if need is not None:
            facts[f"shoal:{name}-bytes"] = need.bytes
            facts[f"shoal:{name}-provenance"] = need.provenance
    return [{"name": name, "value": str(value)} for name, value in facts.items() if value is not None]
