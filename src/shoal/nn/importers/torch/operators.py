"""ATen operators, as PyTorch's exporter leaves them in the graph, as layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.torch.views import VIEWS
from shoal.nn.importers.torch.windows import WINDOWS
from shoal.nn.importers.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.layers.activation import ActivationName

__all__ = ["CONSTANTS", "IRRELEVANT", "OPERATORS"]

# Arguments that choose an implementation, a type or a place in memory, all of which are the same here.
IRRELEVANT = (
    "C",
    "HxW",
    "N",
    "copy",
    "cudnn_enabled",
    "device",
    "dtype",
    "half_to_float",
    "layout",
    "memory_format",
    "momentum",
    "non_blocking",
    "p",
    "pin_memory",
)


def linear(draft: Draft, call: Call) -> Value:
    """Return x @ weight.T + bias."""
    return draft.dense(call.value("input"), call.weights("weight", 2).T, call.optional("bias"))


def addmm(draft: Draft, call: Call) -> Value:
    """Return bias + mat1 @ mat2."""
    call.require("alpha", None, 1)
    call.require("beta", None, 1)
    return draft.dense(call.value("mat1"), call.weights("mat2", 2), call.optional("self"))


def matmul(draft: Draft, call: Call) -> Value:
    """Return x @ weights."""
    return draft.dense(call.value("self"), call.weights("mat2" if "mat2" in call.arguments else "other", 2))


def batch_norm(draft: Draft, call: Call) -> Value:
    """Return the channels, scaled and shifted by what was learnt of them."""
    x = call.value("input")
    if call.integer("training", 0):
        raise ModelError("batch_norm in training", hint="module.eval() before the export")
    average, variance = call.weights("running_mean", 1), call.weights("running_var", 1)
    scale, shift = weights_of(call, average.size)
    return draft.normalize(x, scale, shift, average, variance, call.number("eps", 1e-5))


def group_norm(draft: Draft, call: Call) -> Value:
    """Return groups of channels at zero mean and unit variance."""
    x = call.value("input")
    scale, shift = weights_of(call, math.prod(x.view.shape[1:2]))
    groups = call.integer("group" if "group" in call.arguments else "num_groups", 1)
    return draft.group_norm(x, groups, scale, shift, call.number("eps", 1e-5))


def weights_of(call: Call, channels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scale and shift of a normalization, 1 and 0 where it has none."""
    scale, shift = call.optional("weight"), call.optional("bias")
    return np.ones(channels) if scale is None else scale, np.zeros(channels) if shift is None else shift


def add(draft: Draft, call: Call) -> Value:
    """Return the sum of two values, or of one and a constant."""
    call.require("alpha", None, 1)
    a, b = call.get("self"), call.get("other")
    if isinstance(a, Value) and isinstance(b, Value):
        return draft.add(a, b)
    x, constant = with_constant(call)
    return draft.affine(x, shift=constant)


def subtract(draft: Draft, call: Call) -> Value:
    """Return self - other."""
    call.require("alpha", None, 1)
    a, b = call.get("self"), call.get("other")
    if isinstance(a, Value) and isinstance(b, Value):
        return draft.add(a, draft.affine(b, scale=-1.0))
    x, constant = with_constant(call)
    if isinstance(a, Value):
        return draft.affine(x, shift=-constant)
    return draft.affine(x, scale=-1.0, shift=constant)


def multiply(draft: Draft, call: Call) -> Value:
    """Return a value times a constant."""
    x, constant = with_constant(call)
    return draft.affine(x, scale=constant)


def divide(draft: Draft, call: Call) -> Value:
    """Return a value over a constant."""
    call.require("rounding_mode", None)
    return draft.affine(call.value("self"), scale=1 / call.array("other").astype(np.float64))


def negative(draft: Draft, call: Call) -> Value:
    """Return -x."""
    return draft.affine(call.value("self"), scale=-1.0)


def with_constant(call: Call) -> tuple[Value, NDArray[np.float64]]:
    """Return the operand that depends on the sample and the one that does not."""
    keys = ("self", "other") if isinstance(call.get("self"), Value) else ("other", "self")
    return call.value(keys[0]), call.array(keys[1]).astype(np.float64)


def clamp(draft: Draft, call: Call) -> Value:
    """Return ReLU or ReLU6, the two that are layers."""
    low = call.number("min_val" if "min_val" in call.arguments else "min", -math.inf)
    high = call.number("max_val" if "max_val" in call.arguments else "max", math.inf)
    if call.operator == "hardtanh":
        low, high = max(low, -1.0) if math.isinf(low) else low, min(high, 1.0) if math.isinf(high) else high
    if low != 0 or high not in {6, math.inf}:
        raise ModelError(
            f"{call.operator} to {low:g} and {high:g} is not supported", hint="0 and 6, or 0 alone"
        )
    return draft.activation(call.value("self"), "relu6" if high == 6 else "relu")


def leaky_relu(draft: Draft, call: Call) -> Value:
    """Return x, or negative_slope * x below 0."""
    return draft.activation(call.value("self"), "leaky_relu", call.number("negative_slope", 0.01))


def prelu(draft: Draft, call: Call) -> Value:
    """Return x, or weight * x below 0, with one weight."""
    slope = call.weights("weight", 1)
    if (slope != slope[0]).any():
        raise ModelError("prelu with several weights is not supported", hint="one weight")
    return draft.activation(call.value("self"), "leaky_relu", float(slope[0]))


def softmax(draft: Draft, call: Call) -> Value:
    """Return the softmax over one axis."""
    x = call.value("self")
    return draft.softmax(x, [call.axis("dim", len(x.view.shape), -1)])


def unchanged(draft: Draft, call: Call) -> Value:
    """Return the value as it is."""
    del draft
    if call.integer("train", 0):
        raise ModelError("dropout in training", hint="module.eval() before the export")
    return call.value("input" if "input" in call.arguments else "self")


def function(name: ActivationName) -> Operator:
    """Return the operator of an activation without parameters."""
    return lambda draft, call: draft.activation(call.value("self"), name)


OPERATORS: dict[str, Operator] = {
    "_native_batch_norm_legit_no_training": batch_norm,
    "_softmax": softmax,
    "add": add,
    "addmm": addmm,
    "alias": unchanged,
    "batch_norm": batch_norm,
    "clamp": clamp,
    "clamp_min": clamp,
    "clone": unchanged,
    "contiguous": unchanged,
    "detach": unchanged,
    "div": divide,
    "dropout": unchanged,
    "feature_dropout": unchanged,
    "group_norm": group_norm,
    "hardtanh": clamp,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "matmul": matmul,
    "mm": matmul,
    "mul": multiply,
    "native_group_norm": group_norm,
    "neg": negative,
    "prelu": prelu,
    "relu": function("relu"),
    "relu6": function("relu6"),
    "sigmoid": function("sigmoid"),
    "softmax": softmax,
    "sub": subtract,
    "tanh": function("tanh"),
    **VIEWS,
    **WINDOWS,
}

# Operators on constants: exporters leave small computations of weights in the graph.
CONSTANTS: dict[str, Callable[[Call], NDArray[Any]]] = {
    "alias": lambda call: call.array("self"),
    "clone": lambda call: call.array("self"),
    "contiguous": lambda call: call.array("self"),
    "detach": lambda call: call.array("self"),
    "lift_fresh_copy": lambda call: call.array("self"),
    "permute": lambda call: call.array("self").transpose(call.integers("dims")),
    "reshape": lambda call: call.array("self").reshape(call.integers("shape")),
    "t": lambda call: call.array("self").T,
    "to": lambda call: call.array("self"),
    "transpose": lambda call: call.array("self").swapaxes(call.integer("dim0", 0), call.integer("dim1", 1)),
    "unsqueeze": lambda call: np.expand_dims(call.array("self"), call.integer("dim", 0)),
    "view": lambda call: call.array("self").reshape(call.integers("size")),
}
