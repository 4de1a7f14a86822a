"""The operations that learn: one loss, then the way back from the output to the first layer that learns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from shoal.errors import ConfigError
from shoal.nn.graph import BACKWARD, NOTHING, QUANTIZED, Code, Derived, Graph, Op, Ref, Stored, Window
from shoal.nn.quantization import is_fixed
from shoal.nn.shapes import as_hwc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.nn.masks import Mask

__all__ = ["Loss", "check_loss", "learning_ops"]

Loss: TypeAlias = Literal["mse", "bce", "cross_entropy"]

LOSSES: dict[str, Code] = {"mse": Code.MSE, "bce": Code.BCE, "cross_entropy": Code.CROSS_ENTROPY}
# These losses start from the gradient of the logits, so the last activation has no way back of its own.
LAST: dict[str, tuple[Code, str]] = {
    "bce": (Code.SIGMOID, "sigmoid"),
    "cross_entropy": (Code.SOFTMAX, "softmax"),
}
# What rounds to integers passes gradients on as they are ("straight through").
PASSED_ON = {Code.QUANTIZE, Code.DEQUANTIZE}
ON_INTEGERS = {QUANTIZED + code for code in (Code.DENSE, Code.CONV2D, Code.DEPTHWISE_CONV2D)}
POOLS = {QUANTIZED + Code.MAX_POOL2D, QUANTIZED + Code.AVERAGE_POOL2D}
CLAMPED = {*ON_INTEGERS, QUANTIZED + Code.ADD, QUANTIZED + Code.MEAN}
READS_INPUT = {*range(Code.DENSE, Code.AVERAGE_POOL2D + 1), Code.GROUP_NORM}
UPDATE_WEIGHTS, UPDATE_BIAS = 1, 2
MSE_BITS = 14  # most fraction bits of an answer whose squared error is taken


def check_loss(graph: Graph, loss: str | None) -> None:
    """Refuse an unknown loss and one that the last operation does not fit."""
    if loss is None:
        return
    if loss not in LOSSES:
        raise ConfigError(f"unknown loss {loss!r}", where="loss", hint=" | ".join([*LOSSES, "None"]))
    codes = [op.code & ~QUANTIZED for op in graph.ops]
    code = codes[-2] if codes[-1] == Code.DEQUANTIZE and len(codes) > 1 else codes[-1]
    # A quantized sigmoid is a table, and another type may follow a softmax; the loss begins to matter once
    # the end of the network computes in float.
    if code in {Code.LOOKUP, Code.REQUANTIZE}:
        return
    if loss in LAST and code != LAST[loss][0]:
        last, name = Code(code).name.lower(), LAST[loss][1]
        raise ConfigError(
            f"loss {loss!r} needs {name} as the last activation, the network ends with {last}",
            where="loss",
            hint=f'activation="{name}" on the last layer, or loss="mse"',
        )


def learning_ops(graph: Graph, output: Ref, loss: Loss, masks: Mapping[int, Mask]) -> Graph:
    """Return the learning operations, in a graph that continues the values of the forward one.

    Parameters
    ----------
    graph
        The forward operations.
    output
        The value that they end with.
    loss
        One that :func:`check_loss` lets pass.
    masks
        What learns, by layer number.
    """
    back, forward = graph.fork(), list(graph.ops)
    wanted = values_with_gradient(forward, masks)
    last = forward[-1]
    read, target = output, output
    if loss in LAST:
        target = last.x
        read = target if loss == "bce" else output
        forward.pop()
    q = read.quantization
    if loss == "mse" and is_fixed(q) and q.fraction_bits > MSE_BITS:
        hint = f'"cross_entropy" after a softmax, otherwise a scale of 2**-{MSE_BITS} or more'
        raise ConfigError(f"loss 'mse' of {q}", where="loss", hint=hint)
    code = LOSSES[loss] + QUANTIZED * is_fixed(read.quantization)
    gradient = back.add(Op(code, last.layer, read, back.like(read)))
    gradients: dict[int, Ref] = {}

    def give(value: Ref, gradient: Ref, layer: int) -> None:
        """Add a gradient to those of a value, where anything before it learns."""
        if value.value not in wanted:
            return
        if value.value in gradients:
            first = gradients[value.value]._replace(shape=gradient.shape)
            gradient = back.add(Op(Code.ADD, layer, first, back.like(gradient), x2=gradient))
        gradients[value.value] = gradient

    give(target, gradient, last.layer)
    for op in reversed(forward):
        if op.out.value not in gradients:
            continue
        dy = gradients.pop(op.out.value)._replace(shape=op.out.shape)
        if op.code == Code.ADD:
            give(op.x, dy, op.layer)
            give(op.x2, dy, op.layer)
            continue
        if op.code in PASSED_ON:
            give(op.x, dy, op.layer)
            continue
        if op.code in CLAMPED and not is_fixed(op.out.quantization):
            dy = back.add(clamped(op, dy, back))
            if op.code == QUANTIZED + Code.ADD:
                give(op.x, dy, op.layer)
                give(op.x2, dy, op.layer)
                continue
        dx = back.like(op.x) if op.x.value in wanted else NOTHING
        back.ops.append(backward(op, dy, dx, masks))
        if dx is not NOTHING:
            give(op.x, dx, op.layer)
    return back


def values_with_gradient(ops: list[Op], masks: Mapping[int, Mask]) -> set[int]:
    """Return the values that depend on a parameter that learns."""
    wanted: set[int] = set()
    for op in ops:
        mask = masks.get(op.layer) if op.weights is not None else None
        learns = mask is not None and (mask.weights or mask.bias)
        if learns or not wanted.isdisjoint(op.reads()):
            wanted.update(op.writes())
    return wanted


def backward(op: Op, dy: Ref, dx: Ref, masks: Mapping[int, Mask]) -> Op:
    """Return the backward operation of a forward one."""
    flags, runs = 0, op.runs
    if is_fixed(op.out.quantization) and op.code == QUANTIZED + Code.SOFTMAX:
        raise ConfigError(
            "nothing before a softmax on int16 can learn from this loss", where="loss", hint="cross_entropy"
        )
    if op.code == Code.LSTM:
        raise ConfigError("nothing before an LSTM can learn", where="network", hint="train what follows it")
    if op.code & QUANTIZED and not is_fixed(op.x.quantization):
        op = on_integers(op)
    if op.weights is not None and op.layer in masks:
        mask = masks[op.layer]
        flags = UPDATE_WEIGHTS * mask.weights | UPDATE_BIAS * mask.bias
        runs = mask.runs
    read = op.x if op.code & ~QUANTIZED in READS_INPUT else op.out
    return replace(
        op,
        code=BACKWARD + op.code,
        x=NOTHING if op.code in (Code.STANDARDIZE, QUANTIZED + Code.AVERAGE_POOL2D) else read,
        x2=dy,
        out=dx,
        aux=op.out if op.code & ~QUANTIZED == Code.MAX_POOL2D else op.aux,
        flags=flags,
        runs=runs,
    )


def clamped(op: Op, dy: Ref, back: Graph) -> Op:
    """Return the operation that stops the gradient where a quantized answer was clamped."""
    assert isinstance(op.aux, Derived)  # noqa: S101 - for the type checker
    make = op.aux.make
    limits = Derived(lambda arrays: make(arrays)[:2], (1, 1, 2))
    code = QUANTIZED + BACKWARD + Code.CLAMP
    return Op(code, op.layer, op.out, back.like(dy), x2=dy, aux=limits)


def on_integers(op: Op) -> Op:
    """Return a quantized operation with what its way back needs: scales of weights and input."""
    q = op.x.quantization
    assert q is not None  # noqa: S101 - for the type checker
    if op.code in ON_INTEGERS and op.weights is not None:
        scales = Stored(op.weights.name.rpartition(".")[0] + ".scales", (1, 1, op.out.shape[-1]))
        return replace(op, aux=scales, numbers=(q.scale, 0.0))
    if op.code in POOLS:
        return replace(op, aux=None)
    if op.code == QUANTIZED + Code.MEAN:
        height, width, _ = as_hwc(op.x.shape)
        window = Window((height, width), (1, 1))
        return replace(op, code=QUANTIZED + Code.AVERAGE_POOL2D, aux=None, window=window)
    name = Code(op.code & ~QUANTIZED).name.lower()
    raise ConfigError(
        f"nothing before {name} on integers can learn",
        where="network",
        hint="network.train(name), which computes in float32 from there on",
    )
