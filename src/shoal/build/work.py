"""What an image makes the runtime do, counted as its loops run: the ground of the instructions of a call."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from shoal.build.integer_work import integer_work
from shoal.build.products import descend, each, multiply, turned, update
from shoal.build.selection import is_fixed
from shoal.build.windows import axes
from shoal.build.zeros import Share
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.nn import Operation, Plan, Tensor

__all__ = ["ZERO", "Arithmetic", "call_work", "work"]

ZERO = ", with 0"  # how the names end of what takes less

PRODUCTS = re.compile(r"(multiply|each|descend|turned,) (?:by )?(\d(?: by \d)?)")
LOOPS = re.compile(r"(multiply|each|descend|turned)(, (?:blocks|singles).*)?$")
BLOCK = 8  # gradients of weights that are taken side by side
GATES = 4  # of a cell of an LSTM
WEIGHTS, BIAS = 1, 2  # flags: what of an operation learns


def call_work(plan: Plan) -> Counter[str]:
    """Return what every call does beside the operations."""
    inputs, outputs = size(plan.tensors[plan.input]), size(plan.tensors[plan.output])
    # The answer is copied, whatever it is of; inputs lie where the application wrote them.
    bits = 32 if plan.output_type == "float32" else np.iinfo(plan.output_type).bits
    return Counter({f"inputs, {plan.input_type}": inputs, f"outputs of {bits} bits": outputs})


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What of a core's arithmetic decides which loops run.

    Parameters
    ----------
    pairs
        Whether it multiplies two pairs of 16-bit numbers at once.
    floats
        Whether it has an FPU. A library's functions take less where a number is 0.
    """

    pairs: bool = True
    floats: bool = True


def work(
    plan: Plan, arithmetic: Arithmetic = Arithmetic(), zeros: Sequence[Share] = (), *, learning: bool
) -> list[tuple[str, Counter[str]]]:
    """Return name and work of each operation of a call.

    Parameters
    ----------
    plan
        Of a network.
    arithmetic
        Of the core.
    zeros
        The share of zeros in what each operation reads; without, nothing is 0.
    learning
        Whether the call learns, or predicts.

    Examples
    --------
    >>> from shoal import nn
    >>> plan = nn.Network([nn.Dense(9)], input_shape=(5,)).plan(None)
    >>> work(plan, learning=False)[0][1]["multiply by 8"]
    5
    """
    found = []
    for number, operation in enumerate(plan.operations if learning else plan.forward):
        share = zeros[number] if zeros else Share()
        name = name_of(plan, operation)
        # Without an FPU what is done once is little beside arithmetic on floats.
        pieces = Counter({name if arithmetic.floats or operation.code >= QUANTIZED else "operations": 1})
        if operation.code >= QUANTIZED:
            integer_work(plan, operation, name, pieces, share, pairs=arithmetic.pairs)
        elif operation.code >= BACKWARD:
            backward(plan, operation, name, pieces)
        else:
            forward(plan, operation, name, pieces)
            if operation.code == Code.STANDARDIZE and learning:
                pieces["observe"] += 1
                pieces["observe, values"] += size(tensor(plan, operation.out))
        if not arithmetic.floats:
            in_software(plan, operation, pieces, share)
        found.append((name, +pieces))
    return found


def in_software(plan: Plan, operation: Operation, pieces: Counter[str], zeros: Share) -> None:
    """Count what a library does: products are alike in all loops, and take less where a factor is 0."""
    given, gradient = 1 - zeros.given, 1 - zeros.gradient
    others = 0.0  # products without a 0
    for name, count in list(pieces.items()):
        if match := PRODUCTS.fullmatch(name):
            products = count * prod(map(int, match[2].split(" by ")))
            # The gradients of the inputs do not read them.
            others += (gradient if match[1] == "turned," else given * gradient) * products
            pieces["products"] += products
            pieces["rates"] += count * (match[1] == "descend")
        elif match := LOOPS.match(name):
            pieces["loops" if match[2] else "calls of loops"] += count
        else:
            continue
        del pieces[name]
    pieces[f"products{ZERO}"] = round(pieces["products"] - others)
    pieces[f"integer learning, values{ZERO}"] = round((1 - given) * pieces["integer learning, values"])
    moved = f"{plan.optimizer}, values"
    pieces[f"{plan.optimizer} at rest{ZERO}"] = round(zeros.moments * pieces[moved])
    if operation.code % QUANTIZED == BACKWARD + Code.DENSE:
        # Only there is a gradient one product.
        for name in ("integer learning, weights", *((moved,) if plan.slots else ())):
            pieces[f"{name}{ZERO}"] = round((1 - given * gradient) * pieces[name])


def name_of(plan: Plan, operation: Operation) -> str:
    """Return the name of an operation."""
    name = Code(operation.code % BACKWARD).name.lower()
    if operation.code >= QUANTIZED:
        name = f"{'fixed' if is_fixed(plan, operation) else 'integer'} {name}"
    return f"{name} backward" if operation.code % QUANTIZED >= BACKWARD else name


def tensor(plan: Plan, number: int) -> Tensor:
    """Return a tensor of a plan."""
    return plan.tensors[number]


def size(one: Tensor) -> int:
    """Return the number of a tensor's values."""
    return one.shape[0] * one.shape[1] * one.shape[2]


def used(plan: Plan, one: Tensor) -> int:
    """Return how many values of a tensor are computed: of one that grows, those in use at first."""
    return plan.active if one.grows else size(one)


def forward(plan: Plan, operation: Operation, name: str, pieces: Counter[str]) -> None:
    """Count a forward operation or a loss on floats."""
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    count: Callable[[Plan, Operation, Counter[str]], None] | None = FORWARD.get(Code(operation.code))
    if count is not None:
        count(plan, operation, pieces)
        return
    pieces[f"{name}, values"] += used(plan, y)
    if operation.code in IN_PLACE and x.offset != y.offset:
        pieces["copied words"] += used(plan, y)


def dense(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    multiply(pieces, used(plan, tensor(plan, operation.out)), size(tensor(plan, operation.in_)))


def conv2d(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    rows, columns = (axis.inside() for axis in axes(operation, x, y))
    multiply(pieces, y.shape[2], sum(rows) * sum(columns) * x.shape[2], sum(rows) * len(columns))
    pieces["conv2d, rows"] += sum(rows) * len(columns)
    pieces["conv2d, positions"] += len(rows) * len(columns)


def depthwise_conv2d(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    rows, columns = (axis.inside() for axis in axes(operation, x, y))
    length, calls = sum(rows) * sum(columns), sum(rows) * len(columns)
    channels, multiplier = x.shape[2], y.shape[2] // x.shape[2]
    if multiplier == 1:
        each(pieces, channels, length, calls)
    else:
        multiply(pieces, multiplier, channels * length, channels * calls)
    pieces["depthwise_conv2d, rows"] += calls
    pieces["depthwise_conv2d, positions"] += len(rows) * len(columns)


def pool(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    name = name_of(plan, operation)
    rows, columns = (axis.inside() for axis in axes(operation, x, y))
    pieces[f"{name}, values"] += sum(rows) * sum(columns) * x.shape[2]
    pieces[f"{name}, windows"] += sum(rows) * sum(columns)
    pieces[f"{name}, rows"] += sum(rows) * len(columns)
    pieces[f"{name}, outputs"] += size(y)
    pieces[f"{name}, positions"] += len(rows) * len(columns)


def group_norm(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    y = tensor(plan, operation.out)
    pieces["group_norm, values"] += size(y)
    pieces["group_norm, rows"] += y.shape[0] * y.shape[1] * operation.groups
    pieces["group_norm, groups"] += operation.groups


def pad(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    pieces["pad, positions"] += x.shape[0] * x.shape[1]
    pieces["copied words"] += size(x)
    pieces["cleared words"] += size(y)


def resize_nearest(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    y = tensor(plan, operation.out)
    pieces["resize_nearest, positions"] += y.shape[0] * y.shape[1]
    pieces["resize_nearest, rows"] += y.shape[0]
    pieces["copied words"] += size(y)


def lstm(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, y = tensor(plan, operation.in_), tensor(plan, operation.out)
    cells = size(y)
    for length in (x.shape[2], y.shape[2]):  # the inputs, and the answer before
        turned(pieces, GATES, length, cells)
    pieces["lstm, cells"] += cells


FORWARD = {
    Code.DENSE: dense,
    Code.CONV2D: conv2d,
    Code.DEPTHWISE_CONV2D: depthwise_conv2d,
    Code.MAX_POOL2D: pool,
    Code.AVERAGE_POOL2D: pool,
    Code.GROUP_NORM: group_norm,
    Code.PAD: pad,
    Code.RESIZE_NEAREST: resize_nearest,
    Code.LSTM: lstm,
}
IN_PLACE = {*range(Code.ADD, Code.GROUP_NORM), Code.STANDARDIZE, Code.CROSS_ENTROPY}


def backward(plan: Plan, operation: Operation, name: str, pieces: Counter[str]) -> None:
    """Count a backward operation on floats."""
    count = BACK.get(Code(operation.code - BACKWARD))
    if count is not None:
        count(plan, operation, pieces)
        return
    dy, dx = tensor(plan, operation.in2), tensor(plan, operation.out)
    pieces[f"{name}, values"] += used(plan, dy)
    if dx.offset != dy.offset:
        pieces["copied words"] += used(plan, dy)


def runs(plan: Plan, operation: Operation, channels: int) -> list[int]:
    """Return the lengths of the runs of channels that learn."""
    first, count = operation.runs
    if count == 0:
        return [channels]
    ends = plan.runs[first : first + count]
    return [max(0, min(start + length, channels) - start) for start, length in ends]


def bias_back(plan: Plan, operation: Operation, positions: int, channels: int, pieces: Counter[str]) -> None:
    if not operation.flags & BIAS:
        return
    for length in runs(plan, operation, channels):
        pieces["bias, values"] += length * positions
        pieces["bias"] += length
        if plan.optimizer != "sgd":
            pieces[f"bias, {plan.optimizer}"] += length


def dense_back(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, channels = size(tensor(plan, operation.in_)), used(plan, tensor(plan, operation.in2))
    if operation.out != NONE:
        turned(pieces, x, channels)
    if operation.flags & WEIGHTS:
        for length in runs(plan, operation, channels):
            if plan.optimizer == "sgd":
                descend(pieces, length, x)
            else:
                pieces["dense gradient, values"] += x * length
                update(pieces, str(plan.optimizer), x * length, x * -(-length // BLOCK))
    bias_back(plan, operation, 1, channels, pieces)


def conv2d_back(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, dy = tensor(plan, operation.in_), tensor(plan, operation.in2)
    rows, columns = (axis.outputs() for axis in axes(operation, x, dy))
    positions = sum(rows) * sum(columns)
    channels = x.shape[2]
    pieces["conv2d backward, fields"] += len(rows) * len(columns)
    if operation.out != NONE:
        pieces["cleared words"] += size(x)
        turned(pieces, channels, dy.shape[2], positions)
        pieces["conv2d backward, positions"] += positions
        pieces["conv2d backward, rows"] += sum(rows) * len(columns)
    if operation.flags & WEIGHTS:
        for length in runs(plan, operation, dy.shape[2]):
            calls = sum(rows) * sum(1 for column in columns if column)
            for n, blocks in ((BLOCK, length // BLOCK), (length % BLOCK, int(length % BLOCK > 0))):
                multiply(pieces, n, positions * channels * blocks, calls * channels * blocks)
                pieces["conv2d backward, rows learnt"] += calls * channels * blocks
                pieces["conv2d backward, blocks"] += len(rows) * len(columns) * channels * blocks
            blocks = -(-length // BLOCK)
            values = len(rows) * len(columns) * channels
            update(pieces, str(plan.optimizer), values * length, values * blocks)
    bias_back(plan, operation, dy.shape[0] * dy.shape[1], dy.shape[2], pieces)


def depthwise_back(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    x, dy = tensor(plan, operation.in_), tensor(plan, operation.in2)
    height, width = axes(operation, x, dy)
    channels, multiplier = x.shape[2], dy.shape[2] // x.shape[2]
    if operation.out != NONE:
        pieces["cleared words"] += size(x)
        pieces["depthwise_conv2d backward, positions"] += x.shape[0] * x.shape[1]
        rows, columns = sum(height.windows()), width.windows()
        pieces["depthwise_conv2d backward, rows"] += rows * sum(1 for column in columns if column)
        if multiplier == 1:
            each(pieces, channels, rows * sum(columns), rows * sum(1 for column in columns if column))
        else:
            turned(pieces, 1, multiplier, rows * sum(columns) * channels)
    if operation.flags & WEIGHTS:
        rows_of, columns_of = height.outputs(), width.outputs()
        length, calls = sum(rows_of) * sum(columns_of), sum(rows_of) * len(columns_of)
        kernel = len(rows_of) * len(columns_of)
        for run in runs(plan, operation, dy.shape[2]):
            for n, blocks in ((BLOCK, run // BLOCK), (run % BLOCK, int(run % BLOCK > 0))):
                if multiplier == 1:
                    each(pieces, n, length * blocks, calls * blocks)
                else:
                    multiply(pieces, 1, length * n * blocks, calls * n * blocks)
                pieces["depthwise_conv2d backward, rows learnt"] += calls * blocks
                pieces["depthwise_conv2d backward, blocks"] += kernel * blocks
            update(pieces, str(plan.optimizer), kernel * run, kernel * -(-run // BLOCK))
    bias_back(plan, operation, dy.shape[0] * dy.shape[1], dy.shape[2], pieces)


def pool_back(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    dy, dx = tensor(plan, operation.in2), tensor(plan, operation.out)
    name = name_of(plan, operation)
    rows, columns = (axis.inside() for axis in axes(operation, dx, dy))
    pieces["cleared words"] += size(dx)
    pieces[f"{name}, values"] += sum(rows) * sum(columns) * dx.shape[2]
    if operation.code - BACKWARD == Code.MAX_POOL2D:
        pieces[f"{name}, rows"] += sum(rows) * len(columns) * dx.shape[2]
        pieces[f"{name}, outputs"] += size(dy)
    else:
        pieces[f"{name}, rows"] += sum(rows) * sum(columns)
    pieces[f"{name}, positions"] += len(rows) * len(columns)


def group_norm_back(plan: Plan, operation: Operation, pieces: Counter[str]) -> None:
    dy = tensor(plan, operation.in2)
    positions, channels = dy.shape[0] * dy.shape[1], dy.shape[2]
    if operation.out != NONE:
        pieces["group_norm backward, values"] += size(dy)
        pieces["group_norm backward, rows"] += positions * operation.groups
    if operation.flags & WEIGHTS:
        for length in runs(plan, operation, channels):
            pieces["group_norm backward, scales"] += positions * length
            pieces["group_norm backward, channels"] += length
            update(pieces, str(plan.optimizer), length, length)
    bias_back(plan, operation, positions, channels, pieces)


BACK = {
    Code.DENSE: dense_back,
    Code.CONV2D: conv2d_back,
    Code.DEPTHWISE_CONV2D: depthwise_back,
    Code.MAX_POOL2D: pool_back,
    Code.AVERAGE_POOL2D: pool_back,
    Code.GROUP_NORM: group_norm_back,
}
