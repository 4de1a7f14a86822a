"""The operators with weights as layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite.arguments import Made, fused, window
from shoal.nn.importers.tflite.tensors import (
    bias,
    check_scales,
    constant,
    image_shape,
    quantization,
    sample_shape,
    weights,
    zero_point,
)
from shoal.nn.layers import Conv2D, Dense, DepthwiseConv2D

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.tflite.reader import Operator, Tensor

__all__ = ["conv_2d", "depthwise_conv_2d", "fully_connected"]


def weighted(
    operator: Operator, x: Tensor, y: Tensor, channels: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the arguments that layers with weights share, and their arrays in the order of the file."""
    q = quantization(y)
    arrays = bias(operator, channels, q) | weights(operator, channels, q)
    if "scales" in arrays:
        check_scales(quantization(x), q, float(arrays["scales"].max()))
    arguments: dict[str, Any] = {"activation": fused(operator), "bias": "bias" in arrays}
    if q is not None:
        arguments |= {"quantized": q, "trainable": False, "weights_zero_point": zero_point(operator)}
    return arguments, arrays


def conv_2d(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return a convolution; the file has (filters, height, width, channels)."""
    takes, shape = image_shape(x), constant(operator, 1).shape
    if len(shape) != 4 or shape[3] != takes[2]:
        raise ModelError(f"weights {shape} for an input {takes}", hint="a convolution without groups")
    arguments, arrays = weighted(operator, x, y, shape[0])
    if "quantized" not in arguments:
        arrays["weights"] = arrays["weights"].transpose(1, 2, 3, 0)
    layer = Conv2D(shape[0], (shape[1], shape[2]), **window(operator), **arguments)
    return Made(takes, (layer,), image_shape(y), arrays)


def depthwise_conv_2d(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return a depthwise convolution; the file has (1, height, width, channels * multiplier)."""
    takes, shape = image_shape(x), constant(operator, 1).shape
    if len(shape) != 4 or shape[0] != 1 or shape[3] % takes[2]:
        raise ModelError(f"weights {shape} for an input {takes}")
    arguments, arrays = weighted(operator, x, y, shape[3])
    multiplier = shape[3] // takes[2]
    arrays["weights"] = arrays["weights"].reshape(*shape[1:3], takes[2], multiplier)
    layer = DepthwiseConv2D((shape[1], shape[2]), multiplier=multiplier, **window(operator), **arguments)
    return Made(takes, (layer,), image_shape(y), arrays)


def fully_connected(operator: Operator, x: Tensor, y: Tensor) -> Made:
    """Return a dense layer; the file has (outputs, inputs)."""
    shape, inputs = constant(operator, 1).shape, math.prod(sample_shape(x))
    if len(shape) != 2 or shape[1] != inputs:
        raise ModelError(f"weights {shape} for an input {x.shape}", hint="a batch of 1")
    if operator.options.get("WeightsFormat", 0) != 0:
        raise ModelError("weights in shuffled order", hint="the default format of weights")
    arguments, arrays = weighted(operator, x, y, shape[0])
    if "quantized" not in arguments:
        arrays["weights"] = arrays["weights"].T
    return Made((inputs,), (Dense(shape[0], **arguments),), (shape[0],), arrays)
