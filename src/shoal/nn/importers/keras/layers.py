"""Layers of Keras, each from its configuration and arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.keras.activations import Maker, activated, bias_of
from shoal.nn.importers.keras.windows import WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value

__all__ = ["LAYERS"]


def dense(draft: Draft, call: Call) -> Value:
    """Return x @ kernel + bias and its activation."""
    weights = call.weights("array 0", 2)
    call.require("units", weights.shape[1])
    return activated(draft, call, draft.dense(call.value(), weights, bias_of(call, 1)))


def activation(draft: Draft, call: Call) -> Value:
    """Return a function of each value."""
    return activated(draft, call, call.value())


def relu(draft: Draft, call: Call) -> Value:
    """Return ReLU, ReLU6 or LeakyReLU."""
    x, most, slope = call.value(), call.number("max_value", math.inf), call.number("negative_slope", 0.0)
    if call.number("threshold", 0.0) or most not in {6, math.inf} or (slope and most == 6):
        raise ModelError(f"ReLU with max_value {most:g} is not supported", hint="max_value=6")
    if slope:
        return draft.activation(x, "leaky_relu", slope)
    return draft.activation(x, "relu6" if most == 6 else "relu")


def leaky_relu(draft: Draft, call: Call) -> Value:
    """Return x, or negative_slope * x below 0."""
    return draft.activation(call.value(), "leaky_relu", call.number("negative_slope", 0.3))


def softmax(draft: Draft, call: Call) -> Value:
    """Return the softmax over one axis."""
    x = call.value()
    return draft.softmax(x, [call.axis("axis", len(x.view.shape), -1)])


def batch_normalization(draft: Draft, call: Call) -> Value:
    """Return the channels, scaled and shifted by what was learnt of them."""
    x = call.value()
    last_axis(call, x)
    arrays = iter(call.weights(f"array {number}", 1) for number in range(4))
    # In this order, those that the layer has.
    scale = next(arrays) if call.integer("scale", 1) else None
    shift = next(arrays) if call.integer("center", 1) else None
    mean, variance = next(arrays), next(arrays)
    return draft.normalize(
        x,
        np.ones_like(mean) if scale is None else scale,
        np.zeros_like(mean) if shift is None else shift,
        mean,
        variance,
        call.number("epsilon", 1e-3),
        channels_last=True,
    )


def group_normalization(draft: Draft, call: Call) -> Value:
    """Return groups of channels at zero mean and unit variance."""
    x = call.value()
    last_axis(call, x)
    channels, groups = x.view.shape[-1], call.integer("groups", 32)
    arrays = iter(call.weights(f"array {number}", 1) for number in range(2))
    scale = next(arrays) if call.integer("scale", 1) else np.ones(channels)
    shift = next(arrays) if call.integer("center", 1) else np.zeros(channels)
    groups, epsilon = channels if groups == -1 else groups, call.number("epsilon", 1e-3)
    return draft.group_norm(x, groups, scale, shift, epsilon, channels_last=True)


def last_axis(call: Call, x: Value) -> None:
    """Refuse a normalization of another axis than the channels."""
    if call.axes("axis", len(x.view.shape), [-1]) != (len(x.view.shape) - 1,):
        raise ModelError(f"{call.operator} of another axis than the last is not supported", hint="axis=-1")


def normalization(draft: Draft, call: Call) -> Value:
    """Return values minus their mean, over their deviation, both seen before training."""
    x = call.value()
    call.require("invert", None, False)
    axes = call.axes("axis", len(x.view.shape)) if call.get("axis") is not None else ()
    if axes not in {(), (len(x.view.shape) - 1,)}:
        raise ModelError("Normalization of other axes than the last is not supported", hint="axis=-1")
    given = (call.get("mean"), call.get("variance"))
    parts = (call.array(f"array {n}") if part is None else part for n, part in enumerate(given))
    mean, variance = (real(part, "Normalization").reshape(-1) for part in parts)
    call.get("array 2")
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    return draft.affine(x, 1 / deviation, -mean / deviation)


def rescaling(draft: Draft, call: Call) -> Value:
    """Return scale * x + offset."""
    scale, offset = call.get("scale"), call.get("offset")
    shift = 0.0 if offset is None else real(offset, "Rescaling")
    return draft.affine(call.value(), real(scale, "Rescaling"), shift)


def real(value: object, layer: str) -> NDArray[np.float64]:
    """Return a number or several as an array."""
    try:
        return np.asarray(value).astype(np.float64)
    except (OverflowError, TypeError, ValueError):
        raise ModelError(f"{layer} with {value!r} instead of numbers") from None


def flatten(draft: Draft, call: Call) -> Value:
    """Return all values in one row."""
    return draft.reshape(call.value(), (1, -1))


def reshape(draft: Draft, call: Call) -> Value:
    """Return the same values with another shape."""
    return draft.reshape(call.value(), (1, *call.integers("target_shape")))


def permute(draft: Draft, call: Call) -> Value:
    """Return the axes in another order."""
    return draft.transpose(call.value(), (0, *call.integers("dims")))


def add(draft: Draft, call: Call) -> Value:
    """Return the sum of two or more values."""
    first, *rest = (call.value(key) for key in call.arguments if isinstance(key, int))
    for other in rest:
        first = draft.add(first, other)
    return first


def subtract(draft: Draft, call: Call) -> Value:
    """Return the difference of two values."""
    return draft.add(call.value(0), draft.affine(call.value(1), scale=-1.0))


def unchanged(draft: Draft, call: Call) -> Value:
    """Return the value as it is: the layer does something in training only."""
    del draft
    return call.value()


LAYERS: dict[str, Maker] = {
    "Activation": activation,
    "ActivityRegularization": unchanged,
    "Add": add,
    "BatchNormalization": batch_normalization,
    "Dense": dense,
    "Dropout": unchanged,
    "Flatten": flatten,
    "GaussianDropout": unchanged,
    "GaussianNoise": unchanged,
    "GroupNormalization": group_normalization,
    "Identity": unchanged,
    "LeakyReLU": leaky_relu,
    "Normalization": normalization,
    "Permute": permute,
    "ReLU": relu,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Softmax": softmax,
    "SpatialDropout1D": unchanged,
    "SpatialDropout2D": unchanged,
    "Subtract": subtract,
    **WINDOWS,
}
