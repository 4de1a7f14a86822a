"""ONNX operators, from operator set 6 on, as layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.onnx.views import VIEWS
from shoal.nn.importers.onnx.windows import WINDOWS
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.layers.activation import ActivationName

__all__ = ["OPERATORS"]

LARGEST_FLOAT = float(np.finfo(np.float32).max)


def gemm(draft: Draft, call: Call) -> Value:
    """Return alpha * x @ B + beta * C."""
    x, weights = call.value(), call.weights(1, 2)
    call.require("transA", None, 0)
    if call.version < 7:
        call.get("broadcast")
    if len(x.view.shape) != 2:
        raise ModelError(f"Gemm takes two axes, got {x.view.shape}")
    if call.integer("transB", 0):
        weights = weights.T
    alpha, beta, bias = call.number("alpha", 1.0), call.number("beta", 1.0), call.optional(2)
    if alpha != 1:
        weights = alpha * weights
    if bias is not None:
        outputs = weights.shape[1]
        if bias.ndim > 2 or bias.size not in {1, outputs} or bias.size != math.prod(bias.shape[-1:]):
            raise ModelError(f"Gemm adds {bias.shape} to {outputs} outputs")
        bias = np.broadcast_to(beta * bias.reshape(-1), (outputs,))
    return draft.dense(x, weights, bias)


def matmul(draft: Draft, call: Call) -> Value:
    """Return x @ B."""
    return draft.dense(call.value(), call.weights(1, 2))


def batch_normalization(draft: Draft, call: Call) -> Value:
    """Return the channels, scaled and shifted by what was learnt of them."""
    x = call.value()
    call.require("training_mode", None, 0)
    call.require("spatial", None, 1)
    call.get("momentum")
    if call.outputs > 1 or is_training(call):
        raise ModelError("BatchNormalization in training", hint="an export for inference")
    scale, shift, mean, variance = (call.weights(key, 1) for key in (1, 2, 3, 4))
    return draft.normalize(x, scale, shift, mean, variance, call.number("epsilon", 1e-5))


def group_normalization(draft: Draft, call: Call) -> Value:
    """Return groups of channels at zero mean and unit variance."""
    x, groups = call.value(), call.integer("num_groups", 0)
    scale, shift = call.weights(1, 1), call.weights(2, 1)
    call.require("stash_type", None, 1)
    if call.version < 21 and groups > 0:
        # Scale and shift came by group at first.
        times = x.view.shape[1] // groups
        scale, shift = np.repeat(scale, times), np.repeat(shift, times)
    return draft.group_norm(x, groups, scale, shift, call.number("epsilon", 1e-5))


def instance_normalization(draft: Draft, call: Call) -> Value:
    """Return each channel at zero mean and unit variance."""
    x = call.value()
    scale, shift = call.weights(1, 1), call.weights(2, 1)
    groups = math.prod(x.view.shape[1:2])
    return draft.group_norm(x, groups, scale, shift, call.number("epsilon", 1e-5))


def add(draft: Draft, call: Call) -> Value:
    """Return the sum of two values, or of one and a constant."""
    if isinstance(call.get(0), Value) and isinstance(call.get(1), Value):
        return draft.add(call.value(0), call.value(1))
    x, constant = with_constant(call)
    return draft.affine(x, shift=constant)


def subtract(draft: Draft, call: Call) -> Value:
    """Return a - b."""
    if isinstance(call.get(0), Value) and isinstance(call.get(1), Value):
        return draft.add(call.value(0), draft.affine(call.value(1), scale=-1.0))
    x, constant = with_constant(call)
    if isinstance(call.get(0), Value):
        return draft.affine(x, shift=-constant)
    return draft.affine(x, scale=-1.0, shift=constant)


def multiply(draft: Draft, call: Call) -> Value:
    """Return a value times a constant."""
    x, constant = with_constant(call)
    return draft.affine(x, scale=constant)


def divide(draft: Draft, call: Call) -> Value:
    """Return a value over a constant."""
    x, constant = with_constant(call)
    if not isinstance(call.get(0), Value):
        raise ModelError("Div of a constant by a value is not supported", hint="a value over a constant")
    return draft.affine(x, scale=1 / constant)


def negative(draft: Draft, call: Call) -> Value:
    """Return -x."""
    return draft.affine(call.value(), scale=-1.0)


def total(draft: Draft, call: Call) -> Value:
    """Return the sum of any number of values and constants."""
    given = [call.get(key) for key in range(len(call.arguments))]
    first, *rest = (x for x in given if isinstance(x, Value))
    for other in rest:
        first = draft.add(first, other)
    for constant in given:
        if isinstance(constant, np.ndarray):
            first = draft.affine(first, shift=constant)
    return first


def with_constant(call: Call) -> tuple[Value, NDArray[np.float64]]:
    """Return the operand that depends on the sample and the one that does not."""
    first = isinstance(call.get(0), Value)
    x, constant = call.value(0 if first else 1), call.array(1 if first else 0).astype(np.float64)
    if call.version < 7 and call.integer("broadcast", 0) and call.get("axis") is not None:
        # At first the constant said where its axes begin; now they end with those of the value.
        behind = len(x.view.shape) - call.integer("axis", 0) - constant.ndim
        constant = constant.reshape(constant.shape + (1,) * max(behind, 0))
    return x, constant


def is_training(call: Call) -> bool:
    """Tell whether a node before operator set 7 is meant for training; later ones say so otherwise."""
    return call.integer("is_test", 0) == 0 if call.version < 7 else False


def clip(draft: Draft, call: Call) -> Value:
    """Return ReLU or ReLU6, the two that are layers."""
    x = call.value()
    low = call.number("min" if "min" in call.arguments else 1, -LARGEST_FLOAT)
    high = call.number("max" if "max" in call.arguments else 2, LARGEST_FLOAT)
    if low <= -LARGEST_FLOAT and high >= LARGEST_FLOAT:
        return x
    if low == 0 and high == 6:
        return draft.activation(x, "relu6")
    if low == 0 and high >= LARGEST_FLOAT:
        return draft.activation(x, "relu")
    raise ModelError(f"Clip to {low:g} and {high:g} is not supported", hint="0 and 6, or 0 alone")


def leaky_relu(draft: Draft, call: Call) -> Value:
    """Return x, or alpha * x below 0."""
    return draft.activation(call.value(), "leaky_relu", as_written(call.number("alpha", 0.01)))


def prelu(draft: Draft, call: Call) -> Value:
    """Return x, or slope * x below 0, with one slope."""
    x, slope = call.value(), call.array(1)
    shape = x.view.shape
    along = slope.shape if call.version >= 7 else slope.shape + (1,) * (len(shape) - 2)
    whole = len(along) <= len(shape) and all(
        n in {1, size} for n, size in zip(along[::-1], shape[::-1], strict=False)
    )
    if slope.size == 0 or not whole or (slope != slope.flat[0]).any():
        raise ModelError("PRelu with several slopes is not supported", hint="one slope")
    return draft.activation(x, "leaky_relu", as_written(float(slope.flat[0])))


def softmax(draft: Draft, call: Call) -> Value:
    """Return the softmax over one axis; before operator set 13, over all axes from there on."""
    x = call.value()
    shape, old = x.view.shape, call.version < 13
    axis = call.axis("axis", len(shape), 1 if old else -1)
    return draft.softmax(x, range(axis, len(shape)) if old else [axis])


def unchanged(draft: Draft, call: Call) -> Value:
    """Return the value as it is."""
    del draft
    for key in ("to", "saturate", "round_mode", "ratio", "seed", 1):
        call.get(key)
    mode = call.optional(2)
    if (mode is not None and mode.any()) or (call.operator == "Dropout" and is_training(call)):
        raise ModelError("Dropout in training", hint="an export for inference")
    return call.value()


def cast(draft: Draft, call: Call) -> Value:
    """Return the value as it is, where it stays a real number."""
    if call.integer("to", 0) not in {1, 10, 11}:
        raise ModelError(f"Cast to type {call.integer('to', 0)} is not supported", hint="float32")
    return unchanged(draft, call)


def function(name: ActivationName) -> Operator:
    """Return the operator of an activation without parameters."""
    return lambda draft, call: draft.activation(call.value(), name)


def as_written(number: float) -> float:
    """Return the shortest number that is the same in float32: 0.1, not 0.10000000149."""
    return float(str(np.float32(number)))


OPERATORS: dict[str, Operator] = {
    "Add": add,
    "BatchNormalization": batch_normalization,
    "Cast": cast,
    "Clip": clip,
    "Div": divide,
    "Dropout": unchanged,
    "Gemm": gemm,
    "GroupNormalization": group_normalization,
    "Identity": unchanged,
    "InstanceNormalization": instance_normalization,
    "LeakyRelu": leaky_relu,
    "MatMul": matmul,
    "Mul": multiply,
    "Neg": negative,
    "PRelu": prelu,
    "Relu": function("relu"),
    "Sigmoid": function("sigmoid"),
    "Softmax": softmax,
    "Sub": subtract,
    "Sum": total,
    "Tanh": function("tanh"),
    **VIEWS,
    **WINDOWS,
}
