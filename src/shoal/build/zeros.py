"""The share of zeros in what operations read: products with 0 take less, or are passed over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from shoal.build.windows import axes
from shoal.errors import DivergedError
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from shoal.nn.plan import ARENA, NONE, STATE, name_of_type
from shoal.runtime import Executor

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shoal.nn import Operation, Plan, Tensor
    from shoal.runtime import Phase

__all__ = ["Share", "zeros_of"]

Counts: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Share:
    """The share of zeros in what an operation reads, 0 to 1; convolutions read most values more than once.

    Parameters
    ----------
    given
        In its input.
    gradient
        In its second input, which is the gradient of the output where it is a backward operation.
    moments
        In what the optimizer keeps of the weights that it learns.
    """

    given: float = 0.0
    gradient: float = 0.0
    moments: float = 0.0


class Watched(Executor):
    """A network whose values can be read after a call."""

    def share(self, plan: Plan, number: int, times: Counts | None = None) -> float:
        """Return the share of zeros in a tensor of the arena, each position so many times."""
        if number == NONE or plan.tensors[number].space != ARENA:
            return 0.0
        one = plan.tensors[number]
        kind = np.dtype(name_of_type(one.type))
        start = self.state.ctypes.data - self._memory.ctypes.data + 4 * (plan.state + one.offset)
        values = self._memory[start : start + kind.itemsize * size(one)].view(kind)
        zeros = values == (one.zero_point if kind.itemsize == 1 else 0)
        return float(np.average(zeros.reshape(-1, one.shape[2]).mean(axis=1), weights=times))

    def shares(self, plan: Plan) -> list[tuple[float, ...]]:
        """Return the share of zeros in what each operation has just read."""
        found: list[tuple[float, ...]] = []
        for one in plan.operations:
            times, times2 = readings(plan, one)
            given, gradient = self.share(plan, one.in_, times), self.share(plan, one.in2, times2)
            found.append((given, gradient, self.moments(plan, one.weights)))
        return found

    def moments(self, plan: Plan, number: int) -> float:
        """Return the share of zeros in what the optimizer keeps first of a tensor."""
        if plan.optimizer in {None, "sgd"} or number == NONE or plan.tensors[number].space != STATE:
            return 0.0
        first = plan.parameters.size + plan.tensors[number].offset
        return float(np.mean(self.state[first : first + size(plan.tensors[number])] == 0))


def zeros_of(
    plan: Plan,
    samples: Collection[NDArray[Any]],
    targets: Collection[NDArray[np.float32]] = (),
    phase: Phase | None = None,
) -> list[Share]:
    """Return the share of zeros in what each operation reads: a mean over samples.

    The runtime computes them here, in a plan whose values do not share memory; learning that diverges, until
    then.

    Parameters
    ----------
    plan
        Of a network.
    samples, targets, phase
        What it predicts from; or learns from, and how.

    Examples
    --------
    >>> from shoal import nn
    >>> plan = nn.Network([nn.ReLU(), nn.Dense(2)], input_shape=(4,)).plan(None)
    >>> [share.given for share in zeros_of(plan, [np.float32([-1, 2, -3, 4])])]
    [0.0, 0.5]
    """
    apart = spread(plan)
    watched = Watched(apart.image())
    for sample in samples:
        watched.observe(sample)  # what standardizes has seen some
    found = []
    if phase is None:
        for sample in samples:
            watched.predict(sample)
            found.append(watched.shares(apart))
    else:
        watched.set_optimizer(phase)
        with suppress(DivergedError):
            for sample, target in zip(samples, targets, strict=True):
                watched.learn(sample, target)
                found.append(watched.shares(apart))
    if not found:
        return [Share() for _ in plan.operations]
    return [Share(*map(float, mean)) for mean in np.mean(found, axis=0)]


def readings(plan: Plan, operation: Operation) -> tuple[Counts | None, Counts | None]:
    """Return how often a convolution reads each position of its input and of its gradient."""
    if operation.code % BACKWARD not in {Code.CONV2D, Code.DEPTHWISE_CONV2D}:
        return None, None
    back = operation.code % QUANTIZED >= BACKWARD
    small = plan.tensors[operation.in2 if back else operation.out]
    rows, columns = axes(operation, plan.tensors[operation.in_], small)
    given = np.outer(rows.windows(), columns.windows()).reshape(-1)
    return given, np.outer(rows.inside(), columns.inside()).reshape(-1) if back else None


def spread(plan: Plan) -> Plan:
    """Return the plan with a place in the arena of its own for whatever an operation writes."""
    tensors: list[Tensor] = list(plan.tensors)
    moved: dict[int, int] = {}  # where that is now which was written last at an offset
    end = 0

    def read(number: int) -> int:
        if number == NONE or plan.tensors[number].space != ARENA:
            return number
        one = plan.tensors[number]
        tensors.append(replace(one, offset=moved[one.offset]))
        return len(tensors) - 1

    def written(number: int) -> int:
        nonlocal end
        if number != NONE and plan.tensors[number].space == ARENA:
            one = plan.tensors[number]
            moved[one.offset] = end
            end += -(-size(one) * np.dtype(name_of_type(one.type)).itemsize // 4)
        return read(number)

    def apart(one: Operation, *, forward: bool) -> Operation:
        in_, in2 = read(one.in_), read(one.in2)
        # What a forward operation keeps for its backward one it writes too.
        aux = written(one.aux) if forward else read(one.aux)
        return replace(one, in_=in_, in2=in2, aux=aux, out=written(one.out))

    given = written(plan.input)
    forward = tuple(apart(one, forward=True) for one in plan.forward)
    answer = read(plan.output)
    learning = tuple(apart(one, forward=False) for one in plan.learning)
    return replace(
        plan,
        tensors=tuple(tensors),
        forward=forward,
        learning=learning,
        input=given,
        output=answer,
        arena=end,
    )


def size(one: Tensor) -> int:
    """Return the number of a tensor's values."""
    return one.shape[0] * one.shape[1] * one.shape[2]
