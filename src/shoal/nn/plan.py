"""A plan: every operation of a network in order and the place of every value, ready to become an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from shoal.nn.graph import NOTHING, Derived, Ref, Remembered, Stored
from shoal.nn.image import image_size, pack
from shoal.nn.liveness import buffers
from shoal.nn.placement import place
from shoal.nn.quantization import is_fixed
from shoal.nn.shapes import as_hwc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.nn.graph import Op
    from shoal.nn.quantization import Quantization
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

ARENA, STATE, CONSTANTS, STREAM = 0, 1, 2, 3
NONE = 0xFFFF
TYPES = {"float32": 0, "int8": 1, "uint8": 2, "int32": 3, "int16": 4}
SLOTS: dict[str | None, int] = {None: 0, "sgd": 0, "momentum": 1, "adam": 2}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A place in a space: 0 arena, 1 state, 2 constants, 3 stream; offset in words of four bytes.

    Types: 0 float32, 1 int8, 2 uint8, 3 int32, 4 int16, of which zero_point is the number of fraction bits.
    """

    space: int
    offset: int
    shape: tuple[int, int, int]
    grows: bool = False
    type: int = 0
    zero_point: int = 0


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
    constants, parameters, quantized
        Bytes that stay, in whole words; initial values of what learns as float32; and initial bytes of what
        learns as integers.
    statistics, arena, stream
        Words of four bytes of each; stream is what layers remember of earlier samples.
    input, output
        Tensors of the sample and of the answer.
    optimizer, accumulate, anchor
        As given to :meth:`Network.plan`.
    active
        Outputs in use at first.
    layout
        Name, offset and shape of each float32 array among the parameters.
    quantized_layout
        Name and word of each integer array among the bytes that learn.
    layers
        Name of each layer by its number.
    """

    tensors: tuple[Tensor, ...]
    forward: tuple[Operation, ...]
    learning: tuple[Operation, ...]
    runs: tuple[tuple[int, int], ...]
    constants: bytes
    parameters: NDArray[np.float32]
    quantized: bytes
    statistics: int
    arena: int
    stream: int
    input: int
    output: int
    optimizer: Optimizer | None
    accumulate: bool
    anchor: bool
    active: int
    layout: tuple[tuple[str, int, Shape], ...]
    quantized_layout: tuple[tuple[str, int], ...]
    layers: tuple[str, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, the forward ones first."""
        return self.forward + self.learning

    @property
    def input_type(self) -> str:
        """Type of one value of a sample."""
        return name_of_type(self.tensors[self.input].type)

    @property
    def output_type(self) -> str:
        """Type of one value of an answer."""
        return name_of_type(self.tensors[self.output].type)

    @property
    def slots(self) -> int:
        """Arrays of the optimizer that are as long as the parameters."""
        return SLOTS[self.optimizer] + self.accumulate + self.anchor

    @property
    def state(self) -> int:
        """Words of the state: parameters, slots, statistics, integers that learn."""
        return self.parameters.size * (1 + self.slots) + self.statistics + len(self.quantized) // 4

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
        parts = {
            "parameters": array + len(self.quantized),
            "optimizer": array * SLOTS[self.optimizer],
            "gradient": array * self.accumulate,
            "anchor": array * self.anchor,
            "statistics": 4 * self.statistics,
            "arena": 4 * self.arena,
        }
        return parts | {"stream": 4 * self.stream} if self.stream else parts

    def image(self) -> bytes:
        """Return the bytes that the runtime opens (``runtime/IMAGE.md``)."""
        return pack(self)


def name_of_type(number: int) -> str:
    """Return the name of a type by its number in the image."""
    return next(name for name, value in TYPES.items() if value == number)


@dataclass(slots=True)
class Table:
    """Tensors by content, each once."""

    numbers: dict[Tensor, int] = field(default_factory=dict)

    def number(self, tensor: Tensor) -> int:
        """Return the number of a tensor, new or known."""
        return self.numbers.setdefault(tensor, len(self.numbers))


@dataclass(slots=True)
class Block:
    """Arrays one after the other, each from a whole word on."""

    content: bytearray = field(default_factory=bytearray)
    words: dict[str, int] = field(default_factory=dict)

    def append(self, array: NDArray[Any]) -> int:
        """Add an array and return the word at which it starts."""
        offset = len(self.content) // 4
        self.content += array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        self.content += bytes(-len(self.content) % 4)
        return offset

    def word(self, name: str, array: NDArray[Any]) -> int:
        """Return where the array of this name starts, new or known."""
        if name not in self.words:
            self.words[name] = self.append(array)
        return self.words[name]


def make_plan(
    *,
    sizes: Sequence[int],
    forward: Sequence[Op],
    learning: Sequence[Op],
    sample: Ref,
    output: Ref,
    active: int,
    arrays: Mapping[str, NDArray[Any]],
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
        Words of four bytes of each value.
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
    state = [name for name in arrays if name in learns and arrays[name].dtype == np.float32]
    parameter_offsets, parameter_count = offsets_of(state, arrays)
    slots = SLOTS[optimizer] + accumulate + anchor
    first_statistic = parameter_count * (1 + slots)
    statistics = 0
    statistic_offsets: dict[str, int] = {}
    for op in forward:
        if isinstance(op.aux, Stored):
            statistic_offsets[op.aux.name] = first_statistic + statistics
            statistics += op.aux.shape[2]

    table = Table()
    constants, quantized, stream = Block(), Block(), Block()
    derived: dict[Derived, Tensor] = {}
    runs: list[tuple[int, int]] = []

    def tensor(part: Ref | Remembered | Stored | Derived | None) -> int:
        if part is None or part is NOTHING:
            return NONE
        if isinstance(part, Remembered):
            word = stream.word(part.name, np.zeros(part.shape, part.dtype))
            kind = TYPES[part.dtype]
            return table.number(Tensor(STREAM, word, part.shape, type=kind, zero_point=part.zero_point))
        if isinstance(part, Ref):
            offset, q = offsets[buffer_of[part.value]], part.quantization
            kind, zero = type_and_zero(q)
            return table.number(Tensor(ARENA, offset, as_hwc(part.shape), part.grows, kind, zero))
        if isinstance(part, Derived):
            if part not in derived:
                array = part.make(arrays)
                derived[part] = Tensor(
                    CONSTANTS, constants.append(array), part.shape, type=TYPES[array.dtype.name]
                )
            return table.number(derived[part])
        if part.name in parameter_offsets:
            return table.number(Tensor(STATE, parameter_offsets[part.name], part.shape))
        if part.name in statistic_offsets:
            return table.number(Tensor(STATE, statistic_offsets[part.name], part.shape))
        array = arrays[part.name]
        kind, zero = TYPES[array.dtype.name], part.zero_point
        if part.name in learns:
            word = first_statistic + statistics + quantized.word(part.name, array)
            return table.number(Tensor(STATE, word, part.shape, type=kind, zero_point=zero))
        word = constants.word(part.name, array)
        return table.number(Tensor(CONSTANTS, word, part.shape, type=kind, zero_point=zero))

    def record(op: Op) -> Operation:
        first = len(runs) if op.runs else 0
        runs.extend(op.runs)
        x2 = op.memories[0] if op.memories else op.x2
        bias = op.memories[1] if len(op.memories) > 1 else op.bias
        return Operation(
            code=int(op.code),
            flags=op.flags,
            layer=op.layer,
            groups=op.groups,
            in_=tensor(op.x),
            in2=tensor(x2),
            out=tensor(op.out),
            weights=tensor(op.weights),
            bias=tensor(bias),
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
        constants=bytes(constants.content),
        parameters=flat([arrays[name] for name in state]),
        quantized=bytes(quantized.content),
        statistics=statistics,
        arena=arena,
        stream=len(stream.content) // 4,
        input=input_number,
        output=output_number,
        optimizer=optimizer,
        accumulate=accumulate,
        anchor=anchor,
        active=active,
        quantized_layout=tuple(quantized.words.items()),
        layout=tuple((name, parameter_offsets[name], arrays[name].shape) for name in state),
        layers=layers,
    )


def type_and_zero(q: Quantization | None) -> tuple[int, int]:
    """Return the type of a value in the image, and its zero point or fraction bits."""
    if q is None:
        return TYPES["float32"], 0
    if is_fixed(q):
        return TYPES["int16"], q.fraction_bits
    return TYPES[q.dtype], q.zero_point if np.dtype(q.dtype).itemsize == 1 else 0


def offsets_of(names: Iterable[str], arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, int], int]:
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
