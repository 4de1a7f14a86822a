"""What layer computes each operator."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite.arguments import Made, fused, option, window
from shoal.nn.importers.tflite.recurrent import svdf, unidirectional_sequence_lstm
from shoal.nn.importers.tflite.tensors import WIDE, image_shape, integers, quantization, sample_shape
from shoal.nn.importers.tflite.weighted import conv_2d, depthwise_conv_2d, fully_connected
from shoal.nn.layers import (
    Activation,
    AveragePool2D,
    Dequantize,
    GlobalAveragePool2D,
    MaxPool2D,
    Pad2D,
    Quantize,
    ResizeNearest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.nn.importers.tflite.reader import Operator, Tensor
    from shoal.nn.layers import Layer
    from shoal.nn.layers.activation import ActivationName

__all__ = ["MAKERS"]

FUNCTIONS: dict[str, ActivationName] = {
    "LEAKY_RELU": "leaky_relu",
    "LOGISTIC": "sigmoid",
    "RELU": "relu",
    "RELU6": "relu6",
    "SOFTMAX": "softmax",
    "TANH": "tanh",
}
# Integers of these functions have one scale and zero point, whatever the file says.
FIXED = {
    "LOGISTIC": {"int8": (256, -128), "uint8": (256, 0)},
    "SOFTMAX": {"int8": (256, -128), "uint8": (256, 0), "int16": (65536, -32768)},
    "TANH": {"int8": (128, 0), "uint8": (128, 128)},
}
NEARLY = 1e-3  # how far a scale of int16 may be from that
# Of the input of a softmax, whose differences are 32-bit numbers with 26 bits after the point.
FLATTEST, STEEPEST = 2.0**-26, 16


def pool(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return either pool, and the activation that it ends with."""
    kind = MaxPool2D if operator.name == "MAX_POOL_2D" else AveragePool2D
    size = (int(option(operator, "FilterHeight")), int(option(operator, "FilterWidth")))
    layers: tuple[Layer, ...] = (kind(size, **window(operator)),)
    activation = fused(operator)
    if activation is not None:
        layers += (Activation(activation, quantized=quantization(y)),)
    return Made(image_shape(x), layers, image_shape(y))


def activation(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return a function of each value, or of all."""
    name, q, takes = operator.name, quantization(y), sample_shape(x)
    if x.dtype != y.dtype and (x.dtype, y.dtype) != ("INT8", "INT16"):
        raise ModelError(f"{y.dtype} from {x.dtype}")
    if name in FIXED and q is not None:
        if q.dtype not in FIXED[name]:
            raise ModelError(f"values of type {y.dtype} are not supported", hint=", ".join(FIXED[name]))
        steps, zero = FIXED[name][q.dtype]
        tolerance = NEARLY if q.dtype == "int16" else 0
        if abs(q.scale * steps - 1) > tolerance or q.zero_point != zero:
            raise ModelError(f"an output of {q}", hint=f"scale 1/{steps}, zero point {zero}")
    if name == "SOFTMAX":
        if x.shape[-1:] != (math.prod(takes),) or option(operator, "Beta") != 1:
            raise ModelError(f"over {x.shape}, beta {option(operator, 'Beta')}", hint="one row, beta 1")
        takes = (math.prod(takes),)
        given = quantization(x)
        if given is not None and not FLATTEST < given.scale < STEEPEST:
            raise ModelError(f"an input scale of {given.scale:.3g}", hint=f"{FLATTEST:.1e} to {STEEPEST}")
    layer = Activation(FUNCTIONS[name], quantized=q)
    if name == "LEAKY_RELU":
        layer = replace(layer, slope=option(operator, "Alpha"))
    return Made(takes, (layer,), takes)


def mean(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return the mean over height and width."""
    takes, axes = image_shape(x), integers(operator, 1, (-1,))
    if sorted(axis + 4 if axis < 0 else axis for axis in axes) != [1, 2]:
        raise ModelError(f"over the axes {axes}", hint="a mean over height and width, axes 1 and 2")
    return Made(takes, (GlobalAveragePool2D(quantized=quantization(y)),), (takes[2],))


def pad(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return zeros around the values."""
    (before, after), rows, columns, channels = integers(operator, 1, (4, 2))
    if before or after:
        raise ModelError("adds to the batch", hint="padding of height, width and channels")
    layer = Pad2D((rows[0], columns[0], rows[1], columns[1]), (channels[0], channels[1]))
    return Made(image_shape(x), (layer,), image_shape(y))


def resize_nearest(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return another height and width."""
    height, width = integers(operator, 1, (2,))
    corners, centers = bool(option(operator, "AlignCorners")), bool(option(operator, "HalfPixelCenters"))
    layer = ResizeNearest((height, width), align_corners=corners, half_pixel_centers=centers)
    return Made(image_shape(x), (layer,), image_shape(y))


def add(operator: Operator, a: Tensor, b: Tensor, y: Tensor) -> Made:
    """Return the sum of two values."""
    fused(operator)
    if not a.shape == b.shape == y.shape:
        raise ModelError(f"{a.shape} and {b.shape} make {y.shape}", hint="two values of the same shape")
    return Made(sample_shape(y), (None,), sample_shape(y))


def reshape(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return no layer: a value has the shape of its tensor, and what takes it another way reshapes it."""
    takes, gives = sample_shape(x), sample_shape(y)
    if math.prod(takes) != math.prod(gives):
        raise ModelError(f"{x.shape} to {y.shape}")
    if quantization(x) != quantization(y):
        raise ModelError(f"{quantization(x)} to {quantization(y)}")
    if operator.name == "RESHAPE" and len(operator.inputs) > 1:
        wanted = integers(operator, 1, (-1,))
        if len(wanted) != len(y.shape) or any(w not in (-1, g) for w, g in zip(wanted, y.shape, strict=True)):
            raise ModelError(f"{x.shape} to {wanted}, the output is {y.shape}", hint="a batch of 1")
    return Made(gives, (), gives)


def quantize(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return the way to integers, from float32 or from integers."""
    del operator
    q = quantization(y)
    if q is None or (x.dtype == "FLOAT32" and y.dtype in WIDE) or x.dtype == "INT32":
        raise ModelError(f"{y.dtype} from {x.dtype}")
    return Made(sample_shape(x), (Quantize(q),), sample_shape(x))


def dequantize(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return the way back."""
    del operator
    if quantization(x) is None or quantization(y) is not None or x.dtype in WIDE:
        raise ModelError(f"{y.dtype} from {x.dtype}")
    return Made(sample_shape(x), (Dequantize(),), sample_shape(x))


MAKERS: dict[str, Callable[..., Made]] = {
    "ADD": add,
    "AVERAGE_POOL_2D": pool,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "DEQUANTIZE": dequantize,
    "EXPAND_DIMS": reshape,
    "FULLY_CONNECTED": fully_connected,
    "MAX_POOL_2D": pool,
    "MEAN": mean,
    "PAD": pad,
    "QUANTIZE": quantize,
    "RESHAPE": reshape,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest,
    "SQUEEZE": reshape,
    "SVDF": svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": unidirectional_sequence_lstm,
    **dict.fromkeys(FUNCTIONS, activation),
}
