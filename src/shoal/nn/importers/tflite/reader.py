"""Reads a TensorFlow Lite file into plain records.

The format is a FlatBuffer: tables at offsets that the file itself gives, which the Python package follows
without a check. So every count is bounded here before anything is made of it, constants stay views of the
file's bytes, and whatever goes wrong on the way is one error: the file is damaged.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flatbuffers.number_types import Int32Flags

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["Model", "Operator", "Tensor", "read"]

IDENTIFIER, VERSION = b"TFL3", 3
MOST_OPERATORS, MOST_NUMBERS = 1024, 64
CUSTOM_CODE, NEW_CODE = 6, 10  # fields in the table of an operator code
DAMAGED = "not a TensorFlow Lite file, or damaged"

# What following a wrong offset can end in.
BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, struct.error, TypeError, ValueError)

DTYPES = {"FLOAT32": "<f4", "INT16": "<i2", "INT32": "<i4", "UINT8": "u1", "INT8": "i1", "INT64": "<i8"}

# The options that matter, by operator; an activation is fused into the operator before it.
OPTIONS = {
    "ADD": ("AddOptions", "FusedActivationFunction"),
    "AVERAGE_POOL_2D": (
        "Pool2DOptions",
        "Padding StrideH StrideW FilterHeight FilterWidth FusedActivationFunction",
    ),
    "CONV_2D": (
        "Conv2DOptions",
        "Padding StrideH StrideW DilationHFactor DilationWFactor FusedActivationFunction",
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        "Padding StrideH StrideW DilationHFactor DilationWFactor FusedActivationFunction",
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", "FusedActivationFunction WeightsFormat KeepNumDims"),
    "LEAKY_RELU": ("LeakyReluOptions", "Alpha"),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", "AlignCorners HalfPixelCenters"),
    "SOFTMAX": ("SoftmaxOptions", "Beta"),
    "SVDF": ("SVDFOptions", "Rank FusedActivationFunction"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        "FusedActivationFunction CellClip ProjClip TimeMajor",
    ),
}
OPTIONS["MAX_POOL_2D"] = OPTIONS["AVERAGE_POOL_2D"]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value or a constant; data is None for what operators compute."""

    number: int
    shape: tuple[int, ...]
    dtype: str
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    data: NDArray[Any] | None
    variable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One operator with its inputs, None for one that is left out, and its options by name.

    Intermediates are values within it, of which their scales alone matter.
    """

    index: int
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, float]
    intermediates: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The operators in order of execution, and what goes in and comes out."""

    operators: tuple[Operator, ...]
    input: Tensor
    output: Tensor


def read(content: bytes) -> Model:
    """Return what the file describes, whose constants are views of its bytes.

    Raises
    ------
    ModelError
        Where the bytes are not such a file, or one of more than one subgraph, input or output.
    """
    if content[4:8] != IDENTIFIER:
        raise ModelError(DAMAGED, hint="a .tflite file")
    try:
        return read_model(content)
    except ModelError:
        raise
    except BROKEN:
        raise ModelError(DAMAGED, hint="the file as the converter wrote it") from None


def read_model(content: bytes) -> Model:
    """Return what the file describes; any exception of BROKEN for a damaged one."""
    import tflite

    model = tflite.Model.GetRootAs(content, 0)
    kinds = {code: kind for kind, code in vars(tflite.TensorType).items() if isinstance(code, int)}
    if model.Version() != VERSION:
        raise ModelError(f"version {model.Version()} of the schema instead of {VERSION}")
    graph = only(model.Subgraphs, model.SubgraphsLength(), "subgraph")
    known: dict[int, Tensor] = {}

    def tensor(number: int) -> Tensor:
        if not 0 <= number < graph.TensorsLength():
            raise ModelError(f"there is no tensor {number}")
        if number not in known:
            known[number] = read_tensor(kinds, model, graph.Tensors(number), number)
        return known[number]

    def operator(index: int) -> Operator:
        given = graph.Operators(index)
        name = operator_name(tflite, model, given.OpcodeIndex())
        inputs = [None if i == -1 else tensor(i) for i in numbers(given.InputsAsNumpy())]
        outputs = [tensor(i) for i in numbers(given.OutputsAsNumpy())]
        inner = [tensor(i) for i in numbers(given.IntermediatesAsNumpy())]
        options = read_options(tflite, given, name)
        return Operator(index, name, tuple(inputs), tuple(outputs), options, tuple(inner))

    count = graph.OperatorsLength()
    if count > MOST_OPERATORS:
        raise ModelError(f"{count:,} operators, at most {MOST_OPERATORS:,} are possible")
    operators = tuple(operator(index) for index in range(count))
    # Constants may be shared, which a small file could use to claim any amount of memory.
    parts = [part for op in operators for part in op.inputs if part is not None and part.data is not None]
    if sum(part.data.nbytes for part in parts if part.data is not None) > 4 * len(content):
        raise ModelError("operators share more constants than the file holds four times")
    return Model(
        operators,
        tensor(int(only(graph.Inputs, graph.InputsLength(), "input"))),
        tensor(int(only(graph.Outputs, graph.OutputsLength(), "output"))),
    )


def only(item: Callable[[int], Any], count: int, what: str) -> Any:
    """Return the one item that there may be."""
    if count != 1:
        raise ModelError(f"the model has {count:,} {what}s, only one is possible")
    return item(0)


def numbers(vector: Any) -> list[int]:
    """Return a short vector as a list; the package gives 0 for one that is left out."""
    if np.size(vector) > MOST_NUMBERS:
        raise ModelError(
            f"a list of {np.size(vector):,} tensors or sizes, at most {MOST_NUMBERS} are possible"
        )
    return [int(number) for number in vector] if np.ndim(vector) else []


def operator_name(tflite: Any, model: Any, index: int) -> str:
    """Return the name of a built-in operator, for a custom one also what it calls itself."""
    if not 0 <= index < model.OperatorCodesLength():
        raise ModelError(f"there is no operator code {index}")
    entry = model.OperatorCodes(index)
    table = entry._tab  # noqa: SLF001 - the package's BuiltinCode() overlooks the new field below 127
    # Two fields: one of 8 bits, which old files alone have, and its successor; the larger number counts.
    place = table.Offset(NEW_CODE)
    code = max(entry.DeprecatedBuiltinCode(), table.Get(Int32Flags, table.Pos + place) if place else 0)
    if code == tflite.BuiltinOperator.CUSTOM:
        place = table.Offset(CUSTOM_CODE)
        start, size = (table.Vector(place), min(table.VectorLen(place), 64)) if place else (0, 0)
        return f"CUSTOM {table.Bytes[start : start + size].decode('ascii', 'replace')}".rstrip()
    name = tflite.BUILTIN_OPCODE2NAME.get(code)
    return f"number {code}" if name is None else str(name)


def read_options(tflite: Any, operator: Any, name: str) -> dict[str, float]:
    """Return the options of an operator by name, none where the file has none."""
    kind, fields = OPTIONS.get(name, (None, ""))
    table = operator.BuiltinOptions()
    if kind is None or table is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, kind):
        return {}
    options = getattr(tflite, kind)()
    options.Init(table.Bytes, table.Pos)
    return {field: getattr(options, field)() for field in fields.split()}


def read_tensor(kinds: Mapping[int, str], model: Any, tensor: Any, number: int) -> Tensor:
    """Return one tensor."""
    kind = kinds.get(tensor.Type(), f"type {tensor.Type()}")
    shape = tuple(numbers(tensor.ShapeAsNumpy()))
    if tensor.Sparsity() is not None:
        raise ModelError(f"tensor {number} is sparse", hint="a model without sparse tensors")
    given = tensor.Quantization()
    scales, zero_points = (given.ScaleAsNumpy(), given.ZeroPointAsNumpy()) if given is not None else (0, 0)
    return Tensor(
        number,
        shape,
        kind,
        np.asarray(scales if np.ndim(scales) else [], np.float32),
        np.asarray(zero_points if np.ndim(zero_points) else [], np.int64),
        read_data(model, tensor.Buffer(), kind, shape),
        bool(tensor.IsVariable()),
    )


def read_data(model: Any, number: int, kind: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the constant in a buffer, None for a buffer without data."""
    if not 0 <= number < model.BuffersLength():
        raise ModelError(f"there is no buffer {number}")
    buffer = model.Buffers(number)
    if buffer.Offset() > 1:
        raise ModelError("constants behind the tables are not supported", hint="a model below 2 GB")
    data = buffer.DataAsNumpy()
    if not np.size(data) or np.ndim(data) == 0:
        return None
    dtype = np.dtype(DTYPES.get(kind, "u1"))
    if kind in DTYPES and data.nbytes != dtype.itemsize * math.prod(shape):
        raise ModelError(f"a constant of {data.nbytes:,} bytes for {shape} of {kind}")
    values: NDArray[Any] = data.view(dtype)
    return values.reshape(shape) if kind in DTYPES else values
