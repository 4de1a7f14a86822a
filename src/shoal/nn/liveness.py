"""From when until when each value is needed, and which operations may write over what they read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from shoal.nn.graph import BACKWARD, NOTHING, QUANTIZED, Code, Op, Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Buffer", "buffers"]

CLAMP = QUANTIZED + BACKWARD + Code.CLAMP
SOFTMAX = QUANTIZED + Code.SOFTMAX
ELEMENTWISE = {
    *range(Code.ADD, Code.SOFTMAX + 1),
    Code.STANDARDIZE,
    *(QUANTIZED + code for code in (Code.ADD, Code.RELU, Code.SOFTMAX, Code.LOOKUP)),
}
LOSSES = {Code.MSE, Code.BCE, Code.CROSS_ENTROPY, QUANTIZED + Code.MSE, QUANTIZED + Code.CROSS_ENTROPY}
INPUT_TIME = -1


class Buffer(NamedTuple):
    """Memory of one or more values, one after the other, needed from time ``first`` to ``last``."""

    size: int
    first: int
    last: int


def buffers(
    sizes: Sequence[int], forward: Sequence[Op], learning: Sequence[Op]
) -> tuple[list[Op], list[Op], list[Buffer], list[int]]:
    """Share memory between values where an operation works in place.

    Parameters
    ----------
    sizes
        Words of four bytes of each value; value 0 is the sample, there before the first operation.
    forward, learning
        Operations in the order in which they are executed. The answer is what the last forward one writes and
        is read before the first of the learning ones, so nothing can overwrite it too early.

    Returns
    -------
    tuple
        Both lists of operations (the inputs of an addition may have changed places), the buffers, and the
        buffer of each value, -1 for a value that is never written.
    """
    timed = list(enumerate([*forward, *learning]))
    last = [INPUT_TIME] * len(sizes)
    for time, op in timed:
        for value in (*op.reads(), *op.writes()):
            last[value] = time

    buffer_of = [-1] * len(sizes)
    found = [Buffer(sizes[0], INPUT_TIME, last[0])]
    buffer_of[0] = 0
    result: list[Op] = []
    for time, given in timed:
        op = given
        if op.code == Code.ADD and not dies(op.x, op, last, time) and dies(op.x2, op, last, time):
            op = swapped(op)
        result.append(op)
        source = overwritable(op)
        for value in op.writes():
            if value == op.out.value and dies(source, op, last, time):
                number = buffer_of[source.value]
                found[number] = found[number]._replace(last=last[value])
            else:
                number = len(found)
                found.append(Buffer(sizes[value], time, last[value]))
            buffer_of[value] = number
    return result[: len(forward)], result[len(forward) :], found, buffer_of


def overwritable(op: Op) -> Ref:
    """Return what the output may take the place of: x, or on the way back the gradient."""
    if op.code in ELEMENTWISE or op.code in LOSSES:
        return op.x if op.code != SOFTMAX or types_of(op) != {"int8", "int16"} else NOTHING
    return op.x2 if op.code - BACKWARD in ELEMENTWISE or op.code == CLAMP else NOTHING


def types_of(op: Op) -> set[str]:
    """Return the integer types that an operation reads and writes."""
    return {ref.quantization.dtype for ref in (op.x, op.out) if ref.quantization is not None}


def dies(source: Ref, op: Op, last: Sequence[int], time: int) -> bool:
    """Tell whether nobody needs the value after this operation, and the operation only once."""
    return source is not NOTHING and last[source.value] == time and op.reads().count(source.value) == 1


def swapped(op: Op) -> Op:
    """Return the same sum of b and a."""
    return replace(op, x=op.x2, x2=op.x)
