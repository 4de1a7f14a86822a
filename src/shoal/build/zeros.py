"""The share of zeros among values: products with them take less, or are passed over."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.nn import Operation, Plan, Tensor

__all__ = ["zeros_of"]

HALF = 0.5  # of what reaches a relu or a clamp is taken to stop there
LEAST = {TYPES["int8"]: -128, TYPES["uint8"]: 0}
KEEPING = {Code.LEAKY_RELU, Code.RESIZE_NEAREST}
PASSING = {Code.LEAKY_RELU, Code.TANH, Code.SIGMOID, Code.AVERAGE_POOL2D}


def zeros_of(plan: Plan, operation: Operation, known: Mapping[int, float]) -> float:
    """Return the share of zeros that is expected in an operation's output, 0 to 1.

    Parameters
    ----------
    plan, operation
        Which one.
    known
        The shares of the tensors that were computed before.
    """
    if operation.code % QUANTIZED >= BACKWARD:
        return zeros_of_gradient(operation, known.get(operation.in2, 0.0))
    base, before = Code(operation.code % BACKWARD), known.get(operation.in_, 0.0)
    x, y = plan.tensors[operation.in_], plan.tensors[operation.out]
    if base in {Code.RELU, Code.RELU6}:
        return HALF + HALF * before
    if base == Code.DEQUANTIZE:  # where the least integer stands for 0, nothing is below
        return HALF if LEAST.get(x.type) == x.zero_point else 0.0
    if base == Code.PAD:
        return 1 - (1 - before) * size(x) / size(y)
    if base in {Code.MAX_POOL2D, Code.AVERAGE_POOL2D}:
        return float(before ** (operation.kernel[0] * operation.kernel[1]))
    if base == Code.ADD:
        return before * known.get(operation.in2, 0.0)
    return before if base in KEEPING else 0.0


def zeros_of_gradient(operation: Operation, before: float) -> float:
    """Return the share of zeros in what a backward operation answers, from that in what it is given."""
    base = Code(operation.code % BACKWARD)
    if base == Code.MAX_POOL2D:
        # The largest value of each window receives the gradient. That of the next window is another one with
        # probability 2 s / (k + s), where values are independent.
        steps = zip(operation.kernel, operation.stride, strict=True)
        return 1 - (1 - before) * prod(2 / (max(k, s) + s) for k, s in steps)
    if base in {Code.RELU, Code.RELU6, Code.CLAMP}:
        return HALF + HALF * before
    return before if base in PASSING else 0.0


def size(one: Tensor) -> int:
    """Return the number of a tensor's values."""
    return one.shape[0] * one.shape[1] * one.shape[2]
