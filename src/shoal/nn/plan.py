"""A plan: every operation of a network in order and the place of every value, ready to become an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from shoal.nn.graph import NOTHING, Stored
from shoal.nn.image import image_size, pack
from shoal.nn.liveness import buffers
from shoal.nn.placement import place
from shoal.nn.shapes import as_hwc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.nn.graph import Op, Ref
    from shoal.nn.shapes import Shape

__all__ = [
    "ARENA",
    "CONSTANTS",
    "NONE",
    "SLOTS",
    "STATE",
    "Operation",
    "Optimizer",
    "Plan",
    "Tensor",
    "make_plan",
]

Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]

ARENA, STATE, CONSTANTS = 0, 1, 2
NONE = 0xFFFF
SLOTS: dict[str | None, int] = {None: 0, "sgd": 0, "momentum": 1, "adam": 2}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A place in one of the three spaces: 0 arena, 1 state, 2 constants; offset in values."""

    space: int
    offset: int
    shape: tuple[int, int, int]
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One record of the image; ``in_`` to ``aux`` are numbers of tensors."""

    code: int
    flags: int
    layer: int
    groups: int
    in_: int
    in2: int
    out: int
    weights: int
    bias: int
    aux: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    runs: tuple[int, int]
    value: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the runtime will do and where, as plain records.

    Attributes
    ----------
    tensors, forward, learning, runs
        The records of the image.
    constants, parameters
        Values that stay and initial values of those that learn.
    statistics, arena
        Number of values of each.
    input, output
        Tensors of the sample and of the answer.
    optimizer, accumulate, anchor
        As given to :meth:`Network.plan`.
    active
        Outputs in use at first.
    layout
        Name, offset and shape of each array among the parameters.
    layers
        Name of each layer by its number.
    """

    tensors: tuple[Tensor, ...]
    forward: tuple[Operation, ...]
    learning: tuple[Operation, ...]
    runs: tuple[tuple[int, int], ...]
    constants: NDArray[np.float32]
    parameters: NDArray[np.float32]
    statistics: int
    arena: int
    input: int
    output: int
    optimizer: Optimizer | None
    accumulate: bool
    anchor: bool
    active: int
    layout: tuple[tuple[str, int, Shape], ...]
    layers: tuple[str, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, the forward ones first."""
        return self.forward + self.learning

    @property
    def slots(self) -> int:
        """Arrays of the optimizer that are as long as the parameters."""
        return SLOTS[self.optimizer] + self.accumulate + self.anchor

    @property
    def state(self) -> int:
        """Number of values of the state: parameters, slots and statistics."""
        return self.parameters.size * (1 + self.slots) + self.statistics

    @property
    def image_size(self) -> int:
        """Bytes of the image, which stays in flash."""
        return image_size(self)

    def ram(self) -> dict[str, int]:
        """Return the bytes of working memory by part; the runtime's own record of the network comes on top.

        Examples
        --------
        >>> from shoal import nn
        >>> nn.Network([nn.Dense(2)], input_shape=(3,), loss="mse").plan("adam").ram()
        {'parameters': 32, 'optimizer': 64, 'gradient': 0, 'anchor': 0, 'statistics': 0, 'arena': 20}
        """
        array = 4 * self.parameters.size
        return {
            "parameters": array,
            "optimizer": array * SLOTS[self.optimizer],
            "gradient": array * self.accumulate,
            "anchor": array * self.anchor,
            "statistics": 4 * self.statistics,
            "arena": 4 * self.arena,
        }

    def image(self) -> bytes:
        """Return the bytes that the runtime opens (``runtime/IMAGE.md``)."""
        return pack(self)


@dataclass(slots=True)
class Table:
    """Tensors by content, each once."""

    numbers: dict[Tensor, int]

    def number(self, tensor: Tensor) -> int:
        """Return the number of a tensor, new or known."""
        return self.numbers.setdefault(tensor, len(self.numbers))


def make_plan(
    *,
    sizes: Sequence[int],
    forward: Sequence[Op],
    learning: Sequence[Op],
    sample: Ref,
    output: Ref,
    active: int,
    arrays: Mapping[str, NDArray[np.float32]],
    trained: Iterable[str],
    optimizer: Optimizer | None,
    accumulate: bool,
    anchor: bool,
    layers: tuple[str, ...],
) -> Plan:
    """Place every value and number every tensor.

    Parameters
    ----------
    sizes
        Elements of each value.
    forward, learning
        Operations in order.
    sample, output
        First and last value of the forward operations.
    active
        Outputs in use at first.
    arrays
        All parameters, in order.
    trained
        Names of those that learn: these go to the state, the others to the constants.
    optimizer, accumulate, anchor
        Which slots the state has.
    layers
        Names by number.
    """
    forward, learning, found, buffer_of = buffers(sizes, forward, learning)
    offsets, arena = place(found)

    learns = set(trained)
    state = [name for name in arrays if name in learns]
    constants = [name for name in arrays if name not in learns]
    parameter_offsets, parameter_count = offsets_of(state, arrays)
    constant_offsets, _ = offsets_of(constants, arrays)
    slots = SLOTS[optimizer] + accumulate + anchor
    first_statistic = parameter_count * (1 + slots)
    statistics = 0
    statistic_offsets: dict[str, int] = {}
    for op in forward:
        if isinstance(op.aux, Stored):
            statistic_offsets[op.aux.name] = first_statistic + statistics
            statistics += op.aux.shape[2]

    table = Table({})
    runs: list[tuple[int, int]] = []

    def tensor(part: Ref | Stored | None) -> int:
        if part is None or part is NOTHING:
            return NONE
        if not isinstance(part, Stored):
            offset = offsets[buffer_of[part.value]]
            return table.number(Tensor(ARENA, offset, as_hwc(part.shape), part.grows))
        if part.name in parameter_offsets:
            return table.number(Tensor(STATE, parameter_offsets[part.name], part.shape))
        if part.name in statistic_offsets:
            return table.number(Tensor(STATE, statistic_offsets[part.name], part.shape))
        return table.number(Tensor(CONSTANTS, constant_offsets[part.name], part.shape))

    def record(op: Op) -> Operation:
        first = len(runs) if op.runs else 0
        runs.extend(op.runs)
        return Operation(
            code=int(op.code),
            flags=op.flags,
            layer=op.layer,
            groups=op.groups,
            in_=tensor(op.x),
            in2=tensor(op.x2),
            out=tensor(op.out),
            weights=tensor(op.weights),
            bias=tensor(op.bias),
            aux=tensor(op.aux),
            kernel=op.window.kernel,
            stride=op.window.stride,
            padding=op.window.padding,
            runs=(first, len(op.runs)),
            value=op.numbers,
        )

    input_number = tensor(sample)
    records = [record(op) for op in forward]
    output_number = tensor(output)
    back = [record(op) for op in learning]
    return Plan(
        tensors=tuple(table.numbers),
        forward=tuple(records),
        learning=tuple(back),
        runs=tuple(runs),
        constants=flat([arrays[name] for name in constants]),
        parameters=flat([arrays[name] for name in state]),
        statistics=statistics,
        arena=arena,
        input=input_number,
        output=output_number,
        optimizer=optimizer,
        accumulate=accumulate,
        anchor=anchor,
        active=active,
        layout=tuple((name, parameter_offsets[name], arrays[name].shape) for name in state),
        layers=layers,
    )


def offsets_of(names: Iterable[str], arrays: Mapping[str, NDArray[np.float32]]) -> tuple[dict[str, int], int]:
    """Return where each array starts when they follow each other, and where the last one ends."""
    offsets: dict[str, int] = {}
    end = 0
    for name in names:
        offsets[name] = end
        end += arrays[name].size
    return offsets, end


def flat(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return all values in one row, a copy."""
    if not arrays:
        return np.zeros(0, np.float32)
    return np.concatenate([array.reshape(-1) for array in arrays])
