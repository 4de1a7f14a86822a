"""Reads the parts of an ONNX file: tensors, attributes, and the nodes that the answer needs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.call import Argument, Key

__all__ = ["DTYPES", "array_of", "attributes_of", "check_names", "needed_nodes", "shape_of"]

# The numbers of TensorProto.DataType.
DTYPES = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}
FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data"}
FLOAT = 1
EXTERNAL = 1
MOST_AXES = 8


def array_of(tensor: Any, folder: Path | None) -> NDArray[Any]:
    """Return a constant.

    Parameters
    ----------
    tensor
        A TensorProto.
    folder
        Where files that it refers to lie; None: it must hold its values itself.

    Raises
    ------
    ModelError
        Where the values are not as many as the shape says, or not numbers.
    """
    shape, code = tuple(tensor.dims), tensor.data_type
    what = f"constant {tensor.name!r}"
    if code not in DTYPES:
        raise ModelError(f"{what} has values of {type_name(code)}", hint="float32")
    if len(shape) > MOST_AXES or min(shape, default=0) < 0:
        raise ModelError(f"{what} has the shape {shape}")
    dtype, size = np.dtype(DTYPES[code]), math.prod(shape)
    if tensor.data_location == EXTERNAL:
        raw = external(tensor, folder, size * dtype.itemsize, what)
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data
    else:
        field = getattr(tensor, FIELDS.get(code, "int32_data"))
        if len(field) != size:
            raise ModelError(f"{what} has {len(field)} values for the shape {shape}")
        return typed(field, dtype).reshape(shape)
    if len(raw) != size * dtype.itemsize:
        raise ModelError(f"{what} has {len(raw)} bytes for the shape {shape}")
    return np.frombuffer(raw, dtype).reshape(shape)


def typed(field: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values of a repeated field; half precision lies in it as bits."""
    values = np.array(field)
    if dtype == np.float16:
        return values.astype(np.uint16).view(np.float16)
    return values.astype(dtype)


def external(tensor: Any, folder: Path | None, size: int, what: str) -> bytes:
    """Return the bytes of a constant that lies in a file beside the model's."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    name, start = entries.get("location", ""), entries.get("offset", "0")
    if folder is None or not name or Path(name).name != name or name in {".", ".."}:
        raise ModelError(f"{what} lies in a file {name!r}", hint="a file in the folder of the model")
    if not (start.isascii() and start.isdigit() and len(start) < 16):
        raise ModelError(f"{what} begins at {start!r}")
    try:
        with (folder / name).open("rb") as file:
            if file.seek(0, 2) < int(start) + size:
                raise ModelError(f"{what} lies outside {name!r}")
            file.seek(int(start))
            content: bytes = file.read(size)
            return content
    except OSError as error:
        raise ModelError(f"{what}: cannot read {name!r}: {error.strerror}") from None


def attributes_of(node: Any, operator: str, version: int, folder: Path | None) -> dict[Key, Argument]:
    """Return the attributes of a node by name.

    Raises
    ------
    ModelError
        Where the operator has no such attribute in this version of the operator set, or one is there twice.
    """
    from onnx.defs import SchemaError, get_schema

    try:
        known: Any = get_schema(operator, version).attributes
    except SchemaError:
        raise ModelError(f"{operator} is no operator of operator set {version}") from None
    found: dict[Key, Argument] = {}
    for attribute in node.attribute:
        name = attribute.name
        if name not in known or known[name].type.value != attribute.type or name in found:
            raise ModelError(f"{operator} has no attribute {name!r} of this kind in operator set {version}")
        found[name] = attribute_of(attribute, folder)
    return found


def attribute_of(attribute: Any, folder: Path | None) -> Argument:
    """Return the value of an attribute as Python has it.

    Raises
    ------
    ModelError
        Where it is a graph or another kind that no supported operator has.
    """
    if attribute.ref_attr_name:
        raise ModelError(f"attribute {attribute.name!r} refers to that of a function")
    match attribute.type:
        case 1:
            return float(attribute.f)
        case 2:
            return int(attribute.i)
        case 3:
            return str(attribute.s.decode("utf-8", "replace"))
        case 4:
            return array_of(attribute.t, folder)
        case 6:
            return [float(value) for value in attribute.floats]
        case 7:
            return [int(value) for value in attribute.ints]
        case kind:
            raise ModelError(f"attribute {attribute.name!r} of kind {kind} is not supported")


def check_names(graph: Any) -> None:
    """Refuse a graph with names that are not text; protobuf hands them over as bytes.

    Raises
    ------
    ModelError
        Where there is one.
    """
    named = [*graph.input, *graph.output, *graph.initializer]
    for node in graph.node:
        named += [node, *node.attribute]
    names = [part.name for part in named]
    for node in graph.node:
        names += [node.op_type, node.domain, *node.input, *node.output]
    if not all(isinstance(name, str) for name in names):
        raise ModelError("a name in the file is not text")


def needed_nodes(graph: Any, output: str) -> tuple[list[int], set[str]]:
    """Return the numbers of the nodes that the output depends on, in order, and all names that they read.

    Raises
    ------
    ModelError
        Where two nodes give the same name.
    """
    makers: dict[str, int] = {}
    for index, node in enumerate(graph.node):
        for name in filter(None, node.output):
            if name in makers:
                raise ModelError(f"two nodes give {name!r}")
            makers[name] = index
    nodes: set[int] = set()
    names = {output}
    left = [output]
    while left:
        index = makers.get(left.pop(), -1)
        if index < 0 or index in nodes:
            continue
        nodes.add(index)
        new = set(filter(None, graph.node[index].input)) - names
        names |= new
        left += new
    return sorted(nodes), names


def shape_of(value: Any) -> tuple[int | None, ...]:
    """Return the shape of the input, None for each size that the file leaves open.

    Raises
    ------
    ModelError
        Where it has none, or does not hold float32 numbers.
    """
    kind = value.type.tensor_type
    if kind.elem_type != FLOAT:
        raise ModelError(
            f"the input {value.name!r} has values of {type_name(kind.elem_type)}", hint="float32"
        )
    if not kind.HasField("shape") or len(kind.shape.dim) > MOST_AXES:
        raise ModelError(f"the input {value.name!r} has no shape", hint="export with a fixed shape")
    return tuple(
        int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in kind.shape.dim
    )


def type_name(code: int) -> str:
    """Return what a type is called."""
    return f"type {np.dtype(DTYPES[code]).name}" if code in DTYPES else f"type number {code}"
