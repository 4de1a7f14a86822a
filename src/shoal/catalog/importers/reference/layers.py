"""The layers of a model: its operators, and what its input and output are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from shoal.catalog.importers.reference.names import DTYPES, OPERATORS

if TYPE_CHECKING:
    from shoal.catalog.importers.reference.facts import Facts, Subject

__all__ = ["computation"]

LABEL = re.compile(r"(?:^|,)\s*(\d{1,6})\s*:\s*([^,]*)")


def computation(facts: Facts, model: Subject) -> dict[str, Any]:
    """Return the fields of a model that its layers state; what is wrong with them is reported.

    The data states an operator's data type where its second operand has one, so the others are taken to have
    that of most; and shapes of the first and the last layer alone.
    """
    first, last = facts.nodes(model, "nnet:inputLayer"), facts.nodes(model, "nnet:outputLayer")
    inner = facts.nodes(model, "nnet:middleLayer")
    _check_indexes(facts, [*first, *inner, *last])
    layers = [(layer, _operator(facts, layer)) for layer in [*first, *inner, *last]]
    dtypes = {layer: _dtype(facts, layer, operator) for layer, operator in layers}
    stated = Counter(dtypes[layer] for layer, operator in layers if operator and dtypes[layer] is not None)
    most = stated.most_common(1)[0][0] if stated else "float32"
    count = Counter((operator, dtypes[layer] or most) for layer, operator in layers if operator)
    fields: dict[str, Any] = {
        "operators": [
            {"name": name, "dtype": dtype, "count": number} for (name, dtype), number in sorted(count.items())
        ]
    }
    if first and (shape := _shape(facts, first[0], "nnet:shapeIn")) is not None:
        operator = layers[0][1]
        dtype = "float32" if operator == "QUANTIZE" else (dtypes[first[0]] if not operator else None) or most
        fields["inputs"] = [{"dtype": dtype, "shape": shape}]
    if last and (shape := _shape(facts, last[0], "nnet:shapeOut")) is not None:
        operator = layers[-1][1]
        dtype = "float32" if operator == "DEQUANTIZE" else (dtypes[last[0]] if not operator else None) or most
        fields["outputs"] = [{"dtype": dtype, "shape": shape} | _meaning(facts, model, shape)]
    return fields


def _check_indexes(facts: Facts, layers: list[Subject]) -> None:
    if not any(facts.nodes(layer, "nnet:hasIndex") for layer in layers):
        return  # nothing is said about their order
    seen: set[str] = set()
    for layer in layers:
        index = facts.word(layer, "nnet:hasIndex")
        if index and index in seen:
            facts.report(
                layer, "hasIndex", f"layer index {index} occurs twice", "layers are counted, not ordered"
            )
        seen.add(index)
    for number in range(1, len(layers) + 1):
        if str(number) not in seen:
            facts.report(
                layers[0], "hasIndex", f"no layer has index {number}", "layers are counted, not ordered"
            )


def _operator(facts: Facts, layer: Subject) -> str:
    names = facts.names(layer, "nnet:hasType")
    if not names:
        return ""
    if names[0] not in OPERATORS:
        facts.report(layer, "hasType", f"{names[0][:60]} is no known layer type", "taken by its name")
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", names[0].rpartition(":")[2])[:60].upper()
    return OPERATORS[names[0]]


def _dtype(facts: Facts, layer: Subject, operator: str) -> str | None:
    names = facts.names(layer, "nnet:hasQuantization")
    dtype = DTYPES.get(names[0]) if names else None
    if dtype == "int32" and operator:
        facts.report(
            layer,
            "hasQuantization",
            f"Int32 is the type of an operand of {operator}",
            "the type of the other layers",
        )
        return None
    if names and dtype is None:
        facts.report(
            layer, "hasQuantization", f"{names[0][:60]} is no data type", "the type of the other layers"
        )
    return dtype


def _shape(facts: Facts, layer: Subject, predicate: str) -> list[int] | None:
    """Return a shape without the batch, from a text such as `[   1 1960]`."""
    text = facts.word(layer, predicate)
    if not text:
        return None
    if not re.fullmatch(r"\[[\s\d,]{1,200}\]", text):
        facts.report(layer, predicate.partition(":")[2], f"{text[:40]} is no shape", "left out")
        return None
    return [int(number) for number in re.findall(r"\d+", text)][1:]


def _meaning(facts: Facts, model: Subject, shape: list[int]) -> dict[str, Any]:
    """Return description and labels of the output."""
    outputs = facts.nodes(model, "ssn:hasOutput")
    text = facts.word(outputs[0], "nnet:hasOutputInfo") if outputs else ""
    labels = {int(number): label.strip() for number, label in LABEL.findall(text)}
    if not labels:
        return {"description": text}
    if not shape or len(labels) != shape[-1] or max(labels) != shape[-1] - 1:
        facts.report(
            outputs[0],
            "hasOutputInfo",
            f"{len(labels)} labels for {shape[-1] if shape else 1} outputs",
            "no labels",
        )
        return {"description": text}
    return {"description": text, "labels": [labels[i] for i in range(shape[-1])]}
