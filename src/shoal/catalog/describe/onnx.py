"""ONNX files: operators and tensors, of models that no runtime here runs too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from shoal.errors import MissingExtraError, ModelError

__all__ = ["facts"]

MOST_NODES, DEEPEST, MOST_AXES = 10_000, 8, 16
# The numbers of TensorProto.DataType.
DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
}  # fmt: skip
GRAPH, GRAPHS = 5, 10  # kinds of attributes
OWN = {"", "ai.onnx"}
LONGEST = 10_000


def facts(content: bytes, where: str) -> dict[str, Any]:
    """Return what an ONNX file says of its model, as fields of the document.

    Raises
    ------
    ModelError
        If it is damaged.
    MissingExtraError
        If the package onnx is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError:
        raise MissingExtraError("onnx", "onnx") from None
    try:
        model = ModelProto.FromString(content)
    except DecodeError:
        raise ModelError("not an ONNX file, or cut short", where=where) from None
    if not model.HasField("graph") or not model.opset_import:
        raise ModelError("not an ONNX file, or damaged", where=where)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    held = {tensor.name for tensor in model.graph.initializer}
    types = dict(typed(model))
    counts: Counter[tuple[str, int, str]] = Counter()
    for node in nodes(model.graph, where):
        version = versions.get(node.domain, versions.get("ai.onnx" if not node.domain else "", 0))
        operands = (types[name] for name in (*node.input, *node.output) if name in types)
        counts[operator(node), max(int(version), 1), next(operands, "unknown")] += 1
    properties = {entry.key.lower(): entry.value for entry in model.metadata_props}
    description = model.doc_string or model.graph.doc_string or properties.get("description", "")
    found = {
        "description": string(description),
        "creator": string(properties.get("author", "")),
        "licence": string(properties.get("license", properties.get("licence", "")))[:64],
        "operators": [
            {"name": name, "version": version, "dtype": dtype, "count": count}
            for (name, version, dtype), count in sorted(counts.items())
        ],
        "inputs": [tensor(value) for value in model.graph.input if value.name not in held],
        "outputs": [tensor(value) for value in model.graph.output],
    }
    return {name: value for name, value in found.items() if value}


def nodes(graph: Any, where: str) -> Iterator[Any]:
    """Yield all nodes, those of branches and loops too."""
    left = [(graph, 0)]
    count = 0
    while left:
        inner, depth = left.pop()
        count += len(inner.node)
        if count > MOST_NODES or depth > DEEPEST:
            raise ModelError(f"more than {MOST_NODES:,} nodes, or nested deeper than {DEEPEST}", where=where)
        for node in inner.node:
            yield node
            for attribute in node.attribute:
                if attribute.type == GRAPH:
                    left.append((attribute.g, depth + 1))
                elif attribute.type == GRAPHS:
                    left += [(one, depth + 1) for one in attribute.graphs]


def operator(node: Any) -> str:
    """Return the name of an operator with its prefix; a domain of its own goes before it."""
    domain = "" if node.domain in OWN else f"{string(node.domain)}."
    return f"onnx:{domain}{string(node.op_type)}"[:200]


def typed(model: Any) -> Iterator[tuple[str, str]]:
    """Yield the types of values by name, those between the operators too."""
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model).graph
    except Exception:  # noqa: BLE001 - of many kinds; types between the operators then stay unknown
        inferred = model.graph
    for graph in (model.graph, inferred):
        for value in (*graph.value_info, *graph.input, *graph.output):
            kind = value.type.tensor_type.elem_type
            if kind:
                yield value.name, DTYPES.get(kind, "other")
        for constant in graph.initializer:
            yield constant.name, DTYPES.get(constant.data_type, "other")


def tensor(value: Any) -> dict[str, Any]:
    """Return an input or an output, without the batch."""
    kind = value.type.tensor_type
    sizes = [
        int(size.dim_value) if size.HasField("dim_value") and size.dim_value > 0 else -1
        for size in list(kind.shape.dim)[:MOST_AXES]
    ]
    return {
        "name": string(value.name),
        "dtype": DTYPES.get(kind.elem_type, "other"),
        "shape": sizes[1:],
        "description": string(value.doc_string),
    }


def string(value: str | bytes) -> str:
    """Return a text of the file; protobuf hands over as bytes what is none."""
    return (value if isinstance(value, str) else value.decode("utf-8", "replace"))[:LONGEST]
