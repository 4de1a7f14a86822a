"""What operations on int8, uint8 and int16 values do, counted as their loops run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.selection import is_fixed
from shoal.build.windows import axes
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import NONE

if TYPE_CHECKING:
    from collections import Counter

    from shoal.nn import Operation, Plan, Tensor

__all__ = ["integer_work"]

TOGETHER = 32  # outputs whose sums are taken at once
BLOCK = 8  # gradients that are summed side by side


def integer_work(plan: Plan, operation: Operation, name: str, pieces: Counter[str]) -> None:
    """Count an operation on integers, forward or backward."""
    code = Code(operation.code % BACKWARD)
    back = operation.code % QUANTIZED >= BACKWARD
    if is_fixed(plan, operation):
        fixed(plan, operation, name, pieces, code, back=back)
    elif back:
        backward(plan, operation, name, pieces, code)
    else:
        forward(plan, operation, name, pieces, code)


def size(one: Tensor) -> int:
    """Return the number of a tensor's values."""
    return one.shape[0] * one.shape[1] * one.shape[2]


def chunks(count: int) -> list[int]:
    """Return how many outputs are computed at once, time after time."""
    return [TOGETHER] * (count // TOGETHER) + ([count % TOGETHER] if count % TOGETHER else [])


def forward(plan: Plan, operation: Operation, name: str, pieces: Counter[str], code: Code) -> None:
    x, y = plan.tensors[operation.in_], plan.tensors[operation.out]
    if code == Code.DENSE:
        products(pieces, name, y.shape[2], [size(x)], [1], 1)
    elif code == Code.CONV2D:
        rows, columns = (axis.inside() for axis in axes(operation, x, y))
        lengths = [column * x.shape[2] for column in columns]
        products(
            pieces, name, y.shape[2], lengths, rows, x.shape[1] * x.shape[2], operation.kernel[1] * x.shape[2]
        )
    elif code == Code.DEPTHWISE_CONV2D:
        depthwise(operation, name, pieces, x, y)
    elif code in {Code.MAX_POOL2D, Code.AVERAGE_POOL2D}:
        rows, columns = (axis.inside() for axis in axes(operation, x, y))
        windows, parts = sum(rows) * sum(columns), len(chunks(x.shape[2]))
        pieces[f"{name}, values"] += windows * x.shape[2]
        pieces[f"{name}, windows"] += windows * parts
        pieces[f"{name}, outputs"] += size(y)
        pieces[f"{name}, positions"] += len(rows) * len(columns)
    elif code == Code.MEAN:
        pieces[f"{name}, values"] += size(x)
        pieces[f"{name}, windows"] += x.shape[0] * x.shape[1] * len(chunks(x.shape[2]))
        pieces[f"{name}, outputs"] += size(y)
    elif code in {Code.PAD, Code.RESIZE_NEAREST}:
        inner = x if code == Code.PAD else y
        pieces[f"{name}, positions"] += inner.shape[0] * inner.shape[1]
        pieces["copied words"] += size(inner) // 4
        if code == Code.PAD:
            pieces["cleared words"] += size(y) // 4
    else:
        pieces[f"{name}, values"] += size(y)


def products(
    pieces: Counter[str],
    name: str,
    outputs: int,
    lengths: list[int],
    rows: list[int],
    x_step: int,
    w_step: int = 0,
) -> None:
    """Count sums of products: for each position rows of a length, `outputs` sums of each."""
    pieces["integer rescaled"] += outputs * len(rows) * len(lengths)
    pieces[f"{name}, positions"] += len(rows) * len(lengths)
    pieces["integer chunks"] += len(chunks(outputs)) * len(rows) * len(lengths)
    for length in lengths:
        whole = length in (x_step, w_step) and x_step == w_step
        total = [(1, length * count) if whole else (count, length) for count in rows]
        for calls, n in total:
            for count in chunks(outputs):
                pieces["dot"] += calls
                pieces["dot, pairs"] += calls * -(-count // 2)
                pieces["dot, pairs of 4"] += calls * -(-count // 2) * (n // 4)
                pieces["dot, pairs of 1"] += calls * -(-count // 2) * (n % 4)
                pieces["dot, fours"] += calls * -(-count // 4)
                pieces["dot, fours of 1"] += calls * -(-count // 4) * n


def depthwise(operation: Operation, name: str, pieces: Counter[str], x: Tensor, y: Tensor) -> None:
    rows, columns = (axis.inside() for axis in axes(operation, x, y))
    multiplier = y.shape[2] // x.shape[2]
    parts = chunks(y.shape[2]) if multiplier == 1 else chunks(multiplier) * x.shape[2]
    kind = "neighbours" if multiplier == 1 else "siblings"
    windows, in_rows, positions = sum(rows) * sum(columns), sum(rows) * len(columns), len(rows) * len(columns)
    fours, singles = sum(part // 4 for part in parts), sum(part % 4 for part in parts)
    pieces[f"{name}, {kind}"] += windows * fours
    pieces[f"{name}, singles"] += windows * singles
    pieces[f"{name}, rows"] += in_rows * (fours + singles)
    pieces[f"{name}, sums"] += positions * (fours + singles)
    pieces[f"{name}, positions"] += positions
    pieces["integer rescaled"] += positions * y.shape[2]
    pieces["integer chunks"] += positions * len(parts)


def backward(plan: Plan, operation: Operation, name: str, pieces: Counter[str], code: Code) -> None:
    dy = plan.tensors[operation.in2]
    if code == Code.CLAMP:
        pieces[f"{name}, values"] += size(dy)
        return
    if code in {Code.MAX_POOL2D, Code.AVERAGE_POOL2D}:
        dx = plan.tensors[operation.out]
        rows, columns = (axis.inside() for axis in axes(operation, dx, dy))
        pieces["cleared words"] += size(dx)
        pieces[f"{name}, values"] += sum(rows) * sum(columns) * dx.shape[2]
        pieces[f"{name}, outputs"] += size(dy)
        return
    x = plan.tensors[operation.in_]
    dense = code == Code.DENSE
    inputs = size(x) if dense else 1 if code == Code.DEPTHWISE_CONV2D else x.shape[2]
    height, width = axes(operation, x, dy)
    rows, columns = ([1], [1]) if dense else (height.outputs(), width.outputs())
    products_of, kernel = sum(rows) * sum(columns), len(rows) * len(columns)
    learnt = sum(count for _, count in plan.runs[operation.runs[0] :][: operation.runs[1]]) or dy.shape[2]
    if operation.out != NONE:
        pieces["cleared words"] += size(x)
        pieces[f"{name}, values sent back"] += products_of * dy.shape[2] * inputs
        pieces[f"{name}, windows"] += products_of * dy.shape[2]
    if operation.flags & 1:
        blocks = -(-inputs // BLOCK)
        pieces[f"{name}, values"] += products_of * learnt * inputs
        pieces[f"{name}, sums"] += products_of * learnt * blocks
        pieces[f"{name}, blocks"] += kernel * learnt * blocks
        pieces[f"{name}, weights"] += kernel * learnt * inputs
    if operation.flags & 2:
        pieces[f"{name}, biases"] += learnt
        pieces[f"{name}, bias values"] += learnt * dy.shape[0] * dy.shape[1]


def fixed(
    plan: Plan, operation: Operation, name: str, pieces: Counter[str], code: Code, *, back: bool
) -> None:
    """Count an operation in fixed point."""
    if code != Code.DENSE:
        pieces[f"{name}, values"] += size(plan.tensors[operation.in2 if back else operation.out])
        return
    inputs = size(plan.tensors[operation.in_])
    outputs = size(plan.tensors[operation.in2 if back else operation.out])
    # Inputs that are 0 are passed over: half of them after a relu.
    after = f"{name}, after relu" if is_rectified(plan, operation.in_) else name
    if not back:
        pieces[f"{after}, by 4"] += inputs * (outputs // 4)
        pieces[f"{name}, by 1"] += inputs * (outputs % 4)
        pieces[f"{name}, sums"] += outputs
        return
    if operation.out != NONE:
        pieces[f"{name}, products"] += inputs * outputs
        pieces[f"{name}, sums"] += inputs
    if operation.flags & 1:
        pieces[f"{after}, weights by 4"] += inputs * (outputs // 4)
        pieces[f"{after}, weights by 1"] += inputs * (outputs % 4)
        pieces[f"{after}, rows"] += inputs
    if operation.flags & 2:
        pieces[f"{name}, biases"] += outputs


def is_rectified(plan: Plan, number: int) -> bool:
    """Tell whether a tensor is what a relu gives."""
    return any(one.code == QUANTIZED + Code.RELU and one.out == number for one in plan.forward)
