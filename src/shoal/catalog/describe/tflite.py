"""TensorFlow Lite files: operators, tensors and work, of models that no runtime here runs too.

The format is a FlatBuffer whose offsets the file itself gives: every count is bounded before anything is made
of it, and whatever goes wrong on the way is one error.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.catalog.describe import metadata
from shoal.errors import ModelError
from shoal.nn.importers.tflite.reader import BROKEN, DAMAGED, VERSION, operator_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["facts"]

MOST_OPERATORS, MOST_TENSORS, MOST_GRAPHS, MOST_AXES = 10_000, 50_000, 64, 16
CONVERTERS = {"MLIR Converted.", "TOCO Converted."}
# Integers of 32 bits are weights (biases) of these, sizes and axes of all others.
BIASED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D"}
DTYPES = {
    "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "string", "uint16", "uint32",
    "uint64", "uint8",
}  # fmt: skip
WEIGHTS = {"float32", "float16", "int8", "uint8", "int16", "int4"}
# Their work is counted; that of those below is none of multiply-accumulates; of others it is not known.
COUNTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"}
UNCOUNTED = {
    "CALL", "CALL_ONCE", "CONV_3D", "CONV_3D_TRANSPOSE", "IF", "LSTM", "RNN", "SVDF", "WHILE",
    "BIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_RNN", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
}  # fmt: skip


def facts(content: bytes, where: str) -> dict[str, Any]:
    """Return what a TensorFlow Lite file says of its model, as fields of the document.

    Raises
    ------
    ModelError
        If it is damaged, or the metadata name a file that is not safe.
    """
    try:
        found = read(content)
        extra = metadata.facts(content)
    except ModelError as error:
        raise ModelError(error.what, where=error.where or where, hint=error.hint) from None
    except (*BROKEN, RecursionError):
        raise ModelError(DAMAGED, where=where, hint="the file as the converter wrote it") from None
    for side in ("inputs", "outputs"):
        for tensor, more in zip(found[side], extra.pop(side, ()), strict=False):
            tensor.update({name: value for name, value in more.items() if value})
    return found | extra


def read(content: bytes) -> dict[str, Any]:
    """Return operators, tensors and work; any exception of BROKEN for a damaged file."""
    import tflite

    if content[4:8] != b"TFL3":
        raise ModelError(DAMAGED, hint="a .tflite file")
    model = tflite.Model.GetRootAs(content, 0)
    if model.Version() != VERSION:
        raise ModelError(f"version {model.Version()} of the schema instead of {VERSION}")
    codes = bounded(model.OperatorCodesLength(), MOST_OPERATORS, "operator codes")
    named = [(operator_name(tflite, model, i), model.OperatorCodes(i).Version()) for i in range(codes)]
    kinds = {code: kind for kind, code in vars(tflite.TensorType).items() if isinstance(code, int)}
    operators: Counter[tuple[str, int, str]] = Counter()
    macs, parameters, counted = 0, 0, True
    for number in range(bounded(model.SubgraphsLength(), MOST_GRAPHS, "subgraphs")):
        graph = Graph(model, model.Subgraphs(number), kinds)
        for index, inputs, outputs in graph.operators():
            if not 0 <= index < len(named):
                raise ModelError(f"there is no operator code {index}")
            name, revision = named[index]
            dtype = next((graph.dtype(one) for one in (*inputs, *outputs) if one >= 0), "unknown")
            operators[custom(name), revision, dtype] += 1
            counted = counted and name not in UNCOUNTED and not name.startswith("CUSTOM")
            macs += graph.work(name, inputs, outputs) if name in COUNTED else 0
            parameters += graph.weights(name, inputs)
    main = Graph(model, model.Subgraphs(0), kinds)
    description = text(model.Description())
    return {
        "description": "" if description in CONVERTERS else description,
        "operators": [
            {"name": name, "version": revision, "dtype": dtype, "count": count}
            for (name, revision, dtype), count in sorted(operators.items())
        ],
        "inputs": [main.tensor(i) for i in indices(main.graph.InputsAsNumpy())],
        "outputs": [main.tensor(i) for i in indices(main.graph.OutputsAsNumpy())],
        "parameters": parameters,
    } | ({"macs": macs} if counted else {})


class Graph:
    """A subgraph, read as it is asked."""

    def __init__(self, model: Any, graph: Any, kinds: dict[int, str]) -> None:
        self.model, self.graph, self.kinds = model, graph, kinds
        self.tensors = bounded(graph.TensorsLength(), MOST_TENSORS, "tensors")
        self.seen: set[int] = set()

    def operators(self) -> Iterator[tuple[int, list[int], list[int]]]:
        """Yield the code, the inputs and the outputs of each operator."""
        for i in range(bounded(self.graph.OperatorsLength(), MOST_OPERATORS, "operators")):
            operator = self.graph.Operators(i)
            yield (
                operator.OpcodeIndex(),
                indices(operator.InputsAsNumpy()),
                indices(operator.OutputsAsNumpy()),
            )

    def at(self, number: int) -> Any:
        """Return a tensor."""
        if not 0 <= number < self.tensors:
            raise ModelError(f"there is no tensor {number}")
        return self.graph.Tensors(number)

    def dtype(self, number: int) -> str:
        """Return the type of a tensor's values."""
        return self.kinds.get(self.at(number).Type(), "other").lower()

    def shape(self, number: int) -> list[int]:
        """Return the shape of a tensor."""
        shape = self.at(number).ShapeAsNumpy()
        return [int(size) for size in shape[:MOST_AXES]] if np.ndim(shape) else []

    def constant(self, number: int) -> bool:
        """Whether the file holds the values of a tensor."""
        buffer = self.at(number).Buffer()
        if not 0 <= buffer < self.model.BuffersLength():
            raise ModelError(f"there is no buffer {buffer}")
        return bool(self.model.Buffers(buffer).DataLength())

    def weights(self, name: str, inputs: list[int]) -> int:
        """Return the number of weights that an operator brings, each tensor once."""
        total = 0
        for number in inputs:
            if number < 0 or number in self.seen or not self.constant(number):
                continue
            kind = self.dtype(number)
            if kind in WEIGHTS or (kind in {"int32", "int64"} and name in BIASED):
                self.seen.add(number)
                total += math.prod(self.shape(number))
        return bounded(total, 2**53, "weights")

    def work(self, name: str, inputs: list[int], outputs: list[int]) -> int:
        """Return the multiply-accumulates of an operator."""
        shapes = [self.shape(number) if number >= 0 else [] for number in inputs]
        answer = math.prod(self.shape(outputs[0]))
        match name:
            case "CONV_2D":  # filters: out, height, width, in
                work = answer * math.prod(shapes[1][1:])
            case "DEPTHWISE_CONV_2D":  # 1, height, width, out
                work = answer * math.prod(shapes[1][1:3])
            case "FULLY_CONNECTED":  # out, in
                work = answer * shapes[1][-1]
            case "TRANSPOSE_CONV":  # operands: shape, filters (out, height, width, in), values
                work = math.prod(shapes[2]) * math.prod(shapes[1][:3])
            case _:  # a product of matrices
                work = answer * shapes[0][-1]
        return bounded(work, 2**53, "multiply-accumulates")

    def tensor(self, number: int) -> dict[str, Any]:
        """Return an input or an output, without the batch."""
        tensor = self.at(number)
        signature = tensor.ShapeSignatureAsNumpy()
        shape = [int(size) for size in signature[:MOST_AXES]] if np.ndim(signature) else self.shape(number)
        dtype = self.dtype(number)
        found = {"name": text(tensor.Name()), "dtype": dtype if dtype in DTYPES else "other"}
        return found | {"shape": [max(size, -1) for size in shape[1:]]} | scales(tensor.Quantization())


def scales(quantization: Any) -> dict[str, Any]:
    """Return what integers stand for, nothing where they stand for themselves."""
    if quantization is None:
        return {}
    scale, zero = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
    if not np.ndim(scale) or not 0 < len(scale) <= MOST_TENSORS:
        return {}
    if not np.isfinite(scale).all():
        raise ModelError("a scale is not finite")
    points = [int(one) for one in zero] if np.ndim(zero) and len(zero) <= MOST_TENSORS else [0]
    # The shortest decimals that give the same float32, as people and other tools write them.
    found: dict[str, Any] = {"scale": [float(str(one)) for one in scale], "zero_point": points}
    return {"quantization": found | ({"axis": quantization.QuantizedDimension()} if len(scale) > 1 else {})}


def indices(vector: Any) -> list[int]:
    """Return a list of tensors; the package gives 0 for one that is left out."""
    if not np.ndim(vector):
        return []
    bounded(len(vector), MOST_TENSORS, "operands")
    return [int(one) for one in vector]


def bounded(count: int, most: int, what: str) -> int:
    """Return a count that a file can have."""
    if not 0 <= count <= most:
        raise ModelError(f"{count:,} {what}, at most {most:,} are possible")
    return count


def custom(name: str) -> str:
    """Return the name of an operator; those that are not built in have a prefix."""
    return f"custom:{name.removeprefix('CUSTOM').strip() or 'unnamed'}" if name.startswith("CUSTOM") else name


def text(value: bytes | None) -> str:
    """Return a text of the file."""
    return value.decode("utf-8", "replace")[:1000] if value else ""
