"""What all operators are read by: their values, their options, and what becomes of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite.tensors import WIDE, check_scales, quantization

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shoal.nn.importers.tflite.reader import Operator, Tensor
    from shoal.nn.layers import Layer
    from shoal.nn.layers.activation import ActivationName
    from shoal.nn.shapes import Shape

__all__ = ["Made", "fused", "option", "values", "window"]

PADDINGS = ("same", "valid")
# Inputs after the values: weights and bias, axes, sizes.
CONSTANTS = {
    "CONV_2D": 2,
    "DEPTHWISE_CONV_2D": 2,
    "EXPAND_DIMS": 1,
    "FULLY_CONNECTED": 2,
    "MEAN": 1,
    "PAD": 1,
    "RESHAPE": 1,
    "RESIZE_NEAREST_NEIGHBOR": 1,
    "SVDF": 4,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 23,
}
# What goes from one type to another, and may read or write wide integers.
CONVERTERS = {"DEQUANTIZE", "QUANTIZE", "SOFTMAX"}
FUSED: dict[float, ActivationName | None] = {0: None, 1: "relu", 3: "relu6"}


class Made(NamedTuple):
    """Layers with the shape that they take and give, and the arrays of the first one; None is a sum."""

    takes: Shape
    layers: tuple[Layer | None, ...]
    gives: Shape
    arrays: Mapping[str, NDArray[Any]] = MappingProxyType({})


def values(operator: Operator) -> tuple[Tensor, ...]:
    """Return what an operator reads that is no constant.

    Raises
    ------
    ModelError
        Where it is not an operator of values and constants, or its types are none of a layer.
    """
    count = 2 if operator.name == "ADD" else 1
    read = tuple(tensor for tensor in operator.inputs[:count] if tensor is not None)
    most = count + CONSTANTS.get(operator.name, 0)
    if len(read) != count or len(operator.inputs) > most or len(operator.outputs) != 1:
        raise ModelError(f"{len(operator.inputs)} inputs, {len(operator.outputs)} outputs")
    result = operator.outputs[0]
    for tensor in (*read, result):
        if tensor.data is not None or tensor.variable:
            raise ModelError("a constant or a variable in the place of a value")
        if tensor.dtype != result.dtype and operator.name not in CONVERTERS:
            raise ModelError(f"{result.dtype} from {tensor.dtype}")
        if tensor.dtype in WIDE and operator.name not in CONVERTERS:
            raise ModelError(f"values of type {tensor.dtype} are not supported", hint="FLOAT32, INT8, UINT8")
        check_scales(quantization(tensor), quantization(result))
    return read


def fused(operator: Operator) -> ActivationName | None:
    """Return the activation that an operator ends with."""
    code = operator.options.get("FusedActivationFunction", 0)
    if code not in FUSED:
        raise ModelError(f"fused activation number {code}", hint="none, RELU, RELU6")
    return FUSED[code]


def window(operator: Operator) -> dict[str, Any]:
    """Return how a window slides, as arguments of a layer."""
    for axis in "HW":
        if operator.options.get(f"Dilation{axis}Factor", 1) != 1:
            raise ModelError("a dilated convolution", hint="dilation 1")
    padding = int(option(operator, "Padding"))
    if padding not in (0, 1):
        raise ModelError(f"padding number {padding}", hint="SAME, VALID")
    stride = (int(option(operator, "StrideH")), int(option(operator, "StrideW")))
    return {"stride": stride, "padding": PADDINGS[padding]}


def option(operator: Operator, name: str) -> float:
    """Return an option that must be there."""
    if name not in operator.options:
        raise ModelError(f"without the option {name}")
    return operator.options[name]
