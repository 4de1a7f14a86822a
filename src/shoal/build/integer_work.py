"""What operations on int8, uint8 and int16 values do, counted as their loops run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.selection import is_fixed
from shoal.build.windows import axes
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import NONE, TYPES

if TYPE_CHECKING:
    from collections import Counter

    from shoal.build.zeros import Share
    from shoal.nn import Operation, Plan, Tensor

__all__ = ["integer_work"]

TOGETHER = 32  # outputs whose sums are taken at once
INT8 = TYPES["int8"]
TYPE_NAMES = {number: name for name, number in TYPES.items()}
BYTES = {"int8": 1, "int16": 2}
BLOCK = 8  # gradients that are summed side by side
GATES = 4  # of a cell of an LSTM


def integer_work(
    plan: Plan,
    operation: Operation,
    name: str,
    pieces: Counter[str],
    zeros: Share,
    *,
    pairs: bool,
) -> None:
    """Count an operation on integers, forward or backward.

    Parameters
    ----------
    plan, operation, name
        Which one.
    pieces
        To add to.
    zeros
        The share of zeros in what it reads.
    pairs
        Whether the core multiplies two pairs of 16-bit numbers at once: other loops run there.
    """
    code = Code(operation.code % BACKWARD)
    back = operation.code % QUANTIZED >= BACKWARD
    if is_fixed(plan, operation):
        fixed(plan, operation, name, pieces, code, zeros.given, back=back)
    elif back:
        backward(plan, operation, name, pieces, code, zeros.gradient)
    elif code in {Code.DENSE, Code.CONV2D}:
        products(plan, operation, name, pieces, pairs=pairs)
    elif code in {Code.SVDF, Code.LSTM}:
        (svdf if code == Code.SVDF else lstm)(plan, operation, name, pieces, pairs=pairs)
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
    if code == Code.DEPTHWISE_CONV2D:
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


def products(plan: Plan, operation: Operation, name: str, pieces: Counter[str], *, pairs: bool) -> None:
    """Count Dense and Conv2D: for each position of the window the sums of all outputs."""
    x, y = plan.tensors[operation.in_], plan.tensors[operation.out]
    if operation.code % BACKWARD == Code.DENSE:
        dot(pieces, name, x.type, [(1, size(x))], y.shape[2], pairs=pairs)
        return
    height, width = axes(operation, x, y)
    channels, ranges = x.shape[2], width.ranges()
    whole = operation.kernel[1] * channels if width.size == width.kernel else 0  # a patch in one piece
    column = 0
    while column < len(ranges):
        first, end = ranges[column]
        twice = pairs and x.type == INT8 and first == 0 and ranges[column + 1 : column + 2] == [(0, end)]
        n = (end - first) * channels
        patches = [(1, n * rows) if n == whole else (rows, n) for rows in height.inside()]
        dot(pieces, name, x.type, patches, y.shape[2], pairs=pairs, positions=1 + twice)
        column += 1 + twice


def dot(
    pieces: Counter[str],
    name: str,
    kind: int,
    patches: list[tuple[int, int]],
    outputs: int,
    *,
    pairs: bool,
    positions: int = 1,
) -> None:
    """Count sums of products over patches of so many rows of a length, at one or two positions at once."""
    pieces[f"{name}, rescaled"] += outputs * len(patches) * positions
    loop = f"dot {TYPE_NAMES[kind]}{' twice' if positions > 1 else ''}"
    together = 2 if pairs else 4
    pieces[f"{loop}, patches"] += len(patches)
    for count in chunks(outputs):
        groups = -(-count // together)
        pieces[loop] += len(patches)
        pieces[f"{loop}, sums"] += groups * len(patches)
        for rows, n in patches:
            pieces[f"{loop}, rows"] += groups * rows
            for step, times in ((4, n // 4), (1, n % 4)) if pairs else ((1, n),):
                if times > 0:
                    pieces[f"{loop} by {step}, loops"] += groups * rows
                    pieces[f"{loop} by {step}"] += groups * rows * times


def svdf(plan: Plan, operation: Operation, name: str, pieces: Counter[str], *, pairs: bool) -> None:
    """Count filters over time."""
    x, memory = plan.tensors[operation.in_], plan.tensors[operation.in2]
    kind, (_, filters, length) = TYPE_NAMES[memory.type], memory.shape
    dot(pieces, name, x.type, [(1, size(x))], filters, pairs=pairs)
    pieces[f"{name}, bytes forgotten"] += filters * length * BYTES[kind]
    pieces[f"{name}, times in {kind}"] += filters * length
    pieces[f"{name}, filters"] += filters
    pieces[f"{name}, values"] += size(plan.tensors[operation.out])


def lstm(plan: Plan, operation: Operation, name: str, pieces: Counter[str], *, pairs: bool) -> None:
    """Count gates and cells, row by row."""
    x, y = plan.tensors[operation.in_], plan.tensors[operation.out]
    for length in (x.shape[2], y.shape[2]):  # the inputs, and the answer before
        dot(pieces, name, x.type, [(1, length)] * size(y), GATES, pairs=pairs)
    pieces[f"{name}, cells"] += size(y)


def depthwise(operation: Operation, name: str, pieces: Counter[str], x: Tensor, y: Tensor) -> None:
    rows, columns = (axis.inside() for axis in axes(operation, x, y))
    multiplier = y.shape[2] // x.shape[2]
    parts = chunks(y.shape[2]) if multiplier == 1 else chunks(multiplier) * x.shape[2]
    kind, of = ("neighbours" if multiplier == 1 else "siblings"), TYPE_NAMES[x.type]
    windows, in_rows, positions = sum(rows) * sum(columns), sum(rows) * len(columns), len(rows) * len(columns)
    fours, singles = sum(part // 4 for part in parts), sum(part % 4 for part in parts)
    pieces[f"{name}, {kind} in {of}"] += windows * fours
    pieces[f"{name}, singles in {of}"] += windows * singles
    pieces[f"{name}, rows"] += in_rows * (fours + singles)
    pieces[f"{name}, sums"] += positions * (fours + singles)
    pieces[f"{name}, positions"] += positions
    pieces["integer rescaled"] += positions * y.shape[2]
    pieces["integer chunks"] += positions * len(parts)


def backward(
    plan: Plan, operation: Operation, name: str, pieces: Counter[str], code: Code, zeros: float
) -> None:
    """Count a backward operation. But in depthwise windows gradients that are 0 are passed over."""
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
    dense, depthwise = code == Code.DENSE, code == Code.DEPTHWISE_CONV2D
    inputs = size(x) if dense else 1 if depthwise else x.shape[2]
    height, width = axes(operation, x, dy)
    rows, columns = ([1], [1]) if dense else (height.outputs(), width.outputs())
    products_of, kernel = sum(rows) * sum(columns), len(rows) * len(columns)
    learnt = sum(count for _, count in plan.runs[operation.runs[0] :][: operation.runs[1]]) or dy.shape[2]
    others = 1 - zeros  # of the gradients
    if operation.out != NONE:
        pieces["cleared words"] += size(x)
        if depthwise:
            pieces[f"{name}, positions"] += dy.shape[0] * dy.shape[1]
            pieces[f"{name}, windows"] += products_of
            pieces[f"{name}, values"] += products_of * dy.shape[2]
        else:
            pieces["integer gradients"] += size(dy)
            pieces["integer gradients, windows"] += round(others * products_of * dy.shape[2])
            pieces["integer gradients, values"] += round(others * products_of * dy.shape[2] * inputs)
    if operation.flags & 1:
        blocks = -(-inputs // BLOCK)
        pieces[f"integer learning{', filters' if depthwise else ''}"] += kernel * learnt * blocks
        pieces["integer learning, rows"] += sum(rows) * len(columns) * learnt * blocks
        pieces["integer learning, sums"] += products_of * learnt * blocks
        pieces["integer learning, sums with more than 0"] += round(others * products_of * learnt * blocks)
        pieces["integer learning, values"] += round(others * products_of * learnt * inputs)
        pieces["integer learning, weights"] += 0 if depthwise else kernel * learnt * inputs
    if operation.flags & 2:
        pieces["integer bias"] += learnt
        pieces["integer bias, values"] += learnt * dy.shape[0] * dy.shape[1]


def fixed(
    plan: Plan,
    operation: Operation,
    name: str,
    pieces: Counter[str],
    code: Code,
    zeros: float,
    *,
    back: bool,
) -> None:
    """Count an operation in fixed point. Inputs that are 0 are passed over."""
    if code != Code.DENSE:
        pieces[f"{name}, values"] += size(plan.tensors[operation.in2 if back else operation.out])
        return
    inputs = size(plan.tensors[operation.in_])
    outputs = size(plan.tensors[operation.in2 if back else operation.out])
    passed = round(inputs * zeros)
    if not back:
        pieces[f"{name}, by 4"] += (inputs - passed) * (outputs // 4)
        pieces[f"{name}, passed over"] += passed * (outputs // 4)
        pieces[f"{name}, by 1"] += inputs * (outputs % 4)
        pieces[f"{name}, sums"] += outputs
        return
    if operation.out != NONE:
        pieces[f"{name}, products"] += inputs * outputs
        pieces[f"{name}, sums"] += inputs
    if operation.flags & 1:
        pieces[f"{name}, weights by 4"] += (inputs - passed) * (outputs // 4)
        pieces[f"{name}, weights by 1"] += (inputs - passed) * (outputs % 4)
        pieces[f"{name}, rows"] += inputs
        pieces[f"{name}, passed over"] += passed
    if operation.flags & 2:
        pieces[f"{name}, biases"] += outputs
